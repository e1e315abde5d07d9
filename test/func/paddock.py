# SPDX-License-Identifier: Apache-2.0
"""What the tests of the program share: a folder of its own for each, and waiting for conditions."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("PADDOCK", "paddock")
EXAMPLES = os.environ.get("PADDOCK_EXAMPLES", os.path.join(os.path.dirname(__file__), "../../examples"))
PATIENCE = 60  # seconds until a condition that does not come is a failure


def until(condition, what="the condition"):
    """Wait until condition() is true, and return what it gave."""
    end = time.monotonic() + PATIENCE
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {PATIENCE} seconds")
        time.sleep(0.01)


def state_of(pid):
    """As ps says it: R, S and so on; X: there is none."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_alive(pid):
    """Does the process run? One that waits to be reaped does not."""
    return state_of(pid) not in "ZX"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="paddock-func-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.started = []
        self.addCleanup(self.kill_started)
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("NO_COLOR", "COLUMNS", "PADDOCK_FILE", "PADDOCK_LOG", "TRACEPARENT", "TRACESTATE")
                    and not key.startswith("OTEL_")}
        self.env["TERM"] = "dumb"

    def kill_started(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), errors="replace") as file:
            return file.read()

    def exists(self, name):
        return os.path.exists(self.path(name))

    def paddock(self, *arguments, env=None, **more):
        """Run to the end. The result has returncode, stdout, stderr."""
        more.setdefault("timeout", PATIENCE)
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        more.setdefault("text", True)
        more.setdefault("errors", "replace")
        return subprocess.run([PROGRAM, *arguments], cwd=self.folder, env={**self.env, **(env or {})}, **more)

    def start(self, *arguments, env=None, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, env={**self.env, **(env or {})}, **more)
        self.started.append(process)
        return process

    def run_file(self, text, *arguments, **more):
        """Write paddock.yaml and run it."""
        self.write("paddock.yaml", text)
        return self.paddock("run", *arguments, **more)

    def ended(self, result, code):
        self.assertEqual(result.returncode, code, f"stdout:\n{result.stdout}\nstderr:\n{result.stderr}")
        return result

    def events(self, text, *arguments, code=0, **more):
        """Run with --json, and return the events."""
        result = self.ended(self.run_file(text, "--json", *arguments, **more), code)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def wait_for_file(self, name):
        until(lambda: self.exists(name) and os.path.getsize(self.path(name)) > 0, name)
        return self.read(name)

    def wait_for_words(self, process, words):
        """Read what it says on standard error until these words have come."""
        got = b""
        while words not in got:
            piece = os.read(process.stderr.fileno(), 4096)
            self.assertTrue(piece, f"the end came before {words}: {got}")
            got += piece

    def pid_from(self, name):
        return int(until(lambda: self.exists(name) and self.read(name).endswith("\n") and self.read(name).strip(), name))


def of(events, name, task=None):
    """The events of this name, and of this task."""
    return [event for event in events if event["event"] == name and task in (None, event.get("task"))]


main = unittest.main
SIGINT, SIGTERM, SIGQUIT, SIGKILL, SIGHUP = signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL, signal.SIGHUP
