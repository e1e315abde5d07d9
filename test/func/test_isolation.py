# SPDX-License-Identifier: Apache-2.0
"""Plugins with a process of their own, as `paddock run` has them."""

import json
import os
import signal
import unittest

import paddock

BAD = os.path.join(os.path.dirname(paddock.PROGRAM), "../test/plugins/bad.so")


def children(pid):
    """The processes below one, to any depth."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as listed:
                for child in map(int, listed.read().split()):
                    found += [child] + children(child)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def hosts(pid):
    """The process of the plugin: the child of its warden."""
    found = []
    for child in children(pid):
        try:
            with open(f"/proc/{child}/comm") as comm:
                if comm.read().strip() == "paddock-host":
                    found.append(child)
        except FileNotFoundError:
            pass
    return found


class Isolation(paddock.Case):
    def test_it_runs_as_it_does_without(self):
        results = []
        for isolation in ("none", "process"):
            self.write("paddock.yaml", f"""
plugins: [{{use: subprocess, isolation: {isolation}}}]
tasks:
  one: {{command: "echo out; echo err >&2; cat", input: {{a: [1, x]}}, env: {{A: b}}}}
  two: {{command: 'exit 3', restart: on-failure, retries: 1, backoff: 1ms, after: one}}
  three: {{command: [no-such-program-at-all], after: two}}
""")
            result = self.paddock("run", "--json", "--stop-on", "never")
            events = [json.loads(line) for line in result.stdout.splitlines()]
            results.append((result.returncode,
                            sorted((e["task"], e.get("event"), e.get("text"), e.get("exit_code"), e.get("attempt"))
                                   for e in events if e.get("task") and e["event"] != "run.accepted")))
        self.assertEqual(results[0], results[1])

    def test_all_of_a_large_output_comes(self):
        self.write("paddock.yaml", """
plugins: [{use: subprocess, isolation: process}]
tasks: {numbers: [seq, "200000"]}
""")
        result = self.ended(self.paddock("run", "-q"), 0)
        self.assertEqual(result.stdout.split(), [str(i) for i in range(1, 200001)])

    def test_check_finds_what_the_plugin_finds(self):
        self.write("paddock.yaml", """
plugins: [{use: subprocess, isolation: process}]
tasks:
  t: {command: ["true"], with: {umask: "999"}}
""")
        for verb, code in (("check", 1), ("run", 3)):
            error = self.ended(self.paddock(verb), code).stderr
            self.assertIn('paddock.yaml:4:40: error: tasks.t.with.umask: a mask is octal, 0000 to 0777, not "999"', error)

    def test_bad_entries_get_one_line_each(self):
        self.write("paddock.yaml", """
plugins:
  - {use: subprocess, isolation: proces}
  - {use: echo, isolation: {resources: {memory: 64MiB}}}
  - {use: sleep, isolation: {mode: process, seccomp: [ptrase], ping: {every: 0s}}}
tasks: {}
""")
        error = self.ended(self.paddock("check"), 1).stderr
        self.assertIn('plugins[0].isolation: "proces" is not one of its values', error)
        self.assertIn('plugins[1].isolation: "mode" is missing', error)
        self.assertIn("plugins[2].isolation.ping.every: ", error)
        self.write("paddock.yaml", """
plugins:
  - {use: sleep, isolation: {mode: process, seccomp: [ptrase]}}
  - {use: prometheus, isolation: process}
  - {use: console, isolation: process}
