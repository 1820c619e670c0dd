// Dominance and the knee, as results/front.py has them: a test holds both to the same answers.

// The rows that no other row dominates, the best of the first column first; lower is better in both columns.
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

// The knee of a front of three or more: the point farthest below the line between its ends, scaled to its range.
function kneeOf(front, first, second) {
  if (front.length < 3) return null;
  const scaled = [first, second].map((column) => {
    const values = front.map((row) => column[row]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => (value - least) / (most > least ? most - least : 1));
  });
  const sums = front.map((_, index) => scaled[0][index] + scaled[1][index]);
  return front[sums.indexOf(Math.min(...sums))];
}
