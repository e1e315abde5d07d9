# SPDX-License-Identifier: Apache-2.0
"""Events as they happen: filters, going on behind an id, readers that are slow or gone, and very many of them."""
import os
import resource
import socket
import time

from console import CONTRACT, Console, Stream, ran, until, validate

EVENT = CONTRACT["components"]["schemas"]["Event"]


def follow(c, query="", headers=None):
    stream = Stream(c, f"/v1/events{query}", headers)
    assert stream.status == 200
    assert stream.line() == "retry: 2000" and stream.line() == ""
    return stream


def upto(stream, name):
    found = []
    while True:
        event = stream.event()
        assert event, f"the stream ended before {name}: {found}"
        found.append(event)
        if event[1] == name:
            return found


def test_as_they_happen():
    with Console() as c:
        stream = follow(c)
        run = c.submit("a")
        events = upto(stream, "run.ended")
        assert [e[1] for e in events] == ["run.accepted", "attempt.started", "attempt.ended", "run.ended"], events
        for event_id, name, data in events:
            validate(EVENT, data, name)
            assert data["event"] == name and data["run_id"] == run and event_id.endswith(f"-{data['seq']}")
        stream.close()


def test_what_there_is_already():
    with Console() as c:
        for name in ("a", "b"):
            c.submit(name)
            c.wait_run(name)
        stream = follow(c, "?follow=false&type=run.*")
        events = upto(stream, "end")
        assert [e[1] for e in events] == ["run.accepted", "run.ended"] * 2 + ["end"] and stream.event() is None, events
        assert [e[1] for e in upto(follow(c, f"?follow=false&run=b&after={events[2][0]}"), "end")][-2:] == ["run.ended", "end"]
        assert [e[1] for e in upto(follow(c, "?follow=false", {"Last-Event-ID": "99999"}), "end")] == ["end"]
        assert c.get("/v1/events?follow=perhaps").status == 400
        c.submit("c")
        assert upto(follow(c, "?after=0&run=c"), "run.ended")[-1][2]["run_id"] == "echo-c-3"


def test_filters():
    with Console() as c:
        by_run, by_type, by_task = follow(c, "?run=echo-b-2"), follow(c, "?type=run.*,plugin.health"), follow(c, "?run=b")
        c.submit("a")
        c.submit("b")
        c.wait_run("b")
        assert {e[2]["run_id"] for e in upto(by_run, "run.ended")} == {"echo-b-2"}
        assert {e[2]["run_id"] for e in upto(by_task, "run.ended")} == {"echo-b-2"}
        names = [by_type.event()[1] for _ in range(4)]
        assert set(names) == {"run.accepted", "run.ended"}, names


def test_going_on_behind_an_id():
    with Console() as c:
        stream = follow(c)
        for i in range(5):
            c.submit(f"t{i}")
            c.wait_run(f"t{i}")
        seen = []
        while len(seen) < 20:
            seen.append(stream.event())
        stream.close()
        for cut in (1, 7, 19):
            for query, headers in ((f"?after={seen[cut - 1][0]}", None), ("", {"Last-Event-ID": seen[cut - 1][0]}),
                                   (f"?after={seen[cut - 1][2]['seq']}", None)):
                again = follow(c, query, headers)
                c.submit("last")
                assert [again.event()[0] for _ in range(20 - cut)] == [e[0] for e in seen[cut:]], cut
                assert again.event()[2]["task"] == "last" or cut < 19
                again.close()
        for bad in ("x", "-", "1-", "1-x", "9" * 30):
            assert c.get(f"/v1/events?after={bad}").status == 400, bad
        assert c.get("/v1/events", headers={"Accept": "application/json"}).status == 406


def test_what_is_too_old_is_lost():
    with Console(events=16) as c:
        stream = follow(c)
        c.submit("first")
        first = upto(stream, "run.ended")[0][0]
        stream.close()
        for i in range(20):
            c.submit(f"t{i}")
            c.wait_run(f"t{i}")
        again = follow(c, f"?after={first}")
        _, name, data = again.event()
        assert name == "events.lost" and 60 <= data["count"] <= 70, data
        validate(EVENT, data, name)
        seqs = [again.event()[2]["seq"] for _ in range(16)]
        assert seqs == list(range(seqs[0], seqs[0] + 16)), seqs
        again.close()


