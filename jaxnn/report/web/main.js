"use strict";
// The page: what is chosen, what is trained, and who draws when.

const model = modelOf(JSON.parse(byId("contents").textContent));
const { network, cases, raw } = model;
const canTrain = Boolean(cases && model.hasStarts);
let view = fromAddress(location.hash.slice(1), model);
let drawn = null, hovered = null; // the picture, and the start pointed at
let run = null, goal = 0, playing = false, phase = 0; // the training under way
let units = null, parts = null, chosen = 0, domain = null; // the network's drawing
let found = { plane: null, spectrum: null }, work = 0; // what takes longer, and which of it is wanted

const names = { inputs: raw.features, outputs: raw.classes.length === network.sizes.at(-1) ? raw.classes : [] };
const featureName = (j) => raw.features[j] || `input ${j}`;

// ---- what is chosen

/** The start to train from: the chosen one, with the weights changed by hand. */
function startNow() {
  if (view.start === null || !model.hasStarts) return null;
  const start = model.startOf(view.start);
  for (const [parameter, value] of Object.entries(view.edits)) start[parameter] = value;
  return start;
}

const isStudys = () => raw.training.replays && view.stepSize === raw.training.step_size && !Object.keys(view.edits).length;

function choose(i, { train = true } = {}) {
  if (i === null || i === undefined) return;
  view.start = i;
  view.edits = {};
  restart();
  byId("said").textContent = sayStart(model, i);
  if (train && canTrain && raw.training.replays) play();
  else if (train && !raw.training.replays) toStored();
}

/** Back to the start, with nothing trained. */
function restart() {
  stop();
  const start = startNow();
  run = start && canTrain ? begin(network, cases, start) : null;
  goal = view.start !== null && isStudys() ? model.steps[view.start] : raw.training.steps;
  units = start && drawnUnits(network, model.endOf(view.start) || start);
  found = { plane: null, spectrum: null };
  work += 1;
  showAll();
}

/** Show the network that the study stored, which is not trained here. */
function toStored() {
  const end = view.start === null ? null : model.endOf(view.start);
  if (!end) return;
  stop();
  if (canTrain) {
    run = { ...begin(network, cases, end), isStored: true };
    found = { plane: null, spectrum: null };
    look();
  }
  showAll();
}

/** Keep the address in step with the view. */
function remember() {
  const text = toAddress(view, model);
  if (text !== location.hash.slice(1)) history.replaceState(null, "", `#${text}`);
}

// ---- training

function play() {
  if (!run) return;
  if (run.isStored) restart();
  if (run.diverged) return;
  if (run.step >= goal) goal = run.step + raw.training.steps;
  playing = true;
  work += 1;
  requestAnimationFrame(frame);
  showTransport();
}

function stop() {
  playing = false;
}

function frame() {
  if (!playing) return;
  const speed = Number(byId("speed").value), until = performance.now() + 11;
  do advance(run, Math.min(speed || 5, goal - run.step), view.stepSize);
  while (!speed && performance.now() < until && run.step < goal && !run.diverged);
  phase += 1.5;
  if (run.step >= goal || run.diverged) {
    stop();
    settle();
  } else {
    showRun();
    requestAnimationFrame(frame);
  }
}

/** What is done where training stands still: write down the end, and look around it. */
function settle() {
  if (run && !run.isStored) record(run);
  found = { plane: null, spectrum: null };
  showAll();
  look();
}

/** The loss over the path and the curvature, in pieces between frames; a later call ends this one. */
function look() {
  const mine = ++work, rows = run.isStored ? null : lossOverPath(run), at = run;
  const piece = () => {
    if (mine !== work) return;
    const until = performance.now() + 12;
    let made = rows ? rows.next() : { done: true, value: null };
    while (!made.done && performance.now() < until) made = rows.next();
    if (!made.done) return void setTimeout(piece);
    found.plane = made.value;
    showPlane();
    setTimeout(() => {
      if (mine !== work) return;
      found.spectrum = spectrumAt(network, at.params, cases);
      showSpectrum();
      document.body.dataset.settled = String(at.step);
    });
  };
  delete document.body.dataset.settled;
  setTimeout(piece);
}

// ---- what is shown

function showPicture() {
  const edited = Object.keys(view.edits).length ? startNow() : null;
  drawn = scatter(byId("scatter"), model, view, { selected: view.start, hovered, edited });
  const count = drawn.shown.reduce((sum, on) => sum + on, 0);
  byId("count").textContent = `${count} of ${model.count} starts are shown`;
  byId("scatter").setAttribute("aria-label", `${model.count} starts: ${drawn.yAxis.label} against ${drawn.xAxis.label}`);
}

