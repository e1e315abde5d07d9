# SPDX-License-Identifier: Apache-2.0
"""Every verb that asks a server, as a user would: what it prints, with --json, its errors and exit codes."""

import json
import os
import re
import signal
import subprocess

import client
import paddock
from paddock import until

TASKS = """
tasks:
  web: {command: "echo up; exec sleep 1000", ready: {line: up}}
  bad: {command: "echo oops >&2; exit 3", manual: true}
  say: {kind: echo, manual: true}
  lines: {command: "for i in 1 2 3 4 5; do echo line $i; done", manual: true}
  slow: {command: "echo first; echo other; until [ -e go ]; do sleep 0.02; done; echo last", manual: true}
  odd: {command: ["/nope\\e[2J\\x07"], manual: true}
  first: {command: sleep 1000, slot: s, when_busy: queue}
  second: {command: sleep 1000, slot: s, when_busy: queue}
"""


class Submit(client.ClientCase):
    def test_a_declared_task(self):
        self.serve(TASKS)
        job = self.does("submit", "say", "--input", '{"a": [1, "2"]}', "--wait")
        self.assertTrue(job[0].isdigit())
        shown = self.json("show", job[0])[0]
        self.assertEqual((shown["outcome"], shown["output"]), ("succeeded", {"a": [1, "2"]}))
        result = self.ended(self.paddock("submit", "bad", "--wait"), 1)
        self.assertRegex(result.stderr, r"paddock: \d+: dead: exit code 3\n$")
        self.fails(7, '"nope" is no task', "submit", "nope")
        self.fails(7, 'there is no task "nope"', "submit", "--direct", "nope")
        self.fails(2, "--direct takes what else is to differ", "submit", "say", "--with", "message=5")
        self.assertEqual(self.does("submit", "--direct", "say", "--with", "message=5", "--wait", "-q")[0][:8], "echo-say")

    def test_with_is_read_as_yaml(self):
        self.serve(TASKS)
        for text, wanted in (("5", 5), ('"5"', "5"), ("no", "no"), ("true", True), ("[1, a]", [1, "a"]), ("a=b", "a=b"),
                             ("{x: 1.5}", {"x": 1.5})):
            job = self.json("submit", "--kind", "echo", "--with", f"message={text}", "--wait")[-1]
            self.assertEqual(job["output"], wanted, text)
        whole = self.json("submit", "--kind", "echo", "--with", '{"message": 7, "print": false}', "--wait")[-1]
        self.assertEqual(whole["output"], 7)
        self.write("with.yaml", "message: of a file\n")
        self.assertEqual(self.json("submit", "--kind", "echo", "--with", "@with.yaml", "--wait")[-1]["output"], "of a file")

    def test_bad_options(self):
        self.serve(TASKS)
        self.fails(2, "--with nope: wants KEY=VALUE", "submit", "--kind", "echo", "--with", "nope")
        self.fails(2, "--with:1:", "submit", "--kind", "echo", "--with", "message=[1")
        self.fails(2, "--label =1: wants KEY=VALUE", "submit", "--kind", "echo", "--label", "=1")
        self.fails(2, 'unknown field "nope"', "submit", "--kind", "echo", "--with", "nope=1")
        self.fails(3, "there", "submit", "--kind", "echo", "--with", "@there")
        self.fails(3, "--with: /dev/zero: larger than 4MiB", "submit", "--kind", "echo", "--with", "@/dev/zero")
        self.fails(3, "--input: /: Is a directory", "submit", "--kind", "echo", "--input", "@/")
        self.fails(3, "/dev/zero: larger than 4MiB", "submit", "/dev/zero")
        self.fails(2, "--priority", "submit", "say", "--priority", "101")
        self.fails(2, "--delay", "submit", "say", "--delay", "soon")
        for odd in (("--kind", b"\xff"), ("--kind", "echo", "--name", b"\xff"), (b"\xff",), ("--", "echo", b"\xff"),
                    ("--kind", "echo", "--with", b"\xff=1"), ("--kind", "echo", "--label", b"\xff=1"), ("say", "--key", b"\xff")):
            self.fails(2, "UTF-8", "submit", *odd)
        self.fails(2, "either --direct or --topic", "submit", "say", "--direct", "--topic", "t")
        self.fails(2, "submit what?", "submit")
        result = self.fails(4, "no kind that this source may name", "submit", "--kind", "nope")
        self.assertIn("subprocess: serves subprocess, not nope", result.stderr)
        self.fails(4, "sleep: serves sleep, not nope", "submit", "--direct", "--kind", "nope")

    def test_a_command_gives_its_exit_code(self):
        self.serve(TASKS)
        for how in ((), ("--direct",)):
            self.does("submit", *how, "--wait", "--", "true")
            self.does("submit", *how, "--wait", "--", "sh", "-c", "exit 7", code=7)
            self.does("submit", *how, "--wait", "--", "sh", "-c", "kill -9 $$", code=137)
            self.does("submit", *how, "--wait", "-s", "timeout=50ms", "--", "sleep", "100", code=124)
        run = self.does("submit", "--direct", "--wait", "-q", "--", "pwd")[0]
        self.assertEqual(self.does("logs", run), [os.path.realpath(self.folder)])

    def test_files(self):
        self.serve(TASKS)
        os.mkdir(self.path("other"))
        self.write("other/jobs.yaml", "defaults: {env: {A: '1'}}\ntasks:\n  one: 'echo $A; pwd'\n  two: {kind: sleep, with: {for: 10ms}}\n"
                                      "  by-hand: {kind: echo, manual: true}\n")
        jobs = self.does("submit", "other/jobs.yaml", "--wait", "-q")
        self.assertEqual(len(jobs), 2)
        self.assertEqual([self.json("show", job)[0]["task"] for job in jobs], ["one", "two"])
        self.assertEqual(self.does("logs", "one"), ["1", os.path.realpath(self.path("other"))])
        self.assertEqual(len(self.does("submit", "other/jobs.yaml", "by-hand")), 1)
        self.fails(7, 'no task "nope"', "submit", "other/jobs.yaml", "nope")
        self.fails(3, "No such file", "submit", "./nope.yaml")
        self.write("bad.yaml", "tasks:\n  x:\n    kind: sleep\n    with: {nope: 1}\n")
        result = self.fails(3, 'unknown field "nope"', "submit", "bad.yaml")
        self.assertIn("bad.yaml:4:11: error:", result.stderr)
        self.write("wrong.yaml", "tasks: {x: {comand: a}}\n")
        self.fails(3, 'unknown field "comand"', "submit", "wrong.yaml")
        self.write("needs.yaml", "tasks: {a: 'true', b: {command: 'true', needs: a}}\n")
        self.fails(3, "tasks.b cannot be submitted", "submit", "needs.yaml")

    def test_lines(self):
        self.serve(TASKS)
        self.write("jobs.jsonl", '{"kind": "echo", "name": "one", "input": "hi"}\n\n {"task": "say", "input": [1]} \r\n{"command": ["true"]}')
        jobs = self.does("submit", "--jsonl", "jobs.jsonl", "--wait", "-q")
        shown = [self.json("show", job)[0] for job in jobs]
        self.assertEqual([(job["task"], job["outcome"]) for job in shown],
                         [("one", "succeeded"), ("say", "succeeded"), ("command", "succeeded")])
        self.assertEqual([job.get("output") for job in shown[:2]], ["hi", [1]])
        lines = self.json("submit", "--jsonl", "-", "--topic", "mail", stdin=None, input=self.read("jobs.jsonl"))
        self.assertEqual([(line["task"], line["topic"]) for line in lines], [("one", "mail"), ("say", "mail"), ("command", "mail")])
        self.assertEqual(self.does("submit", "--jsonl", "-"), [])
        labelled = self.does("submit", "--jsonl", "-", "--label", "a=b", stdin=None, input='{"kind": "echo", "labels": {"c": "d"}}')[0]
        self.assertEqual(self.json("show", labelled)[0]["spec"]["labels"], {"c": "d", "a": "b"})
        runs = self.does("submit", "--jsonl", "-", "--direct", "--wait", "-q", stdin=None, input='{"task": "say"}\n{"task": "bad"}\n', code=1)
        self.assertEqual([run.rsplit("-", 1)[0] for run in runs], ["echo-say", "subprocess-bad"])

    def test_wrong_lines(self):
        self.serve(TASKS)
        for line, code, words in (
                ('{"kind": echo}', 3, "jobs.jsonl:3:13: "), ("[1]", 3, "jobs.jsonl:3: found a list, wanted an object"),
                ("7", 3, "jobs.jsonl:3: found a number"), ('{"kind": "echo"', 3, "jobs.jsonl:3:15: "),
                ('{"a": 1, "a": 2}', 3, "jobs.jsonl:3:12: "), (b'{"a": "\xff"}', 3, "jobs.jsonl:3:"),
                ('{"kind": "sleep", "with": {"for": "x"}}', 3, 'jobs.jsonl:3: with.for: "x" is not a duration'),
                ('{"tasks": {"a": "x"}}', 3, 'jobs.jsonl:3: spec: unknown field "tasks"'),
                ('{"task": "nope"}', 7, 'jobs.jsonl:3: task: "nope" is no task'),
                ('{"kind": "nope"}', 4, 'jobs.jsonl:3: spec: "nope" is no kind')):
            line = line if isinstance(line, bytes) else line.encode()
            self.write("jobs.jsonl", b'{"task": "say"}\n\n' + line + b'\n{"task": "say"}\n')
            result = self.fails(code, words, "submit", "--jsonl", "jobs.jsonl")
            self.assertEqual(len(result.stdout.splitlines()), 1, line)  # what was before it is submitted, and what follows is not
            self.assertTrue(result.stderr.endswith("paddock: 1 submitted before that\n"), result.stderr)
        self.fails(3, "/dev/zero:1: larger than 4MiB", "submit", "--jsonl", "/dev/zero")
        self.fails(3, "nope: No such file", "submit", "--jsonl", "nope")
        self.fails(3, "/: Is a directory", "submit", "--jsonl", "/")
        for others in (("say",), ("./jobs.yaml",), ("--kind", "echo"), ("--name", "x"), ("--key", "k"), ("--unique", "u"), ("--", "true")):
            self.fails(2, "either --jsonl or ", "submit", "--jsonl", "-", *others)

    def test_lines_are_submitted_as_they_come(self):
        self.serve(TASKS)
        process = self.start("submit", "--jsonl", "-", "--wait", "-q", stdin=subprocess.PIPE)
        for i in range(3):
            process.stdin.write(b'{"kind": "echo", "input": %d}\n' % i)
            process.stdin.flush()
            self.assertEqual(self.wait_state(process.stdout.readline().decode().strip(), "ended")["output"], i)
        process.send_signal(signal.SIGINT)  # while it waits for the next
        self.assertEqual(process.wait(paddock.PATIENCE), 130)

    def test_standard_input(self):
        self.serve(TASKS)
        one = '{"kind": "echo", "input": "hi"}'
        job = self.json("submit", "-", "--wait", stdin=None, input=one)[-1]
        self.assertEqual((job["task"], job["output"]), ("echo", "hi"))
        job = self.json("submit", "-", "--name", "mine", "--wait", stdin=None, input="kind: echo\ninput: hi\n")[-1]
        self.assertEqual(job["task"], "mine")
        self.assertEqual(len(self.does("submit", "-", stdin=None, input="tasks: {a: {kind: echo}, b: {kind: echo}}")), 2)
        self.fails(3, "wanted a map", "submit", "-", stdin=None, input="[1]")
        self.fails(3, "standard input", "submit", "-", stdin=None, input="a: [")

    def test_options_of_the_queue(self):
        self.serve(TASKS)
        made = self.json("submit", "say", "--topic", "mail", "--priority", "7", "--delay", "1h", "--unique", "u",
                         "--max-attempts", "3")[0]
        self.assertEqual((made["topic"], made["priority"], made["max_attempts"], made["state"]), ("mail", 7, 3, "delayed"))
        again = self.ended(self.paddock("submit", "say", "--topic", "mail", "--delay", "1h", "--unique", "u"), 0)
        self.assertEqual(again.stdout, made["job_id"] + "\n")
        self.assertIn("was there before", again.stderr)
        first, second = (self.does("submit", "say", "--key", "k")[0] for _ in range(2))
        self.assertEqual(first, second)
        labels = self.json("submit", "--kind", "echo", "--label", "a=1", "--label", "b.c/d=no", "--direct", "--wait")
        spec = self.does("show", labels[0]["run_id"])
        self.assertIn('      "a": "1",', spec)
        self.assertIn('      "b.c/d": "no"', spec)

    def test_a_server_without_a_queue(self):
        self.serve(TASKS + "server: {without: [queue]}\n")
        result = self.ended(self.paddock("submit", "bad", "--wait"), 1)
        self.assertRegex(result.stdout, r"^subprocess-bad-\d+\n$")
        self.assertIn("a restart of the server forgets", result.stderr)
        self.fails(5, "--topic needs a queue", "submit", "say", "--topic", "t")
        self.fails(5, "there is no durable queue", "queue")
        self.fails(5, "there is no durable queue", "dead")
        self.assertNotIn("queue  ", "".join(self.does("top")))


