// The front of the two selected metrics under the selected limits: computed, drawn, and described.

// The traces of results/figures/pareto.py.
const [BEYOND, DOMINATED, ATTAINED, FRONT, DOUBTFUL, KNEE, ANCHORS, DOUBTFUL_ANCHORS, INTERVALS, PREDICTED] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const THINNED = 2000; // points of the cloud, beyond which SVG is slow
const FEW = 10; // trials that a command names by number
const inspect = document.getElementById("inspect");
let webGL = false;
try {
  webGL = ["webgl2", "webgl"].some((kind) => document.createElement("canvas").getContext(kind));
} catch {} // none, then

function costs(metric) {
  const sign = columns.metrics[metric].direction === "minimize" ? 1 : -1;
  return columns.values[metric].map((value) => (value === null ? null : sign * value));
}

// Whether a network has a predicted latency in place of a measured one on this axis.
function predictedOnly(row) {
  const predicted = columns.values[columns.predictions[state.x]];
  return Boolean(predicted) && predicted[row] !== null && columns.values[state.x][row] === null && columns.values[state.y][row] !== null;
}

// The rows of every layer of the figure.
function findFront() {
  const known = everyRow.filter((row) => tried(row) && columns.values[state.x][row] !== null && columns.values[state.y][row] !== null);
  const allowed = new Set(known.filter((row) => !infeasible.has(row) && kept(row)));
  const [up, across] = [costs(state.y), costs(state.x)];
  const front = undominated(allowed, up, across);
  const special = new Set([...front, ...Object.keys(columns.anchors).map(Number)]);
  return {
    known,
    allowed,
    front,
    knee: kneeOf(front, up, across),
    beyond: known.filter((row) => !allowed.has(row) && !(row in columns.anchors)),
    dominated: known.filter((row) => allowed.has(row) && !special.has(row)),
    anchors: known.filter((row) => row in columns.anchors),
    predicted: everyRow.filter((row) => tried(row) && predictedOnly(row) && kept(row)),
  };
}

let current = findFront();

function doubtful(row) {
  return flag(state.x, row) || flag(state.y, row);
}

function fill(trace, rows, along = state.x) {
  const take = (metric) => rows.map((row) => columns.values[metric][row]);
  Object.assign(trace, { x: take(along), y: take(state.y), customdata: rows.map((row) => columns.numbers[row]) });
  const [x, y] = [state.x, state.y].map((metric) => columns.metrics[metric].unit);
  const note = rows.some(doubtful) ? "<br>doubtful: %{hovertext}" : "";
  if (note) trace.hovertext = rows.map(doubtful);
  if (trace.hoverinfo !== "skip") trace.hovertemplate = `trial %{customdata}<br>%{x:.4g} ${x}, %{y:.4g} ${y}${note}<extra></extra>`;
}

// The paper's networks, with their names.
function fillStars(trace, rows) {
  fill(trace, rows);
  trace.text = rows.map((row) => columns.anchors[row]);
  trace.textposition = trace.x.map((x) => (x === Math.max(...trace.x) ? "top left" : "bottom right"));
}

// One line with gaps: see figures/pareto.py.
function intervals(trace, rows) {
  const ends = (metric, row, along) => {
    const value = columns.values[metric][row];
    return [...((along && interval(metric, row)) || [value, value]), null];
  };
  trace.x = rows.flatMap((row) => [...ends(state.x, row, true), ...ends(state.x, row, false)]);
  trace.y = rows.flatMap((row) => [...ends(state.y, row, false), ...ends(state.y, row, true)]);
}

function thin(rows) {
  if (webGL || rows.length <= THINNED) return rows;
  const step = rows.length / THINNED;
  return Array.from({ length: THINNED }, (_, index) => rows[Math.floor(index * step)]);
}

