// Where do the transformers go? Both maps for the front on the page; results/figures/strategy.py does the same in Python.

const [POSITIONS, FEWEST] = [10, 5]; // counted from the end of a stage; networks, of fewer a share says nothing

// On narrow screens, the two maps stand one above the other.
function stack({ data, layout }) {
  const [upper, lower] = [[0.6, 1], [0, 0.44]];
  Object.assign(layout.yaxis, { domain: upper });
  Object.assign(layout.yaxis2, { domain: lower });
  [layout.xaxis, layout.xaxis2].forEach((axis) => (axis.domain = [0, 1]));
  const bars = data.map((trace) => trace.colorbar).filter(Boolean);
  bars.forEach((bar, index) => Object.assign(bar, { x: 1.02, len: 0.44, y: index ? 0.22 : 0.8 }));
}

// The share of transformers at a position of a stage, and the number of networks that have a block there.
function share(rows, stage, position) {
  const { kinds, rows: codes } = columns.stages[stage].blocks;
  const there = rows.map((row) => kinds[codes[row]]).filter((blocks) => blocks.length > position);
  return [there.length ? there.filter((blocks) => transforms(blocks.at(-1 - position))).length / there.length : 0, there.length];
}

function surplus(front) {
  const cell = (stage, position) => {
    const [here, count] = share(front, stage, position);
    return count < FEWEST ? null : here - share(everyRow, stage, position)[0];
  };
  return columns.stages.map((_, stage) => Array.from({ length: POSITIONS }, (_, position) => cell(stage, position)));
}

function mapTransformers({ data: traces }) {
  const map = surplus(current.front);
  traces.forEach((trace) => {
    if (trace.type !== "heatmap") return;
    if (trace.xaxis === "x2") best(trace);
    else trace.z = map;
  });
  say("strategy", where(current.front, map));
}

// How many networks have transformers, and where the front has more and fewer of them than all networks.
function where(everyone, map) {
  if (!everyone.length) return "The front is empty.";
  const front = everyone.filter(isOurs);
  if (!front.length) return "The front holds no network of the Next-ViT family.";
  const having = front.filter((row) => columns.shapes.transformers[row]).length;
  const count = `${having || "None"} of the ${front.length} networks of the front ${having > 1 ? "have" : "has"} a transformer.`;
  const cells = map.flatMap((line, stage) => line.map((value, position) => ({ value, stage, position }))).filter(({ value }) => value !== null);
  if (!cells.length) return `${count} These are too few networks to say where transformers stand.`;
  const order = (a, b) => a.value - b.value || a.stage - b.stage || a.position - b.position;
  const [least, most] = [cells.toSorted(order)[0], cells.toSorted(order).at(-1)];
  const percent = ({ value }) => Math.floor(100 * value + 0.5);
  const place = ({ stage, position }) => `in stage ${stage + 1}, ${position ? `${position} before the last` : "last"}`;
  const more = percent(most) > 0 ? `more transformers ${place(most)} (+${percent(most)}%)` : "";
  const fewer = percent(least) < 0 ? `fewest ${place(least)} (${percent(least)}%)` : "";
  const places = [more, fewer].filter(Boolean).join(" and ") || "neither more nor fewer at any place";
  return `${count} Against all networks tried, the front has ${places}. Rings mark the transformers of Next-ViT-S.`;
}

// The best value for each depth of stage 3 and number of transformers, among the networks that keep the limits.
function best(trace) {
  const better = columns.metrics[state.y].direction === "maximize" ? Math.max : Math.min;
  trace.z = trace.y.map(() => trace.x.map(() => null));
  [...current.allowed].filter(isOurs).forEach((row) => {
    const line = trace.z[trace.y.indexOf(columns.shapes["transformers"][row])];
    const place = trace.x.indexOf(columns.shapes["blocks in stage 3"][row]);
    const value = columns.values[state.y][row];
    line[place] = line[place] === null ? value : better(line[place], value);
  });
}

function markStrategy({ data, layout }, _, row) {
  if (!isOurs(row)) return;
  const stages = stagesOf(row);
  const places = stages.flatMap(({ blocks }, stage) => [...blocks].flatMap((kind, index) => (kind === "T" ? [[blocks.length - 1 - index, `stage ${stage + 1}`]] : [])));
  const last = data[0].x.at(-1); // blocks further from the end of a stage are off the map
  const shown = places.filter(([before]) => before <= last);
  const dots = { type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 6, color: layout.font.color } };
  data.push({ ...dots, x: shown.map(([before]) => before), y: shown.map(([, stage]) => stage) });
  data.push({ ...dots, x: [columns.shapes["blocks in stage 3"][row]], y: [columns.shapes["transformers"][row]], xaxis: "x2", yaxis: "y2" });
}
