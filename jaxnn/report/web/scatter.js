"use strict";
// The linked picture: every start as a mark, by two of its numbers, coloured by a third.

/**
 * What an axis is, by its key: "cells" (a strip for each cell of the study), a value's name, or a
 * parameter's: {label, log, at(i), ticks?}.
 */
function axisOf(model, key) {
  if (key === "cells") return cellAxis(model);
  const value = named(model.values, key);
  if (value) return { label: value.meaning, log: value.log, at: (i) => value.data[i], along: alongPlace(model, value) };
  const number = model.names.indexOf(key);
  const column = Float32Array.from({ length: model.count }, (_, i) => model.startOf(i)[number]);
  return { label: `${key} at the start`, log: false, at: (i) => column[i], parameter: number, along: (point) => point[number] };
}

/** Where on an axis of the map a point of parameters lies; null of what is no such axis. */
function alongPlace(model, { name, place }) {
  if (!place) return null;
  const { origin, first, second } = model.plane, direction = name === "x" ? first : second;
  const square = direction.reduce((sum, d) => sum + d * d, 0);
  return (point) => direction.reduce((sum, d, k) => sum + d * (point[k] - origin[k]), 0) / square;
}

/** Strips: groups across, one for each label of one facet, and in each a strip for each of another. */
function cellAxis(model) {
  const { across, within } = model.raw.picture;
  const [outer, inner] = [across, within].map((name) => named(model.facets, name));
  const width = inner.labels.length + 1;
  const jitter = (i) => ((i * 0.61803398875) % 1) * 0.8 - 0.4; // the golden ratio fills a strip evenly
  return {
    label: across,
    log: false,
    at: (i) => outer.codes[i] * width + inner.codes[i] + jitter(i),
    ticks: outer.labels.map((text, k) => ({ text, at: k * width + (inner.labels.length - 1) / 2 })),
    ends: [-0.6, outer.labels.length * width - 1.4],
  };
}

/** How starts are coloured, by a facet's or a value's name: {of(i) -> CSS colour, shape(i), legend}. */
function colouring(model, key) {
  const facet = named(model.facets, key);
  if (facet) {
    const colour = (k) => (facet.colours ? facet.colours[k] : category(k));
    const legend = facet.labels.map((label, k) => ({ label, colour: colour(k), shape: k }));
    return { of: (i) => legend[facet.codes[i]].colour, shape: (i) => facet.codes[i], legend };
  }
  const value = named(model.values, key);
  const scale = scaleOf(value.data, { log: value.log, from: 0, to: 1, pad: 0 });
  const colours = Array.from({ length: 65 }, (_, k) => `rgb(${onMap("viridis", k / 64)})`);
  const of = (i) => (Number.isFinite(value.data[i]) ? colours[Math.round(64 * Math.min(1, Math.max(0, scale.at(value.data[i]))))] : theme("muted"));
  return { of, shape: () => 0, ramp: { label: value.meaning, low: scale.back(0), high: scale.back(1) } };
}

/**
 * Draw the starts; gives what is needed to find them: {xs, ys, shown, x, y, xAxis, yAxis, box}.
 * view: {x, y, colour, hidden} as in the page's address.
 */
function scatter(canvas, model, view) {
  const { ctx, width, height } = sheet(canvas), box = boxOf(width, height);
  const [xAxis, yAxis] = [axisOf(model, view.x), axisOf(model, view.y)];
  const shown = visible(model, view.hidden), all = [...Array(model.count).keys()];
  const pitch = isMap(model, view) ? pixelSides(model, box) : null;
  const x = scaleOf(xAxis.ends || all.map(xAxis.at), { log: xAxis.log, from: box.left, to: box.right, pad: xAxis.ends ? 0 : 0.02 });
  const y = scaleOf(all.map(yAxis.at), { log: yAxis.log, from: box.bottom, to: box.top, pad: 0.03 });
  axes(ctx, box, xAxis.ticks ? null : x, y, xAxis.label, yAxis.label);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const { text, at } of xAxis.ticks || []) ctx.fillText(text, x.at(at), box.bottom + 6);
  const xs = new Float32Array(model.count), ys = new Float32Array(model.count);
  const paint = colouring(model, view.colour), r = model.count > 3000 ? 2 : model.count > 400 ? 2.8 : 4;
  for (let i = 0; i < model.count; i++) {
    [xs[i], ys[i]] = [x.at(xAxis.at(i)), Number.isFinite(yAxis.at(i)) ? y.at(yAxis.at(i)) : box.top];
    ctx.fillStyle = paint.of(i);
    ctx.globalAlpha = shown[i] ? (pitch ? 1 : 0.75) : 0.06;
    if (pitch) tile(ctx, xs[i], ys[i], pitch);
    else mark(ctx, paint.shape(i), xs[i], ys[i], r);
  }
  ctx.globalAlpha = 1;
  if (view.y === "final_loss" && model.raw.level > 0) {
    ctx.strokeStyle = theme("text");
    ctx.setLineDash([2, 3]);
    stroke(ctx, [[box.left, y.at(model.raw.level)], [box.right, y.at(model.raw.level)]]);
    ctx.setLineDash([]);
  }
  return { xs, ys, shown, x, y, xAxis, yAxis, box };
}

