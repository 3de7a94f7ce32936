"use strict";
// Every part of the page as the state is now.

let painted = ""; // what the picture of all starts was painted for

/** The starts, painted again only where something about all of them changed, and the rings. */
function showPicture() {
  const { clientWidth, clientHeight } = byId("scatter");
  const hidden = Object.values(view.hidden).map((codes) => [...codes]);
  const wanted = JSON.stringify([view.x, view.y, view.colour, hidden, clientWidth, clientHeight, theme("page")]);
  if (wanted !== painted) {
    painted = wanted;
    drawn = scatter(byId("scatter"), model, view);
    const count = drawn.shown.reduce((sum, on) => sum + on, 0);
    byId("count").textContent = `${count} of ${model.count} starts are shown`;
    byId("scatter").setAttribute("aria-label", `${model.count} starts: ${drawn.yAxis.label} against ${drawn.xAxis.label}`);
  }
  const edited = Object.keys(view.edits).length ? startNow() : null;
  rings(byId("rings"), drawn, { selected: view.start, hovered, edited, path: run && run.path });
}

/** Make room for a picture, or none where there is nothing to draw. */
function roomIn(id, there) {
  byId(id).parentElement.hidden = !there;
  return there;
}

function showRun() {
  showNetwork();
  if (roomIn("curve", run || (view.start !== null && model.curves))) drawCurve(byId("curve"), model, view.start, run);
  if (!run) return;
  if (!run.isStored && !isStudys()) describe(byId("facts"), factsHere(run));
  const size = norm(run.gradient), now = run.isStored ? "the study's end" : `step ${run.step}${playing ? ` of ${goal}` : ""}`;
  const right = raw.classes.length ? `, ${(100 * accuracy(network, run.params, cases, run.room)).toFixed(0)} % right` : "";
  byId("progress").replaceChildren(element("b", now), ` · loss ${spoken(run.loss)}${right} · |gradient| ${spoken(size)}`,
    run.diverged ? " · diverged: the loss is no longer finite" : "");
}

/** The drawing and the answer: what the weights are now. */
function showNetwork() {
  const params = run ? run.params : view.start === null ? null : model.endOf(view.start) || startNow();
  for (const id of ["drawing-help", "by-hand"]) byId(id).hidden = !run;
  roomIn("surface", params && domain);
  if (!roomIn("drawing", params)) return;
  units ||= drawnUnits(network, params);
  let tiles = null;
  if (domain) {
    const side = network.count > 1000 ? 16 : network.count > 200 ? 28 : 44, surfaces = surfacesOf(network, params, domain, side);
    tiles = tilesOf(network, surfaces, units, side, raw.network.activation);
    const [low, high] = cases.targets.reduce(([a, b], d) => [Math.min(a, d), Math.max(b, d)], [Infinity, -Infinity]);
    drawSurface(byId("surface"), surfaces.at(-1), side, domain, cases, {
      features: domain.features.map(featureName), classes: names.outputs, inputs: network.sizes[0], low, high });
  }
  parts = drawNetwork(byId("drawing"), network, params, units, { tiles, names, chosen, phase: playing ? phase : null });
}

function showPlane() {
  const place = byId("plane"), said = byId("plane-said");
  roomIn("plane", canTrain); // kept while it is empty, so that nothing jumps
  if (!found.plane) {
    const why = run && run.isStored ? "Train it here from its start to see a path." : "The path appears as training goes on.";
    if (canTrain) drawWords(place, why);
    said.textContent = canTrain ? "" : "It needs the training cases, which are not on this page.";
    return;
  }
  drawPlane(place, found.plane);
  if (!found.plane.side) return void (said.textContent = "The path so far; the loss under it is drawn when training stands still.");
  const { explained, off } = found.plane.plane, share = (k) => (100 * explained[k]).toFixed(1);
  said.textContent = `From the circle to the diamond. The plane holds ${share(0)} % + ${share(1)} % of the path; `
    + `the path is at most ${spoken(Math.max(...off))} off it. Bright is a large loss (viridis${found.plane.values.every((v) => v > 0) ? ", logarithmic" : ""}).`;
}

