// The table of the front on the page, through which the keyboard reaches everything. Rows are made when they are needed.

const body = document.querySelector("#front tbody");
const headings = [...document.querySelectorAll("#front th")];
const made = new Map(); // rows of the table, by rows of the columns
let order = null; // the column by which the table is sorted, and the direction

function cell(text, parent, className) {
  const made = element("td", text, parent);
  made.className = className;
  return made;
}

// The half-widths of the interval: one number where they are equal.
function reach(metric, row) {
  const ends = interval(metric, row);
  if (!ends) return "";
  const value = columns.values[metric][row];
  const [below, above] = ends.map((end) => (isEnd(end, value) ? 0 : Number(Math.abs(end - value).toPrecision(2))));
  return below === above ? `±${below}` : [below && `−${below}`, above && `+${above}`].filter(Boolean).join(" ");
}

function numberCell(metric, row, parent) {
  const value = columns.values[metric][row];
  const made = cell(value === null ? "-" : `${short(value)} `, parent, "number");
  if (value !== null && reach(metric, row)) element("small", reach(metric, row), made);
  if (flag(metric, row)) element("small", ` ◇ ${flag(metric, row)}`, made).className = "doubtful";
}

function tableRow(row) {
  if (made.has(row)) return made.get(row);
  const trial = columns.numbers[row];
  const line = document.createElement("tr");
  Object.assign(line, { tabIndex: 0 });
  line.dataset.trial = trial;
  cell(trial, line, "number");
  Object.keys(columns.metrics).forEach((metric) => numberCell(metric, row, line));
  cell("", line, "drawing").innerHTML = isOurs(row) ? glyph(stagesOf(row)) : ""; // contains numbers and our own text only
  const anchor = columns.anchors[row];
  const notation = cell(columns.notations[row] + (anchor && isOurs(row) ? ` (${anchor})` : ""), line, "notation");
  if (unlike(row).length) element("small", " ◇ unlike anything published", notation).className = "doubtful";
  const choose = () => {
    set({ trial });
    card.scrollIntoView({ block: "nearest" });
  };
  line.addEventListener("click", choose);
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter") choose();
    if (event.key === "c") set({ compare: trial });
  });
  made.set(row, line);
  return line;
}

// The column behind each heading: trial, every metric, transformers in the drawing, notation.
const keys = [columns.numbers, ...Object.keys(columns.metrics).map((metric) => columns.values[metric]), columns.shapes.transformers, columns.notations];

// Unknown values come last in both directions.
function sorted(rows) {
  if (!order) return rows;
  const { column, sign } = order;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);
  const [known, unknown] = [rows.filter((row) => column[row] !== null), rows.filter((row) => column[row] === null)];
  return [...known.sort((a, b) => sign * compare(column[a], column[b])), ...unknown];
}

function drawTable() {
  const lines = sorted(current.front).map(tableRow);
  if (lines.length !== body.rows.length || lines.some((line, index) => line !== body.rows[index])) body.replaceChildren(...lines);
  lines.forEach((line) => line.setAttribute("aria-selected", String(line.dataset.trial === String(state.trial))));
  const nothing = document.getElementById("nothing");
  nothing.hidden = lines.length > 0;
  nothing.textContent = lines.length > 0 ? "" : narrowed() ? "No network keeps the limits set here." : "The front is empty so far. Causes of failures are listed below.";
}

headings.forEach((heading, index) => {
  heading.firstElementChild.addEventListener("click", () => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    order = { column: keys[index], sign: ascending ? 1 : -1 };
    drawTable();
  });
});
document.addEventListener("keydown", (event) => event.key === "Escape" && set({ trial: null, compare: null }));
