// Where do the transformers go? What they are worth at a place is drawn by Python, from all networks of the run; how many
// of the front have one, and the best value by their number, follow the page.

const PLACES = 10; // from the end of a stage

// On narrow screens, the two maps stand one above the other.
function stack({ data, layout }) {
  const [upper, lower] = [[0.6, 1], [0, 0.44]];
  Object.assign(layout.yaxis, { domain: upper });
  Object.assign(layout.yaxis2, { domain: lower });
  [layout.xaxis, layout.xaxis2].forEach((axis) => (axis.domain = [0, 1]));
  const bars = data.map((trace) => trace.colorbar).filter(Boolean);
  bars.forEach((bar, index) => Object.assign(bar, { x: 1.02, len: 0.44, y: index ? 0.22 : 0.8 }));
}

function mapTransformers({ data: traces }) {
  best(traces.find((trace) => trace.type === "heatmap" && trace.xaxis === "x2"));
  say("strategy", where(current.front));
}

// How many networks of the front have a transformer, and what pairs say, as in results/figures/strategy.py.
function where(everyone) {
  if (!everyone.length) return "The front is empty.";
  const front = everyone.filter(isOurs);
  const having = front.filter((row) => columns.shapes.transformers[row]).length;
  const count = `${having || "None"} of the ${front.length} networks of the front ${having > 1 ? "have" : "has"} a transformer.`;
  return `${front.length ? count : "The front holds no network of the Next-ViT family."} ${data.worth}`;
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
  const shown = places.filter(([before]) => before < PLACES); // blocks further from the end of a stage are off the map
  const dots = { type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 6, color: layout.font.color } };
  data.push({ ...dots, x: shown.map(([before]) => before), y: shown.map(([, stage]) => stage) });
  data.push({ ...dots, x: [columns.shapes["blocks in stage 3"][row]], y: [columns.shapes["transformers"][row]], xaxis: "x2", yaxis: "y2" });
}