class Look(client.ClientCase):
    def test_ps(self):
        self.serve(TASKS)
        lines = [line.split("\t") for line in self.does("ps")]
        self.assertEqual(lines[0], ["RUN", "TASK", "STATE", "ATTEMPTS", "AGE", "INFO"])
        self.assertEqual(sorted(line[1] for line in lines[1:]), ["first", "second", "web"])
        self.assertEqual([line[2] for line in lines if line[1] == "second"], ["queued"])
        self.does("submit", "bad", "--wait", code=1)
        self.assertEqual(len(self.does("ps", "--no-header")), 3)
        self.assertEqual(len(self.does("ps", "--all", "--no-header")), 4)
        self.assertEqual(len(self.does("ps", "--all", "--no-header", "--limit", "2")), 2)
        bad = self.does("ps", "--outcome", "failed", "--no-header")
        self.assertEqual([line.split("\t")[2::3] for line in bad], [["failed", "exit code 3"]])
        self.assertEqual(len(self.does("ps", "--state", "queued", "--no-header")), 1)
        self.assertEqual(len(self.does("ps", "--kind", "echo", "--no-header")), 0)
        self.assertEqual(len(self.does("ps", "first", "web", "--no-header")), 2)
        runs = self.json("ps", "web")
        self.assertEqual((runs[0]["task"], runs[0]["state"]), ("web", "running"))
        self.fails(2, '--state: "nope" is not one of its values', "ps", "--state", "nope")
        self.fails(2, 'did you mean stuck?', "ps", "--state", "queued,stcuk")
        self.assertEqual(len(self.does("ps", "--state", "queued,ended", "--state", "running", "--no-header")), len(self.does("ps", "--all", "--no-header")))
        self.fails(2, "-l a in (: ", "ps", "-l", "a in (")
        for arguments in (("ps", "--search"), ("events", "--type"), ("logs",), ("cancel",)):
            self.fails(2, "what is asked for is longer than", *arguments, "x" * 9000)

    def test_ps_by_labels(self):
        self.serve("tasks:\n  one: {command: sleep 1000, labels: {tier: web, new: 'yes'}}\n  two: {command: sleep 1000, labels: {tier: db}}\n"
                   "  none: sleep 1000\n  over: {command: 'true', manual: true, labels: {tier: web}}\n")
        self.does("submit", "over", "--wait")
        self.does("submit", "--direct", "--kind", "sleep", "--name", "mine", "--with", "for=1h", "--label", "tier=api")
        def tasks(*arguments):
            return sorted(run["task"] for run in self.json("ps", *arguments))
        for selector, wanted in (("tier=web", ["one"]), ("tier", ["mine", "one", "two"]), ("!tier", ["none"]),
                                 ("tier in (api,web),!new", ["mine"]), ("tier!=web", ["mine", "none", "two"]), ("tier=nope", [])):
            self.assertEqual(tasks("-l", selector), wanted, selector)
        self.assertEqual(tasks("--all", "-l", "tier=web"), ["one", "over"])
        self.assertEqual(tasks("--all", "-l", "tier=web", "--state", "ended"), ["over"])
        self.assertEqual(tasks("two", "-l", "tier"), ["two"])
        self.assertEqual(len(self.json("ps", "-l", "tier", "--limit", "2")), 2)

    def test_top_in_the_order_of_a_column(self):
        self.serve("tasks:\n  b: sleep 1000\n  c: {command: '[ $PADDOCK_ATTEMPT = 3 ] && exec sleep 1000', restart: on-failure, backoff: 1ms}\n"
                   "  a: {command: sleep 1000, slot: s}\n  d: {command: sleep 1000, slot: s, when_busy: queue}\n")
        until(lambda: [run["attempts"] for run in self.json("ps", "c", "--state", "running")] == [3], "the third attempt")
        def tasks(*arguments):
            lines = self.does("top", *arguments)
            return [line.split("\t")[1] for line in lines[next(i for i, line in enumerate(lines) if line.startswith("RUN\t")) + 1:]]
        self.assertEqual(tasks(), ["a", "c", "b", "d"])
        for column, wanted in (("task", "abcd"), ("state", "dacb"), ("attempts", "cabd"), ("age", "bcad"), ("run", "bcad")):
            self.assertEqual("".join(tasks("--sort", column)), wanted, column)
        self.fails(2, "did you mean attempts?", "top", "--sort", "atempts")
        self.fails(2, "either --json or --sort", "top", "--json", "--sort", "age")

    def test_many_pages(self):
        self.serve("tasks: {}\nlimits: {history: 5000}\n")
        self.write("many.yaml", "tasks:\n" + "".join(f"  t{i}: {{kind: echo}}\n" for i in range(1200)))
        self.assertEqual(len(set(self.does("submit", "--direct", "many.yaml"))), 1200)
        until(lambda: not self.does("ps", "--no-header"), "all ended")
        self.assertEqual(len({run["run_id"] for run in self.json("ps", "--all")}), 1200)
        self.assertEqual(len(self.json("ps", "--all", "--limit", "1100")), 1100)

    def test_show(self):
        self.serve(TASKS)
        job = self.does("submit", "bad", "--wait", "-q", code=1)[0]
        run = "\n".join(self.does("show", "bad"))
        for words in ("state       failed: exit code 3", "exit code   3", "attempts\n", "run.ended", '"exit 3"', "spec\n"):
            self.assertIn(words, run.replace("echo oops >&2; exit 3", "exit 3"))
        shown = self.json("show", "bad")[0]
        self.assertEqual((shown["exit_code"], [a["result"] for a in shown["history"]]), (3, ["failed"]))
        text = "\n".join(self.does("show", job))
        self.assertIn("state       dead: exit code 3", text)
        self.assertIn('"task": "bad"', text)
        self.assertEqual(len(self.json("show", job, "web")), 2)
        self.fails(7, 'there is no run and no task "nope"', "show", "nope")
        self.fails(7, "there is no job 999", "show", "999")
        self.fails(2, "which run?", "show")

    def test_what_tasks_say_steers_no_terminal(self):
        self.serve(TASKS)
        self.does("submit", "--direct", "odd", "--wait", code=1)
        for arguments in (("ps", "--all"), ("show", "odd"), ("top",),
                          ("events", "odd", "--type", "run.ended", "--since", "0", "--limit", "1")):
            text = "\n".join(self.does(*arguments, env={"COLUMNS": "500"}))
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\x07", text)
            if arguments[0] != "top":
                self.assertIn("^[[2J^G", text)

    def test_logs(self):
        self.serve(TASKS)
        self.does("submit", "lines", "--wait")
        self.assertEqual(self.does("logs", "lines"), [f"line {i}" for i in range(1, 6)])
        self.assertEqual(self.does("logs", "-n", "2", "lines"), ["line 4", "line 5"])
        self.assertEqual(self.does("logs", "--tail", "0", "lines"), [])
        self.assertTrue(all(re.match(r"\d{4}-\d\d-\d\dT[0-9:.]+Z line \d$", line)
                            for line in self.does("logs", "--timestamps", "lines")))
        self.assertEqual("".join(piece["text"] for piece in self.json("logs", "lines")),
                         "".join(f"line {i}\n" for i in range(1, 6)))
        self.assertEqual(self.does("logs", "-f", "lines"), [f"line {i}" for i in range(1, 6)])
        self.fails(7, "paddock: ", "logs", "nope")
        self.fails(2, "stdout or stderr", "logs", "--stream", "both", "lines")
        self.fails(2, "of which run?", "logs")
        self.fails(2, "one run", "logs", "-f", "web", "lines")

    def test_logs_of_what_runs(self):
        self.serve(TASKS)
        run = self.does("submit", "--direct", "slow")[0]
        until(lambda: self.does("logs", run) in (["first", "other"], ["other", "first"]), "the first lines")
        process = self.start("logs", "-f", run)
        got = b""
        while got.count(b"\n") < 2:
            got += os.read(process.stdout.fileno(), 100)
        self.write("go", "")
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual((process.returncode, sorted(got.split()), out, err), (0, [b"first", b"other"], b"last\n", b""))

    def test_standard_error_goes_to_standard_error(self):
        self.serve("tasks: {both: {command: 'echo up; until [ -e go ]; do sleep 0.02; done; echo out; echo err >&2', manual: true}}")
        run = self.does("submit", "--direct", "both")[0]
        process = self.start("logs", "-f", run)
        self.assertEqual(os.read(process.stdout.fileno(), 100), b"up\n")
        self.write("go", "")
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual((process.returncode, out, err), (0, b"out\n", b"err\n"))

    def test_events(self):
        self.serve(TASKS)
        process = self.start("events", "-f", "--json", "--type", "run.*", "--since", "0", "--limit", "7")
        self.does("submit", "--direct", "bad", "--wait", code=1)
        self.does("submit", "--direct", "bad", "--wait", code=1)
        out, err = process.communicate(timeout=paddock.PATIENCE)
        events = [json.loads(line) for line in out.decode().splitlines()]
        self.assertEqual((process.returncode, err, len(events)), (0, b"", 7))
        self.assertEqual({event["event"].split(".")[0] for event in events}, {"run"})
        self.assertEqual([e["outcome"] for e in events if e["event"] == "run.ended"], ["failed"] * 2)
        later = self.json("events", "bad", "--since", str(events[-2]["seq"]), "--limit", "1")
        self.assertGreater(later[0]["seq"], events[-2]["seq"])
        line = self.does("events", "bad", "--type", "run.ended", "--since", "0", "--limit", "1")[0]
        self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3}  run\.ended +subprocess-bad-\d+  .*outcome=failed  .*exit_code=3")
        kept = self.json("events", "--no-follow", "--type", "run.*")
        self.assertEqual(kept[:7], events)
        self.assertEqual(self.json("events", "--no-follow", "--type", "run.*", "--since", str(kept[1]["seq"]), "--limit", "2"), kept[2:4])
        self.assertEqual(self.does("events", "--no-follow", "nobody"), [])
        self.fails(2, "either --follow or --no-follow", "events", "-f", "--no-follow")

    def test_top_and_slots_on_paper(self):
        self.serve(TASKS)
        self.does("submit", "say", "--delay", "1h")
        until(lambda: any("second" in line for line in self.does("top")), "all of it")
        text = "\n".join(self.does("top"))
        for words in ("paddock   up  for", "runs      2 running  1 queued", "plugins ", "TOPIC\tDELAYED", "SLOT\tSTATE",
                      "RUN\tTASK"):
            self.assertIn(words, text)
        self.assertNotIn("\x1b", text)
        whole = self.json("top")[0]
        self.assertEqual(set(whole), {"status", "plugins", "slots", "topics", "runs"})
        slots = {line.split("\t")[0]: line.split("\t")[1:] for line in self.does("slots", "--no-header")}
        self.assertEqual(slots["s"][2], "1")
        self.assertEqual({slot["slot"] for slot in self.json("slots")}, set(slots))


