// The front: a figure for any two metrics, the controls beside it, and the table that leads everywhere by keyboard.

const rows = [...document.querySelectorAll("#front tbody tr")];
const [BEYOND, DOMINATED, ATTAINED, FRONT, KNEE, ANCHORS, INTERVALS] = [0, 1, 2, 3, 4, 5, 6]; // the figure's traces
const inspect = document.getElementById("inspect");
let webGL = false;
try {
  webGL = ["webgl2", "webgl"].some((kind) => document.createElement("canvas").getContext(kind));
} catch {} // none, then
const THINNED = 2000; // points of the cloud that SVG bears

function fill(trace, chosen) {
  const take = (metric) => chosen.map((row) => columns.values[metric][row]);
  Object.assign(trace, { x: take(state.x), y: take(state.y), customdata: chosen.map((row) => columns.numbers[row]) });
  const [x, y] = [state.x, state.y].map((metric) => columns.metrics[metric].unit);
  if (trace.hoverinfo !== "skip") trace.hovertemplate = `trial %{customdata}<br>%{x:.4g} ${x}, %{y:.4g} ${y}<extra></extra>`;
}

// One line with gaps: see figures/pareto.py.
function intervals(trace, chosen) {
  const ends = (metric, row, along) => {
    const value = columns.values[metric][row], half = columns.halves[metric][row] ?? 0;
    return along ? [value - half, value + half, null] : [value, value, null];
  };
  trace.x = chosen.flatMap((row) => [...ends(state.x, row, true), ...ends(state.x, row, false)]);
  trace.y = chosen.flatMap((row) => [...ends(state.y, row, false), ...ends(state.y, row, true)]);
}

function split() {
  const { front, knee } = pair();
  const infeasible = new Set(columns.infeasible);
  const special = new Set([...front, ...Object.keys(columns.anchors).map(Number)]);
  const all = columns.numbers.map((_, row) => row).filter((row) => columns.values[state.x][row] !== null && columns.values[state.y][row] !== null);
  const beyond = (row) => infeasible.has(row) || !kept(row);
  return {
    beyond: all.filter((row) => beyond(row) && !(row in columns.anchors)),
    dominated: all.filter((row) => !special.has(row) && !beyond(row)),
    front: front.filter(kept),
    knee: knee !== null && kept(knee) ? [knee] : [],
    anchors: Object.keys(columns.anchors).map(Number).filter((row) => all.includes(row)),
  };
}

function thin(chosen) {
  if (webGL || chosen.length <= THINNED) return chosen;
  const step = chosen.length / THINNED;
  return Array.from({ length: THINNED }, (_, index) => chosen[Math.floor(index * step)]);
}

function drawFront() {
  const figure = themed(structuredClone(data.figures.pareto));
  const parts = split();
  const { data: traces, layout } = figure;
  if (inspect.checked) [BEYOND, DOMINATED].forEach((index) => delete traces[index].hoverinfo);
  fill(traces[BEYOND], thin(parts.beyond));
  fill(traces[DOMINATED], thin(parts.dominated));
  fill(traces[FRONT], parts.front);
  fill(traces[KNEE], parts.knee);
  fill(traces[ANCHORS], parts.anchors);
  intervals(traces[INTERVALS], [...parts.front, ...parts.anchors]);
  traces[ANCHORS].text = parts.anchors.map((row) => columns.anchors[row]);
  traces[ANCHORS].textposition = traces[ANCHORS].x.map((each, _, all) => (each === Math.max(...all) ? "top left" : "bottom right"));
  const steps = [...parts.front].sort((a, b) => columns.values[state.x][a] - columns.values[state.x][b]);
  fill(traces[ATTAINED], steps);
  layout.xaxis.title.text = columns.metrics[state.x].title;
  layout.yaxis.title.text = columns.metrics[state.y].title;
  layout.uirevision = `${state.x} ${state.y}`;
  if (state.trial !== null && rowOf.has(state.trial)) {
    const ring = { symbol: "circle-open", size: 24, color: layout.font.color, line: { width: 3 } };
    const chosen = { type: "scatter", name: "chosen", mode: "markers", hoverinfo: "skip", marker: ring };
    fill(chosen, [rowOf.get(state.trial)]);
    traces.push(chosen);
  }
  const shown = new Set(parts.front.map((row) => String(columns.numbers[row])));
  rows.forEach((row) => {
    row.hidden = !shown.has(row.dataset.trial);
    row.setAttribute("aria-selected", String(row.dataset.trial === String(state.trial)));
  });
  const lost = pair().front.length - parts.front.length;
  document.getElementById("kept").textContent = lost
    ? `${parts.front.length} of the ${pair().front.length} networks on this front keep what was chosen here; the others are drawn hollow.`
    : state.x === data.x && state.y === data.y ? "" : `${parts.front.length} networks are on this front.`;
  return plot("pareto", figure);
}

function choices(select, names, chosen) {
  const groups = Map.groupBy(names, (name) => columns.metrics[name].device || "any machine");
  groups.forEach((members, device) => {
    const group = element("optgroup", "", select);
    group.label = device;
    members.forEach((name) => (element("option", `${name} [${columns.metrics[name].unit}]`, group).value = name));
  });
  select.value = state[chosen];
  select.addEventListener("change", () => set({ [chosen]: select.value }));
  changed.push(() => (select.value = state[chosen]));
}

function slider(metric, parent) {
  const known = columns.values[metric].filter((value) => value !== null);
  const [least, most] = [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)];
  if (!(most > least)) return;
  const label = element("label", `${metric} `, parent);
  const range = element("input", "", label);
  const output = element("output", "", label);
  Object.assign(range, { type: "range", min: 0, max: 200, step: 1 });
  const bound = () => Number((least + ((most - least) * range.value) / 200).toPrecision(3));
  const settle = () => {
    const limit = state.limits[metric];
    range.value = limit === undefined ? 200 : Math.round((200 * (limit - least)) / (most - least));
    output.textContent = limit === undefined ? " no limit" : ` ≤ ${short(limit)} ${columns.metrics[metric].unit}`;
  };
  range.addEventListener("input", () => {
    const { [metric]: _, ...others } = state.limits;
    set({ limits: Number(range.value) === 200 ? others : { ...others, [metric]: bound() } });
  });
  changed.push(settle);
  settle();
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
  const trial = Number(row.dataset.trial);
  row.querySelector(".drawing").innerHTML = glyph(stagesOf(rowOf.get(trial)));
  row.addEventListener("click", () => set({ trial }));
  row.addEventListener("keydown", (event) => {
    if (event.key === "Enter") set({ trial });
    if (event.key === "c") set({ compare: trial });
  });
});
document.addEventListener("keydown", (event) => event.key === "Escape" && set({ trial: null, compare: null }));
inspect.addEventListener("change", drawFront);
