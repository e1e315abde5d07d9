# SPDX-License-Identifier: Apache-2.0
"""paddock serve: it starts, is told things by signals and by its service manager, and ends."""

import json
import os
import signal
import socket
import subprocess
import unittest

import paddock
from paddock import is_alive, until
from serve import ServeCase

# A program that writes its number and then sleeps for ever.
SLEEP = "echo $$ > {0}.pid; exec sleep 1000"


def sleeper(name, more=""):
    return f"  {name}: {{command: '{SLEEP.format(name)}'{more}}}\n"


def file_of(*tasks, more=""):
    return "tasks:\n" + "".join(tasks) + more


class Life(ServeCase):
    def test_ready_pid_file_and_end(self):
        process = self.serve(file_of(sleeper("a")), "--pid-file", "pid")
        self.assertEqual(self.pid_from("pid"), process.pid)
        child = self.pid_from("a.pid")
        self.end(process)
        self.assertFalse(is_alive(child))
        self.assertFalse(self.exists("pid"))

    def test_ready_on_a_standard_stream_which_stays_open(self):
        self.write("paddock.yaml", file_of(sleeper("a")))
        with open(self.path("out"), "wb") as out, open(self.path("log"), "wb") as log:
            process = self.start("serve", "--ready-fd", "1", stdout=out, stderr=log)
        until(lambda: "ready\n" in self.read("out"), "the word")
        self.pid_from("a.pid")
        self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/1"), self.path("out"))
        self.end(process)

    def test_goes_on_when_all_have_ended_and_some_have_failed(self):
        process = self.serve("tasks: {good: echo hello, bad: exit 3, after: {command: echo no, needs: bad}}")
        self.says("succeeded")
        self.says("failed: exit code 3")
        self.says("rejected: bad did not succeed")
        self.assertEqual(self.reload(process, "tasks: {good: echo hello}"), "reloaded: 2 removed (bad, after), 1 unchanged")
        self.end(process)
        self.assertEqual(self.read("out"), "good | hello\n")

    def test_term_lets_what_runs_go_on_as_long_as_it_may(self):
        process = self.serve("shutdown: {drain: 1h}\ntasks: {a: 'echo on > on; until [ -e go ]; do sleep 0.01; done; echo done'}")
        self.wait_for_file("on")
        process.send_signal(signal.SIGTERM)
        self.says("finishing what runs; again to stop it")
        self.write("go", "")
        self.assertEqual(process.wait(paddock.PATIENCE), 0)
        self.assertIn("a | done", self.read("out"))

    def test_term_twice_kills(self):
        process = self.serve("tasks: {a: {command: 'trap \"\" TERM; echo $$ > pid; while :; do sleep 0.01; done', "
                             "stop: {grace: 1h}}}\nshutdown: {grace: 2h}")
        child = self.pid_from("pid")
        process.send_signal(signal.SIGTERM)
        self.says("stopping what runs; again to kill it")
        self.assertTrue(is_alive(child))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(paddock.PATIENCE), 143)
        self.says("killing what still runs")
        self.assertFalse(is_alive(child))

    def test_int_is_as_term(self):
        process = self.serve(file_of(sleeper("a")))
        self.pid_from("a.pid")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(paddock.PATIENCE), 0)

    def test_quit_says_states_and_usr2_is_nothing(self):
        process = self.serve(file_of(sleeper("a"), "  m: {command: x, manual: true}\n"), "-q")
        self.pid_from("a.pid")
        process.send_signal(signal.SIGUSR2)
        process.send_signal(signal.SIGQUIT)
        line = self.says("running, ready, for")
        self.assertEqual((line["task"], line["level"]), ("a", "info"))
        self.end(process)

    def test_check_starts_nothing(self):
        self.write("paddock.yaml", "tasks: {a: 'touch started'}")
        result = self.ended(self.paddock("serve", "--check"), 0)
        self.assertEqual(result.stderr, "it would start: 1 task\n")
        self.assertFalse(self.exists("started") or self.exists("state"))
        self.write("paddock.yaml", "tasks: {a: {comand: x}}\nserver: {mode: rw}")
        result = self.ended(self.paddock("serve", "--check"), 3)
        self.assertIn("paddock.yaml:2:16: error: server.mode", result.stderr)
        self.write("paddock.yaml", "tasks: {a: {kind: nowhere}}")
        self.ended(self.paddock("serve", "--check"), 4)

    def test_modes(self):
        for mode, code in (("0660", 0), ("660", 0), ("066", 0), ("000", 0), ("66", 3), ("00660", 3), ("0668", 3), ("0", 3)):
            self.write("paddock.yaml", f"tasks: {{}}\nserver: {{mode: {mode}}}")
            self.ended(self.paddock("serve", "--check"), code)

    def test_bad_words(self):
        self.write("paddock.yaml", "tasks: {}")
        for words, said in ((("--ready-fd", "x"), "is no descriptor"), (("--ready-fd", "77"), "Bad file descriptor"),
                            (("a", "b"), "unexpected word"), (("--chek",), "did you mean --check?")):
            result = self.ended(self.paddock("serve", *words), 2)
            self.assertIn(said, result.stderr)
        os.unlink(self.path("paddock.yaml"))
        self.assertIn("there is no paddock.yaml", self.ended(self.paddock("serve"), 3).stderr)

    def test_one_server_has_the_state(self):
        process = self.serve("tasks: {}")
        result = self.ended(self.paddock("serve"), 8)
        self.assertIn(f"another server, process {process.pid}, has {self.path('state')}", result.stderr)
        self.assertEqual(os.stat(self.path("state")).st_mode & 0o777, 0o700)
        self.end(process)
        self.end(self.serve(None))

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another")
    def test_one_server_has_the_state_though_another_user_asks(self):
        process = self.serve("tasks: {}")
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("paddock.yaml"), 0o644)
        for path in ("state", "state/lock"):
            os.chown(self.path(path), 65534, 65534)
        try:
            result = self.ended(self.paddock("serve", user=65534), 8)
        except PermissionError:
            self.skipTest("SKIPPED: the program lies where others may not run it")
        self.assertIn(f"another server, process {process.pid}, has {self.path('state')}", result.stderr)
        self.end(process)

    def test_state_that_cannot_be_had(self):
        self.write("paddock.yaml", "server: {state: /proc/nowhere}")
        result = self.ended(self.paddock("serve"), 1)
        self.assertIn("the state folder /proc/nowhere: ", result.stderr)

    def test_pid_file_that_cannot_be_written(self):
        self.write("paddock.yaml", "tasks: {a: 'touch started'}")
        result = self.ended(self.paddock("serve", "--pid-file", "nowhere/pid"), 1)
        self.assertEqual(result.stderr, "paddock: cannot write nowhere/pid: No such file or directory\n")
        self.assertFalse(self.exists("started"))

    def test_pid_file_on_a_full_disk(self):
        self.write("paddock.yaml", "tasks: {a: 'touch started'}")
        os.mkdir(self.path("full"))
        script = ("mount -t tmpfs -o size=4k none full || exit 99; head -c 1000000 /dev/zero > full/fill 2> none\n"
                  f"{paddock.PROGRAM} serve --pid-file full/pid; code=$?; ls full; exit $code")
        result = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=self.folder, env=self.env, text=True,
                                capture_output=True, timeout=paddock.PATIENCE)
        if result.returncode in (1, 99) and "paddock" not in result.stderr:
            self.skipTest(f"SKIPPED: no file system can be mounted here: {result.stderr}")
        self.ended(result, 1)
        self.assertEqual(result.stderr, "paddock: cannot write full/pid: No space left on device\n")
        self.assertEqual(result.stdout, "fill\n")


