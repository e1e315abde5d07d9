# SPDX-License-Identifier: Apache-2.0
"""paddock run: what starts, in which order, what is printed, and how it ends."""

import os
import socket
import stat

import paddock
from paddock import of


def outcome(events, task):
    found = of(events, "run.ended", task) + of(events, "run.rejected", task)
    assert len(found) == 1, f"{task} has {len(found)} outcomes"
    return found[0]


def position(events, name, task):
    return next(i for i, event in enumerate(events) if event["event"] == name and event.get("task") == task)


class Commands(paddock.Case):
    def test_a_command_is_as_if_run_alone(self):
        result = self.ended(self.paddock("run", "--", "sh", "-c", "echo out; echo err >&2"), 0)
        self.assertEqual((result.stdout, result.stderr), ("out\n", "err\n"))

    def test_its_exit_code_is_ours(self):
        for script, code in (("exit 3", 3), ("kill -9 $$", 137), ("exit 0", 0)):
            with self.subTest(script):
                self.ended(self.paddock("run", "--", "sh", "-c", script), code)
        self.ended(self.paddock("run", "-s", "timeout=100ms", "--", "sleep", "60"), 124)
        missing = self.ended(self.paddock("run", "--", "./there-is-none"), 127)
        self.assertIn("there-is-none", missing.stderr)
        self.write("plain", "not a program\n")
        self.ended(self.paddock("run", "--", "./plain"), 126)

    def test_options_behind_the_command_are_the_commands(self):
        self.assertEqual(self.ended(self.paddock("run", "--", "echo", "--help", "-q"), 0).stdout, "--help -q\n")

    def test_set(self):
        script = 'echo "$MODE $PADDOCK_ATTEMPT"; [ "$PADDOCK_ATTEMPT" = 3 ]'
        result = self.ended(self.paddock("run", "-s", "env.MODE=test", "-s", "retries=3", "-s", "backoff=1ms", "--", "sh",
                                         "-c", script), 0)
        self.assertEqual(result.stdout, "test 1\ntest 2\ntest 3\n")
        self.assertIn("unknown field", self.ended(self.paddock("run", "-s", "retris=3", "--", "true"), 3).stderr)
        self.assertIn("wants FIELD=VALUE", self.ended(self.paddock("run", "-s", "retries", "--", "true"), 2).stderr)

    def test_set_on_tasks_of_a_file(self):
        text = "tasks: {a: 'echo $A $B', b: {command: 'echo $A $B', env: {A: 1, B: 2}}}"
        result = self.ended(self.run_file(text, "--prefix", "never", "-s", "env.A=9"), 0)
        self.assertEqual(sorted(result.stdout.splitlines()), ["9", "9 2"])
        result = self.ended(self.run_file(text, "-s", "env={A: x y, B: 5}", "b"), 0)
        self.assertEqual(result.stdout, "x y 5\n")
        self.assertIn("a duration needs a unit", self.ended(self.run_file(text, "-s", "timeout=5", "b"), 3).stderr)

    def test_large_output_is_complete(self):
        result = self.ended(self.paddock("run", "--", "seq", "200000"), 0)
        self.assertEqual(result.stdout, "".join(f"{n}\n" for n in range(1, 200001)))


