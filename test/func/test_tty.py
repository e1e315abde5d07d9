# SPDX-License-Identifier: Apache-2.0
"""At a terminal: the live view, colours, widths, and what tasks may not do to it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import paddock

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A terminal with paddock in it. Gathers what is written to it."""

    def __init__(self, case, *arguments, columns=80, rows=24, env=None):
        self.case = case
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(case.folder)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(paddock.PROGRAM, [paddock.PROGRAM, *arguments], {**case.env, "TERM": "xterm-256color", **(env or {})})
        self.code = None
        case.addCleanup(self.end)

    def end(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self, seconds=0.05):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += piece.decode(errors="replace")
        return bool(piece)

    def wait_for(self, words):
        end = time.monotonic() + paddock.PATIENCE
        while words not in self.text and words not in ESCAPES.sub("", self.text):
            open_still = self.read()
            self.case.assertTrue(open_still and time.monotonic() < end, f"no {words!r} in {self.text!r}")

    def wait(self):
        end = time.monotonic() + paddock.PATIENCE
        while self.read() and time.monotonic() < end:
            pass
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def type(self, text):
        os.write(self.fd, text)

    def plain(self):
        return ESCAPES.sub("", self.text).replace("\r", "")


class Tty(paddock.Case):
    def test_the_live_view(self):
        self.write("paddock.yaml", "tasks: {a: 'echo hello; sleep 0.5', b: {command: 'echo later', needs: a}}\n")
        terminal = Terminal(self, "run")
        terminal.wait_for("hello")
        terminal.wait_for(" 2 tasks: 1 working, 1 waiting")
        terminal.wait_for("needs a")
        self.assertEqual(terminal.wait(), 0)
        self.assertIn("\x1b[J", terminal.text)
        self.assertIn("2 tasks: 2 succeeded", terminal.plain())
        self.assertIn("a | hello\n", terminal.plain())

    def test_plain_progress(self):
        self.write("paddock.yaml", "tasks: {a: echo hello}\n")
        terminal = Terminal(self, "run", "--progress", "plain")
        self.assertEqual(terminal.wait(), 0)
        self.assertNotIn("\x1b[J", terminal.text)
        self.assertIn("hello\npaddock: a: succeeded in ", terminal.plain())

    def test_a_dumb_terminal_gets_plain_lines(self):
        self.write("paddock.yaml", "tasks: {a: echo hello}\n")
        terminal = Terminal(self, "run", env={"TERM": "dumb"})
        self.assertEqual(terminal.wait(), 0)
        self.assertNotIn("\x1b", terminal.text)

    def test_no_color(self):
        self.write("paddock.yaml", "tasks: {a: echo hello, b: exit 1}\n")
        terminal = Terminal(self, "run", env={"NO_COLOR": "1"})
        self.assertEqual(terminal.wait(), 1)
        self.assertIsNone(re.search(r"\x1b\[[0-9;]*m", terminal.text))
        empty = Terminal(self, "run", env={"NO_COLOR": ""})
        self.assertEqual(empty.wait(), 1)
        self.assertIsNotNone(re.search(r"\x1b\[31m", empty.text))

    def test_tasks_cannot_steer_the_terminal(self):
        self.write("paddock.yaml", "tasks: {a: \"printf '\\\\033[2J\\\\007\\\\033[31mred\\\\033[0m \\\\302\\\\233A\\\\r\\\\n'\"}\n")
        for arguments in (("run",), ("run", "--progress", "plain")):
            terminal = Terminal(self, *arguments)
            self.assertEqual(terminal.wait(), 0)
            self.assertIn("^[[2J^G\x1b[31mred\x1b[0m \\x9bA", terminal.text)
            self.assertNotIn("\x1b[2J", terminal.text)

    def test_ctrl_c(self):
        self.write("paddock.yaml", "tasks: {a: {command: \"trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done\"}}\n")
        terminal = Terminal(self, "run")
        terminal.wait_for("up")
        terminal.type(b"\x03")
        self.assertEqual(terminal.wait(), 130)
        self.assertIn("bye", terminal.plain())
        self.assertIn("1 task: 1 stopped", terminal.plain())

    def test_lines_never_wrap(self):
        name = "a-very-long-name-for-a-task-that-does-not-fit-anywhere"
        self.write("paddock.yaml", f"tasks: {{{name}: sleep 0.3, b: {{command: 'true', needs: {name}}}}}\n")
        terminal = Terminal(self, "run", columns=40)
        terminal.wait_for("…")
        self.assertEqual(terminal.wait(), 0)
        live = terminal.text.split("\x1b[?2026l")[:-1]
        for drawing in live:
            for line in ESCAPES.sub("", drawing).replace("\r", "\n").splitlines():
                self.assertLessEqual(len(line), 40)

    def test_another_size(self):
        self.write("paddock.yaml", "tasks: {a: 'sleep 60'}\n")
        terminal = Terminal(self, "run", columns=100)
        terminal.wait_for("Ctrl-C stops, twice kills")
        terminal.text = ""
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
        terminal.wait_for(" 1 task: 1 working")
        terminal.read(0.3)
        last = terminal.text.split("\x1b[J")[-1]
        self.assertNotIn("Ctrl-C", last)
        terminal.type(b"\x03")
        self.assertEqual(terminal.wait(), 130)

    def test_after_a_stop_the_view_is_drawn_anew(self):
        self.write("paddock.yaml", "tasks: {a: 'sleep 60'}\n")
        terminal = Terminal(self, "run")
        terminal.wait_for(" 1 task: 1 working")
        os.kill(terminal.pid, signal.SIGSTOP)
        os.waitpid(terminal.pid, os.WUNTRACED)
        while select.select([terminal.fd], [], [], 0)[0]:
            terminal.read()
        terminal.text = ""
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(" 1 task: 1 working")
        self.assertNotIn("\x1b[J", terminal.text.split("1 task")[0])
        terminal.type(b"\x03")
        self.assertEqual(terminal.wait(), 130)

    def test_tables_are_cut_to_the_width(self):
        self.write("paddock.yaml", "tasks: {a: echo}\n")
        terminal = Terminal(self, "plugins", columns=50)
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(all(len(line) <= 50 for line in terminal.plain().splitlines()))
        self.assertIn("…", terminal.plain())

    def test_a_command_alone_has_no_view(self):
        terminal = Terminal(self, "run", "--", "echo", "hello")
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(terminal.text, "hello\r\n")


if __name__ == "__main__":
    paddock.main()
