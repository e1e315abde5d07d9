/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue: its topics, its jobs, and one job. */
import { get, part, pathOf, post } from "./api.js";
import { attempt, confirm } from "./dialog.js";
import { count, duration, fullTime, why, words } from "./format.js";
import { html, useStore } from "./lib.js";
import { useAsked } from "./live.js";
import { Ago, Asked, Badge, Empty, Facts, Heading, lookOn, Pages, Panel, RunLink, Table } from "./parts.js";
import { amend, place, to } from "./route.js";

const PAGE = 50;
const happened = (event) => /^run\./.test(event.event);

export const noQueue = {
  title: "There is no queue",
  text: html`Jobs that survive a restart are kept by the plugin <code>queue</code>. Add <code>sources: [{"{"}use: queue}]</code> to the file.`,
};

const steer = (topic, action, body, done, reload) => attempt(() => post(`v1/topics/${part(topic)}/${action}`, body ?? {}), done).then(reload);

async function limit(topic, reload) {
  const answer = await confirm({
    title: `How many of ${topic.topic} at once?`, text: "0 means as many as there is room for.", action: "Set", keep: "Leave it",
    input: { label: "Jobs that run at once", attributes: { type: "number", min: 0, step: 1, required: true, defaultValue: topic.limit ?? 0 } },
  });
  if (answer === false) return;
  steer(topic.topic, "limit", { running: Number(answer) }, `${topic.topic}: ${Number(answer) || "no limit"}`, reload);
}

const number = (value) => html`<span class=${value ? "number" : "number faint"}>${count(value ?? 0)}</span>`;

const topicColumns = (reload) => [
  { title: "Topic", of: (t) => html`<a href=${to("queue", "", { topic: t.topic })}>${t.topic}</a> ${t.paused && html`<${Badge} word="paused" />`}` },
  { title: "Ready", right: true, of: (t) => number(t.ready) },
  { title: "Running", right: true, of: (t) => html`${number(t.running)}${t.limit ? html`<span class="faint"> of ${t.limit}</span>` : ""}` },
  { title: "Delayed", right: true, of: (t) => number(t.delayed) },
  { title: "Dead", right: true, of: (t) => (t.dead ? html`<a href=${to("dead", "", { topic: t.topic })}>${count(t.dead)}</a>` : number(0)) },
  { title: "Oldest", right: true, of: (t) => (t.oldest_age_seconds ? html`<span class="number">${duration(t.oldest_age_seconds)}</span>` : html`<span class="faint">–</span>`) },
  { title: "Actions", head: html`<span class="unseen">Actions</span>`, right: true, of: (t) => html`<span class="row-actions">
    <button type="button" class="small" aria-label=${`Limit of ${t.topic}`} onClick=${() => limit(t, reload)}>Limit</button>
    <button type="button" class="small" aria-label=${`${t.paused ? "Resume" : "Pause"} ${t.topic}`}
      onClick=${() => steer(t.topic, t.paused ? "resume" : "pause", undefined, `${t.topic} ${t.paused ? "goes on" : "is paused"}`, reload)}>${t.paused ? "Resume" : "Pause"}</button></span>` },
];

const jobState = (job) => (job.dead ? "dead" : job.state === "ended" && job.outcome ? job.outcome : job.state);

const jobColumns = [
  { title: "State", of: (job) => html`<${Badge} word=${jobState(job)} />` },
  { title: "Job", of: (job) => html`<a class="code" href=${to("queue", job.job_id)}>${job.job_id}</a>` },
  { title: "Task", of: (job) => job.task },
  { title: "Topic", of: (job) => job.topic },
  { title: "Priority", minor: true, right: true, of: (job) => number(job.priority) },
  { title: "Attempts", right: true, of: (job) => html`<span class="number">${job.attempts}${job.max_attempts ? html`<span class="faint"> of ${job.max_attempts}</span>` : ""}</span>` },
  { title: "When", right: true, of: (job) => html`<${Ago} time=${job.ended_at ?? job.started_at ?? job.due_at ?? job.submitted_at} />` },
];
jobColumns.heading = 1;

const STATES = [["All", ""], ["Ready", "ready"], ["Running", "running"], ["Delayed", "delayed"], ["Ended", "ended"]];

