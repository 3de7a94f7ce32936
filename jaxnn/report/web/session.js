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
let glanced = 0; // when the path was last drawn while training went on
const QUICK = 3e6; // numbers of work that a frame has time for

const names = { inputs: raw.features, outputs: raw.classes.length === network.sizes.at(-1) ? raw.classes : [] };
const featureName = (j) => raw.features[j] || `input ${j}`;

/** The start to train from: the chosen one, with the weights changed by hand. */
function startNow() {
  if (view.start === null || !model.hasStarts) return null;
  const start = model.startOf(view.start);
  for (const [parameter, value] of Object.entries(view.edits)) start[parameter] = value;
  return start;
}

/** Whether what is trained here is the study's own run: its start, its step size from first to last. */
const isStudys = () => raw.training.replays && view.start !== null && view.stepSize === stepSizeOf(model, view.start)
  && !view.changes.length && !Object.keys(view.edits).length;

/** The step size of the update after so many. */
function stepSizeAt(step) {
  return view.changes.reduce((size, [at, other]) => (at <= step ? other : size), view.stepSize);
}

/** Another step size from here on: of the whole run where it stands at its start. */
function changeStepSize(size) {
  const at = run && !run.isStored ? run.step : 0;
  if (at) view.changes = [...view.changes.filter(([step]) => step < at), [at, size]];
  else [view.stepSize, view.changes] = [size, []];
  goal = goalNow();
}

/** How many steps are trained: the study's, those that the view asks for, or the usual number. */
function goalNow() {
  return Math.max(view.until || 0, isStudys() ? model.steps[view.start] : raw.training.steps);
}

/** The visible start with the lowest final loss, or, with -1, the highest; null where none is. */
function extreme(sign) {
  const { data } = named(model.values, "final_loss"), shown = visible(model, view.hidden);
  const kept = [...data.keys()].filter((i) => shown[i] && Number.isFinite(data[i]));
  return kept.reduce((best, i) => (best === null || sign * data[i] < sign * data[best] ? i : best), null);
}

function choose(i, { train = true } = {}) {
  if (i === null || i === undefined) return;
  if (run) view.stepSize = stepSizeAt(Infinity);
  if (model.stepSizes) view.stepSize = stepSizeOf(model, i);
  Object.assign(view, { start: i, edits: {}, changes: [], until: null });
  restart();
  byId("said").textContent = sayStart(model, i);
  if (train && canTrain && raw.training.replays) play();
  else if (train && !raw.training.replays) toStored();
}

/** Back to the start, with nothing trained; with the last step size, or those that an address tells. */
function restart({ asTold = false } = {}) {
  stop();
  if (!asTold) Object.assign(view, { stepSize: stepSizeAt(Infinity), changes: [], until: null });
  delete document.body.dataset.settled;
  const start = startNow();
  run = start && canTrain ? begin(network, cases, start) : null;
  goal = goalNow();
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
  if (run.step >= goal) view.until = goal = run.step + raw.training.steps;
  playing = true;
  work += 1;
  delete document.body.dataset.settled;
  requestAnimationFrame(frame);
  showTransport();
}

function stop() {
  playing = false;
}

function frame(now) {
  if (!playing) return;
  const speed = Number(byId("speed").value), until = performance.now() + 11;
  do {
    const next = view.changes.reduce((least, [at]) => (at > run.step ? Math.min(least, at) : least), goal);
    advance(run, Math.min(speed || 5, next - run.step), stepSizeAt(run.step));
  } while (!speed && performance.now() < until && run.step < goal && !run.diverged);
  phase += 1.5;
  if (run.step >= goal || run.diverged) {
    stop();
    settle();
  } else {
    showRun();
    if (now - glanced > 300) glance(now);
    requestAnimationFrame(frame);
  }
}

/** While training goes on: the path so far and the curvature here, as far as they are quickly had. */
function glance(now) {
  glanced = now;
  const size = run.cases.count * network.count;
  found.plane = atOnce(lossOverPath(run, aspectOf("plane"), { most: QUICK, least: 0 }));
  found.spectrum = network.count * size < QUICK ? spectrumAt(network, run.params, cases) : null;
  showPlane();
  showSpectrum();
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
  const mine = ++work, at = run;
  const rows = run.isStored ? null : lossOverPath(run, aspectOf("plane"));
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
