#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
kill -9 of a whole server at random points under load, again and again, and then a look at what came of it.

Jobs are real processes, submitted over the UNIX socket by clients that ask again under the same key when they got no answer.
Each job takes a lock that all it started hold, too, so that one that runs twice at the same time is found out.

    kill.py --kills 25 [--seed 7]

Promised, and looked at here: no acknowledged job is lost; no job's end is recorded twice, or changes; a server that starts
again has everything going within 5 seconds; nothing that a dead server started runs beside what a new one starts; nothing is
left when all is done.
"""

import argparse
import collections
import os
import random
import sqlite3
import sys
import threading
import time

import daemon

OUTSTANDING = 60  # jobs that have not ended, at which clients wait
# Some jobs are out at a hundred deaths that they are not to blame for, which in life would be suspicious.
CONFIG = """tasks: {}
limits: {running: 16}
server: {log: warn}
sources: [{use: queue, kinds: [subprocess], config: {max_rescues: 1000000}}]
"""
STUCK = 5.0       # seconds after a start within which jobs end, and go on to
CLIENTS = 2

JOB = """exec 9>>locks/$1; flock -n 9 || echo $1 >>doubled; echo $1 >>starts
case $3 in
  plain) sleep $2 ;;
  child) sleep $2 & wait ;;
  left) sleep $2 & setsid sleep 1000 & sleep $2 ;;
