"""The gallery's pictures: each kind of plot from a run made here, small enough for two cores.

Run by gallery.py, which writes them. A function's first line is its picture's caption.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import activations, data, ensembles, intervals, losses, plots, training
from jaxnn.landscape import (  # fmt: skip
    basins,
    directions,
    minima,
    paths,
    propagation,
    saddles,
    sensitivity,
    slices,
    spectra,
    symmetries,
    trajectories,
)

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
SIZES, SCHEMES, SCALES = (4, 8, 3), ("normal", "glorot_normal", "nielsen"), (0.3, 1, 3, 5, 10)
MEMBERS, STEPS, SIDE, STARTS = (20, 200, 24, 100) if SMALL else (100, 1000, 120, 400)
GALLERY: dict[str, Callable[[], Any]] = {}
"""Name of the file -> what draws it, in the order shown."""


def shown(draw: Callable[[], Any]) -> Callable[[], Any]:
    """Put what draws a figure into the gallery."""
    GALLERY[draw.__name__.replace("_", "-")] = draw
    return draw


def figure(**settings: Any) -> Any:
    """A figure for a third of the page, and its axes."""
    given: dict[str, Any] = {"width": 4.4, "height": 3.3} | settings
    return plots.figure(**given)


def member(tree: Any, i: Any) -> Any:
    """One network of an ensemble, or those of these numbers."""
    return jax.tree.map(lambda leaf: leaf[i], tree)


# %% What is known before any training
@shown
def worked_example() -> Any:
    """The essay's worked example: a node's value is sigmoid(w · u + b)."""
    u, w, b = np.array([0.7, 0.1, 0.4]), np.array([[0.6, 1.2, -0.2]]), np.array([-0.5])
    v = np.asarray(jaxnn.forward([(w, b)], jnp.asarray(u)))
    made, axes = figure()
    plots.network_diagram(
        axes[0, 0], [w], [b], in_nodes=[u, v], on_lines=[w], under_nodes=[[""] * 3, ["b = -0.5"]],
        legend=False,
    )  # fmt: skip
    return made


@shown
def sigmoid() -> Any:
    """The sigmoid and its derivative."""
    xs = jnp.linspace(-6, 6, 201)
    curves = jax.jit(lambda x: (activations.sigmoid(x), activations.sigmoid_derivative(x)))(xs)
    made, axes = figure()
    values, slopes = (np.asarray(curve) for curve in curves)
    plots.activation_curve(axes[0, 0], np.asarray(xs), values, slopes=slopes)
    return made


@shown
def phases() -> Any:
    """Order and chaos of wide tanh networks, with the critical line."""
    sigma_ws, sigma_bs = np.linspace(0.4, 4, 49), np.linspace(0, 2, 33)
    phase = functools.partial(propagation.phase, activation="tanh")
    plane = jax.vmap(jax.vmap(lambda w, b: phase(sigma_w=w, sigma_b=b), (0, None)), (None, 0))
    with jax.enable_x64(True):
        found = jax.jit(plane)(sigma_ws, sigma_bs)
    made, axes = figure()
    marks = {"glorot_normal": (1.0, 0.0), "nielsen": (1.0, 1.0)}
    plots.phase_diagram(axes[0, 0], sigma_ws, sigma_bs, np.asarray(found.chi), points=marks)
    return made


# %% Many initial weights: iris, 4-8-3
@functools.cache
def iris_runs() -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The landscape, and for each scheme the starts and runs, scales first, then members."""
    loss_fn, starts, runs = jaxnn.loss_on(data.iris()), {}, {}
    for scheme in SCHEMES:
        draw = functools.partial(ensembles.init, jax.random.key(0), SIZES, members=MEMBERS)
        drawn = [draw(scheme=scheme, scale=float(scale)) for scale in SCALES]
        starts[scheme] = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *drawn)
        runs[scheme] = ensembles.train(
            loss_fn, starts[scheme], jaxnn.sgd(1.0), steps=STEPS, record_every=STEPS // 20
        )
    return loss_fn, starts, runs


def by_scale(values: Any) -> np.ndarray:
    """(scales, members)."""
    return np.asarray(values).reshape(len(SCALES), MEMBERS)


