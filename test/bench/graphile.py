#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The queue beside graphile-worker on PostgreSQL: a backlog of tasks that do nothing, 24 out at a time, durable, nothing batched
by who asks. Taken in turns; PostgreSQL and the package are used where they can be had, and skipped where not.

    graphile.py BUILD
"""

import os
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile

JOBS, OUT, ROUNDS, GOAL = 10000, 24, 3, 3.0
VERSION = "0.17.3"
HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    print(f"graphile.py: left out: {why}", file=sys.stderr)
    sys.exit(0)


def tool(name):
    for folder in (*sorted(__import__("glob").glob("/usr/lib/postgresql/*/bin"), reverse=True), *os.get_exec_path()):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return skip(f"there is no {name}")


class Postgres:
    """A cluster in a folder of its own, on a socket there. It does not run as root."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="paddock-postgres-")
        self.data = os.path.join(self.folder, "data")
        self.as_user = []
        if os.geteuid() == 0:
            user = next((u for u in ("postgres", "nobody") if self.has(u)), None)
            shutil.chown(self.folder, user)
            self.as_user = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
        self.ask(tool("initdb"), "-D", self.data, "-A", "trust", "-U", "bench", "--no-sync")
        self.ask(tool("pg_ctl"), "-D", self.data, "-w", "-l", os.path.join(self.folder, "log"), "-o",
                 f"-k {self.folder} -c listen_addresses= -c shared_buffers=256MB", "start")
        self.url = f"postgres:///postgres?host={self.folder}&user=bench"

    @staticmethod
    def has(user):
        try:
            return pwd.getpwnam(user)
        except KeyError:
            return None

    def ask(self, *command):
        env = {**os.environ, "HOME": self.folder}
        done = subprocess.run([*self.as_user, *command], cwd=self.folder, env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            skip(f"{os.path.basename(command[0])}: {done.stderr.strip()[-300:]}")

    def stop(self):
        self.ask(tool("pg_ctl"), "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def modules(build):
    folder = os.path.join(build, "graphile")
    if not os.path.isdir(os.path.join(folder, "node_modules", "graphile-worker")):
        if not shutil.which("npm"):
            skip("there is no npm")
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder,
                               f"graphile-worker@{VERSION}", "pg"], capture_output=True, text=True, check=False)
        if done.returncode:
            skip(f"npm cannot install it: {done.stderr.strip()[-300:]}")
    return os.path.join(folder, "node_modules")


def measure(*command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=300)
    if done.returncode:
        sys.exit(f"graphile.py: {command[0]}: {done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def main(build):
    build = os.path.abspath(build)
    bench = os.path.join(build, "test", "bench-queue")
    env = {**os.environ, "NODE_PATH": modules(build)}
    node = tool("node")
    postgres = Postgres()
    ours, theirs = [], []
    try:
        for _ in range(ROUNDS):
            theirs.append(measure(node, os.path.join(HERE, "graphile.js"), postgres.url, str(JOBS), str(OUT), env=env))
            ours.append(measure(bench, "backlog", str(JOBS), str(OUT)))
    finally:
        postgres.stop()
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    print(f"54   a backlog, {OUT} out at a time, durable: ours {ours:.0f} jobs/s, graphile-worker {VERSION} {theirs:.0f} jobs/s: "
          f"{ours / theirs:.2f} >= {GOAL} {'ok' if ours / theirs >= GOAL else 'missed'}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
