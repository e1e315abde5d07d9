# SPDX-License-Identifier: Apache-2.0
"""A disk that is full or read-only, a damaged page, a file of something else: a clear error, the rest goes on, and what
was acknowledged stays."""

import os
import resource
import sqlite3
import subprocess
import unittest

from queue_host import Case, mark, until

EROFS, ENOSPC, EIO, EINVAL = -30, -28, -5, -22


def can_mount():
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                          check=False).returncode == 0


def needs_mounts(test):
    """Without user namespaces there is no small disk to fill."""
    if can_mount():
        return test
    if os.environ.get("CI") == "true":
        raise RuntimeError("unshare -rm cannot mount, and in CI it must")
    return unittest.skip("LOUD: unshare -rm cannot mount here, so a full and a read-only disk are not tested")(test)


class Faults(Case):
    def path(self):
        return os.path.join(self.folder, "queue.db")

    def fill(self, host, rc, text):
        """Until it is full; then what was acknowledged is still there, and it still answers."""
        kept, refusal = [], None
        for i in range(3000):
            answer = host.wait(host.send("submit", spec=mark("y" * 2000), delay_seconds=1000))
            if answer["rc"] < 0:
                refusal = answer
                break
            kept.append(answer["value"]["job_id"])
        self.assertIsNotNone(refusal)
        self.assertEqual(refusal["rc"], rc)
        self.assertIn(text, refusal["error"])
        self.assertGreater(len(kept), 5)
        self.until_logged(host, text)
        self.assertEqual(host.show(kept[0])["state"], "delayed")  # reading still works
        self.assertEqual(host.stop(), 0)
        self.hosts.clear()
        return kept


