// The card of the network under the pointer or the selected one, and the comparison of two networks.

const card = document.getElementById("card");
const empty = card.innerHTML;

function button(text, parent, act) {
  const made = element("button", text, parent);
  made.type = "button";
  made.name = text;
  made.className = "act";
  made.addEventListener("click", () => act(made));
  return made;
}

// What the columns say about a network, and the further data that the file has for those on a front.
function described(trial) {
  const row = rowOf.get(trial);
  const anchor = columns.anchors[row];
  const measured = Object.keys(columns.metrics).filter((metric) => columns.values[metric][row] !== null);
  const line = (metric) => {
    const value = columns.values[metric][row];
    const { unit, kind, device } = columns.metrics[metric];
    const ends = interval(metric, row)?.map(short).join(" to ") ?? "-";
    return [metric, `${short(value)} ${unit}`, ends, [kind, device, flag(metric, row)].filter(Boolean).join(", ")];
  };
  return {
    trial,
    title: `Trial ${trial}${anchor ? `, ${anchor}` : ""}`,
    notation: columns.notations[row],
    fields: columns.fields.kinds[columns.fields.rows[row]],
    stages: isOurs(row) ? stagesOf(row) : [],
    parts: columns.stages.length,
    measurements: measured.map(line),
    warnings: [],
    shares: {},
    ...data.cards[trial],
  };
}

// A mark for each block, as in results/glyphs.py: convolution flat and blue, a transformer tall and vermilion for the
// share of attention; wider marks have more channels, on a square-root scale. Other blocks have a colour each.
const ZOO = { M: "#8a8f98", P: "#F0E442", R: "#CC79A7", V: "#E69F00", W: "#009E73", X: "#56B4E9" };
const [HEIGHT, FLAT, GAP, STAGE_GAP] = [22, 9, 1.5, 7];

function glyph(stages) {
  let x = 0;
  const boxes = stages.map((stage) => {
    const marks = widths(stage).map((channels, index) => {
      const width = 3 + Math.sqrt(channels / 96) * 2;
      const box = (y, height, colour) => `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"/>`;
      const attention = HEIGHT * stage.ratio;
      const transformer = () => box(0, attention, "#D55E00") + box(attention, HEIGHT - attention, "#0072B2");
      const kind = stage.blocks[index];
      const height = transforms(kind) ? HEIGHT : FLAT;
      const mark = kind === "T" ? transformer() : box(HEIGHT - height, height, ZOO[kind] ?? "#0072B2");
      x += width + GAP;
      return mark;
    });
    x += STAGE_GAP;
    return marks.join("");
  });
  const count = (blocks, kind) => [...blocks].filter((each) => each === kind).length;
  const zoo = (blocks) => Object.keys(ZOO).filter((kind) => blocks.includes(kind)).map((kind) => `, ${count(blocks, kind)} ${kind}`);
  const spoken = stages.map(({ blocks }, index) => `stage ${index + 1}: ${count(blocks, "C")} convolution, ${count(blocks, "T")} transformer${zoo(blocks).join("")}`);
  if (!stages.length) return "";
  const size = `width="${(x - STAGE_GAP).toFixed(0)}" height="${HEIGHT}" viewBox="0 0 ${(x - STAGE_GAP).toFixed(1)} ${HEIGHT}"`;
  return `<svg class="glyph" role="img" aria-label="${spoken.join("; ")}; ${stages.map(({ blocks }) => blocks).join("-")}" ${size}>${boxes.join("")}</svg>`;
}

function stageCells({ blocks, widthOf, ratio }, index) {
  return [String(index + 1), blocks, Object.values(widthOf).filter(Boolean).join("/"), ratio === null ? "-" : String(Number(ratio.toPrecision(2)))];
}

// The stages, and their shares of each latency.
function stageTable(network, parent) {
  const latencies = Object.keys(network.shares);
  const share = (part) => latencies.map((name) => `${network.shares[name][part]} %`);
  const numbered = Array.from({ length: network.parts }, (_, index) => [String(index + 1), "", "", ""]);
  const stages = network.stages.length ? network.stages.map(stageCells) : latencies.length ? numbered : [];
  const lines = stages.map((cells, index) => [...cells, ...share(index + 1)]);
  if (!lines.length) return;
  if (latencies.length) {
    lines.unshift(["stem", "", "", "", ...share(0)]);
    lines.push(["head", "", "", "", ...share(5)]);
  }
  table(["stage", "blocks", "width", "r", ...latencies.map((name) => `of ${name}`)], lines, parent);
}

