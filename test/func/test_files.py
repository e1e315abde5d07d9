# SPDX-License-Identifier: Apache-2.0
"""Files that nobody should write: one clear error each, and never a crash."""

import os
import random

import paddock

GOOD = """
x-common: &common {restart: on-failure, retries: 2}
defaults: {env: {A: b}}
plugins: [{use: subprocess, labels: {zone: here}}]
tasks:
  one: {<<: *common, command: [echo, one]}
  two: {command: echo two, needs: one, selector: {matchExpressions: [{key: zone, operator: In, values: [here]}]}}
"""


class Files(paddock.Case):
    def refused(self, text, wanted=None, file="paddock.yaml"):
        self.write(file, text)
        for verb, code in (("check", 1), ("run", 3)):
            result = self.ended(self.paddock(verb, file), code)
            self.assertIn("error: ", result.stderr)
            self.assertIn(file, result.stderr)
            if wanted:
                self.assertIn(wanted, result.stderr)
        return result

    def test_the_good_one_is_good(self):
        self.write("paddock.yaml", GOOD)
        self.ended(self.paddock("check"), 0)

    def test_cut_anywhere(self):
        for size in range(0, len(GOOD), 3):
            self.write("cut.yaml", GOOD[:size])
            result = self.paddock("check", "cut.yaml")
            self.assertIn(result.returncode, (0, 1), f"cut at {size}: {result.stderr}")

    def test_a_byte_changed_anywhere(self):
        dice = random.Random(1)
        for _ in range(300):
            data = bytearray(GOOD.encode())
            data[dice.randrange(len(data))] = dice.randrange(256)
            self.write("changed.yaml", bytes(data))
            result = self.paddock("check", "changed.yaml")
            self.assertIn(result.returncode, (0, 1), f"{bytes(data)}: {result.stderr}")

    def test_bytes(self):
        self.refused(bytes(range(256)))
        self.refused(b"\x7fELF\x02\x01\x01" + os.urandom(5000))
        self.refused("tasks: {a: x}\n".encode("utf-16"))
        self.refused(b"tasks: {a: 'x\x00y'}\n")

    def test_too_large(self):
        self.refused("#" * (5 << 20), "4MiB")
        self.refused("a: " + "[" * 100 + "]" * 100)
        bomb = "x-a: &a [x]\n" + "".join(f"x-{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9))
        self.refused(bomb)

    def test_what_is_no_file(self):
        os.mkdir(self.path("folder.yaml"))
        self.ended(self.paddock("run", "folder.yaml"), 3)
        self.ended(self.paddock("check", "folder.yaml"), 1)
        os.mkfifo(self.path("pipe.yaml"))
        self.ended(self.paddock("check", "pipe.yaml"), 1)
        self.ended(self.paddock("check", "missing.yaml"), 1)

    def test_circles(self):
        self.refused("tasks: {a: {command: x, needs: b}, b: {command: x, needs: a}}", "a -> b -> a")

    def test_json_is_yaml_too(self):
        self.write("tasks.json", '{"tasks": {"a": ["echo", "from json"]}}')
        self.assertEqual(self.ended(self.paddock("run", "tasks.json"), 0).stdout, "from json\n")

    def test_all_faults_of_many_tasks_are_counted(self):
        tasks = "".join(f"  t{n}: {{command: x, bad{n}: 1}}\n" for n in range(1000))
        self.write("paddock.yaml", "tasks:\n" + tasks)
        result = self.ended(self.paddock("check"), 1)
        self.assertIn("1000 errors in 1 file", result.stderr)


if __name__ == "__main__":
    paddock.main()
