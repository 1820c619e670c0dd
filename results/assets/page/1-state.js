"use strict";
// The data of the page, the state that the user sets, and the address that holds it: a link is a view.

const data = JSON.parse(document.getElementById("data").textContent);
const { columns } = data;
const [UP, ACROSS] = data.objectives; // the axes at first
const everyRow = columns.numbers.map((_, row) => row);
columns.values = mapped(columns.values, (text) => unpacked(text, Float64Array));
columns.intervals = mapped(columns.intervals, (ends) => mapped(ends, (text) => unpacked(text, Float32Array)));
columns.flags = mapped(columns.doubtful, flags);
columns.notations = everyRow.map((row) => columns.names[row] ?? columns.stages.map(({ blocks }) => blocks.kinds[blocks.rows[row]]).join("-"));
columns.shapes = mapped(
  {
    blocks: ({ text }) => text.replaceAll("-", "").length,
    "blocks in stage 3": ({ text }) => text.split("-")[2].length,
    transformers: ({ text }) => [...text].filter(transforms).length,
    "first transformer": ({ text }) => [...text.replaceAll("-", ""), "T"].findIndex(transforms) + 1,
    "width of stage 3": ({ row }) => widths(stagesOf(row)[2]).at(-1),
    "width of stage 4": ({ row }) => widths(stagesOf(row)[3]).at(-1),
  },
  (number) => columns.notations.map((text, row) => (isOurs(row) ? number({ text, row }) : null)),
);
const rowOf = new Map(columns.numbers.map((number, row) => [number, row]));
const infeasible = new Set(columns.infeasible);
const state = { x: ACROSS, y: UP, limits: {}, budget: null, until: null, colour: null, trial: null, compare: null, brush: {} };
const changed = []; // functions to call after a change of state

function mapped(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

// A column of numbers, null where one is missing: see results/pages/columns.py.
function unpacked(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Array.from(new Kind(bytes.buffer), (value) => (Number.isNaN(value) ? null : value));
}

function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text; // text, never markup: a name may contain anything
  if (parent) parent.append(made);
  return made;
}

function table(headings, lines, parent) {
  const made = element("table", "", parent);
  const head = element("tr", "", element("thead", "", made));
  headings.forEach((heading) => (element("th", heading, head).scope = "col"));
  const body = element("tbody", "", made);
  lines.forEach((line) => {
    const row = element("tr", "", body);
    line.forEach((cell) => element("td", cell, row));
  });
  return made;
}

function short(value) {
  return value === null ? "-" : String(Number(value.toPrecision(4)));
}

// The least and the most of some numbers; of no number, the least is the larger one.
function extent(values) {
  return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
}

// Blocks that count as transformers: see TRANSFORMERS in search_spaces/nextvit/stage.py.
function transforms(kind) {
  return "TVW".includes(kind);
}

// Networks of other families, which timm builds, have a name and no blocks of ours.
function isOurs(row) {
  return !(row in columns.names);
}

// The stages of a network: their blocks, the width of each kind of block, and attention's share r.
function stagesOf(row) {
  return columns.stages.map(({ blocks, shapes }) => {
    const [convolution, transformer, ratio, zoo] = shapes.kinds[shapes.rows[row]];
    return { blocks: blocks.kinds[blocks.rows[row]], widthOf: { C: convolution, T: transformer, ...Object.fromEntries(zoo) }, ratio };
  });
}

function widths({ blocks, widthOf }) {
  return [...blocks].map((kind) => widthOf[kind]);
}

// In what a network is unlike anything published; only those with a card have been compared.
function unlike(row) {
  return data.cards[columns.numbers[row]]?.unlike ?? [];
}

// The quality flags of doubtful latencies, by row: see Quality in evaluators/core/measurement.py.
function flags(rows) {
  return new Map(Object.entries(rows).flatMap(([flag, numbers]) => numbers.map((row) => [row, flag])));
}

function flag(metric, row) {
  return columns.flags[metric]?.get(row) ?? "";
}

// The ends of a 95 % interval, which have fewer digits than the value; null where a number has none.
function interval(metric, row) {
  const { low, high } = columns.intervals[metric] ?? {};
  const value = columns.values[metric][row];
  return low && high[row] > low[row] ? [Math.min(low[row], value), Math.max(high[row], value)] : null;
}

