/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of output as lines in the page: the newest of them, in blocks that the browser draws only when they are seen. */
import { plainStyle, putLine } from "./ansi.js";
import { clock } from "./format.js";

export const LINES_MAX = 10000;
const BLOCK = 250, LINE_MAX = 20000, WAITING_MAX = 20000;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** What writes into `node`; `changed` is called after each time with {lines, dropped, waiting}. */
export class Lines {
  constructor(node, changed) {
    Object.assign(this, { node, changed, queue: [], streams: new Map(), lines: 0, dropped: 0, held: false, frame: 0 });
  }

  /* A line that was begun stays in `rest`, for each stream its own. */
  stream(name) {
    if (!this.streams.has(name)) this.streams.set(name, { name, rest: "", style: plainStyle, decoder: new TextDecoder(), time: "" });
    return this.streams.get(name);
  }

  /** A piece: {time, stream, text or base64, lost}. */
  take(piece) {
    const stream = this.stream(piece.stream ?? "stdout");
    if (piece.lost) {
      this.end();
      this.put({ stream, text: `${piece.lost} bytes are missing here`, gap: true });
    }
    const data = piece.base64 === undefined ? piece.text ?? "" : stream.decoder.decode(bytesOf(piece.base64), { stream: true });
    const parts = (stream.rest + data).split("\n");
    stream.rest = parts.pop();
    stream.time = piece.time ?? "";
    while (stream.rest.length > LINE_MAX) {
      parts.push(stream.rest.slice(0, LINE_MAX));
      stream.rest = stream.rest.slice(LINE_MAX);
    }
    for (const text of parts) this.put({ stream, text, time: stream.time });
  }

  /** There is no more, or not what comes next: what was begun is a line too. */
  end() {
    for (const stream of this.streams.values()) {
      if (stream.rest) this.put({ stream, text: stream.rest, time: stream.time });
      stream.rest = "";
    }
  }

  put(line) {
    this.queue.push(line);
    if (this.queue.length > WAITING_MAX) {
      this.dropped += this.queue.length - LINES_MAX;
      this.queue = this.queue.slice(-LINES_MAX);
    }
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  /** While it is held, what comes waits. */
  hold(held) {
    this.held = held;
    this.draw();
  }

  draw() {
    this.frame = 0;
    if (!this.held && this.queue.length) {
      const lines = this.queue;
      this.queue = [];
      if (lines.length > LINES_MAX) this.dropped += lines.splice(0, lines.length - LINES_MAX).length;
      for (const line of lines) this.append(line);
      while (this.lines > LINES_MAX) this.cut();
    }
    this.changed({ lines: this.lines, dropped: this.dropped, waiting: this.queue.length });
  }

  append({ stream, text, time, gap }) {
    let block = this.node.lastElementChild;
    if (!block || block.childElementCount >= BLOCK) {
      block = document.createElement("div");
      block.className = "block";
      this.node.append(block);
    }
    const line = document.createElement("div");
    line.className = gap ? "line gap" : "line";
    line.dataset.stream = stream.name;
    if (time) line.dataset.time = clock(time);
    const words = document.createElement("span");
    words.className = "words";
    /* A progress bar overwrites its line: the last of it counts. */
    const last = text.replace(/\r+$/, "");
    stream.style = putLine(words, last.slice(last.lastIndexOf("\r") + 1), stream.style);
    if (!words.hasChildNodes()) words.append("\u200b");
    line.append(words);
    block.append(line);
    this.lines++;
  }

  cut() {
    const block = this.node.firstElementChild;
    this.lines -= block.childElementCount;
    this.dropped += block.childElementCount;
    block.remove();
  }

  clear() {
    Object.assign(this, { queue: [], lines: 0, dropped: 0 });
    this.streams.clear();
    this.node.replaceChildren();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}
