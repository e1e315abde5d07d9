/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that failed for good: one by one, some, or all of a topic. */
import { get, pathOf, post } from "./api.js";
import { attempt, confirm } from "./dialog.js";
import { count, why } from "./format.js";
import { html, useState, useStore } from "./lib.js";
import { useAsked } from "./live.js";
import { Ago, Asked, Empty, Heading, lookOn, Pages, RunLink, Table } from "./parts.js";
import { noQueue } from "./queue.js";
import { amend, place, to } from "./route.js";

const PAGE = 50;

/* The server does so many at a time; it says when to ask again. */
async function actOn(action, bodies) {
  let sum = 0;
  for (const body of bodies) {
    for (let more = true; more;) {
      const answer = await post(`v1/dead/${action}`, body);
      sum += answer.count;
      more = answer.more && answer.count > 0;
    }
  }
  return sum;
}

const letters = (n) => `${count(n)} dead ${n === 1 ? "letter" : "letters"}`;

async function act(action, bodies, what, after) {
  const purges = action === "purge";
  const sure = await confirm({
    title: purges ? `Purge ${what}?` : `Replay ${what}?`, danger: purges, action: purges ? "Purge" : "Replay", keep: "Not now",
    text: purges ? "They are forgotten, and cannot be brought back." : "They become ready again under their own names, with all their attempts.",
  });
  if (!sure) return;
  await attempt(() => actOn(action, bodies), (sum) => `${letters(sum)} ${purges ? "purged" : "replayed"}`);
  after();
}

function columnsFor(chosen, choose, one) {
  return [
    { title: "Choose", head: html`<span class="unseen">Choose</span>`, of: (job) => html`<input type="checkbox" aria-label=${`Choose ${job.job_id}`} checked=${chosen.has(job.job_id)} onChange=${() => choose(job.job_id)} />` },
    { title: "Job", of: (job) => html`<a class="code" href=${to("queue", job.job_id)}>${job.job_id}</a>` },
    { title: "Task", of: (job) => job.task },
    { title: "Topic", of: (job) => html`<a href=${to("dead", "", { topic: job.topic })}>${job.topic}</a>` },
    { title: "Attempts", right: true, of: (job) => html`<span class="number">${job.attempts}</span>` },
    { title: "Why", grow: true, of: (job) => html`<span class="clip" title=${why(job)}>${why(job)}</span>` },
    { title: "Last run", of: (job) => (job.run_id ? html`<${RunLink} id=${job.run_id} />` : "") },
    { title: "When", right: true, of: (job) => html`<${Ago} time=${job.ended_at} />` },
    { title: "Actions", head: html`<span class="unseen">Actions</span>`, right: true, of: (job) => html`<button type="button" class="small" aria-label=${`Replay ${job.job_id}`} onClick=${() => one(job)}>Replay</button>` },
  ];
}

function Actions({ topic, chosen, jobs, act: run }) {
  if (chosen.size) {
    const bodies = [...chosen].map((job_id) => ({ job_id }));
    return html`<button type="button" onClick=${() => run("replay", bodies, letters(chosen.size))}>Replay ${count(chosen.size)}</button>
      <button type="button" class="danger-quiet" onClick=${() => run("purge", bodies, letters(chosen.size))}>Purge ${count(chosen.size)}</button>`;
  }
  const topics = topic ? [topic] : [...new Set(jobs.map((job) => job.topic))];
  if (topics.length !== 1) return html`<span class="faint">Choose some, or a topic</span>`;
  const bodies = [{ topic: topics[0] }];
  return html`<button type="button" onClick=${() => run("replay", bodies, `all of ${topics[0]}`)}>Replay all of ${topics[0]}</button>
    <button type="button" class="danger-quiet" onClick=${() => run("purge", bodies, `all of ${topics[0]}`)}>Purge all of ${topics[0]}</button>`;
}

export function Dead() {
  const { query } = useStore(place);
  const [chosen, setChosen] = useState(new Set());
  const trail = query.after ? query.after.split(" ") : [];
  const asked = useAsked(pathOf("v1/dead", { topic: query.topic, limit: PAGE, after: trail.at(-1) }),
    { ask: lookOn(get, "jobs", PAGE / 2), every: 5000, when: (event) => event.event === "run.ended" });
  const choose = (id) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const after = () => {
    setChosen(new Set());
    asked.reload();
  };
  const run = (action, bodies, what) => act(action, bodies, what, after);
  const jobs = asked.data?.jobs ?? [];
  const one = (job) => attempt(() => post("v1/dead/replay", { job_id: job.job_id }), `${job.job_id} is ready again`).then(after);
  return html`<${Heading} title="Dead letters" actions=${jobs.length > 0 && html`<${Actions} topic=${query.topic} chosen=${chosen} jobs=${jobs} act=${run} />`}>
      <p class="sub">Jobs that failed for good, and wait for a decision.
        ${query.topic && html` Only of ${query.topic}. <a href=${to("dead")}>All topics</a>`}</p></${Heading}>
    <section class="panel flush" aria-label="List"><${Asked} asked=${asked} missing=${noQueue}>${({ next }) => html`
      ${jobs.length ? html`<${Table} caption="Dead letters" columns=${Object.assign(columnsFor(chosen, choose, one), { heading: 1 })} rows=${jobs} keyOf=${(job) => job.job_id} />`
        : html`<${Empty} title="No dead letters">Every job has ended well, or still has attempts left.</${Empty}>`}
      ${(next || trail.length > 0) && html`<${Pages} trail=${trail} next=${next} shown=${`Page ${trail.length + 1}`} turn=${(cursors) => amend({ after: cursors.join(" ") })} />`}`}</${Asked}></section>`;
}
