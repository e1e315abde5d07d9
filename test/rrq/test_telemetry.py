# SPDX-License-Identifier: Apache-2.0
"""What a collector hears of a job of RRQ: the trace of its producer goes on, and what it belongs to stands on its spans."""

import json
import os
import sys

import orchestrator
import paddock
import test_otlp

TASKS = """
metrics: {{use: otlp, config: {{endpoint: "{url}", delay: 10ms}}}}
tasks:
  echo: {{kind: echo}}
sources: [{{use: rrq, tasks: [echo]}}]
"""
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Telemetry(orchestrator.Case):
    def setUp(self):
        super().setUp()
        self.receiver = test_otlp.Receiver()
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)
        self.runner(TASKS.format(url=self.receiver.url))

    def spans_of(self, correlation):
        self.assertEqual(self.connect().call("echo", {"a": 1}, context={
            "trace_context": {"traceparent": f"00-{TRACE}-{PARENT}-01"}, "correlation_context": correlation})["status"], "success")
        self.stop()
        spans = {span["name"]: span for span in self.receiver.spans()}
        self.assertEqual(sorted(spans), ["paddock.attempt", "paddock.run"])
        return spans

    def test_correlation(self):
        spans = self.spans_of({"tenant.id": "acme", "session": "ë" * 200, "count": 3, "empty": "", "nested": {"a": "b"},
                               "paddock.run_id": "forged"})
        self.assertEqual(spans["paddock.run"]["parent_span_id"].hex(), PARENT)
        for span in spans.values():
            self.assertEqual(span["trace_id"].hex(), TRACE)
            got = {key: value for key, value in span["attributes"].items() if not key.startswith("paddock.")}
            self.assertEqual(got, {"tenant.id": "acme", "session": "ë" * 128})
            self.assertNotEqual(span["attributes"]["paddock.run_id"], "forged")

    def test_none(self):
        for span in self.spans_of(None).values():
            self.assertEqual([key for key in span["attributes"] if not key.startswith("paddock.")], [])

    def test_what_is_no_map_is_refused(self):
        outcome = self.connect().call("echo", context={"correlation_context": json.loads('["x"]')})
        self.assertEqual((outcome["status"], outcome["error"]["type"]), ("error", "invalid_request"))
        self.assertIn("correlation_context", outcome["error"]["message"])


if __name__ == "__main__":
    if not test_otlp.HAVE:
        print("SKIPPED: the plugin otlp was not built; nothing was told to a collector")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    orchestrator.main()
