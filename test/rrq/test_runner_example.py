# SPDX-License-Identifier: Apache-2.0
"""The example does what its comments say."""

import json
import os

import drive
from drive import of


class Example(drive.Case):
    def test_drive(self):
        file = os.path.join(drive.paddock.EXAMPLES, "rrq", "drive.yaml")
        result = self.ended(self.paddock("run", "--json", "--stop-on", "never", file), 1)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        ends = {event["task"]: (event["outcome"], event["attempts"]) for event in of(events, "run.ended")}
        unlucky = ends.pop("unlucky")
        self.assertEqual(ends, {"thumbnail": ("succeeded", 1), "busy": ("succeeded", 3), "endless": ("timed_out", 1), "missing": ("fatal", 1)})
        self.assertEqual(unlucky, ("succeeded", 2))


if __name__ == "__main__":
    drive.main()