function Jobs({ query, topics }) {
  const trail = query.after ? query.after.split(" ") : [];
  const path = pathOf("v1/jobs", { state: query.state, topic: query.topic, task: query.task, limit: PAGE, after: trail.at(-1) });
  const asked = useAsked(path, { ask: lookOn(get, "jobs", PAGE / 2), every: 10000, when: (event) => !trail.length && happened(event) });
  const choose = (name) => (event) => amend({ [name]: event.target.value, after: "" });
  const names = topics.map((topic) => topic.topic);
  if (query.topic && !names.includes(query.topic)) names.push(query.topic);
  return html`<${Panel} title="Jobs" id="jobs" flush extra=${html`<div class="filters inline">
      <div class="chips" role="group" aria-label="State">${STATES.map(([title, state]) => html`<button type="button" class="chip" key=${title} aria-pressed=${(query.state ?? "") === state}
        onClick=${() => amend({ state, after: "" })}>${title}</button>`)}</div>
      <span class="choice"><select aria-label="Topic" value=${query.topic ?? ""} onChange=${choose("topic")}>
        <option value="">Topic: all</option>${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></span></div>`}>
    <${Asked} asked=${asked}>${({ jobs, next }) => html`
      ${jobs.length ? html`<${Table} caption="Jobs" columns=${jobColumns} rows=${jobs} keyOf=${(job) => job.job_id} />` : html`<${Empty} title="No job is like that" />`}
      ${(next || trail.length > 0) && html`<${Pages} trail=${trail} next=${next} shown=${`Page ${trail.length + 1}`} turn=${(cursors) => amend({ after: cursors.join(" ") })} />`}`}</${Asked}>
  </${Panel}>`;
}

export function Queue() {
  const { name, query } = useStore(place);
  const asked = useAsked("v1/topics", { every: 3000, when: happened });
  if (name) return html`<${Job} key=${name} name=${name} />`;
  return html`<${Heading} title="Queue" />
    <${Asked} asked=${asked} missing=${noQueue}>${({ topics }) => html`
      <${Panel} title="Topics" id="topics" flush>${topics.length
        ? html`<${Table} caption="Topics of the queue" columns=${topicColumns(asked.reload)} rows=${topics} keyOf=${(topic) => topic.topic} />`
        : html`<${Empty} title="No topic yet">The first job makes its topic.</${Empty}>`}</${Panel}>
      <${Jobs} query=${query} topics=${topics} />`}</${Asked}>`;
}

const facts = (job) => [
  ["Task", job.task], ["Kind", job.kind], ["Topic", html`<a href=${to("queue", "", { topic: job.topic })}>${job.topic}</a>`],
  ["Priority", job.priority], ["Attempts", job.max_attempts ? `${job.attempts} of ${job.max_attempts}` : job.attempts],
  ["Rescues", job.rescues || ""], ["Snoozes", job.snoozes || ""], ["Last run", job.run_id && html`<${RunLink} id=${job.run_id} />`],
  ["Submitted", fullTime(job.submitted_at)], ["Due", fullTime(job.due_at)], ["Started", fullTime(job.started_at)], ["Ended", fullTime(job.ended_at)],
  ["Exit code", job.exit_code], ["Signal", job.signal], ["Code", words(job.code)],
];

function Job({ name }) {
  const asked = useAsked(`v1/jobs/${part(name)}`, { every: 3000, when: happened });
  const job = asked.data;
  const act = (action, done) => attempt(() => post(`v1/jobs/${part(name)}/${action}`, {}), done).then(asked.reload);
  const cancel = async () => {
    if (await confirm({ title: "Cancel this job?", text: "It does not run again. If it runs now, it is asked to stop.", action: "Cancel the job", danger: true })) act("cancel", "It is being canceled");
  };
  const actions = job && html`
    ${job.state !== "ended" && html`<button type="button" class="danger-quiet" onClick=${cancel}>Cancel</button>`}
    ${job.dead && html`<button type="button" class="primary" onClick=${() => attempt(() => post("v1/dead/replay", { job_id: name }), "It is ready again").then(asked.reload)}>Replay</button>`}
    ${job.state === "ended" && html`<button type="button" onClick=${() => act("retry", (next) => `A new job: ${next.job_id}`)}>Submit again</button>`}`;
  return html`<${Heading} title=${name} actions=${actions}>${job && html`<p class="sub"><${Badge} word=${jobState(job)} /></p>
      ${why(job) && html`<p class="message" data-tone=${job.dead ? "bad" : "calm"}>${why(job)}</p>`}`}</${Heading}>
    <${Asked} asked=${asked} missing=${noQueue}>${() => html`<${Panel} title="Facts" id="facts"><${Facts} facts=${facts(job)} /></${Panel}>`}</${Asked}>`;
}
