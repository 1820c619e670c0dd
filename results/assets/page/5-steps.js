// The front in steps: what more time costs, gains and adds.

// What each step of the front buys, from the fastest network on: steps that are about equally long, on a scale of ratios.
const MOST_STEPS = 8;

function steps() {
  const rows = current.front.toReversed();
  if (rows.length < 2) return [];
  const at = (row) => columns.values[state.x][row];
  const [least, most] = reachOfFront();
  const ratio = least > 0 ? Math.max(1.05, (most / least) ** (1 / MOST_STEPS)) : 1.05;
  const chosen = [rows[0]];
  rows.forEach((row) => at(row) >= at(chosen.at(-1)) * ratio * (1 - 1e-9) && chosen.push(row));
  return chosen.slice(1).map((row, index) => [chosen[index], row]);
}

function bought([from, to]) {
  const value = (metric, row) => columns.values[metric][row];
  const gain = (metric) => `+${short3(value(metric, to) - value(metric, from))} ${columns.metrics[metric].unit.replace("%", "points")}`;
  const apart = (metric) => difference(metric, from, to)?.at(-1) ?? "";
  const noise = [state.x, state.y].filter((metric) => /not distinguishable|doubtful/.test(apart(metric)));
  const names = [from, to].map((row) => `trial ${columns.numbers[row]}`).join(" to ");
  const inNoise = noise.length ? ` (${noise.map((metric) => `${metric}: within the noise`).join(", ")})` : "";
  return `${short3(value(state.x, from))} to ${short3(value(state.x, to))} ${columns.metrics[state.x].unit}, ${names}: ${gain(state.x)} ${gain(state.y)}${inNoise}; ${changes(from, to)}.`;
}

// What the second network has more or fewer of: transformers by stage, and convolutions in all.
function changes(from, to) {
  if (!isOurs(from) || !isOurs(to)) return "of another family";
  const count = ({ blocks }, what) => [...blocks].filter((kind) => transforms(kind) === what).length;
  const [a, b] = [from, to].map(stagesOf);
  const more = (number, name) => `${Math.abs(number)} ${number > 0 ? "more" : "fewer"} ${name}${Math.abs(number) === 1 ? "" : "s"}`;
  const transformers = a.flatMap((stage, index) => {
    const number = count(b[index], true) - count(stage, true);
    return number ? [`${more(number, "transformer")} in stage ${index + 1}`] : [];
  });
  const sum = (stages) => stages.reduce((whole, stage) => whole + count(stage, false), 0);
  const convolutions = sum(b) - sum(a) ? [more(sum(b) - sum(a), "convolution block")] : [];
  return [...transformers, ...convolutions].join(", ") || "as many blocks, at other places or of other widths";
}

function showSteps() {
  const section = document.getElementById("steps");
  const found = steps();
  section.hidden = !found.length;
  section.querySelector("ol").replaceChildren(...found.map((step) => element("li", bought(step))));
}

changed.push(showSteps);
