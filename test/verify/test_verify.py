#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paddock verify finds every plugin that breaks a rule, by the check that is for it, and no fault in those that do not."""

import concurrent.futures
import json
import os
import shutil
import sys

import paddock

FOLDER = os.environ["BAD_PLUGINS"]
OURS = [os.path.join(folder, name) for folder in os.environ["PLUGINS"].split() for name in sorted(os.listdir(folder))
        if name.endswith(".so")]
SUBPROCESS = '{"command": ["x"], "stdin": "y", "notify": true}'
# Needs a job, which the smallest parameters do not.
MORE = {"subprocess": [["--kind", "subprocess", "--with", SUBPROCESS]]}


def faults():
    return sorted(int(fault) for fault in os.environ["FAULTS"].split())


class Verify(paddock.Case):
    def verify(self, *arguments):
        result = self.paddock("verify", "--json", *arguments, timeout=240)  # all checks, some of which wait
        return result.returncode, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    def failed(self, checks):
        return {check["check"]: check.get("seen", "") for check in checks if check["result"] == "failed"}

    def catch(self, fault):
        """What the check that is for this fault has seen; None: it was blind."""
        limit = "2s" if fault == 342 else "60s"
        code, checks, error = self.verify("--timeout", limit, "--check", str(fault // 10), f"{FOLDER}/bad_{fault}.so")
        seen = self.failed(checks).get(fault // 10)
        wanted = 5 if fault // 10 == 2 else 1
        return seen if code == wanted and not error else None

    def test_every_fault_is_caught_by_its_check(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            seen = dict(zip(faults(), pool.map(self.catch, faults())))
        for fault, text in seen.items():
            print(f"check {fault // 10:3}  fault {fault:4}  {text}", file=sys.stderr)
        self.assertEqual([fault for fault, text in seen.items() if text is None], [])

    def test_every_check_has_a_fault_that_it_catches(self):
        result = self.ended(self.paddock("verify", "--list", "--json"), 0)
        numbers = {json.loads(line)["check"] for line in result.stdout.splitlines()}
        self.assertGreater(len(numbers), 40)
        self.assertEqual(numbers - {fault // 10 for fault in faults()}, {1})  # 1 is about the file: see below

    def test_a_file_that_others_may_write_is_found(self):
        path = shutil.copy(f"{FOLDER}/good_runner.so", self.folder)
        os.chmod(path, 0o666)
        code, checks, _ = self.verify(path)
        self.assertEqual(code, 1)
        self.assertEqual(list(self.failed(checks)), [1])
        self.assertIn("writable", self.failed(checks)[1])

    def test_good_plugins_pass_and_nothing_is_skipped(self):
        for role in ("runner", "source", "metrics"):
            code, checks, error = self.verify(f"{FOLDER}/good_{role}.so")
            self.assertEqual((code, self.failed(checks), error), (0, {}, ""))
            skipped = [check["check"] for check in checks if check["result"] == "skipped"]
            self.assertEqual(skipped, [23] if role == "metrics" else [])

    def test_our_own_plugins_pass(self):
        for path in OURS:
            name = os.path.basename(path)[:-3]
            for more in [[], *MORE.get(name, [])]:
                code, checks, error = self.verify(*more, path)
                self.assertEqual((name, code, self.failed(checks), error), (name, 0, {}, ""))
                if more:
                    skipped = {check["check"] for check in checks if check["result"] == "skipped"}
                    self.assertFalse(skipped & {47, 48, 49, 50}, skipped)


if __name__ == "__main__":
    paddock.main()
