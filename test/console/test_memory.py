# SPDX-License-Identifier: Apache-2.0
"""Whichever allocation fails while a request is answered, it is refused or its connection closed, and the next one is answered."""
import http.client
import os

from console import Console, Stream, check_answer, ran

FAILS = os.environ["CONSOLE_HOST_FAILS"]
OUTPUT = {"kept": "".join(f"line {i}\n" for i in range(1000)).encode(), "subp": b"hello\n"}
LOST = []


class Wrong(Exception):
    pass


def sweep(c, what, ask):
    """Fail the first, second, third ... allocation, until none is left to fail."""
    for number in range(1, 3000):
        c.say(f"fail {number}")
        try:
            ask()
        except (OSError, http.client.HTTPException, AssertionError):
            pass
        failed = c.say("fail 0")[1] == "1"
        assert c.get("/v1/version").status == 200
        if not failed:
            break
    else:
        raise AssertionError(f"{what}: there is no end")
    ask()
    print(f"   {what}: {number - 1} allocations")


def get(c, path):
    """What is answered is whole, whatever failed on the way."""
    answer = c.get(path)
    try:
        check_answer("GET", path, answer)
        assert not path.endswith("/output") or answer.status != 200 or answer.data == OUTPUT[path.split("/")[3][:4]], answer.data
    except AssertionError as error:
        raise Wrong(f"{path}: {error}") from error


def select(c, run):
    answer = c.get("/v1/runs?selector=tier%3Dweb")
    if answer.status == 200 and [r["run_id"] for r in answer.json["runs"]] != [run]:
        raise Wrong(f"it leaves out what is selected: {answer.data}")


def listen(c, path, headers=None):
    stream = Stream(c, path, headers, timeout=2)
    try:
        assert stream.status == 200
        stream.line()
        c.submit("heard")
        event = stream.event()
        while event and event[1] != "run.ended":
            LOST.extend([event[2]] if event[1] == "events.lost" else [])
            event = stream.event()
        assert event, "it ended"
    finally:
        stream.close()


def test_without_memory():
    with Console(host=FAILS, fake=True, answer_timeout="1s") as c:
        run = c.submit("talk", "subprocess", command="echo hello")
        c.wait_run(run)
        for path in ("/v1/version", "/v1/status", "/v1/runs?state=ended&search=t", f"/v1/runs/{run}", f"/v1/runs/{run}/spec",
                     f"/v1/runs/{run}/route", f"/v1/runs/{run}/output", "/v1/runs/kept-1", "/v1/runs/kept-1/output", "/v1/jobs?topic=a",
                     "/v1/plugins", "/v1/inbox", "/metrics", "/v1/runs/nobody", "/v1/runs?limit=x"):
            sweep(c, f"GET {path}", lambda: get(c, path))
        labelled = c.submit("labelled", labels={"tier": "web"})
        sweep(c, "GET /v1/runs?selector", lambda: select(c, labelled))
        sweep(c, "POST /v1/runs", lambda: c.post("/v1/runs", {"name": "a", "kind": "echo"}))
        sweep(c, "POST /v1/jobs", lambda: c.post("/v1/jobs", {"spec": {}}, headers={"Idempotency-Key": "k"}))
        sweep(c, "POST with a fault", lambda: c.post("/v1/runs", {"name": "a", "kind": "sleep", "with": {"for": "x"}}))
        sweep(c, "events", lambda: listen(c, "/v1/events?type=run.*"))
        sweep(c, "all events", lambda: listen(c, "/v1/events"))
        assert LOST and all(event["count"] == 1 for event in LOST), LOST  # what could not be said was not left out unsaid


ran(dict(globals()))
