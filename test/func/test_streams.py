# SPDX-License-Identifier: Apache-2.0
"""Standard output that is closed, full, gone or slow; log files that cannot be written; few file descriptors."""

import os
import resource
import subprocess
import time

import paddock
from paddock import is_alive


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


class Streams(paddock.Case):
    def test_full_output(self):
        for arguments in (("version",), ("--help",), ("schema",), ("plugins",)):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                result = self.ended(self.paddock(*arguments, stdout=full), 1)
                self.assertEqual(result.stderr, "paddock: cannot write to standard output: No space left on device\n")

    def test_full_output_of_a_run_is_told_once_and_the_run_goes_on(self):
        with open("/dev/full", "w") as full:
            result = self.ended(self.run_file("tasks: {a: 'seq 1000; touch done'}", stdout=full), 1)
        self.assertEqual(result.stderr.count("cannot write to standard output: No space left on device"), 1)
        self.assertTrue(self.exists("done"))

    def test_closed_output(self):
        self.write("paddock.yaml", "tasks: {a: 'echo a; touch done'}\n")
        for verb, wanted in (("version", 1), ("run", 1)):
            with self.subTest(verb):
                result = subprocess.run(["sh", "-c", f'exec "$0" {verb} >&-', paddock.PROGRAM], cwd=self.folder, env=self.env,
                                        stderr=subprocess.PIPE, text=True, timeout=paddock.PATIENCE)
                self.assertEqual(result.returncode, wanted, result.stderr)
                self.assertEqual(result.stderr.count("cannot write to standard output: Bad file descriptor"), 1)
        self.assertTrue(self.exists("done"))

    def test_all_three_closed(self):
        self.write("paddock.yaml", "tasks: {a: 'echo a; echo a >&2; touch done'}\n")
        result = subprocess.run(["sh", "-c", 'exec "$0" run <&- >&- 2>&-', paddock.PROGRAM], cwd=self.folder, env=self.env,
                                timeout=paddock.PATIENCE)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(self.exists("done"))

    def test_a_reader_who_goes_ends_the_run(self):
        self.write("paddock.yaml", "tasks: {a: {command: 'echo $$ > pid; while echo y; do :; done', restart: always}}\n")
        process = self.start("run")
        self.assertEqual(process.stdout.readline(), b"y\n")
        pid = self.pid_from("pid")
        process.stdout.close()
        process.wait(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 143)
        self.assertFalse(is_alive(pid))
        self.assertNotIn(b"Broken pipe", process.stderr.read())

    def test_a_reader_who_does_not_read_holds_nothing_up(self):
        self.write("paddock.yaml", "tasks: {a: {command: 'head -c 30000000 /dev/zero | tr \"\\\\0\" x | fold -w 100'}}\n")
        process = self.start("run")
        self.wait_for_words(process, b"paddock: a: succeeded")
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.assertTrue(out.endswith(b"bytes of output were dropped here: the reader is too slow\n"), out[-200:])
        self.assertLess(len(out), 20000000)

    def test_a_log_file_without_room_is_told_once_and_the_run_goes_on(self):
        result = self.ended(self.run_file("tasks: {a: {command: 'seq 100; sleep 0.1; seq 100; touch done', log: /dev/full}}"), 0)
        self.assertEqual(result.stderr.count("cannot write /dev/full: No space left on device"), 1)
        self.assertTrue(self.exists("done"))

    def test_a_log_file_in_no_folder(self):
        result = self.ended(self.run_file("tasks: {a: {command: echo a, log: no/such/folder.log}}"), 0)
        self.assertIn("no/such/folder.log: No such file or directory", result.stderr)

    def test_few_file_descriptors(self):
        tasks = "".join(f"  t{n}: {{command: sleep 0.1; echo {n}, retries: 50, backoff: 50ms}}\n" for n in range(60))
        result = self.ended(self.run_file("tasks:\n" + tasks, "--stop-on", "never", preexec_fn=few_files), 0)
        self.assertEqual(sorted(int(line.split()[2]) for line in result.stdout.splitlines()), list(range(60)))

    def test_binary_output_passes_untouched(self):
        data = bytes(range(256)) * 64 + b"the end"
        self.write("data", data)
        self.assertEqual(self.paddock("run", "--", "cat", "data", text=False, errors=None).stdout, data)

    def test_what_is_printed_while_stopping_is_not_lost(self):
        script = "trap 'seq 300000; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        process = self.start("run", "--", "sh", "-c", script)
        self.assertEqual(process.stdout.readline(), b"up\n")
        process.terminate()
        out, _ = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(len(out.splitlines()), 300000)
        self.assertTrue(out.endswith(b"\n300000\n"))

    def test_many_at_once(self):
        tasks = "".join(f"  t{n}: echo {n}\n" for n in range(1000))
        began = time.monotonic()
        result = self.ended(self.run_file("tasks:\n" + tasks), 0)
        self.assertEqual(sorted(int(line.split()[-1]) for line in result.stdout.splitlines()), list(range(1000)))
        self.assertTrue(result.stderr.endswith("1000 tasks: 1000 succeeded\n"))
        self.assertLess(time.monotonic() - began, 30)

    def test_a_long_chain(self):
        tasks = "".join(f"  t{n}: {{command: 'true', needs: t{n + 1}}}\n" for n in range(500)) + "  t500: exit 1\n"
        result = self.ended(self.run_file("tasks:\n" + tasks, "--stop-on", "never"), 1)
        self.assertTrue(result.stderr.endswith("501 tasks: 1 failed, 500 rejected\n"), result.stderr[-200:])


if __name__ == "__main__":
    paddock.main()
