"use strict";
// The page begins: controls filled and brought in line with the address.

function restyle() {
  if (view.theme) document.documentElement.dataset.theme = view.theme;
  else delete document.documentElement.dataset.theme;
  showLegend(byId("legend"), colouring(model, view.colour));
  showAll();
}

/** Bring every control in line with the view, as after a change of the address. */
function adopt() {
  for (const key of ["x", "y", "colour"]) byId(key).value = view[key];
  showFilters(byId("filters"), model, view, showPictureAndAddress);
  if (cases) {
    const features = view.features || tellingFeatures(cases, network);
    domain = domainOf(cases, network, features);
    [byId("feature-x").value, byId("feature-y").value] = features;
  }
  if (view.start === null) {
    view.start = extreme(1); // something to look at
    view.stepSize = view.stepSize === raw.training.step_size ? stepSizeOf(model, view.start) : view.stepSize;
  }
  restart({ asTold: true });
  restyle();
  if (view.start !== null && canTrain && raw.training.replays) play();
  else if (view.start !== null) toStored();
}

function showPictureAndAddress() {
  showPicture();
  remember();
}

function begins() {
  showWords(raw);
  const said = (key) => (key === "cells" ? `${raw.picture.across} and ${raw.picture.within}` : (named(model.values, key) || { meaning: key }).meaning);
  const keys = axisKeys(model);
  fill(byId("x"), keys.map((key) => [key, said(key)]));
  fill(byId("y"), keys.filter((key) => key !== "cells").map((key) => [key, said(key)]));
  fill(byId("colour"), [...model.facets.map(({ name }) => [name, name.replace("_", " ")]), ...model.values.map(({ name, meaning }) => [name, meaning])]);
  fill(byId("parameter"), model.names.slice(0, 5000).map((name, k) => [k, name]));
  const inputs = [...Array(network.sizes[0]).keys()].map((j) => [j, featureName(j)]);
  for (const [id, k] of [["feature-x", 0], ["feature-y", 1]]) {
    fill(byId(id), inputs);
    byId(id).onchange = (event) => {
      view.features = [...domain.features];
      view.features[k] = Number(event.target.value);
      domain = domainOf(cases, network, view.features);
      showNetwork();
      remember();
    };
  }
  byId("features").hidden = !cases || network.sizes[0] < 2;
  byId("surface-said").textContent = !cases ? "It needs the training cases, which are not on this page."
    : `${network.sizes[0] > 2 ? "The other inputs at their mean; dots" : "Dots"} are the training cases. `
    + (network.sizes.at(-1) > 1 ? "The colour is the largest output, fainter where another is near." : "The colour is the output (cividis: bright is large).");
  for (const key of ["x", "y", "colour"]) {
    byId(key).onchange = (event) => {
      view[key] = event.target.value;
      restyle();
    };
  }
  listenToPicture();
  listenToDrawing();
  listenToButtons();
  adopt();
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === toAddress(view, model)) return;
    view = fromAddress(location.hash.slice(1), model);
    adopt();
  });
  let resized = 0;
  const pictures = new ResizeObserver(() => { // the window's size, and words beside that grow
    cancelAnimationFrame(resized);
    resized = requestAnimationFrame(restyle);
  });
  for (const canvas of document.querySelectorAll(".stage > canvas")) pictures.observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
}

begins();
