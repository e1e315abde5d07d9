/* SPDX-License-Identifier: Apache-2.0 */
/* A chart over time: uPlot draws, the numbers below the pointer stand in the heading, and all of it is said in words too. */
import { count } from "./format.js";
import { html, useEffect, useRef, useState, useStore } from "./lib.js";
import { colourOf, colours } from "./theme-switch.js";

const { uPlot } = globalThis;
const HEIGHT = 150;

/* The first is drawn behind, and as high as all of them together. */
function stack(data) {
  const [times, ...rows] = data;
  const sums = rows.map((row) => [...row]);
  for (let i = sums.length - 2; i >= 0; i--) for (let x = 0; x < times.length; x++) sums[i][x] += sums[i + 1][x];
  return [times, ...sums];
}

const transparent = (colour, share) => colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

function lineOf({ title, colour, bars }, index) {
  const stroke = colourOf(colour);
  if (bars) return { label: title, stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 14], align: 1, radius: 0.15 }) };
  return { label: title, stroke, fill: index === 0 ? transparent(stroke, 0.1) : undefined, width: 1.75, points: { show: false }, paths: uPlot.paths.linear() };
}

function optionsOf({ series, format, steps }, from, width, setAt) {
  const axis = { stroke: colourOf("faint"), grid: { stroke: colourOf("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const clock = (time) => new Date(time * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
  return {
    width, height: HEIGHT, legend: { show: false }, padding: [8, 14, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: () => [from(), Date.now() / 1000] },
      y: { range: (plot, low, high) => [0, Math.max(high * 1.1, 4)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 24, incrs: [60, 120, 300, 600], values: (plot, times) => times.map(clock) },
      { ...axis, size: 52, space: 36, ...(steps && { incrs: steps }), values: (plot, values) => values.map((v) => (Number.isInteger(v) ? format(v) : "")) },
    ],
    series: [{}, ...series.map(lineOf)],
    hooks: { setCursor: [(plot) => setAt(plot.cursor.left >= 0 ? plot.cursor.idx : null)] },
  };
}

function widthOf(node) {
  const { paddingLeft, paddingRight } = getComputedStyle(node);
  return Math.max(node.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight), 50);
}

/** series: [{title, colour, bars}], data: [times, ...values], from: where it begins; stacked: each stands on those after it; steps: between the lines. */
export function Chart({ title, id, series, data, from, stacked, format = count, steps, summary }) {
  const frame = useRef(), plot = useRef(null);
  const [at, setAt] = useState(null);
  const theme = useStore(colours);
  const shown = stacked ? stack(data) : data, start = useRef(from);
  start.current = from;
  useEffect(() => {
    const node = frame.current, made = new uPlot(optionsOf({ series, format, steps }, () => start.current, widthOf(node), setAt), shown, node);
    plot.current = made;
    const watch = new ResizeObserver(() => node.isConnected && made.setSize({ width: widthOf(node), height: HEIGHT }));
    watch.observe(node);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [theme]);
  useEffect(() => plot.current?.setData(shown));
  const times = data[0];
  /* Below the pointer; else the newest, or of what is counted the sum. */
  const value = (row) => (at !== null && at < times.length ? data[row][at] : stacked ? data[row].reduce((a, b) => a + b, 0) : data[row].at(-1) ?? 0);
  return html`<section class="panel chart" aria-labelledby=${id}>
    <div class="panel-head"><h2 id=${id}>${title}</h2>
      <ul class="legend">${series.map((one, i) => html`<li key=${one.title} data-colour=${one.colour}>${one.title}
        <span class="number">${format(value(i + 1))}</span></li>`)}</ul>
    </div>
    <div class="chart-frame" ref=${frame} role="img" aria-label=${`${title}. ${summary}`}></div>
  </section>`;
}
