# SPDX-License-Identifier: Apache-2.0
"""A server with a state folder, a log and a control of its own."""

import json
import os
import signal
import socket

import paddock
from paddock import until


class ServeCase(paddock.Case):
    def setUp(self):
        super().setUp()
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
                     "JOURNAL_STREAM", "RUNTIME_DIRECTORY"):
            self.env.pop(name, None)
        self.env["STATE_DIRECTORY"] = self.path("state")
        self.env["PADDOCK_ASK"] = self.path("ask")

    def serve(self, text, *arguments, **more):
        """Write paddock.yaml, serve it, and come back when it is ready."""
        if text is not None:
            self.write("paddock.yaml", text)
        read, write = os.pipe()
        log = open(self.path("log"), "ab")
        out = open(self.path("out"), "ab")
        self.addCleanup(os.close, read)
        try:
            process = self.start("serve", "--ready-fd", str(write), *arguments, stdout=out, stderr=log,
                                 pass_fds=(write, *more.pop("fds", ())), **more)
        finally:
            os.close(write)
            log.close()
            out.close()
        self.assertEqual(os.read(read, 100), b"ready\n", self.read("log"))
        return process

    def lines(self):
        """What the log says, as far as it is JSON."""
        return [json.loads(line) for line in self.read("log").splitlines() if line.startswith("{")]

    def says(self, words, times=1):
        """Wait until it has said so, so many times. The last line that does."""
        def found():
            got = [line for line in self.lines() if words in line["msg"]]
            return len(got) >= times and got[-1]
        return until(found, f"{words!r}, which is not in:\n{self.read('log')}")

    def reload(self, process, text, words="reloaded:"):
        times = sum(words in line["msg"] for line in self.lines()) + 1
        self.write("paddock.yaml", text)
        process.send_signal(signal.SIGHUP)
        return self.says(words, times)["msg"]

    def end(self, process, code=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(paddock.PATIENCE), code, self.read("log"))

    def ask(self, question):
        """By the plugin ask."""
        own = self.path("answer")
        until(lambda: self.exists("ask"), "the socket of ask")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(paddock.PATIENCE)
            sock.bind(own)
            try:
                sock.sendto(json.dumps(question).encode(), self.path("ask"))
                return json.loads(sock.recv(1 << 16))
            finally:
                os.unlink(own)

    def inspect(self, subject):
        got = self.ask({"inspect": subject})
        self.assertEqual(got["rc"], 0, got)
        return got["answer"]

    def command(self, verb, rc=0, **params):
        got = self.ask({"command": verb, "params": params})
        self.assertEqual(got["rc"], rc, got)
        return got["answer"] if rc == 0 else got["message"]
