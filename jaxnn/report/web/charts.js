"use strict";
// Axes, curves and heat maps on a canvas.

/** The canvas at the screen's own resolution: its context, and its size in CSS pixels. */
function sheet(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = "11px system-ui, sans-serif";
  return { ctx, width, height };
}

/** A scale from numbers to pixels, linear or logarithmic, over the finite ones of them. */
function scaleOf(numbers, { log = false, from, to, pad = 0.04 }) {
  const kept = Array.from(numbers).filter((v) => Number.isFinite(v) && (!log || v > 0));
  const turn = log ? Math.log10 : (v) => v;
  let low = Infinity, high = -Infinity;
  for (const v of kept) [low, high] = [Math.min(low, turn(v)), Math.max(high, turn(v))];
  if (low > high) [low, high] = [0, 1];
  if (high - low < 1e-12 * Math.max(1, Math.abs(high))) [low, high] = [low - 0.5, high + 0.5];
  const margin = pad * (high - low);
  [low, high] = [low - margin, high + margin];
  const at = (v) => from + ((turn(Math.max(v, log ? 10 ** low : -Infinity)) - low) / (high - low)) * (to - from);
  const back = (pixel) => {
    const value = low + ((pixel - from) / (to - from)) * (high - low);
    return log ? 10 ** value : value;
  };
  return { at, back, ticks: log ? powers(low, high) : rounds(low, high), log };
}

/** Round numbers between two. */
function rounds(low, high, about = 5) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
  const made = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) made.push(k * step);
  return made;
}

/** Powers of ten whose logarithm lies between two; 2 and 5 times them where there are few. */
function powers(low, high) {
  const span = high - low, made = [], every = Math.max(1, Math.ceil(span / 6));
  for (let k = Math.floor(low); k <= Math.ceil(high); k += every) {
    for (const m of span < 2 ? [1, 2, 5] : [1]) {
      const value = m * 10 ** k, log = Math.log10(value);
      if (log >= low && log <= high) made.push(value);
    }
  }
  return made;
}

/** A tick's text. */
function tick(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(0).replace("e+", "e") : String(Number(value.toPrecision(3)));
}

/** Draw the axes' lines, ticks and names around a box {left, top, right, bottom}. */
function axes(ctx, box, x, y, xName, yName, { grid = true } = {}) {
  ctx.strokeStyle = theme("line");
  ctx.fillStyle = theme("muted");
  ctx.lineWidth = 1;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  if (x) {
    for (const value of x.ticks) {
      const at = x.at(value);
      stroke(ctx, [[at, box.bottom], [at, box.bottom + 4]]);
      ctx.fillText(tick(value), at, box.bottom + 6);
    }
  }
  if (xName) ctx.fillText(xName, (box.left + box.right) / 2, box.bottom + 20);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const value of y ? y.ticks : []) {
    const at = y.at(value);
    ctx.globalAlpha = grid ? 0.5 : 1;
    stroke(ctx, [[box.left, at], [grid ? box.right : box.left - 4, at]]);
    ctx.globalAlpha = 1;
    ctx.fillText(tick(value), box.left - 6, at);
  }
  if (yName) {
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillText(yName, 2, box.top - 5);
  }
}

/** Nothing but words in the middle of a sheet. */
function drawWords(canvas, words) {
  const { ctx, width, height } = sheet(canvas);
  ctx.fillStyle = theme("muted");
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(words, width / 2, height / 2);
}

