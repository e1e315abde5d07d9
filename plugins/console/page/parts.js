/* SPDX-License-Identifier: Apache-2.0 */
/* Small parts of which views are made. */
import { ago, between, duration, fullTime, stateOf, tone, words } from "./format.js";
import { html, useEffect, useRef, useStore } from "./lib.js";
import { now } from "./live.js";
import { to } from "./route.js";

/** A state: a dot and a word, so that colour alone says nothing. */
export const Badge = ({ word }) => html`<span class="badge" data-tone=${tone(word)}>${words(word)}</span>`;

export const RunBadge = ({ run }) => html`<${Badge} word=${run.paused && run.state !== "ended" ? "paused" : stateOf(run)} />`;

export function Ago({ time }) {
  const current = useStore(now);
  return time ? html`<time datetime=${time} title=${fullTime(time)}>${ago(time, current)}</time>` : html`<span class="faint">–</span>`;
}

/** How long from one time to another; it goes on while there is no other. */
export function Took({ from, until, over }) {
  const current = useStore(now);
  if (!from || (over && !until)) return html`<span class="faint">–</span>`;
  return html`<span class="number">${duration(between(from, until, current))}</span>`;
}

export const RunLink = ({ id }) => html`<a class="code" href=${to("runs", id)}>${id}</a>`;

/* Who has just opened the page begins at its start. */
let opened = false;

/** The heading of a view. The first thing read when one comes to it. */
export function Heading({ title, children, actions }) {
  const ref = useRef();
  useEffect(() => {
    document.title = `${title} · Paddock`;
    if (opened) {
      ref.current.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    opened = true;
  }, [title]);
  return html`<div class="heading">
    <div class="heading-words"><h1 tabindex="-1" ref=${ref}>${title}</h1>${children}</div>
    ${actions && html`<div class="actions">${actions}</div>`}
  </div>`;
}

export const Panel = ({ title, id, children, extra, flush }) => html`<section class="panel" aria-labelledby=${id}>
  <div class="panel-head"><h2 id=${id}>${title}</h2>${extra}</div>
  <div class=${flush ? "panel-body flush" : "panel-body"}>${children}</div>
</section>`;

/** What there is instead of a table when it would have no rows. */
export const Empty = ({ title, children }) => html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<p>${children}</p>`}</div>`;

export const FaultNote = ({ fault }) => fault && html`<div class="fault" role="alert">
  <strong>${fault.message}</strong>${fault.hint && html`<span> ${fault.hint}</span>`}
</div>`;

/** What was asked: its fault, a place holder while it is on its way, or what `children` makes of it. */
export function Asked({ asked, children, missing }) {
  if (asked.data) return html`${asked.fault && html`<${FaultNote} fault=${asked.fault} />`}${children(asked.data)}`;
  if (asked.fault?.status === 501 && missing) return html`<${Empty} title=${missing.title}>${missing.text}</${Empty}>`;
  if (asked.fault) return html`<${FaultNote} fault=${asked.fault} />`;
  return html`<div class="loading" aria-busy="true"><span class="unseen">Loading</span></div>`;
}

/**
 * A table: `columns` are {title, head, of, right, grow, minor}, `of` makes the cell of a row, minor ones are left out on a narrow screen. On a narrow screen each row is a card,
 * and each cell says its title before it.
 */
export function Table({ caption, columns, rows, keyOf, label = () => undefined }) {
  return html`<div class="table-frame"><table>
    <caption class="unseen">${caption}</caption>
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${[c.right && "right", c.minor && "minor"].filter(Boolean).join(" ")}>${c.head ?? c.title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)} data-row=${label(row)}>${columns.map((c, i) => {
      const cell = c.of(row);
      const classes = [c.right && "right", c.grow && "grow", c.minor && "minor", (cell === "" || cell === null || cell === undefined) && "blank"].filter(Boolean).join(" ");
      return i === (columns.heading ?? 0)
        ? html`<th scope="row" class=${classes} data-title=${c.title}>${cell}</th>`
        : html`<td class=${classes} data-title=${c.title}>${cell}</td>`;
    })}</tr>`)}</tbody>
  </table></div>`;
}

/** Name and value, one below the other; what has no value is left out. */
export const Facts = ({ facts }) => html`<dl class="facts">${facts
  .filter(([, value]) => value !== undefined && value !== null && value !== "")
  .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const Labels = ({ labels }) => html`<span class="labels">${Object.entries(labels ?? {}).map(
  ([key, value]) => html`<span class="label" key=${key}>${key}=${String(value)}</span>`)}</span>`;

export const Code = ({ value, label }) => html`<pre class="code-block" tabindex="0" aria-label=${label}>${JSON.stringify(value, null, 2)}</pre>`;

/** Newer and older pages; `trail` are the cursors that led here, kept in the address. */
export const Pages = ({ trail, next, turn, shown }) => html`<nav class="pages" aria-label="Pages">
  <span class="faint">${shown}</span>
  <button type="button" disabled=${!trail.length} onClick=${() => turn(trail.slice(0, -1))}>← Newer</button>
  <button type="button" disabled=${!next} onClick=${() => turn([...trail, next])}>Older →</button>
</nav>`;

/** A page of a list may be empty and have a next all the same: look on, but not for ever. */
export const lookOn = (get, name, wanted) => async (path, signal) => {
  let page = await get(path, signal);
  for (let i = 0; i < 8 && page.next && page[name].length < wanted; i++) {
    const [base, query] = path.split("?", 2), words = new URLSearchParams(query);
    words.set("after", page.next);
    const more = await get(`${base}?${words}`, signal);
    page = { ...more, [name]: [...page[name], ...more[name]] };
  }
  return page;
};
