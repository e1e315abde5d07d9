# SPDX-License-Identifier: Apache-2.0
"""What may be wrong with a config or a task is found by paddock check, with its place."""

import drive
from drive import task


class Config(drive.Case):
    def refused(self, words, tasks=None, **config):
        with self.subTest(words):
            self.write("paddock.yaml", self.file(tasks or {"t": task("echo")}, **config))
            result = self.paddock("check")
            self.assertNotEqual(result.returncode, 0, result.stdout)
            self.assertIn(words, result.stderr)
            self.assertIn("paddock.yaml:", result.stderr)
            return result.stderr

    def accepted(self, tasks=None, **config):
        self.write("paddock.yaml", self.file(tasks or {"t": task("echo")}, **config))
        self.ended(self.paddock("check"), 0)

    def test_pool_new_rejects_max_in_flight_above_protocol_limit(self):
        self.refused("max_in_flight", max_in_flight=65)
        self.refused("max_in_flight", max_in_flight=0)
        self.accepted(max_in_flight=64)

    def test_pool_sizes(self):
        self.refused("pool_size", pool_size=0)
        self.refused("pool_size", pool_size=257)
        self.refused("an external runner is one: pool_size stays 1", external="127.0.0.1:9000", pool_size=2)

    def test_tcp_range_overflow(self):
        self.refused("4 processes from port 65533 on would go beyond 65535", port=65533, pool_size=4)
        self.accepted(port=65532, pool_size=4)

    def test_external_or_managed(self):
        self.refused("command and external exclude each other", external="127.0.0.1:9000", command=["x"])
        self.refused("env is for a runner that Paddock starts", external="127.0.0.1:9000", env={"A": "b"})
        for address in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[::1]", "[127.0.0.1]:80", ":80", "host:80",
                        "127.0.0.1:80x"):
            self.refused("HOST:PORT", external=address)
        for address in ("127.0.0.1:9000", "localhost:9000", "[::1]:9000"):
            self.accepted(external=address)

    def test_the_command(self):
        self.refused("the command is empty", command=[])
        self.refused("Paddock adds --tcp-socket itself", command=["x", "--tcp-socket", "127.0.0.1:9000"])
        self.refused("Paddock adds --tcp-socket itself", command=["x", "--tcp-socket=127.0.0.1:9000"])
        self.accepted(command=["x", "--tcp-socket", "127.0.0.1:9000"], address="env")

    def test_values(self):
        self.refused("protocol", protocol=3)
        self.refused("max is less than first", backoff={"first": "2s", "max": "1s"})
        self.refused('TERM, INT, QUIT, HUP, USR1, USR2 or KILL is wanted, not "NO"', stop={"signal": "NO"})
        self.refused("'nofile' wants a number", rlimits={"nofile": "many"})
        self.refused("unknown", pool_siz=2)
        self.accepted(stop={"signal": "SIGINT"}, rlimits={"as": "2GiB", "core": "unlimited", "nofile": 100})

    def test_tasks(self):
        self.refused("function", {"t": {"kind": "rrq", "with": {}}})
        self.refused("the function's name is empty", {"t": task("")})
        self.refused("args and kwargs are of protocol 1, and this runner speaks 2: write params", {"t": task("f", args=[1])})
        self.refused("params and kwargs exclude each other", {"t": task("f", {"a": 1}, kwargs={})}, protocol=1)
        self.refused("the arguments are given twice", {"t": task("f", {"a": 1}, input={"b": 2})})
        self.refused("the input of a handler is a map, not a list", {"t": task("f", input=[1])})
        self.accepted({"t": task("f", {"a": 1}, args=[1])}, protocol=1)

    def test_without_a_config_it_takes_nothing(self):
        self.write("paddock.yaml", drive.json.dumps({"tasks": {"t": task("echo")}}))
        result = self.ended(self.paddock("route", "t"), 4)
        self.assertIn("its config has neither a command nor an external runner", result.stdout + result.stderr)

    def test_schema(self):
        out = self.ended(self.paddock("schema", "rrq"), 0).stdout
        self.assertIn('"function"', out)


if __name__ == "__main__":
    drive.main()
