# SPDX-License-Identifier: Apache-2.0
"""paddock new: what it writes, and what it refuses to. That its projects build and pass is told by test/install."""

import json
import os
import subprocess

import paddock

PLUGIN = [".gitignore", "CMakeLists.txt", "Makefile", "README.md", "paddock.yaml", "plugin.c", "test.c"]
KINDS = [("runner",), ("runner", "--async"), ("runner", "--thread"), ("runner", "--process"), ("source",), ("metrics",)]


class New(paddock.Case):
    def list(self, folder):
        return sorted(os.listdir(self.path(folder)))

    def test_every_plugin(self):
        for kind in KINDS:
            name = "a-" + "".join(kind).replace("--", "")
            with self.subTest(name):
                result = self.ended(self.paddock("new", *kind, name), 0)
                self.assertEqual(sorted(result.stdout.split()), [f"{name}/{file}" for file in PLUGIN])
                self.assertEqual(self.list(name), PLUGIN)
                self.assertIn(f"next: cd {name} && make test", result.stderr)
                texts = [self.read(f"{name}/{file}") for file in PLUGIN]
                self.assertFalse([text for text in texts if "@NAME@" in text or "@WHAT@" in text or "SPDX" in text])
                self.assertIn(f'"{name}"', self.read(f"{name}/plugin.c"))

    def test_tasks_run_as_they_are(self):
        result = self.ended(self.paddock("new", "tasks"), 0)
        self.assertEqual(result.stdout, "paddock.yaml\n")
        self.ended(self.paddock("check", "--strict"), 0)
        self.assertIn("import: attempt 2\n", self.ended(self.paddock("run"), 0).stdout)

    def test_nothing_is_overwritten(self):
        self.write("paddock.yaml", "mine")
        result = self.ended(self.paddock("new", "tasks"), 3)
        self.assertIn("paddock.yaml is there already", result.stderr)
        self.assertEqual(self.read("paddock.yaml"), "mine")
        os.mkdir(self.path("one"))
        self.write("one/test.c", "mine")
        result = self.ended(self.paddock("new", "runner", "one"), 3)
        self.assertIn("one/test.c is there already", result.stderr)
        self.assertEqual((self.list("one"), self.read("one/test.c")), (["test.c"], "mine"))

    def test_a_link_to_nowhere_is_something(self):
        os.symlink("elsewhere", self.path("paddock.yaml"))
        self.ended(self.paddock("new", "tasks"), 3)
        self.assertEqual(os.listdir(self.folder), ["paddock.yaml"])

    def test_elsewhere(self):
        result = self.ended(self.paddock("new", "runner", "one", "-o", "a/b/c/"), 0)
        self.assertIn("a/b/c/plugin.c\n", result.stdout)
        self.assertEqual(self.list("a/b/c"), PLUGIN)
        os.mkdir(self.path("there"))
        self.write("there/notes", "mine")
        self.ended(self.paddock("new", "tasks", "--output=there"), 0)
        self.assertEqual(self.list("there"), ["notes", "paddock.yaml"])

    def test_what_cannot_be_written_leaves_nothing(self):
        result = self.ended(self.paddock("new", "runner", "one", "-o", "/dev/null/x"), 3)
        self.assertIn("cannot make the folder /dev/null/x: Not a directory", result.stderr)
        # A file larger than may be: those written before it are taken back.
        result = subprocess.run(["sh", "-c", 'trap "" XFSZ; ulimit -f 1; "$1" new runner one', "sh", paddock.PROGRAM],
                                cwd=self.folder, capture_output=True, text=True)
        self.ended(result, 3)
        self.assertIn("cannot write one/", result.stderr)
        self.assertIn("File too large", result.stderr)
        self.assertEqual(self.list("one"), [])

    def test_json(self):
        result = self.ended(self.paddock("new", "source", "inbox", "--json"), 0)
        made = json.loads(result.stdout)["files"]
        self.assertEqual(sorted(made), ["inbox/" + file for file in PLUGIN])
        self.assertEqual(json.loads(result.stdout), {"what": "source", "name": "inbox", "folder": "inbox", "files": made})
        self.assertEqual(self.paddock("new", "tasks", "-q").stdout, "")

    def test_bad_command_lines(self):
        for arguments, wanted in (
                ((), "a new what?; expected runner, source, metrics or tasks"),
                (("plugin", "a"), 'there is no "plugin" to begin'),
                (("runner",), "the runner wants a name"),
                (("runner", "a", "b"), 'unexpected word "b"'),
                (("tasks", "a"), 'unexpected word "a"'),
                (("runner", "Greet"), '"Greet" is not a plugin\'s name: it must begin with a lower-case letter or a digit'),
                (("runner", "gre_et"), "only lower-case letters, digits and '-' may be in it"),
                (("runner", "a/b"), "only lower-case letters, digits and '-' may be in it"),
                (("runner", "a" * 64), "it is longer than 63 characters"),
                (("runner", ""), "it is empty"),
                (("source", "a", "--async"), "--async is for runners"),
                (("runner", "a", "--async", "--process"), "either --async or --process, not both"),
                (("runner", "a", "-o", ""), "--output wants the name of a folder")):
            with self.subTest(arguments):
                result = self.ended(self.paddock("new", *arguments), 2)
                self.assertIn(wanted, result.stderr)
                self.assertEqual(os.listdir(self.folder), [])

    def test_completion(self):
        words = [line.split("\t")[0] for line in self.paddock("__complete", "new", "").stdout.splitlines()]
        self.assertEqual(words, ["runner", "source", "metrics", "tasks"])
        self.assertEqual(self.paddock("__complete", "new", "runner", "").stdout, "")
        self.assertIn("--process\t", self.paddock("__complete", "new", "-").stdout)


if __name__ == "__main__":
    paddock.main()