/**
 * Draw, on a sheet above the starts, the path of training and rings: around the start pointed at,
 * the chosen one, and where its weights changed by hand put it.
 */
function rings(canvas, { xs, ys, x, y, xAxis, yAxis, box }, { selected, hovered, edited, path }) {
  const { ctx } = sheet(canvas);
  if (path) drawPath(ctx, box, path, [[xAxis, x], [yAxis, y]]);
  if (hovered !== null) ring(ctx, xs[hovered], ys[hovered], 6, theme("text"), 1.5);
  if (selected !== null) ring(ctx, xs[selected], ys[selected], 8, theme("accent"), 3);
  const moved = edited && xAxis.parameter >= 0 && yAxis.parameter >= 0;
  if (moved) ring(ctx, x.at(edited[xAxis.parameter]), y.at(edited[yAxis.parameter]), 8, NEGATIVE, 3);
}

/** The path of training, where both axes are places or parameters: its shadow on them. */
function drawPath(ctx, box, path, pairs) {
  if (!pairs.every(([axis]) => axis.along)) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  ctx.clip();
  for (const [colour, width] of [["#000000", 3.5], ["#ffffff", 1.8]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    stroke(ctx, path.map((point) => pairs.map(([axis, scale]) => scale.at(axis.along(point)))));
  }
  ctx.restore();
}

function ring(ctx, x, y, r, colour, width) {
  ctx.strokeStyle = theme("card");
  ctx.lineWidth = width + 2;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.stroke();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
}

/** A pixel of the map, to whole pixels of the screen so that no seams show. */
function tile(ctx, x, y, [width, height]) {
  const [left, top] = [Math.round(x - width / 2), Math.round(y - height / 2)];
  ctx.fillRect(left, top, Math.round(x + width / 2) - left, Math.round(y + height / 2) - top);
}

const isMap = (model, view) => model.raw.picture.kind === "map" && view.x === model.raw.picture.x && view.y === model.raw.picture.y;

function pixelSides(model, box) {
  return [(box.right - box.left) / 1.04 / model.plane.xs.length, (box.bottom - box.top) / 1.06 / model.plane.ys.length];
}

/** Which starts pass the filters; hidden: facet's name -> the codes left out. */
function visible(model, hidden) {
  const active = model.facets.filter((facet) => hidden[facet.name] && hidden[facet.name].size);
  return Uint8Array.from({ length: model.count }, (_, i) => active.every((facet) => !hidden[facet.name].has(facet.codes[i])));
}

/** The visible start nearest to a place in pixels, within reach, or null. */
function nearest(drawn, px, py, reach = 24) {
  let best = null, least = reach * reach;
  for (let i = 0; i < drawn.xs.length; i++) {
    if (!drawn.shown[i]) continue;
    const gap = (drawn.xs[i] - px) ** 2 + (drawn.ys[i] - py) ** 2;
    if (gap < least) [best, least] = [i, gap];
  }
  return best;
}

/** The nearest visible start in a direction from another, (1, 0) to the right; itself if none. */
function onwards(drawn, from, dx, dy) {
  let best = from, least = Infinity;
  for (let i = 0; i < drawn.xs.length; i++) {
    const [x, y] = [drawn.xs[i] - drawn.xs[from], drawn.ys[i] - drawn.ys[from]];
    const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
    if (!drawn.shown[i] || along <= 0.01 || i === from) continue;
    const far = along + 2.5 * across;
    if (far < least) [best, least] = [i, far];
  }
  return best;
}
