# SPDX-License-Identifier: Apache-2.0
"""What is known of a job from outside: its trace, the run that is on, and what the server says of itself."""

import json
import os
import shutil
import signal
import unittest

from daemon import Daemon, is_alive, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
NOTE = "echo $TRACEPARENT >>traces; until [ -e go ]; do sleep 0.01; done"


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.remove)

    def job(self, job):
        return self.daemon.get(f"/v1/jobs/{job}")

    def submit(self, command, headers=None, status=201, **more):
        spec = {"kind": "subprocess", "name": "job", "command": ["sh", "-c", command], "cwd": self.daemon.folder,
                **more.pop("spec", {})}
        got = self.daemon.request("POST", "/v1/jobs", {"spec": spec, **more}, headers=headers)
        self.assertEqual(got[0], status, got)
        return got[1].get("job_id")

    def traces(self, count):
        until(lambda: self.daemon.read("traces").count("\n") >= count, f"{count} attempts")
        return [line.split("-") for line in self.daemon.read("traces").splitlines()]


class Traces(Case):
    def test_one_trace_through_attempts_rescues_and_restarts(self):
        for given in (None, PARENT):
            for name in ("go", "traces", "again"):
                if os.path.exists(os.path.join(self.daemon.folder, name)):
                    os.unlink(os.path.join(self.daemon.folder, name))
            more = {"traceparent": given} if given else {}
            job = self.submit(NOTE + "; [ -e again ] || { >again; exit 1; }", spec={"retries": 1, "backoff": "10ms"},
                              **more)
            self.traces(1)
            shown = self.job(job)["traceparent"]
            self.assertEqual(given or shown, shown)
            self.daemon.kill()  # rescued
            self.daemon.start()
            self.traces(2)
            self.daemon.stop()  # handed back
            self.daemon.start()
            self.traces(3)
            self.daemon.write("go", "")
            until(lambda: self.job(job)["state"] == "ended")
            traces = self.traces(4)
            self.assertEqual({trace[1] for trace in traces}, {shown.split("-")[1]})
            self.assertEqual(self.job(job)["traceparent"], shown)

    def test_a_header_will_do(self):
        self.daemon.write("go", "")
        job = self.submit(NOTE, headers={"traceparent": PARENT})
        self.assertEqual(self.traces(1)[0][1], TRACE)
        self.assertEqual(self.job(job)["traceparent"], PARENT)
        for bad in ("", "x", PARENT[:-1], PARENT + "0", "ff" + PARENT[2:], PARENT.upper(), PARENT.replace(TRACE, "0" * 32)):
            job = self.submit(NOTE, headers={"traceparent": bad})
            self.assertNotIn(TRACE, self.job(job)["traceparent"], bad)
        self.submit(NOTE, headers={"traceparent": PARENT}, traceparent=PARENT.replace("b7", "a7"))
        status, got = self.daemon.submit(["true"], traceparent="x")
        self.assertEqual((status, got["error"]["path"]), (422, "/traceparent"), got)

    def test_the_run_that_is_on(self):
        job = self.submit(NOTE)
        self.traces(1)
        shown = self.job(job)
        self.assertEqual(shown["state"], "running")
        self.assertNotIn("run", shown)
        run = self.daemon.get(f"/v1/runs/{shown['run_id']}")
        self.assertEqual((run["run_id"], run["state"]), (shown["run_id"], "running"))
        self.daemon.write("go", "")
        until(lambda: self.job(job)["state"] == "ended")
        self.assertEqual(self.job(job)["run_id"], shown["run_id"])


class Left(Case):
    """What a server that was killed has left is its own state folder's to end, and nobody else's."""

    def left(self):
        self.submit("setsid sleep 1000 & echo $! >pid.new; mv pid.new pid; wait")
        until(lambda: self.daemon.read("pid"), "the number of what is left")
        pid = int(self.daemon.read("pid"))
        self.addCleanup(end, pid)
        self.daemon.kill()
        self.assertTrue(is_alive(pid))
        return pid

    def test_of_this_folder(self):
        pid = self.left()
        self.daemon.start()
        self.assertFalse(is_alive(pid))

    def test_of_a_folder_that_was_made_anew(self):
        pid = self.left()
        shutil.rmtree(self.daemon.state)
        self.daemon.start()
        self.assertTrue(is_alive(pid))

    def test_it_is_no_address(self):
        """What a task asks by its environment is the server that it says."""
        self.submit("env >env.new; mv env.new env")
        until(lambda: self.daemon.read("env"), "the environment")
        names = [line.split("=")[0] for line in self.daemon.read("env").splitlines()]
        self.assertIn("PADDOCK_STATE_ID", names)
        self.assertNotIn("PADDOCK_SERVER", names)


class Events(Case):
    def test_what_the_server_says_of_itself(self):
        connection = self.daemon.connect()
        connection.request("GET", "/v1/events?type=server.*&after=0")
        response = connection.getresponse()
        def event():
            while True:
                line = response.readline().decode()
                self.assertTrue(line, "the stream ended")
                if line.startswith("data:"):
                    return json.loads(line[5:])
        started = event()
        self.assertEqual(started["event"], "server.started")
        self.assertIn("serving 0 tasks", started["message"])
        self.daemon.write("paddock.yaml", "tasks: {a: {command: 'true', manual: true}}\n")
        self.daemon.process.send_signal(signal.SIGHUP)
        reloaded = event()
        self.assertEqual((reloaded["event"], reloaded["message"]), ("server.reloaded", "1 added (a), 0 unchanged"))
        self.assertGreater(reloaded["seq"], started["seq"])
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(event()["event"], "server.draining")
        connection.close()
        self.assertEqual(self.daemon.process.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
