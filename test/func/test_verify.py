#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paddock verify as a user sees it: the report, the options, the exit codes. What each check finds is in test/verify."""

import json
import os
import re

import paddock

BUILD = os.path.dirname(os.path.dirname(paddock.PROGRAM))
ECHO = os.path.join(BUILD, "lib/paddock/plugins/echo.so")
BAD = os.path.join(BUILD, "test/verify/bad_%d.so")
GOOD = os.path.join(BUILD, "test/verify/good_runner.so")


class Report(paddock.Case):
    def test_a_good_plugin(self):
        result = self.ended(self.paddock("verify", GOOD), 0)
        self.assertEqual(result.stderr, "")
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], GOOD)
        self.assertEqual(lines[1:3], ["file", "  ✓   1  trusted"])
        self.assertIn("runner", lines)
        self.assertRegex(lines[-1], r"^\d+ checks: \d+ passed$")
        self.assertNotIn("\x1b", result.stdout)

    def test_a_failure_says_what_was_seen_and_the_rule(self):
        result = self.ended(self.paddock("verify", BAD % 350), 1)
        self.assertIn("  ✗  35  one done\n"
                      "         seen: done was said again\n"
                      "         rule: Exactly one done for each start that returned 0 (paddock/host.h)\n", result.stdout)
        self.assertRegex(result.stdout.splitlines()[-1], r"^\d+ checks: \d+ passed, [1-9]\d* failed$")

    def test_a_crash_costs_its_check_alone(self):
        result = self.ended(self.paddock("verify", BAD % 411), 1)
        self.assertRegex(result.stdout, r"✗  41  cancel crosses done\n +seen: (crashed: SIG\w+|ended the process .*) in cancel")
        self.assertIn("  ✓  42  kill\n", result.stdout)

    def test_a_hang_ends_with_its_time(self):
        result = self.ended(self.paddock("verify", "--check", "34", "--timeout", "1s", BAD % 342), 1)
        self.assertIn("seen: hung for 1s in start\n", result.stdout)

    def test_an_exit_is_told(self):
        result = self.ended(self.paddock("verify", "--check", "34", BAD % 343), 1)
        self.assertIn("seen: ended the process with exit code 3 in start", result.stdout)

    def test_what_it_prints_stays_off_our_streams(self):
        result = self.ended(self.paddock("verify", "--check", "17", BAD % 170), 1)
        self.assertIn("seen: it wrote: hello from start\n", result.stdout)
        self.assertEqual(result.stdout.count("hello"), 1)
        self.assertEqual(result.stderr, "")

    def test_verbose_shows_the_calls(self):
        result = self.ended(self.paddock("verify", "-v", "--check", "35", BAD % 350), 1)
        self.assertRegex(result.stdout, r"\n +100\.\d+  start \d+\n")
        self.assertIn("BROKEN: done was said again", result.stdout)

    def test_quiet_shows_failures_only(self):
        self.assertEqual(len(self.ended(self.paddock("verify", "-q", GOOD), 0).stdout.splitlines()), 1)
        result = self.ended(self.paddock("verify", "-q", BAD % 350), 1)
        self.assertNotIn("✓", result.stdout)

    def test_colour_when_asked_for(self):
        result = self.ended(self.paddock("verify", "--color", "always", "--check", "35", BAD % 350), 1)
        self.assertIn("\x1b[31m✗", result.stdout)


class Options(paddock.Case):
    def test_json(self):
        result = self.ended(self.paddock("verify", "--json", ECHO, BAD % 350), 1)
        checks = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual({check["file"] for check in checks}, {ECHO, BAD % 350})
        self.assertEqual({check["result"] for check in checks}, {"passed", "failed", "skipped"})
        one = next(check for check in checks if check["result"] == "failed")
        self.assertEqual((one["check"], one["role"], one["name"], one["header"]), (35, "runner", "one done", "host.h"))
        self.assertTrue(one["seen"] and one["rule"])

    def test_list(self):
        result = self.ended(self.paddock("verify", "--list"), 0)
        self.assertRegex(result.stdout, r"\n35\s+runner\s+one done\s+Exactly one done .*\shost\.h")
        result = self.ended(self.paddock("verify", "--list", "--check", "35"), 0)
        self.assertEqual(len(result.stdout.splitlines()), 2)

    def test_chosen_checks(self):
        result = self.ended(self.paddock("verify", "--check", "35", "--check", "40", ECHO), 0)
        self.assertEqual(re.findall(r"✓ +(\d+)", result.stdout), ["35", "40"])
        self.assertEqual(result.stdout.splitlines()[-1], "2 checks: 2 passed")

    def test_parameters_are_given(self):
        result = self.ended(self.paddock("verify", "--kind", "walk", "--with", '{"name": "it\'s me"}', GOOD), 0)
        self.assertNotIn("skipped", result.stdout)
        with_file = self.write("with.json", '{"name": ""}')
        result = self.ended(self.paddock("verify", "--kind", "walk", "--with", "@" + with_file, "--check", "35", GOOD), 0)
        self.assertIn("kind walk does not take", result.stdout)
        for file, words in (("/", "Is a directory"), ("/dev/zero", "larger than 1MiB")):
            result = self.ended(self.paddock("verify", "--kind", "walk", "--with", "@" + file, GOOD), 3)
            self.assertEqual(result.stderr, f"paddock: --with: {file}: {words}\n")

    def test_bad_command_lines(self):
        for arguments, text in (
                ([], "no plugin is named"),
                (["--check", "999", ECHO], "there is no check 999; --list shows all"),
                (["--check", "x", ECHO], "there is no check x"),
                (["--with", "{}", ECHO], "--with is for one kind"),
                (["--kind", "echo", "--with", "{", ECHO], "--with: "),
                (["--kind", "echo", "--with", "[]", ECHO], "--with wants a JSON object"),
                (["--timeout", "soon", ECHO], '--timeout: "soon" is not a duration'),
        ):
            result = self.ended(self.paddock("verify", *arguments), 2)
            self.assertIn(text, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_an_unknown_kind(self):
        result = self.ended(self.paddock("verify", "--kind", "ecko", ECHO), 2)
        self.assertIn('no kind "ecko"; did you mean "echo"?', result.stderr)


class NoPlugin(paddock.Case):
    def test_a_file_that_is_none(self):
        for name, text in (("text.so", "hello"), ("empty.so", "")):
            result = self.ended(self.paddock("verify", self.write(name, text)), 5)
            self.assertIn("✗   2  a plugin", result.stdout)
            self.assertNotIn("instance", result.stdout)

    def test_a_file_that_is_not_there(self):
        result = self.ended(self.paddock("verify", "/nowhere/x.so"), 5)
        self.assertEqual(result.stderr, "paddock: /nowhere/x.so: No such file or directory\n")


if __name__ == "__main__":
    paddock.main()