/** A line through points in pixels. */
function stroke(ctx, points) {
  ctx.beginPath();
  points.forEach(([x, y], k) => (k ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.stroke();
}

/** The room for axes around what a sheet shows. */
const boxOf = (width, height) => ({ left: 46, top: 20, right: width - 16, bottom: height - 36 });

/**
 * Curves on common axes. lines: [{xs, ys, colour, width, dash, name}]. marked: {x, y} or null, a dot.
 */
function curves(canvas, lines, { log = false, xName, yName, marked = null, level = null }) {
  const { ctx, width, height } = sheet(canvas), box = boxOf(width, height);
  const every = (key) => lines.flatMap((line) => Array.from(line[key]));
  const x = scaleOf(every("xs"), { from: box.left, to: box.right, pad: 0 });
  const y = scaleOf([...every("ys"), ...(level > 0 ? [level] : [])], { log, from: box.bottom, to: box.top });
  axes(ctx, box, x, y, xName, yName);
  if (level > 0) {
    ctx.strokeStyle = theme("muted");
    ctx.setLineDash([2, 3]);
    stroke(ctx, [[box.left, y.at(level)], [box.right, y.at(level)]]);
    ctx.setLineDash([]);
  }
  for (const line of lines) {
    ctx.strokeStyle = line.colour;
    ctx.lineWidth = line.width;
    ctx.setLineDash(line.dash || []);
    stroke(ctx, Array.from(line.xs, (v, k) => [x.at(v), y.at(line.ys[k])]).filter(([, at]) => Number.isFinite(at)));
  }
  ctx.setLineDash([]);
  const said = lines.filter((line) => line.name);
  ctx.textAlign = "right";
  ctx.textBaseline = "top";
  said.forEach((line, k) => {
    ctx.fillStyle = line.colour;
    ctx.fillText(line.name, box.right, box.top + 2 + 14 * k);
  });
  if (marked && Number.isFinite(marked.y)) {
    ctx.fillStyle = theme("accent");
    mark(ctx, 0, x.at(marked.x), y.at(marked.y), 4);
  }
}

/** Values, row by row upwards, as an image of columns x rows pixels by a colour map. */
function imageOf(values, columns, { map = "viridis", log = false, low, high, paint }) {
  const rows = values.length / columns, image = document.createElement("canvas");
  [image.width, image.height] = [columns, rows];
  const turn = (v) => (log ? Math.log10(Math.max(v, 1e-300)) : v);
  const ends = [low, high].map((v) => v !== undefined && turn(v));
  if (low === undefined) {
    const kept = Array.from(values, turn).filter(Number.isFinite);
    ends[0] = kept.reduce((a, b) => Math.min(a, b), Infinity);
    ends[1] = kept.reduce((a, b) => Math.max(a, b), -Infinity);
  }
  const pixels = new ImageData(columns, rows), flat = ends[0] === ends[1], span = ends[1] - ends[0];
  values.forEach((v, k) => {
    const colour = paint ? paint(k) : onMap(map, !Number.isFinite(v) ? 1 : flat ? 0.5 : (turn(v) - ends[0]) / span);
    const at = 4 * ((rows - 1 - Math.floor(k / columns)) * columns + (k % columns));
    pixels.data.set([colour[0], colour[1], colour[2], 255], at);
  });
  image.getContext("2d").putImageData(pixels, 0, 0);
  return image;
}

/** Stretch an image over a box, smoothly. */
function spreadImage(ctx, image, box) {
  ctx.imageSmoothingEnabled = true;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, box.left, box.top, box.right - box.left, box.bottom - box.top);
}

/** Lines of equal value over a grid, by marching squares: calls line([x0, y0], [x1, y1]) in columns
 * and rows. */
function contours(values, columns, level, line) {
  const rows = values.length / columns;
  for (let r = 0; r < rows - 1; r++) {
    for (let c = 0; c < columns - 1; c++) {
      const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
      const heights = corners.map(([x, y]) => values[y * columns + x] - level);
      const crossed = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [heights[k], heights[(k + 1) % 4]];
        if (a < 0 === b < 0) continue;
        const [p, q] = [corners[k], corners[(k + 1) % 4]], t = a / (a - b);
        crossed.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
      }
      for (let k = 0; k + 1 < crossed.length; k += 2) line(crossed[k], crossed[k + 1]);
    }
  }
}
