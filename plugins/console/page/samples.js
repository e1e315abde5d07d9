/* SPDX-License-Identifier: Apache-2.0 */
/* What charts are drawn from: gathered from when the page was opened, whatever view is shown, for a quarter of an hour. */
import { get } from "./api.js";
import { tone } from "./format.js";
import { store } from "./lib.js";
import { connection, listen } from "./live.js";

export const WINDOW = 900, BUCKET = 15, STEP = 2;
const KINDS = ["good", "bad", "calm"], COUNTED_MAX = 20000;

/** Changes when there is something new to draw. */
export const drawn = store(0);
/** The newest answer of /v1/status. */
export const status = store(null);

const buckets = new Map(); /* start in seconds -> {good, bad, calm} */
let looks = []; /* {time, running, waiting, ready, delayed, age, slots} */
const counted = new Set(); /* runs, which events and the past may both tell of */

function add({ run_id: run, outcome }, time) {
  if (counted.has(run)) return;
  counted.add(run);
  const start = Math.floor(Date.parse(time) / 1000 / BUCKET) * BUCKET;
  const bucket = buckets.get(start) ?? { good: 0, bad: 0, calm: 0 };
  const kind = tone(outcome);
  bucket[KINDS.includes(kind) ? kind : "bad"]++;
  buckets.set(start, bucket);
}

function forget() {
  const oldest = Date.now() / 1000 - WINDOW - BUCKET;
  for (const start of buckets.keys()) if (start < oldest) buckets.delete(start);
  if (counted.size > COUNTED_MAX) counted.clear();
  while (looks.length && looks[0].time < oldest) looks.shift();
}

function take(events) {
  for (const event of events) if (event.event === "run.ended") add(event, event.time);
  forget();
  drawn.set(drawn.get() + 1);
}

/* What ended before the page was opened, as far as the server still knows it. */
async function lookBack() {
  const { runs } = await get("v1/runs?state=ended&limit=1000");
  const oldest = Date.now() - WINDOW * 1000;
  for (const run of runs) if (run.ended_at && Date.parse(run.ended_at) > oldest) add(run, run.ended_at);
  drawn.set(drawn.get() + 1);
}

export async function look() {
  try {
    const answer = await get("v1/status");
    const { states = {}, queue = {} } = answer;
    if (status.get()?.started_at !== answer.started_at) counted.clear(); // run ids begin anew with the program
    status.set(answer);
    looks.push({ time: Date.now() / 1000, running: answer.running, waiting: (states.queued ?? 0) + (states.backoff ?? 0),
      ready: queue.ready ?? 0, delayed: queue.delayed ?? 0, age: queue.oldest_age_seconds ?? 0, slots: answer.slots });
    drawn.set(drawn.get() + 1);
  } catch { /* the connection says so */ }
}

/* They outlive a reload of the page. */
function keep() {
  try {
    sessionStorage.setItem("paddock.looks", JSON.stringify(looks));
  } catch { /* then they do not */ }
}

function restore() {
  try {
    looks = JSON.parse(sessionStorage.getItem("paddock.looks") ?? "[]");
  } catch { /* there are none */ }
  forget();
}

export function begin() {
  restore();
  addEventListener("pagehide", keep);
  listen(take);
  setInterval(() => document.hidden || look(), STEP * 1000);
  look();
  lookBack().catch(() => {});
  const stop = connection.watch((state) => {
    if (state !== "live") return;
    stop();
    lookBack().catch(() => {}); // what ended before one listened
  });
}

/** [times, good, bad, calm], how many ended in each bucket. */
export function throughput() {
  const end = Math.floor(Date.now() / 1000 / BUCKET) * BUCKET;
  const times = [];
  for (let time = end - WINDOW + BUCKET; time <= end; time += BUCKET) times.push(time);
  return [times, ...KINDS.map((kind) => times.map((time) => buckets.get(time)?.[kind] ?? 0))];
}

/** [times, ...names], what was seen of the whole. */
export const seen = (...names) => [looks.map((l) => l.time), ...names.map((name) => looks.map((l) => l[name]))];

/** When the first look was, in seconds. */
export const first = () => looks[0]?.time ?? Date.now() / 1000;

/** How many of each kind ended within the window. */
export function totals() {
  const sums = { good: 0, bad: 0, calm: 0 };
  for (const bucket of buckets.values()) for (const kind of KINDS) sums[kind] += bucket[kind];
  return sums;
}