esac
exit $4"""


class Load:
    """Clients that submit, and know what was acknowledged."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.lock, self.pause = threading.Lock(), threading.Event()
        self.next, self.accepted, self.again = 0, {}, []  # accepted: {job_id: tag}
        self.done, self.answers = False, collections.Counter()
        self.threads = [threading.Thread(target=self.work) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def job(self, tag):
        chance = random.Random(tag * 7919 + 1)
        how = chance.choices(["plain", "child", "left"], [6, 3, 1])[0]
        seconds = chance.choice(["0", "0", "0.01", "0.05", "0.1", "0.3"])
        code = chance.choices([0, 1], [9, 1])[0]
        return dict(command=["sh", "-c", JOB, "job", str(tag), seconds, how, str(code)], name=f"n{tag % 5}",
                    spec={"retries": 1, "backoff": "10ms", "cwd": self.server.folder}, key=f"key-{tag}", topic=chance.choice("abc"),
                    priority=chance.randint(-2, 2))

    def take(self):
        with self.lock:
            if self.again:
                return self.again.pop()
            self.next += 1
            return self.next - 1

    def work(self):
        connection = self.server.connect(5)
        while not self.done:
            if self.pause.is_set():
                time.sleep(0.01)
                continue
            tag = self.take()
            try:
                status, got = self.server.submit(connection=connection, **self.job(tag))
                self.answers[status] += 1
                if status not in (200, 201):
                    raise OSError(f"{status}: {got}")
                with self.lock:
                    self.accepted[got["job_id"]] = tag
                if sum(self.server.totals(connection)[s] for s in ("delayed", "ready", "running")) > OUTSTANDING:
                    time.sleep(0.05)
            except (OSError, daemon.http.client.HTTPException, ValueError, AssertionError):
                if tag not in self.accepted.values():
                    with self.lock:
                        self.again.append(tag)
                connection.close()
                connection = self.server.connect(5)
                time.sleep(0.01)
        connection.close()

    def end(self):
        self.done = True
        for thread in self.threads:
            thread.join()


class Trial:
    def __init__(self, kills, seed):
        self.kills, self.random = kills, random.Random(seed)
        self.server = daemon.Daemon(CONFIG)
        os.mkdir(os.path.join(self.server.folder, "locks"))
        self.faults, self.ready, self.settled, self.ends = [], [], [], {}
        self.early = self.leftovers = self.stuck = 0

    def fault(self, text):
        self.faults.append(text)
        print("FAULT:", text, flush=True)

    def look_for_strangers(self):
        """Nothing of a former server may live once a new one is ready."""
        mine = self.server.env["PADDOCK_TEST_START"]
        for pid, env in self.server.processes().items():
            if env.get("PADDOCK_TEST_START", mine) != mine:
                self.leftovers += 1
                self.fault(f"process {pid} of a former server lives on beside a new one: "
                           f"job {env.get('PADDOCK_RUN_ID')}")

    def start(self):
        began = time.monotonic()
        self.server.start()
        self.ready.append(time.monotonic() - began)
        self.look_for_strangers()

    def settle(self, began, load):
        """Everything that was there ends, and nothing is stuck."""
        load.pause.set()
        left, since = None, began
        while left != 0:
            totals, now = self.server.totals(), time.monotonic()
            before, left = left, sum(totals[state] for state in ("delayed", "ready", "running"))
            self.stuck = max(self.stuck, now - since)
            if left != before and before is not None:
                since = now
            if now - since > 60:
                self.fault(f"{left} jobs never end")
                break
            time.sleep(0.01)
        self.settled.append(time.monotonic() - began)
        if self.stuck > STUCK:
            self.fault(f"for {self.stuck:.1f} s after a restart no job ended, and {left} waited")
        self.watch_ends()
        load.pause.clear()

    def watch_ends(self):
        """An end that was seen once never changes."""
        after = ""
        while True:
            page = self.server.get(f"/v1/jobs?state=ended&limit=1000{after}")
            for job in page["jobs"]:
                end = (job["outcome"], job["ended_at"], job["attempts"], job.get("exit_code"))
                if self.ends.setdefault(job["job_id"], end) != end:
                    self.fault(f"job {job['job_id']} ended twice: {self.ends[job['job_id']]}, {end}")
            if not page.get("next"):
                return
            after = f"&after={page['next']}"

    def run(self):
        load = Load(self.server, self.random.random())
        try:
            for n in range(self.kills):
                if self.random.random() < 0.1:  # before it is ready
                    self.server.spawn()
                    time.sleep(self.random.uniform(0, 0.05))
                    self.server.kill()
                    os.close(self.server.ready)
                    self.early += 1
                    continue
                began = time.monotonic()
                self.start()
                if n % 25 == 24:
                    self.settle(began, load)
                time.sleep(self.random.uniform(0.01, 0.5))
                self.server.kill()
            began = time.monotonic()
            self.start()
            load.pause.set()
            self.settle(began, load)
        finally:
            load.end()
        if load.again:  # never acknowledged in all that time: now they are
            for tag in load.again:
                _, got = self.server.submit(**load.job(tag))
                load.accepted[got["job_id"]] = tag
            self.settle(time.monotonic(), load)
        self.server.stop()
        self.nothing_is_left()
        self.check(load)
        return load

    def nothing_is_left(self):
        left = self.server.processes()
        if left:
            self.fault(f"{len(left)} processes are left: {sorted(left)}")

    def check(self, load):
        starts = collections.Counter(int(line) for line in self.server.read("starts").split())
        for tag in self.server.read("doubled").split():
            self.fault(f"job {tag} ran twice at the same time")
        db = sqlite3.connect(self.server.database)
        if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            self.fault("the file is damaged")
        rows = {str(row[0]): row[1:] for row in db.execute(
            "SELECT id,spec,outcome,attempts,rescues,snoozes,dead FROM ended")}
        for (job,) in db.execute("SELECT id FROM job"):
            self.fault(f"job {job} has not ended")
        rescued = db.execute("SELECT count(*) FROM attempt WHERE fate=3").fetchone()[0]
        db.close()
        if len(load.accepted) < self.kills:
            self.fault(f"only {len(load.accepted)} jobs were acknowledged: that was no load")
        for job, tag in load.accepted.items():
            if job not in rows:
                self.fault(f"job {job} was acknowledged, and is lost")
        tags = collections.Counter(tag for tag in load.accepted.values())
        for tag, count in tags.items():
            if count > 1:
                self.fault(f"submission {tag} became {count} jobs")
        if len(rows) != len(load.accepted):
            self.fault(f"{len(load.accepted)} jobs were acknowledged, {len(rows)} have ended")
        for job, (_, outcome, attempts, rescues, snoozes, dead) in rows.items():
            tag = load.accepted.get(job)
            if tag is None:
                continue
            if starts[tag] > attempts + rescues + snoozes + 1:
                self.fault(f"job {job} started {starts[tag]} times, and was claimed less often")
            if starts[tag] < 1:
                self.fault(f"job {job} ended and never started")
            wanted = int(load.job(tag)["command"][-1]) == 0
            if (outcome == 0) != wanted:
                self.fault(f"job {job}: outcome {outcome}")
        self.figures = dict(jobs=len(rows), starts=sum(starts.values()), rescued=rescued)


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--kills", type=int, default=int(os.environ.get("PADDOCK_KILLS", "25")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PADDOCK_SEED", random.randrange(1 << 32))))
    options = parser.parse_args()
    print(f"{options.kills} kills, seed {options.seed}", flush=True)
    trial, began = Trial(options.kills, options.seed), time.monotonic()
    try:
        trial.run()
        figures = trial.figures
        ready = sorted(trial.ready)
        print(f"{figures['jobs']} jobs acknowledged, each ended once; {figures['starts']} starts, {figures['rescued']} "
              f"rescues; "
              f"{trial.early} kills before it was ready")
        print(f"start to ready: p50 {ready[len(ready) // 2] * 1000:.0f} ms, most {ready[-1] * 1000:.0f} ms; start until all had "
              f"ended: most {max(trial.settled):.2f} s, and without any end: most {trial.stuck:.2f} s; "
              f"{time.monotonic() - began:.0f} s in all")
    finally:
        if trial.faults:
            print(trial.server.read("log")[-3000:])
        trial.server.remove()
    print(f"{len(trial.faults)} faults")
    return 1 if trial.faults else 0


if __name__ == "__main__":
    sys.exit(main())
