// Drawing: themes, the folded views, and brushed ranges on the parallel axes; then the start.

let printing = false; // on white paper, whatever the screen's theme
const PAPER = 680; // px, as wide as A4 between its margins

function themed(figure) {
  const ink = printing ? "#1b1f24" : getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  figure.layout.font = { ...figure.layout.font, color: ink };
  figure.data.forEach((trace) => {
    if (trace.marker?.symbol?.startsWith?.("star")) trace.marker.color = ink;
  });
  return figure;
}

function plot(name, figure) {
  if (!webGL) figure.data.forEach((trace) => (trace.type = trace.type === "scattergl" ? "scatter" : trace.type));
  if (name === "strategy" && innerWidth <= 900) stack(figure);
  if (innerWidth < 600) {
    figure.layout.margin = { ...figure.layout.margin, l: 48, r: 8, t: Math.max(40, name === "pareto" ? 90 : 0), b: 50 };
    figure.layout.font.size = 11;
    const { title } = figure.layout.yaxis ?? {};
    if (title?.text) title.text = title.text.replaceAll(", ", ",<br>");
  }
  if (printing) Object.assign(figure.layout, { width: PAPER, autosize: false });
  const up = figure.layout.yaxis?.title;
  if (up?.text?.length > 45) up.text = up.text.replace(/, (?=\w+ is better)/, ",<br>"); // no longer than its axis
  const options = { displaylogo: false, showSendToCloud: false, responsive: true, plotGlPixelRatio: Math.min(2, devicePixelRatio), modeBarButtons: [["toImage", "resetScale2d"]] };
  document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1;
  return Plotly.react(name, figure.data, figure.layout, options);
}

function draw(name) {
  if (!data.figures[name]) return;
  if (name === "parallel" && !webGL) return void (document.getElementById(name).textContent = "This browser has no WebGL, which this view needs.");
  const figure = themed(structuredClone(data.figures[name]));
  if (name === "strategy") say(name, where(current.front));
  if (name === "parallel") figure.data[0].dimensions.forEach((axis) => (axis.constraintrange = ranges(axis.label)));
  if (state.trial !== null) marks[name]?.(figure, state.trial, rowOf.get(state.trial));
  return plot(name, figure);
}

function ranges(axis) {
  const brushed = state.brush[axis];
  return brushed?.length === 1 ? brushed[0] : brushed;
}

// Marks of the selected network in the other views.
const marks = { strategy: markStrategy, progress: markTrial, stopwatch: markTrial, proxy: markPoint, parallel: markLine };

function markTrial({ layout }, trial) {
  const line = { type: "line", x0: trial, x1: trial, y0: 0, y1: 1, yref: "paper", line: { color: layout.font.color, width: 1, dash: "dot" } };
  layout.shapes = [...(layout.shapes ?? []), line];
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

// Plotly reports only brushed ranges, no selected rows (plotly.js issue 4756): they are applied to every row here.
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
  choices(document.getElementById("x"), metrics("minimize"), "x");
  choices(document.getElementById("y"), metrics("maximize"), "y");
  colours(document.getElementById("colour"));
  replay(document.getElementById("replay"));
  limits(document.getElementById("limits"));
  Object.assign(state, fromAddress());
  current = findFront();
  const views = [...document.querySelectorAll("details.view")];
  const before = document.body.dataset.version && JSON.parse(sessionStorage.getItem("opened"));
  if (Object.keys(state.brush).length) views.forEach((view) => (view.open ||= view.dataset.view === "parallel"));
  if (before) views.forEach((view) => (view.open = before.includes(view.dataset.view)));
  views.forEach((view) => view.addEventListener("toggle", () => view.open && open(view)));
  await Promise.all([drawFront(), ...views.filter((view) => view.open).map(open)]);
  const pareto = document.getElementById("pareto");
  pareto.on("plotly_hover", (event) => show(event.points[0].customdata));
  pareto.on("plotly_unhover", showSelected);
  pareto.on("plotly_click", (event) => set({ trial: event.points[0].customdata }));
  const again = () => [drawFront(), ...opened().map(draw)];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("beforeprint", () => ((printing = true), again()));
  addEventListener("afterprint", () => ((printing = false), again()));
  let marked = state.trial;
  const others = () => opened().filter((name) => name === "strategy" || (name in marks && marked !== state.trial));
  changed.push(drawTable, drawFront, () => (others().forEach(draw), (marked = state.trial)));
  changed.slice(0, -2).forEach((react) => react());
  document.body.dataset.ready = "1";
  if (document.body.dataset.version) setTimeout(look, SOON, SOON);
}

// A live page polls its version, and reloads for a new one: every five seconds, so that drawing does not disturb what is
// measured on this machine, and less often while nothing changes.
const [SOON, SELDOM] = [5000, 60000];

async function look(waited) {
  try {
    const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    if (answer.headers.get("ETag") !== `"${document.body.dataset.version}"`) {
      sessionStorage.setItem("opened", JSON.stringify(opened()));
      return location.reload();
    }
  } catch {
    document.getElementById("live").textContent = "The server has stopped, so this page no longer changes.";
  }
  setTimeout(look, Math.min(2 * waited, SELDOM), Math.min(2 * waited, SELDOM));
}

start();
