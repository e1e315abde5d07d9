# SPDX-License-Identifier: Apache-2.0
"""From a request to its answer: order, deadlines, cancels, limits, ends of connections and of the runner."""

import json
import os
import signal
import socket
import subprocess
import time

import orchestrator
import paddock
from orchestrator import Connection, Orchestrator, frame, request, stamp
from paddock import is_alive, until

TASKS = """
tasks:
  echo: {kind: echo}
  hold: {command: [sh, -c, 'echo $$ >> pids; exec sleep 100'], stop: {grace: 2s}}
  deaf: {command: [sh, -c, 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done'], stop: {grace: 200ms}}
  crash: {command: [sh, -c, 'kill -SEGV $$']}
  exits: {command: [sh, -c, 'exit 3'], exit: {fatal: 4}}
  gives-up: {command: [sh, -c, 'echo no >&2; exit 4'], exit: {fatal: 4}}
  result: {command: [python3, -c, "import json, os, sys; json.dump(json.load(sys.stdin), open(os.environ['PADDOCK_OUTPUT'], 'w'))"]}
  trace: {command: [sh, -c, 'printf "parent=%s\\nstate=%s\\n" "$TRACEPARENT" "$TRACESTATE" > $PADDOCK_OUTPUT']}
sources:
  - use: rrq
    tasks: [echo, hold, deaf, crash, exits, gives-up, result, trace]
    kinds: [sleep]
"""


