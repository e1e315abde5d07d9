/* SPDX-License-Identifier: Apache-2.0 */
/* One run: how it is, what it prints, and what may be done about it. */
import { part, post } from "./api.js";
import { announce, attempt, confirm } from "./dialog.js";
import { fullTime, stateOf, why, words } from "./format.js";
import { html, useEffect, useRef, useStore } from "./lib.js";
import { useAsked } from "./live.js";
import { useKey } from "./keys.js";
import { Output } from "./output.js";
import { Ago, Asked, Badge, Code, Empty, Facts, Heading, Panel, RunBadge, Table, Took } from "./parts.js";
import { amend, go, place, to } from "./route.js";
import { Events, Timeline } from "./timeline.js";

const TABS = [["output", "Output"], ["events", "Events"], ["spec", "Spec"], ["routing", "Routing"]];

const act = (run, action, done) => attempt(() => post(`v1/runs/${part(run.run_id)}/${action}`, {}), done);

/* What may be done in which state: {title, when, key, ask, do}. */
const ACTIONS = {
  cancel: {
    title: "Cancel", danger: true, key: "x", when: (run) => !run.archived && ["queued", "running", "backoff"].includes(run.state),
    question: { title: "Cancel this run?", text: "Its attempt is asked to stop, then killed when its grace is over. It does not start again.", action: "Cancel the run", keep: "Let it run", danger: true },
    done: "It is being canceled",
  },
  kill: {
    title: "Kill", danger: true, when: (run) => ["stopping", "stuck"].includes(run.state),
    question: { title: "Kill this run?", text: "What it is doing ends at once, without its grace.", action: "Kill it", keep: "Wait", danger: true },
    done: "It was killed",
  },
  abandon: {
    title: "Give up on it", danger: true, when: (run) => run.state === "stuck",
    question: { title: "Give up on this run?", text: "Its slot becomes free, though what it started may still be there.", action: "Give up on it", danger: true },
    done: "Its slot is free",
  },
  pause: { title: "Pause", when: (run) => !run.paused && ["queued", "backoff"].includes(run.state), done: "It starts no attempt until it is resumed" },
  resume: { title: "Resume", when: (run) => run.paused && run.state !== "ended", done: "It goes on" },
  retry: { title: "Run again", primary: true, key: "e", when: (run) => run.state === "ended" && !run.archived, done: (next) => `${next.run_id} was submitted` },
};

async function perform(name, run, reload) {
  const action = ACTIONS[name];
  if (!action.when(run)) return;
  if (action.question && !await confirm({ ...action.question, text: html`<span class="code">${run.run_id}</span><br />${action.question.text}` })) return;
  const answer = await act(run, name, action.done);
  if (answer && name === "retry") go(to("runs", answer.run_id));
  else reload();
}

function Buttons({ run, reload }) {
  for (const [name, action] of Object.entries(ACTIONS)) if (action.key) useKey(action.key, () => perform(name, run, reload));
  return Object.entries(ACTIONS).filter(([, action]) => action.when(run)).map(([name, action]) => html`<button type="button" key=${name}
    class=${action.danger ? "danger-quiet" : action.primary ? "primary" : ""} onClick=${() => perform(name, run, reload)}>${action.title}</button>`);
}

const VERDICTS = { taken: ["taken", "It took the run."], shadowed: ["calm", "It could have, but one before it did."] };
const routeColumns = [
  { title: "Runner", of: (one) => one.runner },
  { title: "Verdict", of: (one) => html`<${Badge} word=${one.verdict} />` },
  { title: "Why", grow: true, of: (one) => one.text || VERDICTS[one.verdict]?.[1] || "" },
];

function Spec({ run }) {
  const asked = useAsked(`v1/runs/${part(run.run_id)}/spec`);
  return html`<${Asked} asked=${asked} missing=${{ title: "Its spec is not kept" }}>${(spec) => html`<${Code} value=${spec} label="Spec as JSON" />`}</${Asked}>`;
}

function Routing({ run }) {
  const asked = useAsked(`v1/runs/${part(run.run_id)}/route`);
  return html`<${Asked} asked=${asked} missing=${{ title: "Its spec is not kept" }}>${({ candidates }) =>
    html`<${Table} caption="Runners in their order, and why each took the run or did not" columns=${routeColumns} rows=${candidates} keyOf=${(one) => one.runner} />`}</${Asked}>`;
}

