# SPDX-License-Identifier: Apache-2.0
"""Frames, connections, generations, and peers that break the rules."""

import asyncio
import json
import struct
import threading

import drive
from drive import of, task

RAW_SUCCESS = {"status": "success"}


class Frames(drive.Case):
    def test_socket_framing_round_trip(self):
        """Whole, in pieces of a byte, and large."""
        events, ends = self.drive({"bytes": task("slowly"), "large": task("huge", {"size": 5_000_000}),
                                   "params": task("echo", {"text": "\u20ac" * 300_000})}, code=0)
        self.assertEqual(len(self.trace("open")), 1)

    def test_unusable_frames(self):
        """Where the next frame would begin nobody knows: all in flight on it fail, and its process is renewed."""
        broken = {
            "empty": ("00000000", "it sent what is no frame"),
            "too-long": ("01000001", "it sent what is no frame"),
            "no-json": ((struct.pack(">I", 4) + b"{{{{").hex(), "it sent a frame that is no JSON"),
            "trailing": ((struct.pack(">I", 5) + b"{} {}").hex(), "it sent a frame that is no JSON"),
            "no-utf8": ((struct.pack(">I", 3) + b'"\xff"').hex(), "it sent a frame that is no JSON"),
        }
        for name, (data, words) in broken.items():
            with self.subTest(name):
                _, ends = self.drive({"t": task("raw", {"hex": data}), "innocent": task("wait", {"file": "/nonexistent"})}, max_in_flight=2)
                self.assertEqual((ends["t"]["outcome"], ends["innocent"]["outcome"]), ("failed", "failed"))
                self.assertIn(words, ends["t"]["message"])
        self.all_gone()

    def test_the_largest_frame(self):
        payload = {"request_id": "R" * 36, "job_id": "rrq-t-1", "status": "success", "result": ""}
        room = (16 << 20) - len(json.dumps({"type": "response", "payload": payload}))
        _, ends = self.drive({"t": task("huge", {"size": room - 30})}, code=0)

    def test_an_oversized_answer(self):
        """Rust writers do not look at the limit."""
        _, ends = self.drive({"t": task("huge", {"size": 17 << 20})}, code=1)
        self.assertIn("it sent what is no frame", ends["t"]["message"])

    def test_closed_in_the_middle_of_a_frame(self):
        events, ends = self.drive({"t": task("raw", {"hex": "000000107b7d", "close": True})}, code=1)
        self.assertIn("it closed the connection in the middle of a frame", ends["t"]["message"])
        self.assertEqual(of(events, "attempt.ended")[0]["category"], "network")

    def test_unknown_messages_are_ignored(self):
        self.drive({"t": task("ping")}, code=0)
        self.assertIn('sent what is ignored: ', self.stderr)


class Correlation(drive.Case):
    def test_matches_out_of_order_responses(self):
        one, two = self.path("one"), self.path("two")
        process = self.begin({"first": task("wait", {"file": one}), "second": task("wait", {"file": two})}, max_in_flight=2)
        self.wait_for_trace("request", 2)
        self.touch("two")
        drive.until(lambda: self.seen("run.ended", "second"), "the second")
        self.assertEqual(self.seen("run.ended", "first"), [])
        self.touch("one")
        self.assertEqual({end["outcome"] for end in self.finish(process).values()}, {"succeeded"})

    def test_ignores_late_unknown_response_id(self):
        _, ends = self.drive({"t": task("unknown_request_id"), "u": task("echo", needs=["t"])}, code=0)
        self.assertEqual(len(self.trace("open")), 1)

    def test_unknown_request_id_times_out(self):
        """Nobody waits for it, and who waits hears nothing."""
        answer = json.dumps({"type": "response", "payload": {"request_id": "x", "job_id": "rrq-t-1", "status": "success"}}).encode()
        _, ends = self.drive({"t": task("raw", {"hex": (struct.pack(">I", len(answer)) + answer).hex()}, timeout="200ms",
                                        stop={"grace": "100ms"})}, code=1)
        self.assertEqual(ends["t"]["outcome"], "timed_out")

    def test_a_second_answer_is_nobodys(self):
        _, ends = self.drive({"t": task("twice"), "u": task("echo", needs=["t"])}, code=0)
        self.assertEqual(len(self.trace("start")), 1)

    def test_missing_request_id_fails_pending(self):
        _, ends = self.drive({"t": task("no_request_id"), "u": task("echo", needs=[])}, code=1)
        self.assertEqual(ends["t"]["message"], "the outcome cannot be used: it has no request_id")
        self.assertEqual(ends["u"]["outcome"], "succeeded")
        self.assertEqual(len(self.trace("start")), 1)

    def test_missing_request_id_with_several_fails_all(self):
        process = self.begin({"innocent": task("wait", {"file": "/nonexistent"}), "t": task("no_request_id")}, max_in_flight=2)
        ends = self.finish(process)
        for end in ends.values():
            self.assertEqual(end["outcome"], "failed")
            self.assertIn("without a request_id while several requests were in flight", end["message"])


