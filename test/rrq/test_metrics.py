# SPDX-License-Identifier: Apache-2.0
"""What both roles count, as Prometheus sees it."""

import os
import re
import shutil
import subprocess

import drive
import orchestrator
import paddock
from orchestrator import frame, request

TASKS = """
metrics: prometheus
tasks:
  echo: {kind: echo}
  boom: {command: "exit 3"}
  hang: {kind: sleep, with: {for: 100s}}
sources: [{use: rrq, tasks: [echo, boom, hang], config: {connections: 2}}]
"""


def samples(text):
    """{name{labels}: value} of what is ours."""
    return {key: float(value) for key, value in re.findall(r"^(paddock_rrq_\S+) (\S+)$", text, re.MULTILINE)}


class Metrics(orchestrator.Case):
    def check(self, text):
        """Is it what Prometheus takes, without a word of advice?"""
        if not shutil.which("promtool"):
            self.assertNotEqual(os.environ.get("CI"), "true", "there is no promtool (Debian: prometheus)")
            print("SKIPPED: there is no promtool; the format was not checked")
            return
        told = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=paddock.PATIENCE)
        self.assertEqual((told.returncode, told.stdout + told.stderr), (0, ""))

    def test_source(self):
        self.runner(TASKS, "--metrics-file", self.path("metrics"))
        connection = self.connect()
        data = frame({"type": "request", "payload": request("echo", {"a": 1})})
        connection.raw(data)
        connection.receive()  # by now the connection that only looked whether we listen is gone
        size, other = len(data), self.connect()
        self.assertTrue(self.connect().is_closed())
        first = request("hang", request_id="one")
        for payload in (request("boom"), request("nope"), request("echo", timeout=-1), request("echo", job_id=5),
                        request("echo", protocol_version="7"), first):
            data = frame({"type": "request", "payload": payload})
            size += len(data)
            connection.raw(data)
            if payload is not first:
                connection.receive()
        twice = frame({"type": "request", "payload": first})
        connection.raw(twice)
        self.assertEqual(connection.receive()["error"]["type"], "duplicate_request")
        cancel = frame({"type": "cancel", "payload": {"protocol_version": "2", "job_id": first["job_id"]}})
        other.raw(cancel)
        self.assertEqual(connection.receive()["error"]["type"], "cancelled")
        self.stop()
        text = self.read("metrics")
        self.check(text)
        got = samples(text)
        sent = got.pop('paddock_rrq_sent_bytes_total{source="rrq"}')
        self.assertGreater(sent, 800)
        self.assertEqual({key: value for key, value in got.items() if value}, {
            'paddock_rrq_connections_refused_total{source="rrq"}': 1,
            'paddock_rrq_requests_total{source="rrq"}': 8,
            'paddock_rrq_cancels_total{source="rrq"}': 1,
            'paddock_rrq_received_bytes_total{source="rrq"}': size + len(twice) + len(cancel),
            'paddock_rrq_requests_refused_total{source="rrq",reason="no_handler"}': 1,
            'paddock_rrq_requests_refused_total{source="rrq",reason="deadline"}': 1,
            'paddock_rrq_requests_refused_total{source="rrq",reason="invalid"}': 1,
            'paddock_rrq_requests_refused_total{source="rrq",reason="version"}': 1,
            'paddock_rrq_requests_refused_total{source="rrq",reason="duplicate"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="success",type=""}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type="exit"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type="handler_not_found"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type="invalid_request"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type="duplicate_request"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type="cancelled"}': 1,
            'paddock_rrq_responses_total{source="rrq",status="error",type=""}': 1,
            'paddock_rrq_responses_total{source="rrq",status="timeout",type="timeout"}': 1})

    def test_how_many_there_are(self):
        """Gauges, while it lasts."""
        self.runner(TASKS, "--metrics-file", self.path("metrics"))
        connection = self.connect()
        connection.send(request("hang"), request("hang"))

        def seen():
            got = samples(self.read("metrics")) if os.path.exists(self.path("metrics")) else {}
            return [got.get(f'paddock_rrq_{name}{{source="rrq"}}') for name in ("connections", "requests_in_flight")] == [1, 2]
        paddock.until(seen, "gauges")


class Runner(drive.Case):
    check = Metrics.check

    def test_restarts(self):
        self.drive({"crash": drive.task("crash", retries=2, backoff="1ms")}, arguments=("--metrics-file", self.path("metrics")))
        text = self.read("metrics")
        self.check(text)
        got = samples(text)
        self.assertGreaterEqual(got['paddock_rrq_restarts_total{runner="rrq"}'], 2)
        self.assertEqual(got['paddock_rrq_crashes_total{runner="rrq"}'], 3)


if __name__ == "__main__":
    orchestrator.main()
