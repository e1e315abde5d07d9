# SPDX-License-Identifier: Apache-2.0
"""What the tests of the runner role share: paddock driving runner.py, and what both saw of it."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../func"))
import paddock  # noqa: E402
from paddock import of, until  # noqa: E402,F401
from ports import free_port  # noqa: E402,F401

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")


def task(function, params=None, **more):
    """A task that calls a handler. What does not belong to the task is its `with`."""
    fields = {key: more.pop(key) for key in ("timeout", "retries", "restart", "backoff", "stop", "after", "needs", "deadline", "input",
                                             "selector", "every") if key in more}
    given = {"function": function, **({"params": params} if params is not None else {}), **more}
    return {"kind": "rrq", "with": given, **fields}


class Case(paddock.Case):
    def command(self, *options):
        return [sys.executable, RUNNER, "--trace", self.path("trace"), *map(str, options)]

    def file(self, tasks, *options, **config):
        """A paddock.yaml: JSON is YAML. options are the runner's."""
        if "external" not in config:
            config.setdefault("command", self.command(*options))
            config.setdefault("backoff", {"first": "10ms", "jitter": "none"})
        return json.dumps({"plugins": [{"use": "rrq", "config": config}], "tasks": tasks}, indent=1)

    def drive(self, tasks, *options, code=None, arguments=(), env=None, **config):
        """Run to the end: the events, and the end of each task by name."""
        self.write("paddock.yaml", self.file(tasks, *options, **config))
        with open(self.path("errors"), "w") as errors:
            result = self.paddock("run", "--json", "--stop-on", "never", *arguments, env=env, stderr=errors)
        result.stderr = self.read("errors")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        ends = {event["task"]: event for event in of(events, "run.ended") + of(events, "run.rejected")}
        self.assertEqual(sorted(ends), sorted(tasks), result.stderr)
        if code is not None:
            self.ended(result, code)
        self.stderr = result.stderr
        return events, ends

    def begin(self, tasks, *options, arguments=(), **config):
        """Run and leave it running; events() reads what it has said so far."""
        self.write("paddock.yaml", self.file(tasks, *options, **config))
        with open(self.path("events"), "w") as out, open(self.path("errors"), "w") as errors:
            return self.start("run", "--json", "--stop-on", "never", *arguments, stdout=out, stderr=errors)

    def seen(self, name, task=None):
        lines = self.read("events").splitlines(keepends=True) if self.exists("events") else []
        return of([json.loads(line) for line in lines if line.endswith("\n")], name, task)

    def health(self):
        """The states that the pool has told so far."""
        return [event["state"] for event in self.seen("plugin.health") if event["plugin"] == "rrq"]

    def finish(self, process):
        """Wait for its end: the end of each task by name."""
        process.wait(paddock.PATIENCE)
        return {event["task"]: event for event in self.seen("run.ended") + self.seen("run.rejected")}

    def trace(self, event=None):
        """What the runners noted."""
        lines = self.read("trace").splitlines(keepends=True) if self.exists("trace") else []
        notes = [json.loads(line) for line in lines if line.endswith("\n")]
        return [note for note in notes if event in (None, note["event"])]

    def wait_for_trace(self, event, count=1):
        return until(lambda: len(self.trace(event)) >= count and self.trace(event), f"{count} of {event} in the trace")

    def requests(self):
        return [note for note in self.trace("request") if not note["function_name"].startswith("__")]

    def touch(self, name):
        return self.write(name, "x")

    def all_gone(self):
        """No process that a runner noted is left."""
        for note in self.trace():
            for pid in (note["pid"], note.get("child", note["pid"])):
                until(lambda pid=pid: not paddock.is_alive(pid), f"the end of process {pid}")


main = paddock.main
