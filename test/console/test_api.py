# SPDX-License-Identifier: Apache-2.0
"""Every operation of the contract is asked, and what comes back is what the contract says."""
import json
import os
import socket
import threading
from urllib.parse import quote

from console import CONTRACT, Console, Stream, check_answer, ran, resolved, until, validate

asked = set()


class Checked(Console):
    def request(self, method, path, body=None, headers=None, connection=None):
        answer = super().request(method, path, body, headers, connection)
        if method in ("GET", "POST"):
            asked.add(check_answer(method, path, answer))
        return answer


def test_status():
    with Checked() as c:
        assert c.get("/health").json["status"] == "up"
        assert c.get("/ready").json == {"ready": True}
        assert c.get("/v1/version").json["api"] == "1"
        page = c.get("/metrics")
        assert page.status == 200 and b"# TYPE paddock_" in page.data, page.data[:200]
        c.submit("a")
        c.wait_run("a")
        status = c.get("/v1/status").json
        assert status["state"] == "up" and status["outcomes"]["succeeded"] == 1 and status["states"]["running"] == 0, status
        names = {p["name"]: p for p in c.get("/v1/plugins").json["plugins"]}
        assert names["echo"]["kinds"] == ["echo"] and names["echo"]["roles"] == ["runner"], names["echo"]
        assert names["console"]["roles"] == [] and names["console"]["health"] == "up", names["console"]
        assert [t["task"] for t in c.get("/v1/tasks").json["tasks"]] == ["declared"]
        assert c.get("/v1/inbox").json == {"entries": []}


def test_ready_says_why():
    with Checked() as c:
        assert c.post("/v1/server/pause").json == {"paused": True}
        until(lambda: c.get("/ready").json == {"ready": False, "reason": "paused"}, "paused")
        assert [e["title"] for e in c.get("/v1/inbox").json["entries"]] == ["all runs are paused"]
        held = c.submit("held")
        assert c.get(f"/v1/runs/{held}").json["state"] == "queued"
        assert c.post("/v1/server/resume").json == {"paused": False}
        c.wait_run(held)
        assert c.post("/v1/server/reload").json["unchanged"] == 1
        assert c.post("/v1/server/dance").status == 404


def test_submit_and_show():
    with Checked() as c:
        answer = c.post("/v1/runs", {"name": "hello", "kind": "subprocess", "command": ["printf", "a\\nb\\n"], "env": {"KEY": "hidden"}})
        assert answer.status == 201 and answer.headers["Location"] == "/v1/runs/subprocess-hello-1", answer.data
        run = c.wait_run("subprocess-hello-1")
        assert run["outcome"] == "succeeded" and run["exit_code"] == 0, run
        assert [h["attempt"] for h in run["history"]] == [1] and run["history"][0]["result"] == "succeeded", run["history"]
        assert [e["event"] for e in run["events"]][:2] == ["run.accepted", "attempt.started"], run["events"]
        assert run["events"][-1]["event"] == "run.ended"
        spec = c.get("/v1/runs/hello/spec").json
        assert spec["command"] == ["printf", "a\\nb\\n"] and spec["env"] == {"KEY": "***"}, spec
        route = c.get("/v1/runs/hello/route").json
        assert route["runner"] == "subprocess" and {x["verdict"] for x in route["candidates"]} == {"taken", "kind"}, route
        assert c.post("/v1/runs", {"task": "declared"}).json["task"] == "declared"
        again = c.post("/v1/runs/hello/retry")
        assert again.status == 200 and again.json["run_id"] != "subprocess-hello-1", again.data
        assert c.wait_run(again.json["run_id"])["outcome"] == "succeeded"
        assert c.get("/v1/runs/hello").json["run_id"] == again.json["run_id"]


