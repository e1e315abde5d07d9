# SPDX-License-Identifier: Apache-2.0
"""What a console asks of paddock serve, by a plugin that only passes it on."""

import os

import paddock
from paddock import is_alive, until
from serve import ServeCase
from test_serve import Sockets as SocketCase, file_of, sleeper

PLUGINS = os.environ.get("ASK", "")


class Console(ServeCase):
    def setUp(self):
        super().setUp()
        self.env["PADDOCK_PLUGIN_PATH"] = os.path.join(PLUGINS, "console")

    def test_it_comes_by_itself_and_knows_the_server(self):
        process = self.serve(file_of(sleeper("a", ", description: sleeps, labels: {x: y}"), "  m: {command: echo, manual: true}\n")
                             + "server: {socket: /run/x/y.sock, mode: 0660, group: adm}\n")
        server = self.inspect("server")
        self.assertEqual((server["pid"], server["files"], server["state"]), (process.pid, ["paddock.yaml"], self.path("state")))
        self.assertEqual((server["socket"], server["mode"], server["group"]), ("/run/x/y.sock", "0660", "adm"))
        self.assertEqual((server["sockets"], server["reloads"]), ([], 0))
        self.assertEqual(self.inspect("tasks"), [
            {"task": "a", "kind": "subprocess", "description": "sleeps", "manual": False, "place": "paddock.yaml:2",
             "replicas": 1, "labels": {"x": "y"}},
            {"task": "m", "kind": "subprocess", "description": "", "manual": True, "place": "paddock.yaml:3",
             "replicas": 1, "labels": {}}])
        self.assertEqual(self.ask({"inspect": "nothing"})["rc"], -2)
        self.assertEqual(self.ask({"command": "dance"})["message"], 'this program has no command "dance"')
        self.end(process)

    def test_reload(self):
        process = self.serve(file_of(sleeper("a")))
        child = self.pid_from("a.pid")
        self.write("paddock.yaml", file_of(sleeper("a"), sleeper("b")) + "limits: {running: 9}\n")
        self.assertEqual(self.command("reload"),
                         {"added": ["b"], "changed": [], "removed": [], "restart": ["limits"], "unchanged": 1})
        self.write("paddock.yaml", "tasks: {a: {neds: x}}")
        self.assertIn("paddock.yaml:1:", self.command("reload", rc=-22))
        os.chmod(self.path("paddock.yaml"), 0o666)
        self.assertEqual(self.command("reload", rc=-22), "paddock.yaml: others may write this file")
        self.assertEqual([task["task"] for task in self.inspect("tasks")], ["a", "b"])
        self.assertTrue(is_alive(child))
        self.assertEqual(self.inspect("server")["reloads"], 1)
        self.end(process)

    def test_start_stop_restart(self):
        process = self.serve(file_of(sleeper("a"), sleeper("m", ", manual: true")))
        child = self.pid_from("a.pid")
        self.command("start", rc=-114, task="a")
        self.assertEqual(self.command("start", rc=-2, task="x"), 'there is no task "x"')
        self.assertEqual(self.command("start", rc=-22), '"task" is missing: the name of a declared task')
        os.unlink(self.path("a.pid"))
        self.command("restart", task="a")
        self.assertNotEqual(self.pid_from("a.pid"), child)
        until(lambda: not is_alive(child))
        self.command("start", task="m")
        manual = self.pid_from("m.pid")
        self.reload(process, self.read("paddock.yaml"))
        self.assertTrue(is_alive(manual))  # somebody wanted it
        self.command("stop", task="m")
        until(lambda: not any(slot["slot"] == "m" for slot in self.inspect("slots")), "its end")
        self.assertFalse(is_alive(manual))
        self.command("stop", rc=-114, task="m")
        os.unlink(self.path("m.pid"))
        self.command("start", task="m")
        self.pid_from("m.pid")
        self.end(process)

    def test_a_manual_task_that_was_stopped_stays_off(self):
        tasks = [sleeper("m", ", manual: true"), sleeper("n", ", manual: true"), sleeper("b", ", manual: true, after: n")]
        process = self.serve(file_of(*tasks))
        for name in ("m", "b"):
            self.command("start", task=name)
        children = {name: self.pid_from(name + ".pid") for name in ("m", "n", "b")}
        for name in ("m", "b", "n"):
            self.command("stop", task=name)
            until(lambda: not is_alive(children[name]))
            os.unlink(self.path(name + ".pid"))
        self.reload(process, file_of(*tasks, sleeper("a")))
        self.pid_from("a.pid")
        changed = [task.replace("manual: true", "manual: true, env: {X: y}") for task in tasks]
        self.reload(process, file_of(*changed, sleeper("a"), sleeper("z")))
        self.pid_from("z.pid")
        self.assertEqual([name for name in "mnb" if self.exists(name + ".pid")], [])
        self.command("start", task="m")
        self.reload(process, file_of(*tasks, sleeper("a"), sleeper("z")))
        self.pid_from("m.pid")  # it is asked for again, and begins anew
        self.end(process)

    def test_submit(self):
        process = self.serve("tasks: {m: {command: 'echo $WHO; cat; echo', manual: true, env: {WHO: me}, slot: mine}}\n")
        self.assertGreater(self.command("submit", task="m", input="one", slot="other", env={"MORE": "x"})["run"], 0)
        self.assertGreater(self.command("submit", name="n", kind="subprocess", command=["echo", "two"])["run"], 0)
        until(lambda: "n | two\n" in self.read("out") and 'm | "one"' in self.read("out"), self.read("log"))
        self.assertIn("m | me\n", self.read("out"))
        self.assertIn('unknown field "inputt"', self.command("submit", rc=-22, task="m", inputt=1))
        self.assertEqual(self.command("submit", rc=-2, task="x"), 'there is no task "x"')
        self.end(process)

    def test_shutdown(self):
        process = self.serve(file_of(sleeper("a")))
        child = self.pid_from("a.pid")
        self.assertEqual(self.command("shutdown"), {"waiting": 1})
        self.assertEqual(process.wait(paddock.PATIENCE), 0)
        self.assertFalse(is_alive(child))

    def test_it_may_be_left_out(self):
        process = self.serve("server: {without: [console]}")
        self.says("serving")
        self.assertFalse(self.exists("ask"))
        self.end(process)

    def test_others_need_leave(self):
        self.env["PADDOCK_PLUGIN_PATH"] = os.path.join(PLUGINS, "ask")
        process = self.serve("sources: [ask]")
        self.assertEqual(self.ask({"inspect": "server"})["message"], "no control")
        self.reload(process, "sources: [{use: ask, allow: [control]}]")
        self.end(process)
        os.unlink(self.path("ask"))
        process = self.serve(None)
        self.assertEqual(self.inspect("server")["pid"], process.pid)
        self.end(process)


class Sockets(SocketCase):
    def test_a_plugin_learns_of_them_by_name(self):
        self.env["PADDOCK_PLUGIN_PATH"] = os.path.join(PLUGINS, "console")
        process = self.with_sockets("tasks: {}", 2, names="http:")
        self.assertEqual(self.inspect("server")["sockets"], [{"name": "http", "fd": 3}, {"name": "unknown", "fd": 4}])
        self.end(process)

    def test_those_of_another_process_are_not_ours(self):
        self.env["PADDOCK_PLUGIN_PATH"] = os.path.join(PLUGINS, "console")
        process = self.with_sockets("tasks: {}", 1, pid="1")
        self.assertEqual(self.inspect("server")["sockets"], [])
        self.end(process)


del SocketCase
if __name__ == "__main__":
    paddock.main()
