# SPDX-License-Identifier: Apache-2.0
"""Where the server is, who may ask it, and what becomes of those who ask when it or they go away."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading

import client
import paddock
from paddock import until
from ports import free_port

TASKS = """
tasks:
  web: {command: "while :; do echo tick; sleep 0.05; done"}
  long: {command: sleep 1000, manual: true}
  say: {kind: echo, manual: true}
"""


class Nobody(client.ClientCase):
    def test_no_server(self):
        for arguments in (("ps",), ("submit", "x"), ("logs", "-f", "x"), ("events",), ("top",), ("queue",), ("cancel", "x")):
            self.fails(6, f"no server at {self.path('s')}: there is no such socket; \"paddock serve\" starts one", *arguments)
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(self.path("old"))
        self.fails(6, "nobody listens there", "ps", "--socket", self.path("old"))
        self.write("file", "")
        self.fails(6, f"no server at {self.path('file')}", "ps", "--socket", self.path("file"))
        self.fails(6, "nobody listens there", "ps", "--server", f"http://127.0.0.1:{free_port()}")

    def test_where_it_is(self):
        self.fails(2, "either --socket or --server", "ps", "--socket", "a", "--server", "http://b")
        for url in ("127.0.0.1:80", "ftp://x", "http://", "http://x/path", "http://user@x"):
            self.fails(2, "wanted http://HOST:PORT", "ps", "--server", url)
        if os.geteuid() != 0:  # root has a place that others may have a server at
            self.fails(6, f"no server at {self.folder}/paddock.sock", "ps",
                       env={"PADDOCK_SOCKET": "", "XDG_RUNTIME_DIR": self.folder})
        self.fails(6, "http://127.0.0.1:1", "ps", env={"PADDOCK_SERVER": "http://127.0.0.1:1"})
        self.fails(6, self.path("s"), "ps", "--socket", self.path("s"), env={"PADDOCK_SERVER": "http://127.0.0.1:1"})

    def test_without_the_plugin(self):
        os.makedirs(self.path("tree/bin"))
        shutil.copy(paddock.PROGRAM, self.path("tree/bin/paddock"))
        result = subprocess.run([self.path("tree/bin/paddock"), "ps"], env=self.env, capture_output=True, text=True)
        if "Debian has it" not in result.stderr:
            self.assertEqual(result.returncode, 6)  # it is installed on this machine
            return
        self.assertEqual(result.returncode, 5)
        self.assertIn("asking a server needs the plugin client", result.stderr)

    def test_one_that_does_not_speak_http(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("odd"))
            listener.listen()
            for answer, words in ((b"hello\n", "HTTP"), (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "as no console does"),
                                  (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{a}", "cannot be read"),
                                  (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404"), (b"", "has gone")):
                def serve_one():
                    connection = listener.accept()[0]
                    connection.recv(10000)
                    connection.sendall(answer)
                    connection.close()
                thread = threading.Thread(target=serve_one)
                thread.start()
                result = self.paddock("show", "x", "--socket", self.path("odd"))
                thread.join()
                self.assertIn(result.returncode, (1, 6, 7), answer)
                self.assertIn(words, result.stderr)
                self.assertTrue(result.stderr.startswith("paddock: "))

    def test_completion_is_silent(self):
        result = self.ended(self.paddock("__complete", "cancel", ""), 0)
        self.assertEqual((result.stdout, result.stderr), ("", ""))


class Tcp(client.ClientCase):
    TOKEN = "0123456789abcdef0123"

    def serve_tcp(self, more=""):
        self.port = free_port()
        self.write("token", self.TOKEN + "\n")
        os.chmod(self.path("token"), 0o600)
        self.serve(TASKS + "plugins: [{use: console, allow: [control], config: {listen: \"127.0.0.1:%d\", token_file: %s%s}}]\n"
                   % (self.port, self.path("token"), more))
        self.env["PADDOCK_SOCKET"] = "/nope"

    def test_token(self):
        self.serve_tcp()
        url = f"http://127.0.0.1:{self.port}"
        self.fails(6, "--token-file", "ps", "--server", url)
        self.assertEqual(len(self.does("ps", "--server", url + "/", "--token-file", "token", "--no-header")), 1)
        here = {"PADDOCK_SERVER": url, "PADDOCK_TOKEN_FILE": self.path("token")}
        self.assertEqual(self.json("ps", env=here)[0]["task"], "web")
        self.assertEqual(self.does("logs", "-n", "1", "web", env=here), ["tick"])
        self.does("submit", "say", "--wait", env=here)
        self.write("other", "x" * 20)
        self.fails(6, "paddock: ", "ps", "--server", url, "--token-file", "other")
        self.write("empty", "\n")
        self.fails(3, "wanted one line", "ps", "--server", url, "--token-file", "empty")
        self.fails(3, "No such file", "ps", "--server", url, "--token-file", "nope")
        proxy = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
        self.does("ps", env={**here, **proxy})  # a token is for the server alone

    def make_certificate(self, name, issuer=None):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                   "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"), "-subj", f"/CN={name}",
                   "-addext", "subjectAltName=IP:127.0.0.1"]
        if issuer:
            command += ["-CA", self.path(issuer + ".pem"), "-CAkey", self.path(issuer + ".key"),
                        "-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(command, check=True, capture_output=True)

    def test_certificates(self):
        if not shutil.which("openssl"):
            self.assertNotEqual(os.environ.get("CI"), "true")
            self.skipTest("no openssl")
        self.make_certificate("ca")
        self.make_certificate("server", "ca")
        self.make_certificate("mine", "ca")
        self.make_certificate("stranger")
        self.serve_tcp(", tls: {certificate: %s, key: %s, client_ca: %s}" % tuple(
            self.path(name) for name in ("server.pem", "server.key", "ca.pem")))
        url = f"https://127.0.0.1:{self.port}"
        known = ("--server", url, "--token-file", "token", "--ca-file", "ca.pem")
        self.assertEqual(len(self.does("ps", "--no-header", *known, "--certificate-file", "mine.pem", "--key-file", "mine.key")), 1)
        self.fails(6, "certificate", "ps", *known)
        self.fails(6, "certificate", "ps", *known, "--certificate-file", "stranger.pem", "--key-file", "stranger.key")
        self.fails(6, "certificate", "ps", "--server", url, "--token-file", "token")


class Gone(client.ClientCase):
    def test_a_server_that_dies_while_it_is_followed(self):
        server = self.serve(TASKS)
        process = self.start("logs", "-f", "web")
        os.read(process.stdout.fileno(), 5)
        server.kill()
        server.wait()
        self.wait_for_words(process, b"trying to go on")
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 6)
        self.assertRegex(err, b"paddock: (no|the) server at ")

    def test_events_go_on_with_a_new_server(self):
        server = self.serve(TASKS)
        process = self.start("events", "--json", "--type", "run.accepted", "--since", "0")
        self.assertIn(b'"web"', process.stdout.readline())
        server.kill()
        server.wait()
        self.wait_for_words(process, b"trying to go on")
        self.serve(TASKS)
        self.does("submit", "--direct", "say")
        got = b""
        while b'"say"' not in got:
            got = process.stdout.readline()
            self.assertTrue(got)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(paddock.PATIENCE), 130)

    def test_a_job_is_awaited_over_a_restart(self):
        tasks = "tasks: {wait: {command: 'until [ -e go ]; do sleep 0.02; done; exit 5', manual: true}}"
        server = self.serve(tasks)
        process = self.start("submit", "--wait", "wait")
        self.wait_for_words(process, b"running\n")
        server.kill()
        server.wait()
        self.wait_for_words(process, b"asking again")
        self.write("go", "")
        self.serve(tasks)
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"dead: exit code 5", err)

    def test_a_run_dies_with_its_server(self):
        server = self.serve(TASKS)
        process = self.start("submit", "--direct", "--wait", "long")
        self.wait_for_words(process, b"running\n")
        server.kill()
        err = process.communicate(timeout=paddock.PATIENCE)[1]
        self.assertEqual(process.returncode, 6)
        self.assertRegex(err, b"(no|the) server at ")  # it may be noticed while it dies

    def test_a_run_of_an_old_server(self):
        forgets = "server: {without: [archive]}\n"
        server = self.serve(TASKS + forgets)
        run = self.json("ps", "web")[0]["run_id"]
        process = self.start("logs", "-f", run)
        os.read(process.stdout.fileno(), 5)
        server.kill()
        server.wait()
        self.serve(TASKS.replace("web", "other") + forgets)
        process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 7)

    def test_signals(self):
        self.serve(TASKS)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for arguments in (("logs", "-f", "web"), ("events", "--since", "0")):
                process = self.start(*arguments)
                os.read(process.stdout.fileno(), 5)
                process.send_signal(number)
                self.assertEqual(process.wait(paddock.PATIENCE), 128 + number)

    def test_waiting_is_broken_off(self):
        self.serve(TASKS)
        process = self.start("submit", "--direct", "--wait", "long")
        run = process.stdout.readline().decode().strip()
        self.wait_for_words(process, b"running\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual((process.returncode, out), (130, b""))
        self.assertIn(f'{run} goes on; "paddock cancel {run}" ends it'.encode(), err)
        self.assertEqual(self.json("show", run)[0]["state"], "running")

    def test_nobody_reads(self):
        self.serve(TASKS)
        for arguments in (("logs", "-f", "web"), ("events", "--since", "0"), ("ps",)):
            read, write = os.pipe()
            if arguments == ("ps",):
                os.close(read)
            process = self.start(*arguments, stdout=write)
            os.close(write)
            if arguments != ("ps",):
                os.read(read, 5)
                os.close(read)
            err = process.communicate(timeout=paddock.PATIENCE)[1]
            self.assertEqual((process.returncode, err), (128 + signal.SIGPIPE, b""), arguments)
        with open("/dev/full", "w") as full:
            self.fails(1, "cannot write", "ps", stdout=full)

    def test_a_reader_that_goes_while_nothing_comes(self):
        self.serve(TASKS)
        run = self.does("submit", "--direct", "long")[0]
        read, write = os.pipe()
        process = self.start("logs", "-f", run, stdout=write)
        os.close(write)
        os.close(read)
        process.communicate(timeout=paddock.PATIENCE)
        self.assertEqual(process.returncode, 128 + signal.SIGPIPE)


class Cutter(threading.Thread):
    """Passes connections on to a socket, and cuts each after so many bytes of answers, until there were enough."""

    def __init__(self, path, to, after, times):
        super().__init__(daemon=True)
        self.to, self.after, self.times, self.cuts, self.heads = to, after, times, 0, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            with near, socket.socket(socket.AF_UNIX) as far:
                far.connect(self.to)
                head = near.recv(65536)
                self.heads.append(head)
                far.sendall(head)
                self.carry(near, far)

    def carry(self, near, far):
        left = self.after if self.cuts < self.times else 1 << 30
        while left > 0:
            piece = far.recv(min(left, 4096))
            if not piece:
                return
            left -= len(piece)
            try:
                near.sendall(piece)
            except OSError:
                return
        self.cuts += 1


class Cut(client.ClientCase):
    def test_every_event_comes_once(self):
        self.serve(TASKS)
        for _ in range(10):
            self.does("submit", "--direct", "say", "--wait", "-q")
        wanted = [event["seq"] for event in self.json("events", "--since", "0", "--limit", "40")]
        cutter = Cutter(self.path("cut"), self.path("s"), 1500, 4)
        self.addCleanup(cutter.listener.close)
        result = self.ended(self.paddock("events", "--json", "--since", "0", "--limit", "40", "--socket", self.path("cut")), 0)
        self.assertEqual([json.loads(line)["seq"] for line in result.stdout.splitlines()], wanted)
        self.assertEqual(cutter.cuts, 4)
        self.assertEqual(result.stderr.count("trying to go on"), 4)
        self.assertTrue(all(b"Last-Event-ID: " in head for head in cutter.heads))


class Complete(client.ClientCase):
    def words(self, *words):
        return {line.split("\t")[0] for line in self.does("__complete", *words)}

    def test_words_of_the_server(self):
        self.serve(TASKS)
        job = self.does("submit", "say", "--topic", "mail", "--delay", "1h")[0]
        run = self.json("ps", "web")[0]["run_id"]
        os.unlink(self.path("paddock.yaml"))
        self.assertIn("submit", self.words(""))
        self.assertEqual(self.words("cancel", ""), {run, "web"})
        self.assertEqual(self.words("cancel", "--now", ""), {run, "web"})
        self.assertEqual(self.words("logs", "-f", ""), {run, "web", "long", "say"})
        self.assertEqual(self.words("submit", ""), {"web", "long", "say"})
        self.assertEqual(self.words("queue", "pause", ""), {"mail"})
        self.assertEqual(self.words("submit", "x", "--topic", ""), {"mail"})
        self.assertEqual(self.words("queue", "show", ""), {job})
        self.assertEqual(self.words("pause", "--slot", ""), {"web"})
        self.assertEqual(self.words("dead", "replay", ""), set())
        self.assertIn("pause", self.words("queue", ""))
        self.assertEqual(self.words("logs", "-n", ""), set())
        self.assertIn("--tail", self.words("logs", "--"))
        self.assertEqual(self.words("queue", "list", "--state", ""), {"delayed", "ready", "running", "ended"})
        self.assertEqual(self.words("queue", "list", "--state", "ready,r"),
                         {"ready," + state for state in ("delayed", "ready", "running", "ended")})
        self.assertIn("stuck", self.words("ps", "--state", ""))
        self.assertEqual(self.words("top", "--sort", ""), {"run", "task", "state", "attempts", "age"})
        self.assertIn("timed_out", self.words("ps", "--outcome", ""))
        self.assertEqual(self.words("cancel", "--socket", "/nope", ""), set())


client.need_plugins()
if __name__ == "__main__":
    paddock.main()