function drawFront() {
  const figure = themed(structuredClone(data.figures.pareto));
  const { data: traces, layout } = figure;
  if (inspect.checked) [BEYOND, DOMINATED, PREDICTED].forEach((index) => delete traces[index].hoverinfo);
  fill(traces[BEYOND], thin(current.beyond));
  fill(traces[DOMINATED], thin(current.dominated));
  fill(traces[ATTAINED], [...current.front].sort((a, b) => columns.values[state.x][a] - columns.values[state.x][b]));
  fill(traces[FRONT], current.front.filter((row) => !doubtful(row)));
  fill(traces[DOUBTFUL], current.front.filter(doubtful));
  fill(traces[KNEE], current.knee === null ? [] : [current.knee]);
  fillStars(traces[ANCHORS], current.anchors.filter((row) => !doubtful(row)));
  fillStars(traces[DOUBTFUL_ANCHORS], current.anchors.filter(doubtful));
  fill(traces[PREDICTED], thin(current.predicted), columns.predictions[state.x]);
  intervals(traces[INTERVALS], [...current.front, ...current.anchors]);
  if (state.colour !== null) colour(traces);
  layout.xaxis.title.text = columns.metrics[state.x].title;
  layout.yaxis.title.text = columns.metrics[state.y].title;
  layout.uirevision = `${state.x} ${state.y}`;
  markRandom(traces);
  markAnswer(traces, layout);
  if (state.trial !== null && rowOf.has(state.trial) && tried(rowOf.get(state.trial))) {
    const ring = { symbol: "circle-open", size: 24, color: layout.font.color, line: { width: 3 } };
    const selected = { type: "scatter", name: "selected", mode: "markers", hoverinfo: "skip", marker: ring };
    fill(selected, [rowOf.get(state.trial)]);
    traces.push(selected);
  }
  say("pareto", [summary(), ...remarks(), ...doubts(current.front, [state.y, state.x], "these "), ...strange()].join(" "));
  document.getElementById("kept").textContent = [choice(), command(), ownFront()].filter(Boolean).join(" ");
  return plot("pareto", figure);
}

// A third metric as the colour of the front and of what it dominates.
function colour(traces) {
  const values = (trace) => trace.customdata.map((number) => columns.values[state.colour][rowOf.get(number)]);
  const known = current.known.map((row) => columns.values[state.colour][row]).filter((value) => value !== null);
  const [cmin, cmax] = extent(known);
  const { unit } = columns.metrics[state.colour];
  [FRONT, DOMINATED].forEach((index) => {
    const scale = { color: values(traces[index]), colorscale: "Cividis", cmin, cmax, opacity: 1 };
    const bar = { colorbar: { thickness: 12, title: { text: `${state.colour} [${unit}]`, side: "right" } } };
    Object.assign(traces[index].marker, scale, index === FRONT ? bar : {});
  });
}

// The budget as a line, and what is best within it.
function markAnswer(traces, layout) {
  const row = answerRow();
  const line = { type: "line", x0: budgetNow(), x1: budgetNow(), y0: 0, y1: 1, yref: "paper", line: { color: "#009E73", width: 1.5, dash: "dash" } };
  if (current.front.length) layout.shapes = [...(layout.shapes ?? []), line];
  const marker = { symbol: "diamond", size: 15, color: "#009E73", line: { color: "white", width: 1.5 } };
  const best = { type: "scatter", name: "the answer", mode: "markers", hoverinfo: "skip", marker };
  fill(best, row === null ? [] : [row]);
  traces.push(best);
}

// The description of a figure: the text below it, and its label for screen readers.
function say(name, text) {
  document.getElementById(`${name}-summary`).textContent = text;
  document.getElementById(name).setAttribute("aria-label", text);
}

function spoken(metric, row) {
  const ends = interval(metric, row);
  return `${short(columns.values[metric][row])}${ends ? ` [${ends.map(short).join(", ")}]` : ""} ${columns.metrics[metric].unit}`.trimEnd();
}

