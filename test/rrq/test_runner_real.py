# SPDX-License-Identifier: Apache-2.0
"""The real Python runner of RRQ, in a release of each generation, from PyPI."""

import os
import subprocess
import sys

import drive
from drive import of, task

STORE = os.environ.get("RRQ_PACKAGES", os.path.join(drive.paddock.tempfile.gettempdir(), "rrq-packages"))
OLD, EACH = {"protocol": 1}, {"multiplex": False}
RELEASES = {"0.9.9": OLD, "0.9.14": EACH, "0.9.20": EACH, "0.11.1": {}}

HANDLERS = '''
import asyncio, os
from rrq.exc import RetryJob
from rrq.registry import Registry
from rrq.runner_settings import PythonRunnerSettings

def given(request):
    return request.params if hasattr(request, "params") else {**request.kwargs, **({"args": request.args} if request.args else {})}

async def echo(request):
    return given(request)

async def context(request):
    c = request.context
    return {"attempt": c.attempt, "queue": c.queue_name, "late": c.deadline is None, "worker": c.worker_id}

async def boom(request):
    raise ValueError("boom: gamma")

async def retry(request):
    raise RetryJob("later", defer_seconds=0.2)

async def forever(request):
    print("begun", flush=True)
    await asyncio.sleep(1000)

async def crash(request):
    os._exit(9)

registry = Registry()
for name, handler in list(globals().items()):
    if asyncio.iscoroutinefunction(handler):
        registry.register(name, handler)
settings = PythonRunnerSettings(registry=registry)
'''


def install(release):
    """Is it there, or can it be had?"""
    folder = os.path.join(STORE, release)
    if not os.path.exists(os.path.join(folder, "complete")):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, f"rrq=={release}"]
        if subprocess.run(pip, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=150).returncode:
            return False
        open(os.path.join(folder, "complete"), "w").close()
    return True


class Real(drive.Case):
    def each(self, check):
        self.write("handlers.py", HANDLERS)
        for release, config in RELEASES.items():
            folder = os.path.join(STORE, release)
            with self.subTest(release):
                check(**{"command": [sys.executable, os.path.join(folder, "bin", "rrq-runner"), "--settings", "handlers.settings"],
                         "env": {"PYTHONPATH": folder + ":" + self.folder}, "max_in_flight": 4, "probe": True, **config})

    def test_outcomes(self):
        def check(**config):
            events, ends = self.drive({
                "echo": task("echo", {"x": [1, {"y": None}]}), "context": task("context", timeout="30s"), "boom": task("boom"),
                "missing": task("nope"), "retry": task("retry", retries=1)}, **config)
            said = {name: (end["outcome"], end["attempts"], end.get("reason"), end.get("message")) for name, end in ends.items()}
            self.assertEqual(said, {
                "echo": ("succeeded", 1, None, None), "context": ("succeeded", 1, None, None),
                "boom": ("failed", 1, None, "boom: gamma"),
                "missing": ("fatal", 1, "handler_not_found", "No handler registered for function 'nope'"),
                "retry": ("failed", 2, "retry", "gave up after 1 of 1 retries: later")}, self.stderr)
            self.assertEqual([event["delay_seconds"] for event in of(events, "attempt.backoff", "retry")], [0.2])
        self.each(check)

    def test_cancel(self):
        """It is confirmed, so its process lives on for the next."""
        def check(**config):
            _, ends = self.drive({"slow": task("forever", timeout="300ms"), "next": task("echo", after=["slow"])}, **config)
            self.assertEqual((ends["slow"]["outcome"], ends["next"]["outcome"]), ("timed_out", "succeeded"))
            self.assertNotIn("killed", self.stderr)
        self.each(check)

    def test_crash(self):
        def check(**config):
            _, ends = self.drive({"crash": task("crash", retries=1, backoff="1ms")}, **config)
            self.assertEqual((ends["crash"]["outcome"], ends["crash"]["attempts"]), ("failed", 2))
        self.each(check)

    def test_many(self):
        def check(**config):
            self.drive({f"t{n}": task("echo", {"n": n}) for n in range(200)}, code=0, **{**config, "max_in_flight": 64, "pool_size": 2})
        self.each(check)

    def test_external(self):
        """One that somebody else has started."""
        port = drive.free_port()
        def check(**config):
            env = {**self.env, **config["env"], "RRQ_RUNNER_TCP_SOCKET": f"127.0.0.1:{port}"}
            runner = subprocess.Popen([*config["command"], "--tcp-socket", f"127.0.0.1:{port}"], env=env, cwd=self.folder)
            self.started.append(runner)
            del config["command"], config["env"]
            self.drive({"t": task("echo", {"n": 1})}, code=0, external=f"127.0.0.1:{port}", **config)
            runner.kill()
            runner.wait()
        self.each(check)


if __name__ == "__main__":
    if not all(install(release) for release in RELEASES):
        print("SKIPPED: the package rrq of PyPI cannot be installed; no real runner was driven")
        sys.exit(77)
    drive.main()
