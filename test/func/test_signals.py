# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C once, twice, three times; and no child outlives its attempt, whatever happens to us."""

import os
import signal
import time

import paddock
from paddock import is_alive, until

POLITE = "trap 'echo bye; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done"
DEAF = "trap '' TERM INT HUP; echo $$ > pid; while :; do sleep 0.05; done"


def file(script, more=""):
    body = "\n".join("      " + line for line in script.splitlines())
    return f"tasks:\n  a:\n    command: |\n{body}\n{more}"


class Signals(paddock.Case):
    def begin(self, script, more="", *arguments):
        self.write("paddock.yaml", file(script, more))
        process = self.start("run", *arguments)
        return process, self.pid_from("pid")

    def test_the_first_stops(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            with self.subTest(number):
                process, pid = self.begin(POLITE)
                process.send_signal(number)
                out, err = process.communicate(timeout=paddock.PATIENCE)
                self.assertEqual(process.returncode, code, err)
                self.assertIn(b"bye\n", out)
                self.assertIn(b"stopping 1 task: a", err)
                self.assertFalse(is_alive(pid))
                os.unlink(self.path("pid"))

    def test_the_second_kills(self):
        process, pid = self.begin(DEAF, "    stop: {grace: 1h}\n")
        process.send_signal(signal.SIGINT)
        self.wait_for_words(process, b"stopping")
        self.assertTrue(is_alive(pid))
        process.send_signal(signal.SIGINT)
        process.wait(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 130)
        until(lambda: not is_alive(pid), "the end of the child")

    def test_the_third_leaves_at_once(self):
        process, pid = self.begin(DEAF, "    stop: {grace: 1h}\n")
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            if process.poll() is None:
                time.sleep(0)
        until(lambda: process.poll() is not None or process.send_signal(signal.SIGINT), "the end")
        self.assertIn(process.returncode, (130, -signal.SIGINT))  # one that comes when all is over has its usual effect
        until(lambda: not is_alive(pid), "the end of the child")

    def test_grace_over_kills(self):
        process, pid = self.begin(DEAF, "    stop: {grace: 100ms}\n")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 143)
        self.assertFalse(is_alive(pid))

    def test_what_waits_is_not_started_any_more(self):
        process, _ = self.begin(POLITE, "  b: {command: touch b, needs: a}\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertFalse(self.exists("b"))

    def test_quit_prints_the_states_and_goes_on(self):
        process, pid = self.begin(POLITE, "  b: {command: echo b, needs: a}\n")
        process.send_signal(signal.SIGQUIT)
        self.wait_for_words(process, b"paddock: b: waiting")
        self.assertTrue(is_alive(pid))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=paddock.PATIENCE)

    def test_a_double_fork_does_not_escape(self):
        script = "( setsid sh -c 'echo $$ > orphan; while :; do sleep 0.05; done' & )\nwhile [ ! -s orphan ]; do sleep 0.02; done\necho $$ > pid\n"
        self.write("paddock.yaml", file(script))
        result = self.paddock("run")
        self.ended(result, 0)
        orphan = self.pid_from("orphan")
        until(lambda: not is_alive(orphan), "the end of the orphan")

    def test_killed_paddock_takes_its_children_along(self):
        process, pid = self.begin(DEAF)
        process.kill()
        process.wait()
        until(lambda: not is_alive(pid), "the end of the child")

    def test_ignored_signals_stay_ignored(self):
        old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process, pid = self.begin(POLITE)
        finally:
            signal.signal(signal.SIGHUP, old)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGQUIT)
        self.wait_for_words(process, b"paddock: a: running")
        self.assertTrue(is_alive(pid))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 143)

    def test_children_start_with_a_clean_mask(self):
        script = "grep -E 'SigBlk|SigIgn' /proc/self/status"
        result = self.ended(self.paddock("run", "--", "sh", "-c", script), 0)
        blocked, ignored = (int(line.split()[1], 16) for line in result.stdout.splitlines())
        self.assertEqual(blocked, 0)
        self.assertFalse(ignored & (1 << (signal.SIGPIPE - 1)))


if __name__ == "__main__":
    paddock.main()
