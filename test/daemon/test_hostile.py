# SPDX-License-Identifier: Apache-2.0
"""
Bytes that are no good HTTP, thrown at the real server through its own socket and through one that it was started with: it
answers whoever asks well, closes what it opened, keeps nothing, and ends well. The corpus is that of the console; mutations of
it are the same each time, PADDOCK_SEED begins elsewhere.
"""

import os
import random
import selectors
import socket
import unittest

from daemon import Daemon, until

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../console/corpus")
SANITIZED = bool(os.environ.get("PDK_SANITIZED"))
CONFIG = "tasks: {}\nserver: {log: error}\nplugins: [{use: echo}, {use: console, config: {request_timeout: 1s, idle_timeout: 1s}}]\n"


def mutated(chance, data):
    data = bytearray(data[:4096])
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, max(len(data) - 1, 0))
        what = chance.randint(0, 3)
        if what == 0 and data:
            data[at] ^= 1 << chance.randint(0, 7)
        elif what == 1:
            data[at:at] = chance.randbytes(chance.randint(1, 8))
        elif what == 2:
            del data[at:at + chance.randint(1, 16)]
        else:
            del data[chance.randint(0, len(data)):]
    return bytes(data)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("PADDOCK_SEED", "1"))
        self.corpus = []
        for name in sorted(os.listdir(CORPUS)):
            with open(os.path.join(CORPUS, name), "rb") as file:
                self.corpus.append((name, file.read()))

    def send(self, daemon, data, size):
        """In pieces of a size; what came back at once."""
        heard = b""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            sock.connect(daemon.socket)
            try:
                for i in range(0, len(data), size):
                    sock.sendall(data[i:i + size])
                sock.shutdown(socket.SHUT_WR)
                sock.setblocking(False)
                with selectors.DefaultSelector() as selector:
                    selector.register(sock, selectors.EVENT_READ)
                    if selector.select(0.005):
                        heard = sock.recv(65536)
            except OSError:
                pass
        return heard

    def fds(self, daemon):
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

    def resident(self, daemon):
        with open(f"/proc/{daemon.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def throw(self, daemon, chance, count):
        for name, data in self.corpus:
            for size in (len(data) or 1, 1 if len(data) < 300 else 97):
                heard = self.send(daemon, data, size)
                self.assertTrue(not heard or heard.startswith(b"HTTP/1."), (name, heard[:100]))
        for _ in range(count):
            self.send(daemon, mutated(chance, chance.choice(self.corpus)[1]), 4096)
        daemon.get("/v1/version")

    def attack(self, daemon):
        self.addCleanup(daemon.remove)
        daemon.get("/v1/topics")  # the queue has opened its file
        chance, before = random.Random(self.seed), self.fds(daemon)
        for _ in range(2):
            self.throw(daemon, chance, 100)
        until(lambda: self.fds(daemon) <= before + 1, "every connection is gone")
        resident = self.resident(daemon)
        for _ in range(4):
            self.throw(daemon, chance, 100)
        until(lambda: self.fds(daemon) <= before + 1, "every connection is gone")
        if not SANITIZED:
            self.assertLess(self.resident(daemon), resident + 2048, "it keeps something of each")
        daemon.stop()

    def test_its_own_socket(self):
        self.attack(Daemon(CONFIG).start())

    def test_a_socket_that_it_was_started_with(self):
        daemon = Daemon(CONFIG)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(daemon.socket)
            sock.listen(100)
            script = (f'exec 50<&{sock.fileno()} 3<&-; exec 3<&50 50<&-; export LISTEN_FDS=1 LISTEN_FDNAMES=console LISTEN_PID=$$; '
                      'exec "$@"')
            daemon.start(command=["bash", "-c", script, "bash"], fds=(sock.fileno(),))
            self.attack(daemon)


if __name__ == "__main__":
    unittest.main()