def test_what_is_wrong_is_said():
    with Checked() as c:
        for body, path in (({"name": "a", "kind": "sleep", "with": {"for": "never"}}, "/with/for"),
                           ({"name": "a", "kind": "sleep", "with": {"x/y": 1}}, "/with"),
                           ({"name": "a", "kind": "nobody"}, None),
                           ({"task": "nobody"}, "/task"), ({}, None)):
            answer = c.post("/v1/runs", body)
            assert answer.status == 422, answer.data
            error = answer.json["error"]
            assert error["code"] == "unprocessable" and (path is None or error.get("path", "").startswith(path)), error
            assert not error["message"].startswith("body"), error
        for path in ("/v1/route", "/v1/check"):
            assert c.post(path, {"name": "a", "kind": "sleep", "with": {"for": "never"}}).status == 422 or path == "/v1/route"
        answer = c.post("/v1/runs", "{", headers={"Content-Type": "application/json"})
        assert answer.status == 400 and answer.json["error"]["code"] == "invalid", answer.data
        assert c.post("/v1/runs", "[1]", headers={"Content-Type": "application/json"}).status == 400
        assert c.post("/v1/runs", "", headers={"Content-Type": "application/json"}).status == 400
        assert c.post("/v1/runs", "name: a", headers={"Content-Type": "application/yaml"}).status == 415
        assert c.post("/v1/check", {"name": "a", "kind": "sleep"}).json == {"runner": "sleep"}
        assert c.post("/v1/route", {"name": "a", "kind": "sleep"}).json["runner"] == "sleep"
        assert "runner" not in c.post("/v1/route", {"name": "a", "kind": "nobody"}).json


def test_act_on_runs():
    with Checked() as c:
        run = c.submit("nap", "sleep", **{"with": {"for": "1h"}})
        c.wait_run(run, "running")
        assert c.post(f"/v1/runs/{run}/abandon").status == 409
        assert c.post(f"/v1/runs/{run}/reload").status == 409
        assert c.post(f"/v1/runs/{run}/retry").status == 409
        assert c.post(f"/v1/runs/{run}/pause").status == 200
        assert c.post(f"/v1/runs/{run}/resume").status == 200
        assert c.post(f"/v1/runs/{run}/dance").status == 404
        assert c.post(f"/v1/runs/{run}/cancel", {"reason": 5}).status == 400
        assert c.post(f"/v1/runs/{run}/cancel", {"reason": "enough"}).status == 200
        ended = c.wait_run(run)
        assert ended["outcome"] == "canceled" and ended["message"] == "enough", ended
        assert c.post(f"/v1/runs/{run}/cancel").status == 409
        assert c.post("/v1/runs/nobody/cancel").status == 404
        run = c.submit("nap", "sleep", **{"with": {"for": "1h"}})
        c.wait_run(run, "running")
        assert c.post(f"/v1/runs/{run}/kill").status == 200
        assert c.wait_run(run)["message"].startswith("asked by uid "), c.get(f"/v1/runs/{run}").json
        for action in ("start", "stop", "restart"):
            assert c.post(f"/v1/tasks/declared/{action}").status == 200
            assert c.post(f"/v1/tasks/nobody/{action}").status == 404
        assert c.post("/v1/tasks/declared/dance").status == 404


def test_slots():
    with Checked() as c:
        assert c.post("/v1/slots/web/pause").json == {"slot": "web", "paused": True}
        run = c.submit("web")
        slots = {s["slot"]: s for s in c.get("/v1/slots").json["slots"]}
        assert slots["web"]["paused"] and slots["web"]["owner"] == run, slots
        assert [e["kind"] for e in c.get("/v1/inbox").json["entries"]] == ["paused"]
        assert c.get(f"/v1/runs/{run}").json["state"] == "queued"
        assert c.post("/v1/slots/web/resume").status == 200
        c.wait_run(run)
        assert c.post("/v1/slots/no%20slot/pause").status == 400
        assert c.post("/v1/slots/web/dance").status == 404


