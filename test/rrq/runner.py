# SPDX-License-Identifier: Apache-2.0
"""A small RRQ runner, written from the description of the protocol, that misbehaves when told to.

    runner.py [--tcp-socket HOST:PORT] [--generation 0.9.9] [--trace FILE] [OPTION...]

It listens, reads frames (four bytes of length, JSON), runs handlers side by side and answers. What it sees goes to
the trace as lines of JSON. Handlers are the methods of Handlers; some of them break the protocol on purpose.
"""

import argparse
import asyncio
import json
import os
import signal
import struct
import sys

LIMIT = 16 << 20
# generation: protocol, does argv carry the address (else the variable of that name), does a connection carry many requests
GENERATIONS = {
    "0.9.4": ("1", "RRQ_EXECUTOR_TCP_SOCKET", False),
    "0.9.9": ("1", "RRQ_RUNNER_TCP_SOCKET", False),
    "0.9.10": ("2", "RRQ_RUNNER_TCP_SOCKET", False),
    "0.9.15": ("2", None, False),
    "0.11": ("2", None, True),
}


def frame(payload, kind="response"):
    body = payload if isinstance(payload, bytes) else json.dumps({"type": kind, "payload": payload}).encode()
    return struct.pack(">I", len(body)) + body


async def appears(path):
    while not os.path.exists(path):
        await asyncio.sleep(0.005)


class Handlers:
    """Each gets the runner, the connection's writer, the request and its arguments. None: it has answered itself."""

    async def echo(self, runner, writer, request, given):
        return {"status": "success", "result": given}

    async def null(self, runner, writer, request, given):
        return {"status": "success", "result": None}

    async def request(self, runner, writer, request, given):
        return {"status": "success", "result": request}

    async def pid(self, runner, writer, request, given):
        return {"status": "success", "result": {"pid": os.getpid(), "address": runner.address}}

    async def say(self, runner, writer, request, given):
        print(given["text"], flush=True)
        return {"status": "success"}

    async def outcome(self, runner, writer, request, given):
        return given

    async def wait(self, runner, writer, request, given):
        await appears(given["file"])
        return {"status": "success", "result": {"pid": os.getpid()}}

    async def flaky(self, runner, writer, request, given):
        if request["context"]["attempt"] < given["good"]:
            return {"status": "error", "error": {"message": "not yet"}}
        return {"status": "success", "result": {"attempt": request["context"]["attempt"]}}

    async def deaf(self, runner, writer, request, given):
        """Goes on whatever is canceled, until the file is there or its process ends."""
        while True:
            try:
                await appears(given.get("file", "/nonexistent"))
                return {"status": "success"}
            except asyncio.CancelledError:
                runner.note("deaf", request_id=request["request_id"])

    async def polite(self, runner, writer, request, given):
        """Success although it was canceled."""
        try:
            await appears("/nonexistent")
        except asyncio.CancelledError:
            return {"status": "success", "result": "finished all the same"}

    async def crash(self, runner, writer, request, given):
        if "file" in given:
            if os.path.exists(given["file"]):
                return {"status": "success", "result": "survived"}
            open(given["file"], "w").close()
        if given.get("signal"):
            os.kill(os.getpid(), given["signal"])
        os._exit(given.get("code", 3))

    async def wrong_job_id(self, runner, writer, request, given):
        return {"job_id": "another", "status": "success"}

    async def no_job_id(self, runner, writer, request, given):
        return {"job_id": None, "status": "success"}

    async def no_request_id(self, runner, writer, request, given):
        return {"request_id": None, "status": "success"}

    async def unknown_request_id(self, runner, writer, request, given):
        runner.send(writer, {"request_id": "nobody", "job_id": request["job_id"], "status": "success"})
        return {"status": "success", "result": "the right one"}

    async def twice(self, runner, writer, request, given):
        answer = {"request_id": request["request_id"], "job_id": request["job_id"], "status": "success"}
        runner.send(writer, {**answer, "result": "first"})
        return {**answer, "result": "second"}

    async def bad_status(self, runner, writer, request, given):
        return {"status": "cancelled"}

    async def no_message(self, runner, writer, request, given):
        return {"status": "error", "error": {"type": "oops"}}

    async def ping(self, runner, writer, request, given):
        """Messages that no runner sends, before the answer."""
        writer.write(frame({}, "ping") + frame({}, "request") + frame({"job_id": "x"}, "cancel"))
        return {"status": "success"}

    async def raw(self, runner, writer, request, given):
        writer.write(bytes.fromhex(given["hex"]))
        await writer.drain()
        if given.get("close"):
            writer.close()

    async def huge(self, runner, writer, request, given):
        return {"status": "success", "result": {"text": "x" * given["size"], "size": given["size"]}}

    async def slowly(self, runner, writer, request, given):
        """The answer byte by byte."""
        data = frame({"request_id": request["request_id"], "job_id": request["job_id"], "status": "success"})
        for i in range(len(data)):
            writer.write(data[i:i + 1])
            await writer.drain()
            await asyncio.sleep(0)

    async def close(self, runner, writer, request, given):
        answer = {"request_id": request["request_id"], "job_id": request["job_id"], "status": "success"}
        runner.send(writer, answer)
        await writer.drain()
        writer.close()

    async def hang_up(self, runner, writer, request, given):
        writer.close()


