/* SPDX-License-Identifier: Apache-2.0 */
/* Where we are: "#/runs/NAME?state=failed". The address keeps the whole state of a view, so it can be sent to somebody. */
import { store } from "./lib.js";

function read() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { view: parts[0] ?? "", name: parts[1] ?? "", query: Object.fromEntries(new URLSearchParams(query)) };
}

export const place = store(read());
addEventListener("hashchange", () => place.set(read()));

/** The address of a view. */
export function to(view, name = "", query = {}) {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== "" && value !== undefined && value !== null) words.set(key, value);
  const text = words.toString();
  return `#/${[view, name].filter(Boolean).map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export function go(address) {
  location.hash = address;
}

/** Change the query of where we are; typing makes no entry in the history. */
export function amend(changes, { replace = false } = {}) {
  const { view, name, query } = place.get();
  const address = to(view, name, { ...query, ...changes });
  if (address === location.hash) return;
  if (!replace) return go(address);
  history.replaceState(null, "", address);
  place.set(read());
}
