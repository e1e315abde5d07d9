/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs what: plugins with their labels, health and load. */
import { count } from "./format.js";
import { html } from "./lib.js";
import { useAsked } from "./live.js";
import { Asked, Badge, Empty, Heading, Labels, Table } from "./parts.js";
import { to } from "./route.js";

function Load({ plugin }) {
  if (!plugin.kinds?.length && !plugin.running) return plugin.pending ? html`${count(plugin.pending)} pending` : html`<span class="faint">–</span>`;
  const link = html`<a class="number" href=${to("runs", "", { runner: plugin.name, state: "running,stopping,stuck" })}>${count(plugin.running ?? 0)}</a>`;
  if (!plugin.limit) return html`<span class="load">${link} <span class="faint">running</span></span>`;
  const share = Math.min(plugin.running / plugin.limit, 1);
  return html`<span class="load"><span class="load-track" aria-hidden="true"><span class="load-bar" data-tone=${share >= 1 ? "warn" : "busy"} style=${{ width: `${share * 100}%` }}></span></span>
    ${link}<span class="faint"> of ${count(plugin.limit)}</span></span>`;
}

const says = (p) => [p.text, p.stuck && `${p.stuck} stuck`, p.misbehaved && `broke a rule ${p.misbehaved} times`].filter(Boolean).join(", ");

/* Those that somebody gave it; those that every one has are there for who wants to know. */
function PluginLabels({ labels }) {
  const all = Object.entries(labels), own = all.filter(([key]) => !key.startsWith("paddock/")), rest = all.filter(([key]) => key.startsWith("paddock/"));
  return html`${own.length > 0 && html`<${Labels} labels=${Object.fromEntries(own)} />`}
    ${rest.length > 0 && html`<details class="more"><summary>${own.length ? "and" : ""} ${rest.length} of its own</summary><${Labels} labels=${Object.fromEntries(rest)} /></details>`}`;
}

const columns = [
  { title: "Name", of: (p) => html`${p.name}${p.plugin !== p.name ? html` <span class="faint">${p.plugin}</span>` : ""}` },
  { title: "Health", of: (p) => html`<${Badge} word=${p.health} />` },
  { title: "Role", of: (p) => (p.roles ?? []).join(", ") || html`<span class="faint">–</span>` },
  { title: "Kinds", of: (p) => (p.kinds ?? []).join(", ") },
  { title: "Labels", grow: true, of: (p) => html`<${PluginLabels} labels=${p.labels ?? {}} />` },
  { title: "Load", of: (p) => html`<${Load} plugin=${p} />` },
  { title: "Says", of: says },
  { title: "Version", minor: true, right: true, of: (p) => html`<span title=${p.file}>${p.version ?? ""}</span>` },
];

export function Plugins() {
  const asked = useAsked("v1/plugins", { every: 3000, when: (event) => event.event === "plugin.health" });
  return html`<${Heading} title="Plugins"><p class="sub">In the order in which they are asked for a task.</p></${Heading}>
    <section class="panel flush" aria-label="List"><${Asked} asked=${asked}>${({ plugins }) => (plugins.length
      ? html`<${Table} caption="Plugins in routing order" columns=${plugins.some(says) ? columns : columns.filter((column) => column.of !== says)} rows=${plugins} keyOf=${(plugin) => plugin.name} />`
      : html`<${Empty} title="No plugin is loaded" />`)}</${Asked}></section>`;
}
