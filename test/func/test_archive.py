# SPDX-License-Identifier: Apache-2.0
"""What runs print and what becomes of them, kept by paddock serve, over restarts and faults."""

import glob
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys

import paddock
from paddock import until
from serve import ServeCase


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=paddock.PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ArchiveCase(ServeCase):
    def serve(self, tasks, archive="", **more):
        text = f"tasks:\n{tasks}server: {{socket: {self.path('sock')}}}\n"
        if archive:
            text += f"plugins:\n  - {{use: archive, config: {{{archive}}}}}\n"
        return super().serve(text, **more)

    def get(self, path, accept=None, status=200):
        connection = Local(self.path("sock"))
        try:
            connection.request("GET", path, headers={"Accept": accept} if accept else {})
            response = connection.getresponse()
            data = response.read()
            self.assertEqual(response.status, status, data)
            return json.loads(data) if response.headers["Content-Type"] == "application/json" else data
        finally:
            connection.close()

    def pieces(self, path):
        return [json.loads(line) for line in self.get(path, "application/x-ndjson").splitlines()]

    def runs(self, query=""):
        """All pages."""
        found, after = [], ""
        while True:
            page = self.get(f"/v1/runs?limit=2{query}{after}")
            found += page["runs"]
            if "next" not in page:
                return found
            after = f"&after={page['next']}"

    def ended(self, task, behind=None):
        """The newest run of a task that has ended, behind an older one."""
        def look():
            runs = [run for run in self.get(f"/v1/runs?task={task}")["runs"]
                    if run["state"] == "ended" and run["run_id"] != behind]
            runs = runs if not behind or (runs and "archived" not in runs[0]) else []
            return runs and runs[0]["run_id"]
        return until(look, f"the end of {task}")

    def kept(self, run, data):
        """Wait until so much is on the disk."""
        until(lambda: self.get(f"/v1/runs/{run}/output") == data, f"{data!r} of {run}")

    def read_text(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def files(self, run):
        return sorted(os.path.basename(path) for path in glob.glob(self.path(f"state/archive/output/*/{run}/*")))


class Output(ArchiveCase):
    def test_both_streams_in_order_with_places(self):
        process = self.serve('  a: {command: "echo one; echo two >&2; printf three"}\n')
        run = self.ended("a")
        until(lambda: len(self.pieces(f"/v1/runs/{run}/output")) == 3)
        pieces = self.pieces(f"/v1/runs/{run}/output")
        self.assertEqual(sorted((p["stream"], p["text"]) for p in pieces),
                         [("stderr", "two\n"), ("stdout", "one\n"), ("stdout", "three")])
        self.assertTrue(all(p["attempt"] == 1 and "time" in p for p in pieces))
        place = 0
        for piece in pieces:
            self.assertEqual(piece["offset"], place)
            place += len(piece["text"])
        self.assertEqual(self.get(f"/v1/runs/{run}/output?stream=stderr"), b"two\n")
        self.assertEqual(self.get(f"/v1/runs/{run}/output?stream=stdout&tail=1"), b"three")
        whole = self.get(f"/v1/runs/{run}/output")
        self.assertEqual(self.get(f"/v1/runs/{run}/output?from=3&to=9"), whole[3:9])
        self.assertIn("has no attempt 2: it has begun 1",
                      self.get(f"/v1/runs/{run}/output?attempt=2", status=404)["error"]["message"])
        history = self.get(f"/v1/runs/{run}")["history"]
        self.assertEqual([(h["attempt"], h["result"], h["output_bytes"]) for h in history], [(1, "succeeded", 13)])
        self.assertGreater(history[0]["usage"]["max_rss_bytes"], 0)
        self.end(process)

    def test_attempts_are_apart(self):
        process = self.serve('  a: {command: "echo try $PADDOCK_ATTEMPT; exit 3", restart: on-failure, retries: 2,'
                             ' backoff: {first: 1ms}}\n')
        run = self.ended("a")
        until(lambda: len(self.files(run)) == 3)
        for attempt in (1, 2, 3):
            got = until(lambda: self.pieces(f"/v1/runs/{run}/output?attempt={attempt}"))
            self.assertEqual([(p["attempt"], p["offset"], p["stream"]) for p in got], [(attempt, 0, "stdout")])
        details = self.get(f"/v1/runs/{run}")
        self.assertEqual([h["exit_code"] for h in details["history"]], [3, 3, 3])
        names = [e["event"] for e in details["events"]]
        self.assertEqual((names[0], names[-1], names.count("attempt.ended")), ("run.accepted", "run.ended", 3))
        for event in details["events"]:  # what a run and its events share is written once, and told of each
            self.assertEqual([event[key] for key in ("run_id", "task", "slot", "runner")],
                             [details[key] for key in ("run_id", "task", "slot", "runner")])
        self.end(process)

    def test_attempts_outlive_their_events(self):
        process = self.serve('  a: {command: "exit 3", restart: on-failure, retries: 79, backoff: {first: 1ms, max: 1ms}}\n')
        run = self.ended("a")
        until(lambda: run in "".join(map(self.read_text, glob.glob(self.path("state/archive/runs/*.jsonl")))), "a line")
        details = self.get(f"/v1/runs/{run}")
        self.assertEqual(len(details["events"]), 200)
        self.assertGreater(details["events_omitted"], 0)
        self.assertEqual([(h["attempt"], h["exit_code"]) for h in details["history"]], [(n, 3) for n in range(1, 81)])
        self.assertTrue(all("started_at" in h and "ended_at" in h for h in details["history"]))
        self.end(process)

    def test_follow_while_it_is_written_and_into_the_next_attempt(self):
        os.mkfifo(self.path("go"))
        process = self.serve(f'  a: {{command: "echo begin; read x < {self.path("go")}; echo $x; exit 1", restart: on-failure,'
                             ' retries: 1, backoff: {first: 1ms}}\n')
        until(lambda: [run["state"] for run in self.get("/v1/runs")["runs"]] == ["running"])
        connection = Local(self.path("sock"))
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/runs/a/output?follow=1")
        stream = connection.getresponse()
        self.assertEqual(stream.readline(), b"begin\n")
        for word in ("first", "second"):
            with open(self.path("go"), "w") as pipe:
                pipe.write(word + "\n")
            self.assertEqual(stream.readline(), word.encode() + b"\n")
            self.assertEqual(stream.readline(), b"begin\n" if word == "first" else b"")
        self.end(process)

    def test_restart_and_kill(self):
        tasks = '  a: {command: "echo kept"}\n  b: {command: "while :; do echo many words of a line; done"}\n'
        process = self.serve(tasks, "output: {segment: 64KiB, attempt: 1MiB}")
        first = self.ended("a")
        self.kept(first, b"kept\n")
        other = [run["run_id"] for run in self.runs("&task=b")][0]
        until(lambda: len(self.files(other)) > 5, "segments")
        until(lambda: other in self.read_text("state/archive/running.jsonl"), "a run that is not young any more")
        until(lambda: any(name.endswith(".gz") for name in self.files(other)), "a packed one")
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = self.serve(tasks)
        self.assertEqual(self.get(f"/v1/runs/{first}/output"), b"kept\n")
        lost = self.get(f"/v1/runs/{other}")
        self.assertEqual((lost["outcome"], lost["archived"], lost["state"]), ("lost", True, "ended"))
        data = self.get(f"/v1/runs/{other}/output?tail=1000")
        self.assertEqual(set(data.splitlines()[1:-1]), {b"many words of a line"})
        place = None
        for piece in self.pieces(f"/v1/runs/{other}/output"):
            if place is not None:
                self.assertEqual(piece["offset"], place + piece.get("lost", 0))
            place = piece["offset"] + len(piece["text"])
        second = self.ended("a", first)
        ids = [run["run_id"] for run in self.runs()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLessEqual({first, second, other}, set(ids))
        numbers = [int(run.rsplit("-", 1)[1]) for run in ids]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        process.send_signal(signal.SIGTERM)
        process.wait(paddock.PATIENCE)
        process = self.serve(tasks)
        third = self.ended("a", second)
        self.assertEqual(int(third.rsplit("-", 1)[1]), int(ids[0].rsplit("-", 1)[1]) + 1)  # a clean end leaves no gap
        self.end(process)

    def test_cold_files_are_packed_and_read(self):
        process = self.serve('  a: {command: "seq 1 5000"}\n', "output: {compress_after: 0s, segment: 4KiB}")
        run = self.ended("a")
        until(lambda: self.files(run) and all(n.endswith(".gz") for n in self.files(run)[:3]), "packed files")
        until(lambda: sum(n.endswith(".gz") for n in self.files(run)) >= 3)
        whole = b"".join(b"%d\n" % i for i in range(1, 5001))
        self.kept(run, whole)
        self.assertEqual(self.get(f"/v1/runs/{run}/output?tail=3"), b"4998\n4999\n5000\n")
        self.assertEqual(self.get(f"/v1/runs/{run}/output?tail=2000"), b"".join(b"%d\n" % i for i in range(3001, 5001)))
        self.assertEqual(self.get(f"/v1/runs/{run}/output?from=10000&to=10010"), whole[10000:10010])
        packed = glob.glob(self.path(f"state/archive/output/a/{run}/1.0.log.gz"))
        with gzip.open(packed[0]) as file:
            self.assertIn(b" stdout F 1\n", file.read())
        self.end(process)


class Faults(ArchiveCase):
    def test_a_damaged_file_harms_nothing_else(self):
        process = self.serve('  a: {command: "echo good"}\n  b: {command: "echo bad"}\n  c: {command: "seq 1 9999"}\n',
                             "output: {compress_after: 0s}")
        good, bad, packed = self.ended("a"), self.ended("b"), self.ended("c")
        until(lambda: all(map(self.files, (good, bad))) and self.files(packed) == ["1.0.log.gz"])
        with open(self.path(f"state/archive/output/b/{bad}/1.0.log"), "w") as file:
            file.write("what is this?\n")
        path = self.path(f"state/archive/output/c/{packed}/1.0.log.gz")
        with open(path, "rb") as file:
            data = file.read()
        with open(path, "wb") as file:
            file.write(data[:len(data) // 2])
        error = self.get(f"/v1/runs/{bad}/output", status=507)["error"]
        self.assertEqual(error["code"], "storage")
        self.assertIn(f"{bad}/1.0.log, line 1: a record of output is wanted there", error["message"])
        self.says(error["message"])
        with self.assertRaises(http.client.IncompleteRead):  # it has begun well
            self.get(f"/v1/runs/{packed}/output")
        try:
            self.pieces(f"/v1/runs/{packed}/output")
        except http.client.IncompleteRead as fault:
            error = json.loads(fault.partial.splitlines()[-1])["error"]
        self.assertIn(f"{packed}/1.0.log.gz: it is damaged", error["message"])
        self.says(error["message"])
        self.assertEqual(self.get(f"/v1/runs/{good}/output"), b"good\n")
        self.assertEqual(len(self.runs()), 3)
        self.end(process)

    def test_a_damaged_history_is_left_out(self):
        process = self.serve('  a: {command: "echo 1"}\n')
        self.ended("a")
        self.end(process)
        with open(glob.glob(self.path("state/archive/runs/*.jsonl"))[0], "a") as file:
            file.write('{"seq": nonsense\n{"torn')
        process = self.serve('  a: {command: "echo 1"}\n')
        self.says("line 2: a run is wanted there")
        until(lambda: len(self.runs("&task=a")) == 2)
        self.end(process)

    def test_a_full_disk(self):
        os.mkdir(self.path("small"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", self.path("small")],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode:
            print(f"SKIPPED: a full disk: no tmpfs: {mounted.stderr}", file=sys.stderr)
            self.skipTest("mount was denied")
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("small")], check=False)
        process = self.serve('  a: {command: "seq 1 200000; echo the end"}\n', f"path: {self.path('small')}/archive")
        run = self.ended("a")
        self.assertEqual(self.get(f"/v1/runs/{run}")["outcome"], "succeeded")
        self.assertIn("No space left on device", self.says("cannot write")["msg"])
        health = {p["name"]: p for p in self.get("/v1/plugins")["plugins"]}["archive"]
        self.assertEqual(health["health"], "degraded")
        self.assertEqual([line["msg"] for line in self.lines() if "cannot write" in line["msg"]][1:], [])
        self.end(process)

    def test_a_folder_that_cannot_be_made(self):
        self.write("file", "")
        process = self.serve('  a: {command: "echo fine"}\n', f"path: {self.path('file')}/archive")
        self.ended("a")
        self.assertIn("cannot use", self.says(self.path("file"))["msg"])
        self.assertEqual(self.get("/v1/runs/a/output"), b"fine\n")  # what the supervisor remembers
        self.assertEqual(len(self.runs()), 1)
        self.end(process)

    def test_two_on_one_folder(self):
        process = self.serve('  a: {command: "echo fine"}\n', f"path: {self.path('shared')}")
        self.ended("a")
        self.env["STATE_DIRECTORY"] = self.path("state2")
        other = ServeCase.serve(self, f"tasks: {{b: {{command: echo}}}}\nserver: {{socket: {self.path('sock2')}}}\n"
                              f"plugins: [{{use: archive, config: {{path: {self.path('shared')}}}}}]\n")
        self.says("another archive has")
        self.end(other)
        self.end(process)


class Bounds(ArchiveCase):
    def test_an_attempt_keeps_the_end(self):
        process = self.serve('  a: {command: "seq 1 100000"}\n',
                             "output: {segment: 16KiB, attempt: 64KiB, compress: false, compress_after: 0s}")
        run = self.ended("a")
        until(lambda: self.get(f"/v1/runs/{run}/output?tail=1") == b"100000\n")
        folder = self.path(f"state/archive/output/a/{run}")
        until(lambda: sum(os.stat(f.path).st_size for f in os.scandir(folder)) < 128 << 10, "fewer files")
        first = self.pieces(f"/v1/runs/{run}/output")[0]
        self.assertGreater(first["offset"], 0)
        self.assertEqual(first["lost"], first["offset"])
        self.end(process)


if __name__ == "__main__":
    paddock.main()
