# SPDX-License-Identifier: Apache-2.0
"""What the tests of the console share: the program that holds it, requests over its socket, and the contract."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
    import yaml
except ImportError:
    print("SKIPPED: python3-yaml and python3-jsonschema are not there", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") == "true" else 0)

HOST = os.environ["CONSOLE_HOST"]
PLUGINS = os.environ["PLUGINS"]
CONTRACT = yaml.safe_load(open(os.environ["OPENAPI"]))
GENERAL = {400, 401, 403, 404, 405, 406, 413, 415, 429, 501, 503}  # any operation may answer these, as an Error


class Local(http.client.HTTPConnection):
    def __init__(self, path, timeout=20):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response, read=True):
        self.status = response.status
        self.headers = response.headers
        self.type = (response.headers.get("Content-Type") or "").split(";")[0]
        self.data = response.read() if read else b""
        self.json = json.loads(self.data) if self.type == "application/json" and self.data else None


class Console:
    """console-host with a config; the socket is in a folder of its own."""

    def __init__(self, fake=False, fails=False, folder=None, host=HOST, **config):
        self.folder = folder or tempfile.mkdtemp(prefix="console-")
        self.owns_folder = folder is None
        self.socket = os.path.join(self.folder, "socket")
        self.config = {"socket": self.socket, **config}
        self.errors = open(os.path.join(self.folder, "log"), "a+")
        command = [host, PLUGINS, json.dumps({k: v for k, v in self.config.items() if v is not None})]
        self.process = subprocess.Popen(command + (["fake"] if fake else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not fails:
            assert line == "ready\n", f"{line!r}: {self.log()}"

    def log(self):
        self.errors.flush()
        return open(self.errors.name).read()

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def stop(self, code=0):
        if self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):  # it was told before, and has just ended
                self.process.stdin.write("stop\n")
                self.process.stdin.close()
        self.process.wait(60)
        log = self.log()
        self.errors.close()
        self.process.stdout.close()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert self.process.returncode == code, f"exit code {self.process.returncode}: {log}"
        assert "ERROR: AddressSanitizer" not in log and "LeakSanitizer" not in log and "runtime error" not in log, log

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            print(self.log()[-4000:], file=sys.stderr)
            self.process.kill()
            self.process.wait(60)

    def connect(self, timeout=20):
        return Local(self.socket, timeout)

    def request(self, method, path, body=None, headers=None, connection=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        own = connection or self.connect()
        own.request(method, path, body, headers)
        answer = Answer(own.getresponse())
        if not connection:
            own.close()
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def submit(self, name, kind="echo", **more):
        answer = self.post("/v1/runs", {"name": name, "kind": kind, **more})
        assert answer.status == 201, answer.data
        return answer.json["run_id"]

    def wait_run(self, run, state="ended"):
        return until(lambda: (lambda a: a.json if a.status == 200 and a.json["state"] == state else None)(
            self.get(f"/v1/runs/{run}")), f"{run} is {state}")


class Stream:
    """A GET that goes on; lines and events of it as they come."""

    def __init__(self, console, path, headers=None, timeout=20):
        self.connection = console.connect(timeout)
        self.connection.request("GET", path, headers=headers or {})
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def line(self):
        return self.response.readline().decode().rstrip("\n")

    def event(self, comments=False):
        """(id, type, data) of the next; None at the end."""
        fields = {}
        while True:
            raw = self.response.readline().decode()
            if not raw:
                return None
            line = raw.rstrip("\n")
            if not line:
                if "data" in fields:
                    return fields.get("id"), fields.get("event"), json.loads(fields["data"])
                if fields.get(""):
                    return None, "comment", None
                fields = {}
                continue
            name, _, value = line.partition(":")
            if name or comments:
                fields[name] = value.strip() if name else "comment"

    def close(self):
        self.response.close()
        self.connection.close()


def until(look, what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        os.sched_yield()


# ---- the contract ----

RESOLVER = jsonschema.RefResolver("", CONTRACT)
JSON_VALIDATORS = {}


def resolved(node):
    while "$ref" in node:
        node = RESOLVER.resolve(node["$ref"])[1]
    return node


def validate(schema, value, what):
    errors = list(jsonschema.Draft202012Validator(schema, resolver=RESOLVER,
                                                  format_checker=jsonschema.FormatChecker()).iter_errors(value))
    assert not errors, f"{what}: {errors[0].message} at {list(errors[0].path)}: {json.dumps(value)[:500]}"


def operation_of(method, path):
    """(pattern, operation) of a request; what is fixed goes before what stands for anything."""
    parts = path.partition("?")[0].strip("/").split("/")
    best = None
    for pattern, item in CONTRACT["paths"].items():
        names = pattern.strip("/").split("/")
        if len(names) != len(parts) or method.lower() not in item:
            continue
        if all(n == p or n.startswith("{") for n, p in zip(names, parts)):
            fixed = sum(not n.startswith("{") for n in names)
            if best is None or fixed > best[0]:
                best = (fixed, pattern, item[method.lower()])
    assert best, f"{method} {path} is in no contract"
    return best[1], best[2]


def check_answer(method, path, answer):
    """What was answered is what the contract says of it."""
    pattern, operation = operation_of(method, path)
    what = f"{method} {path}: {answer.status}"
    declared = operation["responses"].get(str(answer.status))
    if declared is None:
        assert answer.status in GENERAL, f"{what} is not in the contract: {answer.data[:300]}"
        declared = CONTRACT["components"]["responses"]["Error"]
    content = resolved(declared)["content"]
    assert answer.type in content, f"{what}: {answer.type} is not in the contract"
    if answer.json is not None:
        validate(content[answer.type]["schema"], answer.json, what)
    return pattern, method


def ran(tests):
    """Run functions named test_..., each by its name when it is given."""
    wanted = sys.argv[1:]
    for name, test in list(tests.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        begun = time.monotonic()
        test()
        print(f"ok {name} {time.monotonic() - begun:.2f}s", flush=True)
