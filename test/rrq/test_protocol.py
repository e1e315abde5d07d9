# SPDX-License-Identifier: Apache-2.0
"""Bytes: the vectors of the protocol, frames cut and joined anyhow, every sort of bad input, both versions."""

import hashlib
import json
import random
import struct
import threading

import orchestrator
import paddock
from orchestrator import frame, request

TASKS = """
tasks:
  echo: {kind: echo}
  upper: {command: [python3, -c, "import json, sys; print(json.load(sys.stdin)['text'].upper())"]}
sources: [{use: rrq, tasks: [echo, upper], kinds: [echo, sleep], config: {functions: {
  whole: {task: echo, input: request}, by-kind: {kind: echo}, context: {kind: echo, input: request}}}}]
"""

VECTOR = (b'{"type":"request","payload":{"protocol_version":"2","request_id":"r1","job_id":"job-r1","function_name":"echo",'
          b'"params":{"k":"v"},"context":{"job_id":"job-r1","attempt":1,"enqueue_time":"2026-01-01T00:00:00Z",'
          b'"queue_name":"rrq:queue:default","deadline":"2030-01-01T00:05:00.123456789Z",'
          b'"trace_context":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},'
          b'"correlation_context":null,"worker_id":"rrq_worker_42_ab12cd"}}}')


def request_of(request_id, params):
    return request("echo", params, request_id=request_id)


