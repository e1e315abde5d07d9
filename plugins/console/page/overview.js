/* SPDX-License-Identifier: Apache-2.0 */
/* The whole at a glance. */
import { get, post } from "./api.js";
import { Chart } from "./chart.js";
import { attempt, confirm } from "./dialog.js";
import { count, duration, FAILURES, why } from "./format.js";
import { html, useStore } from "./lib.js";
import { useAsked } from "./live.js";
import { Ago, Asked, Badge, Empty, Heading, Panel, RunBadge, RunLink, Table, Took } from "./parts.js";
import { to } from "./route.js";
import { drawn, first, look, seen, status, throughput, totals, WINDOW } from "./samples.js";

const Tile = ({ title, value, text, href, tone }) => html`<a class="tile" href=${href} data-tone=${tone}>
  <span class="tile-title">${title}</span><span class="tile-value number">${value}</span><span class="tile-text">${text}</span>
</a>`;

function Tiles({ now, sums }) {
  const { states = {}, queue } = now;
  const ended = sums.good + sums.bad;
  const waiting = (states.queued ?? 0) + (states.backoff ?? 0);
  return html`<div class="tiles">
    <${Tile} title="Running" value=${count(now.running)} href=${to("runs", "", { state: "running" })} tone="busy"
      text=${now.limit ? `of ${count(now.limit)} at once` : waiting ? `${count(waiting)} waiting` : "none waiting"} />
    <${Tile} title="Succeeded" value=${ended ? `${Math.floor((sums.good / ended) * 100)}%` : "–"} href=${to("runs", "", { state: "ended" })} tone="good"
      text=${`of ${count(ended)} in 15 minutes`} />
    <${Tile} title="Failed" value=${count(sums.bad)} href=${to("runs", "", { outcome: FAILURES })} tone=${sums.bad ? "bad" : "calm"}
      text="in 15 minutes" />
    ${queue && html`<${Tile} title="In the queue" value=${count((queue.ready ?? 0) + (queue.delayed ?? 0))} href=${to("queue")} tone="wait"
      text=${queue.ready ? `oldest ${duration(queue.oldest_age_seconds)}` : "none is due"} />`}
    ${queue && html`<${Tile} title="Dead letters" value=${count(queue.dead ?? 0)} href=${to("dead")} tone=${queue.dead ? "bad" : "calm"}
      text=${queue.dead ? "wait for you" : "none"} />`}
    ${!queue && html`<${Tile} title="Slots" value=${count(now.slots)} href=${to("tasks")} tone="calm" text="in use" />`}
  </div>`;
}

/* Where lines of a chart of seconds may stand. */
const SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800];

/* A chart begins a quarter of an hour ago, or when there was something to draw first, but is at least so many seconds long. */
const begun = (start, least) => Math.max(Date.now() / 1000 - WINDOW, Math.min(start, Date.now() / 1000 - least));

function Charts({ now, sums }) {
  useStore(drawn);
  const busy = seen("running", "waiting", "slots"), started = Date.parse(now.started_at) / 1000;
  return html`<div class="charts">
    <${Chart} title="Runs that ended" id="chart-ended" stacked from=${begun(started, 300)} data=${throughput()}
      series=${[{ title: "succeeded", colour: "good", bars: true }, { title: "failed", colour: "bad", bars: true }, { title: "canceled", colour: "mute", bars: true }]}
      summary=${`In 15 minutes ${sums.good} succeeded, ${sums.bad} failed, ${sums.calm} were canceled.`} />
    <${Chart} title="Running and waiting" id="chart-busy" from=${begun(first(), 60)} data=${busy}
      series=${[{ title: "running", colour: "busy" }, { title: "waiting", colour: "warn" }, { title: "slots", colour: "mute" }]}
      summary=${`${now.running} running now, ${now.slots} slots in use.`} />
    ${now.queue && html`<${Chart} title="Queue, depth" id="chart-depth" from=${begun(first(), 60)} data=${seen("ready", "delayed")}
      series=${[{ title: "ready", colour: "wait" }, { title: "delayed", colour: "mute" }]}
      summary=${`${now.queue.ready ?? 0} ready, ${now.queue.delayed ?? 0} delayed.`} />
    <${Chart} title="Queue, age of the oldest" id="chart-age" from=${begun(first(), 60)} data=${seen("age")} steps=${SECONDS} format=${(v) => (v ? duration(v) : "0s")}
      series=${[{ title: "oldest", colour: "warn" }]} summary=${`The oldest has waited ${duration(now.queue.oldest_age_seconds ?? 0)}.`} />`}
  </div>`;
}