class Life(orchestrator.Case):
    def setUp(self):
        super().setUp()
        self.runner(TASKS)

    def pids(self, count):
        return until(lambda: self.exists("pids") and len(self.read("pids").split()) >= count and self.read("pids").split(), "pids")

    def test_answers_come_in_any_order(self):
        connection = self.connect()
        slow, quick = request("sleep", {"for": "400ms"}), request("sleep", {"for": "50ms"})
        connection.send(slow, quick)
        self.assertEqual([connection.receive()["request_id"] for _ in range(2)], [quick["request_id"], slow["request_id"]])

    def test_each_answer_goes_where_its_request_came_from(self):
        connections = [self.connect() for _ in range(5)]
        for n, connection in enumerate(connections):
            connection.send(*(request("echo", {"n": n, "k": k}) for k in range(20)))
        for n, connection in enumerate(connections):
            self.assertEqual([connection.receive()["result"] for _ in range(20)], [{"n": n, "k": k} for k in range(20)])

    # ---- deadlines

    def test_a_deadline_that_is_over(self):
        outcome = self.connect().call("hold", timeout=-1)
        self.assertEqual((outcome["status"], outcome["error"]["message"]), ("timeout", "Job deadline exceeded"))
        self.assertFalse(self.exists("pids"))

    def test_a_deadline_that_comes(self):
        outcome = self.connect().call("hold", timeout=0.5)
        self.assertEqual((outcome["status"], outcome["error"]), ("timeout", {
            "message": "Job execution timed out", "type": "timeout", **{k: v for k, v in outcome["error"].items() if k == "details"}}))
        self.assertFalse(is_alive(int(self.pids(1)[0])))

    def test_a_deadline_that_is_kept(self):
        self.assertEqual(self.connect().call("sleep", {"for": "50ms"}, timeout=20)["status"], "success")

    def test_a_deadline_with_an_offset(self):
        late = time.strftime("%Y-%m-%dT%H:%M:%S+01:00", time.gmtime(time.time() + 3600 + 60))
        over = time.strftime("%Y-%m-%dT%H:%M:%S-01:00", time.gmtime(time.time() - 3600 - 60))
        connection = self.connect()
        self.assertEqual(connection.call("echo", context={"deadline": late})["status"], "success")
        self.assertEqual(connection.call("echo", context={"deadline": over})["status"], "timeout")

    # ---- cancels

    def cancelled(self, outcome):
        self.assertEqual((outcome["status"], outcome["error"]["message"], outcome["error"]["type"]), ("error", "Job cancelled", "cancelled"))

    def test_cancel_by_request(self):
        connection = self.connect()
        one, other = request("hold", job_id="job"), request("hold", job_id="job")
        connection.send(one, other)
        self.pids(2)
        self.cancel(job_id="job", request_id=one["request_id"])
        outcome = connection.receive()
        self.cancelled(outcome)
        self.assertEqual(outcome["request_id"], one["request_id"])
        self.assertTrue(connection.is_silent())
        self.cancel(job_id="job", request_id=other["request_id"])
        self.cancelled(connection.receive())
        self.assertFalse(any(is_alive(int(pid)) for pid in self.pids(2)))

    def test_cancel_by_job(self):
        first, second = self.connect(), self.connect()
        first.send(request("hold", job_id="job"), request("hold", job_id="other"))
        second.send(request("hold", job_id="job"))
        self.pids(3)
        self.cancel(job_id="job")
        self.cancelled(first.receive())
        self.cancelled(second.receive())
        self.assertTrue(first.is_silent())

    def test_cancel_of_what_is_deaf_is_answered_when_it_is_dead(self):
        connection = self.connect()
        payload = request("deaf")
        connection.send(payload)
        pid = int(self.pids(1)[0])
        self.cancel(job_id=payload["job_id"], request_id=payload["request_id"])
        self.cancelled(connection.receive())
        self.assertFalse(is_alive(pid))

    def test_cancel_of_what_has_ended(self):
        connection = self.connect()
        payload = request("echo")
        connection.send(payload)
        connection.receive()
        self.cancel(job_id=payload["job_id"], request_id=payload["request_id"])
        self.cancel(job_id=payload["job_id"])
        self.assertEqual(connection.call("echo")["status"], "success")
        self.assertTrue(connection.is_silent())

    def test_cancel_on_the_same_connection(self):
        connection = self.connect()
        payload = request("hold")
        connection.send(payload)
        connection.send({"protocol_version": "1", "job_id": payload["job_id"], "request_id": payload["request_id"]}, type="cancel")
        self.cancelled(connection.receive())

    def test_a_cancel_that_overtakes_its_request(self):
        """Small, and so large that it is parsed beside the loop. It counts once, for that request alone."""
        for size in (1, 600000):
            with self.subTest(size):
                slow, quick = self.connect(), self.connect()
                payload = request("echo", extra="x" * size)
                data = frame({"type": "request", "payload": payload})
                slow.raw(data[:-1])
                quick.send({"protocol_version": "2", "job_id": payload["job_id"], "request_id": payload["request_id"]}, type="cancel")
                self.assertEqual(quick.call("echo", job_id=payload["job_id"])["status"], "success")
                slow.raw(data[-1:])
                self.cancelled(slow.receive())
                slow.raw(data)
                self.assertEqual(slow.receive()["status"], "success")

    # ---- limits

    def test_the_65th_in_flight_is_refused_and_a_cancel_makes_room(self):
        connection, other = self.connect(), self.connect()
        payloads = [request("sleep", {"for": "1h"}) for _ in range(64)]
        connection.send(*payloads)
        outcome = connection.call("echo")
        self.assertEqual((outcome["status"], outcome["error"]["message"]), ("error", "Runner busy: too many in-flight requests"))
        self.assertEqual(other.call("echo")["status"], "success")
        self.cancel(job_id=payloads[5]["job_id"], request_id=payloads[5]["request_id"])
        self.cancelled(connection.receive())
        self.assertEqual(connection.call("echo")["status"], "success")

    def test_a_request_id_in_flight_is_refused(self):
        connection, other = self.connect(), self.connect()
        payload = request("hold", request_id="same")
        connection.send(payload)
        self.pids(1)
        for again in (connection, other):
            outcome = again.call("hold", request_id="same")
            self.assertEqual((outcome["status"], outcome["error"]["type"]), ("error", "duplicate_request"))
        self.assertEqual(len(self.pids(1)), 1)
        self.cancel(job_id=payload["job_id"], request_id="same")
        self.cancelled(connection.receive())
        self.assertEqual(connection.call("echo", request_id="same")["status"], "success")

    # ---- ends

    def test_outcomes(self):
        connection = self.connect()
        for _ in range(3):
            crashed = connection.call("crash")
            self.assertEqual((crashed["status"], crashed["error"]["type"]), ("error", "signal"))
            self.assertEqual(crashed["error"]["details"]["signal"], signal.SIGSEGV)
        failed = connection.call("exits")
        self.assertEqual((failed["error"]["type"], failed["error"]["details"]["exit_code"]), ("exit", 3))
        fatal = connection.call("gives-up")
        self.assertEqual((fatal["error"]["type"], fatal["error"]["code"]), ("handler_not_found", "exit"))
        self.assertEqual(connection.call("result", {"a": [1, {"b": None}]})["result"], {"a": [1, {"b": None}]})
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        traced = connection.call("trace", context={"trace_context": {"traceparent": parent, "tracestate": "a=b"}})
        self.assertEqual(traced["result"], {"parent": parent, "state": "a=b"})

    def test_crashes_free_their_slots(self):
        connection = self.connect()
        for _ in range(3):
            connection.send(*(request("crash") for _ in range(64)))
            for _ in range(64):
                self.assertEqual(connection.receive()["error"]["type"], "signal")
        self.assertEqual(connection.call("echo")["status"], "success")

    def test_the_end_of_a_connection_cancels_what_it_brought(self):
        connection, other = self.connect(), self.connect()
        connection.send(request("hold", request_id="a"), request("deaf", request_id="b"))
        other.send(request("hold", request_id="c"))
        pids = [int(pid) for pid in self.pids(3)]
        connection.close()
        until(lambda: sum(is_alive(pid) for pid in pids) == 1, "their end")
        self.assertEqual(other.call("echo", request_id="a")["status"], "success")

    def test_term_finishes_what_runs(self):
        connection, idle = self.connect(), self.connect()
        connection.send(request("sleep", {"for": "1s"}))
        connection.send(request("echo"))
        self.assertEqual(connection.receive()["status"], "success")
        self.process.terminate()

        def gone():
            try:
                Connection(self.port).close()
                return False
            except (ConnectionRefusedError, ConnectionResetError):  # reset: it stood in line as the port was closed
                return True
        until(gone, "the port to be closed")
        late = idle.call("echo")
        self.assertEqual((late["status"], late["error"]["type"], late["retry_after_seconds"]), ("retry", "shutting_down", 0))
        self.assertEqual(connection.receive()["status"], "success")
        self.assertTrue(connection.is_closed())
        self.assertEqual(self.process.wait(timeout=paddock.PATIENCE), 0, self.said())

    def test_term_twice_stops_what_runs_and_hands_it_back(self):
        connection = self.connect()
        connection.send(request("hold"))
        pid = int(self.pids(1)[0])
        self.process.terminate()
        until(lambda: "again to stop it" in self.said(), "its words")
        self.process.terminate()
        outcome = connection.receive()
        self.assertEqual((outcome["status"], outcome["error"]["type"]), ("retry", "shutting_down"))
        self.assertTrue(connection.is_closed())
        self.assertEqual(self.process.wait(timeout=paddock.PATIENCE), 143)
        self.assertFalse(is_alive(pid))

    def test_what_an_orchestrator_makes_of_it(self):
        jobs = Orchestrator(self.port)
        self.assertEqual(jobs.run("echo", {"a": 1}), {"status": "COMPLETED", "current_retries": 0, "dlq": False, "result": {"a": 1}, "delays": []})
        failed = jobs.run("exits", max_retries=2)
        self.assertEqual((failed["status"], failed["current_retries"], failed["dlq"]), ("FAILED", 2, True))
        self.assertEqual(jobs.run("nope")["current_retries"], 1)
        self.assertEqual(jobs.run("gives-up")["current_retries"], 1)
        self.assertEqual(jobs.run("hold", timeout=0.3)["current_retries"], 1)
        later = jobs.run("sleep", {"for": 0, "then": "retry", "retry_after": "2s"}, max_retries=3)
        self.assertEqual((later["status"], later["current_retries"], later["delays"]), ("FAILED", 3, [2.0, 2.0]))
        jobs.close()


