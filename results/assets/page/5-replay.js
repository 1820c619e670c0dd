// The run again: the front as it was after each trial, beside what random search had attained by then.

function replay(range) {
  Object.assign(range, { min: 0, max: columns.numbers.length, step: 1 });
  const settle = () => (range.value = state.until === null ? columns.numbers.length : columns.numbers.filter((number) => number <= state.until).length);
  const numbers = columns.numbers.toSorted((a, b) => a - b);
  range.addEventListener("input", soon(() => {
    set({ until: Number(range.value) >= numbers.length ? null : numbers[Math.max(0, range.value - 1)] });
  }));
  changed.push(settle);
  settle();
}

// What random search attains with even odds after as many networks as the run had tried, at the most as many as the run
// drew at random: of every set of that many of them, half reach it (V. Grunert da Fonseca, C. Fonseca and A. Hall,
// "Inferential performance assessment of stochastic optimisers and the attainment function", EMO 2001). A network beyond
// a limit is drawn and attains nothing.
function randomFront() {
  const drawn = columns.random;
  const tries = Math.min(everyRow.filter((row) => tried(row) && !(row in columns.anchors)).length, drawn.length);
  const [up, across] = [costs(state.y), costs(state.x)];
  const known = drawn.filter((row) => up[row] !== null && across[row] !== null && !infeasible.has(row) && kept(row));
  const enough = hits(drawn.length, tries);
  let last = Infinity;
  const [attained, reached] = [[], []]; // `reached`: those that are no slower, the best first
  known.sort((a, b) => across[a] - across[b]).forEach((row) => {
    reached.splice(reached.findLastIndex((other) => up[other] <= up[row]) + 1, 0, row);
    const level = reached[enough - 1]; // what the best `enough` of them have in common
    if (level === undefined || up[level] >= last) return;
    attained.push([columns.values[state.x][row], columns.values[state.y][level]]);
    last = up[level];
  });
  return { tries, attained };
}

// How many of some networks must reach a point, so that half of all sets of `tries` of them hold one that does.
function hits(count, tries) {
  let misses = 1; // the share of sets without any of `number` networks
  for (let number = 1; tries > 0 && number <= count; number++) {
    misses *= Math.max(0, count - number + 1 - tries) / (count - number + 1);
    if (misses <= 0.5) return number;
  }
  return Infinity;
}

function markRandom(traces) {
  const { tries, attained } = randomFront();
  if (state.until === null || !attained.length) return;
  const line = { color: "#E69F00", width: 2, dash: "dot", shape: traces[ATTAINED].line.shape };
  const name = `random search after ${tries}, with even odds`;
  traces.push({ type: "scatter", name, mode: "lines", hoverinfo: "skip", line, x: attained.map(([x]) => x), y: attained.map(([, y]) => y) });
}