@shown
def share_against_scale() -> Any:
    """How probable it is to learn iris, against the scale of the initial weights."""
    _, _, runs = iris_runs()
    reached = {name: (by_scale(run.loss) <= 0.05).sum(axis=1) for name, run in runs.items()}
    shares = {
        name: np.array([intervals.wilson(int(count), MEMBERS) for count in counts])
        for name, counts in reached.items()
    }
    made, axes = figure()
    plots.share_against_scale(axes[0, 0], SCALES, shares, level=0.05)
    return made


@shown
def loss_against_scale() -> Any:
    """Every network's final loss, the medians joined."""
    _, _, runs = iris_runs()
    final = {name: by_scale(run.loss) for name, run in runs.items()}
    made, axes = figure()
    plots.loss_against_scale(axes[0, 0], SCALES, final, level=0.05)
    return made


@functools.cache
def best() -> list[int]:
    """The networks of the scheme normal at scale 3, lowest loss first."""
    run, first = iris_runs()[2]["normal"], SCALES.index(3) * MEMBERS
    return (first + np.argsort(by_scale(run.loss)[SCALES.index(3)], kind="stable")).tolist()


@shown
def trained_network() -> Any:
    """A trained network: thickness and colour are weights, shades biases, numbers one flower."""
    _, _, runs = iris_runs()
    flower, params = data.iris().inputs[70], member(runs["normal"].params, best()[0])
    values = [flower, *(jaxnn.forward(params[: k + 1], flower) for k in range(len(params)))]
    layers = [(np.asarray(w), np.asarray(b)) for w, b in params]
    made, axes = figure(width=5.2, height=4.2)
    plots.network_diagram(
        axes[0, 0], *zip(*layers, strict=True), in_nodes=[np.asarray(v) for v in values],
        outputs=("setosa", "versicolor", "virginica"),
    )  # fmt: skip
    return made


# %% The landscape around one of them
@shown
def run_in_its_plane() -> Any:
    """A run over its principal plane, and how far it is off that plane."""
    loss_fn, starts, _ = iris_runs()
    start = member(starts["normal"], best()[0])
    way = ensembles.replay(loss_fn, start, jaxnn.sgd(1.0), steps=STEPS, every=STEPS // 50)
    found = jax.jit(trajectories.principal_plane)(way.points)
    at, off = np.asarray(found.plane.coordinates), np.asarray(found.off_plane)
    low, high = at.min(axis=0), at.max(axis=0)
    margin = 0.25 * (high - low).max()
    xs, ys = (
        jnp.linspace(a - margin, b + margin, SIDE // 2) for a, b in zip(low, high, strict=True)
    )
    plane = jax.jit(slices.plane)(
        loss_fn, found.plane.origin, found.plane.first, found.plane.second, xs, ys
    )
    made, axes = figure(rows=2, height=4.2, gridspec_kw={"height_ratios": [5, 1]})
    arrays = (np.asarray(a) for a in (xs, ys, plane))
    plots.contours(axes[0, 0], *arrays, points=at[[0, -1]], labels=["start", "end"])
    plots.run_in_plane(axes[0, 0], at, np.asarray(way.losses), off)
    plots.off_plane_distances(axes[1, 0], np.asarray(way.steps), off)
    return made


@shown
def surface() -> Any:
    """The loss around a trained network, two random directions with its units' lengths."""
    loss_fn, _, runs = iris_runs()
    point = member(runs["normal"].params, best()[0])
    pair = directions.pair(point, jax.random.key(1), normalise="filter")
    ts = jnp.linspace(-1, 1, 41)
    plane = jax.jit(slices.plane)(loss_fn, point, *pair, ts, ts)
    made, axes = figure(height=3.8, subplot_kw={"projection": "3d"})
    ts = np.asarray(ts)
    plots.surface(axes[0, 0], ts, ts, np.asarray(plane), unit="network's lengths")
    return made


@shown
def lines() -> Any:
    """A hundred lines through it: one direction shows little."""
    loss_fn, _, runs = iris_runs()
    point, ts = member(runs["normal"].params, best()[0]), jnp.linspace(-1, 1, 61)
    found = jax.jit(lambda p, key: slices.bundle(loss_fn, p, key, ts, lines=100))(
        point, jax.random.key(2)
    )
    made, axes = figure()
    quantiles = {name: np.asarray(getattr(found, name)) for name in ("low", "middle", "high")}
    plots.band(
        axes[0, 0], np.asarray(ts), np.asarray(found.values), **quantiles,
        xlabel="network's lengths along a random direction", ylabel="loss on the training cases",
    )  # fmt: skip
    return made


@shown
def spectrum() -> Any:
    """All eigenvalues of its Hessian, in float64."""
    _, _, runs = iris_runs()
    with jax.enable_x64(True):
        loss_fn, point = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, jnp.float64),
            (jaxnn.loss_on(data.iris()), member(runs["normal"].params, best()[0])),
        )
        values = np.asarray(jax.jit(spectra.density)(loss_fn, point, jax.random.key(0)).nodes[0])
    made, axes = figure()
    plots.eigenvalues(axes[0, 0], values, tolerance=1e-14 * float(np.abs(values).max()))
    return made


