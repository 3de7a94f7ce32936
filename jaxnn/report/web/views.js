"use strict";
// The parts of the page that are text and tables: what users named is only ever set as text.

const byId = (id) => document.getElementById(id);

/** An element with text or children, and attributes. */
function element(tag, content = "", attributes = {}) {
  const made = document.createElement(tag);
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Fill a <select> with [value, text] pairs. */
function fill(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", text, { value })));
}

/** Fill a <dl> with [term, text] pairs. */
function describe(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
}

/** The legend of a colouring: marks of its categories, or the ramp of its values. */
function showLegend(place, { legend, ramp }) {
  const swatch = ({ label, colour, shape }) => {
    const canvas = element("canvas", "", { "aria-hidden": "true" });
    const made = element("span", [canvas, label]);
    place.append(made);
    const { ctx } = sheet(canvas);
    ctx.fillStyle = colour;
    mark(ctx, shape, 7, 7, 4.5);
  };
  place.replaceChildren();
  if (legend) return legend.forEach(swatch);
  const canvas = element("canvas", "", { class: "ramp", "aria-hidden": "true" });
  place.append(element("span", [ramp.label, tick(ramp.low), canvas, tick(ramp.high)]));
  const { ctx, width, height } = sheet(canvas);
  const image = imageOf(Float64Array.from({ length: 64 }, (_, k) => k), 64, { map: "viridis" });
  ctx.drawImage(image, 0, 0, width, height);
}

/** Chips to leave out some labels of each facet; changed() is called after each choice. */
function showFilters(place, model, view, changed) {
  place.replaceChildren(...model.facets.filter(({ labels }) => labels.length > 1).map((facet) => {
    const hidden = (view.hidden[facet.name] ||= new Set());
    const chips = facet.labels.map((label, code) => {
      const box = element("input", "", { type: "checkbox" });
      box.checked = !hidden.has(code);
      box.addEventListener("change", () => {
        hidden[box.checked ? "delete" : "add"](code);
        changed();
      });
      return element("label", [box, element("span", label)], { class: "chip" });
    });
    return element("fieldset", [element("legend", facet.name.replace("_", " ")), ...chips]);
  }));
}

/** A share and its interval as a drawing, for eyes only: the numbers stand beside it. */
function intervalBar([share, low, high]) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const add = (tag, attributes) => {
    const made = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    svg.append(made);
  };
  svg.setAttribute("aria-hidden", "true");
  add("line", { class: "track", x1: "0%", x2: "100%", y1: 7, y2: 7 });
  add("line", { class: "interval", x1: `${100 * low}%`, x2: `${100 * high}%`, y1: 7, y2: 7 });
  if (share !== null) add("circle", { class: "share", cx: `${100 * share}%`, cy: 7, r: 4 });
  return svg;
}

/** The table of probabilities. */
function showTable(table, { names, share, more, rows }) {
  const head = [...names.map((name) => element("th", name.replace("_", " "), { class: "name", scope: "col" })),
    element("th", "share [95 %]", { scope: "col", title: share }), element("th", "0 to 100 %", { scope: "col" }),
    ...more.map((name) => element("th", name, { scope: "col" }))];
  const percent = (part) => (part === null ? "–" : (100 * part).toFixed(1));
  const lines = rows.map((row) => element("tr", [
    ...row.names.map((name) => element("td", name, { class: "name" })),
    element("td", `${percent(row.share[0])} [${percent(row.share[1])}, ${percent(row.share[2])}]`),
    element("td", [intervalBar(row.share)], { class: "bar" }),
    ...row.more.map((value) => element("td", typeof value === "string" ? value : spoken(value))),
  ]));
  table.replaceChildren(element("thead", [element("tr", head)]), element("tbody", lines));
}

/** Everything that is said once: titles, table, certificate, origin. */
function showWords(raw) {
  const { data, certificate, made, table, left_out: leftOut, network, training } = raw;
  byId("title").textContent = raw.title;
  byId("sentence").textContent = raw.sentence;
  showTable(byId("table"), table);
  byId("table-said").textContent = `${table.share}, of ${table.trials} starts${table.names.length > 1 ? " in each row" : ""}`;
  byId("certificate").textContent = certificate.table.join("\n");
  byId("certificate-said").textContent = `By hand, case by case, and by automatic differentiation, in ${certificate.dtype}: `
    + `they differ by at most ${certificate.exact.toExponential(1)} of the gradient.`;
  byId("command").textContent = made.command;
  describe(byId("made"), [
    ["data", `${data.name}: ${data.note}`],
    ["network", `${network.sizes.join("-")}, ${[...new Set(network.activation)].join(", ")}, l2 ${network.l2}`],
    ["training", `${training.words}, step size ${training.step_size}`],
    ["seed", String(made.seed)],
    ["versions", Object.entries(made.versions).map((pair) => pair.join(" ")).join(", ")],
    ["machine", made.machine],
    ["cases", `SHA-256 ${made.data}`],
  ]);
  byId("left-out").replaceChildren(...leftOut.map((line) => element("li", line)));
}

/** What is said where the mouse points: a start's name and values. */
function sayStart(model, i) {
  return [nameOf(model, i), ...factsOf(model, i).map((pair) => pair.join(": "))].join("\n");
}
