"use strict";
// What the page knows, what a person has chosen in it, and the address that says so: a link is a view.

const data = JSON.parse(document.getElementById("data").textContent);
const { columns } = data;
columns.shapes = {
  blocks: columns.notations.map((text) => text.replaceAll("-", "").length),
  "in stage 3": columns.notations.map((text) => text.split("-")[2].length),
  transformers: columns.notations.map((text) => text.split("T").length - 1),
  "first of them": columns.notations.map((text) => (text.replaceAll("-", "") + "T").indexOf("T") + 1),
  "width of stage 3": columns.notations.map((_, row) => widths(stagesOf(row)[2]).at(-1)),
  "width of stage 4": columns.notations.map((_, row) => widths(stagesOf(row)[3]).at(-1)),
};
const rowOf = new Map(columns.numbers.map((number, row) => [number, row]));
const state = { x: data.x, y: data.y, limits: {}, trial: null, compare: null, brush: {} };
const changed = []; // functions that are called when the state has changed

function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text; // text, never markup: names may hold anything
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

// The stages of a network: their blocks, the widths of both kinds of block, and attention's share r.
function stagesOf(row) {
  return columns.notations[row].split("-").map((blocks, stage) => {
    const { kinds, rows } = columns.stages[stage];
    const [convolution, transformer, ratio] = kinds[rows[row]];
    return { blocks, convolution, transformer, ratio };
  });
}

function widths({ blocks, convolution, transformer }) {
  return [...blocks].map((kind) => (kind === "C" ? convolution : transformer));
}

function pair() {
  return columns.pairs[state.x]?.[state.y] ?? { front: [], knee: null };
}

// Whether a row keeps the limits that were set here, and what was brushed on the parallel axes.
function kept(row) {
  const within = Object.entries(state.limits).every(([metric, bound]) => !(columns.values[metric][row] > bound));
  return within && Object.entries(state.brush).every(([axis, ranges]) => ranges.some(([low, high]) => low <= along(axis)[row] && along(axis)[row] <= high));
}

// The values along one of the parallel axes, which are shapes or metrics with their unit.
function along(axis) {
  return columns.shapes[axis] ?? columns.values[axis.replace(/ \[[^[]*\]$/, "")] ?? [];
}

function set(changes) {
  Object.assign(state, changes);
  const address = new URLSearchParams();
  if (state.x !== data.x) address.set("x", state.x);
  if (state.y !== data.y) address.set("y", state.y);
  Object.entries(state.limits).forEach(([metric, bound]) => address.append("limit", `${metric}<=${bound}`));
  Object.entries(state.brush).forEach(([axis, ranges]) => ranges.forEach(([low, high]) => address.append("brush", `${axis}:${low}..${high}`)));
  if (state.trial !== null) address.set("trial", state.trial);
  if (state.compare !== null) address.set("compare", state.compare);
  history.replaceState(null, "", `#${address}`);
  changed.forEach((react) => react());
}

function fromAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (rowOf.has(Number(address.get(name) ?? NaN)) ? Number(address.get(name)) : null);
  const known = (name, otherwise) => (address.get(name) in columns.metrics ? address.get(name) : otherwise);
  const limits = address.getAll("limit").map((limit) => limit.split("<="));
  return {
    x: known("x", data.x),
    y: known("y", data.y),
    limits: Object.fromEntries(limits.filter(([metric, bound]) => metric in columns.values && bound > 0).map(([metric, bound]) => [metric, Number(bound)])),
    brush: brushes(address.getAll("brush")),
    trial: number("trial"),
    compare: number("compare"),
  };
}

function brushes(texts) {
  const parts = texts.map((text) => text.match(/^(.+):(-?[\d.e+-]+)\.\.(-?[\d.e+-]+)$/)).filter((found) => found && along(found[1]).length);
  const ranges = parts.map(([, axis, low, high]) => [axis, [Number(low), Number(high)]]);
  return Object.fromEntries([...Map.groupBy(ranges, ([axis]) => axis)].map(([axis, found]) => [axis, found.map(([, range]) => range)]));
}
