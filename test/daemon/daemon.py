# SPDX-License-Identifier: Apache-2.0
"""The real `paddock serve` with its queue and its console, in a folder of its own: started, asked, killed."""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../func"))
from paddock import PATIENCE, PROGRAM, is_alive, until  # noqa: E402,F401


class Local(http.client.HTTPConnection):
    def __init__(self, path, timeout=PATIENCE):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One folder; in it one server after the other."""

    def __init__(self, config="tasks: {}\n", env=None, state=None):
        self.folder = tempfile.mkdtemp(prefix="paddock-daemon-")
        self.socket = os.path.join(self.folder, "sock")
        self.state = state or os.path.join(self.folder, "state")
        self.database = os.path.join(self.state, "queue.db")
        drop = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "TRACEPARENT", "PADDOCK_LOG", "JOURNAL_STREAM")
        self.env = {key: value for key, value in os.environ.items() if key not in drop}
        self.env.update(env or {}, STATE_DIRECTORY=self.state, PADDOCK_TEST_FOLDER=self.folder)
        self.process = None
        self.write("paddock.yaml", config)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def spawn(self, *arguments, **more):
        """Start it; do not wait until it is ready."""
        self.env["PADDOCK_TEST_START"] = str(int(self.env.get("PADDOCK_TEST_START", "0")) + 1)
        read, write = os.pipe()
        high = fcntl.fcntl(write, fcntl.F_DUPFD_CLOEXEC, 100)  # out of the way of sockets that it is given
        os.close(write)
        write = high
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*more.pop("command", ()), PROGRAM, "serve", "--socket", self.socket, "--ready-fd", str(write),
                 *arguments], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(write, *more.pop("fds", ())), **more)
        os.close(write)
        self.ready = read

    def wait_ready(self):
        with os.fdopen(self.ready, "rb") as ready:
            word = ready.read(6)
        if word != b"ready\n":
            raise AssertionError(f"it is not ready: exit code {self.process.wait(PATIENCE)}\n{self.read('log')[-4000:]}")

    def start(self, *arguments, **more):
        self.spawn(*arguments, **more)
        self.wait_ready()
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        got = self.process.wait(PATIENCE)
        assert got == code, f"exit code {got}\n{self.read('log')[-4000:]}"
        log = self.read("log")
        assert "AddressSanitizer" not in log and "runtime error" not in log and "LeakSanitizer" not in log, log[-8000:]

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, timeout=PATIENCE):
        return Local(self.socket, timeout)

    def request(self, method, path, body=None, connection=None, headers=None):
        """(status, what the JSON says)"""
        own = connection or self.connect()
        data = json.dumps(body) if body is not None else None
        own.request(method, path, data, {**({"Content-Type": "application/json"} if data else {}), **(headers or {})})
        response = own.getresponse()
        text = response.read()
        if not connection:
            own.close()
        json_type = (response.headers.get("Content-Type") or "").startswith("application/json")
        return response.status, json.loads(text) if json_type and text else text

    def get(self, path, connection=None):
        status, got = self.request("GET", path, connection=connection)
        assert status == 200, (path, status, got)
        return got

    def submit(self, command, connection=None, **more):
        """A job that runs this; what was answered."""
        spec = {"kind": "subprocess", "name": more.pop("name", "job"), "command": command, **more.pop("spec", {})}
        return self.request("POST", "/v1/jobs", {"spec": spec, **more}, connection)

    def totals(self, connection=None):
        """Jobs of all topics, by state."""
        totals = {"delayed": 0, "ready": 0, "running": 0, "dead": 0}
        for topic in self.get("/v1/topics", connection)["topics"]:
            for state in totals:
                totals[state] += topic[state]
        return totals

    def processes(self):
        """Those that the servers of this folder have started: {pid: environment}."""
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() or (self.process and int(name) == self.process.pid):
                continue
            try:
                with open(f"/proc/{name}/environ", errors="replace") as environ:
                    env = dict(line.split("=", 1) for line in environ.read().split("\0") if "=" in line)
            except OSError:
                continue
            if env.get("PADDOCK_TEST_FOLDER") == self.folder:
                found[int(name)] = env
        return found
