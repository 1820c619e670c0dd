// Where do the transformers go? What they are worth is drawn by Python, from all networks of the run; how many networks of
// the front have one follows the page.

const PLACES = 10; // from the end of a stage

// On narrow screens, the two maps stand one above the other.
function stack({ data, layout }) {
  const [upper, lower] = [[0.6, 1], [0, 0.44]];
  Object.assign(layout.yaxis, { domain: upper });
  Object.assign(layout.yaxis2, { domain: lower });
  [layout.xaxis, layout.xaxis2].forEach((axis) => (axis.domain = [0, 1]));
  const maps = data.filter((trace) => trace.colorbar);
  maps.forEach(({ colorbar, xaxis }) => Object.assign(colorbar, { x: 1.02, len: 0.44, y: xaxis === "x2" ? 0.22 : 0.8 }));
}

// How many networks of the front have a transformer, and what pairs say, as in results/figures/strategy.py.
function where(everyone) {
  if (!everyone.length) return "The front is empty.";
  const front = everyone.filter(isOurs);
  const having = front.filter((row) => columns.shapes.transformers[row]).length;
  const count = `${having || "None"} of the ${front.length} networks of the front ${having > 1 ? "have" : "has"} a transformer.`;
  return `${front.length ? count : "The front holds no network of the Next-ViT family."} ${data.worth}`;
}

// The blocks of the selected network on the left map, and how many transformers each of its stages has on the right.
function markStrategy({ data, layout }, _, row) {
  if (!isOurs(row)) return;
  const stages = stagesOf(row);
  const places = stages.flatMap(({ blocks }, stage) => [...blocks].flatMap((kind, index) => (transforms(kind) ? [[blocks.length - 1 - index, `stage ${stage + 1}`]] : [])));
  const shown = places.filter(([before]) => before < PLACES); // blocks further from the end of a stage are off the map
  const dots = { type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 6, color: layout.font.color } };
  data.push({ ...dots, x: shown.map(([before]) => before), y: shown.map(([, stage]) => stage) });
  const name = (_, stage) => `stage ${stage + 1}`;
  const numbers = stages.map(({ blocks }) => [...blocks].filter(transforms).length);
  data.push({ ...dots, x: numbers, y: stages.map(name), xaxis: "x2", yaxis: "y2" });
}