function showSpectrum() {
  const place = byId("spectrum"), said = byId("spectrum-said"), values = found.spectrum;
  const possible = roomIn("spectrum", canTrain && network.count <= MOST_SPECTRUM);
  if (values) {
    drawSpectrum(place, values);
    const down = values.filter((v) => v < -1e-6 * values.at(-1)).length, top = values.at(-1);
    said.textContent = `All ${values.length} eigenvalues of the Hessian at this point: the largest ${spoken(top)} `
      + `(2 / step size is ${spoken(2 / stepSizeAt(run.step))}), ${down} below zero. Differences of the hand-derived gradient.`;
    return;
  }
  if (possible) drawWords(place, "Computed when training stands still.");
  said.textContent = !canTrain ? "It needs the training cases, which are not on this page."
    : possible ? "" : `Computed here for up to ${MOST_SPECTRUM} parameters, and these are ${network.count}: jaxnn spectrum gives it.`;
}

function showFacts() {
  const i = view.start, edits = Object.keys(view.edits).length;
  byId("name").textContent = i === null ? "No start is chosen" : nameOf(model, i) + (edits ? `, ${edits} initial weight${edits > 1 ? "s" : ""} changed` : "");
  const own = run && !run.isStored && !isStudys();
  describe(byId("facts"), i === null ? [] : own ? factsHere(run) : [["trained", "by the study"], ...factsOf(model, i)]);
  byId("note").textContent = noteNow();
}

/** What is known of a run of one's own: [term, text] pairs. */
function factsHere(run) {
  const moved = norm(run.params.map((p, k) => p - run.path[0][k]));
  return [["trained", "here, not by the study"], ["loss at the start", spoken(run.losses[0])], ["loss now", spoken(run.loss)],
    ["updates made", String(run.step)], ["step size", spoken(stepSizeAt(run.step))],
    ["distance from the start", spoken(moved)], ["gradient norm", spoken(norm(run.gradient))]];
}

/** How what is trained here compares with the study's. */
function noteNow() {
  if (view.start === null) return "Choose a start in the picture.";
  if (!canTrain) return raw.left_out.join("; ");
  if (!raw.training.replays) return `The study trained by ${raw.training.words}; here it is plain descent on all cases, which leads elsewhere.`;
  if (!isStudys()) return "Not the study's start or step size any more: this run is yours.";
  const end = model.endOf(view.start);
  if (run && !run.isStored && run.step > model.steps[view.start]) return `Trained on, beyond the study's ${model.steps[view.start]} steps.`;
  if (!run || run.isStored || run.step < model.steps[view.start] || !end) return "By the study's own steps, in float64.";
  const gap = end.reduce((most, p, k) => Math.max(most, Math.abs(p - run.params[k])), 0);
  return `Trained again by the study's own steps, in float64, it ends ${gap.toExponential(1)} from the stored weights.`;
}

function showTransport() {
  byId("play").textContent = playing ? "■ stop" : "▶ train";
  for (const id of ["play", "single", "reset", "step-size", "speed"]) byId(id).disabled = !run;
  byId("stored").disabled = view.start === null || !model.endOf(view.start);
  for (const id of ["parameter", "slide", "value", "as-drawn"]) byId(id).disabled = !run;
  byId("step-size").value = stepSizeAt(run && !run.isStored ? run.step : 0);
  const start = startNow();
  if (!start) return;
  byId("parameter").value = String(chosen);
  const most = Math.ceil(start.reduce((a, p) => Math.max(a, 2 * Math.abs(p)), 5));
  [byId("slide").min, byId("slide").max] = [-most, most];
  byId("slide").value = start[chosen];
  byId("value").value = Number(start[chosen].toPrecision(6));
  byId("as-drawn").disabled = !Object.keys(view.edits).length;
}

function showAll() {
  showPicture();
  showRun();
  showPlane();
  showSpectrum();
  showFacts();
  showTransport();
  if (!run && view.start === null) byId("progress").textContent = "";
  remember();
}
