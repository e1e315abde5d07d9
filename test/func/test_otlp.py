# SPDX-License-Identifier: Apache-2.0
"""The metrics backend otlp against a receiver that decodes what it gets, by OpenTelemetry's own field numbers."""

import gzip
import http.server
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest
import urllib.parse

import paddock
from paddock import until

# ---- protobuf, as far as it is needed: {field: (name, kind)}; a kind that is a dict is a message, [kind] is repeated

VALUE = {1: ("string", str), 2: ("bool", int), 3: ("int", int), 4: ("double", float)}
PAIR = {1: ("key", str), 2: ("value", VALUE)}
RESOURCE = {1: ("attributes", [PAIR])}
SCOPE = {1: ("name", str), 2: ("version", str)}
EVENT = {1: ("time", "fixed"), 2: ("name", str), 3: ("attributes", [PAIR])}
STATUS = {2: ("message", str), 3: ("code", int)}
SPAN = {1: ("trace_id", bytes), 2: ("span_id", bytes), 3: ("trace_state", str), 4: ("parent_span_id", bytes),
        5: ("name", str), 6: ("kind", int), 7: ("start", "fixed"), 8: ("end", "fixed"), 9: ("attributes", [PAIR]),
        11: ("events", [EVENT]), 12: ("dropped_events", int), 15: ("status", STATUS), 16: ("flags", "fixed")}
TRACES = {1: ("resource_spans", [{1: ("resource", RESOURCE), 2: ("scope_spans", [{1: ("scope", SCOPE), 2: ("spans", [SPAN])}])}])}
NUMBER = {2: ("start", "fixed"), 3: ("time", "fixed"), 4: ("value", float), 7: ("attributes", [PAIR])}
BUCKETS = {2: ("start", "fixed"), 3: ("time", "fixed"), 4: ("count", "fixed"), 5: ("sum", float), 6: ("counts", ["fixed"]),
           7: ("bounds", [float]), 9: ("attributes", [PAIR])}
METRIC = {1: ("name", str), 2: ("description", str), 3: ("unit", str), 5: ("gauge", {1: ("points", [NUMBER])}),
          7: ("sum", {1: ("points", [NUMBER]), 2: ("temporality", int), 3: ("monotonic", int)}),
          9: ("histogram", {1: ("points", [BUCKETS]), 2: ("temporality", int)})}
METRICS = {1: ("resource_metrics", [{1: ("resource", RESOURCE), 2: ("scope_metrics", [{1: ("scope", SCOPE), 2: ("metrics", [METRIC])}])}])}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def scalars(kind, wire, raw):
    """One, or those of a packed list."""
    if kind in ("fixed", float):
        code = "<d" if kind is float else "<Q" if wire == 1 or len(raw) % 8 == 0 else "<I"
        return [value for (value,) in struct.iter_unpack(code, raw)]
    return [raw.decode() if kind is str else raw if kind is bytes else decode(raw, kind)]


def decode(data, message):
    got, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        field, wire = tag >> 3, tag & 7
        name, kind = message[field]  # one that is not known is a fault of ours
        many = isinstance(kind, list)
        kind = kind[0] if many else kind
        if wire == 0:
            value, at = varint(data, at)
            values = [value]
        else:
            size, at = varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            values, at = scalars(kind, wire, data[at:at + size]), at + size
        if many:
            got.setdefault(name, []).extend(values)
        else:
            got[name] = values[0]
    return got


def encode_partial(rejected, message):
    inner = bytes([8, rejected, 18, len(message)]) + message.encode()
    return bytes([10, len(inner)]) + inner


def attributes(of):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in of.get("attributes", [])}


