/* SPDX-License-Identifier: Apache-2.0 */
/* Colours of terminals. What a program prints becomes text nodes in spans, and nothing else. */

/* What the supervisor remembers has lost the escape itself: U+FFFD stands for it. */
const ESCAPES = /\x1b\[([0-9;:]*)([@-~])|\ufffd\[([0-9;:]*)m|[\x1b\ufffd]\][^\x07\x1b\ufffd]*(?:\x07|\ufffd|\x1b\\)?|\x1b[()*+][0-9A-Za-z]|\x1b[@-Z\\^_`-~=>78]|\x1b/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;
const CUBE = [0, 95, 135, 175, 215, 255];

export const plainStyle = { fg: null, bg: null, marks: new Set() };

/* One of 256: the first 16 are ours to choose, by a class; the others are what they are. */
function indexed(n) {
  if (!(n >= 0 && n < 256)) return null;
  if (n < 16) return n;
  if (n >= 232) return `rgb(${Array(3).fill(8 + (n - 232) * 10).join(" ")})`;
  n -= 16;
  return `rgb(${CUBE[Math.floor(n / 36)]} ${CUBE[Math.floor(n / 6) % 6]} ${CUBE[n % 6]})`;
}

/* 38;5;N and 38;2;R;G;B, of which `codes` has the rest; what was read is taken away. */
function extended(codes) {
  const how = codes.shift();
  if (how === 5) return indexed(codes.shift());
  if (how !== 2) return null;
  const rgb = codes.splice(0, 3);
  return rgb.length === 3 && rgb.every((n) => n >= 0 && n < 256) ? `rgb(${rgb.join(" ")})` : null;
}

const MARKS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

function change(style, text) {
  const codes = text.split(/[;:]/).map(Number), next = { ...style, marks: new Set(style.marks) };
  while (codes.length) {
    const code = codes.shift();
    if (code === 0) Object.assign(next, { fg: null, bg: null, marks: new Set() });
    else if (MARKS[code]) next.marks.add(MARKS[code]);
    else if (ENDS[code]) ENDS[code].forEach((mark) => next.marks.delete(mark));
    else if (code >= 30 && code < 38) next.fg = code - 30;
    else if (code >= 90 && code < 98) next.fg = code - 82;
    else if (code >= 40 && code < 48) next.bg = code - 40;
    else if (code >= 100 && code < 108) next.bg = code - 92;
    else if (code === 38) next.fg = extended(codes);
    else if (code === 48) next.bg = extended(codes);
    else if (code === 39) next.fg = null;
    else if (code === 49) next.bg = null;
  }
  return next;
}

function put(node, text, style) {
  if (!text) return;
  if (style.fg === null && style.bg === null && !style.marks.size) return node.append(text);
  const span = document.createElement("span");
  span.textContent = text;
  span.classList.add(...style.marks);
  if (typeof style.fg === "number") span.classList.add(`fg${style.fg}`);
  else if (style.fg) span.style.color = style.fg;
  if (typeof style.bg === "number") span.classList.add(`bg${style.bg}`);
  else if (style.bg) span.style.backgroundColor = style.bg;
  node.append(span);
}

/** Append a line to a node, and return the style that goes on in the next. */
export function putLine(node, line, style) {
  let at = 0;
  for (const found of line.matchAll(ESCAPES)) {
    put(node, line.slice(at, found.index).replace(CONTROLS, ""), style);
    if (found[2] === "m") style = change(style, found[1]);
    else if (found[3] !== undefined) style = change(style, found[3]);
    at = found.index + found[0].length;
  }
  put(node, line.slice(at).replace(CONTROLS, ""), style);
  return style;
}
