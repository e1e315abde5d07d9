/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around the views. */
import { get, locked, setToken, takeToken } from "./api.js";
import { Dead } from "./dead.js";
import { Dialogs } from "./dialog.js";
import { Icon } from "./icons.js";
import { begin as beginInbox, Inbox, inboxCount } from "./inbox.js";
import { Help, helpShown } from "./keys.js";
import { html, render, useEffect, useRef, useStore } from "./lib.js";
import { connection, run } from "./live.js";
import { Overview } from "./overview.js";
import { Empty, Heading } from "./parts.js";
import { Plugins } from "./plugins.js";
import { Queue } from "./queue.js";
import { place, to } from "./route.js";
import { Run } from "./run.js";
import { Runs } from "./runs.js";
import { begin as beginSamples, look, status } from "./samples.js";
import { Tasks } from "./tasks.js";
import { ThemeSwitch } from "./theme-switch.js";

const VIEWS = [
  { name: "", title: "Overview", icon: "overview", view: Overview },
  { name: "inbox", title: "Inbox", icon: "inbox", view: Inbox },
  { name: "runs", title: "Runs", icon: "runs", view: Runs, one: Run },
  { name: "queue", title: "Queue", icon: "queue", view: Queue },
  { name: "dead", title: "Dead letters", icon: "dead", view: Dead },
  { name: "tasks", title: "Tasks", icon: "tasks", view: Tasks },
  { name: "plugins", title: "Plugins", icon: "plugins", view: Plugins },
];

function Nav({ current }) {
  const waiting = useStore(inboxCount), now = useStore(status);
  const list = useRef();
  useEffect(() => list.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  const counts = { inbox: waiting, dead: now?.queue?.dead };
  return html`<nav class="nav" aria-label="Views"><ul ref=${list}>${VIEWS.map(({ name, title, icon }) => html`<li key=${name}>
    <a href=${to(name)} aria-current=${name === current ? "page" : undefined}><${Icon} name=${icon} /><span>${title}</span>
    ${counts[name] > 0 && html`<span class="nav-count">${counts[name] > 99 ? "99+" : counts[name]}<span class="unseen"> waiting</span></span>`}</a></li>`)}</ul></nav>`;
}

const SAYS = { live: ["Live", "good"], connecting: ["Connecting", "wait"], lost: ["Reconnecting", "warn"] };

function Bar() {
  const state = useStore(connection), closed = useStore(locked);
  const [text, toneOf] = closed ? ["Locked", "warn"] : SAYS[state];
  return html`<header class="bar">
    <a class="brand" href="#/"><img src="page/icon.svg" alt="" width="26" height="26" /><span>Paddock</span></a>
    <span class="badge connection" role="status" data-tone=${toneOf}>${text}</span>
    <span class="spring"></span>
    <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${() => helpShown.set(true)}>?</button>
    <${ThemeSwitch} />
  </header>`;
}

/* Has a token been tried? The form is made anew when it was wrong. */
let tried = false;

function Unlock() {
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  const submit = async (event) => {
    event.preventDefault();
    const token = field.current.value.trim();
    if (!token) return;
    tried = true;
    setToken(token);
    try {
      await get("v1/version");
      tried = false;
      look();
    } catch { /* it is locked again, or the connection says so */ }
  };
  return html`<div class="unlock"><form class="panel" onSubmit=${submit}>
    <h1>Token</h1>
    <p>Over TCP, Paddock answers to who knows the token. It is in the file that <code>token_file</code> names, and stays in this tab until you close it.</p>
    <label class="field">Token<input ref=${field} type="password" autocomplete="off" spellcheck=${false} required aria-describedby=${tried ? "token-fault" : undefined} /></label>
    ${tried && html`<p id="token-fault" class="fault" role="alert">That is not the token.</p>`}
    <div class="dialog-actions"><button type="submit" class="primary">Open</button></div>
  </form></div>`;
}

const Nowhere = () => html`<${Heading} title="Nothing here" /><section class="panel"><${Empty} title="There is no such view"><a href="#/">To the overview</a></${Empty}></section>`;

/* Asking for the token keeps the views as they were, once one has come so far: nothing is lost by it. */
function App() {
  const { view, name } = useStore(place), closed = useStore(locked);
  const found = VIEWS.find((one) => one.name === view);
  const View = !found ? Nowhere : name && found.one ? found.one : found.view;
  return html`<${Bar} /><div class="frame"><${Nav} current=${view} />
    <main id="main" tabindex="-1">${closed ? html`<${Unlock} />` : html`<${View} key=${`${view}/${name}`} />`}</main></div>
    <${Dialogs} /><${Help} />`;
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the view's
  document.getElementById("main").focus();
});

takeToken();
document.getElementById("app").replaceChildren();
render(html`<${App} />`, document.getElementById("app"));
run();
beginSamples();
beginInbox();
