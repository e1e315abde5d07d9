# SPDX-License-Identifier: Apache-2.0
"""Every example runs, and does what its comments say."""

import glob
import json
import os
import shutil
import subprocess

import paddock
from paddock import of
from ports import free_port

PLUGINS = os.path.join(os.path.dirname(paddock.PROGRAM), "../examples")  # those that are examples themselves


class Examples(paddock.Case):
    def example(self, name, *arguments, code=0, **more):
        result = self.ended(self.paddock("run", "--json", os.path.join(paddock.EXAMPLES, name), *arguments, **more), code)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return events, {event["task"]: event for event in of(events, "run.ended") + of(events, "run.rejected")}

    def test_every_file_is_free_of_faults(self):
        files = glob.glob(os.path.join(paddock.EXAMPLES, "**/*.yaml"), recursive=True)
        self.assertGreater(len(files), 5)
        for file in files:
            with self.subTest(file):
                elsewhere = ("--no-plugins",) if "/runner_" in file else ()
                self.ended(self.paddock("check", *elsewhere, "-L", PLUGINS, file), 0)

    def test_quickstart(self):
        events, end = self.example("quickstart.yaml")
        self.assertTrue(all(event["outcome"] == "succeeded" for event in end.values()), end)
        self.assertEqual(end["web"]["attempts"], 3)
        self.assertEqual(end["fetch"]["attempts"], 3)
        self.assertEqual(end["report"]["attempts"], 2)
        self.assertGreaterEqual(end["heartbeat"]["attempts"], 5)
        self.assertEqual({name: event["runner"] for name, event in end.items() if name in ("resize", "migrate", "import")},
                         {"resize": "batch", "migrate": "local", "import": "sleep"})
        self.assertTrue(of(events, "attempt.progress", "import"))

    def test_serve(self):
        if not os.path.exists(os.path.join(os.path.dirname(paddock.PROGRAM), "../lib/paddock/plugins/queue.so")):
            self.assertNotEqual(os.environ.get("CI"), "true", "the queue is not built")
            self.skipTest("SKIPPED: the queue is not built")
        result = subprocess.run(["bash", os.path.join(paddock.EXAMPLES, "serve/walk.sh")], text=True, timeout=120,
                                env={**self.env, "PADDOCK": paddock.PROGRAM, "SHOP_PORT": str(free_port())},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(result.returncode, 0, result.stdout)
        for words in ("40 of 40 pictures are done", "images: 1 replayed", "42 orders", "state       succeeded"):
            self.assertIn(words, result.stdout)

    def test_restart(self):
        _, end = self.example("policies/restart.yaml", "--stop-on", "never", code=1)
        self.assertEqual({name: event["outcome"] for name, event in end.items()},
                         {"once": "failed", "until-good": "succeeded", "again": end["again"]["outcome"], "codes": "succeeded"})
        self.assertEqual((end["once"]["attempts"], end["until-good"]["attempts"]), (1, 3))
        self.assertGreater(end["again"]["attempts"], 2)

    def test_backoff(self):
        events, end = self.example("policies/backoff.yaml", "--stop-on", "never", code=1)
        pauses = {name: [event["delay_seconds"] for event in of(events, "attempt.backoff", name)] for name in end}
        self.assertEqual(pauses["constant"], [0.1, 0.1, 0.1])
        self.assertEqual((pauses["none"], end["none"]["attempts"]), ([], 4))
        self.assertEqual(pauses["growing"], [0.1, 0.2, 0.3])
        for pause, most in zip(pauses["equal"], (0.1, 0.2, 0.3)):
            self.assertTrue(most / 2 <= pause <= most)
        self.assertTrue(all(0.1 <= pause <= 0.3 for pause in pauses["decorrelated"]))
        self.assertEqual(len(pauses["rate"]), 2)

    def test_admission(self):
        events, end = self.example("policies/admission.yaml", "--stop-on", "never", code=1)
        self.assertEqual(end["second"]["reason"], "slot_busy")
        self.assertEqual((end["old"]["outcome"], end["new"]["outcome"]), ("canceled", "succeeded"))
        pages = [event["text"] for event in events if event["event"] == "attempt.output" and event["task"].startswith("page-")]
        self.assertEqual(pages, ["page 1", "page 2", "page 3"])

    def test_timeout(self):
        _, end = self.example("policies/timeout.yaml", "--stop-on", "never", code=1)
        # The deadline may find hopeless between two attempts, or within one.
        hopeless = end["hopeless"]["outcome"]
        self.assertIn(hopeless, ("failed", "timed_out"))
        self.assertEqual({name: event["outcome"] for name, event in end.items()},
                         {"slow": "timed_out", "slow-once": "succeeded", "hopeless": hopeless, "never-up": "failed"})
        self.assertEqual(end["hopeless"]["reason"], "deadline")
        self.assertEqual(end["never-up"]["reason"], "not_ready")

    def test_stop(self):
        events, end = self.example("policies/stop.yaml", "--stop-on", "exit")
        self.assertEqual(end["main"]["outcome"], "succeeded")
        said = {(event["task"], event.get("text")) for event in of(events, "attempt.output")}
        self.assertLessEqual({("polite", "closing"), ("quitter", "quitting"), ("leader", "my child is cleared up behind me")}, said)

    def test_webstack(self):
        for program in ("redis-server", "nginx"):
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
                self.assertNotEqual(os.environ.get("CI"), "true", f"{program} is missing")
                self.skipTest(f"{program} IS MISSING: the web stack was not tried")
        events, end = self.example("webstack/paddock.yaml", "--exit-code-from", "client", env={"REDIS_PORT": str(free_port()), "WEB_PORT": str(free_port()),
                                                  "TMPDIR": self.folder, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        said = [event.get("text") for event in of(events, "attempt.output", "client")]
        self.assertEqual(said, ["redis counts: 42", "Hello from the paddock.", "both have answered"])
        self.assertEqual(end["redis"]["outcome"], "canceled")
        self.assertEqual(end["nginx"]["outcome"], "canceled")


if __name__ == "__main__":
    paddock.main()
