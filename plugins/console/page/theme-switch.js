/* SPDX-License-Identifier: Apache-2.0 */
/* Light, dark, or what the system says; theme.js has set it before anything was drawn. */
import { Icon } from "./icons.js";
import { html, kept, store, useStore } from "./lib.js";

const CHOICES = [["system", "as the system", "system"], ["light", "light", "sun"], ["dark", "dark", "moon"]];
const chosen = store(kept.get("theme", "system"));

/** Counts up when colours have changed: what is drawn on a canvas must be drawn anew. */
export const colours = store(0);
const changed = () => colours.set(colours.get() + 1);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);

function choose(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  kept.set("theme", name === "system" ? null : name);
  chosen.set(name);
  changed();
}

export function ThemeSwitch() {
  const name = useStore(chosen);
  const at = Math.max(CHOICES.findIndex(([word]) => word === name), 0);
  const [next, nextTitle] = CHOICES[(at + 1) % CHOICES.length];
  return html`<button type="button" class="quiet" title="Colours: ${CHOICES[at][1]}" aria-label="Colours: ${CHOICES[at][1]}. Change to ${nextTitle}"
    onClick=${() => choose(next)}><${Icon} name=${CHOICES[at][2]} /></button>`;
}

/** A colour of the style sheet as canvas takes it. */
export function colourOf(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
