# SPDX-License-Identifier: Apache-2.0
"""A small RRQ orchestrator, written from the protocol alone: what it sends, what it takes, and what becomes of a job."""

import json
import os
import select
import socket
import struct
import subprocess
import time
import uuid

import paddock
from ports import free_port

HEAD = struct.Struct(">I")
FRAME_MAX = 16 * 1024 * 1024
STATUSES = ("success", "retry", "timeout", "error")


def frame(message):
    data = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
    return HEAD.pack(len(data)) + data


def stamp(seconds_from_now):
    at = time.time() + seconds_from_now
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e9):09d}Z"


def request(function, params=None, request_id=None, job_id=None, timeout=300, **more):
    """The payload of a request, as the orchestrator writes it; more: members to be added or replaced, None: left out."""
    job_id = job_id or str(uuid.uuid4())
    context = {"job_id": job_id, "attempt": 1, "enqueue_time": "2026-01-01T00:00:00Z", "queue_name": "rrq:queue:default",
               "deadline": stamp(timeout), "trace_context": None, "correlation_context": None,
               "worker_id": f"rrq_worker_{os.getpid()}_ab12cd"}
    context.update(more.pop("context", {}))
    payload = {"protocol_version": "2", "request_id": request_id or str(uuid.uuid4()), "job_id": job_id, "function_name": function,
               "params": params if params is not None else {}, "context": context}
    payload.update(more)
    return {key: value for key, value in payload.items() if value is not None}


class Closed(Exception):
    pass


class Connection:
    """One connection to a runner."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=paddock.PATIENCE)
        self.buffer = b""

    def send(self, *payloads, type="request"):
        self.raw(b"".join(frame({"type": type, "payload": payload}) for payload in payloads))

    def raw(self, data):
        self.socket.sendall(data)

    def take(self, size):
        while len(self.buffer) < size:
            try:
                piece = self.socket.recv(1 << 20)
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed(f"closed with {len(self.buffer)} bytes of a frame here")
            self.buffer += piece
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def frame(self):
        (size,) = HEAD.unpack(self.take(HEAD.size))
        assert 0 < size <= FRAME_MAX, size
        return self.take(size)

    def receive(self):
        """The payload of the next response; it must be one that an orchestrator can read."""
        message = json.loads(self.frame())
        assert message["type"] == "response", message
        payload = message["payload"]
        assert payload["status"] in STATUSES, payload
        assert isinstance(payload["job_id"], str) and isinstance(payload["request_id"], str), payload
        if payload.get("error") is not None:
            assert isinstance(payload["error"]["message"], str), payload
        return payload

    def call(self, *arguments, **more):
        payload = request(*arguments, **more)
        self.send(payload)
        outcome = self.receive()
        assert outcome["request_id"] == payload["request_id"], outcome
        assert outcome["job_id"] == payload["job_id"], outcome
        return outcome

    def is_silent(self, seconds=0.2):
        return not self.buffer and not select.select([self.socket], [], [], seconds)[0]

    def is_closed(self):
        """Wait for the end; nothing may come before it."""
        try:
            data = self.socket.recv(1)
        except ConnectionResetError:
            data = b""
        assert not data and not self.buffer, data
        return True

    def close(self):
        self.socket.close()


class Case(paddock.Case):
    """A test with a runner: `paddock rrq`, started as an orchestrator does it."""

    def runner(self, text, *arguments, port=None, env=None):
        self.write("tasks.yaml", text)
        self.port = port or free_port()
        with open(self.path("stdout"), "wb") as out, open(self.path("stderr"), "wb") as err:
            self.process = self.start("rrq", "--config", "tasks.yaml", *arguments, "--tcp-socket", f"127.0.0.1:{self.port}",
                                      env=env, stdout=out, stderr=err)
        self.ready()
        return self.process

    def ready(self):
        """Connect until it works, as the orchestrator does; that connection says nothing and is closed at once."""
        def connects():
            self.assertIsNone(self.process.poll(), self.said())
            try:
                Connection(self.port).close()
                return True
            except ConnectionRefusedError:
                return False
        paddock.until(connects, "the runner")

    def said(self):
        return self.read("stderr")

    def connect(self):
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def cancel(self, **payload):
        """By a connection of its own, which is closed at once."""
        connection = Connection(self.port)
        connection.send({"protocol_version": "2", "hard_kill": False, **payload}, type="cancel")
        connection.close()

    def stop(self, code=0):
        self.process.terminate()
        self.assertEqual(self.process.wait(timeout=paddock.PATIENCE), code, self.said())


class Orchestrator:
    """What becomes of a job: section by section what the real one does, without Redis and without waiting for back-off."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def dispatch(self, payload):
        try:
            if not self.connection:
                self.connection = Connection(self.port)
            self.connection.send(payload)
            while True:
                outcome = self.connection.receive()
                if outcome["request_id"] == payload["request_id"]:
                    break
            if outcome["job_id"] != payload["job_id"]:
                raise Closed("runner outcome job_id mismatch")
            return outcome
        except (Closed, OSError) as error:
            self.connection = None
            return {"status": "error", "error": {"message": f"Runner transport error: {error}"}}

    def close(self):
        if self.connection:
            self.connection.close()

    def run(self, function, params=None, max_retries=5, timeout=300):
        """{"status": COMPLETED or FAILED, "current_retries", "dlq", "last_error", "result"}"""
        job, retries, delays = str(uuid.uuid4()), 0, []
        while True:
            outcome = self.dispatch(request(function, params, job_id=job, timeout=timeout, context={"attempt": retries + 1}))
            if outcome["status"] == "success":
                return {"status": "COMPLETED", "current_retries": retries, "dlq": False, "result": outcome.get("result"),
                        "delays": delays}
            error = outcome.get("error") or {}
            retries += 1
            fatal = outcome["status"] == "timeout" or error.get("type") == "handler_not_found"
            if fatal or retries >= max_retries:
                return {"status": "FAILED", "current_retries": retries, "dlq": True, "last_error": error.get("message"),
                        "delays": delays}
            delays.append(outcome.get("retry_after_seconds"))


def python_rrq():
    """The folder of the published package in a venv of the build, or None where it cannot be installed."""
    folder = os.path.join(os.environ.get("PADDOCK_BUILD", "/tmp"), "rrq-venv")
    if not os.path.exists(os.path.join(folder, "bin", "rrq")):
        made = subprocess.run(["python3", "-m", "venv", folder], capture_output=True)
        if made.returncode:
            return None
        got = subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "rrq==0.11.1"],
                             capture_output=True, text=True, timeout=240)
        if got.returncode:
            print(got.stderr[-500:])
            return None
    return folder


main = paddock.main
