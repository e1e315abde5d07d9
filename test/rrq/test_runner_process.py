# SPDX-License-Identifier: Apache-2.0
"""The life of a process: start, readiness, crash, restart, end."""

import os
import signal
import socket
import sys

import drive
from drive import of, task


class Start(drive.Case):
    def test_connect_socket_errors_when_child_exits(self):
        events, ends = self.drive({"t": task("echo")}, "--exit", 7, crash_limit=3, code=1)
        self.assertEqual((ends["t"]["outcome"], ends["t"]["reason"]), ("fatal", "crash_loop"))
        self.assertRegex(ends["t"]["message"], "the runner was given up: its process [0-9]+ ended with exit code 7")
        self.assertEqual(len(self.trace("start")), 3)
        self.assertIn("degraded", [event["state"] for event in of(events, "plugin.health") if event["plugin"] == "rrq"])

    def test_a_program_that_is_not_there(self):
        _, ends = self.drive({"t": task("echo")}, command=["./there-is-none"], crash_limit=2, code=1)
        self.assertEqual(ends["t"]["reason"], "crash_loop")
        self.assertIn("there-is-none", ends["t"]["message"])

    def test_runs_wait_until_a_process_is_ready(self):
        gate = self.path("gate")
        process = self.begin({"t": task("echo", timeout="5s")}, "--wait-for", gate)
        self.wait_for_trace("start")
        drive.until(lambda: self.seen("run.accepted"), "the run")
        self.assertEqual(self.seen("attempt.started"), [])
        self.assertNotIn("up", self.health())
        self.touch("gate")
        self.assertEqual(self.finish(process)["t"]["outcome"], "succeeded")

    def test_never_ready(self):
        """Stopped when its time is over, tried again, and given up."""
        _, ends = self.drive({"t": task("echo")}, "--wait-for", "/nonexistent", connect_timeout="1.5s", crash_limit=2, code=1)
        self.assertRegex(ends["t"]["message"], "not ready within 1.5 s: Connection refused")
        self.assertEqual(len(self.trace("start")), 2)
        self.all_gone()

    def test_a_deadline_ends_the_waiting(self):
        process = self.begin({"t": task("echo", deadline="300ms")}, "--wait-for", "/nonexistent")
        end = self.finish(process)["t"]
        self.assertEqual((end["event"], end["reason"]), ("run.rejected", "deadline"))
        self.all_gone()

    def test_a_probe_finds_who_listens_but_does_not_answer(self):
        _, ends = self.drive({"t": task("echo")}, "--silent", probe=True, connect_timeout="1.5s", crash_limit=1, code=1)
        self.assertIn("it does not answer the probe", ends["t"]["message"])
        self.assertEqual([note["function_name"] for note in self.trace("request")], ["__paddock_probe__"])

    def test_a_probe_wants_handler_not_found(self):
        _, ends = self.drive({"t": task("echo")}, "--answers-all", probe=True, crash_limit=1, code=1)
        self.assertIn("answered the probe otherwise than with handler_not_found: success", ends["t"]["message"])

    def test_a_probe_finds_another_version(self):
        _, ends = self.drive({"t": task("echo")}, "--generation", "0.9.9", address="both", protocol=2, multiplex=True, probe=True,
                             crash_limit=1, code=1)
        self.assertIn("Unsupported protocol version", ends["t"]["message"])

    def test_a_probe_that_is_answered(self):
        _, ends = self.drive({"t": task("echo")}, probe=True, code=0)
        self.assertEqual([note["function_name"] for note in self.trace("request")], ["__paddock_probe__", "echo"])
        self.assertEqual(len(self.trace("open")), 1)


