/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of events for the whole page, and what is asked again when something has happened. */
import { follow, get, locked, pathOf } from "./api.js";
import { store, useEffect, useRef, useState } from "./lib.js";

const TYPES = "run.*,attempt.started,attempt.stopping,attempt.ended,attempt.backoff,attempt.ready,plugin.*,slot.*,server.*,events.lost";
const GATHER_MS = 250, RETRY_MS = 1000, RETRY_MAX_MS = 15000, WAITING_MAX = 5000;

/** "connecting", "live" or "lost". */
export const connection = store("connecting");

/** The time, once a second, for all that says how long ago something was. */
export const now = store(Date.now());
setInterval(() => now.set(Date.now()), 1000);

const listeners = new Set();
let waiting = [], timer = 0, lastId = "";

/** Be told of events, as a list, a few times a second at most. Returns how to stop. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  const events = waiting;
  waiting = [];
  timer = 0;
  for (const listener of [...listeners]) listener(events);
}

function take(event) {
  if (event.id) lastId = event.id;
  if (waiting.length < WAITING_MAX) waiting.push(event.data);
  timer ||= setTimeout(tell, GATHER_MS);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const unlocked = () => new Promise((resolve) => {
  if (!locked.get()) return resolve();
  const stop = locked.watch((value) => {
    if (value) return;
    stop();
    resolve();
  });
});

/** For ever: after a break it goes on behind the last event that came. */
export async function run() {
  for (let wait = RETRY_MS; ; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
    await unlocked();
    try {
      for await (const event of follow(pathOf("v1/events", { type: TYPES }), undefined, { after: lastId, start: () => connection.set("live") })) {
        wait = RETRY_MS;
        take(event);
      }
    } catch (fault) {
      if (fault.status === 400) lastId = ""; // an id of long ago
      if (fault.status === 401) continue;
    }
    connection.set("lost");
    await pause(wait);
  }
}

/**
 * What a path answers: {data, fault, loading, reload}. Asked again every `every` ms while the page is seen, and soon after
 * an event for which `when` holds. The old data stays until the new is there.
 */
export function useAsked(path, { every = 0, when = null, ask = get } = {}) {
  const [state, set] = useState({ path, data: null, fault: null, loading: true });
  const reload = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let busy = false, again = false, soon = 0;
    const load = async () => {
      if (!path) return;
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        const data = await ask(path, stop.signal);
        set({ path, data, fault: null, loading: false });
      } catch (fault) {
        if (stop.signal.aborted) return;
        set((old) => ({ path, data: old.path === path ? old.data : null, fault, loading: false }));
      }
      busy = false;
      if (again) later();
      again = false;
    };
    const later = () => {
      soon ||= setTimeout(() => {
        soon = 0;
        load();
      }, 700);
    };
    reload.current = load;
    set((old) => (old.path === path ? old : { path, data: null, fault: null, loading: true }));
    load();
    const looks = every ? setInterval(() => document.hidden || load(), every) : 0;
    const deaf = when ? listen((events) => events.some(when) && later()) : () => {};
    const unlock = locked.watch((value) => value || load());
    return () => {
      stop.abort();
      clearInterval(looks);
      clearTimeout(soon);
      deaf();
      unlock();
    };
  }, [path]);
  return { ...(state.path === path ? state : { data: null, fault: null, loading: true }), reload: () => reload.current() };
}
