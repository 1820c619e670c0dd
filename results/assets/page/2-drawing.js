// A network drawn in time: a box for each block, as wide as the time that it takes.

const TALL = 34; // px, of a transformer block; a convolution block has half of it
const [LABEL, DIGIT] = [78, 14]; // px that a stage needs for its time below it, and for its number alone

// The milliseconds of every part (stem, stages, head) and block, or multiply-accumulates where no time is known by part.
function times(network) {
  const metric = [state.x, ...Object.keys(network.shares)].find((name) => network.shares[name]);
  if (!network.work?.length) return null;
  const sums = network.work.map((blocks) => blocks.reduce((a, b) => a + b, 0));
  if (!metric) return { unit: "GMACs", parts: [0, ...sums, 0], blocks: network.work };
  const whole = columns.values[metric][rowOf.get(network.trial)];
  const parts = network.shares[metric].map((percent) => (percent / 100) * whole);
  const blocks = network.work.map((row, stage) => row.map((macs) => (parts[stage + 1] * macs) / (sums[stage] || 1)));
  return { unit: columns.metrics[metric].unit, metric, parts, blocks };
}

function svg(tag, attributes, parent, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

// The drawing and its caption, for a place so many pixels wide. `most` is the time that the whole width stands for: two
// networks share a scale, and blocks that are not those of the `other` are outlined.
function timed(network, width, most = null, other = null) {
  const known = times(network);
  if (!known) return [];
  const all = known.parts.reduce((a, b) => a + b, 0);
  const percent = (value) => (100 * value) / (most ?? all);
  const drawn = svg("svg", { class: "timed", role: "img", width: "100%", height: TALL + 20, "aria-label": spokenTimes(network, known) });
  let x = 0;
  known.parts.forEach((part, index) => {
    const stage = network.stages[index - 1];
    if (stage) boxes(drawn, stage, known.blocks[index - 1], x, percent, other?.stages[index - 1]);
    else svg("rect", { x: `${x}%`, y: TALL * 0.75, width: `${percent(part)}%`, height: TALL / 4, class: "ends" }, drawn);
    if (stage) named(drawn, index, `${short3(part)} ${known.unit}`, x, percent(part), width);
    x += percent(part);
  });
  const caption = document.createElement("small");
  caption.textContent = known.metric
    ? `Stages as wide as their time by ${known.metric}; in a stage, blocks by their multiply-accumulates. Flat: convolution. Tall: transformer, vermilion for attention.`
    : "Blocks as wide as their multiply-accumulates: this latency is not known by stage. Flat: convolution. Tall: transformer, vermilion for attention.";
  return [drawn, caption];
}

// A line below a stage, with its number and its time where there is room.
function named(parent, stage, time, x, percent, width) {
  svg("line", { x1: `${x + 0.1}%`, x2: `${x + percent - 0.1}%`, y1: TALL + 3, y2: TALL + 3 }, parent);
  const room = (width * percent) / 100;
  if (room >= DIGIT) svg("text", { x: `${x + 0.1}%`, y: TALL + 17 }, parent, room >= LABEL ? `${stage}: ${time}` : String(stage));
}

function short3(value) {
  return String(Number(value.toPrecision(3)));
}

function boxes(parent, stage, times, x, percent, other) {
  [...stage.blocks].forEach((kind, index) => {
    const wide = percent(times[index]);
    const height = transforms(kind) ? TALL : TALL / 2;
    const differs = other && other.blocks[index] !== kind;
    const box = svg("g", {}, parent);
    const part = (y, tall, colour) => svg("rect", { x: `${x}%`, y, width: `${wide}%`, height: tall, fill: colour, class: differs ? "block differs" : "block" }, box);
    const attention = TALL * stage.ratio;
    if (kind === "T") {
      part(0, attention, "#D55E00");
      part(attention, TALL - attention, "#0072B2");
    } else part(TALL - height, height, ZOO[kind] ?? "#0072B2");
    svg("title", {}, box, `${kind === "T" ? "transformer" : kind === "C" ? "convolution" : kind} block, ${stage.widthOf[kind]} channels`);
    x += wide;
  });
}

function spokenTimes(network, { parts, unit }) {
  const stages = network.stages.map((stage, index) => `stage ${index + 1}: ${stage.blocks}, ${short3(parts[index + 1])} ${unit}`);
  return stages.join("; ");
}