def test_pages_are_stable():
    with Checked() as c:
        runs = [c.submit(f"t{i % 3}") for i in range(25)]
        c.wait_run(runs[-1])
        seen, after = [], None
        while True:
            page = c.get("/v1/runs?limit=4" + (f"&after={after}" if after else "")).json
            seen += [r["run_id"] for r in page["runs"]]
            c.submit("between")
            after = page.get("next")
            if not after:
                break
        assert seen == runs[::-1], (seen, runs)
        names = [r["task"] for r in c.get("/v1/runs?task=t1&limit=1000").json["runs"]]
        assert names == ["t1"] * 8, names
        assert len(c.get("/v1/runs?state=ended&outcome=succeeded,failed&kind=echo&runner=echo&slot=t2").json["runs"]) == 8
        assert c.get("/v1/runs?outcome=failed").json == {"runs": []}
        assert [r["run_id"] for r in c.get(f"/v1/runs?search={runs[3]}").json["runs"]] == [runs[3]]
        assert c.get("/v1/runs?state=running,queued").json == {"runs": []}
        labelled = {c.submit("x", labels={"tier": tier}) for tier in ("web", "api")}
        for run in labelled:
            c.wait_run(run)
        def selected(selector):
            return {r["run_id"] for r in c.get("/v1/runs?limit=1000&selector=" + quote(selector)).json["runs"]}
        assert selected("tier in (web,api)") == labelled and selected("tier=db") == set()
        assert selected("!tier") >= set(runs) and not selected("!tier") & labelled
        assert c.get("/v1/runs?selector=tier&limit=1").json["runs"][0]["run_id"] in labelled
        wrong = c.get("/v1/runs?selector=a=")
        assert wrong.status == 200, wrong.data
        wrong = c.get("/v1/runs?selector=" + quote("a in (b"))
        assert wrong.status == 400 and wrong.json["error"]["message"].startswith("query parameter selector: "), wrong.data
        for query in ("state=gone", "outcome=ok", "limit=0", "limit=1001", "limit=x", "after=x", "after=-1", "state=%zz",
                      "task=%ff", "task=%00", "task=%0a", "&".join(f"a{i}=1" for i in range(20))):
            assert c.get(f"/v1/runs?{query}").status == 400, query


def test_output():
    with Checked() as c:
        run = c.submit("talk", "subprocess", command="printf 'one\\ntwo\\n\\377\\n'; echo three >&2; printf four")
        c.wait_run(run)
        text = c.get(f"/v1/runs/{run}/output").data
        assert b"one\ntwo\n" in text and b"four" in text, text
        assert c.get(f"/v1/runs/{run}/output?tail=1").data.count(b"\n") <= 1
        assert c.get(f"/v1/runs/{run}/output?tail=0").data == b""
        answer = c.get(f"/v1/runs/{run}/output", headers={"Accept": "application/x-ndjson"})
        assert answer.type == "application/x-ndjson"
        for line in answer.data.splitlines():
            validate(CONTRACT["components"]["schemas"]["Output"], json.loads(line), "a line of output")
        for query in ("from=0&attempt=1", "stream=stdout"):
            assert c.get(f"/v1/runs/{run}/output?{query}").status == 501, query
        for query in ("stream=x", "tail=x", "from=-1", "attempt=0", "follow=maybe"):
            assert c.get(f"/v1/runs/{run}/output?{query}").status == 400, query
        assert c.get("/v1/runs/nobody/output").status == 404
        assert c.get(f"/v1/runs/{run}/output", headers={"Accept": "image/png"}).status == 406


def test_what_is_lost_is_told():
    """Who does not read while a lot is printed learns of every byte, of those at the end too."""
    with Console() as c:
        fifo = os.path.join(c.folder, "fifo")
        os.mkfifo(fifo)
        run = c.submit("much", "subprocess", command=f"read x <{fifo}; seq 1 300000")
        c.wait_run(run, "running")
        objects = Stream(c, f"/v1/runs/{run}/output?follow", {"Accept": "application/x-ndjson"})
        with open(fifo, "w") as pipe:
            pipe.write("go\n")
        c.wait_run(run)
        at = lost = 0
        for line in iter(objects.line, ""):
            piece = json.loads(line)
            assert piece["offset"] == at + piece.get("lost", 0), (at, piece)
            at = piece["offset"] + len(piece["text"])
            lost += piece.get("lost", 0)
        objects.close()
        assert lost > 0 and at == sum(len(str(i)) + 1 for i in range(1, 300001)), (at, lost)


