# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the host at random points under load: nothing acknowledged is lost, nothing ends twice, nothing sticks."""

import collections
import os
import random
import sqlite3
import time
import unittest

from queue_host import Case, mark, until

ROUNDS = int(os.environ.get("QUEUE_KILLS", "12"))
JOBS_A_ROUND = 400
SECONDS_TO_RESTART = 5


class Kills(Case):
    def load(self, host, first, deadline):
        """Submit until the deadline, what by which message, and the number of the next job."""
        tags, tag = {}, first
        while time.monotonic() < deadline:
            for _ in range(20 if tag - first < JOBS_A_ROUND else 0):
                how = random.choice([{}, {}, {"for": "3ms"}, {"then": "failure"}])
                if tag % 50 == 0:
                    how = {"then": "retry"}
                spec = mark(tag, name=f"n{tag % 5}", backoff="10ms", retries=2, **{"with": how})
                tags[host.send("submit", spec=spec, topic=random.choice("abc"), priority=random.randint(-3, 3),
                               delay_seconds=random.choice([0, 0, 0, 0.05]), key=f"key-{tag}")] = tag
                tag += 1
            try:
                host.flush()
            except BrokenPipeError:
                break
            time.sleep(0.002)
        return tags, tag

    def test_random_kills(self):
        random.seed(os.environ.get("QUEUE_SEED"))
        accepted, tag = {}, 0
        for _ in range(ROUNDS):
            host = self.host(pending=random.choice([0, 10, 200]))
            tags, tag = self.load(host, tag, time.monotonic() + random.uniform(0.02, 0.6))
            host.kill()
            for sent, which in tags.items():
                answer = host.answers.get(sent)
                if answer and answer["rc"] == 0:
                    accepted[answer["value"]["job_id"]] = which
        self.assertGreater(len(accepted), 20)
        host = self.host()
        began = time.monotonic()
        host.ask("stats")
        self.assertLess(time.monotonic() - began, SECONDS_TO_RESTART)
        def done():
            for job in host.ask("list", limit=1000, state="delayed")["jobs"]:
                if job["snoozes"]:  # those would go on for ever
                    host.wait(host.send("cancel", job_id=job["job_id"]))
            totals = host.totals()
            return totals["ready"] + totals["running"] + totals["delayed"] == 0
        until(done, "the end of all")
        starts = collections.Counter(host.starts())
        self.assertEqual(host.stop(), 0)
        self.check(accepted, starts, host.path)

    def check(self, accepted, starts, path):
        db = sqlite3.connect(path)
        rows = {str(row[0]): row for row in db.execute(
            "SELECT id,input,outcome,attempts,rescues,snoozes,fence FROM ended")}
        self.assertEqual(db.execute("SELECT count(*) FROM job").fetchone()[0], 0)
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        lost = [job for job in accepted if job not in rows]
        self.assertEqual(lost, [], "acknowledged, and gone")
        inputs = collections.Counter(row[1] for row in rows.values())
        self.assertEqual([which for which, n in inputs.items() if n > 1], [], "one submission, two jobs")
        for job, (_, which, outcome, attempts, rescues, snoozes, fence) in rows.items():
            if job in accepted:
                self.assertEqual(int(which), accepted[job])
            # a claim whose host died may have started or not; every other claim started exactly once
            claims = attempts + rescues + snoozes
            self.assertLessEqual(starts[int(which)], claims + 1, f"job {job} started more often than it was claimed")
            self.assertGreaterEqual(starts[int(which)], attempts, f"job {job} has attempts that never started")
            self.assertIn(outcome, (0, 1, 3, 6), job)
        db.close()

    def test_a_job_that_kills_its_host_ends_among_the_dead(self):
        job = None
        for claim in range(1, 5):
            host = self.host()
            if not job:
                job = host.ask("submit", spec=mark("poison", **{"with": {"then": "hang"}}), max_attempts=9)["job_id"]
            until(lambda: len(host.starts()) == claim)
            host.kill()
        host = self.host()
        found = host.show(job)
        self.assertEqual((found["state"], found["outcome"], found["dead"]), ("ended", "lost", True))
        self.assertEqual((found["rescues"], found["attempts"]), (4, 0))
        self.assertEqual({claim["code"] for claim in found["claims"]}, {"host_gone"})


if __name__ == "__main__":
    unittest.main()
