/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of their own. Who dictates or holds keys down by chance can switch them off, in the list that ? shows. */
import { Dialog } from "./dialog.js";
import { html, kept, store, useLayoutEffect, useStore } from "./lib.js";
import { go, to } from "./route.js";

export const helpShown = store(false);
export const keysOn = store(kept.get("keys", "on") === "on");

const views = [["o", "Overview", ""], ["r", "Runs", "runs"], ["t", "Tasks and slots", "tasks"], ["q", "Queue", "queue"],
  ["p", "Plugins", "plugins"], ["d", "Dead letters", "dead"], ["i", "Inbox", "inbox"]];

const everywhere = [
  ...views.map(([key, title]) => [`g ${key}`, `Go to ${title}`]),
  ["/", "Search"], ["j", "Next row"], ["k", "Row before"], ["Enter", "Open the row"], ["?", "This list"], ["Esc", "Close"],
];
const ofRun = [["f", "Follow the output"], ["s", "Pause the output"], ["w", "Wrap long lines"], ["x", "Cancel the run"], ["e", "Run it again"]];

/* What the view that is shown does on a key. */
const handlers = new Map();

/** While a part is shown, a key does this. From the moment it is drawn: a key that comes before the next frame finds no old one. */
export function useKey(key, handler) {
  useLayoutEffect(() => {
    handlers.set(key, handler);
    return () => handlers.get(key) === handler && handlers.delete(key);
  });
}

function move(step) {
  const links = [...document.querySelectorAll("#main tbody tr")].map((row) => row.querySelector("a, button")).filter(Boolean);
  if (!links.length) return;
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
}

const common = {
  "?": () => helpShown.set(true),
  "/": () => {
    const field = document.querySelector('#main input[type="search"]');
    if (field) field.focus();
    else go(to("runs", "", { find: 1 }));
  },
  j: () => move(1),
  k: () => move(-1),
};

let leader = 0;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!keysOn.get()) return;
  const led = Date.now() - leader < 1500;
  leader = !led && event.key === "g" ? Date.now() : 0;
  if (leader) return;
  const view = led && views.find(([key]) => key === event.key);
  const handler = view ? () => go(to(view[2])) : led ? null : handlers.get(event.key) ?? common[event.key];
  if (!handler) return;
  event.preventDefault();
  handler();
}

addEventListener("keydown", onKey);

const Keys = ({ title, keys }) => html`<table class="keys"><caption>${title}</caption>
  <thead class="unseen"><tr><th scope="col">Key</th><th scope="col">Does</th></tr></thead>
  <tbody>${keys.map(([key, does]) => html`<tr key=${key}><th scope="row">${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</th><td>${does}</td></tr>`)}</tbody>
</table>`;

export function Help() {
  const shown = useStore(helpShown), on = useStore(keysOn);
  if (!shown) return null;
  const close = () => helpShown.set(false);
  const change = (event) => {
    keysOn.set(event.target.checked);
    kept.set("keys", event.target.checked ? "on" : "off");
  };
  return html`<${Dialog} title="Keyboard" wide onClose=${close}>
    <div class="keys-columns"><${Keys} title="Everywhere" keys=${everywhere} /><${Keys} title="On a run" keys=${ofRun} /></div>
    <label class="check"><input type="checkbox" checked=${on} onChange=${change} /> Use these keys on this page</label>
    <div class="dialog-actions"><button type="button" class="primary" autofocus onClick=${close}>Close</button></div>
  </${Dialog}>`;
}
