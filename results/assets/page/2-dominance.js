// Who beats whom: the page's twin of results/front.py, from which it must differ in no case.

// The rows that no other row beats, both columns being such that lower is better: the best of the first column first.
// Sorted by it, a row stays if it is better in the second than all before it, or equal to the last that stayed.
function undominated(rows, first, second) {
  const order = [...rows].sort((a, b) => first[a] - first[b] || second[a] - second[b] || a - b);
  let last = null;
  return order.filter((row) => {
    const stays = last === null || second[row] < second[last] || (second[row] === second[last] && first[row] === first[last]);
    if (stays) last = row;
    return stays;
  });
}

// The bend of a front of three or more: what lies farthest below the line between its ends, in the front's own range.
function bend(front, first, second) {
  if (front.length < 3) return null;
  const scaled = [first, second].map((column) => {
    const values = front.map((row) => column[row]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => (value - least) / (most > least ? most - least : 1));
  });
  const sums = front.map((_, index) => scaled[0][index] + scaled[1][index]);
  return front[sums.indexOf(Math.min(...sums))];
}