def swallow(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass


class Protocol(orchestrator.Case):
    def setUp(self):
        super().setUp()
        self.runner(TASKS)

    def test_vectors(self):
        data = frame(VECTOR)
        self.assertEqual(data[:4], b"\x00\x00\x01\xb8")
        self.assertEqual(hashlib.sha256(data).hexdigest(), "43a4829ef42601ca02a9f9f05e5034137bc0bc298f0ea548480e93daa8bbef4e")
        connection = self.connect()
        connection.raw(data)
        self.assertEqual(connection.frame(),
                         b'{"type":"response","payload":{"job_id":"job-r1","request_id":"r1","status":"success","result":{"k":"v"}}}')
        connection.raw(frame(VECTOR.replace(b'{"k":"v"}', b'{"ok":true}')))
        self.assertEqual(connection.take(111), b"\x00\x00\x00\x6b" + b'{"type":"response","payload":{"job_id":"job-r1",'
                         b'"request_id":"r1","status":"success","result":{"ok":true}}}')

    def test_frames_may_be_cut_anywhere(self):
        connection = self.connect()
        data = frame(VECTOR)
        for cut in (1, 3, 4, 5, 100, len(data) - 1):
            connection.raw(data[:cut])
            self.assertTrue(connection.is_silent(0.02))
            connection.raw(data[cut:])
            self.assertEqual(connection.receive()["result"], {"k": "v"})
        for byte in data:
            connection.raw(bytes([byte]))
        self.assertEqual(connection.receive()["status"], "success")

    def test_frames_may_be_joined(self):
        connection = self.connect()
        rest = b""
        chance = random.Random(7)
        wanted = {}
        for round_ in range(40):
            payloads = [request("echo", {"n": n, "x": "y" * chance.randrange(3000)}) for n in range(chance.randrange(1, 8))]
            wanted.update((payload["request_id"], payload["params"]) for payload in payloads)
            rest += b"".join(frame({"payload": payload, "type": "request"}) for payload in payloads)
            cut = chance.randrange(len(rest) + 1)
            connection.raw(rest[:cut])
            rest = rest[cut:]
            if round_ % 5 == 4:
                connection.raw(rest)
                rest = b""
                while wanted:
                    got = connection.receive()
                    self.assertEqual(got["result"], wanted.pop(got["request_id"]))

    def test_a_function_is_a_task_a_kind_or_what_the_operator_says(self):
        connection = self.connect()
        self.assertEqual(connection.call("by-kind", {"message": 3})["result"], 3)
        whole = request("whole", {"a": 1}, context={"correlation_context": {"tenant": "x"}})
        connection.send(whole)
        self.assertEqual(connection.receive()["result"], whole)
        got = connection.call("context", {}, context={"correlation_context": {"tenant": "y"}})["result"]
        self.assertEqual(got["context"]["correlation_context"], {"tenant": "y"})
        self.assertEqual(connection.call("sleep", {"for": "1ms"})["status"], "success")
        self.assertEqual(connection.call("upper", {"text": "a"})["status"], "success")

    def test_version_1_has_args_and_kwargs(self):
        connection = self.connect()
        old = {"protocol_version": "1", "params": None}
        self.assertEqual(connection.call("echo", kwargs={"a": 1}, args=[], **old)["result"], {"a": 1})
        self.assertEqual(connection.call("echo", kwargs={"a": 1}, args=[2, "x"], **old)["result"], {"a": 1, "args": [2, "x"]})
        self.assertEqual(connection.call("echo", **old)["result"], {})
        clash = connection.call("echo", kwargs={"args": 1}, args=[2], **old)
        self.assertEqual(clash["status"], "error")

    def test_null_is_absent(self):
        payload = request("echo", {"a": None}, context={key: None for key in ("deadline", "trace_context", "worker_id")})
        connection = self.connect()
        connection.send({**payload, "extra": 1})
        self.assertEqual(connection.receive()["result"], {"a": None})
        for key in ("deadline", "trace_context", "correlation_context", "worker_id"):
            del payload["context"][key]
        del payload["params"], payload["protocol_version"]
        connection.send(payload)
        self.assertEqual(connection.receive()["result"], {})

    def test_odd_text(self):
        connection = self.connect()
        for text in ('quote " and \\ back', "tab\tnewline\n", "\x01\x1f", "grüße 世界 🎠", "x" * 100000):
            outcome = connection.call("echo", {text: text}, request_id=text[:200], job_id="j" + text[:200])
            self.assertEqual(outcome["result"], {text: text})
        unknown = connection.call('no"such\\ü\n')
        self.assertEqual(unknown["error"]["message"], "No handler registered for function 'no\"such\\ü\n'")

    # ---- bad input

    def test_what_ends_a_connection(self):
        good = frame({"type": "request", "payload": request("sleep", {"for": "300ms"})})
        for name, data in (("length 0", bytes(4)), ("16 MiB and 1", struct.pack(">I", 16 * 1024 * 1024 + 1)),
                           ("HTTP", b"GET / HTTP/1.1\r\n\r\n"), ("no JSON", frame(b"{no}")), ("no UTF-8", frame(b'{"type":"\xff"}')),
                           ("trailing", frame(VECTOR + b"x")), ("twice", frame(b'{"type":"request","type":"request","payload":{}}')),
                           ("half a value", frame(VECTOR[:-1])), ("NUL", frame(b'{"type":"a\\u0000"}')),
                           ("deep", frame(b"[" * 100 + b"]" * 100))):
            with self.subTest(name):
                alone = self.connect()
                alone.raw(data)
                self.assertTrue(alone.is_closed())
                busy = self.connect()
                busy.raw(good + data + good)
                self.assertEqual(busy.receive()["status"], "success")  # what ran is answered before
                self.assertTrue(busy.is_closed())
        self.assertEqual(self.connect().call("echo")["status"], "success")

    def test_the_longest_frame_is_taken(self):
        connection = self.connect()
        head, tail = VECTOR.split(b'"v"')
        data = head + b'"' + b"x" * (16 * 1024 * 1024 - len(head) - len(tail) - 2) + b'"' + tail
        self.assertEqual(len(data), 16 * 1024 * 1024)
        connection.raw(frame(data))
        self.assertEqual(connection.receive()["status"], "success")  # the answer has less around it
        self.assertEqual(connection.call("echo")["status"], "success")

    def large(self, function="echo", size=3_000_000, **more):
        """One that a thread parses."""
        return request(function, {"text": "x" * size}, **more)

    def test_large_ones_between_small_ones(self):
        connection, other = self.connect(), self.connect()
        wanted = {}
        for n in range(12):
            payload = self.large(size=300_000 + n) if n % 3 == 1 else request("echo", {"n": n})
            wanted[payload["request_id"]] = payload["params"]
        payloads = [request_of(id, params) for id, params in wanted.items()]
        sender = threading.Thread(target=connection.send, args=payloads)
        sender.start()
        self.assertEqual(other.call("echo", {"b": 1})["result"], {"b": 1})
        got = {}
        for _ in wanted:
            outcome = connection.receive()
            got[outcome["request_id"]] = outcome["result"]
        sender.join()
        self.assertEqual(got, wanted)

    def test_a_large_one_that_is_no_json(self):
        connection = self.connect()
        connection.send(request("echo", {"a": 1}))
        connection.raw(frame(b'{"type": ' + b" " * 1_000_000 + b"}"))
        self.assertEqual(connection.receive()["status"], "success")
        self.assertTrue(connection.is_closed())
        paddock.until(lambda: "does not speak RRQ" in self.said(), "the log")

    def test_who_waits_for_the_memory_of_a_large_one_that_is_no_json(self):
        self.stop()
        self.runner(TASKS.replace("config: {", "config: {memory: 4MiB, "))
        for _ in range(20):
            bad, good = self.connect(), self.connect()
            bad.raw(frame(b"[" + b"0," * 1_700_000))
            self.assertEqual(good.call("echo", {"text": "x" * 1_000_000})["status"], "success")
            bad.close()

    def test_who_goes_while_a_large_one_is_parsed(self):
        for _ in range(5):
            connection = self.connect()
            connection.send(self.large())
            connection.close()
        self.assertEqual(self.connect().call("echo")["status"], "success")

    def test_the_end_while_a_large_one_is_parsed(self):
        connection = self.connect()
        sender = threading.Thread(target=swallow, args=(connection.send, self.large(size=15_000_000)))
        sender.start()
        self.stop()
        sender.join()

    def test_eof_anywhere_is_taken_quietly(self):
        for cut in (0, 2, 4, 50):
            connection = self.connect()
            connection.raw(frame(VECTOR)[:cut])
            connection.close()
        self.assertEqual(self.connect().call("echo")["status"], "success")
        self.assertNotIn("error", self.said())

    def test_what_is_answered_with_an_error(self):
        """What can be decoded harms nobody else on the connection."""
        def without(*path):
            payload = request("echo", request_id="bad", job_id="bad-job")
            at = payload
            for key in path[:-1]:
                at = at[key]
            del at[path[-1]]
            return payload

        def replaced(value, *path):
            payload = request("echo", request_id="bad", job_id="bad-job")
            at = payload
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            return payload

        rows = [("version", replaced("0", "protocol_version"), "Unsupported protocol version"),
                ("version 3", replaced("3", "protocol_version"), "Unsupported protocol version"),
                ("function", without("function_name"), '"function_name" is missing'),
                ("function", replaced(7, "function_name"), '"function_name" is no string'),
                ("params", replaced(None, "params"), '"params" wants a map, not nothing'),
                ("params", replaced([1], "params"), '"params" wants a map, not a list'),
                ("context", without("context"), '"context" is missing'), ("context", replaced("x", "context"), '"context" wants a map'),
                ("job_id", without("context", "job_id"), '"job_id" is missing'),
                ("attempt", replaced("1", "context", "attempt"), '"attempt" wants a number'),
                ("attempt", replaced(-1, "context", "attempt"), '"attempt" wants a number'),
                ("attempt", replaced(1 << 32, "context", "attempt"), '"attempt" wants a number'),
                ("attempt", without("context", "attempt"), '"attempt" wants a number'),
                ("deadline", replaced("tomorrow", "context", "deadline"), "Invalid deadline timestamp"),
                ("deadline", replaced("2026-02-30T00:00:00Z", "context", "deadline"), "Invalid deadline timestamp"),
                ("enqueue", replaced("now", "context", "enqueue_time"), "Invalid enqueue_time timestamp"),
                ("queue", without("context", "queue_name"), '"queue_name" is missing'),
                ("trace", replaced("x", "context", "trace_context"), '"trace_context" wants a map')]
        connection = self.connect()
        innocent = request("sleep", {"for": "500ms"})
        connection.send(innocent)
        for name, payload, message in rows:
            with self.subTest(name):
                connection.send(payload)
                outcome = connection.receive()
                self.assertEqual((outcome["request_id"], outcome["job_id"], outcome["status"]), ("bad", "bad-job", "error"))
                self.assertIn(message, outcome["error"]["message"])
        for payload, ids in ((without("request_id"), ("unknown", "bad-job")), (without("job_id"), ("bad", "unknown")),
                             ({}, ("unknown", "unknown"))):
            connection.send(payload)
            outcome = connection.receive()
            self.assertEqual((outcome["request_id"], outcome["job_id"], outcome["status"]), (*ids, "error"))
        self.assertEqual(connection.receive()["request_id"], innocent["request_id"])

    def test_messages_that_are_none(self):
        connection = self.connect()
        for message, wanted in (({"type": "hello", "payload": {}}, 'unexpected message of type "hello"'), ({"payload": {}}, '"type" is missing'),
                                ({"type": "request"}, '"payload" wants a map'), ([1], "no message"), (None, "no message"),
                                ({"type": "response", "payload": {"status": "success"}}, "unexpected response message")):
            connection.raw(frame(json.dumps(message).encode()))
            outcome = connection.receive()
            # An id that nobody waits for: without one, the orchestrator would blame a job that it does wait for.
            self.assertEqual((outcome["request_id"], outcome["job_id"], outcome["status"]), ("unknown", "unknown", "error"))
            self.assertIn(wanted, outcome["error"]["message"])
        self.assertEqual(connection.call("echo")["status"], "success")

    def test_cancels_that_are_none_are_ignored(self):
        connection = self.connect()
        connection.send({"protocol_version": "0", "job_id": "j"}, {}, {"job_id": 7}, {"job_id": "nobody"},
                        {"job_id": "j", "request_id": "nobody"}, type="cancel")
        self.assertEqual(connection.call("echo")["status"], "success")

    def test_what_comes_back(self):
        connection = self.connect()
        missing = connection.call("nope")
        self.assertEqual(missing["error"], {"message": "No handler registered for function 'nope'", "type": "handler_not_found"})
        self.assertEqual(connection.call("")["error"]["type"], "handler_not_found")
        self.assertEqual(connection.call("subprocess", {"command": ["id"]})["error"]["type"], "handler_not_found")
        wrong = connection.call("sleep", {"fro": 1})
        self.assertEqual((wrong["error"]["type"], wrong["error"]["code"]), ("handler_not_found", "invalid_params"))
        self.assertIn('unknown', wrong["error"]["message"])
        later = connection.call("sleep", {"for": 0, "then": "retry", "retry_after": "3s"})
        self.assertEqual((later["status"], later["retry_after_seconds"]), ("retry", 3.0))
        failed = connection.call("sleep", {"for": 0, "then": "failure"})
        self.assertEqual((failed["status"], failed["error"]["message"]), ("error", "failed as told"))
        self.assertNotEqual(failed["error"]["type"], "handler_not_found")
        self.assertEqual(failed["error"]["details"]["runner"], "sleep")
        fatal = connection.call("sleep", {"for": 0, "then": "fatal"})
        self.assertEqual((fatal["error"]["type"], fatal["error"]["code"]), ("handler_not_found", "other"))
        self.assertEqual(connection.call("sleep", {"for": 0})["result"], None)


orchestrator.main()