class Connections(drive.Case):
    def test_reuses_persistent_connection(self):
        self.drive({f"t{n}": task("echo") for n in range(10)}, code=0)
        self.assertEqual(len(self.trace("open")), 1)

    def test_reconnects_after_connection_close(self):
        second = f"until [ $(grep -c '\"open\"' {self.path('trace')}) = 2 ]; do sleep 0.01; done"
        self.drive({"t": task("close"), "wait": {"command": second, "needs": "t"}, "u": task("echo", needs=["wait"])}, code=0)
        self.assertEqual((len(self.trace("start")), len(self.trace("open"))), (1, 2))

    def test_hanging_up_on_a_request_renews_the_process(self):
        _, ends = self.drive({"t": task("hang_up", retries=1, backoff="1ms")}, code=1)
        self.assertIn("it closed the connection", ends["t"]["message"])
        self.assertEqual(len({note["pid"] for note in self.requests()}), 2)

    def test_who_hangs_up_on_every_connection_is_given_up(self):
        self.drive({"hold": {"command": f"until grep -q given.up {self.path('errors')}; do sleep 0.01; done"}}, "--hang-up", 1000000,
                   crash_limit=2, code=0)
        self.assertEqual(len(self.trace("start")), 2)
        self.assertIn("given up after 2 times in a row", self.stderr)

    def test_who_hangs_up_on_the_probe_is_not_ready(self):
        _, ends = self.drive({"t": task("echo")}, "--hang-up", 1000000, crash_limit=1, probe=True, connect_timeout="3s", code=1)
        self.assertRegex(ends["t"]["message"], "not ready within 3 s: (it closed|the connection broke)")

    def test_who_hangs_up_a_few_times_is_not(self):
        self.drive({"t": task("echo")}, "--hang-up", 2)
        self.assertEqual(len(self.trace("start")), 1)

    def test_a_connection_each(self):
        self.drive({f"t{n}": task("echo") for n in range(4)}, multiplex=False, max_in_flight=4, code=0)
        requests = self.requests()
        self.assertEqual(len({note["connection"] for note in requests}), 4)

    def test_a_broken_connection_of_its_own_harms_nobody(self):
        gate = self.path("gate")
        process = self.begin({"innocent": task("wait", {"file": gate}), "t": task("hang_up")}, multiplex=False, max_in_flight=2)
        drive.until(lambda: self.seen("run.ended", "t"), "the broken one")
        self.touch("gate")
        ends = self.finish(process)
        self.assertEqual((ends["t"]["outcome"], ends["t"]["reason"]), ("failed", "connection_lost"))
        self.assertEqual(ends["innocent"]["outcome"], "succeeded")
        self.assertEqual(len(self.trace("start")), 1)


class Generations(drive.Case):
    """Each learns its address in its own way and speaks its own version; what Paddock does by default suits all."""

    def of_generation(self, generation, *options, **config):
        with self.subTest(generation=generation, **config):
            if self.exists("trace"):
                drive.os.unlink(self.path("trace"))
            old = config.get("protocol") == 1
            given = {"args": [1, "two"], "kwargs": {"x": 3}} if old else {"params": {"x": 3}}
            _, ends = self.drive({"t": task("echo", **given), "u": task("there_is_none")}, "--generation", generation, *options, code=1,
                                 **config)
            self.assertEqual((ends["t"]["outcome"], ends["u"]["outcome"]), ("succeeded", "fatal"))
            request = [note for note in self.requests() if note["function_name"] == "echo"][0]
            self.assertEqual(request["protocol_version"], "1" if old else "2")
            self.assertEqual({key: request.get(key) for key in ("args", "kwargs", "params") if key in request}, given)
            self.assertNotEqual("correlation_context" in request["context"], True)
            return self.trace("start")[0]

    def test_all(self):
        self.of_generation("0.9.4", protocol=1)
        self.of_generation("0.9.9", protocol=1)
        self.of_generation("0.9.10", protocol=2, multiplex=False)
        self.of_generation("0.9.15", protocol=2, multiplex=False)
        self.of_generation("0.11")

    def test_one_that_takes_no_argument(self):
        start = self.of_generation("0.9.9", "--strict", protocol=1, address="env")
        self.assertNotIn("--tcp-socket", start["argv"])
        self.assertEqual(start["env"]["RRQ_RUNNER_TCP_SOCKET"], start["address"])

    def test_argument_alone(self):
        start = self.of_generation("0.11", address="argv")
        self.assertEqual(start["argv"][-2:], ["--tcp-socket", start["address"]])
        self.assertNotIn("RRQ_RUNNER_TCP_SOCKET", start["env"])

    def test_params_are_the_kwargs_of_protocol_1(self):
        self.drive({"t": task("echo", {"x": 3})}, "--generation", "0.9.9", protocol=1, code=0)
        self.assertEqual((self.requests()[0]["args"], self.requests()[0]["kwargs"]), ([], {"x": 3}))

    def test_the_wrong_version_is_said_and_not_tried_again(self):
        _, ends = self.drive({"t": task("echo", retries=5, backoff="1ms")}, "--generation", "0.9.9", protocol=2, multiplex=False,
                             code=1)
        self.assertEqual((ends["t"]["outcome"], ends["t"]["attempts"], ends["t"]["reason"]), ("fatal", 1, "protocol_version"))


