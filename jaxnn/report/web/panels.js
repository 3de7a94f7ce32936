"use strict";
// The pictures of one run: its loss, its path over the loss, its answer, the curvature at its end.

const MOST_SPECTRUM = 120;
const MOST_WORK = 4e8;

/** The stored curve in grey, the live one over it. */
function drawCurve(canvas, model, start, run) {
  const stored = start === null ? null : model.curveOf(start), lines = [];
  if (stored) {
    const kept = [...stored.keys()].filter((k) => Number.isFinite(stored[k]));
    lines.push({ xs: kept.map((k) => model.curves.at[k]), ys: kept.map((k) => stored[k]), colour: theme("muted"), width: 5, name: "the study's" });
  }
  const sameUnit = !stored || model.curves.unit === "step";
  if (!sameUnit && run && run.step > 0) lines.pop(); // steps here are no epochs there
  const live = run && (sameUnit || run.step > 0);
  if (live) {
    const [xs, ys] = [[...run.at], [...run.losses]];
    if (xs[xs.length - 1] !== run.step) [xs.push(run.step), ys.push(run.loss)];
    lines.push({ xs, ys, colour: theme("accent"), width: 1.8, name: "here" });
  }
  const marked = live ? { x: run.step, y: run.loss } : null;
  if (lines.length) curves(canvas, lines, { log: true, xName: live || !stored ? "step" : model.curves.unit, yName: "loss", marked, level: model.raw.level });
  else sheet(canvas);
}

/** A plane through a run's path and the loss on it, row by row, at this width over height: a
 * generator that ends with it; null where there is no path yet. most: the work; least: rows of the
 * loss that are made in any case, 0 where the path alone will do. */
function* lossOverPath(run, aspect, { most = MOST_WORK, least = 7 } = {}) {
  const path = run.path.concat(run.at[run.at.length - 1] === run.step ? [] : [run.params]);
  const every = Math.ceil(path.length / 60);
  const some = path.filter((_, k) => (path.length - 1 - k) % every === 0).map((p) => Float64Array.from(p));
  const found = some.length < 3 ? null : principalPlane(some);
  if (!found) return null;
  const plane = { ...found, ...onPrincipalPlane(found, path) };
  const cost = run.cases.count * run.network.count;
  const side = [45, 35, 25, 17, 11].find((n) => n * n * cost < most) || least;
  const [xs, ys] = rangesOf(plane.coordinates, side || 2, aspect);
  const values = new Float64Array(side * side), room = roomFor(run.network);
  const f = (point) => loss(run.network, point, run.cases, room);
  for (let r = 0; r < side; r++) {
    values.set(overPlane(f, plane, xs, [ys[r]]), r * side);
    yield r / side;
  }
  return { plane, xs, ys, values, side };
}

/** What a generator ends with, run through at once. */
function atOnce(rows) {
  let made = rows.next();
  while (!made.done) made = rows.next();
  return made.value;
}

/** The width of a picture's box over its height. */
function aspectOf(id) {
  const { clientWidth: width, clientHeight: height } = byId(id);
  return (width - 62) / (height - 56);
}

/** A window around a path, a quarter wider; aspect: its width over its height, for one scale. */
function rangesOf(coordinates, side, aspect) {
  const ends = [0, 1].map((k) => {
    const column = coordinates.map((c) => c[k]);
    return [Math.min(...column), Math.max(...column)];
  });
  const half = 0.7 * Math.max((ends[0][1] - ends[0][0]) / aspect, ends[1][1] - ends[1][0]);
  return ends.map(([low, high], k) => {
    const reach = k ? half : half * aspect;
    return linspace((low + high) / 2 - reach, (low + high) / 2 + reach, side);
  });
}

/** The loss over the plane of a path, as an image with contours in a box. */
function drawLoss(ctx, box, { values, side }) {
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity), log = lowest > 0;
  spreadImage(ctx, imageOf(values, side, { map: "viridis", log }), box);
  const turn = log ? Math.log10 : (v) => v, heights = values.map(turn);
  const high = heights.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), -Infinity);
  ctx.strokeStyle = "rgb(255 255 255 / 35%)";
  ctx.lineWidth = 0.8;
  for (let k = 1; k < 12; k++) {
    const level = turn(lowest) + ((high - turn(lowest)) * k) / 12;
    contours(heights, side, level, (a, b) => stroke(ctx, [a, b].map(([c, r]) => [
      box.left + (c / (side - 1)) * (box.right - box.left), box.bottom - (r / (side - 1)) * (box.bottom - box.top)])));
  }
}

/** The plane of a path: the loss over it, where that is known, and the path on it. */
function drawPlane(canvas, found) {
  const { ctx, width, height } = sheet(canvas), box = boxOf(width, height), { plane, xs, ys, side } = found;
  if (side) drawLoss(ctx, box, found);
  const x = scaleOf(xs, { from: box.left, to: box.right, pad: 0 }), y = scaleOf(ys, { from: box.bottom, to: box.top, pad: 0 });
  axes(ctx, box, x, y, "along the first principal direction", "second", { grid: false });
  const path = plane.coordinates.map(([a, b]) => [x.at(a), y.at(b)]);
  for (const [colour, size] of [["#000000", 4], ["#ffffff", 2]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = size;
    stroke(ctx, path);
  }
  const dot = ([px, py], colour, shape) => {
    ctx.fillStyle = "#000000";
    mark(ctx, shape, px, py, 7);
    ctx.fillStyle = colour;
    mark(ctx, shape, px, py, 5);
  };
  dot(path[0], "#ffffff", 0);
  dot(path[path.length - 1], OKABE_ITO[4], 2);
}

/** The Hessian's eigenvalues at a point, ascending; null where there are too many parameters. */
function spectrumAt(network, params, cases) {
  if (network.count > MOST_SPECTRUM) return null;
  const room = roomFor(network);
  const gradientAt = (point) => {
    const gradient = new Float64Array(network.count);
    lossAndGradient(network, point, cases, gradient, room);
    return gradient;
  };
  return eigen(hessian(gradientAt, params)).values;
}

/** The eigenvalues, largest first, each a stem on a scale that is linear near 0 and logarithmic
 * beyond. */
function drawSpectrum(canvas, values) {
  const { ctx, width, height } = sheet(canvas), box = boxOf(width, height);
  const most = Math.max(...values.map(Math.abs), 1e-12), small = 1e-5 * most;
  const power = 10 ** Math.floor(Math.log10(most));
  const turn = (v) => Math.asinh(v / small), top = turn(most), lowest = Math.min(turn(values[0]), -0.08 * top);
  const y = (v) => box.bottom - ((turn(v) - lowest) / (1.05 * top - lowest)) * (box.bottom - box.top);
  const ticks = [0, 2, 4].flatMap((k) => [power / 10 ** k, -power / 10 ** k]).concat(0).filter((v) => turn(v) >= lowest);
  axes(ctx, box, null, { at: y, ticks }, "eigenvalues, largest first", "");
  const step = (box.right - box.left) / values.length;
  [...values].reverse().forEach((value, k) => {
    const x = box.left + step * (k + 0.5);
    ctx.strokeStyle = ctx.fillStyle = value >= 0 ? POSITIVE : NEGATIVE;
    ctx.lineWidth = Math.min(3, 0.6 * step);
    stroke(ctx, [[x, y(0)], [x, y(value)]]);
    mark(ctx, 0, x, y(value), Math.min(4, 0.5 * step + 1));
  });
}
