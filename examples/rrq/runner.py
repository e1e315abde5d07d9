# SPDX-License-Identifier: Apache-2.0
"""An RRQ runner without any library: it listens, reads frames of JSON, calls handlers side by side, and answers."""

import argparse
import asyncio
import json
import os
import struct


async def resize(params, context):
    scale = params["to"] / params["width"]
    return {"width": params["to"], "height": round(params["height"] * scale)}


async def later(params, context):
    if context["attempt"] < params["attempts"]:
        return {"status": "retry", "retry_after_seconds": 0.1, "error": {"message": "the printer warms up"}}
    return {"attempt": context["attempt"]}


async def crash_once(params, context):
    if context["attempt"] == 1:
        os._exit(1)
    return "all is well"


async def endless(params, context):
    await asyncio.Event().wait()


HANDLERS = {handler.__name__: handler for handler in (resize, later, crash_once, endless)}


async def outcome(request):
    handler = HANDLERS.get(request["function_name"])
    if not handler:
        message = f"No handler registered for function '{request['function_name']}'"
        return {"status": "error", "error": {"message": message, "type": "handler_not_found"}}
    try:
        result = await handler(request["params"], request["context"])
    except asyncio.CancelledError:
        return {"status": "error", "error": {"message": "Job cancelled", "type": "cancelled"}}
    except Exception as error:
        return {"status": "error", "error": {"message": str(error)}}
    return result if isinstance(result, dict) and "status" in result else {"status": "success", "result": result}


async def answer(request, running, writer):
    payload = {"job_id": request["job_id"], "request_id": request["request_id"], **await outcome(request)}
    running.pop(request["request_id"], None)
    data = json.dumps({"type": "response", "payload": payload}).encode()
    writer.write(struct.pack(">I", len(data)) + data)


async def serve(reader, writer, running):
    try:
        while True:
            size, = struct.unpack(">I", await reader.readexactly(4))
            message = json.loads(await reader.readexactly(size))
            payload = message["payload"]
            if message["type"] == "request":
                running[payload["request_id"]] = asyncio.ensure_future(answer(payload, running, writer))
            elif message["type"] == "cancel" and payload["request_id"] in running:
                running[payload["request_id"]].cancel()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tcp-socket", required=True, metavar="HOST:PORT")
    host, port = parser.parse_args().tcp_socket.rsplit(":", 1)
    running = {}
    server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, running), host, int(port))
    await server.serve_forever()


asyncio.run(main())
