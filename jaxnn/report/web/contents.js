"use strict";
// From the page's JSON to what the views read: typed arrays, and a start, an end, a curve by number.

/** A typed array from {dtype, shape, data}, its little-endian bytes in base64. */
function unpack({ dtype, data }) {
  const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint16: Uint16Array };
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return new kinds[dtype](bytes.buffer);
}

/** Everything on the page: the raw contents, its arrays unpacked, and what is asked of a start. */
function modelOf(raw) {
  const network = networkOf(raw.network), names = parameterNames(network);
  const facets = raw.facets.map((facet) => ({ ...facet, codes: unpack(facet.codes) }));
  const values = raw.values.map((value) => ({ ...value, data: unpack(value.data) }));
  const [starts, ends] = [raw.starts, raw.ends].map((rows) => rows && unpack(rows));
  const curves = raw.curves && { ...raw.curves, losses: unpack(raw.curves.losses) };
  const plane = raw.plane && Object.fromEntries(Object.entries(raw.plane).map(([k, v]) => [k, unpack(v)]));
  const row = (rows, i) => rows && Float64Array.from(rows.subarray(i * network.count, (i + 1) * network.count));
  const ofCases = (rows) => Float64Array.from(unpack(rows));
  return {
    raw, network, names, facets, values, curves, plane,
    count: facets[0].codes.length,
    steps: unpack(raw.steps),
    stepSizes: raw.step_sizes ? unpack(raw.step_sizes) : null,
    cases: raw.cases && { count: raw.data.cases, inputs: ofCases(raw.cases.inputs), targets: ofCases(raw.cases.targets) },
    startOf: (i) => (plane ? onPlane(plane, i) : row(starts, i)),
    endOf: (i) => row(ends, i),
    curveOf: (i) => curves && curves.losses.subarray(i * curves.at.length, (i + 1) * curves.at.length),
    hasStarts: Boolean(starts || plane),
  };
}

/** The start of pixel i of a map: origin + x first + y second, to the bit the one trained. */
function onPlane({ origin, first, second, xs, ys }, i) {
  const x = xs[i % xs.length], y = ys[Math.floor(i / xs.length)];
  return origin.map((p, k) => p + x * first[k] + y * second[k]);
}

/** A facet or a value by its name. */
const named = (list, name) => list.find((entry) => entry.name === name);

/** What is known of a start besides its name: [term, text] pairs. */
function factsOf(model, i) {
  const facets = model.facets.filter(({ name }) => !model.raw.cells.includes(name));
  const numbers = model.values.filter(({ place }) => !place);
  return [...facets.map(({ name, labels, codes }) => [name, labels[codes[i]]]),
    ...numbers.map(({ meaning, data }) => [meaning, spoken(data[i])])];
}

/** What a start is called: its scheme and scale and number, or its place on the map. */
function nameOf(model, i) {
  const { cells, members } = model.raw;
  const places = model.values.filter(({ place }) => place);
  if (places.length) return places.map(({ meaning, data }) => `${meaning} ${spoken(data[i])}`).join(", ");
  const cell = cells.map((name) => {
    const facet = named(model.facets, name), label = facet.labels[facet.codes[i]];
    return name === "scheme" ? label : `${name.replace("_", " ")} ${label}`;
  });
  return `${cell.join(", ")}, network ${i % members}`;
}

/** A number in at most four digits. */
function spoken(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