class Selection(paddock.Case):
    FILE = """
tasks:
  build: echo build
  test: {command: echo test, needs: build, labels: {stage: check}}
  lint: {command: echo lint, labels: {stage: check}}
  deploy: {command: echo deploy, needs: test, manual: true}
"""

    def names(self, *arguments, code=0):
        return sorted(event["task"] for event in of(self.events(self.FILE, *arguments, code=code), "attempt.started"))

    def test_who_starts(self):
        self.assertEqual(self.names(), ["build", "lint", "test"])
        self.assertEqual(self.names("lint"), ["lint"])
        self.assertEqual(self.names("deploy"), ["build", "deploy", "test"])
        self.assertEqual(self.names("-l", "stage=check"), ["build", "lint", "test"])
        self.assertEqual(self.names("--only", "test,deploy"), ["deploy", "test"])

    def test_unknown_tasks(self):
        self.assertIn('there is no task "lind"; did you mean "lint"?', self.ended(self.run_file(self.FILE, "lind"), 7).stderr)
        self.assertIn("no task has these labels", self.ended(self.run_file(self.FILE, "-l", "stage=none"), 7).stderr)
        self.ended(self.run_file(self.FILE, "--exit-code-from", "nobody"), 7)

    def test_nothing_to_run(self):
        result = self.ended(self.run_file("tasks: {a: {command: x, manual: true}}"), 0)
        self.assertIn("nothing to run", result.stderr)

    def test_no_file(self):
        self.assertIn("there is no paddock.yaml here", self.ended(self.paddock("run"), 3).stderr)
        self.assertIn("other.yaml", self.ended(self.paddock("run", "other.yaml"), 3).stderr)

    def test_the_file_may_come_from_standard_input_and_the_environment(self):
        self.write("in", "tasks: {a: echo from stdin}\n")
        with open(self.path("in")) as file:
            self.assertEqual(self.ended(self.paddock("run", "-", stdin=file), 0).stdout, "from stdin\n")
        self.write("other.yaml", "tasks: {a: echo other}\n")
        self.assertEqual(self.paddock("run", env={"PADDOCK_FILE": "other.yaml"}).stdout, "other\n")

    def test_dry_run_starts_nothing(self):
        result = self.ended(self.run_file("tasks: {a: touch a, b: {command: touch b, needs: a}}", "--dry-run"), 0)
        rows = [line.split("\t") for line in result.stdout.splitlines()]
        self.assertEqual(rows[1], ["a", "subprocess", "subprocess", "at once"])
        self.assertEqual(rows[2][3], "needs a")
        self.assertFalse(self.exists("a"))

    def test_nothing_starts_when_one_task_has_no_runner(self):
        result = self.ended(self.run_file("tasks: {a: touch a, b: {kind: unknown}}"), 4)
        self.assertIn('no runner serves "unknown"', result.stderr)
        self.assertFalse(self.exists("a"))

    def test_bad_plugins(self):
        result = self.ended(self.run_file("plugins: [{use: nothere}]\ntasks: {a: echo a}"), 5)
        self.assertIn("nothere", result.stderr)
        self.ended(self.run_file("plugins: [{use: nothere, optional: true}, subprocess]\ntasks: {a: echo a}"), 0)
        self.assertIn("nope.so", self.ended(self.paddock("run", "--plugin", "./nope.so", "--", "true"), 5).stderr)


class Order(paddock.Case):
    def test_needs_wait_for_success(self):
        events = self.events("tasks: {c: {command: 'true', needs: [a, b]}, a: 'sleep 0.1', b: 'true'}")
        waits = of(events, "run.waiting", "c")[0]
        self.assertEqual(waits["for"], "needs b, a" if "b, a" in waits["for"] else "needs a, b")
        self.assertLess(position(events, "run.ended", "a"), position(events, "attempt.started", "c"))
        self.assertLess(position(events, "run.ended", "b"), position(events, "attempt.started", "c"))

    def test_what_needs_a_failure_is_rejected_and_so_on(self):
        events = self.events("tasks: {a: exit 1, b: {command: x, needs: a}, c: {command: x, needs: b}, d: {command: x, after: c}}",
                             "--stop-on", "never", code=1)
        self.assertEqual(outcome(events, "a")["outcome"], "failed")
        for task in "bcd":
            self.assertEqual(outcome(events, task)["reason"], "needs_failed")
        self.assertEqual(len(of(events, "attempt.started")), 1)

    def test_after_waits_for_ready(self):
        events = self.events("tasks: {up: {command: 'echo starting; echo up now; sleep 0.3', ready: {line: up now}}, "
                             "then: {command: 'true', after: up}}")
        self.assertLess(position(events, "attempt.ready", "up"), position(events, "attempt.started", "then"))
        self.assertLess(position(events, "attempt.started", "then"), position(events, "run.ended", "up"))

    def test_after_goes_on_when_the_other_has_succeeded_without_being_ready(self):
        events = self.events("tasks: {quick: {command: 'true', ready: 30s}, then: {command: 'true', after: quick}}")
        self.assertEqual(outcome(events, "then")["outcome"], "succeeded")

    def test_replicas_count_as_one(self):
        events = self.events("tasks: {w: {command: 'echo $PADDOCK_REPLICA; sleep 0.1', replicas: 3}, end: {command: 'true', needs: w}}")
        self.assertEqual(sorted(event["task"] for event in of(events, "run.ended")), ["end", "w.1", "w.2", "w.3"])
        self.assertEqual(sorted(event["slot"] for event in of(events, "attempt.started"))[1:], ["w.1", "w.2", "w.3"])
        self.assertEqual(sorted(event["text"] for event in of(events, "attempt.output")), ["1", "2", "3"])
        for task in ("w.1", "w.2", "w.3"):
            self.assertLess(position(events, "run.ended", task), position(events, "attempt.started", "end"))


