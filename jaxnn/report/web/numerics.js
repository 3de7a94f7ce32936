"use strict";
// What is computed around a network: its Hessian and eigenvalues, the principal plane of a path, the
// loss over a plane. Pure functions of functions and Float64Arrays.

/**
 * Eigenvalues of a symmetric matrix (rows of Float64Array, overwritten), ascending, with their
 * eigenvectors as rows: cyclic Jacobi rotations (Golub & Van Loan, section 8.5).
 */
function eigen(matrix) {
  const n = matrix.length;
  const vectors = matrix.map((_, i) => Float64Array.from({ length: n }, (_, j) => +(i === j)));
  const rotate = (row, p, q, c, s) => {
    const [a, b] = [row[p], row[q]];
    row[p] = c * a - s * b;
    row[q] = s * a + c * b;
  };
  const off = () => matrix.reduce((sum, row, i) => row.reduce((t, a, j) => (i === j ? t : t + a * a), sum), 0);
  const whole = off() + matrix.reduce((sum, row, i) => sum + row[i] ** 2, 0);
  for (let sweep = 0; sweep < 30 && off() > 1e-28 * whole; sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const a = matrix[p][q];
        if (a === 0) continue;
        const theta = (matrix[q][q] - matrix[p][p]) / (2 * a);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1), s = t * c;
        for (const row of matrix) rotate(row, p, q, c, s);
        for (let k = 0; k < n; k++) {
          const [x, y] = [matrix[p][k], matrix[q][k]];
          matrix[p][k] = c * x - s * y;
          matrix[q][k] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [vectors[p][k], vectors[q][k]];
          vectors[p][k] = c * x - s * y;
          vectors[q][k] = s * x + c * y;
        }
      }
    }
  }
  const order = [...Array(n).keys()].sort((a, b) => matrix[a][a] - matrix[b][b]);
  return { values: order.map((i) => matrix[i][i]), vectors: order.map((i) => vectors[i]) };
}

/** The Hessian at a point, as rows, by central differences of gradientAt(point) -> Float64Array. */
function hessian(gradientAt, point) {
  const rows = Array.from(point, (p, i) => {
    const h = 6e-6 * Math.max(1, Math.abs(p)); // the cube root of eps balances cutting and rounding
    const moved = Float64Array.from(point);
    moved[i] = p + h;
    const above = Float64Array.from(gradientAt(moved)), top = moved[i];
    moved[i] = p - h;
    const width = top - moved[i];
    return gradientAt(moved).map((g, j) => (above[j] - g) / width);
  });
  return rows.map((row, i) => row.map((h, j) => 0.5 * (h + rows[j][i])));
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/**
 * The plane through the last of some points along the two leading principal directions of
 * point - last (Li et al. 2018, section 7.2), or null where they span none.
 * Gives origin, directions, coordinates of each point, off: its distance from the plane, and the
 * shares of the squares that each direction explains.
 */
function principalPlane(points) {
  const origin = points[points.length - 1];
  const ways = points.map((p) => p.map((x, i) => x - origin[i]));
  const { values, vectors } = eigen(ways.map((a) => Float64Array.from(ways, (b) => dot(a, b))));
  const total = values.reduce((sum, v) => sum + Math.max(v, 0), 0);
  if (!(total > 0) || !Number.isFinite(total) || origin.length < 2) return null;
  const directions = [1, 2].map((k) => {
    const made = new Float64Array(origin.length);
    ways.forEach((way, r) => way.forEach((x, i) => (made[i] += vectors[values.length - k][r] * x)));
    return made;
  });
  const [first, second] = orthonormal(directions);
  const explained = [1, 2].map((k) => Math.max(values[values.length - k], 0) / total);
  const plane = { origin, directions: [first, second], explained };
  return { ...plane, ...onPrincipalPlane(plane, points) };
}

/** The coordinates of points on a plane, and how far each is off it. */
function onPrincipalPlane({ origin, directions: [first, second] }, points) {
  const ways = points.map((p) => p.map((x, i) => x - origin[i]));
  const coordinates = ways.map((way) => [dot(way, first), dot(way, second)]);
  const off = ways.map((way, r) => {
    const [x, y] = coordinates[r];
    return Math.sqrt(way.reduce((sum, w, i) => sum + (w - x * first[i] - y * second[i]) ** 2, 0));
  });
  return { coordinates, off };
}

/** Two directions made orthonormal; a second one that is nothing beside the first is replaced by
 * the coordinate axis least along it. */
function orthonormal([first, second]) {
  const unit = (a) => a.map((x) => x / Math.sqrt(dot(a, a)));
  const across = (a, b) => a.map((x, i) => x - dot(a, b) * b[i]);
  const one = unit(first), size = Math.sqrt(dot(second, second));
  let rest = across(second, one);
  if (!(Math.sqrt(dot(rest, rest)) > 1e-6 * Math.max(size, 1e-9 * Math.sqrt(dot(first, first))))) {
    const least = one.reduce((best, x, i) => (Math.abs(x) < Math.abs(one[best]) ? i : best), 0);
    rest = across(Float64Array.from(one, (_, i) => +(i === least)), one);
  }
  return [one, unit(across(unit(rest), one))];
}

/** The values of f(origin + x first + y second), row by row of ys. */
function overPlane(f, { origin, directions: [first, second] }, xs, ys) {
  const point = new Float64Array(origin.length), made = new Float64Array(xs.length * ys.length);
  ys.forEach((y, r) => xs.forEach((x, c) => {
    for (let i = 0; i < point.length; i++) point[i] = origin[i] + x * first[i] + y * second[i];
    made[r * xs.length + c] = f(point);
  }));
  return made;
}

/** `count` numbers from low to high. */
function linspace(low, high, count) {
  return Float64Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));
}

if (typeof module === "object") {
  module.exports = { eigen, hessian, linspace, overPlane, principalPlane };
}
