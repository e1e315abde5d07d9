# SPDX-License-Identifier: Apache-2.0
"""Who gets a request, who waits, what a cancel does."""

import drive
from drive import of, task


class Limits(drive.Case):
    def at_once(self, count, finish=True, **config):
        """How many of `count` requests are out at the same time."""
        gate = self.path("gate")
        process = self.begin({f"t{n}": task("wait", {"file": gate}) for n in range(count)}, **config)
        room = config.get("pool_size", 1) * config.get("max_in_flight", 1)
        self.wait_for_trace("request", min(room, count))
        drive.until(lambda: len(self.seen("attempt.progress")) >= count - room, "those that wait")
        out = self.requests()
        self.touch("gate")
        ends = self.finish(process)
        self.assertEqual({end["outcome"] for end in ends.values()}, {"succeeded"})
        self.assertEqual(len(self.requests()), count)
        return out

    def test_pool_enforces_per_process_max_in_flight(self):
        out = self.at_once(7, pool_size=2, max_in_flight=2)
        self.assertEqual(len(out), 4)
        per_process = {}
        for note in out:
            per_process[note["pid"]] = per_process.get(note["pid"], 0) + 1
        self.assertEqual(sorted(per_process.values()), [2, 2])

    def test_the_default_is_one(self):
        self.assertEqual(len(self.at_once(3)), 1)

    def test_the_protocols_limit(self):
        self.assertEqual(len(self.at_once(70, max_in_flight=64)), 64)

    def test_those_that_wait_go_in_order(self):
        self.drive({f"t{n}": task("echo", {"n": n}) for n in range(40)}, code=0)
        self.assertEqual([note["params"]["n"] for note in self.requests()], list(range(40)))

    def test_waiting_costs_no_attempt(self):
        events, ends = self.drive({f"t{n}": task("echo") for n in range(30)}, code=0)
        self.assertEqual({end["attempts"] for end in ends.values()}, {1})
        self.assertIn("waits for a free RRQ runner, 0 before it", [event.get("text") for event in of(events, "attempt.progress")])

    def test_the_queue_has_an_end(self):
        gate = self.path("gate")
        process = self.begin({f"t{n}": task("wait", {"file": gate}) for n in range(5)}, queue=2)
        drive.until(lambda: len(self.seen("run.ended")) == 2, "two that find no room")
        self.touch("gate")
        ends = self.finish(process)
        self.assertEqual(sorted(end["outcome"] for end in ends.values()), ["failed"] * 2 + ["succeeded"] * 3)
        self.assertEqual({end["message"] for end in ends.values() if end["outcome"] == "failed"},
                         {"2 attempts wait for a runner already"})

    def test_queue_zero(self):
        gate = self.path("gate")
        process = self.begin({"a": task("wait", {"file": gate}), "b": task("wait", {"file": gate})}, queue=0)
        drive.until(lambda: len(self.seen("run.ended")) == 1, "the one that finds no room")
        self.touch("gate")
        self.assertEqual(sorted(end["outcome"] for end in self.finish(process).values()), ["failed", "succeeded"])

    def test_execute_with_timeout_includes_process_acquire_wait(self):
        gate = self.path("gate")
        process = self.begin({"first": task("wait", {"file": gate}), "second": task("echo", timeout="50ms")})
        drive.until(lambda: self.seen("run.ended", "second"), "the end of the second")
        self.touch("gate")
        ends = self.finish(process)
        self.assertEqual((ends["first"]["outcome"], ends["second"]["outcome"]), ("succeeded", "timed_out"))
        self.assertEqual(len(self.requests()), 1)

    def test_requests_are_spread_over_the_processes(self):
        """Also when each is done before the next comes."""
        gate = self.path("gate")
        process = self.begin({"all-up": {"command": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.01; done"]},
                              **{f"t{n}": task("pid", needs=[f"t{n - 1}" if n else "all-up"]) for n in range(6)}}, pool_size=3)
        self.wait_for_trace("open", 3)
        drive.until(lambda: self.health()[-1:] == ["up"], "the whole pool")
        self.touch("gate")
        self.finish(process)
        pids = [note["pid"] for note in self.requests()]
        self.assertEqual((len(set(pids)), pids[:3]), (3, pids[3:]))


class Cancel(drive.Case):
    def test_cancel_sends_cancel_message(self):
        _, ends = self.drive({"t": task("wait", {"file": "/nonexistent"}, timeout="100ms")}, code=1)
        cancel, request = self.trace("cancel"), self.requests()
        self.assertEqual(len(cancel), 1)
        self.assertEqual({key: cancel[0][key] for key in ("protocol_version", "job_id", "request_id", "hard_kill")},
                         {"protocol_version": "2", "job_id": "rrq-t-1", "request_id": request[0]["request_id"], "hard_kill": False})
        self.assertEqual(ends["t"]["outcome"], "timed_out")
        self.assertEqual(len(self.trace("start")), 1)  # its process lives on

    def test_a_confirmed_cancel_leaves_the_others_alone(self):
        gate = self.path("gate")
        process = self.begin({"slow": task("wait", {"file": "/nonexistent"}, timeout="100ms"), "other": task("wait", {"file": gate})},
                             max_in_flight=2)
        drive.until(lambda: self.seen("run.ended", "slow"), "the end of the slow one")
        self.touch("gate")
        self.assertEqual(self.finish(process)["other"]["outcome"], "succeeded")
        self.assertEqual(len(self.trace("start")), 1)

    def test_an_unconfirmed_cancel_keeps_its_place(self):
        """cancel_failure_preserves_in_flight, timeout_holds_permit_during_cleanup"""
        release = self.path("release")
        process = self.begin({"deaf": task("deaf", {"file": release}, timeout="50ms", stop={"grace": "60s"}), "next": task("echo")})
        self.wait_for_trace("deaf")
        self.assertEqual([note["function_name"] for note in self.requests()], ["deaf"])
        self.assertEqual(self.seen("run.ended"), [])
        self.touch("release")
        ends = self.finish(process)
        self.assertEqual((ends["deaf"]["outcome"], ends["next"]["outcome"]), ("timed_out", "succeeded"))
        self.assertEqual(len(self.trace("start")), 1)

    def test_who_has_not_confirmed_a_cancel_gets_nothing(self):
        release = self.path("release")
        tasks = {"deaf": task("deaf", {"file": release}, timeout="50ms", stop={"grace": "60s"}),
                 "wait": task("wait", {"file": self.path("gate")})}
        tasks.update({f"t{n}": task("pid") for n in range(8)})
        process = self.begin(tasks, pool_size=2, max_in_flight=2)
        self.wait_for_trace("deaf")
        stuck = self.trace("deaf")[0]["pid"]
        count = len(self.requests())
        self.touch("gate")
        drive.until(lambda: len(self.seen("run.ended")) == 9, "all others")
        self.assertEqual([note for note in self.requests()[count:] if note["pid"] == stuck], [])
        self.touch("release")
        self.finish(process)

    def test_a_process_that_ignores_a_cancel_is_killed(self):
        """timeout_recycles_process_without_cancel_hints"""
        _, ends = self.drive({"deaf": task("deaf", timeout="50ms", stop={"grace": "50ms"}, retries=1, backoff="1ms")}, code=1)
        self.assertEqual((ends["deaf"]["outcome"], ends["deaf"]["attempts"]), ("timed_out", 2))
        self.assertGreaterEqual(len({note["pid"] for note in self.requests()}), 2)
        self.all_gone()

    def test_shared_process_terminated_when_a_cancel_is_ignored(self):
        """The others in it fail, and it is said why."""
        process = self.begin({"deaf": task("deaf", timeout="100ms", stop={"grace": "50ms"}),
                              "innocent": task("wait", {"file": "/nonexistent"})}, max_in_flight=2)
        ends = self.finish(process)
        self.assertEqual((ends["deaf"]["outcome"], ends["innocent"]["outcome"]), ("timed_out", "failed"))
        self.assertIn("it was killed, because a request did not end when it was canceled", ends["innocent"]["message"])

    def test_a_success_beats_a_cancel(self):
        events, ends = self.drive({"polite": task("polite", timeout="50ms")})
        self.assertEqual(len(self.trace("cancel")), 1)
        self.assertNotEqual(ends["polite"]["outcome"], "lost")

    def test_cancel_while_it_waits(self):
        process = self.begin({"first": task("wait", {"file": "/nonexistent"}), "second": task("echo")})
        drive.until(lambda: self.seen("attempt.progress", "second"), "the second in the queue")
        process.send_signal(drive.paddock.SIGINT)
        ends = self.finish(process)
        self.assertEqual({end["outcome"] for end in ends.values()}, {"canceled"})
        self.assertEqual([note["function_name"] for note in self.requests()], ["wait"])
        self.assertEqual(len(self.trace("cancel")), 1)
        self.all_gone()

    def test_per_request_connections_cancel_on_another(self):
        """As runners before 0.10 need it: nobody reads the connection of a request that is being worked at."""
        for generation, protocol in (("0.9.9", 1), ("0.9.15", 2)):
            with self.subTest(generation):
                _, ends = self.drive({"t": task("wait", kwargs={"file": "/nonexistent"}, timeout="100ms") if protocol == 1 else
                                      task("wait", {"file": "/nonexistent"}, timeout="100ms")},
                                     "--generation", generation, protocol=protocol, multiplex=False)
                request, cancel = self.requests()[-1], self.trace("cancel")[-1]
                self.assertEqual(cancel["request_id"], request["request_id"])
                self.assertNotEqual(cancel["connection"], request["connection"])
                self.assertEqual(ends["t"]["outcome"], "timed_out")


if __name__ == "__main__":
    drive.main()