class Peer:
    """A listener in a thread, that does with each connection what the test says."""

    def __init__(self, port, serve):
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(port, serve))
        self.thread.start()
        self.ready.wait(drive.paddock.PATIENCE)

    def run(self, port, serve):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port))
        self.ready.set()
        self.loop.run_forever()
        server.close()
        for pending in asyncio.all_tasks(self.loop):
            pending.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


async def read_frame(reader):
    size = struct.unpack(">I", await reader.readexactly(4))[0]
    return json.loads(await reader.readexactly(size))


def answer(message, **payload):
    ids = {key: message["payload"][key] for key in ("job_id", "request_id")}
    data = json.dumps({"type": "response", "payload": {**ids, "status": "success", **payload}}).encode()
    return struct.pack(">I", len(data)) + data


class External(drive.Case):
    def setUp(self):
        super().setUp()
        self.port = drive.free_port()

    def peer(self, serve):
        peer = Peer(self.port, serve)
        self.addCleanup(peer.close)
        return peer

    async def echo(self, reader, writer):
        try:
            while True:
                message = await read_frame(reader)
                if message["type"] == "request":
                    writer.write(answer(message, result=message["payload"]["params"]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def external(self, tasks, **config):
        return self.begin(tasks, external=f"localhost:{self.port}", backoff={"first": "10ms", "max": "20ms"}, **config)

    def test_external_mode(self):
        self.peer(self.echo)
        self.assertEqual(self.finish(self.external({f"t{n}": task("echo") for n in range(20)}, max_in_flight=8))["t3"]["outcome"], "succeeded")

    def test_external_mode_retries_until_socket_is_ready(self):
        process = self.external({"t": task("echo")}, connect_timeout="50ms")
        drive.until(lambda: self.read("errors").count("not ready within") >= 2, "two failures to connect")
        self.assertEqual(self.seen("attempt.started"), [])
        self.peer(self.echo)
        self.assertEqual(self.finish(process)["t"]["outcome"], "succeeded")

    def test_external_mode_fails_after_the_runs_deadline(self):
        end = self.finish(self.external({"t": task("echo", deadline="200ms")}, connect_timeout="20ms"))["t"]
        self.assertEqual((end["event"], end["reason"]), ("run.rejected", "deadline"))

    def test_it_goes_and_comes_back(self):
        """A lost connection fails what is on it; the next attempt finds the next one."""
        count = []

        async def serve(reader, writer):
            count.append(1)
            if len(count) > 1:
                await self.echo(reader, writer)
            else:
                await read_frame(reader)
            writer.close()
        self.peer(serve)
        ends = self.finish(self.external({"t": task("echo", retries=2, backoff="1ms")}))
        self.assertEqual((ends["t"]["outcome"], ends["t"]["attempts"]), ("succeeded", 2))

    def test_a_deaf_one_is_hung_up_on(self):
        """It cannot be killed; that its connection is closed is the last it can be told."""
        closed = threading.Event()

        async def serve(reader, writer):
            try:
                while True:
                    await read_frame(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                closed.set()
                writer.close()
        self.peer(serve)
        process = self.external({"t": task("echo", timeout="50ms", stop={"grace": "50ms"}),
                                 "hold": {"command": ["sleep", "1000"]}})
        drive.until(lambda: self.seen("run.ended", "t"), "its end")
        self.assertTrue(closed.wait(drive.paddock.PATIENCE))
        self.assertEqual(self.seen("run.ended", "t")[0]["outcome"], "timed_out")
        process.send_signal(drive.paddock.SIGTERM)
        self.finish(process)


if __name__ == "__main__":
    drive.main()