class Peers(orchestrator.Case):
    """Peers that are slow, deaf, gone, or many."""

    def tasks(self, config):
        return ("tasks: {echo: {kind: echo}, big: {kind: sleep, with: {for: 1ms}}}\n"
                f"sources: [{{use: rrq, tasks: echo, kinds: sleep, config: {config}}}]\n")

    def test_half_a_frame_is_not_waited_for(self):
        self.runner(self.tasks("{slow: 300ms}"))
        connection, whole = self.connect(), self.connect()
        connection.raw(frame({"type": "request"})[:7])
        self.assertTrue(connection.is_closed())
        self.assertEqual(whole.call("echo")["status"], "success")
        drip = self.connect()
        data = frame({"type": "request", "payload": request("echo")})
        with self.assertRaises(OSError):
            for byte in data * 10:  # each byte in time, but never a frame
                drip.raw(bytes([byte]))
                time.sleep(0.01)
                drip.socket.setblocking(False)
                try:
                    if drip.socket.recv(1) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                drip.socket.setblocking(True)

    def test_an_idle_connection_is_closed_one_that_works_is_not(self):
        self.runner(self.tasks("{idle: 1s}"))
        idle, works = self.connect(), self.connect()
        works.send(request("sleep", {"for": "2s"}))
        self.assertTrue(idle.is_closed())
        self.assertEqual(works.receive()["status"], "success")

    def test_a_connection_that_its_orchestrator_has_left_is_closed(self):
        self.runner(self.tasks("{}"))
        old, other, new = self.connect(), self.connect(), self.connect()
        old.call("echo", context={"worker_id": "rrq_worker_1_aaaaaa"})
        other.call("echo", context={"worker_id": "rrq_worker_2_bbbbbb"})
        new.call("echo", context={"worker_id": "rrq_worker_1_aaaaaa"})
        self.assertTrue(old.is_closed())
        self.assertEqual(other.call("echo")["status"], "success")
        self.assertEqual(new.call("echo")["status"], "success")

    def test_who_does_not_read_is_closed(self):
        self.runner(self.tasks("{unsent: 17MiB, slow: 20s}"))
        connection, other = self.connect(), self.connect()
        big = request("echo", {"x": "y" * 4000000})
        with self.assertRaises(OSError):
            for n in range(40):
                connection.send({**big, "request_id": f"r{n}"})
        self.assertEqual(other.call("echo")["status"], "success")
        until(lambda: "a peer does not read" in self.said(), "its words")

    def test_a_slow_reader_gets_all(self):
        self.runner(self.tasks("{slow: 400ms}"))
        connection = self.connect()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        big = request("echo", {"x": "y" * 2000000})
        connection.send(*({**big, "request_id": f"r{n}"} for n in range(4)))
        end = time.monotonic() + 2
        while time.monotonic() < end:  # slower than its patience, but it reads
            connection.buffer += connection.socket.recv(16384)
            connection.is_silent(0.01)
            time.sleep(0.02)
        got = {connection.receive()["request_id"] for _ in range(4)}
        self.assertEqual(len(got), 4)

    def test_no_room_is_waited_for(self):
        text = self.tasks("{}").replace("use: rrq,", "use: rrq, pending: 3,")
        self.runner(text)
        first, second = self.connect(), self.connect()
        first.send(*(request("sleep", {"for": "200ms"}, request_id=f"a{n}") for n in range(8)))
        second.send(*(request("sleep", {"for": "200ms"}, request_id=f"b{n}") for n in range(8)))
        for connection, letter in ((first, "a"), (second, "b")):
            got = [connection.receive() for _ in range(8)]
            self.assertEqual({outcome["status"] for outcome in got}, {"success"})
            self.assertEqual({outcome["request_id"] for outcome in got}, {f"{letter}{n}" for n in range(8)})

    def test_memory_has_a_bound(self):
        self.runner(self.tasks("{memory: 1MiB}"))
        connection = self.connect()
        payload = request("sleep", {"for": "100ms"}, extra="x" * 600000)
        connection.send(*({**payload, "request_id": f"r{n}"} for n in range(6)))
        self.assertEqual({connection.receive()["status"] for _ in range(6)}, {"success"})

    def test_a_cancelled_wait_and_a_peer_that_goes_while_it_waits(self):
        self.runner(self.tasks("{}").replace("use: rrq,", "use: rrq, pending: 1,"))
        first, second, third = self.connect(), self.connect(), self.connect()
        held = request("sleep", {"for": "1h"})
        waits = request("sleep", {"for": "1h"})
        first.send(held)
        self.assertTrue(first.is_silent())
        second.send(waits)
        third.send(request("sleep", {"for": "1h"}))
        self.assertTrue(second.is_silent())
        self.cancel(job_id=waits["job_id"], request_id=waits["request_id"])
        self.assertEqual(second.receive()["error"]["type"], "cancelled")
        third.close()
        self.cancel(job_id=held["job_id"])
        self.assertEqual(first.receive()["error"]["type"], "cancelled")
        self.assertEqual(first.call("echo")["status"], "success")

    def test_more_connections_than_allowed(self):
        self.runner(self.tasks("{connections: 3}"))

        def works():
            try:
                connection = self.connect()
                return connection.call("echo")["status"] == "success" and connection
            except (orchestrator.Closed, OSError):
                return None
        kept = [until(works, "room") for _ in range(3)]
        self.assertTrue(self.connect().is_closed())
        kept.pop().close()
        self.assertTrue(until(works, "room"))

    def test_a_result_that_is_too_large(self):
        self.runner("tasks: {echo: {kind: echo}}\n")
        connection = self.connect()
        innocent = request("echo")
        # Control characters take six bytes each when they are written.
        connection.raw(b"".join((frame({"type": "request", "payload": request("echo", {"x": "\\x" * 0 + "\u007f" * 10, "y": "\u0001" * 2600000}, request_id="big")}),
                                 frame({"type": "request", "payload": innocent}))))
        got = {outcome["request_id"]: outcome for outcome in (connection.receive(), connection.receive())}
        self.assertEqual(got[innocent["request_id"]]["status"], "success")
        self.assertEqual(got["big"]["status"], "success")  # as it came


