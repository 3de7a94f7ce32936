"use strict";
// The state of the view as text after the address's #, so that it can be shared.

const MOST_STEPS = 1e7; // that an address can ask for

/** What is shown before anybody chose. */
function plainView(model) {
  const { picture, training } = model.raw;
  return {
    start: null, x: picture.kind === "strips" ? "cells" : picture.x, y: picture.kind === "strips" ? picture.value : picture.y,
    colour: picture.colour, hidden: {}, stepSize: training.step_size, changes: [], until: null, edits: {},
    features: null, theme: null,
  };
}

/** The step size by which the study trained a start. */
function stepSizeOf(model, start) {
  return model.stepSizes && start !== null ? model.stepSizes[start] : model.raw.training.step_size;
}

/** The view as text: only what differs from the plain one. */
function toAddress(view, model) {
  const plain = { ...plainView(model), stepSize: stepSizeOf(model, view.start) }, said = new URLSearchParams();
  for (const [key, name] of [["start", "start"], ["x", "x"], ["y", "y"], ["colour", "colour"], ["stepSize", "step-size"], ["until", "until"], ["theme", "theme"]]) {
    if (view[key] !== plain[key] && view[key] !== null) said.set(name, view[key]);
  }
  for (const [step, size] of view.changes) said.append("then", `${step}:${size}`);
  if (view.features) said.set("features", view.features.join("."));
  for (const [name, codes] of Object.entries(view.hidden)) {
    if (codes.size) said.set(`without ${name}`, [...codes].sort((a, b) => a - b).join("."));
  }
  for (const [parameter, value] of Object.entries(view.edits)) said.append("initial", `${model.names[parameter]}:${value}`);
  return said.toString();
}

/** The view that a text tells; what it names that is not there is left out. */
function fromAddress(text, model) {
  const view = plainView(model), said = new URLSearchParams(text);
  const whole = (value, below) => (/^\d+$/.test(value || "") && Number(value) < below ? Number(value) : null);
  view.start = whole(said.get("start"), model.count);
  const keys = axisKeys(model);
  for (const axis of ["x", "y"]) if (keys.includes(said.get(axis))) view[axis] = said.get(axis);
  if (view.y === "cells") view.y = plainView(model).y;
  if ([...model.facets, ...model.values].some(({ name }) => name === said.get("colour"))) view.colour = said.get("colour");
  const size = Number(said.get("step-size"));
  view.stepSize = stepSizeOf(model, view.start);
  if (said.has("step-size") && size > 0 && Number.isFinite(size)) view.stepSize = size;
  view.changes = said.getAll("then").map((text) => text.split(":").map(Number))
    .filter(([step, other], k, all) => Number.isInteger(step) && step > (k ? all[k - 1][0] : 0) && other > 0 && Number.isFinite(other));
  view.until = whole(said.get("until"), MOST_STEPS);
  if (["light", "dark"].includes(said.get("theme"))) view.theme = said.get("theme");
  const pair = (said.get("features") || "").split(".").map((k) => whole(k, model.network.sizes[0]));
  if (pair.length === 2 && !pair.includes(null)) view.features = pair;
  for (const facet of model.facets) {
    const codes = (said.get(`without ${facet.name}`) || "").split(".").map((k) => whole(k, facet.labels.length));
    view.hidden[facet.name] = new Set(codes.filter((k) => k !== null));
  }
  for (const edit of said.getAll("initial")) {
    const [, name, value] = /^(.*):([^:]*)$/.exec(edit) || [], parameter = model.names.indexOf(name);
    if (parameter >= 0 && value !== "" && Number.isFinite(Number(value))) view.edits[parameter] = Number(value);
  }
  return view;
}

/** What an axis may be: the study's cells, every value, every parameter where starts are there. */
function axisKeys(model) {
  const cells = model.raw.picture.kind === "strips" ? ["cells"] : [];
  const parameters = model.hasStarts && model.network.count <= 1000 ? model.names : [];
  return [...cells, ...model.values.map(({ name }) => name), ...parameters];
}

if (typeof module === "object") module.exports = { fromAddress, toAddress };
