"use strict";
// What is chosen and what is trained: the state of the page, and how it changes.

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

/** The start to train from: the chosen one, with the weights changed by hand. */
function startNow() {
  if (view.start === null || !model.hasStarts) return null;
  const start = model.startOf(view.start);
  for (const [parameter, value] of Object.entries(view.edits)) start[parameter] = value;
  return start;
}

const isStudys = () => raw.training.replays && view.start !== null && view.stepSize === stepSizeOf(model, view.start) && !Object.keys(view.edits).length;

/** The visible start with the lowest final loss, or, with -1, the highest; null where none is. */
function extreme(sign) {
  const { data } = named(model.values, "final_loss"), shown = visible(model, view.hidden);
  const kept = [...data.keys()].filter((i) => shown[i] && Number.isFinite(data[i]));
  return kept.reduce((best, i) => (best === null || sign * data[i] < sign * data[best] ? i : best), null);
}

function choose(i, { train = true } = {}) {
  if (i === null || i === undefined) return;
  if (model.stepSizes) view.stepSize = stepSizeOf(model, i);
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
  delete document.body.dataset.settled;
  const start = startNow();
  run = start && canTrain ? begin(network, cases, start) : null;
  goal = isStudys() ? model.steps[view.start] : raw.training.steps;
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
  const mine = ++work, at = run, { clientWidth: width, clientHeight: height } = byId("plane");
  const rows = run.isStored ? null : lossOverPath(run, (width - 62) / (height - 56));
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
