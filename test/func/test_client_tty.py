# SPDX-License-Identifier: Apache-2.0
"""The verbs that ask a server, at a terminal: colours, widths, the full screen of top, and how it leaves the terminal."""

import fcntl
import os
import signal
import struct
import termios

import client
import paddock
from test_tty import ESCAPES, Terminal

TASKS = """
tasks:
  web: {command: "echo up; exec sleep 1000"}
  bad: {command: "exit 3", manual: true}
  evil: {command: "printf 'a\\\\033[2Jb\\\\033[31mred\\\\033[0m\\\\007\\\\n'; exit 4", manual: true}
  odd: {command: ["/nope\\e[2J\\x07"], manual: true}
"""
BEGIN, END = "\x1b[?1049h", "\x1b[?1049l"


class Tty(client.ClientCase):
    def setUp(self):
        super().setUp()
        self.serve(TASKS)

    def modes(self, terminal):
        return termios.tcgetattr(terminal.fd)

    def test_colours(self):
        self.does("submit", "bad", "--wait", code=1)
        terminal = Terminal(self, "ps", "--all")
        self.assertEqual(terminal.wait(), 0)
        self.assertIn("\x1b[31mfailed\x1b[0m", terminal.text)
        plain = Terminal(self, "ps", "--all", env={"NO_COLOR": "1"})
        self.assertEqual(plain.wait(), 0)
        self.assertNotIn("\x1b", plain.text)
        forced = self.does("ps", "--all", "--color", "always")
        self.assertIn("\x1b[31mfailed", "\n".join(forced))

    def test_progress_of_lines(self):
        def said(*arguments):
            ours, theirs = os.openpty()
            self.addCleanup(os.close, ours)
            process = self.start("submit", "--jsonl", "jobs.jsonl", *arguments, stderr=theirs)
            os.close(theirs)
            self.assertEqual(len(process.communicate(timeout=paddock.PATIENCE)[0].splitlines()), 2)
            text = b""
            while True:
                try:
                    text += os.read(ours, 1000)
                except OSError:  # so a terminal says that it has ended
                    return text.decode().split("\r")
        self.write("jobs.jsonl", '{"kind": "echo"}\n' * 2)
        self.assertEqual((said()[0], said()[-2:]), ("paddock: 1 submitted", ["paddock: 2 submitted", "\n"]))
        self.assertEqual(said("-q"), [""])
        self.write("jobs.jsonl", '{"kind": "echo"}\n' * 2 + "[1]\n")
        self.assertIn('paddock: jobs.jsonl:3: found a list, wanted an object', "".join(said()))
        self.assertEqual(said()[-2:], ["\npaddock: 2 submitted", "\n"])

    def test_tables_are_cut_to_the_width(self):
        self.does("submit", "--direct", "odd", "--wait", code=1)
        terminal = Terminal(self, "ps", "--all", columns=60)
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(all(len(line) <= 60 for line in terminal.plain().splitlines()), terminal.plain())
        self.assertIn("…", terminal.plain())

    def test_logs_steer_no_terminal(self):
        self.does("submit", "--direct", "evil", "--wait", code=1)
        terminal = Terminal(self, "logs", "evil")
        self.assertEqual(terminal.wait(), 0)
        self.assertNotIn("\x1b[2J", terminal.text)
        self.assertNotIn("\x07", terminal.text)
        for arguments in (("ps", "--all"), ("show", "odd")):
            self.does("submit", "--direct", "odd", "--wait", code=1)
            terminal = Terminal(self, *arguments, columns=200)
            terminal.wait_for("^[[2J^G")
            self.assertNotIn("\x1b[2J", terminal.text)
            self.assertNotIn("\x07", terminal.text)
            self.assertEqual(terminal.wait(), 0)

    def test_top(self):
        terminal = Terminal(self, "top", "--interval", "100ms", columns=90, rows=24)
        terminal.wait_for("subprocess-web-1")
        self.assertFalse(self.modes(terminal)[3] & termios.ECHO)
        terminal.text = ""
        self.does("submit", "--direct", "bad", "--wait", code=1)
        terminal.wait_for("1 failed")
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), 0)
        self.restored(terminal)

    def restored(self, terminal):
        """The screen, the cursor, wrapping and echo are as they were."""
        self.assertIn("\x1b[?7h\x1b[?25h" + END, terminal.text)
        self.assertFalse(terminal.text.split(END)[-1].strip("\r\n").startswith("\x1b["))
        # The master sees the modes even when nobody has the terminal any more.
        self.assertTrue(self.modes(terminal)[3] & termios.ECHO)
        self.assertTrue(self.modes(terminal)[3] & termios.ICANON)

    def test_top_leaves_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = Terminal(self, "top")
            terminal.wait_for("subprocess-web-1")
            os.kill(terminal.pid, number)
            self.assertEqual(terminal.wait(), 128 + number)
            self.restored(terminal)
        terminal = Terminal(self, "top")
        terminal.wait_for("subprocess-web-1")
        terminal.type(b"\x03")
        self.assertEqual(terminal.wait(), 130)
        self.restored(terminal)

    def test_another_size(self):
        terminal = Terminal(self, "top", "--interval", "1h", columns=100)
        terminal.wait_for("subprocess-web-1")
        terminal.text = ""
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
        terminal.wait_for("subprocess-web-1")
        for line in ESCAPES.sub("", terminal.text).replace("\r", "").splitlines():
            self.assertLessEqual(len(line), 40)
        self.assertLessEqual(terminal.text.count("\n"), 10)
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), 0)

    def test_ctrl_z(self):
        terminal = Terminal(self, "top", "--interval", "1h")
        terminal.wait_for("subprocess-web-1")
        terminal.text = ""
        os.kill(terminal.pid, signal.SIGTSTP)
        os.waitpid(terminal.pid, os.WUNTRACED)
        terminal.wait_for("\x1b[?7h")
        self.restored(terminal)
        terminal.text = ""
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for("subprocess-web-1")
        self.assertIn(BEGIN, terminal.text)
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), 0)

    def test_a_server_that_goes_and_comes(self):
        terminal = Terminal(self, "top", "--interval", "100ms", columns=150)
        terminal.wait_for("subprocess-web-1")
        server = self.started[0]
        server.kill()
        server.wait()
        terminal.wait_for("not there")
        terminal.text = ""
        self.serve(TASKS)
        terminal.wait_for("subprocess-web-1")
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), 0)

    def test_watch(self):
        terminal = Terminal(self, "ps", "--watch", "--interval", "100ms", columns=100)
        terminal.wait_for("subprocess-web-1")
        self.does("submit", "--direct", "--name", "another", "--", "sleep", "1000")
        terminal.wait_for("another")
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), 0)
        self.restored(terminal)


client.need_plugins()
if __name__ == "__main__":
    paddock.main()
