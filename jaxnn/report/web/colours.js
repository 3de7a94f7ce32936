"use strict";
// Colours that readers with any colour vision tell apart: Okabe & Ito's for categories, viridis for
// values, cividis for what a node or the network gives; all follow the page's theme.

const OKABE_ITO = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", null, "#999999"];
const POSITIVE = OKABE_ITO[0], NEGATIVE = OKABE_ITO[1];

const ladder = (text) => text.split(" ").map((hex) => [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16)));
const MAPS = {
  viridis: ladder("440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"),
  cividis: ladder("00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838"),
};

/** [red, green, blue] of a share in [0, 1] on a map. */
function onMap(map, share) {
  const steps = MAPS[map], at = Math.min(Math.max(share, 0), 1) * (steps.length - 1);
  const low = Math.min(Math.floor(at), steps.length - 2), part = at - low;
  return steps[low].map((channel, k) => Math.round(channel + part * (steps[low + 1][k] - channel)));
}

/** A colour of the theme, by its CSS variable. */
function theme(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The colour of category k; the seventh is the text's own, black or white. */
function category(k) {
  return OKABE_ITO[k % OKABE_ITO.length] || theme("text");
}

const SHAPES = ["circle", "square", "diamond", "triangle", "wedge", "cross"];

/** Draw mark k of this radius: categories differ by shape as well as by colour. */
function mark(ctx, k, x, y, r) {
  const corner = (...points) => {
    ctx.beginPath();
    points.forEach(([a, b], i) => (i ? ctx.lineTo(x + a * r, y + b * r) : ctx.moveTo(x + a * r, y + b * r)));
    ctx.fill();
  };
  const shape = SHAPES[k % SHAPES.length];
  if (shape === "circle") {
    ctx.beginPath();
    ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.fill();
  } else if (shape === "square") ctx.fillRect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else if (shape === "diamond") corner([0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]);
  else if (shape === "triangle") corner([0, -1.2], [1.2, 0.9], [-1.2, 0.9]);
  else if (shape === "wedge") corner([0, 1.2], [1.2, -0.9], [-1.2, -0.9]);
  else {
    ctx.fillRect(x - 1.3 * r, y - 0.45 * r, 2.6 * r, 0.9 * r);
    ctx.fillRect(x - 0.45 * r, y - 1.3 * r, 0.9 * r, 2.6 * r);
  }
}
