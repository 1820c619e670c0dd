// The card of the network that is pointed at or chosen, and two networks beside each other.

const card = document.getElementById("card");
const empty = card.innerHTML;

function button(text, parent, act) {
  const made = element("button", text, parent);
  made.type = "button";
  made.className = "act";
  made.addEventListener("click", () => act(made));
  return made;
}

// Networks off every front have no card of their own in the file: what the columns say of them must do.
function told(trial) {
  const row = rowOf.get(trial);
  const measured = Object.keys(columns.metrics).filter((metric) => columns.values[metric][row] !== null);
  const line = (metric) => {
    const half = columns.halves[metric][row];
    const { unit, kind } = columns.metrics[metric];
    return [metric, `${short(columns.values[metric][row])} ${unit}`, half ? `± ${half}` : "-", kind];
  };
  return (
    data.cards[trial] ?? {
      title: `Trial ${trial}`,
      notation: columns.notations[row],
      stages: [],
      measurements: measured.map(line),
      warnings: [],
      command: `nas export ${data.run} --trial ${trial} -o arch.json`,
    }
  );
}

function show(trial) {
  const chosen = told(trial);
  card.replaceChildren();
  element("h3", chosen.title, card);
  if (chosen.glyph) card.insertAdjacentHTML("beforeend", chosen.glyph); // made by us, from C and T alone
  element("p", chosen.notation, card).className = "notation";
  if (chosen.stages.length) table(["stage", "blocks", "width", "r"], chosen.stages, card);
  table(["metric", "value", "95 %", "kind"], chosen.measurements, card).className = "numbers";
  if (chosen.warnings.length) {
    const list = element("ul", "", card);
    chosen.warnings.forEach((warning) => element("li", warning, list));
  }
  element("code", chosen.command, card);
  const actions = element("p", "", card);
  const copied = (text) => (made) => navigator.clipboard.writeText(text()).then(() => (made.textContent = "Copied"));
  button("Copy the command", actions, copied(() => chosen.command));
  if (chosen.config) button("Download the config", actions, () => download(`trial-${trial}.json`, chosen.config));
  button("Copy the link", actions, copied(() => location.href));
  button("Compare", actions, () => set({ compare: trial }));
}

function download(name, text) {
  const link = element("a", "", document.body);
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  link.remove();
}

function showChosen() {
  if (state.trial !== null) show(state.trial);
  else card.innerHTML = empty;
}

function side(trial, parent) {
  const chosen = told(trial);
  const box = element("div", "", parent);
  element("h3", chosen.title, box);
  if (chosen.glyph) box.insertAdjacentHTML("beforeend", chosen.glyph);
  element("p", chosen.notation, box).className = "notation";
}

// A difference is one only where the intervals do not meet.
function difference(metric, first, second) {
  const [a, b] = [first, second].map((row) => columns.values[metric][row]);
  if (a === null || b === null) return null;
  const [low, high] = [first, second].map((row) => columns.halves[metric][row] ?? 0);
  const change = `${b >= a ? "+" : ""}${short(b - a)} (${b >= a ? "+" : ""}${((b / a - 1) * 100).toFixed(1)} %)`;
  const apart = Math.abs(b - a) > low + high;
  return [`${metric} [${columns.metrics[metric].unit}]`, short(a), short(b), a === b ? "equal" : apart ? change : "not distinguishable"];
}

function showCompared() {
  const section = document.getElementById("compare");
  const ready = state.compare !== null && state.trial !== null && state.compare !== state.trial;
  section.hidden = state.compare === null;
  const body = document.getElementById("compared");
  body.replaceChildren();
  if (section.hidden) return;
  if (!ready) return void element("p", `Trial ${state.compare} is marked: choose another network to see both.`, body);
  const sides = element("div", "", body);
  sides.className = "sides";
  [state.compare, state.trial].forEach((trial) => side(trial, sides));
  const [first, second] = [state.compare, state.trial];
  const names = [`trial ${first}`, `trial ${second}`];
  const stages = told(first).stages.flatMap((stage, index) => {
    const other = told(second).stages[index] ?? [];
    const labels = ["", "blocks", "width", "r"];
    return stage.flatMap((value, field) => (value !== other[field] ? [[`stage ${index + 1}, ${labels[field]}`, value, other[field] ?? "?", ""]] : []));
  });
  const numbers = Object.keys(columns.metrics).map((metric) => difference(metric, rowOf.get(first), rowOf.get(second)));
  table(["what differs", ...names, "difference"], [...numbers.filter(Boolean), ...stages], body);
  button("Clear", body, () => set({ compare: null }));
}

changed.push(showChosen, showCompared);