// Whether the page has limits or brushed ranges of its own.
function narrowed() {
  return Object.keys(state.limits).length + Object.keys(state.brush).length > 0;
}

function isCost(metric) {
  return columns.metrics[metric].direction === "minimize";
}

// Whether a network had been tried where the replay stands.
function tried(row) {
  return state.until === null || columns.numbers[row] <= state.until;
}

// Whether a row keeps them all; a network without a value does not keep a limit on it.
function kept(row) {
  const within = (value, low, high) => value !== null && low <= value && value <= high;
  const ends = (metric, bound) => (isCost(metric) ? [-Infinity, bound] : [bound, Infinity]);
  return (
    Object.entries(state.limits).every(([metric, bound]) => within(columns.values[metric][row], ...ends(metric, bound))) &&
    Object.entries(state.brush).every(([axis, ranges]) => ranges.some(([low, high]) => within(along(axis)[row], low, high)))
  );
}

// The values on one of the parallel axes: a shape, or a metric with its unit.
function along(axis) {
  const metric = axis.replace(/ \[[^[]*\]$/, "");
  if (Object.hasOwn(columns.shapes, axis)) return columns.shapes[axis];
  return Object.hasOwn(columns.values, metric) ? columns.values[metric] : [];
}

function metrics(direction) {
  return Object.keys(columns.metrics).filter((metric) => columns.metrics[metric].direction === direction);
}

// A choice is a step that Back undoes; what is dragged or typed replaces the step.
function set(changes) {
  const isChoice = ["x", "y", "colour", "trial", "compare"].some((key) => key in changes && changes[key] !== state[key]);
  Object.assign(state, changes);
  const address = new URLSearchParams();
  if (state.x !== ACROSS) address.set("x", state.x);
  if (state.y !== UP) address.set("y", state.y);
  Object.entries(state.limits).forEach(([metric, bound]) => address.append("limit", `${metric}${isCost(metric) ? "<=" : ">="}${bound}`));
  Object.entries(state.brush).forEach(([axis, ranges]) => ranges.forEach(([low, high]) => address.append("brush", `${axis}:${low}..${high}`)));
  if (state.budget !== null) address.set("budget", state.budget);
  if (state.until !== null) address.set("until", state.until);
  if (state.colour !== null) address.set("colour", state.colour);
  if (state.trial !== null) address.set("trial", state.trial);
  if (state.compare !== null) address.set("compare", state.compare);
  history[isChoice ? "pushState" : "replaceState"](null, "", `#${address}`);
  react();
}

function react() {
  current = findFront();
  changed.forEach((reaction) => reaction());
}

addEventListener("popstate", () => {
  if (document.getElementById(location.hash.slice(1))) return; // a link to a place of the page
  Object.assign(state, fromAddress());
  react();
});

function fromAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (rowOf.has(Number(address.get(name) ?? NaN)) ? Number(address.get(name)) : null);
  const known = (name, direction, otherwise) => (metrics(direction).includes(address.get(name)) ? address.get(name) : otherwise);
  const limits = address.getAll("limit").map((limit) => limit.split(/[<>]=/)).filter(([metric]) => Object.hasOwn(columns.metrics, metric));
  const bounds = limits.map(([metric, bound = ""]) => [metric, Number(bound.replace(columns.metrics[metric].unit, ""))]); // 43 or 43M
  return {
    x: known("x", "minimize", ACROSS),
    y: known("y", "maximize", UP),
    limits: Object.fromEntries(bounds.filter(([, bound]) => bound > 0)),
    brush: brushes(address.getAll("brush")),
    budget: Number(address.get("budget")) > 0 ? Number(address.get("budget")) : null,
    until: number("until"),
    colour: Object.hasOwn(columns.metrics, address.get("colour") ?? "") ? address.get("colour") : null,
    trial: number("trial"),
    compare: number("compare"),
  };
}

function brushes(texts) {
  const parts = texts.map((text) => text.match(/^(.+):(-?[\d.e+-]+)\.\.(-?[\d.e+-]+)$/)).filter((match) => match && along(match[1]).length);
  const ranges = parts.map(([, axis, low, high]) => [axis, [Number(low), Number(high)]]);
  return Object.fromEntries([...Map.groupBy(ranges, ([axis]) => axis)].map(([axis, group]) => [axis, group.map(([, range]) => range)]));
}