class Runner:
    def __init__(self, options):
        self.options = options
        self.protocol, self.variable, self.multiplexed = GENERATIONS[options.generation]
        self.tasks = {}
        self.connections = self.refused = 0
        self.address = options.tcp_socket if not self.variable else os.environ.get(self.variable)
        if self.variable and options.tcp_socket and options.strict:
            sys.exit(f"unrecognized arguments: --tcp-socket {options.tcp_socket}")
        if not self.address:
            sys.exit(f"no address: this generation wants {self.variable or '--tcp-socket'}")

    def note(self, event, **more):
        if self.options.trace:
            with open(self.options.trace, "a") as trace:
                trace.write(json.dumps({"event": event, "pid": os.getpid(), **more}) + "\n")

    def send(self, writer, payload):
        if not writer.is_closing():
            writer.write(frame(payload))

    async def run(self, writer, request):
        ids = {"job_id": request["job_id"], "request_id": request["request_id"]}
        handler = getattr(Handlers, request["function_name"], None)
        given = request.get("params") if self.protocol == "2" else {**request.get("kwargs", {}), **({"args": request["args"]} if request.get("args") else {})}
        try:
            if request["protocol_version"] != self.protocol:
                answer = {"status": "error", "error": {"message": "Unsupported protocol version"}}
            elif not handler and not self.options.answers_all:
                answer = {"status": "error", "error": {"message": f"No handler registered for function '{request['function_name']}'",
                                                       "type": "handler_not_found"}}
            else:
                answer = await (handler or Handlers.echo)(Handlers(), self, writer, request, given)
        except asyncio.CancelledError:
            answer = {"status": "error", "error": {"message": "Job cancelled", "type": "cancelled"}}
        finally:
            self.tasks.pop(request["request_id"], None)
        if answer is not None:
            self.send(writer, {**ids, **answer})

    def cancel(self, payload):
        task = self.tasks.get(payload.get("request_id"))
        if task:
            task.cancel()

    async def serve(self, reader, writer):
        number, mine = self.connections, []
        self.connections += 1
        self.note("open", connection=number)
        if self.refused < self.options.hang_up:
            self.refused += 1
            writer.close()
            return
        try:
            while True:
                size = struct.unpack(">I", await reader.readexactly(4))[0]
                assert 0 < size <= LIMIT
                message = json.loads(await reader.readexactly(size))
                self.note(message["type"], connection=number, **message["payload"])
                if message["type"] == "cancel":
                    self.cancel(message["payload"])
                elif self.options.silent:
                    continue
                else:
                    request = message["payload"]
                    task = asyncio.ensure_future(self.run(writer, request))
                    self.tasks[request["request_id"]] = task
                    mine.append(task)
                    if not self.multiplexed:
                        await asyncio.wait([task])
                        await writer.drain()
                        break
        except (asyncio.IncompleteReadError, ConnectionError, AssertionError):
            pass
        self.note("close", connection=number)
        for task in mine:
            task.cancel()
        writer.close()

    async def main(self):
        options = self.options
        self.note("start", address=self.address, argv=sys.argv[1:], env=dict(os.environ), cwd=os.getcwd(),
                  parent=os.getppid(), files=os.sysconf("SC_OPEN_MAX"))
        loop = asyncio.get_running_loop()
        if options.deaf_term:
            loop.add_signal_handler(signal.SIGTERM, lambda: self.note("term"))
        if options.child:
            child = await asyncio.create_subprocess_exec("sleep", "1000")
            self.note("child", child=child.pid)
        if options.exit is not None:
            os._exit(options.exit)
        if options.wait_for:
            await appears(options.wait_for)
        host, port = self.address.rsplit(":", 1)
        server = await asyncio.start_server(self.serve, host, int(port))
        self.note("listening")
        if options.exit_when:
            await appears(options.exit_when)
            os.unlink(options.exit_when)
            os._exit(0)
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp-socket")
    parser.add_argument("--generation", choices=GENERATIONS, default="0.11")
    parser.add_argument("--strict", action="store_true", help="refuse an address that this generation does not read")
    parser.add_argument("--trace")
    parser.add_argument("--exit", type=int, help="end at once, with this code")
    parser.add_argument("--exit-when", metavar="FILE", help="end with 0 as soon as there is this file")
    parser.add_argument("--wait-for", metavar="FILE", help="listen only when there is this file")
    parser.add_argument("--deaf-term", action="store_true", help="ignore TERM")
    parser.add_argument("--child", action="store_true", help="have a child")
    parser.add_argument("--silent", action="store_true", help="answer nothing")
    parser.add_argument("--answers-all", action="store_true", help="have a handler for every name")
    parser.add_argument("--hang-up", type=int, default=0, metavar="N", help="close the first N connections")
    asyncio.run(Runner(parser.parse_args()).main())


if __name__ == "__main__":
    main()