def test_output_is_followed():
    with Console() as c:
        fifo = os.path.join(c.folder, "fifo")
        os.mkfifo(fifo)
        run = c.submit("talk", "subprocess", command=f"echo begin; cat {fifo}")
        until(lambda: b"begin" in c.get(f"/v1/runs/{run}/output").data, "it has begun")
        plain = Stream(c, f"/v1/runs/{run}/output?follow=true")
        objects = Stream(c, f"/v1/runs/{run}/output?follow", {"Accept": "application/x-ndjson"})
        events = Stream(c, f"/v1/runs/{run}/output?follow=1&tail=0", {"Accept": "text/event-stream"})
        assert plain.line() == "begin" and json.loads(objects.line())["text"] == "begin\n"
        with open(fifo, "wb", buffering=0) as pipe:
            for i in range(3):
                pipe.write(b"line %d\n" % i)
                assert plain.line() == f"line {i}"
                piece = json.loads(objects.line())
                validate(CONTRACT["components"]["schemas"]["Output"], piece, "a piece")
                assert piece["text"] == f"line {i}\n" and piece["stream"] == "stdout", piece
                number, _, line = events.event()
                assert line["text"] == f"line {i}\n" and int(number) == line["offset"] + len(line["text"]), (number, line)
            pipe.write(b"\xff\xfe")
        assert plain.response.read() == b"\xff\xfe"
        assert json.loads(objects.line())["base64"] == "//4="
        assert events.event()[2]["base64"] == "//4=" and events.event()[1] == "end" and events.event() is None
        for stream in (plain, objects, events):
            stream.close()


def test_output_of_an_archive():
    with Checked(fake=True) as c:
        whole = "".join(f"line {i}\n" for i in range(1000)).encode()
        assert c.get("/v1/runs/kept-1/output").data == whole
        answer = c.get("/v1/runs/kept-1/output?from=7000", headers={"Accept": "application/x-ndjson"})
        pieces = [json.loads(line) for line in answer.data.splitlines()]
        assert pieces[0]["offset"] >= 7000 and {p["stream"] for p in pieces} == {"stdout", "stderr"}, pieces[0]
        assert "".join(p["text"] for p in pieces).encode() == whole[pieces[0]["offset"]:]
        assert c.get("/v1/runs/kept-1/output?tail=0").data == b""
        again = Stream(c, "/v1/runs/kept-1/output?tail=0", {"Accept": "text/event-stream", "Last-Event-ID": "1-8881"})
        assert again.event()[2]["text"] == "line 999\n"  # what came meanwhile, of which the question wanted none
        again.close()
        assert c.get("/v1/runs/nobody/output").status == 404
        shown = c.get("/v1/runs/kept-1").json
        assert shown["attempts"] == 1 and shown["history"][0]["result"] == "succeeded", shown
        assert c.get("/v1/runs/nobody").status == 404
        run = c.submit("fresh", "subprocess", command="echo fresh")  # not in the archive yet
        c.wait_run(run)
        assert c.get(f"/v1/runs/{run}/output").data == b"fresh\n"


def test_jobs():
    with Checked(fake=True) as c:
        jobs = c.get("/v1/jobs?topic=mail&state=ready&limit=2").json
        assert [j["job_id"] for j in jobs["jobs"]] == ["j1", "j2"] and jobs["next"] == "j2"
        answer = c.post("/v1/jobs", {"spec": {"task": "t"}, "topic": "mail"})
        assert answer.status == 201 and answer.headers["Location"] == "/v1/jobs/j1"
        assert c.post("/v1/jobs", {"spec": {"task": "t"}}, headers={"Idempotency-Key": "seen"}).status == 200
        assert c.post("/v1/jobs", {"spec": {"task": "t"}, "key": "seen"}).status == 200
        assert c.post("/v1/jobs", {"spec": {"task": "t"}, "key": "a"}, headers={"Idempotency-Key": "b"}).status == 400
        assert c.post("/v1/jobs", {"topic": "mail"}).status == 422
        for topic, status in (("full", 507), ("wrong", 422), ("again", 409)):
            assert c.post("/v1/jobs", {"spec": {}, "topic": topic}).status == status, topic
        assert c.get("/v1/jobs?limit=0").status == 400
        assert c.get("/v1/jobs/j1").json["job_id"] == "j1" and c.get("/v1/jobs/none").status == 404
        assert c.post("/v1/jobs/j1/cancel", {"reason": "enough"}).status == 200
        assert c.post("/v1/jobs/j1/retry").json["job_id"] == "j3"
        assert c.post("/v1/jobs/busy/cancel").status == 409 and c.post("/v1/jobs/j1/dance").status == 404
        assert [t["topic"] for t in c.get("/v1/topics").json["topics"]] == ["mail"]
        assert c.post("/v1/topics/mail/pause").status == 200 and c.post("/v1/topics/mail/resume").status == 200
        assert c.post("/v1/topics/mail/limit", {"running": 4}).json["limit"] == 4
        assert c.post("/v1/topics/none/pause").status == 404 and c.post("/v1/topics/mail/dance").status == 404
        assert [j["job_id"] for j in c.get("/v1/dead?topic=mail").json["jobs"]] == ["j4"]
        assert c.post("/v1/dead/replay", {"job_id": "j4"}).json["count"] == 1
        assert c.post("/v1/dead/purge", {"topic": "mail"}).json["count"] == 1
        assert c.post("/v1/dead/purge", {}).status == 422 and c.post("/v1/dead/dance", {"topic": "x"}).status == 404
        assert c.get("/v1/status").json["queue"]["dead"] == 1
        assert [e["kind"] for e in c.get("/v1/inbox").json["entries"]] == ["dead"]


