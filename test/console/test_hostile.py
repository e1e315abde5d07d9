# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no good HTTP: nothing crashes, nothing is left, and whoever asks well is answered all the while."""
import os
import random
import selectors
import socket
import time

from console import Console, ran, until

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
CORPUS = {name: open(os.path.join(FOLDER, name), "rb").read() for name in sorted(os.listdir(FOLDER))}


def send(c, data, size=None):
    """Send it in pieces of a size; True: something came back. Never waits for what may not come."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(c.socket)
    heard = b""
    try:
        for i in range(0, len(data), size or len(data) or 1):
            s.sendall(data[i:i + (size or len(data))])
        s.shutdown(socket.SHUT_WR)
        s.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(s, selectors.EVENT_READ)
            if selector.select(0.01):
                heard = s.recv(65536)
    except OSError:
        pass
    s.close()
    return heard


def is_well(c, fds):
    assert c.get("/v1/version").status == 200
    until(lambda: int(c.say("fds")[1]) <= fds, "every connection is gone")


def test_the_corpus():
    with Console(request_timeout="1s", idle_timeout="1s") as c:
        c.get("/health")
        fds = int(c.say("fds")[1])
        for name, data in CORPUS.items():
            for size in (None, 1 if len(data) < 500 else 97):
                heard = send(c, data, size)
                assert not heard or heard.startswith(b"HTTP/1."), (name, heard[:100])
            assert c.get("/v1/version").status == 200, name
        is_well(c, fds)
        heard = send(c, CORPUS["length-and-chunks"])
        assert b"smuggled" not in heard and heard.count(b"HTTP/1.1 ") <= 2, heard


def mutated(random, data):
    data = bytearray(data[:4096])
    for _ in range(random.randint(1, 6)):
        what, at = random.randint(0, 4), random.randint(0, max(len(data) - 1, 0))
        if what == 0 and data:
            data[at] ^= 1 << random.randint(0, 7)
        elif what == 1:
            data[at:at] = bytes(random.randint(0, 255) for _ in range(random.randint(1, 8)))
        elif what == 2:
            del data[at:at + random.randint(1, 16)]
        elif what == 3:
            data[at:at] = data[random.randint(0, at):at]
        else:
            del data[random.randint(0, len(data)):]
    return bytes(data)


def test_what_is_like_it():
    """Mutations of the corpus, the same each time; PADDOCK_SEED begins elsewhere."""
    seed = int(os.environ.get("PADDOCK_SEED", "1"))
    chance, names = random.Random(seed), sorted(CORPUS)
    with Console(fake=True, request_timeout="1s", idle_timeout="1s") as c:
        c.get("/health")
        fds, count = int(c.say("fds")[1]), 0
        end = time.monotonic() + 10
        while count < 1500 and time.monotonic() < end:
            send(c, mutated(chance, CORPUS[chance.choice(names)]))
            count += 1
        print(f"   {count} inputs, seed {seed}")
        is_well(c, fds)


ran(dict(globals()))
