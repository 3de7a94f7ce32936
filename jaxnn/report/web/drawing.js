"use strict";
// The network as nodes and lines, each node a small picture of what it gives over two inputs.

const MOST_NODES = 12;

/** Of each layer the units that are drawn: all, or those with the largest weights. */
function drawnUnits(network, params) {
  const sizeOf = network.sizes.map((size) => new Float64Array(size));
  network.layers.forEach((layer, k) => {
    for (let i = 0; i < layer.units; i++) {
      for (let j = 0; j < layer.inputs; j++) {
        const size = Math.abs(params[layer.weights + i * layer.inputs + j]);
        sizeOf[k + 1][i] = Math.max(sizeOf[k + 1][i], size);
        if (k === 0) sizeOf[0][j] = Math.max(sizeOf[0][j], size);
      }
    }
  });
  return sizeOf.map((sizes) => {
    const order = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a] || a - b);
    return order.slice(0, MOST_NODES).sort((a, b) => a - b);
  });
}

/**
 * Draw it; gives what can be pointed at: {links: [{parameter, points}], nodes: [{parameter, x, y, r, name}]}.
 * tiles: by layer and unit an image, or null; names: {inputs, outputs}; chosen: a parameter's number.
 */
function drawNetwork(canvas, network, params, units, { tiles, names, chosen, phase }) {
  const { ctx, width, height } = sheet(canvas), last = network.layers.length;
  const tallest = Math.max(...units.map((layer) => layer.length));
  const r = Math.max(6, Math.min(19, (height - 30) / tallest / 2 - 3));
  const ends = { 0: units[0].map((unit) => names.inputs[unit] || `input ${unit}`),
    [last]: units[last].map((unit) => names.outputs[unit] || `output ${unit}`) };
  const left = roomBeside(ctx, ends[0], width, r), right = width - roomBeside(ctx, ends[last], width, r);
  const place = (k, rank) => [
    left + ((right - left) * k) / last,
    ((height - 16) * (rank + 0.5)) / units[k].length,
  ];
  const largest = params.reduce((most, p) => Math.max(most, Math.abs(p)), 1e-12);
  const links = [], nodes = [];
  network.layers.forEach((layer, k) => units[k + 1].forEach((unit, a) => units[k].forEach((source, b) => {
    const parameter = layer.weights + unit * layer.inputs + source;
    links.push({ parameter, ...link(place(k, b), place(k + 1, a), r) });
  })));
  for (const { parameter, from, to, bend } of links) {
    const share = params[parameter] / largest;
    ctx.strokeStyle = share >= 0 ? POSITIVE : NEGATIVE;
    ctx.globalAlpha = parameter === chosen ? 1 : 0.35 + 0.5 * Math.abs(share);
    ctx.lineWidth = 0.4 + 7 * Math.abs(share) + (parameter === chosen ? 1.5 : 0);
    ctx.setLineDash(phase === null ? [] : [8, 3]);
    ctx.lineDashOffset = -(phase || 0);
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.bezierCurveTo(bend, from[1], bend, to[1], ...to);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  units.forEach((layer, k) => layer.forEach((unit, rank) => {
    const [x, y] = place(k, rank), biases = k ? network.layers[k - 1].biases : -1;
    const parameter = biases < 0 ? -1 : biases + unit;
    nodes.push({ parameter, x, y, r, name: ends[k] ? ends[k][rank] : null });
    node(ctx, x, y, r, tiles && tiles[k][unit], parameter < 0 ? null : params[parameter] / largest, parameter === chosen);
  }));
  captions(ctx, network, units, ends, place, r, width, height);
  return { links: links.map(({ parameter, from, to, bend }) => ({ parameter, points: along(from, to, bend) })), nodes };
}

const link = ([x0, y0], [x1, y1], r) => ({ from: [x0 + r, y0], to: [x1 - r, y1], bend: (x0 + x1) / 2 });

/** Points along a link's curve, to find which line is meant. */
function along(from, to, bend) {
  return [...Array(17).keys()].map((k) => {
    const t = k / 16, s = 1 - t, weights = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
    const mix = (...four) => four.reduce((sum, v, i) => sum + v * weights[i], 0);
    return [mix(from[0], bend, bend, to[0]), mix(from[1], from[1], to[1], to[1])];
  });
}

/** A node: its tile, and around it a border in the colour and size of its bias. */
function node(ctx, x, y, r, tile, bias, chosen) {
  ctx.fillStyle = theme("card");
  ctx.beginPath();
  ctx.roundRect(x - r, y - r, 2 * r, 2 * r, 5);
  ctx.fill();
  if (tile) {
    ctx.save();
    ctx.clip();
    spreadImage(ctx, tile, { left: x - r, top: y - r, right: x + r, bottom: y + r });
    ctx.restore();
  }
  ctx.lineWidth = bias === null ? 1 : 1.2 + 3 * Math.abs(bias);
  ctx.strokeStyle = bias === null ? theme("muted") : bias >= 0 ? POSITIVE : NEGATIVE;
  ctx.stroke();
  if (!chosen) return;
  ctx.lineWidth = 2;
  ctx.strokeStyle = theme("accent");
  ctx.strokeRect(x - r - 4, y - r - 4, 2 * r + 8, 2 * r + 8);
}

/** A name in one line, or in two where it is long and has a space, parted nearest its middle. */
function linesOf(name) {
  const gaps = name.length > 14 ? [...name.matchAll(/ /g)].map(({ index }) => index) : [];
  if (!gaps.length) return [name];
  const off = (at) => Math.abs(at - name.length / 2), at = gaps.reduce((a, b) => (off(b) < off(a) ? b : a));
  return [name.slice(0, at), name.slice(at + 1)];
}

/** From the edge to the middle of a layer with these names beside it: a third of the width at most. */
function roomBeside(ctx, names, width, r) {
  const widest = Math.max(...names.flatMap(linesOf).map((line) => ctx.measureText(line).width));
  return Math.min(widest + 12, width / 3) + r;
}

/** Names beside inputs and outputs, and under each layer how much of it is drawn. */
function captions(ctx, network, units, ends, place, r, width, height) {
  ctx.fillStyle = theme("muted");
  ctx.textBaseline = "middle";
  const write = (name, x, y, most) => linesOf(name).forEach((line, k, { length }) => {
    let words = line;
    while (ctx.measureText(words).width > most && words.length > 2) words = `${words.slice(0, -2)}…`;
    ctx.fillText(words, x, y + 12 * (k - (length - 1) / 2));
  });
  const end = units.length - 1;
  for (const [k, side] of [[0, -1], [end, 1]]) {
    ctx.textAlign = side < 0 ? "right" : "left";
    ends[k].forEach((name, rank) => {
      const [x, y] = place(k, rank);
      write(name, x + side * (r + 6), y, (side < 0 ? x : width - x) - r - 8);
    });
  }
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  units.forEach((layer, k) => {
    const kind = k === 0 ? "inputs" : k === end ? "outputs" : "hidden";
    const part = layer.length < network.sizes[k] ? `${layer.length} of ${network.sizes[k]}` : layer.length;
    ctx.fillText(`${part} ${kind}`, place(k, 0)[0], height - 1);
  });
}

/** The parameter whose node or line is nearest to a place, within reach, or null. */
function pointedAt({ links, nodes }, px, py) {
  const node = nodes.find(({ x, y, r }) => Math.abs(px - x) <= r && Math.abs(py - y) <= r);
  if (node) return node.parameter < 0 ? null : node.parameter;
  let best = null, least = 9;
  for (const { parameter, points } of links) {
    for (let k = 0; k < points.length - 1; k++) {
      const gap = toSegment([px, py], points[k], points[k + 1]);
      if (gap < least) [best, least] = [parameter, gap];
    }
  }
  return best;
}

/** The name of the input or output whose node is at a place, or null. */
function nameAt({ nodes }, px, py) {
  const node = nodes.find(({ x, y, r }) => Math.abs(px - x) <= r && Math.abs(py - y) <= r);
  return node ? node.name : null;
}

function toSegment([px, py], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}
