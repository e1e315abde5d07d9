/* SPDX-License-Identifier: Apache-2.0 */
/* All runs. What is looked for stands in the address. */
import { get, pathOf } from "./api.js";
import { FAILURES, why } from "./format.js";
import { html, useEffect, useRef, useStore } from "./lib.js";
import { useAsked } from "./live.js";
import { Ago, Asked, Empty, Heading, lookOn, Pages, RunBadge, RunLink, Table, Took } from "./parts.js";
import { amend, place } from "./route.js";

const PAGE = 50, TYPING_MS = 250;

const CHOICES = [
  ["All", {}],
  ["Active", { state: "running,stopping,stuck" }],
  ["Waiting", { state: "queued,backoff" }],
  ["Succeeded", { outcome: "succeeded" }],
  ["Failed", { outcome: FAILURES }],
  ["Canceled", { outcome: "canceled" }],
];

const columns = [
  { title: "State", of: (run) => html`<${RunBadge} run=${run} />` },
  { title: "Run", of: (run) => html`<${RunLink} id=${run.run_id} />` },
  { title: "Runner", minor: true, of: (run) => run.runner },
  { title: "Attempts", minor: true, right: true, of: (run) => html`<span class="number">${run.attempts}</span>` },
  { title: "Submitted", right: true, of: (run) => html`<${Ago} time=${run.submitted_at} />` },
  { title: "Took", right: true, of: (run) => html`<${Took} from=${run.started_at} until=${run.ended_at} over=${run.state === "ended"} />` },
  { title: "Message", grow: true, of: (run) => (why(run) ? html`<span class="clip" title=${why(run)}>${why(run)}</span>` : "") },
];
columns.heading = 1;

function Search({ query }) {
  const field = useRef(), timer = useRef(0);
  useEffect(() => {
    if (document.activeElement !== field.current) field.current.value = query.search ?? "";
    if (query.find) {
      field.current.focus();
      amend({ find: "" }, { replace: true });
    }
  }, [query.search, query.find]);
  useEffect(() => () => clearTimeout(timer.current), []); // what comes next is another view's address
  const type = (event) => {
    const { value } = event.target;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => amend({ search: value.trim(), after: "" }, { replace: true }), TYPING_MS);
  };
  return html`<input ref=${field} type="search" aria-label="Search run, task or message" placeholder="Search run, task or message"
    onInput=${type} spellcheck=${false} autocomplete="off" />`;
}

/* A list of what can be chosen; a name of the address that is not in it is kept. */
function Choice({ title, name, query, names }) {
  const all = query[name] && !names.includes(query[name]) ? [...names, query[name]] : names;
  return html`<span class="choice"><select aria-label=${title} value=${query[name] ?? ""} onChange=${(event) => amend({ [name]: event.target.value, after: "" })}>
      <option value="">${title}: all</option>${all.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
    </select></span>`;
}

function Filters({ query }) {
  const tasks = useAsked("v1/tasks"), plugins = useAsked("v1/plugins");
  const runners = (plugins.data?.plugins ?? []).filter((plugin) => plugin.roles?.includes("runner") || plugin.kinds?.length);
  const kinds = [...new Set(runners.flatMap((plugin) => plugin.kinds ?? []))];
  const is = (choice) => (choice.state ?? "") === (query.state ?? "") && (choice.outcome ?? "") === (query.outcome ?? "");
  return html`<form class="filters" role="search" aria-label="Runs" onSubmit=${(event) => event.preventDefault()}>
    <div class="chips" role="group" aria-label="State">${CHOICES.map(([title, choice]) => html`<button type="button" key=${title} class="chip"
      aria-pressed=${is(choice)} onClick=${() => amend({ state: "", outcome: "", after: "", ...choice })}>${title}</button>`)}</div>
    <${Search} query=${query} />
    <${Choice} title="Task" name="task" query=${query} names=${(tasks.data?.tasks ?? []).map((task) => task.task)} />
    <${Choice} title="Kind" name="kind" query=${query} names=${kinds} />
    <${Choice} title="Runner" name="runner" query=${query} names=${runners.map((plugin) => plugin.name)} />
  </form>`;
}

const ask = lookOn(get, "runs", PAGE / 2);

export function Runs() {
  const { query } = useStore(place);
  const { state, outcome, task, kind, runner, slot, search } = query;
  const trail = query.after ? query.after.split(" ") : [];
  const first = !trail.length;
  const path = pathOf("v1/runs", { state, outcome, task, kind, runner, slot, search, limit: PAGE, after: trail.at(-1) });
  const asked = useAsked(path, { ask, every: first ? 10000 : 0, when: (event) => first && /^(run|attempt)\./.test(event.event) });
  const filtered = [state, outcome, task, kind, runner, slot, search].some(Boolean);
  const none = filtered
    ? html`<${Empty} title="No run is like that"><button type="button" onClick=${() => amend({ state: "", outcome: "", task: "", kind: "", runner: "", slot: "", search: "", after: "" })}>Show all</button></${Empty}>`
    : html`<${Empty} title="Nothing has run yet">Runs appear here as soon as they are submitted.</${Empty}>`;
  return html`<${Heading} title="Runs" />
    <${Filters} query=${query} />
    <section class="panel flush" aria-label="List">
      <${Asked} asked=${asked}>${({ runs, next }) => html`
        ${runs.length ? html`<${Table} caption="Runs, newest first" columns=${columns} rows=${runs} keyOf=${(run) => run.run_id} />` : none}
        ${(next || !first) && html`<${Pages} trail=${trail} next=${next} shown=${`Page ${trail.length + 1}`} turn=${(cursors) => amend({ after: cursors.join(" ") })} />`}`}</${Asked}>
    </section>`;
}
