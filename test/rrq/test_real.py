# SPDX-License-Identifier: Apache-2.0
"""The published orchestrator with a real Redis, driving `paddock rrq`: as its child, and from outside.

Its package comes from PyPI into a venv of the build; where that cannot be had, this test is skipped and says so.
"""

import json
import os
import shutil
import socket
import subprocess
import sys

import orchestrator
import paddock
from paddock import is_alive, until

TASKS = """
tasks:
  echo: {kind: echo}
  fail: {command: [sh, -c, 'echo boom >&2; exit 1']}
  give-up: {command: [sh, -c, 'exit 4'], exit: {fatal: 4}}
  retry-once: {command: [sh, -c, 'test -e retried || { touch retried; exit 75; }'], exit: {retry: 75}}
  hang: {command: [sh, -c, 'echo $$ >> hang; exec sleep 100']}
  slow: {kind: sleep, with: {for: 1s}}
"""

CONFIG = """
[rrq]
redis_dsn = "redis://127.0.0.1:{redis}/0"
default_runner_name = "paddock"
default_poll_delay_seconds = 0.02
base_retry_delay_seconds = 0.1
max_retry_delay_seconds = 0.2
runner_enable_inflight_cancel_hints = true
runner_management_mode = "{mode}"
[rrq.runners.paddock]
type = "socket"
cmd = [{command}]
cwd = "{folder}"
pool_size = {pool}
max_in_flight = {depth}
tcp_host = "127.0.0.1"
tcp_port = {port}
"""

PRODUCER = """
import asyncio, json, sys
from rrq.client import RRQClient
async def main():
    client = RRQClient(config_path=sys.argv[1])
    print(json.dumps([await client.enqueue(function, options) for function, options in json.load(sys.stdin)]))
    await client.close()
asyncio.run(main())
"""


