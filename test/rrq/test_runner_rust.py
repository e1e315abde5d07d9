# SPDX-License-Identifier: Apache-2.0
"""The real Rust runtime of RRQ, from crates.io: handlers of rust/src/main.rs, which cargo builds in the folder of the build."""

import json
import os
import shutil
import subprocess
import sys

import drive
from drive import of, task

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rust")
STORE = os.path.join(os.environ.get("RRQ_PACKAGES", os.path.join(drive.paddock.tempfile.gettempdir(), "rrq-packages")), "rust")
RUNNER = os.path.join(STORE, "target", "debug", "paddock-test-runner")
BUILD_SECONDS = 420


def cargo(*arguments):
    try:
        built = subprocess.run(["cargo", "build", "--quiet", *arguments], cwd=STORE, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=BUILD_SECONDS, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return str(error)
    return built.returncode and (built.stderr.decode(errors="replace").strip() or f"exit code {built.returncode}")


def install():
    """None, or why there is no runner. A copy is built, so that nothing of it is among the sources."""
    shutil.copytree(SOURCE, STORE, dirs_exist_ok=True)
    fault = cargo("--offline")  # what was built before needs nobody
    return cargo() if fault else None


class Rust(drive.Case):
    def run_all(self, tasks, code=None, **config):
        return self.drive(tasks, code=code, **{"command": [RUNNER], "max_in_flight": 4, "probe": True, **config})

    def test_outcomes(self):
        events, ends = self.run_all({
            "echo": task("echo", {"x": [1, {"y": None}]}), "boom": task("boom"), "missing": task("nope"), "retry": task("retry", retries=1)})
        said = {name: (end["outcome"], end["attempts"], end.get("reason"), end.get("message")) for name, end in ends.items()}
        self.assertEqual(said, {
            "echo": ("succeeded", 1, None, None), "boom": ("failed", 1, None, "boom: gamma"),
            "missing": ("fatal", 1, "handler_not_found", "No handler registered for function 'nope'"),
            "retry": ("failed", 2, "retry", "gave up after 1 of 1 retries: later")}, self.stderr)
        self.assertEqual([event["delay_seconds"] for event in of(events, "attempt.backoff", "retry")], [0.2])

    def test_what_a_handler_is_told(self):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        params = {"file": self.path("note"), "x": [1, {"y": None}, "grüße"]}
        tasks = {"t": task("note", params, timeout="30s", correlation={"tenant": "x"})}
        self.write("paddock.yaml", self.file(tasks, command=[RUNNER]))
        self.ended(self.paddock("run", env={"TRACEPARENT": trace}), 0)
        got = json.loads(self.read("note"))
        self.assertTrue(got.pop("worker").startswith("rrq_worker_"))
        self.assertTrue(got.pop("deadline"))
        self.assertEqual(got, {"params": params, "attempt": 1, "queue": "rrq:queue:default", "correlation": {"tenant": "x"},
                               "trace": {"traceparent": trace}})

    def test_cancel(self):
        """It is confirmed, so its process lives on for the next."""
        _, ends = self.run_all({"slow": task("forever", timeout="300ms"), "next": task("echo", after=["slow"])})
        self.assertEqual((ends["slow"]["outcome"], ends["next"]["outcome"]), ("timed_out", "succeeded"))
        self.assertNotIn("killed", self.stderr)

    def test_crash(self):
        _, ends = self.run_all({"crash": task("crash", retries=1, backoff="1ms")})
        self.assertEqual((ends["crash"]["outcome"], ends["crash"]["attempts"]), ("failed", 2))

    def test_many_and_large(self):
        tasks = {f"t{n}": task("echo", {"n": n}) for n in range(200)}
        tasks["large"] = task("echo", {"text": "x" * 400_000})
        self.run_all(tasks, code=0, max_in_flight=64, pool_size=2)

    def test_external(self):
        port = drive.free_port()
        self.started.append(subprocess.Popen([RUNNER, "--tcp-socket", f"127.0.0.1:{port}"], env=self.env, cwd=self.folder))
        self.drive({"t": task("echo", {"n": 1})}, code=0, external=f"127.0.0.1:{port}")


if __name__ == "__main__":
    FAULT = install()
    if FAULT:
        print(f"SKIPPED: a runner of the crate rrq-runner cannot be built; no Rust runner was driven:\n{FAULT[:2000]}")
        sys.exit(77)
    drive.main()
