/* SPDX-License-Identifier: Apache-2.0 */
/* What a run prints, as it prints it. */
import { blob, follow, part, pathOf } from "./api.js";
import { attempt as tried } from "./dialog.js";
import { count } from "./format.js";
import { html, kept, useEffect, useLayoutEffect, useRef, useState } from "./lib.js";
import { useKey } from "./keys.js";
import { Lines, LINES_MAX } from "./lines.js";

const RETRY_MS = 1500, NEAR_PX = 40;

/* Pieces until the end, over breaks. With an archive an id says where to go on: ATTEMPT-OFFSET; without one it begins anew. */
async function read(run, attempt, lines, signal, say) {
  for (let after = ""; ;) {
    try {
      const query = { follow: "true", attempt: attempt || undefined, tail: after ? undefined : LINES_MAX };
      const start = () => {
        if (!after) lines.clear();
        say("live");
      };
      for await (const { id, type, data } of follow(pathOf(`v1/runs/${part(run)}/output`, query), signal, { after, start })) {
        if (type === "end") {
          lines.end();
          return say("ended");
        }
        if (id?.includes("-")) after = id;
        lines.take(data);
      }
    } catch (fault) {
      if (signal.aborted) return undefined;
      if (fault.status && fault.status !== 401 && fault.status !== 429 && fault.status !== 503) return say("none", fault);
    }
    say("broken");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    if (signal.aborted) return undefined;
  }
}

async function download(run, attempt, stream) {
  const data = await blob(pathOf(`v1/runs/${part(run)}/output`, { attempt: attempt || undefined, stream: stream === "both" ? undefined : stream }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = `${run}${attempt ? `-${attempt}` : ""}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const SAYS = { live: "live", ended: "ended", broken: "reconnecting", none: "" };

function Switch({ on, set, title, keyName }) {
  if (keyName) useKey(keyName, () => set(!on));
  return html`<button type="button" class="chip" aria-pressed=${on} onClick=${() => set(!on)}>${title}</button>`;
}

/* What stays as it was chosen, from run to run. */
function useKept(name, first) {
  const [value, set] = useState(kept.get(name, first));
  return [value, (next) => {
    kept.set(name, next);
    set(next);
  }];
}

function Bar({ said, follows, setFollows, held, setHeld, wraps, setWraps, times, setTimes, stream, setStream, save }) {
  return html`<div class="output-bar" role="toolbar" aria-label="Output">
    <span class="badge" data-tone=${said === "live" ? "busy" : said === "broken" ? "warn" : "calm"}>${SAYS[said] ?? "connecting"}</span>
    <span class="spring"></span>
    <span class="choice"><select aria-label="Streams" value=${stream} onChange=${(event) => setStream(event.target.value)}>
      <option value="both">Both streams</option><option value="stdout">stdout</option><option value="stderr">stderr</option></select></span>
    <${Switch} title="Follow" on=${follows} set=${setFollows} keyName="f" />
    <${Switch} title=${held ? "Paused" : "Pause"} on=${held} set=${setHeld} keyName="s" />
    <${Switch} title="Wrap" on=${wraps === "on"} set=${(on) => setWraps(on ? "on" : "off")} keyName="w" />
    <${Switch} title="Times" on=${times === "on"} set=${(on) => setTimes(on ? "on" : "off")} />
    <button type="button" class="chip" onClick=${save}>Download</button>
  </div>`;
}

export function Output({ run, attempt }) {
  const frame = useRef(), body = useRef(), lines = useRef(null), following = useRef(true), top = useRef(0);
  const [said, setSaid] = useState({ word: "connecting" });
  const [counts, setCounts] = useState({ lines: 0, dropped: 0, waiting: 0 });
  const [follows, setFollowed] = useState(true), [held, setHeld] = useState(false);
  const [wraps, setWraps] = useKept("wrap", "on"), [times, setTimes] = useKept("times", "off"), [stream, setStream] = useState("both");

  const toEnd = () => {
    if (frame.current) frame.current.scrollTop = frame.current.scrollHeight; // else it has left
  };
  const setFollows = (on) => {
    following.current = on;
    setFollowed(on);
    if (on) toEnd();
  };
  useEffect(() => {
    const stop = new AbortController();
    lines.current = new Lines(body.current, setCounts);
    const grown = new ResizeObserver(() => following.current && toEnd()); // a block is as high as it is once it is seen
    grown.observe(body.current);
    read(run, attempt, lines.current, stop.signal, (word, fault) => stop.signal.aborted || setSaid({ word, fault }));
    return () => {
      stop.abort();
      lines.current.stop();
      grown.disconnect();
    };
  }, [run, attempt]);
  useLayoutEffect(() => {
    if (following.current) toEnd();
  }, [counts]);
  useEffect(() => lines.current.hold(held), [held]);
  /* Who scrolls up reads; who scrolls down to the end follows again. */
  const scroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = frame.current;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_PX, up = scrollTop < top.current;
    top.current = scrollTop;
    if (!near && !up && following.current) return; // it grew
    if (near !== following.current) {
      following.current = near;
      setFollowed(near);
    }
  };
  const save = () => tried(() => download(run, attempt, stream), "Downloaded");
  return html`<div class="output">
    <${Bar} said=${said.word} follows=${follows} setFollows=${setFollows} held=${held} setHeld=${setHeld} wraps=${wraps} setWraps=${setWraps}
      times=${times} setTimes=${setTimes} stream=${stream} setStream=${setStream} save=${save} />
    <div class="output-frame" ref=${frame} onScroll=${scroll} tabindex="0" role="log" aria-label="Output" aria-live="off"
      data-wrap=${wraps} data-times=${times} data-show=${stream}>
      ${counts.dropped > 0 && html`<p class="output-note">${count(counts.dropped)} earlier lines are not shown. The download has what is kept.</p>`}
      <div ref=${body}></div>
      ${counts.lines === 0 && said.word !== "connecting" && html`<p class="output-note">${said.fault ? said.fault.message : said.word === "ended" ? "It printed nothing, or nothing is kept of it." : "Nothing yet."}</p>`}
    </div>
    <div class="output-foot"><span class="number">${count(counts.lines)} ${counts.lines === 1 ? "line" : "lines"}</span>
      ${counts.waiting > 0 && html`<span>${count(counts.waiting)} more since you paused</span>`}
      ${!follows && html`<button type="button" class="chip" onClick=${() => setFollows(true)}>To the end ↓</button>`}</div>
  </div>`;
}
