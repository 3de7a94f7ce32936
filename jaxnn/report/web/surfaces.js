"use strict";
// What the nodes give over two of the inputs, the others at their mean.

/** The two inputs most linearly tied to a target; the first two where none is. */
function tellingFeatures(cases, network) {
  const inputs = network.sizes[0], outputs = network.sizes[network.sizes.length - 1];
  const mean = (rows, width, j) => {
    let sum = 0;
    for (let n = 0; n < cases.count; n++) sum += rows[n * width + j];
    return sum / cases.count;
  };
  const strength = (j) => {
    const middle = mean(cases.inputs, inputs, j);
    let most = 0, spread = 1e-12;
    for (let n = 0; n < cases.count; n++) spread += (cases.inputs[n * inputs + j] - middle) ** 2;
    for (let k = 0; k < outputs; k++) {
      let sum = 0;
      for (let n = 0; n < cases.count; n++) sum += (cases.inputs[n * inputs + j] - middle) * cases.targets[n * outputs + k];
      most = Math.max(most, Math.abs(sum) / Math.sqrt(spread));
    }
    return most;
  };
  const strengths = [...Array(inputs).keys()].map(strength);
  const order = [...strengths.keys()].sort((a, b) => strengths[b] - strengths[a] || a - b);
  return [order[0], order[Math.min(1, inputs - 1)]].sort((a, b) => a - b);
}

/** Where a surface lies: the two inputs' ranges over the cases, a little more, and all means. */
function domainOf(cases, network, features) {
  const inputs = network.sizes[0], means = new Float64Array(inputs);
  const column = (j) => Float64Array.from({ length: cases.count }, (_, n) => cases.inputs[n * inputs + j]);
  for (let j = 0; j < inputs; j++) means[j] = column(j).reduce((sum, v) => sum + v, 0) / cases.count;
  const ranges = features.map((j) => {
    const values = column(j);
    const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
    const pad = 0.15 * (high - low) || 0.5;
    return [low - pad, high + pad];
  });
  return { features, means, ranges };
}

/** By layer and unit, its values over the domain, row by row upwards; side x side of them. */
function surfacesOf(network, params, domain, side) {
  const room = roomFor(network), input = Float64Array.from(domain.means);
  const made = network.sizes.map((size) => Array.from({ length: size }, () => new Float64Array(side * side)));
  const [xs, ys] = domain.ranges.map(([low, high]) => linspace(low, high, side));
  for (let r = 0; r < side; r++) {
    for (let c = 0; c < side; c++) {
      input[domain.features[1]] = ys[r];
      input[domain.features[0]] = xs[c];
      forward(network, params, input, 0, room);
      room.values.forEach((values, k) => values.forEach((v, i) => (made[k][i][r * side + c] = v)));
    }
  }
  return made;
}

/** Small images of every node that is drawn, by layer and unit. */
function tilesOf(network, surfaces, units, side, names) {
  const limits = { sigmoid: [0, 1], tanh: [-1, 1], erf: [-1, 1] };
  return surfaces.map((layer, k) => {
    const [low, high] = (k && limits[names[k - 1]]) || [];
    return Object.fromEntries(units[k].map((i) => [i, imageOf(layer[i], side, { map: "cividis", low, high })]));
  });
}

/** Draw the answer: of one output its value, of several the colour of the largest, fainter where
 * another is near; and the cases on it. */
function drawSurface(canvas, outputs, side, domain, cases, { features, classes, inputs, low, high }) {
  const { ctx, width, height } = sheet(canvas), box = boxOf(width, height), count = outputs.length;
  const rgb = (k) => [1, 3, 5].map((at) => parseInt(hexOf(category(k)).slice(at, at + 2), 16));
  const base = rgbOf(theme("card"));
  const paint = (at) => {
    const values = outputs.map((layer) => layer[at]);
    const best = values.indexOf(Math.max(...values)), sorted = [...values].sort((a, b) => b - a);
    const trust = 0.25 + 0.55 * Math.min(1, Math.max(0, (sorted[0] - sorted[1]) / (high - low || 1)));
    return rgb(best).map((channel, k) => Math.round(trust * channel + (1 - trust) * base[k]));
  };
  const image = imageOf(outputs[0], side, count > 1 ? { paint } : { map: "cividis", low, high });
  spreadImage(ctx, image, box);
  const [x, y] = domain.ranges.map((range, k) => scaleOf(range, { from: k ? box.bottom : box.left, to: k ? box.top : box.right, pad: 0 }));
  axes(ctx, box, x, y, features[0], features[1], { grid: false });
  const step = Math.max(1, Math.floor(cases.count / 600));
  for (let n = 0; n < cases.count; n += step) {
    const [px, py] = [x.at(cases.inputs[n * inputs + domain.features[0]]), y.at(cases.inputs[n * inputs + domain.features[1]])];
    const wanted = Array.from(cases.targets.subarray(n * count, (n + 1) * count));
    const kind = count > 1 ? wanted.indexOf(Math.max(...wanted)) : 0;
    ctx.fillStyle = "#ffffff";
    mark(ctx, kind, px, py, 4.6);
    ctx.fillStyle = count > 1 ? category(kind) : `rgb(${onMap("cividis", (wanted[0] - low) / (high - low || 1))})`;
    mark(ctx, kind, px, py, 3.4);
  }
  return count > 1 ? classes.map((label, k) => ({ label, colour: category(k), shape: k })) : null;
}

const hexOf = (colour) => (colour.startsWith("#") ? colour : "#888888");
const rgbOf = (colour) => [1, 3, 5].map((at) => parseInt(hexOf(colour).slice(at, at + 2), 16));
