"use strict";
// The network's mathematics, as in jaxnn's activations, losses and backpropagation, in float64.
// Pure functions: a network is a shape, its parameters one Float64Array, layer after layer, the
// weights row by row (units, inputs) and then the biases.

/** erf(u): its series with positive terms only for |u| < 3, a continued fraction of erfc beyond. */
function erf(u) {
  const size = Math.abs(u);
  if (size > 6) return Math.sign(u);
  const bell = Math.exp(-size * size);
  if (size < 3) {
    let term = size, sum = size;
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * size * size) / (2 * n + 1);
      sum += term;
    }
    return (Math.sign(u) * 2 * bell * sum) / Math.sqrt(Math.PI);
  }
  let fraction = size;
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction;
  return Math.sign(u) * (1 - bell / fraction / Math.sqrt(Math.PI));
}

const fromBoth = (value, slope) => (u, i, values, slopes) => {
  values[i] = value(u);
  slopes[i] = slope(u);
};

/** Of the sigmoid, by one exponential: with t = e^-u, sigma = 1 / (1 + t) and sigma' = t sigma^2. */
function sigmoidBoth(u, i, values, slopes) {
  const t = Math.exp(Math.min(-u, 708)), value = 1 / (1 + t);
  values[i] = value;
  slopes[i] = t * value * value;
}

function tanhSlope(u) {
  const e = Math.exp(-2 * Math.abs(u)); // 1 - tanh^2 would lose its digits in the tails
  return (4 * e) / ((1 + e) * (1 + e));
}

/** Name -> what writes sigma(u) and sigma'(u) of node i. */
const ACTIVATIONS = {
  sigmoid: sigmoidBoth,
  tanh: fromBoth(Math.tanh, tanhSlope),
  relu: fromBoth((u) => (u > 0 ? u : 0), (u) => (u > 0 ? 1 : 0)),
  erf: fromBoth(erf, (u) => (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u)),
  identity: fromBoth((u) => u, () => 1),
};

/**
 * The shape of a network: its layers with where their parameters lie, and how many there are.
 * sizes: units of each layer, the inputs first. activation: a name per layer. biases: a boolean per
 * layer, all true where it is left out. l2: the loss has (l2 / 2) |parameters|^2 added.
 */
function networkOf({ sizes, activation, biases, l2 = 0 }) {
  let count = 0;
  const layers = activation.map((name, k) => {
    if (!(name in ACTIVATIONS)) throw new Error(`no activation is named ${name}`);
    const [inputs, units] = [sizes[k], sizes[k + 1]];
    const biased = !biases || biases[k];
    const layer = {
      inputs, units, activate: ACTIVATIONS[name],
      weights: count, biases: biased ? count + inputs * units : -1,
    };
    count += inputs * units + (biased ? units : 0);
    return layer;
  });
  return { sizes, layers, count, l2 };
}

/** Names of all parameters: w1[0,2] is the weight from input 2 to unit 0 of layer 1, b1[0] a bias. */
function parameterNames(network) {
  return network.layers.flatMap((layer, k) => {
    const units = [...Array(layer.units).keys()], inputs = [...Array(layer.inputs).keys()];
    const weights = units.flatMap((i) => inputs.map((j) => `w${k + 1}[${i},${j}]`));
    return layer.biases < 0 ? weights : [...weights, ...units.map((i) => `b${k + 1}[${i}]`)];
  });
}

/** Room for the values and slopes of every node on one case, and for what flows back. */
function roomFor(network) {
  const perLayer = () => network.sizes.map((size) => new Float64Array(size));
  return { values: perLayer(), slopes: perLayer(), back: perLayer() };
}

/** The outputs on the case that starts at inputs[first]; room.values and room.slopes then hold every
 * node's, layer after layer. */
