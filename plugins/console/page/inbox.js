/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a person. */
import { get, part, post } from "./api.js";
import { attempt, confirm } from "./dialog.js";
import { words } from "./format.js";
import { html, store, useStore } from "./lib.js";
import { listen, useAsked } from "./live.js";
import { Ago, Asked, Empty, Heading } from "./parts.js";
import { Icon } from "./icons.js";
import { to } from "./route.js";

const happened = (event) => /^(run\.(ended|stuck|paused)|plugin\.|slot\.)/.test(event.event);

/** How many there are, for the number beside the view's name. */
export const inboxCount = store(0);

async function recount() {
  try {
    inboxCount.set((await get("v1/inbox")).entries.length);
  } catch { /* the connection says so */ }
}

export function begin() {
  let soon = 0;
  recount();
  setInterval(() => document.hidden || recount(), 10000);
  listen((events) => {
    if (!soon && events.some(happened)) soon = setTimeout(() => {
      soon = 0;
      recount();
    }, 1500);
  });
}

const KINDS = { question: ["A question", "busy"], stuck: ["Stuck", "bad"], dead: ["Dead letter", "bad"], paused: ["Paused", "warn"], down: ["Down", "bad"] };

/* The slot that an entry is about stands in its title. */
const slotOf = (entry) => entry.slot ?? /^slot (.*) is paused$/.exec(entry.title)?.[1];

function pathFor(entry, action) {
  if (entry.kind === "dead") return [`v1/dead/${action}`, { job_id: entry.job_id }];
  if (entry.run_id) return [`v1/runs/${part(entry.run_id)}/${action}`, {}];
  const slot = slotOf(entry);
  return slot ? [`v1/slots/${part(slot)}/${action}`, {}] : [`v1/server/${action}`, {}];
}

const DESTROYS = {
  purge: "It is forgotten, and cannot be brought back.",
  kill: "What it is doing ends at once.",
  abandon: "Its slot becomes free, though what it started may still be there.",
};

async function act(entry, action, reload) {
  const title = words(action)[0].toUpperCase() + words(action).slice(1);
  if (DESTROYS[action] && !await confirm({ title: `${title}?`, text: html`${entry.title}.<br />${DESTROYS[action]}`, action: title, danger: true, keep: "Not now" })) return;
  const [path, body] = pathFor(entry, action);
  await attempt(() => post(path, body), `${title}: done`);
  reload();
  recount();
}

const DEAD_SHOWN = 3;

/* A few dead letters are entries like others; of many there is a view. */
function Entries({ entries, reload }) {
  const dead = entries.filter((entry) => entry.kind === "dead"), left = dead.slice(DEAD_SHOWN);
  const shown = left.length > 1 ? entries.filter((entry) => !left.includes(entry)) : entries;
  return html`<ul class="entries">${shown.map((entry) => html`<${Entry} key=${[entry.kind, entry.job_id, entry.run_id, entry.title].join()} entry=${entry} reload=${reload} />`)}
    ${left.length > 1 && html`<li class="entry" data-tone="bad" key="more"><div class="entry-words"><h2><a href=${to("dead")}>${left.length} more dead letters</a></h2></div></li>`}</ul>`;
}

const Entry = ({ entry, reload }) => html`<li class="entry" data-tone=${KINDS[entry.kind]?.[1] ?? "calm"}>
  <div class="entry-words">
    <p class="entry-kind"><span class="badge" data-tone=${KINDS[entry.kind]?.[1] ?? "calm"}>${KINDS[entry.kind]?.[0] ?? words(entry.kind)}</span> ${entry.since && html`<${Ago} time=${entry.since} />`}</p>
    <h2>${entry.run_id ? html`<a href=${to("runs", entry.run_id)}>${entry.title}</a>` : entry.job_id ? html`<a href=${to("queue", entry.job_id)}>${entry.title}</a>` : entry.title}</h2>
    ${entry.text && html`<p class="entry-text">${entry.text}</p>`}
  </div>
  <div class="actions">${(entry.actions ?? []).map((action) => html`<button type="button" key=${action} class=${DESTROYS[action] ? "danger-quiet" : ""}
    aria-label=${`${words(action)}: ${entry.title}`} onClick=${() => act(entry, action, reload)}>${words(action)}</button>`)}</div>
</li>`;

export function Inbox() {
  const asked = useAsked("v1/inbox", { every: 5000, when: happened });
  useStore(inboxCount);
  return html`<${Heading} title="Inbox"><p class="sub">What waits for a person.</p></${Heading}>
    <${Asked} asked=${asked}>${({ entries }) => (entries.length
      ? html`<${Entries} entries=${entries} reload=${asked.reload} />`
      : html`<section class="panel" aria-label="List"><div class="all-clear"><${Icon} name="check" /><${Empty} title="All clear">Nothing waits for you.</${Empty}></div></section>`)}</${Asked}>`;
}
