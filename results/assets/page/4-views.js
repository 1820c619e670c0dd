// Drawing: themes, the folded views, what is brushed on the parallel axes; and the start.

let printing = false; // on white paper, whatever the screen's theme

function themed(figure) {
  const ink = printing ? "#1b1f24" : getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  figure.layout.font = { ...figure.layout.font, color: ink };
  figure.data.forEach((trace) => {
    if (trace.marker?.symbol === "star") trace.marker.color = ink;
  });
  return figure;
}

// Two maps beside each other become one above the other.
function stack({ data, layout }) {
  const [upper, lower] = [[0.6, 1], [0, 0.44]];
  Object.assign(layout.yaxis, { domain: upper });
  Object.assign(layout.yaxis2, { domain: lower });
  [layout.xaxis, layout.xaxis2].forEach((axis) => (axis.domain = [0, 1]));
  const bars = data.map((trace) => trace.colorbar).filter(Boolean);
  bars.forEach((bar, index) => Object.assign(bar, { x: 1.02, len: 0.44, y: index ? 0.22 : 0.8 }));
}

function plot(name, figure) {
  if (!webGL) figure.data.forEach((trace) => (trace.type = trace.type === "scattergl" ? "scatter" : trace.type));
  if (name === "strategy" && innerWidth <= 900) stack(figure);
  if (innerWidth < 600) {
    figure.layout.margin = { ...figure.layout.margin, l: 48, r: 8, t: Math.max(40, name === "pareto" ? 90 : 0), b: 50 };
    figure.layout.font.size = 11;
    const up = figure.layout.yaxis?.title;
    if (up?.text) up.text = up.text.replaceAll(", ", ",<br>");
  }
  const options = { displaylogo: false, showSendToCloud: false, responsive: true, plotGlPixelRatio: Math.min(2, devicePixelRatio), modeBarButtons: [["toImage", "resetScale2d"]] };
  document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1;
  return Plotly.react(name, figure.data, figure.layout, options);
}

function draw(name) {
  if (!data.figures[name]) return;
  if (name === "parallel" && !webGL) return void (document.getElementById(name).textContent = "This browser has no WebGL, which this view needs.");
  const figure = themed(structuredClone(data.figures[name]));
  if (name === "strategy") figure.data.forEach((trace) => trace.colorscale === undefined || best(trace));
  if (name === "parallel") figure.data[0].dimensions.forEach((axis) => (axis.constraintrange = ranges(axis.label)));
  if (state.trial !== null) marks[name]?.(figure, state.trial, rowOf.get(state.trial));
  return plot(name, figure);
}

function ranges(axis) {
  const found = state.brush[axis];
  return found?.length === 1 ? found[0] : found;
}

// Where the chosen network stands in the other views.
const marks = { strategy: markStrategy, progress: markTrial, stopwatch: markTrial, proxy: markPoint, parallel: markLine };

function markTrial({ layout }, trial) {
  const line = { type: "line", x0: trial, x1: trial, y0: 0, y1: 1, yref: "paper", line: { color: layout.font.color, width: 1, dash: "dot" } };
  layout.shapes = [...(layout.shapes ?? []), line];
}

function markStrategy({ data, layout }, _, row) {
  const stages = stagesOf(row);
  const places = stages.flatMap(({ blocks }, stage) => [...blocks].flatMap((kind, index) => (kind === "T" ? [[blocks.length - 1 - index, `stage ${stage + 1}`]] : [])));
  const last = data[0].x.at(-1); // what lies further from the stage's end has no place on the map
  const shown = places.filter(([before]) => before <= last);
  const dots = { type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 6, color: layout.font.color } };
  data.push({ ...dots, x: shown.map(([before]) => before), y: shown.map(([, stage]) => stage) });
  data.push({ ...dots, x: [columns.shapes["in stage 3"][row]], y: [columns.shapes["transformers"][row]], xaxis: "x2", yaxis: "y2" });
}

function markPoint({ data, layout }, trial) {
  const place = data[0].customdata.indexOf(trial);
  const ring = { symbol: "circle-open", size: 18, color: layout.font.color, line: { width: 2 } };
  if (place >= 0) data.push({ type: "scatter", mode: "markers", hoverinfo: "skip", marker: ring, x: [data[0].x[place]], y: [data[0].y[place]] });
}

