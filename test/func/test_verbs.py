# SPDX-License-Identifier: Apache-2.0
"""Every verb: what it prints, and with which code it ends."""

import json
import os
import subprocess

import paddock

VERBS = ("run", "check", "route", "plugins", "schema", "new", "import", "version", "completion", "help")

FILE = """
plugins:
  - {use: subprocess, name: here, labels: {zone: local}}
  - {use: subprocess, name: there, labels: {zone: far}}
tasks:
  plain: echo plain
  far: {command: echo far, selector: {zone: far}, labels: {tier: back}}
  nowhere: {command: echo no, selector: {zone: moon}, manual: true}
"""


class Verbs(paddock.Case):
    def test_alone_it_prints_help_and_says_that_this_was_not_right(self):
        result = self.ended(self.paddock(), 2)
        self.assertEqual(result.stdout, "")
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", result.stderr)

    def test_help_of_every_verb(self):
        for verb in VERBS:
            with self.subTest(verb):
                result = self.ended(self.paddock(verb, "--help"), 0)
                self.assertIn(f"paddock {verb}", result.stdout)
                self.assertEqual(result.stderr, "")
                self.assertEqual(result.stdout, self.ended(self.paddock("help", verb), 0).stdout)
                self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
                self.assertTrue(all(line == line.rstrip() for line in result.stdout.splitlines()))

    def test_version(self):
        plain = self.ended(self.paddock("version"), 0).stdout
        self.assertRegex(plain, r"^paddock \d+\.\d+\.\d+\n$")
        self.assertEqual(plain, self.paddock("--version").stdout)
        self.assertEqual(json.loads(self.paddock("version", "--json").stdout)["version"], plain.split()[1])

    def test_unknown_words_get_a_hint(self):
        for arguments, wanted in (
                (("runn",), 'there is no verb "runn"; did you mean "run"?'),
                (("shop.yaml",), 'did you mean "paddock run shop.yaml"?'),
                (("--json",), "the verb comes first, before --json"),
                (("run", "--stop-onn", "exit"), "unknown option --stop-onn; did you mean --stop-on?"),
                (("run", "-x"), "unknown option -x"),
                (("run", "--stop-on"), "--stop-on wants a value: WHEN"),
                (("run", "--stop-on", "now"), '--stop-on: "now" is not one of its values; expected failure, exit or never'),
                (("run", "--dry-run=yes"), "--dry-run takes no value"),
                (("run", "a.yaml", "b.yaml"), "a second file: b.yaml"),
                (("run", "--"), "no command behind --"),
                (("run", "a.yaml", "--", "true"), "either a.yaml or a command behind --, not both"),
                (("run", "-l", "a=", "--only", "x"), "--only names all tasks"),
                (("run", "-l", "a in"), "-l a in: "),
                (("check", "word"), 'unexpected word "word"'),
                (("completion",), "for which shell?"),
                (("completion", "csh"), 'no completion for "csh"'),
                (("help", "rout"), 'did you mean "route"?')):
            with self.subTest(arguments):
                result = self.ended(self.paddock(*arguments), 2)
                self.assertIn(wanted, result.stderr)
                self.assertIn('\ntry "paddock ', result.stderr)
                self.assertEqual(result.stdout, "")

    def test_options_may_stand_anywhere(self):
        self.write("paddock.yaml", FILE)
        one = self.ended(self.paddock("route", "--json", "paddock.yaml", "plain"), 0).stdout
        self.assertEqual(one, self.paddock("route", "./paddock.yaml", "plain", "--json").stdout.replace("./", ""))
        self.assertEqual(one, self.paddock("route", "plain", "--json").stdout)

    def test_check(self):
        self.write("paddock.yaml", "tasks: {a: echo a}\n")
        result = self.ended(self.paddock("check"), 0)
        self.assertIn("no faults: 1 task in 1 file", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_check_finds_all_faults_by_place(self):
        self.write("bad.yaml", "tasks:\n  web:\n    command: ./web\n    restrat: always\n    timeout: 30\n"
                               "  api: {kind: subprocess, command: [x], needs: [workr]}\n  worker: x\n  gone: {kind: contaner}\n")
        result = self.ended(self.paddock("check", "bad.yaml"), 1)
        for wanted in ('bad.yaml:4:5: error: tasks.web: unknown field "restrat"', 'did you mean "restart"?',
                       "bad.yaml:5:14: error: tasks.web.timeout", 'there is no task "workr"', 'did you mean "worker"?'):
            self.assertIn(wanted, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^\d+ errors( and \d+ warnings?)? in 1 file$")
        faults = [json.loads(line) for line in self.ended(self.paddock("check", "--json", "bad.yaml"), 1).stdout.splitlines()]
        self.assertTrue(all(fault["severity"] == "error" for fault in faults))
        self.assertEqual([fault["line"] for fault in faults], sorted(fault["line"] for fault in faults))
        self.assertEqual(faults[0]["suggestion"], "restart")

    def test_check_without_plugins(self):
        self.write("paddock.yaml", "tasks: {a: {kind: nothing-serves-this}}\n")
        self.ended(self.paddock("check", "--no-plugins"), 0)
        self.assertIn('no runner serves "nothing-serves-this"', self.ended(self.paddock("check"), 1).stderr)

    def test_route(self):
        self.write("paddock.yaml", FILE)
        result = self.ended(self.paddock("route", "far"), 0)
        rows = [line.split("\t") for line in result.stdout.splitlines()]
        self.assertEqual(rows[0][0], "far  kind subprocess  selector zone=far")
        self.assertEqual(rows[1][:4], ["1", "here", "no", "zone=local, wanted zone=far"])
        self.assertEqual(rows[1][4], "plugins: line 3")
        self.assertEqual(rows[2][:3], ["2", "there", "YES"])

    def test_route_as_json(self):
        self.write("paddock.yaml", FILE)
        lines = [json.loads(line) for line in self.ended(self.paddock("route", "--json"), 4).stdout.splitlines()]
        by_name = {line["task"]: line for line in lines}
        self.assertEqual(by_name["plain"]["runner"], "here")
        self.assertEqual(by_name["far"]["runner"], "there")
        self.assertNotIn("runner", by_name["nowhere"])
        verdicts = {c["name"]: c["verdict"] for c in by_name["far"]["candidates"]}
        self.assertEqual(verdicts["here"], "label")
        self.assertEqual(verdicts["there"], "taken")
        self.assertEqual({c["name"]: c["verdict"] for c in by_name["plain"]["candidates"]}["there"], "shadowed")

    def test_route_by_selector_and_unknown_names(self):
        self.write("paddock.yaml", FILE)
        self.assertEqual(json.loads(self.ended(self.paddock("route", "--json", "-l", "tier=back"), 0).stdout)["task"], "far")
        self.assertIn('there is no task "fra"; did you mean "far"?', self.ended(self.paddock("route", "fra"), 7).stderr)

    def test_plugins(self):
        self.write("paddock.yaml", FILE)
        rows = [line.split("\t") for line in self.ended(self.paddock("plugins"), 0).stdout.splitlines()]
        self.assertEqual(rows[0], ["NAME", "VERSION", "ABI", "ROLES", "KINDS", "LABELS", "FILE"])
        self.assertEqual([row[0] for row in rows[1:3]], ["here", "there"])
        self.assertEqual(rows[1][3:6], ["runner", "subprocess", "zone=local"])
        self.assertNotIn("subprocess", [row[0] for row in rows])

    def test_plugins_in_full(self):
        result = self.ended(self.paddock("plugins", "subprocess"), 0)
        for wanted in ("kind subprocess", "nice", "umask"):
            self.assertIn(wanted, result.stdout)
        self.assertIn('did you mean "subprocess"?', self.ended(self.paddock("plugins", "subproces"), 5).stderr)
        self.assertEqual(json.loads(self.paddock("plugins", "--json", "subprocess").stdout)["kinds"], ["subprocess"])

    def test_refused_plugins_are_listed_with_the_reason(self):
        os.mkdir(self.path("plugins"))
        self.write("plugins/bad.so", "this is no shared object\n")
        rows = self.ended(self.paddock("plugins", "-L", "plugins"), 0).stdout.splitlines()
        row = next(row for row in rows if row.startswith("bad\t"))
        self.assertIn("\tREFUSED\t", row)
        self.assertIn("bad.so: ", row)

    def test_schema(self):
        schema = json.loads(self.ended(self.paddock("schema"), 0).stdout)
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        self.assertIn("tasks", schema["properties"])
        kind = json.loads(self.ended(self.paddock("schema", "subprocess"), 0).stdout)
        self.assertIn("nice", kind["properties"])
        fields = [line.split("\t") for line in self.ended(self.paddock("schema", "--fields"), 0).stdout.splitlines()]
        self.assertTrue(all(len(field) == 4 for field in fields))
        self.assertIn("restart", [field[0] for field in fields])
        self.ended(self.paddock("schema", "nonsense"), 5)

    def test_completion(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("paddock __complete", self.ended(self.paddock("completion", shell), 0).stdout)
        script = self.write("completion", self.paddock("completion", "bash").stdout)
        subprocess.run(["bash", "-n", script], check=True)
        self.write("paddock.yaml", "tasks: {web: {command: x, description: The site}, worker: y}\n")
        words = [line.split("\t") for line in self.paddock("__complete", "run", "w").stdout.splitlines()]
        self.assertEqual(words, [["web", "The site"], ["worker", "task"]])
        self.assertIn("--stop-on\t", self.paddock("__complete", "run", "--").stdout)
        self.assertIn("route\t", self.paddock("__complete", "").stdout)
        self.assertIn("procfile\ta Procfile\n", self.paddock("__complete", "import", "--from", "").stdout)

    def test_bash_completes(self):
        self.write("paddock.yaml", "tasks: {web: x, worker: y}\n")
        script = ('source <("$P" completion bash); paddock() { "$P" "$@"; }; COMP_WORDS=(paddock run w); COMP_CWORD=2; '
                  '_paddock; echo "${COMPREPLY[*]}"')
        result = subprocess.run(["bash", "-c", script], cwd=self.folder, env={**self.env, "P": paddock.PROGRAM},
                                stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(result.stdout, "web worker\n")


if __name__ == "__main__":
    paddock.main()
