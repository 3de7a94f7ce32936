"use strict";
// What mouse, fingers and keys do: choosing starts, changing initial weights, pressing buttons.

function edit(parameter, value) {
  if (!run || !Number.isFinite(value)) return;
  view.edits[parameter] = value;
  restart();
}

function pick(parameter) {
  chosen = parameter;
  showTransport();
  showNetwork();
}

function placeIn(event) {
  const box = event.currentTarget.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Show a box of text beside a place on a stage; no box where there is no text. */
function tip(id, text, [x, y], stage) {
  if (!text) return hideTip(id);
  const place = byId(id);
  place.hidden = false;
  place.textContent = text;
  const right = x > stage.clientWidth / 2, low = y > stage.clientHeight / 2;
  place.style.left = right ? "auto" : `${x + 14}px`;
  place.style.right = right ? `${stage.clientWidth - x + 14}px` : "auto";
  place.style.top = low ? "auto" : `${y + 10}px`;
  place.style.bottom = low ? `${stage.clientHeight - y + 10}px` : "auto";
}

function hideTip(id) {
  byId(id).hidden = true;
}

function listenToPicture() {
  const canvas = byId("scatter");
  let dragging = false;
  const onRing = ([x, y]) => {
    const { xAxis, yAxis } = drawn, start = startNow();
    if (!start || !(xAxis.parameter >= 0 && yAxis.parameter >= 0)) return false;
    return Math.hypot(drawn.x.at(start[xAxis.parameter]) - x, drawn.y.at(start[yAxis.parameter]) - y) < 12;
  };
  canvas.addEventListener("pointermove", (event) => {
    const at = placeIn(event);
    if (dragging) {
      view.edits[drawn.xAxis.parameter] = drawn.x.back(at[0]);
      return edit(drawn.yAxis.parameter, drawn.y.back(at[1]));
    }
    const before = hovered;
    hovered = nearest(drawn, ...at);
    if (hovered !== before) showPicture();
    tip("tip", hovered === null ? "" : sayStart(model, hovered), at, canvas);
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    hideTip("tip");
    showPicture();
  });
  canvas.addEventListener("pointerdown", (event) => {
    dragging = onRing(placeIn(event)) && Boolean(run);
    if (!dragging) return;
    hideTip("tip");
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointercancel", () => (dragging = false)); // a finger that scrolls
  canvas.addEventListener("pointerup", (event) => {
    if (dragging) dragging = false;
    else choose(nearest(drawn, ...placeIn(event)));
  });
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key in ways) {
      event.preventDefault();
      choose(view.start === null ? drawn.shown.indexOf(1) : onwards(drawn, view.start, ...ways[event.key]), { train: false });
    } else if (event.key === "Enter" && view.start !== null) choose(view.start);
  });
}

function listenToDrawing() {
  const canvas = byId("drawing");
  let held = null;
  canvas.addEventListener("pointermove", (event) => {
    const at = placeIn(event);
    if (held) return void edit(held.parameter, held.value + (held.y - at[1]) * held.pace);
    const parameter = parts && pointedAt(parts, ...at), start = startNow();
    const known = parameter !== null && run, name = parts && nameAt(parts, ...at);
    canvas.style.cursor = known ? "ns-resize" : "default";
    const values = known ? [model.names[parameter], `now ${spoken(run.params[parameter])}`, `at the start ${spoken(start[parameter])}`] : [];
    tip("drawing-tip", [name, ...values].filter(Boolean).join("\n"), at, canvas);
  });
  canvas.addEventListener("pointerleave", () => hideTip("drawing-tip"));
  canvas.addEventListener("pointerdown", (event) => {
    const at = placeIn(event), parameter = parts && pointedAt(parts, ...at), start = startNow();
    if (parameter === null || !run || !start) return;
    hideTip("drawing-tip");
    pick(parameter);
    const most = start.reduce((a, p) => Math.max(a, Math.abs(p)), 0.1);
    held = { parameter, value: start[parameter], y: at[1], pace: Math.max(most, 1) / 80 };
    canvas.setPointerCapture(event.pointerId);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (held = null));
}

function listenToButtons() {
  byId("best").onclick = () => choose(extreme(1));
  byId("worst").onclick = () => choose(extreme(-1));
  byId("any").onclick = () => {
    const kept = [...drawn.shown.keys()].filter((i) => drawn.shown[i]);
    choose(kept[Math.floor(Math.random() * kept.length)]);
  };
  byId("play").onclick = () => (playing ? (stop(), settle()) : play());
  byId("single").onclick = () => {
    stop();
    if (run.isStored) restart();
    advance(run, 1, stepSizeAt(run.step));
    settle();
  };
  byId("reset").onclick = () => restart();
  byId("stored").onclick = toStored;
  byId("step-size").onchange = (event) => {
    const size = Number(event.target.value);
    if (size > 0 && Number.isFinite(size)) changeStepSize(size);
    showAll();
  };
  byId("parameter").onchange = (event) => pick(Number(event.target.value));
  byId("slide").oninput = byId("value").onchange = (event) => event.target.value !== "" && edit(chosen, Number(event.target.value));
  byId("as-drawn").onclick = () => {
    view.edits = {};
    restart();
  };
  byId("theme").onclick = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches, now = view.theme || (dark ? "dark" : "light");
    view.theme = now === "dark" ? "light" : "dark";
    restyle();
  };
  byId("copy").onclick = copyCommand;
  byId("skip").onclick = (event) => {
    event.preventDefault(); // the address after # is the view's
    byId("scatter").focus();
  };
}

function copyCommand() {
  const done = () => {
    byId("copy").textContent = "copied";
    setTimeout(() => (byId("copy").textContent = "copy"), 1500);
  };
  const byHand = () => {
    getSelection().selectAllChildren(byId("command"));
    if (document.execCommand("copy")) done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(raw.made.command).then(done, byHand);
  else byHand();
}