class Steer(client.ClientCase):
    def test_cancel_and_retry(self):
        self.serve(TASKS)
        run = self.json("ps", "web")[0]["run_id"]
        self.assertEqual(self.does("cancel", "web", "--wait", "--reason", "enough", "-q"), [])
        ended = self.json("show", run)[0]
        self.assertEqual((ended["outcome"], ended["message"]), ("canceled", "enough"))
        self.fails(8, "it has ended", "cancel", run)
        again = self.does("retry", run)[0]
        self.assertNotEqual(again, run)
        self.assertEqual(self.does("cancel", "--now", again, "--wait"), [f"{again}: killed"])
        self.fails(7, "there is no run", "cancel", "nope")
        self.fails(2, "cancel what?", "cancel")
        self.does("submit", "--direct", "bad", "--wait", code=1)
        self.does("retry", "--wait", "bad", code=1)
        self.fails(8, "it has not ended", "retry", "first")

    def test_each_of_several_is_tried(self):
        self.serve(TASKS)
        result = self.fails(7, "there is no run", "cancel", "nope", "web")
        self.assertIn(": canceled", result.stdout)

    def test_pause_and_resume(self):
        self.serve(TASKS)
        self.does("pause", "web")
        self.assertTrue(self.json("show", "web")[0]["paused"])
        self.assertIn("paused", self.does("ps", "web")[1])
        self.does("resume", "web")
        self.assertFalse(self.json("show", "web")[0]["paused"])
        self.assertEqual(self.does("pause", "--slot", "s"), ["s: paused"])
        self.assertIn("s\tpaused", "\n".join(self.does("slots")))
        self.does("resume", "--slot", "s")
        self.assertEqual(self.does("pause", "--all"), ["server: paused"])
        self.assertTrue(self.json("top")[0]["status"]["paused"])
        self.does("resume", "--all")
        self.fails(2, "pause what?", "pause")

    def test_tasks_and_the_server(self):
        self.serve(TASKS)
        run = self.json("ps", "web")[0]["run_id"]
        self.does("restart", "web")
        new = until(lambda: [r for r in self.json("ps", "web") if r["run_id"] != run and r["state"] == "running"], "a new one")
        self.does("stop", "web")
        self.wait_state(new[0]["run_id"], "ended")
        self.does("start", "web")
        until(lambda: self.json("ps", "web"), "one more")
        self.fails(7, "nope", "restart", "nope")
        self.assertTrue(self.does("reload")[0].startswith("reloaded"))
        self.write("paddock.yaml", "tasks: {web: {comand: x}}\n")
        self.fails(2, "paddock.yaml:1:9: tasks.web", "reload")

    def test_the_queue(self):
        self.serve(TASKS)
        self.does("submit", "say", "--topic", "mail", "--delay", "1h", "--priority", "3")
        job = self.does("submit", "bad", "--topic", "mail", "--wait", "-q", code=1)[0]
        lines = [line.split("\t") for line in self.does("queue")]
        self.assertEqual(lines[0][:5], ["TOPIC", "DELAYED", "READY", "RUNNING", "DEAD"])
        self.assertEqual(lines[1][:5], ["mail", "1", "0", "0", "1"])
        self.assertEqual(self.json("queue", "stats")[0]["topic"], "mail")
        self.assertEqual(self.does("queue", "pause", "mail"), ["mail: paused"])
        self.assertEqual(self.does("queue", "limit", "mail", "4"), ["mail: 4 at once"])
        self.assertEqual(self.does("queue")[1].split("\t")[5::2], ["4", "paused"])
        self.does("queue", "resume", "mail")
        self.assertEqual([line.split("\t")[3] for line in self.does("queue", "list", "--no-header")], ["delayed", "dead"])
        self.assertEqual(len(self.json("queue", "list", "--state", "delayed")), 1)
        self.assertEqual(len(self.json("queue", "list", "--state", "delayed,ended")), 2)
        self.assertEqual(len(self.json("queue", "list", "--state", "ready", "--state", "ended,running")), 1)
        self.assertEqual(len(self.json("queue", "list", "--outcome", "failed,canceled")), 1)
        self.assertEqual(len(self.json("queue", "list", "--outcome", "succeeded", "--outcome", "lost")), 0)
        self.fails(2, 'did you mean delayed?', "queue", "list", "--state", "ready,delayd")
        self.fails(2, '"stuck" is not one of its values; expected delayed, ready, running or ended', "queue", "list", "--state", "stuck")
        self.fails(2, 'did you mean canceled?', "queue", "list", "--outcome", "cancelled")
        self.fails(2, '--state: ""', "queue", "list", "--state", "")
        self.assertEqual(len(self.does("queue", "list", "--topic", "other", "--no-header")), 0)
        delayed = self.json("queue", "list", "--state", "delayed")[0]["job_id"]
        self.fails(2, "the reason is not UTF-8", "cancel", delayed, "--reason", b"\xff")
        self.fails(2, "the reason is not UTF-8", "queue", "cancel", delayed, "--reason", b"\xff")
        self.assertEqual(self.does("cancel", "--now", delayed), [f"{delayed}: canceled"])
        self.assertEqual(self.json("queue", "show", delayed)[0]["outcome"], "canceled")
        self.does("retry", "--wait", "-q", job, code=1)
        self.fails(2, 'queue has no "nope"', "queue", "nope")
        self.fails(2, "queue pause wants a TOPIC", "queue", "pause")
        self.fails(2, "limit", "queue", "limit", "mail", "many")

    def test_dead_letters(self):
        self.serve(TASKS)
        jobs = [self.does("submit", "bad", "--wait", "-q", code=1)[0] for _ in range(3)]
        self.assertEqual([line.split("\t")[0] for line in self.does("dead", "--no-header")], jobs)
        self.assertEqual(self.json("dead", "list", "--limit", "1")[0]["job_id"], jobs[0])
        self.assertIn("state       dead: exit code 3", self.does("dead", "show", jobs[0]))
        self.assertEqual(self.does("dead", "replay", jobs[0]), [f"{jobs[0]}: 1 replayed"])
        until(lambda: len(self.does("dead", "--no-header")) == 3, "it is dead again")
        self.assertEqual(self.does("dead", "purge", jobs[1]), [f"{jobs[1]}: 1 purged"])
        self.assertEqual(self.json("dead", "purge", "--topic", "default"), [{"count": 2}])
        self.assertEqual(self.does("dead", "--no-header"), [])
        self.fails(7, "999", "dead", "replay", "999")
        self.fails(2, "which ones?", "dead", "replay")


client.need_plugins()
if __name__ == "__main__":
    paddock.main()
