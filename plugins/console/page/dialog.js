/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the user before something is destroyed, and what is said after. */
import { html, store, useEffect, useRef, useStore } from "./lib.js";

const question = store(null);
const notes = store([]);
let lastNote = 0;

/** Ask first. {title, text, action, danger, input}: resolves to false, or to true, or to what was written into `input`. */
export const confirm = (what) => new Promise((resolve) => question.set({ ...what, resolve }));

/** Say something for a few seconds, to the eye and to the ear. */
export function note(text, toneOf = "good") {
  const id = ++lastNote;
  notes.set([...notes.get(), { id, text, tone: toneOf }].slice(-4));
  setTimeout(() => notes.set(notes.get().filter((entry) => entry.id !== id)), toneOf === "bad" ? 12000 : 5000);
}

/** For who hears and does not see. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Do it, and say how it went. Returns what it answered, or null. */
export async function attempt(doing, done) {
  try {
    const answer = await doing();
    note(typeof done === "function" ? done(answer) : done);
    return answer;
  } catch (fault) {
    note([fault.message, fault.hint].filter(Boolean).join(" – "), "bad");
    return null;
  }
}

export function Dialog({ title, onClose, children, wide }) {
  const ref = useRef();
  useEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog ref=${ref} class=${wide ? "wide" : ""} aria-labelledby="dialog-title" onCancel=${(event) => {
    event.preventDefault();
    onClose();
  }} onClick=${(event) => event.target === ref.current && onClose()}>
    <div class="dialog-body"><h2 id="dialog-title">${title}</h2>${children}</div>
  </dialog>`;
}

function Question({ what }) {
  const input = useRef();
  const end = (answer) => {
    question.set(null);
    what.resolve(answer);
  };
  const submit = (event) => {
    event.preventDefault();
    end(what.input ? input.current.value : true);
  };
  return html`<${Dialog} title=${what.title} onClose=${() => end(false)}>
    <form method="dialog" onSubmit=${submit}>
      <p>${what.text}</p>
      ${what.input && html`<label class="field">${what.input.label}<input ref=${input} ...${what.input.attributes} /></label>`}
      <div class="dialog-actions">
        <button type="button" onClick=${() => end(false)}>${what.keep ?? "Keep it"}</button>
        <button type="submit" class=${what.danger ? "danger" : "primary"}>${what.action}</button>
      </div>
    </form>
  </${Dialog}>`;
}

export function Dialogs() {
  const what = useStore(question);
  const said = useStore(notes);
  return html`${what && html`<${Question} key=${what.title} what=${what} />`}
    <div class="notes" role="status" aria-live="polite">
      ${said.map((entry) => html`<div class="note" key=${entry.id} data-tone=${entry.tone}>${entry.text}</div>`)}
    </div>`;
}
