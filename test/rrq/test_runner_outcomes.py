# SPDX-License-Identifier: Apache-2.0
"""What the replies of a runner become."""

import datetime

import drive
from drive import of, task


def outcome(payload, **more):
    return task("outcome", payload, **more)


class Outcomes(drive.Case):
    def attempt(self, events, name):
        return of(events, "attempt.ended", name)[-1]

    def test_each_status_by_name(self):
        error = {"message": "boom", "type": "bad", "code": "E1", "details": {"line": 3}}
        events, _ = self.drive({
            "success": task("echo", {"x": [1, 2.5, None, "\u00e4"]}),
            "null": task("null"),
            "error": outcome({"status": "error", "error": error}),
            "code": outcome({"status": "error", "error": {"message": "boom", "code": "E1"}}),
            "plain": outcome({"status": "error", "error": {"message": "boom"}}),
            "silent": outcome({"status": "error"}),
            "timeout": outcome({"status": "timeout", "error": {"message": "Job execution timed out"}}),
            "not-found": task("there_is_none"),
            "cancelled": outcome({"status": "error", "error": {"message": "Job cancelled", "type": "cancelled"}}),
            "version": outcome({"status": "error", "error": {"message": "Unsupported protocol version"}}),
            "busy": outcome({"status": "error", "error": {"message": "Runner busy: too many in-flight requests"}}),
            "retry": outcome({"status": "retry", "retry_after_seconds": 3.0, "error": {"message": "later"}}),
        }, max_in_flight=4)
        found = {name: (e["result"], e.get("category"), e.get("code"), e.get("message")) for name, e in
                 ((e["task"], e) for e in of(events, "attempt.ended"))}
        none = None
        self.assertEqual(found, {
            "success": ("succeeded", none, none, "succeeded"),
            "null": ("succeeded", none, none, "succeeded"),
            "error": ("failed", "peer", "bad", "boom"),
            "code": ("failed", "peer", "E1", "boom"),
            "plain": ("failed", "peer", none, "boom"),
            "silent": ("failed", "peer", none, "the runner gave no reason"),
            "timeout": ("failed", "timeout", "timeout", "Job execution timed out"),
            "not-found": ("fatal", "missing", "handler_not_found", "No handler registered for function 'there_is_none'"),
            "cancelled": ("failed", "peer", "cancelled", "Job cancelled"),
            "version": ("fatal", "peer", "protocol_version", "Unsupported protocol version"),
            "busy": ("failed", "busy", "busy", "Runner busy: too many in-flight requests"),
            "retry": ("failed", "peer", "retry", "later"),
        })

    def test_a_retry_comes_when_it_was_asked_for(self):
        slow = {"first": "10s", "jitter": "none"}
        events, ends = self.drive({
            "asked": outcome({"status": "retry", "retry_after_seconds": 0.25, "error": {"message": "later"}}, retries=2, backoff=slow),
            "at-once": outcome({"status": "retry", "retry_after_seconds": -5}, retries=1, backoff=slow),
            "back-off": outcome({"status": "retry"}, retries=1, backoff={"first": "70ms", "jitter": "none"}),
        }, max_in_flight=3)
        pauses = {name: [event["delay_seconds"] for event in of(events, "attempt.backoff", name)] for name in ends}
        self.assertEqual(pauses["asked"], [0.25, 0.25])
        self.assertEqual(pauses["back-off"], [0.07])
        self.assertLess(pauses["at-once"][0], 0.01)

    def test_error_exceeds_retries(self):
        _, ends = self.drive({"gamma": outcome({"status": "error", "error": {"message": "boom: gamma"}}, retries=1, backoff="1ms"),
                              "missing": task("missing", retries=3, backoff="1ms"),
                              "good": task("flaky", {"good": 3}, retries=5, backoff="1ms")}, code=1)
        self.assertEqual({name: (end["outcome"], end["attempts"]) for name, end in ends.items()},
                         {"gamma": ("failed", 2), "missing": ("fatal", 1), "good": ("succeeded", 3)})

    def test_an_unusable_outcome_fails_its_request_alone(self):
        gate = self.path("gate")
        process = self.begin({"innocent": task("wait", {"file": gate}), "bad-status": task("bad_status"), "no-message": task("no_message"),
                              "wrong-job": task("wrong_job_id"), "no-job": task("no_job_id"),
                              "bad-retry": outcome({"status": "retry", "retry_after_seconds": "soon"})}, max_in_flight=6)
        drive.until(lambda: len(self.seen("run.ended")) == 5, "five ends")
        self.touch("gate")
        ends = self.finish(process)
        said = {name: end["message"].removeprefix("the outcome cannot be used: ") for name, end in ends.items() if "message" in end}
        self.assertEqual(said, {
            "bad-status": "its status is none of success, retry, timeout and error", "no-message": "its error has no message",
            "wrong-job": "its job_id is not that of the request", "no-job": "its job_id is not that of the request",
            "bad-retry": "its retry_after_seconds is no number"})
        self.assertEqual(ends["innocent"]["outcome"], "succeeded")
        self.assertEqual(len(self.trace("open")), 1)