@shown
def barrier() -> Any:
    """The barrier between two networks: straight, units matched, along a trained curve."""
    loss_fn, _, runs = iris_runs()
    a, b = (member(runs["normal"].params, i) for i in best()[:2])
    aligned = jax.jit(symmetries.Symmetry.align)(symmetries.of(loss_fn), a, b)
    straight = jax.jit(lambda a, b: paths.straight(loss_fn, a, b, points=61))
    curve = jax.jit(
        lambda a, b: paths.curve(loss_fn, a, b, jax.random.key(3), steps=STEPS, points=61)
    )
    ways = {
        "straight": straight(a, b), "units matched": straight(a, aligned),
        "trained curve": curve(a, aligned),
    }  # fmt: skip
    ways = {name: (np.asarray(p.positions), np.asarray(p.losses)) for name, p in ways.items()}
    made, axes = figure()
    plots.along_paths(axes[0, 0], ways, barriers=True)
    return made


# %% Everything that training can stop at: signed exclusive or, 2-2-1 tanh
@functools.cache
def signed() -> tuple[Any, Any]:
    """The landscape, and starts for a census."""
    loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=0.0125)
    draw = functools.partial(ensembles.init, sizes=(2, 2, 1), biases=(True, False))
    return loss_fn, draw


@functools.cache
def census() -> Any:
    """Its stationary points, modulo its symmetries."""
    loss_fn, draw = signed()
    return minima.census(loss_fn, draw(jax.random.key(1), members=STARTS))


@shown
def stationary_points() -> Any:
    """All stationary points of exclusive or, 2-2-1, by their negative directions."""
    found = census()
    made, axes = figure()
    plots.loss_against_index(axes[0, 0], found.losses, found.index, kinds=found.kinds)
    return made


@shown
def disconnectivity() -> Any:
    """Its minima, joined at their lowest saddles."""
    found, (loss_fn, _) = census(), signed()
    low = np.flatnonzero([kind == "minimum" for kind in found.kinds])
    first = np.flatnonzero([kind == "saddle" for kind in found.kinds] & (found.index == 1))
    graph = saddles.graph(
        loss_fn, member(found.points, low), symmetry=symmetries.of(loss_fn),
        guesses=member(found.points, first),
    )  # fmt: skip
    made, axes = figure(width=5.2)
    kinds = [f"{found.accuracy[k]:.0%} right" for k in low]
    kinds += ["found on the way"] * (len(graph.losses) - len(low))
    plots.disconnectivity(axes[0, 0], graph.disconnectivity(), kinds=kinds)
    return made