class Start(orchestrator.Case):
    """How an orchestrator starts its runners."""

    def test_the_last_address_counts_and_that_of_the_command_line_over_the_environment(self):
        wrong, right = orchestrator.free_port(), orchestrator.free_port()
        self.runner("tasks: {echo: {kind: echo}}", "--tcp-socket", f"127.0.0.1:{wrong}", port=right,
                    env={"RRQ_RUNNER_TCP_SOCKET": f"127.0.0.1:{wrong}"})
        self.assertEqual(self.connect().call("echo")["status"], "success")
        with self.assertRaises(ConnectionRefusedError):
            Connection(wrong)

    def test_the_environment(self):
        port = self.port = orchestrator.free_port()
        self.write("paddock.yaml", "tasks: {echo: {kind: echo}}")
        with open(self.path("stderr"), "wb") as err:
            self.process = self.start("rrq", env={"RRQ_RUNNER_TCP_SOCKET": f" localhost:{port} "}, stderr=err)
        self.ready()
        self.assertEqual(self.connect().call("echo")["status"], "success")
        self.stop()

    def test_only_loopback(self):
        self.write("paddock.yaml", "tasks: {echo: {kind: echo}}")
        for address in ("0.0.0.0:9", "example.com:9", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":9", "[::]:9", "[::1]", "::1:9", "x"):
            with self.subTest(address):
                result = self.paddock("rrq", "--tcp-socket", address)
                self.assertEqual(result.returncode, 5, result.stderr)
                self.assertIn(f'"{address}"', result.stderr)
                self.assertIn("127.0.0.1:PORT", result.stderr)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.write("paddock.yaml", "tasks: {echo: {kind: echo}}")
            result = self.paddock("rrq", "--tcp-socket", "127.0.0.1:%d" % taken.getsockname()[1])
        self.assertEqual(result.returncode, 1)
        self.assertIn("Address already in use", result.stderr)

    def test_faults_are_found_before_it_listens(self):
        for text, code, words in (("tasks: {}", 3, "nothing can be called"), ("tasks: {a: {kind: nope}}", 4, 'no runner serves "nope"'),
                                  ("sources: [{use: rrq, kinds: ech}]", 4, 'did you mean "echo"?'),
                                  ("sources: [{use: rrq, kinds: echo, config: {functions: {a: {}}}}]", 5, "wants one of task and kind"),
                                  ("sources: [{use: rrq, kinds: echo, config: {functions: {a: {kind: http}}}}]", 1, "no kind that this source may name"),
                                  ("sources: [{use: rrq, kinds: echo, config: {lisen: x}}]", 5, 'did you mean "listen"?')):
            with self.subTest(text):
                self.write("paddock.yaml", text)
                result = self.paddock("rrq", "--tcp-socket", f"127.0.0.1:{orchestrator.free_port()}")
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(words, result.stderr)

    def test_it_goes_with_its_parent(self):
        self.write("paddock.yaml", "tasks: {echo: {kind: echo}}")
        for option, stays in ((), False), (("--stay",), True):
            port = orchestrator.free_port()
            words = " ".join((paddock.PROGRAM, "rrq", "--tcp-socket", f"127.0.0.1:{port}", *option))
            parent = subprocess.Popen(["sh", "-c", f"{words} >out 2>&1 & echo $! > pid; read x"], cwd=self.folder, env=self.env,
                                      stdin=subprocess.PIPE)
            self.started.append(parent)
            self.port, self.process = port, parent
            until(lambda: self.exists("out") and "listening" in self.read("out"), "the runner")
            pid = self.pid_from("pid")
            connection = self.connect()
            parent.kill()
            parent.wait()
            if stays:
                self.assertEqual(connection.call("echo")["status"], "success")
                os.kill(pid, signal.SIGTERM)
            until(lambda: not is_alive(pid), "its end")
            if not stays:
                self.assertIn("the process that started this one has died", self.read("out"))
            os.unlink(self.path("out"))
            os.unlink(self.path("pid"))

    def test_run_leaves_sources_out(self):
        result = self.ended(self.run_file("tasks: {a: 'true'}\nsources: [{use: rrq, tasks: a}]\n"), 0)
        self.assertIn("run starts no sources: rrq is left out", result.stderr)

    def test_output_and_events(self):
        self.runner("tasks: {say: {command: 'echo hello; echo there >&2'}}\n", "--json")
        self.assertEqual(self.connect().call("say")["status"], "success")
        self.stop()
        events = [json.loads(line) for line in self.read("stdout").splitlines()]
        names = [event["event"] for event in events if event.get("task") == "say"]
        self.assertEqual(names[0], "run.accepted")
        self.assertEqual(names[-1], "run.ended")
        self.assertEqual({event["text"] for event in events if event["event"] == "attempt.output"}, {"hello", "there"})
        ended = [event for event in events if event["event"] == "run.ended"][0]
        self.assertEqual((ended["outcome"], ended["run_id"]), ("succeeded", "subprocess-say-1"))


orchestrator.main()
