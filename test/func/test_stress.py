# SPDX-License-Identifier: Apache-2.0
"""Signals at any moment, and very many of everything. Half a minute at most."""

import os
import random
import re
import signal
import subprocess
import time

import paddock
from paddock import is_alive, until

SECONDS = 12  # for the signals; the first case always runs
FILE = """
tasks:
  polite: {command: "echo $$ >> pids; trap 'exit 0' TERM; while :; do sleep 0.01; done", replicas: 2}
  deaf: {command: "echo $$ >> pids; trap '' TERM INT HUP; exec sleep 1000", stop: {grace: 50ms}}
  family: {command: "echo $$ >> pids; setsid sleep 1001 & echo $! >> pids; sleep 1002 & echo $! >> pids; wait"}
  quick: {command: "true", every: 1ms}
  fails: {command: exit 1, restart: on-failure, backoff: 2ms}
  chatty: {command: "while :; do echo y; done"}
  waits: {command: "true", needs: polite}
  queued: {command: sleep 1003, slot: deaf, when_busy: queue}
"""
TASKS = ["chatty", "deaf", "fails", "family", "polite.1", "polite.2", "queued", "quick", "waits"]


class Stress(paddock.Case):
    def send(self, process, dice):
        """One to two wishes to end, and questions; the first wish."""
        wishes = dice.choices((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), k=dice.randint(1, 2))
        for number in wishes:
            for one in (signal.SIGQUIT, number) if dice.random() < 0.3 else (number,):
                process.send_signal(one)  # to one that has ended it does nothing
                until(lambda: process.poll() is not None or dice.random() < 0.7)
        return wishes

    def once(self, dice):
        self.write("pids", "")
        with open(self.path("err"), "wb") as err:
            process = self.start("run", "--stop-on", "never", "-v", stdout=subprocess.DEVNULL, stderr=err)
            until(lambda: self.read("err"), "a first word")
            when = dice.random() ** 2 * 0.2 + time.monotonic()
            until(lambda: time.monotonic() >= when)
            wishes = self.send(process, dice)
            process.wait(timeout=paddock.PATIENCE)
        said = self.read("err")
        # Of those that come together the lowest is seen first; while it takes itself apart, they have their usual effect.
        codes = {130 if number == signal.SIGINT else 143 for number in wishes} | {-int(number) for number in wishes[1:]}
        self.assertIn(process.returncode, codes, said)
        rows = re.findall(r"(?m)^([a-z.0-9]+)\t[^\t]+\t\d+\t[^\t]+\t", said)
        self.assertEqual(sorted(rows), TASKS, said)
        self.assertNotIn("Sanitizer", said)
        self.assertNotIn("runtime error", said)
        self.assertEqual([pid for pid in self.read("pids").split() if is_alive(int(pid))], [], said)

    def test_signals_at_any_moment(self):
        self.write("paddock.yaml", FILE)
        end = time.monotonic() + SECONDS
        for seed in range(200):
            with self.subTest(seed):
                self.once(random.Random(seed))
            if time.monotonic() > end:
                break

    def test_leaving_at_once_leaves_nothing(self):
        self.write("paddock.yaml", "tasks: {a: {command: \"trap '' TERM; setsid sleep 1004 & echo $! > pid; sleep 1005 & "
                                   "echo $! > pid2; echo $$ > pid3; wait; wait\", stop: {grace: 1h}}}\n")
        for _ in range(10):
            process = self.start("run")
            pids = [self.pid_from(name) for name in ("pid", "pid2", "pid3")]
            for _ in range(3):
                process.send_signal(signal.SIGINT)
                until(lambda: process.poll() is not None or True)
            until(lambda: process.poll() is not None or process.send_signal(signal.SIGINT), "the end")
            self.assertIn(process.returncode, (130, -2))
            until(lambda: not any(is_alive(pid) for pid in pids), "the end of all children")
            for name in ("pid", "pid2", "pid3"):
                os.unlink(self.path(name))

    def test_thousands_at_once(self):
        tasks = "".join(f"  t{n}: {{command: ['true'], retries: 3, backoff: 10ms}}\n" for n in range(5000))
        result = self.ended(self.run_file("limits: {running: 50}\ntasks:\n" + tasks), 0)
        self.assertTrue(result.stderr.endswith("5000 tasks: 5000 succeeded\n"), result.stderr[-200:])

    def test_one_again_and_again(self):
        script = "[ $PADDOCK_ATTEMPT = 1000 ]"
        ends = [event for event in self.events(f"tasks: {{a: {{command: '{script}', retries: 2000, backoff: 1ms}}}}")
                if event["event"] == "run.ended"]
        self.assertEqual([(end["outcome"], end["attempts"]) for end in ends], [("succeeded", 1000)])


if __name__ == "__main__":
    paddock.main()