function showRun() {
  showNetwork();
  drawCurve(byId("curve"), model, view.start, run);
  if (!run) return;
  const size = norm(run.gradient), now = run.isStored ? "the study's end" : `step ${run.step}${playing ? ` of ${goal}` : ""}`;
  const right = raw.classes.length ? `, ${(100 * accuracy(network, run.params, cases, run.room)).toFixed(0)} % right` : "";
  byId("progress").replaceChildren(element("b", now), ` · loss ${spoken(run.loss)}${right} · |gradient| ${spoken(size)}`,
    run.diverged ? " · diverged: the loss is no longer finite" : "");
}

/** The drawing and the answer: what the weights are now. */
function showNetwork() {
  const params = run ? run.params : view.start === null ? null : model.endOf(view.start) || startNow();
  if (!params) return void [sheet(byId("drawing")), sheet(byId("surface"))];
  units ||= drawnUnits(network, params);
  let tiles = null;
  if (domain) {
    const side = network.count > 1000 ? 16 : 28, surfaces = surfacesOf(network, params, domain, side);
    tiles = tilesOf(network, surfaces, units, side, raw.network.activation);
    const [low, high] = cases.targets.reduce(([a, b], d) => [Math.min(a, d), Math.max(b, d)], [Infinity, -Infinity]);
    drawSurface(byId("surface"), surfaces.at(-1), side, domain, cases, {
      features: domain.features.map(featureName), classes: names.outputs, inputs: network.sizes[0], low, high });
  }
  parts = drawNetwork(byId("drawing"), network, params, units, { tiles, names, chosen, phase: playing ? phase : null });
}

function showPlane() {
  const place = byId("plane"), said = byId("plane-said");
  if (!found.plane) {
    sheet(place);
    said.textContent = !canTrain ? "It needs the training cases, which are not on this page."
      : run && run.isStored ? "Train it here from its start to see a path." : "Drawn when training stands still.";
    return;
  }
  drawPlane(place, found.plane);
  const { explained, off } = found.plane.plane, share = (k) => (100 * explained[k]).toFixed(1);
  said.textContent = `From the circle to the diamond. The plane holds ${share(0)} % + ${share(1)} % of the path; `
    + `the path is at most ${spoken(Math.max(...off))} off it. Bright is a large loss (viridis${found.plane.values.every((v) => v > 0) ? ", logarithmic" : ""}).`;
}

function showSpectrum() {
  const place = byId("spectrum"), said = byId("spectrum-said"), values = found.spectrum;
  if (values) {
    drawSpectrum(place, values);
    const down = values.filter((v) => v < -1e-6 * values.at(-1)).length, top = values.at(-1);
    said.textContent = `All ${values.length} eigenvalues of the Hessian at this point: the largest ${spoken(top)} `
      + `(2 / step size is ${spoken(2 / view.stepSize)}), ${down} below zero. Differences of the hand-derived gradient.`;
    return;
  }
  sheet(place);
  said.textContent = network.count > MOST_SPECTRUM
    ? `Computed here for up to ${MOST_SPECTRUM} parameters, and these are ${network.count}: jaxnn spectrum gives it.`
    : canTrain ? "Computed when training stands still." : "It needs the training cases, which are not on this page.";
}

function showFacts() {
  const i = view.start, edits = Object.keys(view.edits).length;
  byId("name").textContent = i === null ? "No start is chosen" : nameOf(model, i) + (edits ? `, ${edits} initial weight${edits > 1 ? "s" : ""} changed` : "");
  describe(byId("facts"), i === null ? [] : [
    ...model.facets.slice(raw.picture.kind === "strips" ? 2 : 0).map((facet) => [facet.name, facet.labels[facet.codes[i]]]),
    ...model.values.filter(({ place }) => !place).map((value) => [value.meaning, spoken(value.data[i])]),
  ]);
  byId("note").textContent = noteNow();
}

/** How what is trained here compares with the study's. */
function noteNow() {
  if (view.start === null) return "Choose a start in the picture.";
  if (!canTrain) return raw.left_out.join("; ");
  if (!raw.training.replays) return `The study trained by ${raw.training.words}; here it is plain descent on all cases, which leads elsewhere.`;
  if (!isStudys()) return "Not the study's start or step size any more: this run is yours.";
  const end = model.endOf(view.start);
  if (!run || run.isStored || run.step !== goal || !end) return "By the study's own steps, in float64.";
  const gap = end.reduce((most, p, k) => Math.max(most, Math.abs(p - run.params[k])), 0);
  return `Trained again by the study's own steps, in float64, it ends ${gap.toExponential(1)} from the stored weights.`;
}