def test_jobs_without_a_queue():
    with Checked() as c:
        for path in ("/v1/jobs", "/v1/topics", "/v1/dead"):
            assert c.get(path).status == 501
        assert c.post("/v1/jobs", {"spec": {}}).status == 501


def test_a_question_that_is_on_when_it_stops():
    """Many are asked at once while it stops; each is answered, or its connection closed, and nothing is left."""
    with Checked(fake=True) as c:
        def ask():
            try:
                for _ in range(50):
                    Console.request(c, "GET", "/v1/jobs")
            except OSError:
                pass
            except Exception as error:  # the connection was closed in the middle
                assert "http.client" in type(error).__module__, error
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert Console.request(c, "POST", "/v1/server/shutdown").status == 200
        for thread in threads:
            thread.join()


def test_a_body_that_comes_when_it_stops():
    """Whoever has sent a header and sends the body in the last moment is refused; and the program ends as it should."""
    body = b'{"spec": {}}'
    for _ in range(20):  # it is a matter of moments, and most of these meet them
        with Console(fake=True) as c:
            sockets = []
            for _ in range(100):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(20)
                s.connect(c.socket)
                s.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                          b"Content-Length: %d\r\n\r\n" % len(body))
                assert s.recv(100).startswith(b"HTTP/1.1 100 ")
                sockets.append(s)
            c.process.stdin.write("stop\n")
            c.process.stdin.flush()
            for s in sockets:
                try:
                    s.sendall(body)
                    heard = s.recv(65536)
                except OSError:
                    heard = b""
                assert not heard or heard[9:12] in (b"201", b"503"), heard
                s.close()


def test_methods_and_paths():
    with Checked() as c:
        answer = c.request("DELETE", "/v1/runs")
        assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD, POST"
        assert c.request("PUT", "/health").headers["Allow"] == "GET, HEAD"
        assert c.request("PUT", "/v1/route").headers["Allow"] == "POST"
        for path in ("/page", "/index.html", "/v1", "/v2/runs", "/v1/runs/", "//v1/runs", "/v1/../v1/runs", "/v1/%2e%2e/health", "/v1/runs/a/b/c/d",
                     "/v1/runs/%2e%2e/spec", "/v1/%00", "/v1/runs/%ff", "/v1/runs/" + "a" * 7000):
            answer = Console.request(c, "GET", path)
            assert answer.status == 404 and answer.json["error"]["code"] == "not_found", (path, answer.status)
        answer = Console.request(c, "HEAD", "/v1/version")
        assert answer.status == 200 and answer.data == b"" and int(answer.headers["Content-Length"]) > 20
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
            assert answer.headers[name] == value
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        connection = c.connect()
        for _ in range(100):  # errors do not cost the connection
            assert c.get("/v1/version", connection=connection).status == 200
            assert c.get("/v1/runs/nobody", connection=connection).status == 404
        connection.close()


def test_all_was_asked():
    missing = [(m.upper(), p) for p, item in CONTRACT["paths"].items() for m in item
               if m in ("get", "post") and (p, m.upper()) not in asked | {("/v1/events", "GET"), ("/v1/server/{action}", "POST")}]
    assert not missing, missing


ran(dict(globals()))