function markLine({ data: [trace], layout }, _, row) {
  trace.dimensions.forEach((axis) => (axis.values = [...axis.values, along(axis.label)[row]]));
  const { colorscale: [[, others], [, front]] } = trace.line;
  Object.assign(trace.line, { color: [...trace.line.color, 2], cmax: 2, colorscale: [[0, others], [0.5, front], [1, layout.font.color]] });
}

// The best value for each depth of stage 3 and number of transformers, among the networks that keep the limits.
function best(trace) {
  if (trace.xaxis !== "x2") return;
  const better = columns.metrics[data.y].direction === "maximize" ? Math.max : Math.min;
  trace.z = trace.y.map(() => trace.x.map(() => null));
  const infeasible = new Set(columns.infeasible);
  columns.numbers.forEach((_, row) => {
    if (infeasible.has(row) || !kept(row)) return;
    const line = trace.z[trace.y.indexOf(columns.shapes["transformers"][row])];
    const place = trace.x.indexOf(columns.shapes["in stage 3"][row]);
    const value = columns.values[data.y][row];
    line[place] = line[place] === null ? value : better(line[place], value);
  });
}

// Plotly tells no selected rows, only the ranges (plotly.js issue 4756): they are applied to every row here.
function brushed(axes) {
  const several = (range) => (Array.isArray(range[0]) ? range : [range]).map((ends) => ends.map((end) => Number(end.toPrecision(6))));
  const brush = Object.fromEntries(axes.filter((axis) => axis.constraintrange).map((axis) => [axis.label, several(axis.constraintrange)]));
  if (JSON.stringify(brush) !== JSON.stringify(state.brush)) set({ brush });
}

function opened() {
  return [...document.querySelectorAll("details.view[open]")].map((view) => view.dataset.view);
}

function open(view) {
  const name = view.dataset.view;
  const drawn = draw(name);
  if (name === "parallel" && drawn && !view.dataset.heard) {
    view.dataset.heard = "1";
    drawn.then((gd) => gd.on("plotly_restyle", () => brushed(gd.data[0].dimensions)));
  }
  return drawn;
}

async function start() {
  const costs = Object.keys(columns.pairs);
  choices(document.getElementById("x"), costs, "x");
  choices(document.getElementById("y"), Object.keys(columns.pairs[data.x]), "y");
  costs.forEach((metric) => slider(metric, document.getElementById("limits")));
  Object.assign(state, fromAddress());
  const views = [...document.querySelectorAll("details.view")];
  const before = document.body.dataset.version && JSON.parse(sessionStorage.getItem("opened"));
  if (Object.keys(state.brush).length) views.forEach((view) => (view.open ||= view.dataset.view === "parallel"));
  if (before) views.forEach((view) => (view.open = before.includes(view.dataset.view)));
  views.forEach((view) => view.addEventListener("toggle", () => view.open && open(view)));
  await Promise.all([drawFront(), ...views.filter((view) => view.open).map(open)]);
  const pareto = document.getElementById("pareto");
  pareto.on("plotly_hover", (event) => show(event.points[0].customdata));
  pareto.on("plotly_unhover", showChosen);
  pareto.on("plotly_click", (event) => set({ trial: event.points[0].customdata }));
  const again = () => [drawFront(), ...opened().map(draw)];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("beforeprint", () => ((printing = true), again()));
  addEventListener("afterprint", () => ((printing = false), again()));
  let marked = state.trial;
  const others = () => opened().filter((name) => name === "strategy" || (name in marks && marked !== state.trial));
  changed.push(drawFront, () => (others().forEach(draw), (marked = state.trial)));
  changed.slice(0, -2).forEach((react) => react());
  if (state.trial === null && data.knee !== null) show(data.knee);
  document.body.dataset.ready = "1";
  if (document.body.dataset.version) setTimeout(look, SOON, SOON);
}

// A live page asks for its version: every two seconds, then ever less while nothing is new; a new one is loaded.
const [SOON, SELDOM] = [2000, 60000];

async function look(waited) {
  try {
    const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    if (answer.headers.get("ETag") !== `"${document.body.dataset.version}"`) {
      sessionStorage.setItem("opened", JSON.stringify(opened()));
      return location.reload();
    }
  } catch {
    document.getElementById("live").textContent = "The server has ended: this page stays as it is.";
  }
  setTimeout(look, Math.min(2 * waited, SELDOM), Math.min(2 * waited, SELDOM));
}

start();