class Redis:
    """As much of a client as looking at jobs takes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=paddock.PATIENCE)
        self.file = self.socket.makefile("rwb")

    def close(self):
        self.file.close()
        self.socket.close()

    def read(self):
        line = self.file.readline()[:-2]
        sort, rest = line[:1], line[1:]
        if sort == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if sort == b"*":
            return [self.read() for _ in range(int(rest))]
        assert sort != b"-", rest
        return rest.decode()

    def __call__(self, *words):
        parts = [str(word).encode() for word in words]
        self.file.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        self.file.flush()
        return self.read()


class Real(orchestrator.Case):
    def setUp(self):
        super().setUp()
        self.redis_port = orchestrator.free_port()
        server = subprocess.Popen(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
                                  stdout=subprocess.DEVNULL)
        self.started.append(server)

        def connects():
            try:
                return Redis(self.redis_port)
            except ConnectionRefusedError:
                return None
        self.redis = until(connects, "redis")
        self.addCleanup(self.redis.close)
        self.write("tasks.yaml", TASKS)

    def configure(self, mode="managed", pool=1, depth=64):
        self.port = orchestrator.free_port()
        command = ", ".join(f'"{word}"' for word in (paddock.PROGRAM, "rrq", "--config", "tasks.yaml"))
        self.write("rrq.toml", CONFIG.format(redis=self.redis_port, folder=self.folder, port=self.port, mode=mode, pool=pool, depth=depth,
                                             command=command))

    def worker(self):
        with open(self.path("worker"), "ab") as out:
            worker = subprocess.Popen([f"{VENV}/bin/rrq", "worker", "run", "--config", "rrq.toml"], cwd=self.folder, env=self.env,
                                      stdout=out, stderr=out)
        self.started.append(worker)
        return worker

    def enqueue(self, *jobs):
        made = subprocess.run([f"{VENV}/bin/python", "-c", PRODUCER, "rrq.toml"], cwd=self.folder, env=self.env, text=True,
                              input=json.dumps([[function, options] for function, options in jobs]), capture_output=True,
                              timeout=paddock.PATIENCE)
        self.assertEqual(made.returncode, 0, made.stderr)
        return json.loads(made.stdout)

    def job(self, job_id):
        flat = self.redis("HGETALL", f"rrq:job:{job_id}")
        return dict(zip(flat[::2], flat[1::2]))

    def ended(self, job_id):
        try:
            return until(lambda: self.job(job_id).get("status") in ("COMPLETED", "FAILED") and self.job(job_id), "the end of a job")
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{self.job(job_id)}\n{self.read('worker')}") from None

    def assert_job(self, job_id, status, retries, dead=False, **more):
        job = self.ended(job_id)
        got = (job["status"], int(job["current_retries"]), job_id in self.redis("LRANGE", "rrq:dlq:default", 0, -1))
        self.assertEqual(got, (status, retries, dead), (job, self.read("worker")))
        for key, value in more.items():
            self.assertEqual(job[key], value)
        return job

    def life(self):
        """The golden cases of its own tests."""
        jobs = self.enqueue(("echo", {"params": {"word": "grüße"}}), ("fail", {"max_retries": 2}), ("missing", {}), ("give-up", {}),
                            ("retry-once", {}), ("hang", {"job_timeout_seconds": 1}))
        self.assert_job(jobs[0], "COMPLETED", 0, result='{"word":"grüße"}')
        self.assertIn("exit", self.assert_job(jobs[1], "FAILED", 2, True)["last_error"])
        self.assert_job(jobs[2], "FAILED", 1, True, last_error="No handler registered for function 'missing'")
        self.assert_job(jobs[3], "FAILED", 1, True)
        self.assert_job(jobs[4], "COMPLETED", 1)
        self.assertIn("timed out", self.assert_job(jobs[5], "FAILED", 1, True)["last_error"])
        until(lambda: not any(is_alive(int(pid)) for pid in self.read("hang").split()), "the end of what hung")

    def many(self, count):
        jobs = self.enqueue(*(("echo", {"params": {"n": n}}) for n in range(count)))
        for n, job in enumerate(jobs):
            self.assert_job(job, "COMPLETED", 0, result='{"n":%d}' % n)

    def stop_worker(self, worker):
        worker.terminate()
        worker.wait(timeout=paddock.PATIENCE)

    def test_as_its_child(self):
        self.configure()
        worker = self.worker()
        self.life()
        self.many(300)
        self.stop_worker(worker)
        until(lambda: not self.listens(), "the end of the runner")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def test_a_pool_of_children(self):
        self.configure(pool=2, depth=4)
        worker = self.worker()
        self.many(100)
        self.stop_worker(worker)

    def test_from_outside(self):
        self.configure(mode="external")
        self.process = self.start("rrq", "--config", "tasks.yaml", "--tcp-socket", f"127.0.0.1:{self.port}", stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        worker = self.worker()
        self.life()
        self.many(100)
        self.stop_worker(worker)
        self.assertEqual(self.connect().call("echo", {"still": "here"})["status"], "success")

    def test_a_runner_that_ends_is_started_again(self):
        self.configure()
        worker = self.worker()
        self.many(5)
        [pid] = self.runners()
        os.kill(pid, paddock.SIGKILL)
        self.many(5)
        self.assertNotEqual(self.runners(), [pid])
        self.stop_worker(worker)

    def test_what_runs_when_the_worker_ends_is_not_lost(self):
        self.configure()
        worker = self.worker()
        [job] = self.enqueue(("slow", {}))
        until(lambda: self.job(job).get("status") == "ACTIVE", "its start")
        self.stop_worker(worker)
        if self.job(job)["status"] != "COMPLETED":
            worker = self.worker()
            self.ended(job)
            self.stop_worker(worker)
        self.assertEqual(self.job(job)["status"], "COMPLETED")

    def test_the_example(self):
        for name in ("tasks.yaml", "rrq.toml"):
            shutil.copy(os.path.join(paddock.EXAMPLES, "rrq", name), self.folder)
        os.symlink(os.path.join(os.path.dirname(paddock.PROGRAM), "../examples/handler.so"), self.path("handler.so"))
        self.port = orchestrator.free_port()
        config = self.read("rrq.toml").replace("tcp_port = 9000", f"tcp_port = {self.port}")
        self.write("rrq.toml", config.replace("127.0.0.1:6379", f"127.0.0.1:{self.redis_port}"))
        self.env["PATH"] = os.path.dirname(paddock.PROGRAM) + ":" + self.env["PATH"]
        worker = self.worker()
        jobs = self.enqueue(("add", {"params": {"a": 2, "b": 3}}), ("count-words", {"params": {"text": "a b c"}}), ("echo", {}),
                            ("add", {"params": {"a": "x"}}))
        self.assert_job(jobs[0], "COMPLETED", 0, result="5")
        self.assert_job(jobs[1], "COMPLETED", 0, result='{"words":3}')
        self.assert_job(jobs[2], "FAILED", 1, True)
        self.assert_job(jobs[3], "FAILED", 1, True)
        self.stop_worker(worker)

    def runners(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as file:
                    words = file.read().split("\0")
            except OSError:
                continue
            if words[0] == paddock.PROGRAM and f"127.0.0.1:{self.port}" in words and is_alive(int(pid)):
                found.append(int(pid))
        return found


if __name__ == "__main__":
    if not shutil.which("redis-server"):
        print("SKIPPED: there is no redis-server (Debian: redis-server); nothing was tested against the real RRQ")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    VENV = orchestrator.python_rrq()
    if not VENV:
        print("SKIPPED: the package rrq of PyPI cannot be installed; nothing was tested against the real RRQ")
        sys.exit(77)
    orchestrator.main()