class Files(Faults):
    def assert_stays_down(self, text):
        host = self.host()
        self.until_logged(host, text)
        rc, error, _ = host.refused("submit", spec=mark("x"))
        self.assertIn(text, error)
        self.assertEqual(host.stop(), 0)
        return rc

    def test_a_newer_file_is_left_alone(self):
        host = self.host()
        host.ask("stats")
        host.stop()
        with sqlite3.connect(self.path()) as db:
            db.execute("PRAGMA user_version=77")
        db.close()
        self.assertEqual(self.assert_stays_down("a newer Paddock wrote it (its tables are of version 77, ours of 2)"), EINVAL)

    def test_a_file_of_something_else_is_left_alone(self):
        with sqlite3.connect(self.path()) as db:
            db.execute("CREATE TABLE mine(x)")
        db.close()
        self.assert_stays_down("it is a database of something else")
        with sqlite3.connect(self.path()) as db:
            self.assertEqual([row[0] for row in db.execute("SELECT name FROM sqlite_schema")], ["mine"])
        db.close()

    def test_what_is_no_database_is_left_alone(self):
        with open(self.path(), "wb") as file:
            file.write(b"once upon a time " * 1000)
        self.assert_stays_down("it is no database, or a damaged one")
        with open(self.path(), "rb") as file:
            self.assertTrue(file.read().startswith(b"once upon a time"))

    def test_no_folder(self):
        host = self.host({"path": os.path.join(self.folder, "none", "queue.db")})
        self.until_logged(host, "No such file or directory")
        os.mkdir(os.path.join(self.folder, "none"))
        until(lambda: host.wait(host.send("submit", spec=mark("x")))["rc"] == 0, "the store, once it can be")

    def test_another_program_that_locks_it(self):
        host = self.host()
        host.ask("submit", spec=mark("a"))
        host.idle()
        db = sqlite3.connect(self.path(), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        rc, error, _ = host.refused("submit", spec=mark("b"))
        self.assertIn("another program has locked it", error)
        db.execute("ROLLBACK")
        db.close()
        host.ask("submit", spec=mark("c"))
        until(lambda: host.starts() == ["a", "c"])

    def test_a_damaged_page_stops_its_topic_and_no_other(self):
        host = self.host()
        host.ask("pause", topic="bad")
        big = "x" * 3000
        for _ in range(40):
            host.send("submit", spec=mark(big), topic="bad")
        host.ask("submit", spec=mark(big), topic="bad")
        self.assertEqual(host.stop(), 0)
        self.damage()
        host = self.host()
        host.ask("submit", spec=mark("good"), topic="good")
        until(lambda: host.starts() == ["good"])
        host.ask("resume", topic="bad")
        line = self.until_logged(host, "nothing of topic bad runs any more")
        self.assertIn("a page of it is damaged", line)
        for i in range(5):
            host.ask("submit", spec=mark(f"more {i}"), topic="good")
        until(lambda: [start for start in host.starts() if start.startswith("more")] == [f"more {i}" for i in range(5)])

    def damage(self):
        """The oldest jobs of it, in leaves of their own: new jobs go to the other end of the table."""
        left = 5
        with sqlite3.connect(self.path()) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            root, size = db.execute("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema "
                                    "WHERE name='job_ready'").fetchone()
            jobs = db.execute("SELECT rootpage FROM sqlite_schema WHERE name='job'").fetchone()[0]
        db.close()
        with open(self.path(), "r+b") as file:
            data = file.read()
            for page in range(2, len(data) // size + 1):
                at = (page - 1) * size
                if left and page not in (root, jobs) and data[at] == 13 and b"x" * 500 in data[at:at + size]:
                    left -= 1
                    file.seek(at)
                    file.write(b"\x0d\xff\xff\xff\xff" + b"\xff" * 60)

    def test_a_file_that_may_not_grow(self):
        limit = 600 * 1024
        host = self.host(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.fill(host, EIO, "it cannot be read or written")


@needs_mounts
class Disks(Faults):
    """The host in a mount namespace of its own, where the folder is a small disk."""

    def test_a_full_disk(self):
        disk = os.path.join(self.folder, "disk")
        keep = os.path.join(self.folder, "keep")
        os.makedirs(disk)
        # What is on it is copied out when the host has ended, for the disk goes with its namespace.
        script = (f'mount -t tmpfs -o size=1m none {disk}; "$0" "$@"; rc=$?; cp -r {disk} {keep}; exit $rc')
        host = self.host({"path": os.path.join(disk, "queue.db")}, command=["unshare", "-rm", "sh", "-c", script])
        kept = self.fill(host, ENOSPC, "no space is left for it")
        db = sqlite3.connect(os.path.join(keep, "queue.db"))
        ids = {str(row[0]) for row in db.execute("SELECT id FROM job")}
        self.assertEqual([job for job in kept if job not in ids], [])
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        db.close()

    def test_ends_wait_for_room_on_the_disk(self):
        """Jobs that run while the disk fills up: their ends are kept until there is room again."""
        disk = os.path.join(self.folder, "disk")
        os.makedirs(disk)
        fifo = os.path.join(self.folder, "go")
        os.mkfifo(fifo)
        # A second process in the same namespace takes all the room, and gives it back when it is told.
        script = (f'mount -t tmpfs -o size=2m none {disk}; '
                  f'{{ read word; head -c 4m /dev/zero >{disk}/ballast 2>/dev/null; echo full >{fifo}.full; read word; '
                  f'rm {disk}/ballast; }} <{fifo} & exec "$0" "$@"')
        host = self.host({"path": os.path.join(disk, "queue.db")}, command=["unshare", "-rm", "sh", "-c", script])
        with open(fifo, "w") as go:
            end = os.path.join(self.folder, "end")
            jobs = [host.ask("submit", spec=mark(i, **{"with": {"until": end}}))["job_id"] for i in range(20)]
            until(lambda: len(host.starts()) == 20)
            go.write("fill\n")
            go.flush()
            until(lambda: os.path.exists(fifo + ".full"))
            until(lambda: host.wait(host.send("submit", spec=mark("z" * 4000), delay_seconds=1000))["rc"] == ENOSPC,
                  "a full disk")
            os.mkdir(end)
            until(lambda: len(host.ends()) == 20, "the ends of all runs")
            self.assertEqual(host.refused("submit", spec=mark("z" * 4000))[0], ENOSPC)  # asked after they were, and failed too
            self.assertEqual(host.ask("list", state="ended")["jobs"], [])
            go.write("free\n")
            go.flush()
            for job in jobs:
                self.assertEqual(host.ended(job)["outcome"], "succeeded")
        self.assertEqual(sorted(host.starts())[:20], sorted(host.starts()))

    def test_a_read_only_disk(self):
        host = self.host()
        job = host.ask("submit", spec=mark("x"), delay_seconds=1000)["job_id"]
        host.kill()
        script = f'mount --bind {self.folder} {self.folder} && mount -o remount,bind,ro {self.folder}; exec "$0" "$@"'
        journal = os.path.join(self.folder, "journal")
        os.remove(journal)
        os.symlink("/dev/null", journal)
        os.remove(journal + ".ends")
        os.symlink("/dev/null", journal + ".ends")
        host = self.host(command=["unshare", "-rm", "sh", "-c", script])
        self.until_logged(host, "Read-only file system")
        self.assertEqual(host.refused("submit", spec=mark("y"))[0], EROFS)
        self.assertEqual(host.stop(), 0)
        os.remove(journal)
        os.remove(journal + ".ends")
        host = self.host()
        self.assertEqual(host.show(job)["state"], "delayed")


if __name__ == "__main__":
    unittest.main()
