/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP interface, as openapi.yaml has it. Paths are relative, so that the page works below any prefix of a proxy. */
import { store } from "./lib.js";

const TOKEN = "paddock.token";

/** Is the token missing or wrong? */
export const locked = store(false);

let memory = "";

export function setToken(token) {
  memory = token;
  try {
    sessionStorage.setItem(TOKEN, token);
  } catch { /* it lives as long as the page */ }
  locked.set(false);
}

function getToken() {
  if (memory) return memory;
  try {
    memory = sessionStorage.getItem(TOKEN) ?? "";
  } catch { /* storage is switched off */ }
  return memory;
}

/** A token that came as #token=..., which no server sees; it leaves the address at once. */
export function takeToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return;
  location.replace("#/");
  try {
    setToken(decodeURIComponent(found[1]));
  } catch { /* it is none: the form asks for one */ }
}

/** What was answered where it was not what was wanted; status 0: nobody answered. */
export class Fault extends Error {
  constructor(status, error) {
    super(error?.message ?? `the answer was ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
    this.hint = error?.hint ?? "";
    this.path = error?.path ?? "";
  }
}

async function faultOf(response) {
  let body = null;
  try {
    body = await response.json();
  } catch { /* it has no words */ }
  return new Fault(response.status, body?.error);
}

async function send(path, options, accept) {
  const headers = { Accept: accept, ...options.headers };
  const token = getToken();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault(0, { message: "Paddock does not answer" });
  }
  if (response.status === 401) locked.set(true);
  if (!response.ok) throw await faultOf(response);
  return response;
}

/** "v1/runs" and {state: "running", task: ""} as a path; what is empty is left out. */
export function pathOf(path, query = {}) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== "") words.set(name, value);
  const text = words.toString();
  return text ? `${path}?${text}` : path;
}

export async function get(path, signal) {
  return (await send(path, { signal }, "application/json")).json();
}

export async function post(path, body) {
  const options = { method: "POST" };
  if (body !== undefined) options.body = JSON.stringify(body);
  return (await send(path, options, "application/json")).json();
}

export async function blob(path) {
  return (await send(path, {}, "text/plain")).blob();
}

/** One part of a path: names may have anything in them. */
export const part = (name) => encodeURIComponent(name).replaceAll(".", "%2E");

/**
 * Server-sent events by fetch, since EventSource sends no header. Yields {id, type, data}, what comes behind the event with the
 * id `after`; `start` is called when it has begun. Ends when the server ends it.
 */
export async function* follow(path, signal, { start = () => {}, after = "" } = {}) {
  const response = await send(path, { signal, headers: after ? { "Last-Event-ID": after } : {} }, "text/event-stream");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", event = {};
  start();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data !== undefined) yield { id: event.id, type: event.event ?? "message", data: JSON.parse(event.data) };
          event = {};
        } else if (!line.startsWith(":")) {
          const end = line.indexOf(":");
          event[end < 0 ? line : line.slice(0, end)] = end < 0 ? "" : line.slice(end + 1).replace(/^ /, "");
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