function summary() {
  const { front, knee } = current;
  if (!front.length) return narrowed() ? "No network keeps the limits set here." : "No candidate has succeeded within the limits.";
  const values = front.map((row) => columns.values[state.x][row]);
  const ends = extent(values).map((value) => String(Number(value.toPrecision(3))));
  const reach = front.length > 1 ? `from ${ends[0]} to ${ends[1]}` : `at ${ends[0]}`;
  const at = knee === null ? "" : ` The knee is trial ${columns.numbers[knee]}: ${spoken(state.x, knee)}, ${spoken(state.y, knee)}.`;
  return `${front.length} ${front.length === 1 ? "network is" : "networks are"} on the front, ${reach} ${columns.metrics[state.x].unit}.${at}`;
}

function isOwn() {
  return state.x === ACROSS && state.y === UP && !narrowed() && state.until === null && data.objectives.length === 2;
}

// Remarks on the predictions of the run's front; for another front, only which axis is predicted.
function remarks() {
  if (isOwn()) return data.remarks;
  const predicted = [state.y, state.x].filter((metric) => columns.metrics[metric].kind === "predicted");
  return predicted.map((metric) => `${metric} is predicted, not ${metric === state.x ? "measured" : "trained"}.`);
}

// The same sentences as in results/verification.py: how many latencies are doubtful, and what measures them again.
function doubts(rows, metrics, whose) {
  return doubted(rows, metrics, whose).map(({ words, command }) => `${words}: measure again with '${command}'.`);
}

// For each metric that is doubtful for some rows: the words, and the command.
function doubted(rows, metrics, whose) {
  return metrics.flatMap((metric) => {
    const those = rows.filter((row) => flag(metric, row));
    if (!those.length) return [];
    const counts = [...Map.groupBy(those, (row) => flag(metric, row))].map(([name, { length }]) => [length, name]).sort(([a], [b]) => b - a);
    const among = whose ? `${those.length} of ${whose}${rows.length} latencies by ${metric} ${those.length > 1 ? "are" : "is"}` : `${metric} is`;
    const flagged = whose ? counts.map((pair) => pair.join(" ")).join(", ") : counts[0][1];
    const trials = those.map((row) => columns.numbers[row]).sort((a, b) => a - b);
    const one = trials.length > FEW ? "--all" : trials.map((trial) => `--trial ${trial}`).join(" ");
    const which = whose && isOwn() ? "--front" : one;
    const command = `nas measure ${data.run} ${which} --latency ${metric.split("~")[0]}${data.store}`;
    return [{ words: `${among} doubtful (${flagged})`, command }];
  });
}

// The same sentence as in results/novelty.py.
function strange() {
  const rows = current.front.filter((row) => unlike(row).length);
  if (!rows.length) return [];
  const example = `for example trial ${columns.numbers[rows[0]]}: ${unlike(rows[0]).join("; ")}`;
  const count = `${rows.length} of ${current.front.length} networks on the front ${rows.length > 1 ? "are" : "is"}`;
  return [`${count} unlike anything published, ${example}. Nobody has shown that such networks train well: a score may have been exploited.`];
}

// How many networks the limits leave.
function choice() {
  const replayed = state.until === null ? "" : `The run up to trial ${state.until}. `;
  if (!narrowed()) return replayed;
  return `${replayed}${current.allowed.size} of ${current.known.length} networks keep the limits set here; the others are hollow.`;
}

// The command that lists the same networks.
function command() {
  const same = data.objectives.length === 2 && state.until === null && state.x === ACROSS && state.y === UP && !Object.keys(state.brush).length;
  if (!Object.keys(state.limits).every(isCost)) return "";
  const limits = Object.entries(state.limits).map(([metric, bound]) => `${metric}<=${bound}${columns.metrics[metric].unit}`);
  if (!same || !limits.length || limits.some((limit) => limit.includes("~"))) return "";
  return `In a terminal: nas show ${data.run} ${[...data.limits, ...limits].map((limit) => `--limit '${limit}'`).join(" ")}${data.store}`;
}

function ownFront() {
  if (data.objectives.length === 2 || narrowed()) return "";
  return `The run has ${data.objectives.length} objectives: nas show ${data.run}${data.store} lists the ${data.members} networks of its front.`;
}

inspect.addEventListener("change", drawFront);
