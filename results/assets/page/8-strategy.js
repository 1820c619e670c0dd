// Where do the transformers go? What they are worth is drawn by Python, from all networks of the run; how many networks of
// the front have one follows the page.

const [PLACES, MANY] = [10, 9]; // from the end of a stage; transformers in a stage: so many or more
const CORNER = 0.33; // of a square, where dots stand

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
  const places = stages.flatMap(({ blocks }, stage) => [...blocks].flatMap((kind, index) => (transforms(kind) ? [[blocks.length - 1 - index, stage]] : [])));
  const numbers = stages.map(({ blocks }, stage) => [Math.min(MANY, [...blocks].filter(transforms).length), stage]);
  const dots = { type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 6, color: layout.font.color } };
  const marked = (cells) => ({ x: cells.map(([column]) => column - CORNER), y: cells.map(([, stage]) => stage - CORNER) });
  data.push({ ...dots, ...marked(places.filter(([before]) => before < PLACES)) }); // others are off the map
  data.push({ ...dots, ...marked(numbers), xaxis: "x2", yaxis: "y2" });
}
