# SPDX-License-Identifier: Apache-2.0
"""The state folder of a whole server goes bad: one clear error, the rest goes on, and what was acknowledged comes back."""

import fcntl
import os
import signal
import sqlite3
import struct
import subprocess
import tempfile
import unittest

from daemon import Daemon, until

SIZE = 4 << 20
EXT4_IOC_SHUTDOWN = 0x8004587D


def can_mount():
    folder = tempfile.mkdtemp(prefix="paddock-mount-")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False).returncode == 0
    if mounted:
        subprocess.run(["umount", folder], check=True)
    os.rmdir(folder)
    return mounted


def needs_mounts(test):
    if can_mount():
        return test
    if os.environ.get("CI") == "true":
        raise RuntimeError("no small disk can be mounted, and in CI it must")
    return unittest.skip("LOUD: only root can mount a small disk: a full and a read-only one are not tested")(test)


class Case(unittest.TestCase):
    def daemon(self, *arguments, **more):
        daemon = Daemon(*arguments, **more)
        self.addCleanup(daemon.remove)
        return daemon

    def submit(self, daemon, command, **more):
        status, got = daemon.submit(command, **more)
        self.assertIn(status, (200, 201), got)
        return got["job_id"]

    def ended(self, daemon, job):
        return daemon.get(f"/v1/jobs/{job}").get("outcome")

    def says(self, daemon, words):
        until(lambda: words in daemon.read("log"), f"{words!r} in\n{daemon.read('log')[-2000:]}")

    def times(self, daemon, words):
        return sum(words in line for line in daemon.read("log").splitlines())

    def works(self, daemon):
        """All but the queue."""
        for path in ("/v1/version", "/v1/status", "/v1/runs", "/v1/tasks", "/v1/plugins", "/v1/slots"):
            daemon.get(path)
        status, run = daemon.request("POST", "/v1/runs", {"name": "beside", "command": ["true"]})
        self.assertEqual(status, 201, run)
        until(lambda: daemon.get(f"/v1/runs/{run['run_id']}")["state"] == "ended", "the end of a run beside the queue")

    def refused(self, daemon, words):
        status, got = daemon.submit(["true"], topic="full", delay_seconds=1000, spec={"env": {"PAD": "y" * 2000}})
        self.assertEqual((status, got["error"]["code"]), (507, "storage"), got)
        self.assertIn(words, got["error"]["message"])


@needs_mounts
class SmallDisk(Case):
    def mounted(self, image):
        folder = tempfile.mkdtemp(prefix="paddock-disk-")
        what = ["-o", "loop", image] if image else ["-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "none"]
        if subprocess.run(["mount", *what, folder], check=False, capture_output=True).returncode:
            os.rmdir(folder)
            self.skipTest("SKIPPED: no loop device can be had")
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return folder

    def begin(self, image=None):
        """A job that waits to be let go, and others that stay."""
        disk = self.mounted(image)
        daemon = self.daemon(state=os.path.join(disk, "state")).start()
        self.kept = [self.submit(daemon, ["true"], topic="later", delay_seconds=1000) for _ in range(20)]
        self.runs = self.submit(daemon, ["sh", "-c", "until [ -e go ]; do sleep 0.01; done"], spec={"cwd": daemon.folder})
        until(lambda: daemon.get(f"/v1/jobs/{self.runs}")["state"] == "running")
        return disk, daemon

    def through_it(self, daemon, words):
        """While it cannot be written to."""
        self.refused(daemon, words)
        self.works(daemon)
        daemon.write("go", "")
        until(lambda: daemon.get("/v1/status")["running"] == 0, "the end of what ran")
        self.refused(daemon, words)
        self.assertEqual(self.times(daemon, '"level":"error"'), 1, daemon.read("log"))  # it is said once
        self.assertEqual([p["health"] for p in daemon.get("/v1/plugins")["plugins"] if p["name"] == "queue"], ["degraded"])

    def after_it(self, daemon):
        until(lambda: daemon.submit(["true"], topic="good")[0] == 201, "the queue, as it can be written to again")
        until(lambda: self.ended(daemon, self.runs) == "succeeded", "the end of what ran through it")
        daemon.stop()
        daemon.start()
        for job in self.kept:
            self.assertEqual(daemon.get(f"/v1/jobs/{job}")["state"], "delayed")
        self.assertEqual(self.ended(daemon, self.runs), "succeeded")
        until(lambda: daemon.totals()["ready"] + daemon.totals()["running"] == 0)
        daemon.stop()

    def test_full(self):
        disk, daemon = self.begin()
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
            for size in (65536, 4096):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass
        status = 201
        while status == 201:  # what the log has room for already
            status, got = daemon.submit(["true"], topic="full", delay_seconds=1000, spec={"env": {"PAD": "y" * 2000}})
            if status == 201:
                self.kept.append(got["job_id"])
        self.through_it(daemon, "no space is left for it")
        os.unlink(os.path.join(disk, "filler"))
        self.after_it(daemon)

    def test_killed_while_full(self):
        disk, daemon = self.begin()
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        while daemon.submit(["true"], topic="full", delay_seconds=1000, spec={"env": {"PAD": "y" * 2000}})[0] == 201:
            pass
        daemon.kill()
        daemon.start()
        self.works(daemon)
        daemon.write("go", "")
        os.unlink(os.path.join(disk, "filler"))
        self.after_it(daemon)

    def test_a_disk_that_breaks(self):
        """From one moment to the next it can neither be read nor written."""
        image = tempfile.NamedTemporaryFile(prefix="paddock-image-")
        self.addCleanup(image.close)
        image.truncate(32 << 20)
        if subprocess.run(["mkfs.ext4", "-q", "-F", image.name], capture_output=True, check=False).returncode:
            self.skipTest("SKIPPED: there is no mkfs.ext4")
        disk, daemon = self.begin(image.name)
        folder = os.open(disk, os.O_RDONLY)
        fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", 2))
        os.close(folder)
        self.refused(daemon, "it cannot be")
        self.works(daemon)
        daemon.write("go", "")
        until(lambda: daemon.get("/v1/status")["running"] == 0, "the end of what ran")
        self.works(daemon)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.process.wait(60), 0, daemon.read("log")[-2000:])
        subprocess.run(["umount", disk], check=True)
        subprocess.run(["mount", "-o", "loop", image.name, disk], check=True)
        self.after_it(daemon.start())

    def test_a_start_on_a_read_only_disk(self):
        disk, daemon = self.begin()
        daemon.write("go", "")
        until(lambda: self.ended(daemon, self.runs))
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        daemon.spawn()
        os.close(daemon.ready)
        self.assertEqual(daemon.process.wait(60), 1)
        self.assertIn("Read-only file system", daemon.read("log").splitlines()[-1])
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        self.after_it(daemon.start())


