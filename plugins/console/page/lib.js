/* SPDX-License-Identifier: Apache-2.0 */
/* What the views are written in: Preact, with templates that need no build. */
import { h } from "./preact.js";
import htm from "./htm.js";
import { useEffect, useState } from "./hooks.js";

export { Fragment, h, render } from "./preact.js";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./hooks.js";
export const html = htm.bind(h);

/** A value that is watched: `get`, `set`, and `watch`, which returns how to stop. */
export function store(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      for (const watcher of [...watchers]) watcher(value);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

export function useStore(watched) {
  const [value, set] = useState(watched.get());
  useEffect(() => {
    set(watched.get());
    return watched.watch(set);
  }, [watched]);
  return value;
}

/** What the browser keeps for this page; it may be switched off. */
export const kept = {
  get(name, fallback) {
    try {
      return localStorage.getItem(`paddock.${name}`) ?? fallback;
    } catch {
      return fallback;
    }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`paddock.${name}`);
      else localStorage.setItem(`paddock.${name}`, value);
    } catch { /* then it is not kept */ }
  },
};
