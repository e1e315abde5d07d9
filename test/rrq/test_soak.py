# SPDX-License-Identifier: Apache-2.0
"""Jobs with random cancels, disconnects, crashes and nonsense between them: each request is answered exactly once.

RRQ_SOAK=N in the environment: so many jobs; `bench-rrq soak 1000000` has many more of one sort.
"""

import json
import os
import random
import selectors
import signal
import uuid

import orchestrator
from orchestrator import HEAD, Connection, frame, request
from paddock import until

JOBS = int(os.environ.get("RRQ_SOAK", "40000"))
CONNECTIONS, DEPTH = 8, 40

TASKS = """
tasks:
  echo: {kind: echo}
  crash: {command: [sh, -c, 'kill -SEGV $$']}
  hold: {command: [sleep, "100"]}
sources: [{use: rrq, tasks: [echo, crash, hold], kinds: sleep, pending: 250}]
"""


class Peer:
    """A connection with what it waits for."""

    def __init__(self, soak):
        self.soak = soak
        self.connection = Connection(soak.port)
        self.connection.socket.setblocking(False)
        self.pending = {}
        self.unsent = b""

    def send(self, data):
        self.unsent += data
        self.write()

    def write(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.connection.socket.send(self.unsent):]
        except BlockingIOError:
            pass

    def read(self):
        try:
            piece = self.connection.socket.recv(1 << 16)
        except BlockingIOError:
            return
        assert piece, f"closed with {len(self.pending)} jobs unanswered"
        buffer = self.connection.buffer + piece
        at = 0
        while len(buffer) - at >= HEAD.size and len(buffer) - at - HEAD.size >= HEAD.unpack_from(buffer, at)[0]:
            (size,) = HEAD.unpack_from(buffer, at)
            self.soak.answered(self, json.loads(buffer[at + HEAD.size:at + HEAD.size + size])["payload"])
            at += HEAD.size + size
        self.connection.buffer = buffer[at:]


class Soak(orchestrator.Case):
    def answered(self, peer, outcome):
        if outcome["request_id"] == "unknown":
            self.nonsense -= 1
            return
        payload = peer.pending.pop(outcome["request_id"])  # a KeyError: answered twice, or by somebody else
        self.assertEqual(outcome["job_id"], payload["job_id"])
        self.counts[outcome["status"]] = self.counts.get(outcome["status"], 0) + 1
        if outcome["status"] == "success" and payload["function_name"] == "echo":
            self.assertEqual(outcome["result"], payload["params"])

    def some_request(self):
        sort = self.chance.random()
        more = {"request_id": str(uuid.UUID(int=self.chance.getrandbits(128))), "job_id": f"job-{self.chance.randrange(2000)}"}
        if sort < 0.80:
            return request("echo", {"n": self.chance.randrange(1000), "x": "y" * self.chance.choice((0, 10, 3000))}, **more)
        if sort < 0.90:
            return request("sleep", {"for": f"{self.chance.randrange(1, 30)}ms"}, **more)
        if sort < 0.93:
            return request("sleep", {"for": 0, "then": self.chance.choice(("failure", "fatal", "retry"))}, **more)
        if sort < 0.95:
            return request("crash", **more)
        if sort < 0.96:
            return request("hold", timeout=self.chance.random() * 0.3, **more)
        if sort < 0.97:
            return request("echo", timeout=-1, **more)
        return request(self.chance.choice(("nope", "sleep")), {"bad": 1}, **more)

    def fill(self, peer):
        data = b""
        while self.sent < JOBS and len(peer.pending) < DEPTH and not peer.unsent:
            payload = self.some_request()
            peer.pending[payload["request_id"]] = payload
            data += frame({"type": "request", "payload": payload})
            self.sent += 1
            if self.chance.random() < 0.002:
                self.nonsense += 1
                data += frame({"type": "nonsense", "payload": 1})
        if data:
            peer.send(data)

    def disturb(self, peers, selector):
        sort = self.chance.random()
        peer = self.chance.choice(peers)
        if sort < 0.04 and peer.pending:
            payload = self.chance.choice(list(peer.pending.values()))
            by_job = self.chance.random() < 0.2
            self.cancel(job_id=payload["job_id"], **({} if by_job else {"request_id": payload["request_id"]}))
        elif sort < 0.055:
            selector.unregister(peer.connection.socket)
            peer.connection.close()
            self.dropped += len(peer.pending)
            peers[peers.index(peer)] = fresh = Peer(self)
            selector.register(fresh.connection.socket, selectors.EVENT_READ, fresh)

    def test_each_request_is_answered_once(self):
        self.runner(TASKS)
        seed = int(os.environ.get("RRQ_SEED", "0")) or random.randrange(1 << 32)
        print(f"seed {seed}, {JOBS} jobs")
        self.chance, self.counts = random.Random(seed), {}
        self.sent = self.dropped = self.nonsense = 0
        selector = selectors.DefaultSelector()
        peers = [Peer(self) for _ in range(CONNECTIONS)]
        for peer in peers:
            selector.register(peer.connection.socket, selectors.EVENT_READ, peer)
        while self.sent < JOBS or any(peer.pending for peer in peers):
            for peer in peers:
                peer.write()
                self.fill(peer)
            self.disturb(peers, selector)
            ready = selector.select(30)
            self.assertTrue(ready, f"no answer comes: {[len(peer.pending) for peer in peers]}; {self.said()}")
            for key, _ in ready:
                key.data.read()
        print(self.counts, self.dropped, "dropped with their connections")
        # Those that nobody waits for any more are not answered, but they end.
        self.assertEqual(sum(self.counts.values()) + self.dropped, self.sent)

        def nothing_runs():
            self.process.send_signal(signal.SIGQUIT)
            return "nothing runs" in self.said()
        until(nothing_runs, "the end of all runs")
        self.assertEqual(peers[0].pending, {})
        for peer in peers:
            self.assertTrue(peer.connection.is_silent(0))
            peer.connection.close()
        self.stop()


orchestrator.main()