def test_another_start_is_no_gap_unseen():
    with Console() as c:
        stream = follow(c)
        c.submit("a")
        last = upto(stream, "run.ended")[-1][0]
        folder = c.folder
        stream.close()
        c.owns_folder = False
    with Console(folder=folder) as c:
        c.submit("b")
        c.wait_run("b")
        stream = follow(c, headers={"Last-Event-ID": last})
        events = upto(stream, "run.ended")
        assert events[-1][2]["task"] == "b" and [e[1] for e in events].count("run.accepted") == 1, events
        stream.close()
        c.owns_folder = True


def test_a_slow_reader_is_told_and_closed():
    """It does not read: its socket fills, the ring moves on, and after answer_timeout it is closed. Others see everything."""
    with Console(events=1000, answer_timeout="1s") as c:
        slow, quick = socket.socket(socket.AF_UNIX), follow(c, "?type=run.ended")
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.settimeout(30)
        slow.connect(c.socket)
        slow.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection, count = c.connect(), 0
        end = time.monotonic() + 30
        while True:  # more than any socket buffer takes
            for _ in range(50):
                assert c.post("/v1/runs", {"name": f"run-{count}", "kind": "echo"}, connection=connection).status == 201
                count += 1
            assert [quick.event()[1] for _ in range(50)] == ["run.ended"] * 50
            if count >= 3000:
                break
            assert time.monotonic() < end
        until(lambda: int(c.say("fds")[1]) == fds_with_two(c, connection), "the slow one is closed", 20)
        data = b""
        while True:
            try:
                piece = slow.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
        assert data.startswith(b"HTTP/1.1 200") and not data.endswith(b"0\r\n\r\n"), data[-100:]
        quick.close()


def fds_with_two(c, connection):
    """How many descriptors are open with one stream and this connection: counted on a console that has just these."""
    if not hasattr(c, "baseline"):
        with Console() as other:
            stream = follow(other)
            one = other.connect()
            other.get("/v1/version", connection=one)
            c.baseline = int(other.say("fds")[1])
            stream.close()
            one.close()
    return c.baseline


def test_gone_readers_are_noticed():
    with Console(answer_timeout="1s") as c:
        before = int(c.say("fds")[1])
        streams = [follow(c) for _ in range(20)]
        for stream in streams:
            stream.connection.sock.close()
            stream.close()
        c.submit("a")
        until(lambda: int(c.say("fds")[1]) == before, "the streams are gone")


def test_streams_end_with_the_server():
    c = Console()
    stream = follow(c)
    c.stop()
    while stream.event():
        pass
    stream.close()


def measure(c, quick, name):
    """While 400 runs are submitted and heard of: p99 of how late the loop is, and of how long it is busy between two beats of
    a millisecond, in microseconds. What other processes take of the machine is in the first alone."""
    connection = c.connect()
    c.say("mark")
    for i in range(400):
        assert c.post("/v1/runs", {"name": f"{name}-{i}", "kind": "echo"}, connection=connection).status == 201
        assert quick.event()[1] == "run.ended"
    connection.close()
    numbers = [int(n) for n in c.say("latency")[1:]]
    return numbers[1], numbers[4]


def test_a_thousand_slow_readers():
    """1,000 streams of which most never read, and 1,000 connections that never ask: the loop is never late."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    count = 1000
    with Console(connections=4000, request_timeout="60s", events=1000) as c:
        quick = follow(c, "?type=run.ended")
        alone = measure(c, quick, "a")
        sockets = []
        for i in range(2 * count):
            s = socket.socket(socket.AF_UNIX)
            s.connect(c.socket)
            s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n" + (b"\r\n" if i % 2 else b"X-Half: open"))
            sockets.append(s)
        until(lambda: int(c.say("fds")[1]) >= 2 * count, "all are connected")
        late = measure(c, quick, "b")
        print(f"   p99 of the loop with {count} slow streams and {count} half-open connections: late {late[0]} us, busy "
              f"{late[1]} us; with neither: late {alone[0]} us, busy {alone[1]} us")
        if not os.environ.get("PDK_SANITIZED"):
            assert late[1] < max(5000, 5 * alone[1]), (late, alone)  # what is beside us takes of both alike
        for s in sockets:
            s.close()
        quick.close()


ran(dict(globals()))