function Tabs({ run, query }) {
  const chosen = TABS.some(([name]) => name === query.tab) ? query.tab : "output";
  const list = useRef();
  const step = (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const at = (TABS.findIndex(([name]) => name === chosen) + move + TABS.length) % TABS.length;
    amend({ tab: TABS[at][0] }, { replace: true });
    list.current.children[at].focus();
  };
  return html`<section class="panel" aria-label="Details">
    <div class="tabs" role="tablist" aria-label="Details of the run" ref=${list} onKeyDown=${step}>${TABS.map(([name, title]) => html`<button type="button" role="tab" key=${name}
      id=${`tab-${name}`} aria-selected=${name === chosen} aria-controls="tab-panel" tabindex=${name === chosen ? 0 : -1}
      onClick=${() => amend({ tab: name === "output" ? "" : name }, { replace: true })}>${title}</button>`)}</div>
    <div role="tabpanel" id="tab-panel" aria-labelledby=${`tab-${chosen}`} class="panel-body flush">
      ${chosen === "output" && html`<${Output} run=${run.run_id} attempt=${query.attempt} />`}
      ${chosen === "events" && (run.events?.length ? html`<${Events} events=${run.events} />` : html`<${Empty} title="No event of it is kept" />`)}
      ${chosen === "spec" && html`<${Spec} run=${run} />`}
      ${chosen === "routing" && html`<${Routing} run=${run} />`}
    </div>
  </section>`;
}

const over = (run) => run.state === "ended";

const facts = (run) => [
  ["Task", html`<a href=${to("runs", "", { task: run.task })}>${run.task}</a>`],
  ["Runner", run.runner], ["Kind", run.kind], ["Slot", html`<a href=${to("runs", "", { slot: run.slot })}>${run.slot}</a>`],
  ["Job", run.job_id && html`<a class="code" href=${to("queue", run.job_id)}>${run.job_id}</a>`],
  ["Submitted", run.submitted_at && html`<time datetime=${run.submitted_at}>${fullTime(run.submitted_at)}</time>`],
  ["Took", html`<${Took} from=${run.started_at} until=${run.ended_at} over=${over(run)} />`],
  ["Ready", !over(run) && run.ready ? "yes" : ""],
  ["Exit code", run.exit_code], ["Signal", run.signal], ["Reason", words(run.reason)],
];

function Progress({ run }) {
  if (run.ratio === undefined || over(run)) return null;
  const percent = Math.round(run.ratio * 100);
  return html`<label class="progress"><progress max="100" value=${percent}></progress> <span class="number">${percent}%</span><span class="unseen">done</span></label>`;
}

function Shown({ run, query, reload }) {
  const state = stateOf(run), told = useRef(state);
  useEffect(() => {
    if (told.current !== state) announce(`${run.run_id}: ${words(state)}`);
    told.current = state;
  }, [state]);
  return html`<${Heading} title=${run.run_id} actions=${html`<${Buttons} run=${run} reload=${reload} />`}>
      <p class="sub"><${RunBadge} run=${run} /> ${over(run) ? html`<${Ago} time=${run.ended_at} />` : html`for <${Took} from=${run.state === "queued" ? run.submitted_at : run.attempt_started_at ?? run.submitted_at} />`}
        <${Progress} run=${run} /></p>
      ${why(run) && html`<p class="message" data-tone=${["failed", "fatal", "timed_out", "lost", "rejected", "stuck"].includes(state) ? "bad" : "calm"}>${why(run)}</p>`}
    </${Heading}>
    <div class="run-columns">
      <div class="run-side">
        <${Panel} title="Attempts" id="attempts"><${Timeline} run=${run} chosen=${query.attempt ?? ""} /></${Panel}>
        <${Panel} title="Facts" id="facts"><${Facts} facts=${facts(run)} /></${Panel}>
      </div>
      <${Tabs} run=${run} query=${query} />
    </div>`;
}

export function Run() {
  const { name, query } = useStore(place);
  const asked = useAsked(`v1/runs/${part(name)}`, { every: 15000, when: (event) => event.run_id === name || event.task === name });
  if (asked.data) return html`<${Shown} key=${asked.data.run_id} run=${asked.data} query=${query} reload=${asked.reload} />`;
  return html`<${Heading} title=${name} />${asked.fault?.status === 404
    ? html`<section class="panel"><${Empty} title="This run is not known any more">Ended runs are kept for a while only. <a href=${to("runs")}>All runs</a></${Empty}></section>`
    : html`<${Asked} asked=${asked}>${() => ""}</${Asked}>`}`;
}
