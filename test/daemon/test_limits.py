# SPDX-License-Identifier: Apache-2.0
"""What a daemon takes of its machine when nobody has said anything: memory, descriptors, and none of what it does not use."""

import os
import resource
import socket
import unittest

from daemon import Daemon, until

SANITIZED = bool(os.environ.get("PDK_SANITIZED"))


class Case(unittest.TestCase):
    def daemon(self, *arguments, **more):
        daemon = Daemon(*arguments, **more)
        self.addCleanup(daemon.remove)
        return daemon


class Idle(Case):
    def status(self, daemon, key):
        with open(f"/proc/{daemon.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(key + ":"))

    def maps(self, daemon):
        with open(f"/proc/{daemon.process.pid}/maps") as maps:
            return {os.path.basename(line.split()[-1]) for line in maps if ".so" in line}

    def test_what_is_not_used_is_not_loaded(self):
        daemon = self.daemon().start()
        loaded = self.maps(daemon)
        self.assertLessEqual({"queue.so", "console.so", "subprocess.so"}, loaded)
        self.assertFalse({"otlp.so", "prometheus.so"} & loaded, loaded)
        self.assertFalse([name for name in loaded if name.startswith("libcurl")], loaded)
        daemon.stop()

    def test_what_is_configured_is_loaded(self):
        daemon = self.daemon("tasks: {}\nmetrics: {use: prometheus}\nserver: {without: [queue]}\n").start()
        loaded = self.maps(daemon)
        self.assertIn("prometheus.so", loaded)
        self.assertNotIn("queue.so", loaded)
        daemon.stop()

    @unittest.skipIf(SANITIZED, "a sanitizer has a memory of its own")
    def test_memory(self):
        daemon = self.daemon().start()
        resident = self.status(daemon, "VmRSS")
        print(f"   idle: {resident / 1024:.1f} MiB resident, of which {self.status(daemon, 'RssAnon') / 1024:.1f} are its own")
        self.assertLess(resident, 10 * 1024)
        daemon.stop()


class Descriptors(Case):
    SOFT, CONNECTIONS = 256, 1000

    def lower(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.SOFT, hard))

    def test_there_are_enough_and_children_have_what_we_were_given(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2 * self.CONNECTIONS:
            self.skipTest(f"SKIPPED: the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * self.CONNECTIONS), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        daemon = self.daemon().start(preexec_fn=self.lower)
        sockets = []
        for _ in range(self.CONNECTIONS):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(30)
            sock.connect(daemon.socket)
            sockets.append(sock)
        for sock in sockets:
            sock.sendall(b"GET /v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for sock in sockets:
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200 "))
        status, job = daemon.submit(["sh", "-c", "ulimit -n > limit; ulimit -Hn >> limit"], spec={"cwd": daemon.folder})
        self.assertEqual(status, 201, job)
        until(lambda: daemon.get(f"/v1/jobs/{job['job_id']}")["state"] == "ended")
        self.assertEqual(daemon.read("limit").split()[0], str(self.SOFT))
        self.assertIn(daemon.read("limit").split()[1], (str(hard), "unlimited"))
        for sock in sockets:
            sock.close()
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