function show(trial) {
  const network = described(trial);
  card.replaceChildren();
  element("h2", network.title, card);
  element("p", standing(rowOf.get(trial)), card).className = "summary";
  const drawn = timed(network, card.clientWidth - 34);
  if (drawn.length) card.append(...drawn);
  else card.insertAdjacentHTML("beforeend", glyph(network.stages)); // contains numbers and our own text only
  element("p", network.notation, card).className = "notation";
  if (network.fields) element("p", `Not as in Next-ViT: ${network.fields}.`, card).className = "fields";
  stageTable(network, card);
  table(["metric", "value", "95 %", "kind"], network.measurements, card).className = "numbers";
  doubts([rowOf.get(trial)], Object.keys(columns.flags), "").forEach((sentence) => (element("p", `◇ ${sentence}`, card).className = "doubtful"));
  const reasons = unlike(rowOf.get(trial));
  if (reasons.length) element("p", `◇ Unlike anything published: ${reasons.join("; ")}.`, card).className = "doubtful";
  if (network.warnings.length) {
    const list = element("ul", "", card);
    network.warnings.forEach((warning) => element("li", warning, list));
  }
  picker(card, trial);
  const actions = element("p", "", card);
  button("Copy the command", actions, copied(() => exportCommand(trial)));
  if (network.config) button("Download the config", actions, () => download(`trial-${trial}.json`, network.config));
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

// The selected network; or else the answer, below a sentence on how to select one.
function showSelected() {
  if (state.trial !== null) return show(state.trial);
  const row = answerRow() ?? nearest();
  if (row !== null) show(columns.numbers[row]);
  else card.replaceChildren();
  card.insertAdjacentHTML("afterbegin", empty);
}

// Where a network stands in the figure.
function standing(row) {
  if (!tried(row)) return "Not in this figure: it was tried after the trial at which the replay stands.";
  if (row === current.knee) return "The knee of this front.";
  if (current.front.includes(row)) return "On this front.";
  if (current.allowed.has(row)) return "Not on this front: another network beats it.";
  return current.known.includes(row) ? "Not on this front: beyond a limit." : "Not in this figure: one of the two numbers is missing.";
}

// Both networks, drawn on one scale of time; blocks in which they differ are outlined.
function side(trial, other, parent) {
  const [network, against] = [trial, other].map(described);
  const most = Math.max(...[network, against].map((each) => times(each)?.parts.reduce((a, b) => a + b, 0) ?? 0));
  const box = element("div", "", parent);
  element("h3", network.title, box);
  const drawn = timed(network, box.clientWidth, most, against);
  if (drawn.length) box.append(drawn[0]);
  else box.insertAdjacentHTML("beforeend", glyph(network.stages));
  element("p", network.notation, box).className = "notation";
}

// The time of every stage, with the relative error of the whole latency; nothing where a run-time does not tell it.
function stageTimes(first, second) {
  const [a, b] = [first, second].map((trial) => times(described(trial)));
  if (!a?.metric || a.metric !== b?.metric) return [];
  const errors = [first, second].map((trial) => {
    const row = rowOf.get(trial);
    const [low, high] = interval(a.metric, row) ?? [1, 1];
    return (high - low) / 2 / columns.values[a.metric][row];
  });
  return a.parts.slice(1, -1).map((own, index) => {
    const [theirs, error] = [b.parts[index + 1], Math.hypot(own * errors[0], b.parts[index + 1] * errors[1])];
    const change = `${theirs >= own ? "+" : ""}${short3(theirs - own)} ± ${error.toPrecision(1)}`;
    return [`stage ${index + 1} by ${a.metric} [${a.unit}]`, short3(own), short3(theirs), Math.abs(theirs - own) > error ? change : "not distinguishable"];
  });
}

// A difference is reported only where the intervals do not overlap.
function difference(metric, first, second) {
  const [a, b] = [first, second].map((row) => columns.values[metric][row]);
  if (a === null || b === null) return null;
  const [[low, high], [lowToo, highToo]] = [interval(metric, first) ?? [a, a], interval(metric, second) ?? [b, b]];
  const apart = lowToo > high || low > highToo;
  const change = `${b >= a ? "+" : ""}${short(b - a)} (${b >= a ? "+" : ""}${((b / a - 1) * 100).toFixed(1)} %)`;
  const flagged = [first, second].map((row) => flag(metric, row)).filter(Boolean);
  const words = flagged.length ? `doubtful: ${flagged.join(", ")}` : a === b ? "equal" : apart ? change : "not distinguishable";
  return [`${metric} [${columns.metrics[metric].unit}]`, short(a), short(b), words];
}

function showCompared() {
  const section = document.getElementById("compare");
  const ready = state.compare !== null && state.trial !== null && state.compare !== state.trial;
  section.hidden = state.compare === null;
  const body = document.getElementById("compared");
  body.replaceChildren();
  if (section.hidden) return;
  if (!ready) return void element("p", `Trial ${state.compare} is marked for comparison: select another network.`, body);
  const sides = element("div", "", body);
  sides.className = "stacked";
  side(state.compare, state.trial, sides);
  side(state.trial, state.compare, sides);
  const [first, second] = [state.compare, state.trial];
  const names = [`trial ${first}`, `trial ${second}`];
  const [ours, theirs] = [first, second].map((trial) => described(trial).stages.map(stageCells));
  const labels = ["", "blocks", "width", "r"];
  const stages = ours.flatMap((stage, index) =>
    stage.flatMap((value, field) => (theirs[index] && value !== theirs[index][field] ? [[`stage ${index + 1}, ${labels[field]}`, value, theirs[index][field], ""]] : [])),
  );
  const [own, other] = [first, second].map((trial) => described(trial).fields || "as in Next-ViT");
  const fields = own === other ? [] : [["fields", own, other, ""]];
  const numbers = Object.keys(columns.metrics).map((metric) => difference(metric, rowOf.get(first), rowOf.get(second)));
  table(["difference in", ...names, "difference"], [...numbers.filter(Boolean), ...stageTimes(first, second), ...stages, ...fields], body);
  button("Clear", body, () => set({ compare: null }));
}

changed.push(showSelected, showCompared);
