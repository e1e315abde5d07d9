/* SPDX-License-Identifier: Apache-2.0 */
/* The attempts of a run over time, and what happened in between. */
import { between, clock, duration, fullTime, tone, words, bytes } from "./format.js";
import { html, useStore } from "./lib.js";
import { now } from "./live.js";
import { amend } from "./route.js";

const at = (time) => Date.parse(time);

/** The attempts of a run: those that have ended, and the one that is on. */
export function attemptsOf(run) {
  const ended = Array.isArray(run.attempts) ? run.attempts : run.history ?? [];
  const list = ended.map((one) => ({ ...one }));
  const total = Array.isArray(run.attempts) ? run.attempts.length : run.attempts;
  const on = ["running", "stopping", "stuck"].includes(run.state) && !list.some((one) => one.attempt === total && one.ended_at);
  if (on && run.attempt_started_at && !list.some((one) => one.attempt === total)) list.push({ attempt: total, started_at: run.attempt_started_at });
  return list;
}

export function resultOf(one) {
  if (!one.ended_at) return "running";
  return one.result === "success" ? "succeeded" : one.result === "failure" ? "failed" : one.result ?? "ended";
}

function reasonOf(one) {
  if (one.message && one.message !== words(resultOf(one))) return one.message;
  if (one.signal) return `signal ${one.signal}`;
  return one.exit_code ? `exit code ${one.exit_code}` : "";
}

function Bar({ one, start, span, current, chosen }) {
  const from = at(one.started_at), until = one.ended_at ? at(one.ended_at) : current;
  const left = Math.max(0, ((from - start) / span) * 100), width = Math.max(((until - from) / span) * 100, 0.4);
  const result = resultOf(one), length = duration(one.duration_seconds ?? between(one.started_at, one.ended_at, current));
  return html`<li><button type="button" class="attempt" aria-pressed=${chosen} title=${`${fullTime(one.started_at)}\n${reasonOf(one)}`}
      onClick=${() => amend({ attempt: chosen ? "" : one.attempt }, { replace: true })}>
    <span class="attempt-name"><span class="badge" data-tone=${tone(result)}>${words(result)}</span> <span class="attempt-number">#${one.attempt}</span></span>
    <span class="attempt-track" aria-hidden="true"><span class="attempt-bar" data-tone=${tone(result)} style=${{ left: `${left}%`, width: `${Math.min(width, 100 - left)}%` }}></span></span>
    <span class="attempt-time number">${length}</span>
    <span class="attempt-why">${reasonOf(one)}${one.output_bytes ? html` <span class="faint">${bytes(one.output_bytes)}</span>` : ""}</span>
  </button></li>`;
}

const SHOWN = 50;

export function Timeline({ run, chosen }) {
  const current = useStore(now), attempts = attemptsOf(run).filter((one) => one.started_at);
  if (!attempts.length) return html`<p class="faint">No attempt has begun.</p>`;
  const shown = attempts.slice(-SHOWN), start = at(shown[0].started_at);
  const end = run.ended_at ? at(run.ended_at) : Math.max(current, at(shown.at(-1).ended_at ?? shown.at(-1).started_at));
  const span = Math.max(end - start, 1);
  const omitted = (run.history_omitted ?? 0) + attempts.length - shown.length;
  return html`<ol class="timeline">${shown.map((one) => html`<${Bar} key=${one.attempt} one=${one} start=${start} span=${span} current=${current}
      chosen=${String(one.attempt) === chosen} />`)}</ol>
    ${omitted > 0 && html`<p class="faint">${omitted} earlier ${omitted === 1 ? "attempt is" : "attempts are"} not shown.</p>`}
    ${run.next_attempt_at && run.state === "backoff" && html`<p class="faint">The next begins in ${duration(Math.max(0, Math.round((at(run.next_attempt_at) - current) / 1000)))}.</p>`}`;
}

/* What stands elsewhere on the page, and what a message says in words. */
const SKIP = new Set(["seq", "time", "event", "run_id", "task", "slot", "runner", "trace_id", "span_id", "category", "attempts"]);
const SAID = new Set(["code", "reason", "exit_code", "signal", "delay_seconds"]);
const detail = (event) => Object.entries(event).filter(([key, value]) => !SKIP.has(key) && !(event.message && SAID.has(key)) && value !== "" && value !== 0)
  .map(([key, value]) => (key.endsWith("_seconds") ? `${words(key.slice(0, -8))} ${duration(value)}` : key === "message" || key === "text" ? value : `${words(key)} ${value}`)).join(", ");

export const Events = ({ events }) => html`<div class="table-frame"><table class="plain">
  <caption class="unseen">Events of this run, oldest first</caption>
  <thead><tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Details</th></tr></thead>
  <tbody>${events.filter((event) => event.event !== "attempt.output").map((event) => html`<tr key=${event.seq ?? event.time}>
    <td data-title="Time" class="number"><time datetime=${event.time} title=${fullTime(event.time)}>${clock(event.time)}</time></td>
    <th scope="row" data-title="Event" class="code">${event.event}</th><td data-title="Details" class="grow">${detail(event)}</td></tr>`)}</tbody>
</table></div>`;
