/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, times and states as words. */

const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

/** "850ms", "4.2s", "3m 20s", "2h 5m", "3d 4h". */
export function duration(seconds) {
  if (seconds === undefined || seconds === null || Number.isNaN(seconds)) return "";
  if (seconds < 0) seconds = 0;
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toString()}s`;
  let whole = Math.floor(seconds);
  const words = [];
  for (const [unit, size] of UNITS) {
    if (whole >= size || words.length) {
      words.push([Math.floor(whole / size), unit]);
      whole %= size;
    }
    if (words.length === 2) break;
  }
  return words.filter(([count], i) => i === 0 || count).map(([count, unit]) => count + unit).join(" ");
}

const millis = (time) => (time ? Date.parse(time) : NaN);

/** Seconds from one time to another, or to now. */
export function between(from, to, current) {
  const start = millis(from), end = to ? millis(to) : current;
  return Number.isNaN(start) ? undefined : (end - start) / 1000;
}

export function ago(time, current) {
  const seconds = (current - millis(time)) / 1000;
  if (Number.isNaN(seconds)) return "";
  if (seconds < -1) return `in ${duration(Math.round(-seconds))}`;
  return seconds < 2 ? "now" : `${duration(Math.floor(seconds))} ago`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const clock = (time) => (time ? clockFormat.format(millis(time)) : "");
export const fullTime = (time) => (time ? fullFormat.format(millis(time)) : "");

const countFormat = new Intl.NumberFormat();
export const count = (number) => (number === undefined || number === null ? "–" : countFormat.format(number));

export function bytes(size) {
  if (size === undefined || size === null) return "";
  for (const unit of ["B", "KiB", "MiB"]) {
    if (size < 1024) return `${size < 10 && unit !== "B" ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(1)} GiB`;
}

/** What a run is, in one word, and the tone of it. */
const TONES = {
  succeeded: "good", running: "busy", up: "good", taken: "good", ready: "wait", queued: "wait", delayed: "wait", backoff: "warn",
  stopping: "warn", degraded: "warn", paused: "warn", draining: "warn", timed_out: "bad", failed: "bad", fatal: "bad",
  rejected: "bad", lost: "bad", stuck: "bad", down: "bad", dead: "bad", canceled: "calm", ended: "calm",
};

/** Outcomes that are failures, as a filter takes them. */
export const FAILURES = "failed,fatal,timed_out,rejected,lost";

export const tone = (word) => TONES[word] ?? "calm";
export const words = (word) => (word ?? "").replaceAll("_", " ");
export const stateOf = (run) => (run.state === "ended" && run.outcome ? run.outcome : run.state);

/** Why it ended so, in few words. */
export function why(run) {
  if (run.message && run.message !== words(run.outcome ?? "succeeded")) return run.message;
  if (run.signal) return `signal ${run.signal}`;
  if (run.exit_code) return `exit code ${run.exit_code}`;
  return run.reason && run.reason !== run.outcome ? words(run.reason) : "";
}