class Readiness(paddock.Case):
    def test_command(self):
        events = self.events("tasks: {a: {command: 'sleep 0.2; touch up; sleep 0.4', "
                             "ready: {command: [test, -e, up], every: 20ms}}, b: {command: 'true', after: a}}")
        self.assertLess(position(events, "attempt.ready", "a"), position(events, "attempt.started", "b"))

    def test_tcp(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            events = self.events(f"tasks: {{a: {{command: sleep 0.5, ready: {{tcp: 'localhost:{port}', every: 20ms}}}}}}")
        self.assertEqual(len(of(events, "attempt.ready", "a")), 1)

    def test_duration(self):
        events = self.events("tasks: {a: {command: sleep 0.3, ready: 50ms}}")
        self.assertEqual(len(of(events, "attempt.ready", "a")), 1)

    def test_not_ready_is_a_failure_and_is_retried(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            events = self.events(f"tasks: {{a: {{command: sleep 60, retries: 1, backoff: 1ms, "
                                 f"ready: {{tcp: '127.0.0.1:{port}', every: 20ms, within: 200ms}}}}}}", code=1)
        self.assertEqual(outcome(events, "a")["reason"], "not_ready")
        self.assertEqual(outcome(events, "a")["attempts"], 2)
        self.assertIn("not ready within 200ms", of(events, "attempt.ended", "a")[0]["message"])

    def test_a_broken_pattern_is_told_before_anything_starts(self):
        result = self.ended(self.run_file("tasks: {a: {command: touch a, ready: {line: '('}}}"), 3)
        self.assertIn("ready", result.stderr)
        self.assertFalse(self.exists("a"))


class Ends(paddock.Case):
    def test_the_first_failure_stops_the_rest(self):
        events = self.events("tasks: {a: {command: exit 4, after: b}, b: {command: sleep 60, ready: 50ms}}", code=1)
        self.assertEqual(outcome(events, "a")["outcome"], "failed")
        self.assertEqual(outcome(events, "a")["exit_code"], 4)
        self.assertEqual(outcome(events, "b")["outcome"], "canceled")

    def test_stop_on_exit(self):
        events = self.events("tasks: {a: {command: 'true', after: b}, b: {command: sleep 60, ready: 50ms}}", "--stop-on", "exit")
        self.assertEqual(outcome(events, "b")["outcome"], "canceled")

    def test_stop_on_never(self):
        events = self.events("tasks: {a: exit 1, b: sleep 0.3}", "--stop-on", "never", code=1)
        self.assertEqual(outcome(events, "b")["outcome"], "succeeded")

    def test_what_stops_the_rest_is_said(self):
        result = self.ended(self.run_file("tasks: {a: {command: exit 4, after: b}, b: {command: sleep 60, ready: 50ms}}"), 1)
        self.assertIn("paddock: a did not succeed: stopping the rest\n", result.stderr)
        self.assertIn("paddock: b: stopped after ", result.stderr)

    def test_more_tasks_than_may_be_accepted_at_once(self):
        tasks = "".join(f"  t{n}: echo {n}\n" for n in range(20))
        result = self.ended(self.run_file("limits: {queued: 3, running: 2}\ntasks:\n" + tasks), 0)
        self.assertTrue(result.stderr.endswith("20 tasks: 20 succeeded\n"))

    def test_exit_code_from(self):
        self.events("tasks: {a: {command: exit 7, after: b}, b: {command: sleep 60, ready: 50ms}}", "--exit-code-from", "a", code=7)

    def test_every_item_has_exactly_one_outcome(self):
        tasks = "".join(f"  t{n}: {{command: 'exit {n % 3}', replicas: {1 + n % 2}}}\n" for n in range(30))
        events = self.events("tasks:\n" + tasks, "--stop-on", "never", code=1)
        items = [f"t{n}" if n % 2 == 0 else f"t{n}.{k}" for n in range(30) for k in ((1, 2) if n % 2 else (1,))]
        for item in items:
            self.assertEqual(outcome(events, item)["outcome"], "failed" if int(item[1:].split(".")[0]) % 3 else "succeeded")

    def test_the_summary(self):
        result = self.ended(self.run_file("tasks: {good: 'true', bad: exit 2}", "--stop-on", "never"), 1)
        self.assertIn("good\tsucceeded\t1\t", result.stderr)
        self.assertIn("bad\tfailed\t1\t", result.stderr)
        self.assertTrue(result.stderr.endswith("2 tasks: 1 succeeded, 1 failed\n"), result.stderr)
        quiet = self.ended(self.run_file("tasks: {good: echo hello}", "-q"), 0)
        self.assertEqual((quiet.stdout, quiet.stderr), ("hello\n", ""))


class Output(paddock.Case):
    def test_prefixes(self):
        result = self.ended(self.run_file("tasks: {a: echo one, long-name: 'echo two >&2'}"), 0)
        self.assertIn("a         | one\n", result.stdout)
        self.assertIn("long-name ! two\n", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertEqual(self.run_file("tasks: {a: echo one, b: 'true'}", "--prefix", "never").stdout, "one\n")
        self.assertEqual(self.run_file("tasks: {a: echo one}").stdout, "one\n")
        self.assertEqual(self.run_file("tasks: {a: echo one}", "--prefix=always").stdout, "a | one\n")

    def test_timestamps(self):
        self.assertRegex(self.run_file("tasks: {a: echo one}", "--timestamps").stdout,
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z one\n$")

    def test_colors(self):
        text = "tasks: {a: echo one, b: echo two}"
        self.assertIn("\x1b[", self.run_file(text, "--color", "always").stdout)
        self.assertIn("\x1b[", self.run_file(text, "--color", "always", env={"NO_COLOR": "1"}).stdout)

    def test_log_files(self):
        self.ended(self.run_file("tasks: {a: {command: 'echo out; echo err >&2', log: a.log},"
                                 " b: {command: 'echo out; echo err >&2', log: {file: b.log, stderr: b.err}}}"), 0)
        self.assertEqual(sorted(self.read("a.log").split()), ["err", "out"])
        self.assertEqual((self.read("b.log"), self.read("b.err")), ("out\n", "err\n"))

    def test_log_files_are_turned_over(self):
        self.ended(self.run_file("tasks: {a: {command: seq 10000, log: {file: a.log, max_size: 8KiB, keep: 2}}}"), 0)
        for name in ("a.log", "a.log.1", "a.log.2"):
            self.assertLessEqual(os.path.getsize(self.path(name)), 8192)
        self.assertFalse(self.exists("a.log.3"))
        self.assertTrue(self.read("a.log").endswith("10000\n"))
        joined = (self.read("a.log.2") + self.read("a.log.1") + self.read("a.log")).split()
        self.assertEqual([int(n) for n in joined], list(range(int(joined[0]), 10001)))

    def test_env_file(self):
        self.write("vars", "# names\nNAME=world\nSET=file\nQUOTED='a b'\n")
        result = self.ended(self.run_file("tasks: {a: {command: 'echo $NAME $SET $QUOTED', description: '${NAME}'}}", "--env-file",
                                          "vars", env={"SET": "shell"}), 0)
        self.assertEqual(result.stdout, "world shell a b\n")
        self.write("vars", "no equals sign\n")
        self.assertIn("vars:1: expected NAME=value", self.ended(self.paddock("run", "--env-file", "vars"), 3).stderr)

    def test_plain_lines_for_failures(self):
        result = self.ended(self.run_file("tasks: {a: {command: exit 1, retries: 1, backoff: 1ms}}"), 1)
        self.assertRegex(result.stderr, r"paddock: a: attempt 1 failed: .*exit.* 1.*; again in ")

    def test_metrics_file(self):
        self.ended(self.run_file("tasks: {a: 'true', b: exit 1}", "--stop-on", "never", "--metrics-file", "m.prom"), 1)
        text = self.read("m.prom")
        self.assertIn("paddock_runs_ended_total", text)
        self.assertIn("# TYPE ", text)
        version = self.paddock("version").stdout.split()[1]
        self.assertIn(f'paddock_build_info{{version="{version}",abi="1.0"}} 1', text)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".new")], [])
        self.ended(self.run_file("tasks: {a: 'true'}", "--metrics-file", "no/such/folder"), 2)

    def test_a_metrics_file_takes_no_pipes_place(self):
        os.mkfifo(self.path("pipe"))
        result = self.ended(self.run_file("tasks: {a: 'true'}", "--metrics-file", "pipe"), 2)
        self.assertIn("pipe is there and no regular file", result.stderr)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))


if __name__ == "__main__":
    paddock.main()