class Requests(drive.Case):
    def test_what_a_request_says(self):
        before = datetime.datetime.now(datetime.timezone.utc)
        self.drive({"full": task("request", {"k": "v"}, timeout="90s", queue_name="rrq:queue:mail", job_id="job-r1",
                                 correlation={"customer": 17}),
                    "bare": task("request"),
                    "input": task("echo", input={"order": 3})}, max_in_flight=3)
        full, bare, given = ({note["function_name"] + note["job_id"]: note for note in self.requests()}[key]
                             for key in ("requestjob-r1", "requestrrq-bare-2", "echorrq-input-3"))
        context = full["context"]
        self.assertEqual(list(full)[3:], ["protocol_version", "request_id", "job_id", "function_name", "params", "context"])
        self.assertRegex(full["request_id"], "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual((full["protocol_version"], full["params"]), ("2", {"k": "v"}))
        self.assertEqual((context["job_id"], context["attempt"], context["queue_name"]), ("job-r1", 1, "rrq:queue:mail"))
        self.assertEqual(context["correlation_context"], {"customer": "17"})
        self.assertRegex(context["worker_id"], "^rrq_worker_[0-9]+_[0-9a-f]{6}$")
        when = datetime.datetime.fromisoformat(context["deadline"][:26] + "+00:00")
        self.assertAlmostEqual((when - before).total_seconds(), 90, delta=30)
        self.assertRegex(context["enqueue_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertNotIn("deadline", bare["context"])
        self.assertNotIn("correlation_context", bare["context"])
        self.assertEqual((bare["params"], bare["context"]["queue_name"]), ({}, "rrq:queue:default"))
        self.assertEqual(given["params"], {"order": 3})
        self.assertEqual(len({note["request_id"] for note in self.requests()}), 3)

    def test_each_attempt_is_a_request_of_its_own(self):
        self.drive({"t": task("flaky", {"good": 3}, retries=5, backoff="1ms")}, code=0)
        notes = self.requests()
        self.assertEqual([note["context"]["attempt"] for note in notes], [1, 2, 3])
        self.assertEqual(len({note["request_id"] for note in notes}), 3)
        self.assertEqual(len({note["job_id"] for note in notes}), 1)
        self.assertEqual(len({note["context"]["enqueue_time"] for note in notes}), 1)

    def test_what_a_process_writes_is_its_requests(self):
        names = [f"t{n}" for n in range(150)]
        events, _ = self.drive({name: task("say", {"text": f"I am {name}"}) for name in names}, code=0)
        self.assertEqual({event["task"]: event["text"] for event in of(events, "attempt.output")},
                         {name: f"I am {name}" for name in names})


if __name__ == "__main__":
    drive.main()