class Ports(drive.Case):
    def test_incrementing_ports(self):
        port = drive.free_port(3)
        process = self.begin({"t": task("wait", {"file": self.path("gate")})}, pool_size=3, port=port)
        self.wait_for_trace("start", 3)
        self.touch("gate")
        self.finish(process)
        self.assertEqual(sorted(note["address"] for note in self.trace("start")), [f"127.0.0.1:{port + i}" for i in range(3)])

    def test_respawn_preserves_socket_target(self):
        port = drive.free_port()
        _, ends = self.drive({"t": task("crash", {"file": self.path("once")}, retries=2, backoff="1ms")}, port=port, code=0)
        self.assertEqual({note["address"] for note in self.trace("start")}, {f"127.0.0.1:{port}"})
        self.assertEqual(len(self.trace("start")), 2)

    def test_collision_detected(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            _, ends = self.drive({"t": task("echo")}, port=port, crash_limit=2, code=1)
        self.assertIn(f"its port {port} cannot be had: Address already in use", ends["t"]["message"])
        self.assertEqual(self.trace("start"), [])

    def test_a_collision_that_ends(self):
        server = socket.create_server(("127.0.0.1", 0))
        process = self.begin({"t": task("echo")}, port=server.getsockname()[1], crash_limit=0)
        drive.until(lambda: "cannot be had" in self.read("errors"), "the collision")
        server.close()
        self.assertEqual(self.finish(process)["t"]["outcome"], "succeeded")


class Crash(drive.Case):
    def test_ensure_process_respawns_exited_child(self):
        for given, words in (({"code": 3}, "ended with exit code 3"), ({"signal": signal.SIGSEGV}, "was killed by signal 11"),
                             ({"code": 0}, "ended with exit code 0")):
            with self.subTest(words):
                once = self.path(f"once-{words}")
                events, ends = self.drive({"t": task("crash", {**given, "file": once}, retries=2, backoff="1ms")}, code=0)
                first = of(events, "attempt.ended")[0]
                self.assertEqual((first["result"], first["category"], first["code"]), ("failed", "network", "runner_exited"))
                self.assertIn(words, first["message"])
                self.assertEqual(ends["t"]["attempts"], 2)

    def test_all_in_flight_fail_with_their_process(self):
        process = self.begin({"a": task("wait", {"file": "/nonexistent"}), "b": task("wait", {"file": "/nonexistent"})}, max_in_flight=2)
        self.wait_for_trace("request", 2)
        os.kill(self.trace("start")[0]["pid"], signal.SIGKILL)
        ends = self.finish(process)
        self.assertEqual({end["outcome"] for end in ends.values()}, {"failed"})
        self.assertTrue(all("was killed by signal 9" in end["message"] for end in ends.values()), ends)

    def test_an_idle_death_is_noticed(self):
        """At once, not when the next request comes; also when it ends with 0."""
        for options in ((), ("--exit-when", self.path("end"))):
            with self.subTest(options):
                if self.exists("trace"):
                    os.unlink(self.path("trace"))
                process = self.begin({"hold": {"command": ["sleep", "1000"]}}, *options)
                self.wait_for_trace("open")
                drive.until(lambda: self.health()[-1:] == ["up"], "readiness")
                if options:
                    self.touch("end")
                else:
                    os.kill(self.trace("start")[0]["pid"], signal.SIGKILL)
                self.wait_for_trace("start", 2)
                drive.until(lambda: self.states() == ["up", "down", "up"], "down and up again")
                process.send_signal(signal.SIGTERM)
                self.finish(process)
        self.assertIn("ended with exit code 0", self.read("errors"))

    def states(self):
        states = self.health()
        changes = [state for i, state in enumerate(states) if i == 0 or states[i - 1] != state]
        return changes[changes[:1] == ["down"]:]  # the first may come before anybody listens

    def test_back_off(self):
        _, ends = self.drive({"t": task("echo")}, "--exit", 1, crash_limit=4, backoff={"first": "20ms", "max": "50ms", "jitter": "none"})
        pauses = [line.split("again in ")[1].split(" s")[0] for line in self.stderr.splitlines() if "again in" in line]
        self.assertEqual(pauses, ["0.02", "0.04", "0.05"])
        self.assertIn("given up after 4 times in a row", self.stderr)

    def test_jitter(self):
        self.drive({"t": task("echo")}, "--exit", 1, crash_limit=5, backoff={"first": "20ms", "max": "20ms"})
        pauses = [float(line.split("again in ")[1].split(" s")[0]) for line in self.stderr.splitlines() if "again in" in line]
        self.assertEqual(len(pauses), 4)
        self.assertTrue(all(0.0099 <= pause <= 0.0201 for pause in pauses), pauses)

    def test_one_given_up_does_not_stop_the_others(self):
        port = drive.free_port(2)
        with socket.create_server(("127.0.0.1", port + 1)):
            events, ends = self.drive({f"t{n}": task("crash", {"file": self.path("x")}, retries=3, backoff="300ms") for n in range(1)},
                                      port=port, pool_size=2, crash_limit=2)
        self.assertEqual(ends["t0"]["outcome"], "succeeded")
        self.assertIn("worker 2: its port", self.stderr)

    def test_who_lived_long_starts_from_the_first_pause(self):
        once = {"function": "crash", "params": {}}
        events, ends = self.drive({"t": {"kind": "rrq", "with": once, "retries": 5, "backoff": "1ms"}}, crash_limit=3,
                                  backoff={"first": "1ms", "jitter": "none", "reset": "0s"}, code=1)
        self.assertEqual((ends["t"]["outcome"], ends["t"]["attempts"]), ("failed", 6))  # never given up


class End(drive.Case):
    def test_terminate_child_escalates_to_sigkill_when_term_ignored(self):
        events, _ = self.drive({"t": task("echo")}, "--deaf-term", stop={"grace": "200ms"}, code=0)
        self.assertEqual(len(self.trace("term")), 1)
        self.assertEqual([event["message"] for event in of(events, "server.draining") if "did not" in event["message"]], [])
        self.all_gone()

    def test_terminate_child_kills_process_group_descendants(self):
        self.drive({"t": task("echo")}, "--child", code=0)
        self.assertEqual(len(self.trace("child")), 1)
        self.all_gone()

    def test_terminate_child_kills_descendants_when_leader_exits_first(self):
        _, ends = self.drive({"t": task("crash", {"code": 1})}, "--child", code=1)
        self.all_gone()

    def test_the_stop_signal_can_be_chosen(self):
        process = self.begin({"t": task("echo")}, stop={"signal": "KILL", "grace": "100s"}, command=self.command("--deaf-term"))
        self.assertEqual(self.finish(process)["t"]["outcome"], "succeeded")
        self.assertEqual(self.trace("term"), [])
        self.all_gone()

    def test_stop_while_it_starts(self):
        process = self.begin({"t": task("echo")}, "--wait-for", "/nonexistent", pool_size=2)
        self.wait_for_trace("start", 2)
        process.send_signal(signal.SIGTERM)
        ends = self.finish(process)
        self.assertEqual((ends["t"]["event"], ends["t"]["reason"]), ("run.rejected", "shutting_down"))
        self.all_gone()

    def test_drain_cancels_what_is_out(self):
        process = self.begin({"t": task("wait", {"file": "/nonexistent"})})
        self.wait_for_trace("request")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process)["t"]["outcome"], "canceled")
        self.assertEqual(len(self.trace("cancel")), 1)
        self.all_gone()