function forward(network, params, inputs, first = 0, room = roomFor(network)) {
  for (let j = 0; j < network.sizes[0]; j++) room.values[0][j] = inputs[first + j];
  for (let k = 0; k < network.layers.length; k++) {
    const layer = network.layers[k];
    const before = room.values[k], values = room.values[k + 1], slopes = room.slopes[k + 1];
    for (let i = 0; i < layer.units; i++) {
      let u = layer.biases < 0 ? 0 : params[layer.biases + i];
      const row = layer.weights + i * layer.inputs;
      for (let j = 0; j < layer.inputs; j++) u += params[row + j] * before[j];
      layer.activate(u, i, values, slopes);
    }
  }
  return room.values[network.layers.length];
}

/** (l2 / 2) times the sum of all squared parameters. */
function penalty(network, params) {
  if (!network.l2) return 0;
  let sum = 0;
  for (const p of params) sum += p * p;
  return 0.5 * network.l2 * sum;
}

/** The loss: the mean over cases of sum_k (o_k - d_k)^2, and the penalty. cases: {inputs, targets,
 * count}, both row by row. */
function loss(network, params, cases, room = roomFor(network)) {
  const inputs = network.sizes[0], outputs = network.sizes[network.layers.length];
  let sum = 0;
  for (let n = 0; n < cases.count; n++) {
    const made = forward(network, params, cases.inputs, n * inputs, room);
    for (let k = 0; k < outputs; k++) sum += (made[k] - cases.targets[n * outputs + k]) ** 2;
  }
  return sum / cases.count + penalty(network, params);
}

/** The loss; and, into gradient, its derivatives by one reverse sweep a case (backpropagation). */
function lossAndGradient(network, params, cases, gradient, room = roomFor(network)) {
  const inputs = network.sizes[0], last = network.layers.length, outputs = network.sizes[last];
  for (let p = 0; p < network.count; p++) gradient[p] = network.l2 * params[p];
  let sum = 0;
  for (let n = 0; n < cases.count; n++) {
    const made = forward(network, params, cases.inputs, n * inputs, room);
    for (let k = 0; k < outputs; k++) {
      const gap = made[k] - cases.targets[n * outputs + k];
      sum += gap * gap;
      room.back[last][k] = (2 * gap) / cases.count; // dE/do
    }
    for (let k = last - 1; k >= 0; k--) sweepBack(network.layers[k], params, gradient, room, k);
  }
  return sum / cases.count + penalty(network, params);
}

/** From dE/dv of a layer's units to the derivatives of its parameters and to dE/dv of the layer
 * before it. */
function sweepBack(layer, params, gradient, room, k) {
  const before = room.values[k], slopes = room.slopes[k + 1];
  const dE_dv = room.back[k + 1], dE_dbefore = room.back[k];
  if (k > 0) dE_dbefore.fill(0);
  for (let i = 0; i < layer.units; i++) {
    const dE_du = dE_dv[i] * slopes[i], row = layer.weights + i * layer.inputs;
    if (layer.biases >= 0) gradient[layer.biases + i] += dE_du;
    for (let j = 0; j < layer.inputs; j++) {
      gradient[row + j] += dE_du * before[j];
      if (k > 0) dE_dbefore[j] += dE_du * params[row + j];
    }
  }
}


/** The share of cases classified correctly: the largest output, or with one output the side of the
 * middle between the smallest and largest target. */
function accuracy(network, params, cases, room = roomFor(network)) {
  const inputs = network.sizes[0], outputs = network.sizes[network.layers.length];
  const largest = (row) => row.reduce((best, value, k) => (value > row[best] ? k : best), 0);
  let low = Infinity, high = -Infinity, right = 0;
  for (const d of cases.targets) [low, high] = [Math.min(low, d), Math.max(high, d)];
  const middle = 0.5 * (low + high);
  for (let n = 0; n < cases.count; n++) {
    const made = forward(network, params, cases.inputs, n * inputs, room);
    const wanted = cases.targets.subarray(n * outputs, (n + 1) * outputs);
    if (outputs > 1) right += largest(made) === largest(wanted);
    else right += made[0] > middle === wanted[0] > middle;
  }
  return right / cases.count;
}

if (typeof module === "object") {
  module.exports = { ACTIVATIONS, accuracy, erf, forward, loss, lossAndGradient, networkOf, parameterNames };
}