class Reload(ServeCase):
    def test_what_is_unchanged_goes_on(self):
        process = self.serve(file_of(sleeper("same"), sleeper("other"), sleeper("gone")))
        pids = {name: self.pid_from(f"{name}.pid") for name in ("same", "other", "gone")}
        os.unlink(self.path("other.pid"))
        said = self.reload(process, file_of(sleeper("new"), sleeper("other", ", labels: {x: y}"), sleeper("same")))
        self.assertEqual(said, "reloaded: 1 added (new), 1 changed (other), 1 removed (gone), 1 unchanged")
        self.assertNotEqual(self.pid_from("other.pid"), pids["other"])
        self.pid_from("new.pid")
        until(lambda: not is_alive(pids["gone"]) and not is_alive(pids["other"]), "the end of the old ones")
        self.assertTrue(is_alive(pids["same"]))
        self.assertEqual(self.pid_from("same.pid"), pids["same"])
        self.assertEqual(self.reload(process, self.read("paddock.yaml") + "# a word\n"), "reloaded: 3 unchanged")
        self.assertTrue(is_alive(pids["same"]))
        self.end(process)

    def test_a_fault_changes_nothing(self):
        process = self.serve(file_of(sleeper("a")))
        child = self.pid_from("a.pid")
        for text, said in (("tasks:\n  a: echo\n  b: {command: x, neds: a}\n", 'paddock.yaml:3:19: tasks.b: unknown field "neds"'),
                           ("tasks: {b: {kind: nowhere}}", "no runner serves"),
                           ("tasks: {b: {command: x, with: {what: 1}}}", "unknown"),
                           ("tasks: {b: [\n", "paddock.yaml:2:1")):
            self.reload(process, text, "nothing has changed")
            line = self.says(said)
            self.assertEqual((line["level"], line["file"]), ("error", "paddock.yaml"))
        os.unlink(self.path("paddock.yaml"))
        process.send_signal(signal.SIGHUP)
        self.says("cannot be read: No such file or directory")
        self.assertTrue(is_alive(child))
        self.assertEqual(self.reload(process, file_of(sleeper("a"))), "reloaded: 1 unchanged")
        self.assertTrue(is_alive(child))
        self.end(process)

    def test_what_only_a_restart_changes_is_named(self):
        process = self.serve("tasks: {}")
        self.reload(process, "limits: {running: 3}\nserver: {log: debug}\nplugins: [{use: subprocess, labels: {a: b}}]\n")
        for name in ("limits", "server", "subprocess"):
            self.assertEqual(self.says(f"{name} has changed: that needs a restart")["level"], "warn")
        self.end(process)

    def test_each_reload_is_compared_with_what_is_at_work(self):
        names = [f"plugin{n}" for n in range(40)]
        process = self.serve("plugins:\n" + "".join(f"  - {{use: sleep, name: {name}}}\n" for name in names))
        for times in (1, 2):
            self.reload(process, "tasks: {}\n")
            for name in names:
                self.says(f"{name} has changed: that needs a restart", times)
        self.end(process)

    def test_includes_and_files_of_others(self):
        os.mkdir(self.path("d"))
        self.write("d/a.yaml", file_of(sleeper("a")))
        process = self.serve("include: d/*.yaml")
        child = self.pid_from("d/a.pid")
        self.write("d/b.yaml", "tasks: {b: echo b}")
        self.assertEqual(self.reload(process, "include: d/*.yaml"), "reloaded: 1 added (b), 1 unchanged")
        os.chmod(self.path("d/b.yaml"), 0o666)
        self.reload(process, "include: d/*.yaml", "nothing has changed")
        self.says("d/b.yaml: others may write this file")
        self.assertTrue(is_alive(child))
        self.end(process)
        self.assertIn("others may write", self.ended(self.paddock("serve"), 3).stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_owners(self):
        self.write("paddock.yaml", "include: mine.yaml\n")
        self.write("mine.yaml", "tasks: {}\nserver: {trusted_user: daemon}\n")
        os.chown(self.path("mine.yaml"), 1, -1)
        self.assertIn("mine.yaml: error: it belongs to daemon (uid 1), who is not trusted",
                      self.ended(self.paddock("serve"), 3).stderr)  # nobody trusts himself
        self.write("paddock.yaml", "include: mine.yaml\nserver: {trusted_user: daemon}\n")
        self.write("mine.yaml", "tasks: {}\n")
        self.end(self.serve(None))
        self.write("paddock.yaml", "server: {trusted_user: nobody-at-all}\n")
        self.assertIn('there is no user "nobody-at-all"', self.ended(self.paddock("serve"), 3).stderr)

    def test_standard_input_is_read_once(self):
        with open(self.path("log"), "wb") as log:
            process = self.start("serve", "-", stdin=subprocess.PIPE, stderr=log)
        process.stdin.write(file_of(sleeper("a")).encode())
        process.stdin.close()
        child = self.pid_from("a.pid")
        process.send_signal(signal.SIGHUP)
        self.says("cannot be read again")
        self.assertTrue(is_alive(child))
        self.end(process)

    def test_log_files_are_opened_anew(self):
        process = self.serve("tasks: {a: {command: 'n=0; while :; do [ -e go$n ] && echo line $n && n=$((n+1)); sleep 0.01; "
                             "done', log: a.log}}")
        for n, by in ((0, None), (1, signal.SIGUSR1), (2, signal.SIGHUP)):
            if by:
                os.rename(self.path("a.log"), self.path(f"a.log.{n}"))
                process.send_signal(by)
                self.says("log files are opened anew" if by == signal.SIGUSR1 else "reloaded")
            self.write(f"go{n}", "")
            self.assertEqual(self.wait_for_file("a.log"), f"line {n}\n")
        self.end(process)


class Notify(ServeCase):
    def listen(self, name):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.sock.close)
        self.sock.settimeout(paddock.PATIENCE)
        self.sock.bind(name.replace("@", "\0", 1))
        self.env["NOTIFY_SOCKET"] = name

    def hears(self, key):
        """The next message that says this, as a map."""
        while True:
            got = dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())
            if key in got:
                return got

    def life(self):
        process = self.serve("tasks: {a: 'env > env; exec sleep 1000'}")
        got = self.hears("READY")
        self.assertEqual((got["READY"], got["MAINPID"], got["STATUS"]), ("1", str(process.pid), "1 tasks declared"))
        self.assertNotIn("NOTIFY_SOCKET", self.wait_for_file("env"))
        process.send_signal(signal.SIGHUP)
        self.assertGreater(int(self.hears("RELOADING")["MONOTONIC_USEC"]), 0)
        self.assertEqual(self.hears("READY")["STATUS"], "1 tasks declared")
        process.send_signal(signal.SIGTERM)
        got = self.hears("STOPPING")
        self.assertEqual(int(got["EXTEND_TIMEOUT_USEC"]), 45_000_000)
        self.assertEqual(process.wait(paddock.PATIENCE), 0)

    def test_path(self):
        self.listen(self.path("notify"))
        self.life()

    def test_abstract(self):
        self.listen(f"@paddock-test-{os.getpid()}")
        self.life()

    def test_watchdog(self):
        self.listen(self.path("notify"))
        self.env["WATCHDOG_USEC"] = "20000"
        process = self.serve("tasks: {a: 'env > env'}")
        for _ in range(5):
            self.hears("WATCHDOG")
        self.assertNotIn("WATCHDOG", self.wait_for_file("env"))
        process.send_signal(signal.SIGSTOP)  # a loop that hangs is one that says nothing
        self.sock.setblocking(False)
        until(lambda: self.drained(), "silence")
        process.send_signal(signal.SIGCONT)
        self.sock.settimeout(paddock.PATIENCE)
        self.hears("WATCHDOG")
        self.end(process)

    def drained(self):
        try:
            self.sock.recv(4096)
        except BlockingIOError:
            return True
        return False

    def test_the_watchdog_of_another(self):
        self.listen(self.path("notify"))
        self.env.update(WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        process = self.serve("tasks: {a: 'until [ -e go ]; do sleep 0.01; done'}")
        self.hears("READY")
        self.end(process)
        self.sock.setblocking(False)
        while True:
            try:
                self.assertNotIn(b"WATCHDOG", self.sock.recv(4096))
            except BlockingIOError:
                break

    def test_a_full_socket_loses_nothing(self):
        self.listen(self.path("notify"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as noise:
            try:
                while True:
                    noise.sendto(b"NOISE=1", self.path("notify"))
            except BlockingIOError:
                pass
        process = self.serve("tasks: {}")
        process.send_signal(signal.SIGHUP)
        self.says("reloaded")
        for key in ("READY", "RELOADING", "READY"):
            self.hears(key)
        self.end(process)

    def test_nobody_listens(self):
        self.env["NOTIFY_SOCKET"] = self.path("nobody")
        process = self.serve("tasks: {}")
        self.says("cannot tell the service manager: No such file or directory")
        self.end(process)


class Log(ServeCase):
    def test_json_has_fields(self):
        process = self.serve("tasks: {a: exit 1}")
        line = self.says("failed: exit code 1")
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        del line["time"]
        self.assertEqual(line, {"level": "error", "msg": "failed: exit code 1", "logger": "tasks", "run_id": "subprocess-a-1",
                                "task": "a", "attempt": 1, "runner": "subprocess"})
        self.end(process)

    def test_text_has_time_and_level(self):
        process = self.serve("server: {log_format: text}\ntasks: {a: exit 1}")
        until(lambda: "failed" in self.read("log"))
        self.end(process)
        line = next(line for line in self.read("log").splitlines() if "failed" in line)
        self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z error a: failed: exit code 1$")

    def test_the_journal_gets_priorities(self):
        st = os.stat(self.write("log", ""))
        self.env["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
        process = self.serve("tasks: {a: exit 1}")
        until(lambda: "<3>a: failed: exit code 1\n" in self.read("log"))
        self.end(process)
        self.assertIn("<6>a: started\n", self.read("log"))

    def test_levels(self):
        process = self.serve("server: {log: error}\ntasks: {a: exit 1, b: echo}")
        self.says("failed: exit code 1")
        self.end(process)
        self.assertEqual({line["level"] for line in self.lines()}, {"error"})

    def test_events_on_request(self):
        process = self.serve("tasks: {a: echo hello}", "--json")
        self.says("succeeded")
        self.end(process)
        events = [json.loads(line) for line in self.read("out").splitlines()]
        self.assertEqual(next(e["text"] for e in events if e["event"] == "attempt.output"), "hello")
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))


class Container(ServeCase):
    def zombies(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [child for child in children.read().split() if not is_alive(int(child))]

    def test_strangers_are_reaped(self):
        """One that has left its group and its environment is nobody's that we know."""
        stranger = 'env -i setsid sh -c "echo born > born; until [ -e die ]; do sleep 0.01; done; : > dead"'
        process = self.serve("tasks:\n  a: |\n    (" + stranger + " &)\n    exec sleep 1000\n")
        self.wait_for_file("born")
        self.write("die", "")
        until(lambda: self.exists("dead"), "the end of the stranger")
        until(lambda: not self.zombies(process.pid) and self.adopted(process.pid) == 1, "its reaping")
        self.end(process)

    def adopted(self, pid):
        """Children, ours and adopted: of all threads."""
        count = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as children:
                count += len(children.read().split())
        return count

    def test_process_1(self):
        self.write("paddock.yaml", "tasks:\n  a: |\n    (env -i setsid sh -c 'echo born > born; : > dead' &)\n"
                                   "    echo $$ > a.pid; exec sleep 1000\n")
        with open(self.path("log"), "wb") as log:
            process = subprocess.Popen(["unshare", "-pf", "--mount-proc", "--kill-child", paddock.PROGRAM, "serve"],
                                       cwd=self.folder, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.started.append(process)
        until(lambda: process.poll() is not None or self.exists("dead"), "the stranger")
        if process.poll() is not None:
            self.skipTest(f"SKIPPED: no PID namespace can be had here: {self.read('log')}")
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
            init = int(children.read().split()[0])
        until(lambda: self.adopted(init) == 1, "the reaping of the stranger")
        os.kill(init, signal.SIGHUP)
        self.says("reloaded: 1 unchanged")
        os.kill(init, signal.SIGTERM)
        self.assertEqual(process.wait(paddock.PATIENCE), 0, self.read("log"))


class Sockets(ServeCase):
    def with_sockets(self, text, count, names=None, pid="$$", listen=None):
        """Serve with sockets from 3 on."""
        socks = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(count)]
        for number, sock in enumerate(socks):
            self.addCleanup(sock.close)
            sock.bind(self.path(f"sock{number}"))
            sock.listen()
        moves = " ".join(f"{50 + n}<&{sock.fileno()}" for n, sock in enumerate(socks))
        again = " ".join(f"{3 + n}<&{50 + n} {50 + n}<&-" for n in range(count))
        names = f"LISTEN_FDNAMES={names} " if names else ""
        script = (f"exec {moves}; exec {again}; export {names}LISTEN_FDS={count if listen is None else listen} "
                  f"LISTEN_PID={pid}; exec {paddock.PROGRAM} serve")
        self.write("paddock.yaml", text)
        with open(self.path("out"), "wb") as out, open(self.path("log"), "wb") as log:
            process = subprocess.Popen(["bash", "-c", script], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=log, pass_fds=[sock.fileno() for sock in socks])
        self.started.append(process)
        return process

    def test_tasks_have_none_of_them(self):
        process = self.with_sockets("tasks: {a: 'env > env; ls -l /proc/self/fd > fds; exec sleep 1000'}", 2)
        self.says("serving")
        until(lambda: self.exists("fds") and "total" in self.read("fds"))
        self.assertNotIn("LISTEN_", self.read("env"))
        self.assertNotIn("socket", self.read("fds"))
        self.assertTrue(os.readlink(f"/proc/{process.pid}/fd/3").startswith("socket:"))
        self.end(process)

    def test_what_is_not_open(self):
        process = self.with_sockets("tasks: {}", 1, listen=40)
        self.assertEqual(process.wait(paddock.PATIENCE), 2)
        self.assertIn("LISTEN_FDS says 40 sockets, but descriptor", self.read("log"))


if __name__ == "__main__":
    paddock.main()