const failureColumns = [
  { title: "Run", of: (run) => html`<${RunLink} id=${run.run_id} />` },
  { title: "Ended as", of: (run) => html`<${RunBadge} run=${run} />` },
  { title: "Why", grow: true, of: (run) => html`<span class="clip">${why(run)}</span>` },
  { title: "When", right: true, of: (run) => html`<${Ago} time=${run.ended_at} />` },
];

function Failures() {
  const asked = useAsked(`v1/runs?outcome=${FAILURES}&limit=8`, { every: 15000, when: (event) => event.event === "run.ended" });
  return html`<${Panel} title="Recent failures" id="failures" flush extra=${html`<a href=${to("runs", "", { outcome: FAILURES })}>All</a>`}>
    <${Asked} asked=${asked}>${({ runs }) => (runs.length
      ? html`<${Table} caption="Runs that failed, newest first" columns=${failureColumns} rows=${runs} keyOf=${(run) => run.run_id} />`
      : html`<${Empty} title="Nothing has failed">A good sign.</${Empty}>`)}</${Asked}>
  </${Panel}>`;
}

const nowColumns = [
  { title: "Run", of: (run) => html`<${RunLink} id=${run.run_id} />` },
  { title: "State", of: (run) => html`<${RunBadge} run=${run} />` },
  { title: "Since", right: true, of: (run) => html`<${Ago} time=${run.attempt_started_at ?? run.submitted_at} />` },
];

function Now() {
  const asked = useAsked("v1/runs?state=running,stopping,stuck,backoff&limit=8", { every: 15000, when: (event) => /^(run|attempt)\./.test(event.event) });
  return html`<${Panel} title="Going on now" id="now" flush extra=${html`<a href=${to("runs", "", { state: "running,stopping,stuck,backoff" })}>All</a>`}>
    <${Asked} asked=${asked}>${({ runs }) => (runs.length
      ? html`<${Table} caption="Runs that go on" columns=${nowColumns} rows=${runs} keyOf=${(run) => run.run_id} />`
      : html`<${Empty} title="All is quiet" />`)}</${Asked}>
  </${Panel}>`;
}

async function pause(now) {
  const sure = now.paused || await confirm({ title: "Pause everything?", text: "What runs goes on; no new attempt starts until you resume.", action: "Pause", keep: "Not now" });
  if (!sure) return;
  await attempt(() => post(`v1/server/${now.paused ? "resume" : "pause"}`), now.paused ? "Attempts start again" : "No new attempt starts");
  look();
}

async function reload() {
  await attempt(() => post("v1/server/reload"), (changes) => {
    const parts = ["added", "changed", "removed"].filter((word) => changes[word]?.length).map((word) => `${word}: ${changes[word].join(", ")}`);
    return `The files were read again. ${parts.join("; ") || "Nothing has changed."}`;
  });
}

export function Overview() {
  const now = useStore(status);
  useStore(drawn);
  if (!now) return html`<${Heading} title="Overview" /><div class="loading" aria-busy="true"></div>`;
  const sums = totals();
  return html`<${Heading} title="Overview" actions=${html`
      <button type="button" onClick=${() => pause(now)}>${now.paused ? "Resume all" : "Pause all"}</button>
      <button type="button" onClick=${reload}>Reload files</button>`}>
      <p class="sub"><${Badge} word=${now.paused && now.state === "up" ? "paused" : now.state} /> for <${Took} from=${now.started_at} /></p>
    </${Heading}>
    <${Tiles} now=${now} sums=${sums} />
    <${Charts} now=${now} sums=${sums} />
    <div class="columns"><${Failures} /><${Now} /></div>`;
}