class Receiver(http.server.ThreadingHTTPServer):
    """answers: what to answer first, (status, headers, body) each; then 200."""

    daemon_threads = True

    def __init__(self, answers=(), context=None):
        self.got, self.answers, self.lock, self.silent = [], list(answers), threading.Lock(), threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that goes away is part of the tests

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.server_port}"

    def take(self, path, headers, body):
        with self.lock:
            answer = self.answers.pop(0) if self.answers else (200, {}, b"")
            self.got.append((path, headers, body, answer[0]))
        return answer

    def of(self, what):
        """Decoded requests of a kind that were taken: TRACES or METRICS."""
        word = "traces" if what is TRACES else "metrics"
        with self.lock:
            return [decode(body, what) for path, _, body, status in self.got if word in path and status == 200]

    def resource(self):
        return attributes(self.of(TRACES)[0]["resource_spans"][0]["resource"])

    def spans(self):
        return [dict(span, attributes=attributes(span)) for request in self.of(TRACES)
                for resource in request["resource_spans"] for scope in resource["scope_spans"] for span in scope["spans"]]

    def metrics(self):
        """Of the last request, by name."""
        request = self.of(METRICS)[-1]
        return {metric["name"]: metric for resource in request["resource_metrics"]
                for scope in resource["scope_metrics"] for metric in scope["metrics"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        status, headers, answer = self.server.take(self.path, dict(self.headers), body)
        if status == 0:  # never
            self.server.silent.wait(paddock.PATIENCE)
            return
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def built():
    result = subprocess.run([paddock.PROGRAM, "plugins", "--json"], capture_output=True, text=True, check=False)
    return '"otlp"' in result.stdout


HAVE = built()
FILE = """
metrics: {{use: otlp, config: {{{config}}}}}
tasks:
  ok: {{command: 'echo $TRACEPARENT', slot: desk}}
  bad: {{command: exit 3, retries: 1, backoff: 10ms}}
"""


class Otlp(paddock.Case):
    def setUp(self):
        super().setUp()
        if not HAVE and os.environ.get("CI") == "true":
            self.fail("the plugin otlp was not built: its libraries are missing")
        if not HAVE:
            self.skipTest("SKIPPED: the plugin otlp was not built")

    def receiver(self, *answers, context=None):
        receiver = Receiver(answers, context)
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        self.addCleanup(receiver.silent.set)
        return receiver

    def send(self, receiver, config="", *arguments, code=1, env=None, text=FILE):
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **(env or {})}
        return self.ended(self.run_file(text.format(config=config), "--stop-on", "never", *arguments, env=env), code)

    def test_spans(self):
        receiver = self.receiver()
        result = self.send(receiver, "", "--json")
        spans = receiver.spans()
        runs = {span["attributes"]["paddock.task"]: span for span in spans if span["name"] == "paddock.run"}
        attempts = [span for span in spans if span["name"] == "paddock.attempt"]
        self.assertEqual((len(runs), len(attempts), len(spans)), (2, 3, 5))
        self.assertEqual(len({span["span_id"] for span in spans}), 5)
        self.assertEqual(len({span["trace_id"] for span in spans}), 2)
        for span in spans:
            self.assertEqual((len(span["trace_id"]), len(span["span_id"])), (16, 8))
            self.assertLessEqual(span["start"], span["end"])
            self.assertLess(abs(span["end"] / 1e9 - time.time()), 600)
            self.assertEqual((span["kind"], span["flags"]), (1, 0x101))
        for attempt in attempts:
            run = runs[attempt["attributes"]["paddock.task"]]
            self.assertEqual(attempt["parent_span_id"], run["span_id"])
            self.assertEqual(attempt["trace_id"], run["trace_id"])
            self.assertLessEqual(run["start"], attempt["start"])
            self.assertLessEqual(attempt["end"], run["end"])
            self.assertGreater(attempt["attributes"]["process.pid"], 1)
        good, bad = runs["ok"], runs["bad"]
        self.assertNotIn("parent_span_id", good)
        self.assertNotIn("status", good)
        self.assertEqual(good["attributes"], {
            "paddock.run_id": good["attributes"]["paddock.run_id"], "paddock.task": "ok", "paddock.kind": "subprocess",
            "paddock.slot": "desk", "paddock.runner": "subprocess", "paddock.outcome": "succeeded", "paddock.attempts": 1})
        self.assertEqual(bad["status"], {"message": "gave up after 1 of 1 retries: exit code 3", "code": 2})
        self.assertEqual((bad["attributes"]["paddock.outcome"], bad["attributes"]["paddock.attempts"]), ("failed", 2))
        self.assertEqual([(event["name"], attributes(event)["paddock.attempt"]) for event in bad["events"]], [("backoff", 1)])
        failed = [span for span in attempts if span["attributes"]["paddock.task"] == "bad"]
        self.assertEqual([span["attributes"]["paddock.attempt"] for span in failed], [1, 2])
        for span in failed:
            self.assertEqual(span["status"], {"message": "exit code 3", "code": 2})
            self.assertEqual((span["attributes"]["process.exit.code"], span["attributes"]["error.type"]), (3, "exit"))
        # what the child was told, and what events say, is that very span
        events = [json.loads(line) for line in result.stdout.splitlines()]
        span = next(span for span in attempts if span["attributes"]["paddock.task"] == "ok")
        output = paddock.of(events, "attempt.output", "ok")[0]
        self.assertEqual(output["text"], f"00-{span['trace_id'].hex()}-{span['span_id'].hex()}-01")
        self.assertEqual((output["trace_id"], output["span_id"]), (span["trace_id"].hex(), span["span_id"].hex()))
        self.assertEqual(paddock.of(events, "run.ended", "ok")[0]["span_id"], good["span_id"].hex())

    def test_in_the_log(self):
        receiver = self.receiver()
        text = "metrics: {{use: otlp, config: {{{config}}}}}\ntasks:\n"
        text += "".join(f"  slow{i}: {{{{command: sleep 60, timeout: 50ms, stop: {{{{command: exit 3}}}}}}}}\n" for i in range(9))
        result = self.send(receiver, "", "--log-format", "json", text=text)
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        lines = [line for line in lines if "stop command" in line["msg"]]
        spans = {span["span_id"].hex(): span for span in receiver.spans()}
        self.assertEqual(len(lines), 9)
        for line in lines:
            span = spans[line["span_id"]]
            self.assertEqual((span["attributes"]["paddock.run_id"], span["trace_id"].hex()), (line["run_id"], line["trace_id"]))

    def test_resource_and_headers(self):
        receiver = self.receiver()
        self.send(receiver, "headers: {x-key: yaml}", env={
            "OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "team=core, note=a%20b%2Cc,service.name=no",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-all=1,X-Key=env", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-spans=%32"})
        resource = receiver.resource()
        self.assertEqual((resource["service.name"], resource["team"], resource["note"]), ("shop", "core", "a b,c"))
        self.assertEqual(resource["host.name"], socket.gethostname())
        self.assertRegex(resource["service.instance.id"], r"^[0-9a-f-]{36}$")
        self.assertGreater(resource["process.pid"], 1)
        for path, headers, _, _ in receiver.got:
            headers = {key.lower(): value for key, value in headers.items()}
            self.assertEqual(headers["content-type"], "application/x-protobuf")
            self.assertEqual((headers["x-all"], headers["x-key"]), ("1", "yaml"))
            self.assertEqual(headers.get("x-spans"), "2" if path == "/v1/traces" else None)
            self.assertNotIn("content-encoding", headers)

    def test_metrics(self):
        receiver = self.receiver()
        self.send(receiver)
        self.assertEqual([path for path, *_ in receiver.got], ["/v1/traces", "/v1/metrics"])
        metrics = receiver.metrics()

        def point(name, kind, **labels):
            for point in metrics[name][kind]["points"]:
                if labels.items() <= attributes(point).items():
                    return point
            return self.fail(f"{name} has no {labels}")

        started = metrics["paddock.attempts.started"]
        self.assertEqual((started["sum"]["temporality"], started["sum"]["monotonic"]), (2, 1))
        self.assertNotIn("unit", started)
        one = point("paddock.attempts.started", "sum", runner="subprocess")
        self.assertEqual(one["value"], 3)
        self.assertTrue(0 < one["start"] <= one["time"])
        self.assertEqual(point("paddock.runs.ended", "sum", runner="subprocess", outcome="failed")["value"], 1)
        self.assertEqual(point("paddock.runs", "gauge", state="running").get("value"), 0)
        self.assertEqual(point("paddock.build.info", "gauge")["value"], 1)
        self.assertEqual((metrics["paddock.output"]["unit"], metrics["paddock.child.cpu"]["unit"]), ("By", "s"))
        self.assertEqual(point("paddock.output", "sum", runner="subprocess", stream="stdout")["value"], 56)
        duration = metrics["paddock.attempt.duration"]
        self.assertEqual((duration["unit"], duration["histogram"]["temporality"]), ("s", 2))
        failed = point("paddock.attempt.duration", "histogram", runner="subprocess", result="failed")
        self.assertEqual((failed["count"], sum(failed["counts"])), (2, 2))
        self.assertEqual(len(failed["counts"]), len(failed["bounds"]) + 1)
        self.assertEqual((failed["bounds"][0], failed["bounds"][-1]), (.005, 3600))
        self.assertTrue(0 < failed["sum"] < 60)
        empty = point("paddock.attempt.duration", "histogram", result="canceled")
        self.assertEqual((empty.get("count", 0), empty["sum"]), (0, 0))  # a sum of nothing is there, too

    def test_gzip(self):
        receiver = self.receiver()
        self.send(receiver, env={"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
        self.assertEqual([headers["Content-Encoding"] for _, headers, _, _ in receiver.got], ["gzip", "gzip"])
        self.assertEqual(len(receiver.spans()), 5)

    def test_endpoints(self):
        receiver = self.receiver()
        for env, config, paths in (
                ({"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url + "/base/"}, "", ["/base/v1/traces", "/base/v1/metrics"]),
                ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url + "/traces?x=1"}, "", ["/traces?x=1", "/v1/metrics"]),
                ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url}, "metrics: false", ["/"]),
                ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:1/no"}, f'endpoint: "{receiver.url}/yaml"',
                 ["/yaml/v1/traces", "/yaml/v1/metrics"]),
                ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": ""}, f'traces_endpoint: "{receiver.url}/t"', ["/t", "/v1/metrics"])):
            receiver.got.clear()
            self.send(receiver, config, env=env)
            self.assertEqual([path for path, *_ in receiver.got], paths)

    def test_tried_again(self):
        receiver = self.receiver((503, {"Retry-After": "1"}, b""), (429, {}, b""))
        begun = time.monotonic()
        result = self.send(receiver)
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual([status for path, _, _, status in receiver.got if path == "/v1/traces"], [503, 429, 200])
        self.assertEqual(len({body for path, _, body, _ in receiver.got if path == "/v1/traces"}), 1)
        self.assertEqual(result.stderr.count("paddock: otlp: "), 1)
        self.assertIn("cannot send spans to " + receiver.url + "/v1/traces: HTTP 503", result.stderr)

    def test_refused_at_once(self):
        receiver = self.receiver((400, {}, b"no"), (200, {}, b""))
        result = self.send(receiver)
        self.assertEqual([(path, status) for path, _, _, status in receiver.got], [("/v1/traces", 400), ("/v1/metrics", 200)])
        self.assertIn("HTTP 400", result.stderr)
        self.assertEqual(result.stderr.count("paddock: otlp: "), 1)

    def test_partly_taken(self):
        receiver = self.receiver((200, {}, encode_partial(3, "too old")))
        self.assertIn("did not take 3 of the spans: too old", self.send(receiver).stderr)
        self.assertEqual(len(receiver.got), 2)

    def test_collector_is_away(self):
        receiver = self.receiver()
        receiver.shutdown()
        receiver.server_close()
        begun = time.monotonic()
        result = self.send(receiver)
        self.assertLess(time.monotonic() - begun, 20)  # not tried for the 30 s that it may take
        self.assertEqual(result.stderr.count("paddock: otlp: "), 1, result.stderr)
        self.assertIn("cannot send spans to", result.stderr)

    def test_collector_is_silent(self):
        receiver = self.receiver((0, {}, b""), (0, {}, b""))
        many = "metrics: {{use: otlp, config: {{{config}}}}}\ntasks:\n  many: {{command: 'true', replicas: 40}}\n"
        begun = time.monotonic()
        result = self.send(receiver, "queue: 8, batch: 4, flush: 300ms", "-v", "--metrics-file", self.path("metrics"), code=0, text=many)
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIn("40 succeeded", result.stderr)
        self.assertRegex(result.stderr, r"otlp: \d+ spans were not sent")
        self.assertEqual(receiver.spans(), [])

    def test_while_it_runs(self):
        receiver = self.receiver((404, {}, b""))
        self.write("paddock.yaml", FILE.format(config="interval: 100ms, delay: 20ms")
                   + "  long: sleep 60\n  tick: {command: 'true', every: 20ms}\n")
        process = self.start("run", "--stop-on", "never", "-v", env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
        until(lambda: len(receiver.of(METRICS)) > 2 and len(receiver.spans()) > 0, "metrics and spans")
        self.wait_for_words(process, b"are sent again; ")
        process.send_signal(paddock.SIGTERM)
        process.communicate()
        runs = {span["attributes"]["paddock.task"]: span for span in receiver.spans() if span["name"] == "paddock.run"}
        self.assertEqual(runs["long"]["attributes"]["paddock.outcome"], "canceled")
        self.assertEqual(receiver.metrics()["paddock.attempts.running"]["gauge"]["points"][0]["value"], 0)

    def test_enough_of_them_go_at_once(self):
        receiver = self.receiver()
        self.write("paddock.yaml", FILE.format(config="batch: 2, delay: 1h") + "  tick: {command: 'true', every: 20ms}\n")
        process = self.start("run", "--stop-on", "never", env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
        until(lambda: len(receiver.spans()) > 6, "spans")
        process.send_signal(paddock.SIGTERM)
        process.communicate()
        for request in receiver.of(TRACES):
            self.assertLessEqual(len(request["resource_spans"][0]["scope_spans"][0]["spans"]), 2)

    def test_parent_and_samplers(self):
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
        for flag, env, spans, child in (("1", {}, 5, "1"), ("0", {}, 0, "0"), ("0", {"OTEL_TRACES_SAMPLER": "always_on"}, 5, "1"),
                                        ("1", {"OTEL_TRACES_SAMPLER": "always_off"}, 0, "0"),
                                        ("1", {"OTEL_TRACES_EXPORTER": "none"}, 0, None)):
            receiver = self.receiver()
            result = self.send(receiver, env={"TRACEPARENT": parent + flag, "TRACESTATE": "rojo=1", **env})
            line = result.stdout.split()[-1]
            self.assertEqual(len(receiver.spans()), spans)
            self.assertTrue(receiver.metrics())
            self.assertEqual(line == parent + flag, child is None)
            self.assertTrue(line.startswith(parent[:36]))
            self.assertEqual(line[-1], child or flag)
            for span in receiver.spans():
                self.assertEqual((span["trace_id"].hex(), span["trace_state"]), (parent[3:35], "rojo=1"))
                if span["name"] == "paddock.run":
                    self.assertEqual((span["parent_span_id"].hex(), span["flags"]), (parent[36:52], 0x301))

    def test_runner_in_a_process_of_its_own(self):
        receiver = self.receiver()
        text = FILE + "plugins: [{{use: subprocess, isolation: process}}]\n"
        text = text.replace("echo $TRACEPARENT", "echo $TRACEPARENT $TRACESTATE")
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        result = self.send(receiver, env={"TRACEPARENT": parent, "TRACESTATE": "rojo=1"}, text=text)
        attempts = [span for span in receiver.spans() if span["name"] == "paddock.attempt"]
        self.assertEqual([span["attributes"]["process.exit.code"] for span in attempts if "error.type" in span["attributes"]], [3, 3])
        good = next(span for span in attempts if span["attributes"]["paddock.task"] == "ok")
        self.assertEqual(result.stdout.split()[-2:], [f"{parent[:36]}{good['span_id'].hex()}-01", "rojo=1"])

    def test_switched_off(self):
        receiver = self.receiver()
        for env in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}):
            self.assertEqual(self.send(receiver, env=env).stdout.strip(" \nok|"), "")
        self.assertEqual(receiver.got, [])

    def test_faults(self):
        receiver = self.receiver()
        for env, config, words in (
                ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", "OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not spoken here"),
                ({"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/json"}, "", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: http/json is not"),
                ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "", "OTEL_EXPORTER_OTLP_ENDPOINT: localhost:4318 is not a URL"),
                ({}, "endpoint: 'ftp://x'", "metrics.config.endpoint: ftp://x is not a URL"),
                ({}, "headers: {'a b': c}", "headers: a b and its value are not a header"),
                ({}, "queue: 0", "metrics.config.queue: 0 is out of range")):
            result = self.send(receiver, config, code=5, env=env)
            self.assertIn(words, result.stderr)
            self.assertIn("1 error in 1 file", result.stderr)
        self.assertEqual(receiver.got, [])

    def test_variables_that_make_no_sense(self):
        receiver = self.receiver()
        result = self.send(receiver, env={
            "OTEL_BSP_SCHEDULE_DELAY": "soon", "OTEL_TRACES_SAMPLER": "magic", "OTEL_RESOURCE_ATTRIBUTES": "a=%zz",
            "OTEL_EXPORTER_OTLP_HEADERS": "secret", "OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_EXPORTER_OTLP_COMPRESSION": "lzma",
            "OTEL_METRIC_EXPORT_INTERVAL": ""})
        for words in ("OTEL_BSP_SCHEDULE_DELAY=soon is not a number of milliseconds", "OTEL_TRACES_SAMPLER=magic is no sampler",
                      "OTEL_RESOURCE_ATTRIBUTES is not a list", "OTEL_EXPORTER_OTLP_HEADERS is not a list",
                      "OTEL_BSP_MAX_QUEUE_SIZE=-1 is not a number", "OTEL_EXPORTER_OTLP_COMPRESSION=lzma is not gzip"):
            self.assertEqual(result.stderr.count(words), 1 if "COMPRESSION" not in words and "HEADERS" not in words else 2, words)
        self.assertNotIn("secret", result.stderr)
        self.assertEqual(len(receiver.spans()), 5)

    @unittest.skipUnless(shutil.which("openssl") or os.environ.get("CI") == "true", "SKIPPED: there is no openssl")
    def test_tls(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                       cwd=self.folder, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("cert.pem"), self.path("key.pem"))
        context.load_verify_locations(self.path("cert.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        receiver = self.receiver(context=context)
        ours = {"OTEL_EXPORTER_OTLP_CERTIFICATE": self.path("cert.pem"),
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": self.path("cert.pem"), "OTEL_EXPORTER_OTLP_CLIENT_KEY": self.path("key.pem")}
        self.send(receiver, env=ours)
        self.assertEqual(len(receiver.spans()), 5)
        self.assertIn("cannot send spans", self.send(receiver).stderr)  # a certificate from nobody we know
        self.assertEqual(len(receiver.spans()), 5)


if __name__ == "__main__":
    paddock.main()
