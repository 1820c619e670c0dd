"use strict";
// The page's behaviour: two figures, a card for the network that is pointed at or chosen, and a table that sorts.

const data = JSON.parse(document.getElementById("data").textContent);
const card = document.getElementById("card");
const empty = card.innerHTML;
const rows = [...document.querySelectorAll("#front tbody tr")];
let pinned = null;

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
}

function show(trial) {
  const chosen = data.cards[trial];
  if (!chosen) return;
  card.replaceChildren();
  element("h3", chosen.title, card);
  card.insertAdjacentHTML("beforeend", chosen.glyph); // made by us, from C and T alone
  element("p", chosen.notation, card).className = "notation";
  table(["stage", "blocks", "width", "r"], chosen.stages, card);
  table(["metric", "value", "95 %", "kind"], chosen.measurements, card);
  if (chosen.warnings.length) {
    const list = element("ul", "", card);
    chosen.warnings.forEach((warning) => element("li", warning, list));
  }
  element("code", chosen.command, card);
  const copy = element("button", "Copy the command", card);
  copy.className = "copy";
  copy.addEventListener("click", () => navigator.clipboard.writeText(chosen.command).then(() => (copy.textContent = "Copied")));
  rows.forEach((row) => row.setAttribute("aria-selected", String(row.dataset.trial === String(trial))));
}

function pin(trial) {
  pinned = trial;
  location.hash = trial === null ? "" : `trial=${trial}`;
  if (trial !== null) return show(trial);
  card.innerHTML = empty;
  rows.forEach((row) => row.removeAttribute("aria-selected"));
}

function themed(figure) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const layout = figure.layout;
  layout.font = { ...layout.font, color: ink };
  figure.data.forEach((trace) => {
    if (trace.marker?.symbol === "star") {
      trace.marker.color = ink;
      trace.error_x.color = trace.error_y.color = ink;
    }
  });
  return figure;
}

function hasWebGL() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2") || document.createElement("canvas").getContext("webgl"));
  } catch {
    return false;
  }
}

function draw(name) {
  if (!data.figures[name]) return;
  const figure = themed(structuredClone(data.figures[name]));
  if (!hasWebGL()) figure.data.forEach((trace) => (trace.type = "scatter"));
  if (innerWidth < 600) {
    figure.layout.margin = { l: 48, r: 8, t: 90, b: 50 };
    figure.layout.font.size = 11;
  }
  const options = { displaylogo: false, showSendToCloud: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };
  return Plotly.react(name, figure.data, figure.layout, options);
}

function sort(heading, index) {
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  document.querySelectorAll("#front th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const key = (row) => row.cells[index].dataset.value ?? row.cells[index].textContent;
  const order = (a, b) => key(a).localeCompare(key(b), "en", { numeric: false });
  const compare = (a, b) => (Number.isNaN(Number(key(a))) ? order(a, b) : Number(key(a)) - Number(key(b)));
  rows.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)));
  document.querySelector("#front tbody").append(...rows);
}

document.querySelectorAll("#front th").forEach((heading, index) => {
  heading.firstElementChild.addEventListener("click", () => sort(heading, index));
});
rows.forEach((row) => {
  row.addEventListener("click", () => pin(Number(row.dataset.trial)));
  row.addEventListener("keydown", (event) => event.key === "Enter" && pin(Number(row.dataset.trial)));
});
document.addEventListener("keydown", (event) => event.key === "Escape" && pin(null));

function opened() {
  return [...document.querySelectorAll("details.view[open]")].map((view) => view.dataset.view);
}

async function start() {
  await Promise.all(["pareto", ...opened()].map(draw));
  document.querySelectorAll("details.view").forEach((view) => {
    view.addEventListener("toggle", () => view.open && draw(view.dataset.view));
  });
  const pareto = document.getElementById("pareto");
  pareto.on("plotly_hover", (event) => show(event.points[0].customdata));
  pareto.on("plotly_unhover", () => (pinned === null ? pin(null) : show(pinned)));
  pareto.on("plotly_click", (event) => pin(event.points[0].customdata));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => ["pareto", ...opened()].forEach(draw));
  const linked = location.hash.match(/^#trial=(\d+)$/);
  if (linked) pin(Number(linked[1]));
  else if (data.knee !== null) show(data.knee);
  document.body.dataset.ready = "1";
}

start();