class Surroundings(drive.Case):
    def test_environment_folder_and_limits(self):
        os.mkdir(self.path("inner"))
        self.env.update(NOTIFY_SOCKET="/run/x", INHERITED="1", RRQ_RUNNER_TCP_SOCKET="9.9.9.9:9")
        config = {"command": self.command(), "cwd": "inner", "rlimits": {"nofile": 99},
                  "env": {"MODE": "test", "PORT": 8080}}
        self.ended(self.run_file(drive.json.dumps({"plugins": [{"use": "rrq", "config": config}], "tasks": {"t": task("echo")}})), 0)
        note = self.trace("start")[0]
        env = note["env"]
        self.assertEqual((env["MODE"], env["PORT"], env["INHERITED"]), ("test", "8080", "1"))
        self.assertNotIn("NOTIFY_SOCKET", env)
        self.assertEqual(env["RRQ_RUNNER_TCP_SOCKET"], note["address"])
        self.assertEqual((note["cwd"], note["files"]), (self.path("inner"), 99))

    def test_the_folder_of_the_file_is_the_default(self):
        os.mkdir(self.path("elsewhere"))
        self.write("elsewhere/p.yaml", self.file({"t": task("echo")}))
        self.ended(self.paddock("run", "elsewhere/p.yaml"), 0)
        self.assertEqual(self.trace("start")[0]["cwd"], self.path("elsewhere"))

    def test_what_no_request_wrote_is_logged(self):
        script = f"import sys, runpy; print('warming up', file=sys.stderr, flush=True); sys.argv[0] = {drive.RUNNER!r}; " \
                 f"runpy.run_path({drive.RUNNER!r}, run_name='__main__')"
        self.drive({"t": task("echo")}, command=[sys.executable, "-c", script], code=0)
        self.assertIn("worker 1: warming up", self.stderr)


if __name__ == "__main__":
    drive.main()