function showTransport() {
  byId("play").textContent = playing ? "❚❚ stop" : "▶ train";
  for (const id of ["play", "single", "reset", "step-size", "speed"]) byId(id).disabled = !run;
  byId("stored").disabled = view.start === null || !model.endOf(view.start);
  for (const id of ["parameter", "slide", "value", "as-drawn"]) byId(id).disabled = !run;
  byId("step-size").value = view.stepSize;
  const start = startNow();
  if (!start) return;
  byId("parameter").value = String(chosen);
  byId("slide").value = byId("value").value = start[chosen];
  byId("value").value = Number(start[chosen].toPrecision(6));
  byId("as-drawn").disabled = !Object.keys(view.edits).length;
}

function showAll() {
  showPicture();
  showRun();
  showPlane();
  showSpectrum();
  showFacts();
  showTransport();
  if (!run && view.start === null) byId("progress").textContent = "";
  remember();
}

// ---- changing an initial weight by hand

function edit(parameter, value) {
  if (!run || !Number.isFinite(value)) return;
  view.edits[parameter] = value;
  restart();
}

function pick(parameter) {
  chosen = parameter;
  showTransport();
  showNetwork();
}

function placeIn(event) {
  const box = event.currentTarget.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function tip(id, text, [x, y], stage) {
  const place = byId(id);
  place.hidden = !text;
  if (!text) return;
  place.textContent = text;
  const right = x > stage.clientWidth / 2, low = y > stage.clientHeight / 2;
  place.style.left = right ? "auto" : `${x + 14}px`;
  place.style.right = right ? `${stage.clientWidth - x + 14}px` : "auto";
  place.style.top = low ? "auto" : `${y + 10}px`;
  place.style.bottom = low ? `${stage.clientHeight - y + 10}px` : "auto";
}

// ---- listening

function listenToPicture() {
  const canvas = byId("scatter");
  let dragging = false;
  const onRing = ([x, y]) => {
    const { xAxis, yAxis } = drawn, start = startNow();
    if (!start || !(xAxis.parameter >= 0 && yAxis.parameter >= 0)) return false;
    return Math.hypot(drawn.x.at(start[xAxis.parameter]) - x, drawn.y.at(start[yAxis.parameter]) - y) < 12;
  };
  canvas.addEventListener("pointermove", (event) => {
    const at = placeIn(event);
    if (dragging) {
      view.edits[drawn.xAxis.parameter] = drawn.x.back(at[0]);
      return edit(drawn.yAxis.parameter, drawn.y.back(at[1]));
    }
    const before = hovered;
    hovered = nearest(drawn, ...at);
    if (hovered !== before) showPicture();
    tip("tip", hovered === null ? "" : sayStart(model, hovered), at, canvas);
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    tip("tip", "");
    showPicture();
  });
  canvas.addEventListener("pointerdown", (event) => {
    dragging = onRing(placeIn(event)) && Boolean(run);
    if (dragging) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (dragging) dragging = false;
    else choose(nearest(drawn, ...placeIn(event)));
  });
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key in ways) {
      event.preventDefault();
      choose(view.start === null ? drawn.shown.indexOf(1) : onwards(drawn, view.start, ...ways[event.key]), { train: false });
    } else if (event.key === "Enter" && view.start !== null) choose(view.start);
  });
}

