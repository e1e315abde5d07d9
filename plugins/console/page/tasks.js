/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that the files declare, and the slots that runs hold. */
import { part, post } from "./api.js";
import { attempt, confirm } from "./dialog.js";
import { count } from "./format.js";
import { html } from "./lib.js";
import { useAsked } from "./live.js";
import { Asked, Badge, Empty, Heading, Labels, Panel, RunLink, Table } from "./parts.js";
import { to } from "./route.js";

const happened = (event) => /^(run|slot)\./.test(event.event);

async function steer(task, action, done) {
  const asks = {
    stop: { title: `Stop ${task.task}?`, text: "Its runs are asked to stop, and it stays stopped until it is started.", action: "Stop it", keep: "Let it run", danger: true },
    restart: { title: `Restart ${task.task}?`, text: "Its run is asked to stop; then it starts anew.", action: "Restart", keep: "Let it run" },
  };
  if (asks[action] && !await confirm(asks[action])) return;
  await attempt(() => post(`v1/tasks/${part(task.task)}/${action}`, {}), done);
}

const taskColumns = [
  { title: "Task", of: (t) => html`<a href=${to("runs", "", { task: t.task })}>${t.task}</a>` },
  { title: "Kind", minor: true, of: (t) => t.kind },
  { title: "About", grow: true, of: (t) => t.description || (t.manual ? html`<span class="faint">started by hand</span>` : "") },
  { title: "Labels", of: (t) => (Object.keys(t.labels ?? {}).length ? html`<${Labels} labels=${t.labels} />` : "") },
  { title: "Place", minor: true, of: (t) => html`<span class="code faint">${t.place}</span>` },
  { title: "Actions", head: html`<span class="unseen">Actions</span>`, right: true, of: (t) => html`<span class="row-actions">
    <button type="button" class="small" aria-label=${`Start ${t.task}`} onClick=${() => steer(t, "start", `${t.task} was started`)}>Start</button>
    <button type="button" class="small" aria-label=${`Restart ${t.task}`} onClick=${() => steer(t, "restart", `${t.task} starts anew`)}>Restart</button>
    <button type="button" class="small" aria-label=${`Stop ${t.task}`} onClick=${() => steer(t, "stop", `${t.task} stops`)}>Stop</button></span>` },
];

const slotColumns = (reload) => [
  { title: "Slot", of: (s) => html`${s.slot} ${s.paused && html`<${Badge} word="paused" />`}` },
  { title: "Held by", of: (s) => (s.owner ? html`<${RunLink} id=${s.owner} />` : html`<span class="faint">nobody</span>`) },
  { title: "State", of: (s) => (s.state ? html`<${Badge} word=${s.state} />` : "") },
  { title: "Waiting", right: true, of: (s) => html`<span class="number">${count(s.waiting ?? 0)}</span>` },
  { title: "Actions", head: html`<span class="unseen">Actions</span>`, right: true, of: (s) => html`<button type="button" class="small" aria-label=${`${s.paused ? "Resume" : "Pause"} slot ${s.slot}`}
    onClick=${() => attempt(() => post(`v1/slots/${part(s.slot)}/${s.paused ? "resume" : "pause"}`, {}), `Slot ${s.slot} ${s.paused ? "goes on" : "is paused"}`).then(reload)}>${s.paused ? "Resume" : "Pause"}</button>` },
];

const SLOTS = 200;

export function Tasks() {
  const tasks = useAsked("v1/tasks", { every: 15000 }), slots = useAsked("v1/slots", { every: 5000, when: happened });
  return html`<${Heading} title="Tasks and slots" />
    <${Panel} title="Tasks" id="tasks" flush><${Asked} asked=${tasks}>${(data) => (data.tasks.length
      ? html`<${Table} caption="Tasks that the files declare" columns=${taskColumns} rows=${data.tasks} keyOf=${(task) => task.task} />`
      : html`<${Empty} title="The files declare no task" />`)}</${Asked}></${Panel}>
    <${Panel} title="Slots" id="slots" flush><${Asked} asked=${slots}>${(data) => (data.slots.length
      ? html`<${Table} caption="Slots: at most one run holds each" columns=${slotColumns(slots.reload)} rows=${data.slots.slice(0, SLOTS)} keyOf=${(slot) => slot.slot} />
        ${data.slots.length > SLOTS && html`<p class="foot faint">The first ${SLOTS} of ${count(data.slots.length)}.</p>`}`
      : html`<${Empty} title="No slot is in use" />`)}</${Asked}></${Panel}>`;
}
