// The controls above the front: both axes, and the limits.

function choices(select, names, axis) {
  const groups = Map.groupBy(names, (name) => columns.metrics[name].device || "any machine");
  groups.forEach((members, device) => {
    const group = element("optgroup", "", select);
    group.label = device;
    members.forEach((name) => (element("option", `${name} [${columns.metrics[name].unit}]`, group).value = name));
  });
  select.value = state[axis];
  select.addEventListener("change", () => set({ [axis]: select.value }));
  changed.push(() => (select.value = state[axis]));
}

function slider(metric, parent) {
  const known = columns.values[metric].filter((value) => value !== null);
  const [least, most] = [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)];
  if (!(most > least)) return;
  const label = element("label", `${metric} `, parent);
  const range = element("input", "", label);
  const output = element("output", "", label);
  Object.assign(range, { type: "range", min: 0, max: 200, step: 1 });
  const bound = () => Number((least + ((most - least) * range.value) / 200).toPrecision(3));
  const settle = () => {
    const limit = state.limits[metric];
    range.value = limit === undefined ? 200 : Math.round((200 * (limit - least)) / (most - least));
    output.textContent = limit === undefined ? " no limit" : ` ≤ ${short(limit)} ${columns.metrics[metric].unit}`;
  };
  range.addEventListener("input", () => {
    const { [metric]: _, ...others } = state.limits;
    set({ limits: Number(range.value) === 200 ? others : { ...others, [metric]: bound() } });
  });
  changed.push(settle);
  settle();
}