function listenToDrawing() {
  const canvas = byId("drawing");
  let held = null;
  canvas.addEventListener("pointermove", (event) => {
    const at = placeIn(event);
    if (held) return void edit(held.parameter, held.value + (held.y - at[1]) * held.pace);
    const parameter = parts && pointedAt(parts, ...at), start = startNow();
    const known = parameter !== null && run;
    canvas.style.cursor = known ? "ns-resize" : "default";
    tip("drawing-tip", known ? `${model.names[parameter]}\nnow ${spoken(run.params[parameter])}\nat the start ${spoken(start[parameter])}` : "", at, canvas);
  });
  canvas.addEventListener("pointerleave", () => tip("drawing-tip", ""));
  canvas.addEventListener("pointerdown", (event) => {
    const at = placeIn(event), parameter = parts && pointedAt(parts, ...at), start = startNow();
    if (parameter === null || !run || !start) return;
    pick(parameter);
    const most = start.reduce((a, p) => Math.max(a, Math.abs(p)), 0.1);
    held = { parameter, value: start[parameter], y: at[1], pace: Math.max(most, 1) / 80 };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", () => (held = null));
}

function listenToButtons() {
  const extreme = (sign) => {
    const data = named(model.values, "final_loss").data, kept = [...data.keys()].filter((i) => drawn.shown[i] && Number.isFinite(data[i]));
    return kept.reduce((best, i) => (best === null || sign * data[i] < sign * data[best] ? i : best), null);
  };
  byId("best").onclick = () => choose(extreme(1));
  byId("worst").onclick = () => choose(extreme(-1));
  byId("any").onclick = () => {
    const kept = [...drawn.shown.keys()].filter((i) => drawn.shown[i]);
    choose(kept[Math.floor(Math.random() * kept.length)]);
  };
  byId("play").onclick = () => (playing ? (stop(), settle()) : play());
  byId("single").onclick = () => {
    stop();
    if (run.isStored) restart();
    advance(run, 1, view.stepSize);
    settle();
  };
  byId("reset").onclick = restart;
  byId("stored").onclick = toStored;
  byId("step-size").onchange = (event) => {
    const size = Number(event.target.value);
    if (size > 0 && Number.isFinite(size)) view.stepSize = size;
    goal = isStudys() && view.start !== null ? model.steps[view.start] : raw.training.steps;
    showAll();
  };
  byId("parameter").onchange = (event) => pick(Number(event.target.value));
  byId("slide").oninput = byId("value").onchange = (event) => event.target.value !== "" && edit(chosen, Number(event.target.value));
  byId("as-drawn").onclick = () => {
    view.edits = {};
    restart();
  };
  byId("theme").onclick = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches, now = view.theme || (dark ? "dark" : "light");
    view.theme = now === "dark" ? "light" : "dark";
    restyle();
  };
  byId("copy").onclick = copyCommand;
  byId("skip").onclick = (event) => {
    event.preventDefault(); // the address after # is the view's
    byId("scatter").focus();
  };
}

function copyCommand() {
  const done = () => {
    byId("copy").textContent = "copied";
    setTimeout(() => (byId("copy").textContent = "copy"), 1500);
  };
  const byHand = () => {
    getSelection().selectAllChildren(byId("command"));
    if (document.execCommand("copy")) done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(raw.made.command).then(done, byHand);
  else byHand();
}

function restyle() {
  if (view.theme) document.documentElement.dataset.theme = view.theme;
  else delete document.documentElement.dataset.theme;
  showLegend(byId("legend"), colouring(model, view.colour));
  showAll();
}

/** Bring every control in line with the view, as after a change of the address. */
function adopt() {
  for (const key of ["x", "y", "colour"]) byId(key).value = view[key];
  showFilters(byId("filters"), model, view, showPictureAndAddress);
  if (cases) {
    const features = view.features || tellingFeatures(cases, network);
    domain = domainOf(cases, network, features);
    [byId("feature-x").value, byId("feature-y").value] = features;
  }
  restart();
  restyle();
  if (view.start !== null && canTrain && raw.training.replays) play();
  else if (view.start !== null) toStored();
}

function showPictureAndAddress() {
  showPicture();
  remember();
}

function begins() {
  showWords(raw);
  const said = (key) => (key === "cells" ? `${raw.picture.across} and ${raw.picture.within}` : (named(model.values, key) || { meaning: key }).meaning);
  const keys = axisKeys(model);
  fill(byId("x"), keys.map((key) => [key, said(key)]));
  fill(byId("y"), keys.filter((key) => key !== "cells").map((key) => [key, said(key)]));
  fill(byId("colour"), [...model.facets.map(({ name }) => [name, name.replace("_", " ")]), ...model.values.map(({ name, meaning }) => [name, meaning])]);
  fill(byId("parameter"), model.names.slice(0, 5000).map((name, k) => [k, name]));
  const inputs = [...Array(network.sizes[0]).keys()].map((j) => [j, featureName(j)]);
  for (const [id, k] of [["feature-x", 0], ["feature-y", 1]]) {
    fill(byId(id), inputs);
    byId(id).onchange = (event) => {
      view.features = [...domain.features];
      view.features[k] = Number(event.target.value);
      domain = domainOf(cases, network, view.features);
      showNetwork();
      remember();
    };
  }
  byId("features").hidden = !cases || network.sizes[0] < 2;
  byId("surface-said").textContent = !cases ? "It needs the training cases, which are not on this page."
    : `${network.sizes[0] > 2 ? "The other inputs at their mean; dots" : "Dots"} are the training cases. `
    + (network.sizes.at(-1) > 1 ? "The colour is the largest output, fainter where another is near." : "The colour is the output (cividis: bright is large).");
  for (const key of ["x", "y", "colour"]) {
    byId(key).onchange = (event) => {
      view[key] = event.target.value;
      restyle();
    };
  }
  listenToPicture();
  listenToDrawing();
  listenToButtons();
  adopt();
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === toAddress(view, model)) return;
    view = fromAddress(location.hash.slice(1), model);
    adopt();
  });
  let resized = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(resized);
    resized = requestAnimationFrame(restyle);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
}

begins();
