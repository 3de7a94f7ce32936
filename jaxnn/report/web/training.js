"use strict";
// Training in the page: plain descent in float64 from a start, with its losses and its path.

const MOST_RECORDS = 120;

/** A run at its start: {params, step, losses, path, ...}; every: steps between two records. */
function begin(network, cases, start, every = 1) {
  const run = {
    network, cases, params: Float64Array.from(start), step: 0, every,
    gradient: new Float64Array(network.count), room: roomFor(network),
    at: [], losses: [], path: [], diverged: false,
  };
  run.loss = lossAndGradient(network, run.params, cases, run.gradient, run.room);
  record(run);
  return run;
}

/** Whether a step is one to write down: every so many, and eight in each doubling before that. */
function isRecorded(step, every) {
  return step % Math.min(every, 2 ** Math.max(0, Math.floor(Math.log2(step / 8)))) === 0;
}

/** Write down the loss and the point; when there are too many, keep about every other one. */
function record(run) {
  if (run.at[run.at.length - 1] === run.step) return;
  run.at.push(run.step);
  run.losses.push(run.loss);
  run.path.push(Float64Array.from(run.params));
  if (run.at.length <= 2 * MOST_RECORDS) return;
  run.every *= 2;
  const kept = run.at.map((step) => isRecorded(step, run.every));
  for (const key of ["at", "losses", "path"]) run[key] = run[key].filter((_, k) => kept[k]);
}

/**
 * Descend so many steps further, p' = p - stepSize dE/dp, in place. A run whose loss is no longer
 * finite stays at its last finite point.
 */
function advance(run, steps, stepSize) {
  const before = new Float64Array(run.network.count);
  for (let k = 0; k < steps && !run.diverged; k++) {
    before.set(run.params);
    for (let p = 0; p < before.length; p++) run.params[p] -= stepSize * run.gradient[p];
    const loss = lossAndGradient(run.network, run.params, run.cases, run.gradient, run.room);
    if (!Number.isFinite(loss) || !run.params.every(Number.isFinite)) {
      run.params.set(before);
      run.diverged = true;
      break;
    }
    run.loss = loss;
    run.step += 1;
    if (isRecorded(run.step, run.every)) record(run);
  }
  return run;
}

/** The Euclidean norm of a Float64Array. */
const norm = (a) => Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));

if (typeof module === "object") module.exports = { advance, begin };
