# SPDX-License-Identifier: Apache-2.0
"""run --json: the shape that programs rely on."""

import base64
import datetime
import json
import re

import paddock
from paddock import of

FILE = """
tasks:
  good: echo hello
  flaky: {command: 'echo bad >&2; exit 3', retries: 1, backoff: 1ms}
  slow: {command: sleep 60, timeout: 100ms}
  later: {command: x, needs: flaky}
  raw: printf '\\377\\376\\n'
  moving: {kind: sleep, with: {for: 300ms}}
"""

# The members of each event beside seq, time and event: those that are always there, and those that may be.
ITEM = {"task", "slot"}
MAYBE = {"run_id", "runner", "attempt", "message"}
SHAPE = {
    "run.accepted": (set(), set()),
    "run.waiting": ({"for"}, set()),
    "run.rejected": ({"reason"}, set()),
    "run.ended": ({"outcome", "attempts", "duration_seconds"}, {"reason", "exit_code", "signal"}),
    "attempt.started": ({"attempt", "run_id"}, set()),
    "attempt.output": ({"stream"}, {"text", "base64", "truncated"}),
    "attempt.progress": (set(), {"ratio", "text"}),
    "attempt.stopping": (set(), set()),
    "attempt.ended": ({"result", "duration_seconds"}, {"category", "code", "exit_code", "signal", "usage"}),
    "attempt.backoff": ({"delay_seconds"}, set()),
    "attempt.ready": (set(), set()),
}


class Json(paddock.Case):
    def setUp(self):
        super().setUp()
        self.seen = self.events(FILE, "--stop-on", "never", code=1)

    def test_every_event_has_its_shape(self):
        for event in self.seen:
            if event["event"] in ("plugin.health", "server.draining"):
                continue
            must, may = SHAPE[event["event"]]
            members = set(event) - {"seq", "time", "event"}
            self.assertLessEqual(must | ITEM, members, event)
            self.assertLessEqual(members, must | may | ITEM | MAYBE, event)

    def test_numbers_and_times(self):
        self.assertEqual([event["seq"] for event in self.seen], list(range(1, len(self.seen) + 1)))
        for event in self.seen:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
            at = datetime.datetime.fromisoformat(event["time"][:26] + "+00:00")
            self.assertLess(abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()), 3600)

    def test_what_they_say(self):
        end = {event["task"]: event for event in of(self.seen, "run.ended") + of(self.seen, "run.rejected")}
        self.assertEqual(len(end), 6)
        self.assertEqual((end["good"]["outcome"], end["good"]["exit_code"], end["good"]["attempts"]), ("succeeded", 0, 1))
        self.assertEqual((end["flaky"]["outcome"], end["flaky"]["exit_code"], end["flaky"]["attempts"]), ("failed", 3, 2))
        self.assertEqual(end["slow"]["outcome"], "timed_out")
        self.assertEqual(end["later"]["reason"], "needs_failed")
        self.assertTrue(re.fullmatch(r"subprocess-good-\d+", end["good"]["run_id"]))
        self.assertEqual(of(self.seen, "attempt.ended", "slow")[0]["result"], "timed_out")
        ended = of(self.seen, "attempt.ended", "flaky")
        self.assertEqual([(e["attempt"], e["result"], e["category"], e["exit_code"]) for e in ended],
                         [(1, "failed", "exit", 3), (2, "failed", "exit", 3)])
        self.assertEqual(of(self.seen, "attempt.backoff", "flaky")[0]["delay_seconds"], 0.001)
        self.assertEqual(of(self.seen, "run.waiting", "later")[0]["for"], "needs flaky")

    def test_output(self):
        hello = of(self.seen, "attempt.output", "good")[0]
        self.assertEqual((hello["stream"], hello["text"]), ("stdout", "hello"))
        self.assertEqual(of(self.seen, "attempt.output", "flaky")[0]["stream"], "stderr")
        self.assertEqual(base64.b64decode(of(self.seen, "attempt.output", "raw")[0]["base64"]), b"\xff\xfe")

    def test_progress(self):
        ratios = [event["ratio"] for event in of(self.seen, "attempt.progress", "moving")]
        self.assertTrue(ratios and ratios == sorted(ratios) and all(0 <= ratio <= 1 for ratio in ratios))

    def test_log_lines_as_json(self):
        result = self.ended(self.run_file("tasks: {a: exit 1}", "--log-format", "json"), 1)
        for line in result.stderr.splitlines():
            self.assertLessEqual({"time", "level", "msg", "logger"}, set(json.loads(line)))


if __name__ == "__main__":
    paddock.main()
