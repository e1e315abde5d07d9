// SPDX-License-Identifier: Apache-2.0
// A `paddock serve` of its own for each test: a folder, a port and a token.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "0123456789abcdef-of-the-page";

/** One that nobody has, from below those that the system gives to connections; test/func/ports.py has 10000 to 20000. */
async function freePort() {
  for (;;) {
    const port = randomInt(20000, 30000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Until `look` gives something that holds. */
export async function until(look, what) {
  const end = Date.now() + 30000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `not within 30 s: ${what}`);
  }
}

const alive = new Set();
process.on("exit", () => alive.forEach((child) => child.kill("SIGKILL")));

export class Server {
  /** tasks, and more, as paddock.yaml has them; JSON is YAML too. */
  static async start(file) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "paddock-page-"));
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}/`;
    server.path = (name) => join(server.folder, name);
    writeFileSync(server.path("token"), `${TOKEN}\n`, { mode: 0o600 });
    const config = { socket: server.path("socket"), listen: `127.0.0.1:${server.port}`, token_file: server.path("token"), per_address: 1000, rate: 0 };
    const { plugins = [], ...rest } = file;
    writeFileSync(server.path("paddock.yaml"), JSON.stringify({ ...rest, plugins: [...plugins, { use: "console", config }] }), { mode: 0o600 });
    await server.run();
    return server;
  }

  async run() {
    const log = openSync(this.path("log"), "a");
    const env = { ...process.env, PADDOCK_PLUGIN_PATH: process.env.PLUGINS, STATE_DIRECTORY: this.folder };
    this.process = spawn(process.env.PADDOCK, ["serve", "--ready-fd", "3"], { cwd: this.folder, env, stdio: ["ignore", log, log, "pipe"] });
    alive.add(this.process);
    this.process.on("exit", () => alive.delete(this.process));
    const [said] = await Promise.race([once(this.process.stdio[3], "data"), once(this.process, "exit")]);
    assert.equal(String(said), "ready\n", this.log());
    this.process.unref(); // a test that fails leaves it, and ends all the same
    this.process.stdio[3].unref();
  }

  log() {
    return readFileSync(this.path("log"), "utf8");
  }

  async end(signal = "SIGTERM") {
    this.process.ref();
    const gone = once(this.process, "exit");
    this.process.kill(signal);
    const [code] = await gone;
    if (signal === "SIGTERM") assert.equal(code, 0, this.log());
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.end();
    rmSync(this.folder, { recursive: true });
  }

  async ask(method, path, body) {
    const headers = { Authorization: `Bearer ${TOKEN}`, ...(body && { "Content-Type": "application/json" }) };
    const answer = await fetch(new URL(path, this.url), { method, headers, body: body && JSON.stringify(body) });
    const json = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  }

  get(path) {
    return this.ask("GET", path);
  }

  post(path, body) {
    return this.ask("POST", path, body);
  }

  async runOf(task) {
    return (await this.post("v1/runs", { task })).run_id;
  }

  ended(run) {
    return until(async () => (await this.get(`v1/runs/${run}`)).state === "ended", `${run} has ended`);
  }
}
