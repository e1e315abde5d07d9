# SPDX-License-Identifier: Apache-2.0
"""What nobody should give to it: each ends in one clear error with the right exit code, and harms nothing else."""

import os
import re
import resource
import shutil
import subprocess
import unittest

import paddock
from paddock import is_alive, of, until

BUILD = os.environ.get("PADDOCK_BUILD", os.path.join(os.path.dirname(paddock.PROGRAM), ".."))
ZOO = os.path.join(BUILD, "test/zoo")
BAD = os.path.join(BUILD, "test/plugins/bad.so")
ECHO = os.path.join(BUILD, "lib/paddock/plugins/echo.so")
ROOT = os.geteuid() == 0
NOBODY = 65534


def is_sanitized():
    with open(shutil.which(paddock.PROGRAM), "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


class Case(paddock.Case):
    def one_error(self, result, code, *words):
        """It ends with this code and one error in these words."""
        self.ended(result, code)
        self.assertEqual(result.stderr.count("error: "), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def outcomes(self, text, *arguments, **more):
        """Task to event of the outcome; exactly one each."""
        result = self.run_file(text, "--json", "--stop-on", "never", *arguments, **more)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        self.assertFalse("Sanitizer" in result.stderr or "runtime error" in result.stderr, result.stderr[:3000])
        events = [paddock.json.loads(line) for line in result.stdout.splitlines()]
        ends = of(events, "run.ended") + of(events, "run.rejected")
        self.assertEqual(len(ends), len({end["task"] for end in ends}), "more than one outcome")
        return {end["task"]: end for end in ends}


class Files(Case):
    def test_what_has_no_end_is_not_read(self):
        for name in ("/dev/zero", "/dev/urandom", "/dev/full"):
            with self.subTest(name):
                self.one_error(self.paddock("run", name), 3, f"{name}: error: not a regular file")
        with open("/dev/zero") as zero:
            self.one_error(self.paddock("run", "-", stdin=zero), 3, "stdin: error: larger than 4MiB")

    def test_the_limit_of_size_is_exact(self):
        text = "tasks: {a: 'true'}\n"
        self.write("full.yaml", text + "#" * ((4 << 20) - len(text)))
        self.ended(self.paddock("check", "full.yaml"), 0)
        self.write("more.yaml", text + "#" * ((4 << 20) + 1 - len(text)))
        self.one_error(self.paddock("run", "more.yaml"), 3, "more.yaml: error: larger than 4MiB")
        with open(self.path("huge.yaml"), "w") as file:
            file.truncate(100 << 20)
        self.one_error(self.paddock("run", "huge.yaml"), 3, "huge.yaml: error: larger than 4MiB")

    def test_every_fault_has_one_place(self):
        cases = (
            ("tasks: {a: 'x\n", "1:12"), ('tasks: {a: "x\\0y"}\n', "1:12"), ("tasks: {a: [[b]]}\n", "1:13"),
            ("tasks: {a: {command: x, env: [b]}}\n", "1:30"), ("tasks: {a: {command: x, timeout: 5}}\n", "1:34"),
            ("tasks: {a: {comand: x, kind: echo}}\n", "1:13"), ("tasks: {a: x, a: y}\n", "1:15"),
            (f"tasks: {{{'n' * 64}: x}}\n", "1:9"), (f"tasks: {{a: {{command: x, labels: {{k: {'v' * 64}}}}}}}\n", "1:37"),
            (f"tasks: {{a: {{command: x, labels: {{{'k' * 300}: v}}}}}}\n", "1:34"), ("a: " + "[" * 100 + "]" * 100, "1:67"),
            ("tasks: {a: {command: x, cwd: /" + "d" * 5000 + "}}\n", "1:30"), ("tasks: {a: \x1b[2J}\n", "1:12"),
            ("tasks:\n\ta: x\n", "2:1"), ("limits: {running: -1}\ntasks: {}\n", "1:19"))
        for text, place in cases:
            with self.subTest(text[:60]):
                self.write("bad.yaml", text)
                result = self.paddock("run", "bad.yaml")
                self.one_error(result, 3, f"bad.yaml:{place}: error: ", "1 error in 1 file\n")
                self.assertNotIn("\x1b", result.stderr)
                self.assertTrue(all(len(line) < 700 for line in result.stderr.splitlines()), "a line is too long to read")

    def test_faults_that_plugins_find_have_their_path(self):
        for field, path in (("with: {umask: 9}", "with.umask"), ("with: {rlimits: {nofile: x}}", "with.rlimits.nofile"),
                            (f"env: {{A: {'x' * (1 << 20)}}}", "env.A"), ("resources: {memory: 4KiB}", "resources.memory")):
            with self.subTest(path):
                result = self.run_file(f"tasks: {{a: {{command: 'true', {field}}}}}")
                self.one_error(result, 3, f"error: tasks.a.{path}: ", "paddock.yaml:1:", "[plugin subprocess]")

    def test_a_fault_of_defaults_is_told_once(self):
        tasks = "".join(f"  t{n}: 'true'\n" for n in range(50))
        self.one_error(self.run_file("defaults: {with: {nice: 99}}\ntasks:\n" + tasks), 3, "paddock.yaml:1:25: error: defaults.with.nice")


class Plugins(Case):
    REFUSED = {
        "claim": "its entry says that it has", "empty_kinds": "serves no kind", "flags": "flags 0x00010000",
        "function": "is not data", "kind": '"two words" is not a kind', "magic": "not a plugin", "major": "ABI 2.0, this host has 1.x",
        "min_host": "needs a host of ABI 1.9", "name": "is not a plugin's name", "no_build": "has no build_task",
        "no_cancel": "has no cancel", "no_create": "has no create", "no_entry": "not a plugin", "no_kinds": "serves no kind",
        "no_role": "plays no role", "schema": "unknown type", "size": "its entry is 24 bytes", "small_ops": "its runner is 8 bytes",
        "tiny": "not a plugin", "undefined": "undefined symbol"}

    def refused(self, file, words):
        self.one_error(self.paddock("run", "--plugin", file, "--", "touch", "ran"), 5, os.path.basename(file), words)
        self.assertFalse(self.exists("ran"))

    def test_bad_ones_are_refused_before_anything_starts(self):
        for name, words in self.REFUSED.items():
            with self.subTest(name):
                self.refused(os.path.join(ZOO, f"bad_{name}.so"), words)

    def test_one_whose_create_fails(self):
        result = self.run_file(f"plugins: [subprocess, {{use: {ZOO}/bad_create.so}}]\ntasks: {{a: touch ran}}")
        self.one_error(result, 5, "paddock.yaml:1:", "the moon is in the wrong phase")
        self.assertFalse(self.exists("ran"))

    def patched(self, name, at, byte):
        shutil.copy(ECHO, self.path(name))
        with open(self.path(name), "r+b") as file:
            file.seek(at)
            file.write(bytes([byte]))
        return self.path(name)

    def test_files_that_are_no_plugin_of_this_machine(self):
        self.refused(self.write("text.so", "text\n"), "it is no ELF file")
        self.refused(self.write("empty.so", ""), "it is no ELF file")
        with open(ECHO, "rb") as file:
            self.refused(self.write("cut.so", file.read(5000)), "truncated")
        self.refused(self.patched("arch.so", 18, 0xF3), "built for ")
        self.refused(self.patched("bits.so", 4, 1), "built for 32 bits")
        self.refused(self.patched("order.so", 5, 2), "built for another byte order")
        os.mkdir(self.path("folder.so"))
        self.refused(self.path("folder.so"), "not a regular file")
        os.mkfifo(self.path("pipe.so"))
        self.refused(self.path("pipe.so"), "not a regular file")
        self.refused(self.path("none.so"), "No such file or directory")

    def test_who_else_may_write_it(self):
        file = shutil.copy(ECHO, self.path("open.so"))
        os.chmod(file, 0o666)
        self.refused(file, "writable by others")
        os.mkdir(self.path("open"))
        os.chmod(self.path("open"), 0o777)
        self.refused(shutil.copy(ECHO, self.path("open/echo.so")), "its folder is writable by others")

    @unittest.skipUnless(ROOT, "only root can give files away")
    def test_whose_it_is(self):
        file = shutil.copy(ECHO, self.path("alien.so"))
        os.chown(file, NOBODY, NOBODY)
        self.refused(file, f"owned by uid {NOBODY}")

    HOWS = {  # what the plugin does: the outcome, the attempts, what is said of it
        "twice": ("succeeded", 1, "done twice"), "thread": ("succeeded", 1, ""), "storm": ("succeeded", 1, "done twice|that is not on"),
        "late": ("succeeded", 1, ""), "liar": ("failed", 3, "whose start failed"), "ghost": ("fatal", 2, "done twice|that is not on"),
        "guess": ("succeeded", 1, "that is not on"), "odd": ("failed", 3, ""), "positive": ("failed", 3, "gave 42"),
        "canceled": ("canceled", 1, ""), "silent": ("failed", 3, ""), "flood": ("succeeded", 1, "are lost")}

    def test_ones_that_misbehave_as_they_run_harm_no_other(self):
        for how, (outcome, attempts, words) in self.HOWS.items():
            with self.subTest(how):
                text = (f"tasks:\n  b: {{kind: bad, with: {{how: {how}}}, retries: 2, backoff: 1ms}}\n"
                        "  ok: {command: sleep 0.02; echo fine, after: b}\n  more: sleep 0.2\n")
                ends = self.outcomes(text, "--plugin", BAD)
                self.assertEqual((ends["b"]["outcome"], ends["b"]["attempts"]), (outcome, attempts))
                self.assertEqual(ends["more"]["outcome"], "succeeded")
                result = self.run_file(text, "--plugin", BAD, "--stop-on", "never")
                self.assertTrue(re.search(words, result.stderr), result.stderr)
                self.assertRegex(result.stderr, rf"(?m)^b\t{outcome}\t{attempts}\t")
                self.assertIn("paddock: b: " + outcome, result.stderr)

    def test_one_that_never_ends_is_lost_and_named(self):
        # What a stuck task may still use is not freed.
        ends = self.outcomes("tasks: {b: {kind: bad, with: {how: never}, timeout: 50ms, stop: {grace: 50ms}}, ok: 'true'}",
                             "--plugin", BAD, env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual((ends["b"]["outcome"], ends["ok"]["outcome"]), ("lost", "succeeded"))
        self.assertIn("does not stop", ends["b"]["message"])


class Commands(Case):
    def test_what_cannot_be_executed(self):
        os.mkdir(self.path("folder"))
        cases = (("none", None, 127, "No such file"), ("folder", None, 126, "Permission denied"),
                 ("plain", "echo no x bit\n", 126, "Permission denied"), ("plain/x", None, 127, "Not a directory"),
                 ("empty", "", 126, "not executable"), ("text", "echo no first line\n", 126, "not executable"),
                 ("line", "#!\n", 126, "not executable"), ("elf", "\x7fELF", 126, "not executable"),
                 ("wrong", "#!/no/such/interpreter\n", 127, "the file is there: its interpreter"),
                 ("circle", "#!" + self.path("circle") + "\n", 126, "symbolic links"))
        for name, text, code, words in cases:
            with self.subTest(name):
                if text is not None:
                    os.chmod(self.write(name, text), 0o644 if name == "plain" else 0o755)
                result = self.ended(self.paddock("run", "--", f"./{name}"), code)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertIn(f'start "./{name}"', result.stderr)
                self.assertIn(words, result.stderr)

    def test_too_much_for_an_argument(self):
        ends = self.outcomes(f"tasks: {{a: {{command: [echo, {'x' * 200000}], retries: 5, backoff: 1ms}}, ok: 'true'}}")
        self.assertEqual((ends["a"]["outcome"], ends["a"]["attempts"]), ("fatal", 1))
        self.assertIn("Argument list too long", ends["a"]["message"])
        self.assertEqual(ends["ok"]["outcome"], "succeeded")

    def test_nothing_is_left_of_what_hides(self):
        hides = {
            "deaf": "trap '' TERM INT HUP; echo $$ >> pids; while :; do sleep 0.05; done",
            "holds": "sleep 1000 & echo $! >> pids; exit 0",
            "session": "setsid sh -c 'echo $$ >> pids; exec sleep 1001' & while ! grep -q . pids; do sleep 0.01; done; sleep 0.1",
            "daemon": "(setsid sh -c \"trap '' TERM; echo \\$\\$ >> pids; exec sleep 1002\" </dev/null >/dev/null 2>&1 &); sleep 0.2",
            "closed": "echo $$ >> pids; exec <&- >&- 2>&-; sleep 1003",
            "stopped": "echo $$ >> pids; kill -STOP $$; sleep 1004",
            "orphans": "sleep 1005 & echo $! >> pids; kill -9 $$"}
        endless = {"deaf", "closed", "stopped"}  # time enough to begin, on a busy machine too
        tasks = "".join(f"  {name}:\n    timeout: {'2s' if name in endless else 'none'}\n    stop: {{grace: 50ms}}\n"
                        f"    command: |\n      {script}\n" for name, script in hides.items())
        ends = self.outcomes("tasks:\n" + tasks)
        self.assertEqual(set(ends), set(hides))
        self.assertEqual({name for name, end in ends.items() if end["outcome"] == "timed_out"}, endless)
        pids = [int(pid) for pid in self.read("pids").split()]
        self.assertEqual(len(pids), len(hides))
        self.assertEqual([pid for pid in pids if is_alive(pid)], [])

    def test_garbage_on_its_output(self):
        data = b"\x1b[2J\x1b]0;title\x07\xff\xfe\x00\r\n" * 1000
        self.write("data", data)
        self.assertEqual(self.paddock("run", "--", "cat", "data", text=False, errors=None).stdout, data)
        result = self.run_file("tasks: {a: cat data, b: 'true'}", "--json")
        for line in self.ended(result, 0).stdout.splitlines():
            paddock.json.loads(line)
            self.assertNotIn("\x1b", line)

    def test_output_that_is_lost_is_no_success(self):
        with open("/dev/full", "w") as full:
            result = self.ended(self.paddock("run", "--", "echo", "a", stdout=full), 1)
            self.assertIn("cannot write to standard output: No space left on device", result.stderr)
            for _ in range(40):  # the failure may come at the very end
                result = self.ended(self.paddock("run", "--", "sh", "-c", "echo a; exit 3", stdout=full), 3)
                self.assertEqual(result.stderr.count("No space left on device"), 1, result.stderr)

    def test_what_never_started_is_not_told_as_a_success(self):
        self.write("paddock.yaml", "tasks: {a: 'echo $$ > pid; exec sleep 1000', b: {command: x, slot: a, when_busy: queue}}")
        process = self.start("run", "--json", stderr=subprocess.DEVNULL)
        self.pid_from("pid")
        process.terminate()
        out, _ = process.communicate(timeout=paddock.PATIENCE)
        rejected = of([paddock.json.loads(line) for line in out.splitlines()], "run.rejected", "b")
        self.assertEqual([event["reason"] for event in rejected], ["shutting_down"])
        self.assertNotEqual(rejected[0].get("message"), "succeeded")

    def test_a_line_without_end(self):
        size = 6 << 20  # beyond 8 MiB that wait, on a machine that is busy, output is dropped
        with open(self.path("out"), "wb") as out:
            result = self.paddock("run", "--", "head", "-c", str(size), "/dev/zero", stdout=out)
        self.ended(result, 0)
        self.assertEqual(os.path.getsize(self.path("out")), size)


class Limits(Case):
    def has_cgroups(self):
        return ROOT and "make a cgroup" not in self.paddock("run", "-s", "resources={pids: 9, memory: 64MiB}", "--", "true").stderr

    def test_hard_limits(self):
        if not self.has_cgroups():
            self.skipTest("no cgroup may be made here")
        bomb = "import os, time\nwhile True:\n  try: os.fork()\n  except OSError: time.sleep(0.01)\n"
        self.write("bomb.py", bomb)
        ends = self.outcomes(
            "tasks:\n  hog: {command: [python3, -c, 'print(len(bytearray(400 << 20)))'], resources: {memory: 30MiB}}\n"
            "  bomb: {command: [python3, bomb.py], resources: {pids: 20}, timeout: 1s, stop: {grace: 100ms}}\n  ok: sleep 0.1\n")
        self.assertEqual(ends["ok"]["outcome"], "succeeded")
        self.assertEqual(ends["hog"]["outcome"], "failed")
        self.assertEqual(ends["bomb"]["outcome"], "timed_out")
        left = subprocess.run(["pgrep", "-f", "bomb.py"], stdout=subprocess.PIPE, text=True).stdout.split()
        self.assertEqual([pid for pid in left if is_alive(int(pid)) and self.folder == self.cwd_of(pid)], [])

    def cwd_of(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return None

    def test_hardly_any_descriptors(self):
        for count in (20, 16, 12):
            with self.subTest(count):
                result = self.run_file("tasks: {a: sleep 0.1, b: sleep 0.1, c: sleep 0.1, d: sleep 0.1}", "--stop-on", "never",
                                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count)))
                self.assertIn(result.returncode, (0, 1), result.stderr)
                self.assertIn("4 tasks: ", result.stderr)
                if result.returncode:
                    self.assertIn("Too many open files", result.stderr)
        for count in (8, 7, 6, 5, 4):
            with self.subTest(count):
                result = self.run_file("tasks: {a: 'true'}",
                                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count)))
                self.assertEqual(result.returncode, 70, result.stderr)
                self.assertRegex(result.stderr, r"^paddock: cannot start: .*Too many open files\n$")

    def test_the_soft_limit_of_descriptors_is_for_children(self):
        soft, hard = 40, 400
        script = "echo $(ulimit -Sn) $(ulimit -Hn); sleep 0.3"
        result = self.run_file("tasks: {a: {command: '%s', replicas: 60}}" % script, "--prefix", "never",
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
        self.assertEqual(self.ended(result, 0).stdout, f"{soft} {hard}\n" * 60)
        own = self.run_file("tasks: {a: {command: 'ulimit -Sn', with: {rlimits: {nofile: 77}}}}",
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
        self.assertEqual(own.stdout, "77\n")

    @unittest.skipIf(is_sanitized(), "a sanitizer wants all addresses")
    def test_hardly_any_memory(self):
        said = 0
        for megabytes in (8, 12, 16, 20, 24, 28, 32, 64):
            size = megabytes << 20
            result = self.run_file("tasks: {a: 'true', b: echo b}", "--stop-on", "never",
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
            with self.subTest(megabytes):
                self.assertGreaterEqual(result.returncode, 0, f"it died: {result.stderr}")
                if result.returncode:
                    self.assertTrue(result.stderr, "it failed without a word")
                said += result.returncode == 0
        self.assertGreater(said, 0, "enough memory was never enough")

    @unittest.skipUnless(ROOT, "only root can become nobody")
    def test_as_nobody(self):
        os.chmod(self.folder, 0o777)
        text = ("tasks:\n  plain: id -u\n  other: {command: id, user: root}\n  nice: {command: id, with: {nice: -5}}\n"
                "  log: {command: echo a, log: /root/nobody.log}\n")
        ends = self.outcomes(text, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual({name: end["outcome"] for name, end in ends.items()},
                         {"plain": "succeeded", "other": "fatal", "nice": "fatal", "log": "succeeded"})
        self.assertIn("becoming the user root", ends["other"]["message"])
        self.assertIn("set nice to -5", ends["nice"]["message"])


if __name__ == "__main__":
    paddock.main()