# %% Where each initial weight leads
@shown
def basin_map() -> Any:
    """Where each initial weight of a plane leads: a solution, or half of the cases wrong."""
    loss_fn, _ = signed()
    origin, first, second = (
        [(np.array([[x, y], [0.6, -0.4]]), np.zeros(2)), (np.array([[0.5, 0.7]]), None)]
        for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    )
    right, up = (directions.between(origin, end) for end in (first, second))
    axis = np.linspace(-5, 5, SIDE // 2)
    found = basins.find(
        loss_fn, basins.on_plane(origin, right, up, axis, axis), jaxnn.sgd(0.2), steps=2 * STEPS
    )
    half = 0.5 * (axis[1] - axis[0])
    (levels,), names = by_level([found])
    window, colours = ((-5 - half, 5 + half),) * 2, plots.label_colours(levels)
    made, axes = figure(width=5.8)
    plots.label_map(axes[0, 0], levels.reshape(SIDE // 2, -1), window, colours=colours)
    plots.label_legend(axes[0, 0], {names[k]: c for k, c in colours.items()}, title="leads to")
    axes[0, 0].set(xlabel="w1[0,0]", ylabel="w1[0,1]")
    return made


def by_level(found: list[Any]) -> tuple[list[np.ndarray], dict[int, str]]:
    """Labels in which attractors of one loss are one, images under the symmetries of the data among
    them, and what each stands for.
    """
    losses = np.round(np.asarray(found[0].attractors.losses), 6)
    levels, first, level_of = np.unique(losses, return_index=True, return_inverse=True)
    right = np.asarray(found[0].attractors.accuracy)[first]
    labels = [np.where(f.labels >= 0, level_of[f.labels], f.labels) for f in found]
    names = {k: f"loss {levels[k]:.2g}, {right[k]:.0%} right" for k in range(len(levels))}
    nowhere = {int(k): basins.spoken(int(k)) for row in labels for k in np.unique(row) if k < 0}
    return labels, names | nowhere


@shown
def probabilities() -> Any:
    """The probability of each end, those of one loss together."""
    loss_fn, draw = signed()
    scales = (0.1, 0.3, 1.0, 3.0, 10.0)
    found = [
        basins.find(loss_fn, draw(jax.random.key(4), members=STARTS // 2, scale=scale),
                    jaxnn.sgd(0.2), steps=2 * STEPS)
        for scale in scales
    ]  # fmt: skip
    labels, names = by_level(basins.together(loss_fn, found))
    shares = {
        names[k]: np.array([basins.probabilities(row, among=[k]).of(k) for row in labels])
        for k in np.unique(np.concatenate(labels)).tolist()
    }
    made, axes = figure()
    colours = dict(zip(shares, plots.COLOURS, strict=False))
    plots.probability_lines(
        axes[0, 0], scales, shares, colours=colours, xlabel="scale of the initial weights"
    ).legend(loc="center right", bbox_to_anchor=(1.0, 0.52), frameon=False, fontsize=8)
    return made


@functools.cache
def plane_of_starts() -> tuple[np.ndarray, np.ndarray]:
    """Which cases each start of a plane gets right in the end, a number from 0 to 15, and its steps
    until all: the plane of Kolen & Pollack 1990, figure 4, 2-2-1 on exclusive or.
    """
    xor, ticks = data.xor(), np.linspace(-10, 10, 2 * SIDE, dtype=np.float32)
    Y, X = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    ones = np.ones_like(X)
    hidden = np.broadcast_to(np.array([[4, -7], [0, -3]], np.float32), (len(X), 2, 2))
    starts = [
        (hidden, np.stack([6 * ones, Y], 1)),
        (np.stack([ones, X], 1)[:, None], ones[:, None]),
    ]
    run = ensembles.train_until(
        jaxnn.loss_on(xor), starts, jaxnn.sgd(5.5), stop=training.all_correct(xor), max_steps=400,
        check_every=10,
    )  # fmt: skip
    right = jax.jit(jax.vmap(functools.partial(losses.correct, batch=xor)))(run.params)
    steps = np.where(run.outcome == jaxnn.Outcome.converged, run.steps, np.nan)
    shape = (2 * SIDE, 2 * SIDE)
    return (np.asarray(right) @ np.array([8, 4, 2, 1])).reshape(shape), steps.reshape(shape)


@shown
def steps_map() -> Any:
    """Updates until exclusive or is learned, for each initial weight of another plane."""
    made, axes = figure()
    window = ((-10.0, 10.0), (-10.0, 10.0))
    plots.value_map(axes[0, 0], plane_of_starts()[1], window, name="updates (grey: above 400)")
    axes[0, 0].set(xlabel="w2[0,1]", ylabel="b1[1]")
    return made


@shown
def border_dimension() -> Any:
    """The dimension of that map's borders, with its interval."""
    made, axes = figure()
    plots.scaling(axes[0, 0], sensitivity.box_dimension(plane_of_starts()[0]))
    return made
