// The answer: the best network up to a budget of the horizontal axis; how sure, what it looks like, and how to get it.

const budget = document.getElementById("budget");
const slide = document.getElementById("slide");
const STEPS = 200; // of the slider
const formats = new Set(["config"]); // in which the commands export

// The bounds of the slider: the fastest and the slowest network of the front.
function reachOfFront() {
  return extent(current.front.map((row) => columns.values[state.x][row]));
}

// At first, what the knee takes, or else the slowest network of the front, rounded up to two digits.
function budgetNow() {
  if (state.budget !== null || !current.front.length) return state.budget;
  const value = current.knee === null ? reachOfFront()[1] : columns.values[state.x][current.knee];
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2));
}

// The network that is best within the budget; the front has the best first.
function answerRow() {
  const bound = budgetNow();
  return current.front.find((row) => columns.values[state.x][row] <= bound) ?? null;
}

// The network that nearly keeps the budget, where none does: the fastest of the front.
function nearest() {
  return current.front.at(-1) ?? null;
}

// Whether a value is an end of its interval, whose ends have seven digits.
function isEnd(end, value) {
  return Math.abs(end - value) <= 1e-6 * Math.abs(value);
}

// How sure: the interval, unless the value is an end of it, as in what published networks predict at least.
function sure(metric, row) {
  const { unit } = columns.metrics[metric];
  const value = columns.values[metric][row];
  const ends = interval(metric, row);
  if (!ends) return `${short(value)} ${unit}`;
  const [low, high] = ends.map(short);
  return ends.some((end) => isEnd(end, value)) ? `${low} to ${high} ${unit}` : `${short(value)} ${unit} [${low}, ${high}]`;
}

function ratioToPaper(row) {
  const first = current.anchors.find((other) => other !== row && columns.values[state.x][other] > 0);
  if (first === undefined) return "";
  const ratio = columns.values[state.x][row] / columns.values[state.x][first];
  const flagged = [row, first].some((each) => flag(state.x, each));
  return flagged ? "" : `${ratio.toFixed(2)} × ${columns.anchors[first]}`;
}

function sentences(row) {
  const { said } = columns.metrics[state.y];
  return [sure(state.x, row), [sure(state.y, row), said].join(" "), ratioToPaper(row)].filter(Boolean);
}

function take() {
  const [row, text] = [answerRow(), document.getElementById("take")];
  text.replaceChildren();
  if (row === null) return void element("span", noAnswer(), text);
  text.append("take ");
  const trial = columns.numbers[row];
  const name = columns.anchors[row] ? `${columns.anchors[row]} (trial ${trial})` : `trial ${trial}`;
  element("strong", name, text);
  sentences(row).forEach((sentence) => text.append(` · ${sentence}`));
  const doubts = [state.x, state.y].map((metric) => flag(metric, row)).filter(Boolean);
  if (doubts.length) element("small", ` ◇ doubtful: ${doubts.join(", ")}`, text).className = "doubtful";
  if (unlike(row).length) element("small", " ◇ unlike anything published", text).className = "doubtful";
}

// Why there is none, and by how much the nearest misses.
function noAnswer() {
  const row = nearest();
  if (row === null) return narrowed() ? "no network keeps the limits set here." : "there is no network yet.";
  const over = columns.values[state.x][row] - budgetNow();
  const { unit } = columns.metrics[state.x];
  return `there is no network: the nearest, trial ${columns.numbers[row]}, has ${sure(state.x, row)}, ${short(over)} ${unit} too many.`;
}

function exportCommand(trial) {
  const chosen = data.formats.filter((name) => formats.has(name));
  const alone = chosen.join() === "config";
  const to = alone ? `-o trial-${trial}.json` : `--to ${chosen.join(",")} -o trial-${trial}/`;
  return `nas export ${data.run} --trial ${trial} ${to}${data.store}`;
}

function copied(text) {
  return (made) => navigator.clipboard.writeText(text()).then(() => ((made.textContent = "Copied"), setTimeout(() => (made.textContent = made.name), 2000)));
}

// The formats as boxes, which compose the command.
function picker(parent, trial) {
  const code = element("code", exportCommand(trial), parent);
  const boxes = element("p", "", parent);
  boxes.className = "formats";
  data.formats.forEach((name) => {
    const label = element("label", "", boxes);
    const box = Object.assign(element("input", "", label), { type: "checkbox", checked: formats.has(name), value: name });
    label.append(` ${name}`);
    box.addEventListener("change", () => {
      box.checked ? formats.add(name) : formats.delete(name);
      if (!formats.size) formats.add("config");
      showSelected();
      showAnswer();
    });
  });
  return code;
}

// A word on doubtful latencies of the front, with the command that measures them again.
function warn() {
  const place = document.getElementById("doubt");
  const [found] = doubted(current.front, [state.x], "the front's ");
  place.replaceChildren();
  place.hidden = !found;
  if (!found) return;
  element("span", `◇ ${found.words}: a better or a worse network may be the answer. `, place);
  button("Copy the command that measures them again", place, copied(() => found.command));
}

function getIt(row) {
  const place = document.getElementById("get");
  place.replaceChildren();
  if (row === null) return;
  const trial = columns.numbers[row];
  button("Copy the export command", place, copied(() => exportCommand(trial)));
  if (data.cards[trial]) button("Download the config", place, () => download(`trial-${trial}.json`, data.cards[trial].config));
  button("Open its card", place, () => set({ trial }));
  element("code", exportCommand(trial), place);
}

function showAnswer() {
  const { front } = current;
  const device = columns.metrics[state.x].device;
  document.getElementById("unit").textContent = `${columns.metrics[state.x].unit} by ${state.x}${device ? ` on ${device}` : ""},`;
  const row = answerRow();
  if (document.activeElement !== budget) budget.value = budgetNow() ?? "";
  const [least, most] = front.length ? reachOfFront() : [0, 1];
  slide.disabled = !(most > least);
  slide.value = Math.round((STEPS * ((budgetNow() ?? most) - least)) / (most - least || 1));
  take();
  warn();
  const shown = row ?? nearest();
  document.getElementById("drawing").replaceChildren(...(shown === null ? [] : timed(described(columns.numbers[shown]), document.getElementById("drawing").clientWidth)));
  getIt(row);
}

// Many changes within a frame are one.
function soon(act) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => ((waiting = false), act()));
  };
}

budget.addEventListener("input", soon(() => budget.value > 0 && set({ budget: Number(budget.value) })));
budget.addEventListener("blur", () => (budget.value = budgetNow() ?? "")); // nothing more: a click on a button may have taken the focus
budget.form.addEventListener("submit", (event) => event.preventDefault());
slide.addEventListener("input", soon(() => {
  const [least, most] = reachOfFront();
  const value = least + ((most - least) * slide.value) / STEPS;
  set({ budget: Number(slide.value) === STEPS ? Number(Math.ceil(most * 1000) / 1000) : Number(value.toPrecision(3)) });
}));
changed.push(showAnswer);
