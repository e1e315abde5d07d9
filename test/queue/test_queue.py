# SPDX-License-Identifier: Apache-2.0
"""The verbs of paddock.queue/1, and the life of jobs, in a real supervisor."""

import os
import sqlite3
import unittest

from queue_host import PATIENCE, Case, mark, until


class Verbs(Case):
    def test_a_job_runs_and_is_remembered(self):
        host = self.host()
        answer = host.ask("submit", spec=mark("one"), topic="mail", priority=3)
        self.assertFalse(answer["duplicate"])
        job = host.ended(answer["job_id"])
        self.assertEqual((job["outcome"], job["topic"], job["priority"], job["attempts"]), ("succeeded", "mail", 3, 1))
        self.assertEqual(job["input"], "one")
        self.assertRegex(job["run_id"], "^mark-job-")
        self.assertRegex(job["ended_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(host.starts(), ["one"])
        self.assertEqual(host.stop(), 0)

    def test_what_cannot_run_is_refused_with_its_place(self):
        host = self.host()
        for params, error, at in [
            ({"spec": {"name": "a", "kind": "mrk"}}, "no kind that this source may name", ""),
            ({"spec": mark("x", with_={"a": 1})}, "with_", ""),
            ({"spec": mark("x", restart="always")}, "never ends", ""),
            ({"spec": mark("x", retries=2, restart="never")}, "restart: never contradicts retries", "/restart"),
            ({"spec": mark("x", backoff={"frist": "1s"})}, "'backoff' has no 'frist'", "/frist"),
            ({"spec": mark("x"), "topic": "a b"}, "letters", "/params/topic"),
            ({"spec": mark("x"), "priority": 101}, "-100 to 100", "/params/priority"),
            ({"spec": mark("x"), "delay_seconds": -1}, "seconds", "/params/delay_seconds"),
            ({"spec": mark("x"), "unique": {"key": "a", "mode": "kep"}}, "keep, replace or debounce", "/mode"),
            ({"spec": mark("x"), "unique": {"mode": "keep"}}, "wants a key", "/params/unique"),
            ({"spec": mark("x"), "max_attempts": 0}, "1 to 1000", "/params/max_attempts"),
            ({"spec": "x"}, "a map", "/params/spec"),
            ({"specs": 1}, "it takes spec, topic", "/params/specs"),
            ({}, "'spec' is missing", ""),
        ]:
            with self.subTest(params=params):
                rc, said, place = host.refused("submit", **params)
                self.assertEqual(rc, -22)
                self.assertIn(error, said)
                self.assertIn(at, place)
        self.assertEqual(host.refused("show", job_id="x")[0], -22)
        self.assertEqual(host.refused("show", job_id="77")[0], -2)
        self.assertEqual(host.refused("fly")[0], -95)
        for state in ([], "", "nope", ["ready", "nope"], ["ready", 1], [["ready"]]):
            rc, said, _ = host.refused("list", state=state)
            self.assertEqual((rc, said), (-22, "'state' wants delayed, ready, running or ended"))
        self.assertEqual(host.totals()["dead"], 0)

    def test_retries_are_durable_and_end_among_the_dead(self):
        host = self.host()
        spec = mark("x", retries=2, backoff="5ms", **{"with": {"then": "failure"}})
        job = host.ended(host.ask("submit", spec=spec)["job_id"])
        self.assertEqual((job["outcome"], job["attempts"], job["dead"], job["exit_code"]), ("failed", 3, True, 7))
        self.assertEqual([claim["fate"] for claim in job["claims"]], ["retried", "retried"])
        self.assertEqual(host.starts(), ["x"] * 3)
        dead = host.ask("dead")["jobs"]
        self.assertEqual([found["job_id"] for found in dead], [job["job_id"]])
        self.assertEqual(host.ask("replay", job_id=job["job_id"])["count"], 1)
        until(lambda: len(host.starts()) == 6)
        job = host.ended(job["job_id"])
        self.assertEqual(len(job["claims"]), 4)
        again = host.ask("retry", job_id=job["job_id"])
        self.assertNotEqual(again["job_id"], job["job_id"])
        host.ended(again["job_id"])
        self.assertEqual(host.ask("purge", topic="default", before=0)["count"], 0)
        self.assertEqual(host.ask("purge", topic="default")["count"], 2)
        self.assertEqual(host.refused("show", job_id=job["job_id"])[0], -2)

    def test_fatal_is_not_tried_again(self):
        host = self.host()
        job = host.ended(host.ask("submit", spec=mark("x", **{"with": {"then": "fatal"}}), max_attempts=5)["job_id"])
        self.assertEqual((job["outcome"], job["attempts"], job["dead"]), ("fatal", 1, True))

    def test_snoozes_are_counted_apart(self):
        host = self.host()
        job = host.ask("submit", spec=mark("x", **{"with": {"then": "retry"}}))["job_id"]
        until(lambda: host.show(job)["snoozes"] >= 3)
        self.assertEqual(host.show(job)["attempts"], 0)
        until(lambda: host.show(job)["state"] == "delayed")
        host.wait(host.send("cancel", job_id=job))
        self.assertEqual(host.ended(job)["outcome"], "canceled")

    def test_cancel_reaches_what_waits_and_what_runs(self):
        host = self.host()
        hangs = host.ask("submit", spec=mark("h", **{"with": {"then": "hang"}}), max_attempts=3)["job_id"]
        waits = host.ask("submit", spec=mark("w"), delay_seconds=1000)["job_id"]
        until(lambda: host.starts() == ["h"])
        self.assertEqual(host.ask("cancel", job_id=waits, reason="no need")["message"], "no need")
        host.ask("cancel", job_id=hangs)
        self.assertEqual(host.ended(hangs)["outcome"], "canceled")
        self.assertEqual(host.refused("cancel", job_id=hangs)[0], -16)
        self.assertEqual(host.totals()["dead"], 0)

    def test_a_topic_is_paused_limited_and_resumed(self):
        host = self.host({"topics": {"slow": {"limit": 2}}})
        hang = {"with": {"then": "hang"}}
        jobs = [host.ask("submit", spec=mark(i, **hang), topic="slow")["job_id"] for i in range(4)]
        until(lambda: len(host.starts()) == 2)
        self.assertEqual(host.ask("pause", topic="slow")["paused"], True)
        host.ask("cancel", job_id=jobs[0])
        host.ended(jobs[0])
        self.assertEqual(len(host.starts()), 2)
        self.assertEqual(host.ask("resume", topic="slow")["limit"], 2)
        until(lambda: len(host.starts()) == 3)
        self.assertEqual(host.ask("limit", topic="slow", running=0)["ready"], 1)
        until(lambda: len(host.starts()) == 4)

    def test_keys(self):
        host = self.host()
        first = host.ask("submit", spec=mark("x"), delay_seconds=1000, key="k", unique={"key": "u"})
        again = host.ask("submit", spec=mark("y"), key="k")
        self.assertEqual((again["job_id"], again["duplicate"], again["state"]), (first["job_id"], True, "delayed"))
        kept = host.ask("submit", spec=mark("y"), unique={"key": "u"})
        self.assertEqual((kept["job_id"], kept["duplicate"]), (first["job_id"], True))
        host.ask("submit", spec=mark("z"), unique={"key": "u", "mode": "debounce"}, delay_seconds=0.01)
        self.assertEqual(host.ended(first["job_id"])["input"], "z")
        self.assertEqual(host.starts(), ["z"])

    def test_delays_are_kept_and_priorities_count(self):
        host = self.host(pending=1)
        end = os.path.join(self.folder, "end")
        host.ask("submit", spec=mark("first", **{"with": {"until": end}}))
        for tag, priority in [("low", -5), ("high", 5), ("middle", 0)]:
            host.send("submit", spec=mark(tag), priority=priority)
        later = host.ask("submit", spec=mark("later"), delay_seconds=0.3, priority=100)["job_id"]
        os.mkdir(end)
        host.idle()
        starts = host.starts()
        self.assertEqual([tag for tag in starts if tag != "later"], ["first", "high", "middle", "low"])
        later = host.show(later)
        self.assertLess(later["submitted_at"], later["due_at"])
        self.assertLessEqual(later["due_at"], later["started_at"])

    def test_a_list_goes_on(self):
        host = self.host()
        for i in range(25):
            host.send("submit", spec=mark(i), delay_seconds=0 if i % 2 else 1000)
        until(lambda: host.totals()["delayed"] == 13 and not host.totals()["running"] + host.totals()["ready"])
        page, seen = host.ask("list", limit=10), []
        while True:
            seen += [job["job_id"] for job in page["jobs"]]
            if "next" not in page:
                break
            page = host.ask("list", limit=10, after=page["next"])
        self.assertEqual(len(seen), 25)
        self.assertEqual(len(set(seen)), 25)
        self.assertEqual(len(host.ask("list", state="delayed")["jobs"]), 13)
        self.assertEqual(len(host.ask("list", state=["ended"])["jobs"]), 12)
        self.assertEqual(len(host.ask("list", state=["delayed", "ended"])["jobs"]), 25)
        self.assertEqual(len(host.ask("list", state=["delayed", "ended"], outcome=["failed", "succeeded"])["jobs"]), 12)
        self.assertEqual(len(host.ask("list", outcome=["failed", "lost"])["jobs"]), 0)
        self.assertEqual(len(host.ask("list", outcome="succeeded", task="job")["jobs"]), 12)


class Stops(Case):
    def test_what_runs_at_the_end_is_handed_back_uncounted(self):
        host = self.host()
        job = host.ask("submit", spec=mark("x", **{"with": {"then": "hang"}}), max_attempts=1)["job_id"]
        until(lambda: host.starts() == ["x"])
        self.assertEqual(host.stop(), 0)
        host = self.host(pending=1)
        until(lambda: host.starts() == ["x", "x"])
        found = host.show(job)
        self.assertEqual((found["attempts"], found["rescues"], found["snoozes"]), (0, 0, 0))

    def test_what_is_claimed_as_it_stops_is_handed_back_uncounted(self):
        """The end of stdin comes while the writer is busy with the claim of what was just submitted."""
        for tag in range(15):
            host = self.host()
            host.idle()  # what the last one handed back has run
            host.send("submit", spec=mark(tag))
            self.assertEqual(host.stop(), 0)
            with sqlite3.connect(host.path) as db:
                self.assertEqual(db.execute("SELECT id FROM job WHERE state=2 OR rescues>0").fetchall(), [], tag)
            db.close()

    def test_two_hosts_are_told_apart(self):
        first = self.host()
        first.ask("stats")
        second = self.host()
        line = self.until_logged(second, "has it")
        self.assertIn(f"{first.path}: process {first.process.pid} has it", line)
        self.assertEqual(second.refused("submit", spec=mark("x"))[0], -16)
        first.ask("submit", spec=mark("y"))
        first.kill()
        until(lambda: second.wait(second.send("submit", spec=mark("x")))["rc"] == 0, "the second in its place")

    def test_a_limit_below_none_is_refused(self):
        host = self.host({"topics": {"a": {"limit": -1}}})
        self.assertEqual(host.process.wait(PATIENCE), 2)
        host.finish()
        self.assertIn("'limit' wants 0 to 1000000", "\n".join(host.log))

    def test_settings_of_topics_survive(self):
        host = self.host()
        host.ask("pause", topic="a")
        host.ask("limit", topic="a", running=7)
        host.kill()
        host = self.host({"topics": {"b": {"paused": True}}})
        topics = {topic["topic"]: topic for topic in host.ask("stats")["topics"]}
        self.assertEqual((topics["a"]["paused"], topics["a"]["limit"]), (True, 7))
        self.assertTrue(topics["b"]["paused"])


if __name__ == "__main__":
    unittest.main()