sources: [{use: rrq, isolation: process}]
metrics: {use: otlp, isolation: process}
tasks: {}
""")
        error = self.paddock("check").stderr
        self.assertIn('plugins[0].isolation.seccomp[0]: there is no system call "ptrase"', error)
        only = "isolation: only a runner can have a process of its own, and plugin"
        self.assertIn(f'plugins[1].{only} "prometheus" is a metrics backend', error)
        self.assertIn(f'plugins[2].{only} "console" is none', error)
        self.assertEqual(error.count("^~~~~~~ leave isolation out of its entry"), 2)
        for entry in ("sources[0]", "metrics"):
            self.assertIn(f'{entry}: unknown field "isolation"', error)
        self.assertEqual(error.count("^~~~~~~~~ only runners have it, under plugins"), 2)

    def test_without_its_program_it_is_refused(self):
        self.write("paddock.yaml", "plugins: [{use: subprocess, isolation: process}]\ntasks: {a: [echo, a]}\n")
        self.env["PADDOCK_HOST_PROGRAM"] = "/nowhere/paddock-host"
        error = self.ended(self.paddock("run"), 5).stderr
        self.assertIn("cannot run /nowhere/paddock-host: No such file or directory", error)

    @unittest.skipUnless(os.path.exists(BAD), "the zoo is not built")
    def test_a_crash_costs_its_own_attempts(self):
        self.write("paddock.yaml", f"""
plugins:
  - {{use: {os.path.abspath(BAD)}, isolation: process}}
  - subprocess
tasks:
  good: {{command: 'for i in 1 2 3; do sleep 0.1; echo $i; done'}}
  abort: {{kind: bad, with: {{how: abort}}, restart: on-failure, retries: 2, backoff: 1ms}}
""")
        result = self.paddock("run", "--stop-on", "never", "--json")
        ends = {e["task"]: e for e in map(json.loads, result.stdout.splitlines()) if e["event"] == "run.ended"}
        self.assertEqual(ends["good"]["outcome"], "succeeded")
        self.assertEqual((ends["abort"]["outcome"], ends["abort"]["attempts"]), ("failed", 3))
        self.assertIn("its plugin's process was killed by SIGABRT", result.stdout)

    def test_nothing_is_left_however_it_ends(self):
        self.write("paddock.yaml", """
plugins: [{use: subprocess, isolation: process}]
tasks: {family: {command: "setsid sleep 1000 & (setsid sleep 1000 &); echo up; wait", stop: {grace: 1s}}}
""")
        for number in (signal.SIGTERM, signal.SIGKILL):
            process = self.start("run")
            self.assertIn(b"up", process.stdout.readline())
            below = paddock.until(lambda: len(children(process.pid)) >= 5 and children(process.pid), "all children")
            process.send_signal(number)
            process.wait(paddock.PATIENCE)
            paddock.until(lambda: not any(map(paddock.is_alive, below)), "the end of all children")

    def test_its_process_is_killed_from_outside(self):
        self.write("paddock.yaml", """
plugins: [{use: subprocess, isolation: process}]
tasks: {t: {command: 'echo up; [ $PADDOCK_ATTEMPT = 2 ] || exec sleep 1000', restart: on-failure}}
""")
        process = self.start("run")
        self.assertIn(b"up", process.stdout.readline())
        os.kill(hosts(process.pid)[-1], signal.SIGKILL)
        self.assertIn(b"up", process.stdout.readline())
        self.assertEqual(process.wait(paddock.PATIENCE), 0)

    def test_it_is_shown(self):
        self.write("paddock.yaml", "plugins: [{use: subprocess, isolation: process}]\ntasks: {a: [echo, a]}\n")
        self.assertIn("in a process of its own", self.ended(self.paddock("route"), 0).stdout)
        listed = [json.loads(line) for line in self.ended(self.paddock("plugins", "--json"), 0).stdout.splitlines()]
        self.assertEqual(listed[0]["isolation"], "process")
        rows = [line.split("\t") for line in self.ended(self.paddock("plugins", "--long"), 0).stdout.splitlines()]
        self.assertEqual(rows[1][rows[0].index("ISOLATION")], "process")
        self.assertIn("isolation.resources.memory", self.ended(self.paddock("schema", "--fields", "plugins"), 0).stdout)
        self.ended(self.paddock("schema", "--fields", "nonsense"), 2)


if __name__ == "__main__":
    unittest.main()
