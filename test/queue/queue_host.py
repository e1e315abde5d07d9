# SPDX-License-Identifier: Apache-2.0
"""A host with the source queue (host.c), to be asked, killed and starved; and a folder of its own for each test."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../func"))
from paddock import PATIENCE, until  # noqa: E402,F401

HOST = os.environ["QUEUE_HOST"]
PLUGIN = os.environ["QUEUE_PLUGIN"]


class Host:
    """One process. Answers are kept by tag; ask() waits for its own."""

    def __init__(self, folder, config=None, pending=0, preexec=None, command=()):
        self.path = os.path.join(folder, "queue.db")
        self.journal = os.path.join(folder, "journal")
        config = dict({"path": self.path}, **(config or {}))
        self.answers, self.log, self.tags = {}, [], 0
        self.process = subprocess.Popen(
            [*command, HOST, PLUGIN, self.journal, json.dumps(config), str(pending)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=preexec)
        self.readers = [threading.Thread(target=self.read_answers), threading.Thread(target=self.read_log)]
        for reader in self.readers:
            reader.start()

    def read_answers(self):
        for line in self.process.stdout:
            if line.endswith("\n"):  # the last one may be cut by a kill
                answer = json.loads(line)
                self.answers[answer["tag"]] = answer

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def send(self, verb, **params):
        self.tags += 1
        line = json.dumps({"tag": self.tags, "verb": verb, "params": params})
        self.process.stdin.write(line + "\n")
        return self.tags

    def flush(self):
        self.process.stdin.flush()

    def wait(self, tag):
        self.flush()
        return until(lambda: self.answers.get(tag) or self.gone(), "an answer")

    def gone(self):
        if self.process.poll() is not None:
            raise AssertionError("the host has ended: " + "\n".join(self.log))

    def ask(self, verb, **params):
        answer = self.wait(self.send(verb, **params))
        if answer["rc"] < 0:
            raise AssertionError(f"{verb}: {answer['rc']} {answer.get('error')}")
        return answer["value"]

    def refused(self, verb, **params):
        answer = self.wait(self.send(verb, **params))
        if answer["rc"] >= 0:
            raise AssertionError(f"{verb} was not refused")
        return answer["rc"], answer.get("error", ""), answer.get("at", "")

    def show(self, job):
        return self.ask("show", job_id=job)

    def ended(self, job):
        return until(lambda: (lambda found: found if found["state"] == "ended" else None)(self.show(job)),
                     f"the end of job {job}")

    def totals(self):
        return self.ask("stats")["totals"]

    def idle(self):
        return until(lambda: (lambda t: t["ready"] + t["running"] + t["delayed"] == 0 and t)(self.totals()), "an end")

    def starts(self, suffix=""):
        with open(self.journal + suffix) as journal:
            return [json.loads(line) for line in journal.read().split("\n")[:-1]]

    def ends(self):
        return self.starts(".ends")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.finish()

    def stop(self):
        self.process.stdin.close()
        try:
            rc = self.process.wait(PATIENCE)
        finally:
            self.kill()
        return rc

    def finish(self):
        self.process.wait()
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except OSError:
                pass  # what was not flushed to a process that is gone


def mark(tag, name="job", **spec):
    """A spec for the runner of host.c."""
    return dict({"name": name, "kind": "mark", "input": tag}, **spec)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="paddock-queue-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.hosts = []
        self.addCleanup(lambda: [host.kill() for host in self.hosts])

    def host(self, *args, **named):
        host = Host(self.folder, *args, **named)
        self.hosts.append(host)
        return host

    def until_logged(self, host, text):
        return until(lambda: next((line for line in host.log if text in line), None) or host.gone(), repr(text))
