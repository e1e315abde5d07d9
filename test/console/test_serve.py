# SPDX-License-Identifier: Apache-2.0
"""The console in `paddock serve`: what is asked of runs whose tasks stand in a file."""
import json
import os
import shutil
import subprocess
import tempfile

from console import Console, ran, until


class Served(Console):
    def __init__(self, **file):
        self.folder = tempfile.mkdtemp(prefix="console-")
        self.socket = os.path.join(self.folder, "socket")
        file["plugins"] = ["subprocess", {"use": "console", "config": {"socket": self.socket}}]
        path = os.path.join(self.folder, "paddock.yaml")
        with open(path, "w") as out:
            json.dump(file, out)
        os.chmod(path, 0o600)
        self.errors = open(os.path.join(self.folder, "log"), "a+")
        env = dict(os.environ, PADDOCK_PLUGIN_PATH=os.environ["PLUGINS"], STATE_DIRECTORY=self.folder)
        self.process = subprocess.Popen([os.environ["PADDOCK"], "serve"], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.errors)
        until(lambda: os.path.exists(self.socket) or self.process.poll() is not None, "the socket")
        assert self.process.poll() is None, self.log()

    def stop(self, code=0):
        self.process.terminate()
        assert self.process.wait(60) == code, self.log()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_runs_of_declared_tasks_are_explained_and_run_again():
    """A task in a file has its name before it, and may be no more than a command."""
    with Served(tasks={"list": ["echo", "hello"], "map": {"command": ["echo", "hello"], "labels": {"a": "b"}}}) as c:
        for task in ("list", "map"):
            run = c.wait_run(task)
            route = c.get(f"/v1/runs/{task}/route")
            assert route.status == 200 and route.json["runner"] == "subprocess", route.data
            again = c.post(f"/v1/runs/{task}/retry")
            assert again.status == 200 and again.json["task"] == task and again.json["run_id"] != run["run_id"], again.data
            assert c.wait_run(again.json["run_id"])["outcome"] == "succeeded"
            assert "hello" in c.get(f"/v1/runs/{again.json['run_id']}/output").data.decode()


def test_a_socket_of_which_the_path_is_too_long():
    """It is refused, not made where the path was cut off."""
    folder = tempfile.mkdtemp(prefix="console-")
    path = os.path.join(folder, "x" * 60, "y" * 60)
    os.makedirs(path)
    with open(os.path.join(folder, "paddock.yaml"), "w") as out:
        json.dump({"tasks": {"a": ["true"]}}, out)
    os.chmod(out.name, 0o600)
    env = dict(os.environ, PADDOCK_PLUGIN_PATH=os.environ["PLUGINS"], STATE_DIRECTORY=folder)
    with open(os.path.join(folder, "log"), "w+") as log:
        served = subprocess.Popen([os.environ["PADDOCK"], "serve", "--socket", os.path.join(path, "socket")], cwd=folder, env=env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        until(lambda: "serving" in open(log.name).read() or served.poll() is not None, "it serves")
        served.terminate()
        served.wait(60)
        assert "has less than 108 bytes" in open(log.name).read(), open(log.name).read()
    shutil.rmtree(folder)


if __name__ == "__main__":
    ran(dict(globals()))
