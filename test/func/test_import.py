# SPDX-License-Identifier: Apache-2.0
"""paddock import: inputs of our own beside what they become, errors, options; and what was imported runs."""

import glob
import json
import os
import re
import subprocess

import paddock

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../import")


def parts(text):
    """The files of an input: each begins with a line "### NAME"."""
    names = re.split(r"(?m)^### (.+)\n", text)[1:]
    return dict(zip(names[::2], names[1::2]))


class Import(paddock.Case):
    def give(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return self.write(name, text)

    def imported(self, *arguments, code=0, **more):
        return self.ended(self.paddock("import", *arguments, **more), code)

    def checked(self, text, *options):
        self.write("out.yaml", text)
        result = self.ended(self.paddock("check", "--strict", *options, "out.yaml"), 0)
        self.assertIn("no faults", result.stderr)

    def test_golden(self):
        """PADDOCK_GOLDEN=write writes what is wanted anew: read the difference."""
        cases = sorted(glob.glob(os.path.join(CASES, "*.in")))
        self.assertGreaterEqual(len(cases), 5)
        for case in cases:
            with self.subTest(os.path.basename(case)):
                with open(case) as file:
                    files = parts(file.read())
                for name, text in files.items():
                    self.give(name, text)
                named = [name for name in files if not re.search(r"^conf\.d/|\.d/.*\.conf$", name)]
                result = self.imported("-q", *named)
                text = result.stdout.replace(os.path.realpath(self.folder), "/HERE")
                golden = case[:-len(".in")] + ".yaml"
                if os.environ.get("PADDOCK_GOLDEN") == "write":
                    with open(golden, "w") as file:
                        file.write(text)
                with open(golden) as file:
                    self.assertEqual(text, file.read())
                self.checked(text, "--no-plugins")
                self.checked(text)

    def test_it_says_what_it_took_a_file_for_and_counts_what_it_could_not_say(self):
        self.write("app", "[program:a]\ncommand=x\nstdout_events_enabled=true\n")
        result = self.imported("app")
        self.assertEqual(result.stderr, "paddock: app: read as a configuration of supervisord\n"
                                        "paddock: 1 line could not be translated; it is a comment in the output\n")
        self.assertEqual(self.imported("app", "--quiet").stderr, "")
        self.assertNotIn("read as", self.imported("app", "--from", "supervisord").stderr)
        self.imported("app", "--strict", code=1)
        self.write("Procfile", "web: x\n")
        self.imported("Procfile", "--strict")

    def test_a_pipe_whose_writer_has_said_nothing_yet(self):
        os.mkfifo(self.path("pipe"))
        with open(os.open(self.path("pipe"), os.O_RDWR), "w") as pipe:  # before the other side: what nobody writes to is empty
            with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
                process = self.start("import", "--from", "procfile", "pipe", stdout=out, stderr=err)
            paddock.until(lambda: paddock.state_of(process.pid) in "SZX", "it waits")
            pipe.write("web: x\n")
        self.assertEqual(process.wait(timeout=paddock.PATIENCE), 0, self.read("err"))
        self.assertIn("web: x", self.read("out"))

    def test_standard_input(self):
        with open(self.write("jobs", "@reboot x\n")) as file:
            result = self.imported("--from", "cron", "-", stdin=file)
        self.assertEqual(result.stdout, "# Made by paddock import from standard input\ntasks:\n  x: x\n")
        self.assertIn("say --from", self.imported("-", code=2).stderr)

    def test_output_is_never_overwritten_unasked(self):
        self.write("Procfile", "web: x\n")
        self.write("there.yaml", "mine\n")
        self.assertIn("there.yaml is there already; --force overwrites it",
                      self.imported("-o", "there.yaml", "Procfile", code=3).stderr)
        self.assertEqual(self.read("there.yaml"), "mine\n")
        self.assertIn("there.yaml: 1 task\n", self.imported("-o", "there.yaml", "--force", "Procfile").stderr)
        self.assertIn("  web: x\n", self.read("there.yaml"))
        self.imported("-o", "no/such/folder.yaml", "Procfile", code=3)
        self.write("Procfile", "".join(f"web{n}: x\n" for n in range(1000)))
        result = subprocess.run(["sh", "-c", 'trap "" XFSZ; ulimit -f 1; "$1" import -o new.yaml Procfile', "sh",
                                 paddock.PROGRAM], cwd=self.folder, capture_output=True, text=True)
        self.assertIn("cannot write new.yaml: File too large", self.ended(result, 3).stderr)
        self.assertFalse(self.exists("new.yaml"))  # nor does it stand in the way of the next

    def forced(self, before, *after, output="there.yaml"):
        """By a shell that does something before; the last of it is what runs the program."""
        script = f'{before} "$1" import --force -q -o {output} Procfile'
        return self.ended(subprocess.run(["sh", "-c", script, "sh", paddock.PROGRAM], cwd=self.folder, env=self.env,
                                         capture_output=True, text=True, timeout=paddock.PATIENCE), *after)

    def test_what_is_overwritten_stays_on_any_failure(self):
        self.write("Procfile", "".join(f"web{n}: x\n" for n in range(1000)))
        self.write("there.yaml", "mine\n")
        os.mkdir(self.path("closed"))
        self.write("closed/there.yaml", "mine\n")
        os.chmod(self.path("closed"), 0o555)
        self.addCleanup(os.chmod, self.path("closed"), 0o755)
        self.write("kept.yaml", "mine\n")
        os.chmod(self.path("kept.yaml"), 0o444)
        before = sorted(os.listdir(self.folder))
        said = self.forced('trap "" XFSZ; ulimit -f 1;', 3).stderr
        self.assertEqual(said, "paddock: cannot write there.yaml: File too large; what was there stays\n")
        user = "setpriv --bounding-set=-dac_override --inh-caps=-dac_override" if os.geteuid() == 0 else ""
        for name in ("closed/there.yaml", "kept.yaml"):
            said = self.forced(user, 3, output=name).stderr
            self.assertEqual(said, f"paddock: cannot write {name}: Permission denied; what was there stays\n")
        self.assertIn("Is a directory", self.forced("", 3, output="closed").stderr)
        for name in ("there.yaml", "closed/there.yaml", "kept.yaml"):
            self.assertEqual(self.read(name), "mine\n", name)
        self.assertEqual((sorted(os.listdir(self.folder)), os.listdir(self.path("closed"))), (before, ["there.yaml"]))

    def test_what_is_overwritten_keeps_its_mode_and_the_links_to_it(self):
        self.write("Procfile", "web: x\n")
        self.write("there.yaml", "mine\n")
        os.chmod(self.path("there.yaml"), 0o640)
        if os.geteuid() == 0:
            os.chown(self.path("there.yaml"), 1, 2)
        owner = os.stat(self.path("there.yaml"))
        os.symlink("there.yaml", self.path("link.yaml"))
        with open(self.path("there.yaml")) as old:
            self.forced("umask 077;", 0, output="link.yaml")
            self.assertEqual(old.read(), "mine\n")  # who reads it has it whole
        self.assertTrue(os.path.islink(self.path("link.yaml")))
        self.assertIn("  web: x\n", self.read("there.yaml"))
        found = os.stat(self.path("there.yaml"))
        self.assertEqual((found.st_mode & 0o7777, found.st_uid, found.st_gid), (0o640, owner.st_uid, owner.st_gid))
        self.assertEqual(sorted(os.listdir(self.folder)), ["Procfile", "link.yaml", "there.yaml"])
        self.assertIn("  web: x\n", self.forced("", 0, output="/dev/stdout").stdout)  # no file: it is written to

    def test_errors(self):
        self.write("Procfile", "web: x\nwhat is this\n")
        self.assertEqual(self.imported("-q", "Procfile", "-o", "out.yaml", code=3).stderr,
                         "Procfile:2:1: error: this is not a process\n  2 | what is this\n"
                         "    | ^~~~~~~~~~~~ expected NAME: COMMAND\n")
        self.assertFalse(self.exists("out.yaml"))
        self.assertIn("none: error: cannot be read: No such file", self.imported("none", code=3).stderr)
        self.assertIn("Is a directory", self.imported(self.folder, "--from", "cron", code=3).stderr)
        self.assertIn('did you mean systemd?', self.imported("--from", "sytemd", "Procfile", code=2).stderr)
        self.assertIn("which file?", self.imported(code=2).stderr)
        self.write("odd", "hello\n")
        self.assertIn("say --from procfile, systemd", self.imported("odd", code=3).stderr)
        self.write("large", "# 3456789\n" * (1 << 19))
        self.assertIn("File too large", self.imported("large", "--from", "cron", code=3).stderr)

    def test_json(self):
        self.write("a.service", "[Service]\nExecStart=/x %h\nExecStartPre=/p\nRestart=always\nRestartSec=3\nFoo=1\n")
        lines = [json.loads(line) for line in self.imported("--json", "a.service").stdout.splitlines()]
        tasks = {line["task"]: line["spec"] for line in lines if "spec" in line}
        self.assertEqual(tasks["a"]["command"], ["/x", "${HOME:-/root}"])
        self.assertEqual((tasks["a"]["restart"], tasks["a"]["backoff"], tasks["a"]["needs"]), ("always", "3s", ["a-pre"]))
        notes = [line for line in lines if "note" in line]
        self.assertIn({"note": "Foo=1 has no counterpart here", "kind": "untranslated", "task": "a", "file": "a.service",
                       "line": 6}, notes)
        self.write("all.json", json.dumps({"tasks": tasks}))
        self.ended(self.paddock("check", "all.json"), 0)

    def test_what_is_beside_a_unit(self):
        self.write("a.service", "[Service]\nExecStart=/x\n")
        self.write("a.timer", "[Timer]\nOnUnitActiveSec=1min\n")
        self.give("a.service.d/1.conf", "[Service]\nNice=3\n")
        for name in ("a.service", "a.timer"):
            self.assertIn("  a: {command: [/x], every: 1m, with: {nice: 3}}\n", self.imported("-q", name).stdout)

    def test_a_procfile_runs(self):
        self.write("Procfile", "release: echo ready > released\nweb: cat released; echo \"port $PORT\"\n"
                               "worker: X='a b' sh -c 'echo \"<$X>\"'\n")
        self.imported("-q", "-o", "paddock.yaml", "Procfile")
        result = self.ended(self.paddock("run"), 0)
        for wanted in ("web     | ready\n", "web     | port 5100\n", "worker  | <a b>\n"):
            self.assertIn(wanted, result.stdout)

    def test_a_supervisord_conf_runs(self):
        self.write("supervisord.conf",
                   "[supervisord]\nenvironment=GREETING=\"hello you\"\n"
                   "[program:first]\ncommand=sh -c 'echo \"$GREETING from $0\" %(ENV_WHO)s' %(program_name)s\npriority=1\n"
                   "redirect_stderr=true\n"
                   "[program:copies]\ncommand=sh -c \"echo number $0; test -e again.$0 || { : > again.$0; exit 3; }\" "
                   "%(process_num)02d\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\npriority=2\n"
                   "directory=%(here)s\nstdout_logfile=%(here)s/copies.log\n")
        self.imported("-q", "-o", "paddock.yaml", "supervisord.conf")
        result = self.ended(self.paddock("run", "--stop-on", "never", env={"WHO": "me"}), 0)
        self.assertIn("first    | hello you from first me\n", result.stdout)
        self.assertEqual(sorted(self.read("copies.log").splitlines()), ["number 00"] * 2 + ["number 01"] * 2)


if __name__ == "__main__":
    paddock.main()