class Limits(Case):
    def test_files_that_may_not_grow(self):
        daemon = self.daemon().start(command=["prlimit", f"--fsize={1 << 20}"])
        kept, status = [], 201
        while status == 201:
            status, got = daemon.submit(["true"], topic="later", delay_seconds=1000, spec={"env": {"PAD": "z" * 3000}})
            if status == 201:
                kept.append(got["job_id"])
        self.assertEqual((status, got["error"]["code"]), (507, "storage"), got)
        self.works(daemon)
        daemon.stop()
        daemon.start()
        self.assertEqual({daemon.get(f"/v1/jobs/{job}")["state"] for job in kept}, {"delayed"})
        self.submit(daemon, ["true"])
        daemon.stop()


class Damage(Case):
    def filled(self, count=300):
        daemon = self.daemon().start()
        daemon.request("POST", "/v1/topics/bad/pause", {})
        jobs = [self.submit(daemon, ["true"], topic="bad", name="b", spec={"env": {"PAD": "x" * 900}}) for _ in range(count)]
        return daemon, jobs

    def test_a_page_in_the_middle(self):
        daemon, jobs = self.filled()
        daemon.stop()
        with sqlite3.connect(daemon.database) as db:
            size = db.execute("PRAGMA page_size").fetchone()[0]
            roots = {row[0] for row in db.execute("SELECT rootpage FROM sqlite_schema")}
        db.close()
        with open(daemon.database, "r+b") as file:
            data = file.read()
            leaves = [page for page in range(2, len(data) // size + 1) if page not in roots and
                      data[(page - 1) * size] == 13 and b"x" * 500 in data[(page - 1) * size:page * size]]
            file.seek((leaves[len(leaves) // 2] - 1) * size)
            file.write(b"\x0d\xff\xff\xff\xff" + b"\xff" * 60)
        daemon.start()
        self.works(daemon)
        good = [self.submit(daemon, ["true"], topic="good") for _ in range(10)]
        daemon.request("POST", "/v1/topics/bad/resume", {})
        self.says(daemon, "nothing of topic bad runs any more")
        good += [self.submit(daemon, ["true"], topic="good") for _ in range(10)]
        until(lambda: [self.ended(daemon, job) for job in good] == ["succeeded"] * len(good), "the other topic")
        self.assertEqual(self.times(daemon, "nothing of topic bad runs any more"), 1)
        status, _ = daemon.request("GET", f"/v1/jobs/{jobs[len(jobs) // 2]}")
        self.assertIn(status, (200, 507))
        daemon.stop()

    def wal(self, daemon):
        return daemon.database + "-wal"

    def test_a_log_that_is_cut(self):
        """As a power cut may leave it behind the last sync: what is whole counts."""
        daemon, jobs = self.filled(60)
        daemon.kill()
        os.truncate(self.wal(daemon), os.path.getsize(self.wal(daemon)) - 1000)
        daemon.start()
        self.assertEqual({daemon.get(f"/v1/jobs/{job}")["state"] for job in jobs[:-1]}, {"ready"})
        self.works(daemon)
        self.submit(daemon, ["true"])
        daemon.stop()

    def test_a_log_that_is_damaged(self):
        """What is before the place is there, what is behind it cannot be known; it is said, and all goes on."""
        daemon, jobs = self.filled(60)
        daemon.kill()
        size = os.path.getsize(self.wal(daemon))
        with open(self.wal(daemon), "r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * 64)
        daemon.start()
        self.works(daemon)
        states = [daemon.request("GET", f"/v1/jobs/{job}")[0] for job in jobs]
        self.assertEqual(states, sorted(states))  # 200 .. 200 404 .. 404
        self.assertEqual(states[0], 200)
        self.assertEqual(states[-1], 404)
        self.says(daemon, "is damaged")
        new = self.submit(daemon, ["true"])
        until(lambda: self.ended(daemon, new) == "succeeded")
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
