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

function plot(name, figure) {
  if (!webGL) figure.data.forEach((trace) => (trace.type = trace.type === "scattergl" ? "scatter" : trace.type));
  if (innerWidth < 600) {
    figure.layout.margin = { ...figure.layout.margin, l: 48, r: 8, t: Math.max(40, name === "pareto" ? 90 : 0), b: 50 };
    figure.layout.font.size = 11;
  }
  const options = { displaylogo: false, showSendToCloud: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };
  document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1;
  return Plotly.react(name, figure.data, figure.layout, options);
}

function draw(name) {
  if (!data.figures[name]) return;
  if (name === "parallel" && !webGL) return void (document.getElementById(name).textContent = "This browser has no WebGL, which this view needs.");
  const figure = themed(structuredClone(data.figures[name]));
  if (name === "strategy") figure.data.forEach((trace) => trace.colorscale === undefined || best(trace));
  return plot(name, figure);
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
  const ranges = axes.filter((axis) => axis.constraintrange).map((axis) => {
    const values = columns.shapes[axis.label] ?? columns.values[axis.label.replace(/ \[[^[]*\]$/, "")];
    const several = Array.isArray(axis.constraintrange[0]) ? axis.constraintrange : [axis.constraintrange];
    return (row) => several.some(([low, high]) => values[row] >= low && values[row] <= high);
  });
  return ranges.length ? (row) => ranges.every((within) => within(row)) : null;
}

function opened() {
  return [...document.querySelectorAll("details.view[open]")].map((view) => view.dataset.view);
}

function open(view) {
  const name = view.dataset.view;
  const drawn = draw(name);
  if (name === "parallel" && drawn && !view.dataset.heard) {
    view.dataset.heard = "1";
    drawn.then((gd) => gd.on("plotly_restyle", () => set({ brushed: brushed(gd.data[0].dimensions) })));
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
  changed.push(drawFront, () => opened().includes("strategy") && draw("strategy"));
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
