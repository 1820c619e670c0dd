// The controls above the front: both axes, and the limits.

function choices(select, names, axis) {
  const groups = Map.groupBy(names, (name) => columns.metrics[name].device || "any machine");
  groups.forEach((members, device) => {
    const group = element("optgroup", "", select);
    group.label = device;
    members.forEach((name) => (element("option", `${name} [${columns.metrics[name].unit}]`, group).value = name));
  });
  select.value = state[axis];
  select.addEventListener("change", () => set({ [axis]: select.value, ...(axis === "x" ? { budget: null } : {}) }));
  changed.push(() => (select.value = state[axis]));
}

// A third metric, as colour.
function colours(select) {
  element("option", "nothing", select).value = "";
  Object.keys(columns.metrics).forEach((name) => (element("option", `${name} [${columns.metrics[name].unit}]`, select).value = name));
  const settle = () => (select.value = state.colour ?? "");
  select.addEventListener("change", () => set({ colour: select.value || null }));
  changed.push(settle);
  settle();
}

// A limit on a metric, as a number or by dragging: at the most for costs, at the least for accuracies and scores.
function limit(metric, parent) {
  const known = columns.values[metric].filter((value) => value !== null);
  const [least, most] = extent(known);
  if (!(most > least)) return;
  const free = isCost(metric) ? STEPS : 0; // where the slider limits nothing
  const line = element("div", "", parent);
  const label = element("label", `${metric} ${isCost(metric) ? "≤" : "≥"} `, line);
  const number = Object.assign(element("input", "", label), { type: "number", step: "any", placeholder: "no limit" });
  label.append(` ${columns.metrics[metric].unit}`);
  const range = Object.assign(element("input", "", line), { type: "range", min: 0, max: STEPS, step: 1 });
  range.setAttribute("aria-label", `limit on ${metric}, by dragging`);
  const apply = (bound) => {
    const { [metric]: _, ...others } = state.limits;
    set({ limits: bound === null ? others : { ...others, [metric]: bound } });
  };
  const dragged = () => Number((least + ((most - least) * range.value) / STEPS).toPrecision(3));
  range.addEventListener("input", soon(() => apply(Number(range.value) === free ? null : dragged())));
  number.addEventListener("input", soon(() => apply(number.value === "" ? null : Number(number.value))));
  const settle = () => {
    const bound = state.limits[metric];
    if (document.activeElement !== number) number.value = bound ?? "";
    range.value = bound === undefined ? free : Math.round((STEPS * (bound - least)) / (most - least));
  };
  changed.push(settle);
  settle();
}

function limits(parent) {
  Object.keys(columns.metrics).forEach((metric) => limit(metric, parent));
  button("Clear all limits", parent, () => set({ limits: {}, brush: {} }));
}
