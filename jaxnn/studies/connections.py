"""What lies between two networks of a store: `jaxnn path` and `jaxnn align`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array

from jaxnn import plots
from jaxnn.landscape import paths, symmetries
from jaxnn.landscape.directions import between
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.numerics import key_of
from jaxnn.studies.members import Network, figures_in, label, taken
from jaxnn.studies.reports import Part, Report
from jaxnn.studies.settings import Align, Between, OfStore


def draw_path(settings: Between) -> Report:
    """Draw the loss along the straight line between two networks, along that to the aligned second
    one, and along a trained curve; give the report.

    Raises:
        ValueError: settings out of range; as `members.taken`.
    """
    _check(settings.points)
    if settings.steps < 0:
        raise ValueError(f"--steps is {settings.steps}: give 0 or more")
    posed, networks = taken(settings, 2)
    a, b = (network.point for network in networks)
    aligned = jax.jit(Symmetry.align)(symmetries.of(posed.loss_fn), a, b)
    straight = jax.jit(lambda f, a, b: paths.straight(f, a, b, points=settings.points))
    curve = jax.jit(
        lambda f, a, b, key: paths.curve(f, a, b, key, steps=settings.steps, points=settings.points)
    )
    found: dict[str, Any] = {
        "straight": straight(posed.loss_fn, a, b),
        "straight, aligned": straight(posed.loss_fn, a, aligned),
        "trained curve, aligned": curve(posed.loss_fn, a, aligned, key_of(settings.seed)),
    }
    files = _figure(settings, "path", posed.source.name, networks, found)
    said = _report(posed.source.name, networks, found)
    return Report("\n".join(said.lines), said.values, files, settings=vars(settings))


def draw_align(settings: Align) -> Report:
    """Match two networks' hidden units by weights and by activations, and give the report: distance
    and barrier before and after, orbit sizes, and the matching of the first hidden layer.

    Raises:
        ValueError: settings out of range; as `members.taken`.
    """
    _check(settings.points)
    posed, networks = taken(settings, 2)
    a, b = (network.point for network in networks)
    group = symmetries.of(posed.loss_fn)
    straight = jax.jit(lambda f, a, b: paths.straight(f, a, b, points=settings.points))
    found, rows = {"as they are": straight(posed.loss_fn, a, b)}, [_apart("as they are", a, b)]
    for way in ("weights", "activations"):
        aligned = jax.jit(lambda g, a, b, way=way: g.align(a, b, by=way))(group, a, b)
        found[f"aligned by {way}"] = straight(posed.loss_fn, a, aligned)
        rows.append(_apart(f"aligned by {way}", a, aligned))
    distance = float(jax.jit(Symmetry.distance)(group, a, b))
    kinds = ", ".join(group.kinds(a)) or "none: no hidden layer"
    along = _report(posed.source.name, networks, found)
    matched = jax.jit(Symmetry.align)(group, a, b)
    report = [
        *along.lines,
        *(f"distance {name:24}{value:.6g}" for name, value in rows),
        f"distance over the group       {distance:.6g}" + (" or less" if len(a) > 2 else ""),
        *_matched(a, b, matched),
        f"what moves the hidden units: {kinds}",
        f"images of each: {', '.join(_images(group, network.point) for network in networks)}",
    ]
    files = _figure(settings, "align", posed.source.name, networks, found)
    apart = {"distances": dict(rows), "distance_over_the_group": distance, "kinds": group.kinds(a)}
    named = {**along.values, **apart, "units": _units(a, b, matched)}
    return Report("\n".join(report), named, files, settings=vars(settings))


def _matched(a: Any, b: Any, aligned: Any) -> list[str]:
    """Which units of b's first hidden layer became the units of a's; a line, none without one."""
    units = _units(a, b, aligned)
    said = f"units 0, 1, ... of the first are the second's (- flipped): {' '.join(units)}"
    return [said] if units else []


def _units(a: Any, b: Any, aligned: Any) -> list[str]:
    """The unit of b's first hidden layer that became each of a's, after a minus where flipped."""
    if len(a) < 2:
        return []
    rows = [
        np.hstack([np.asarray(W), np.zeros((len(W), 0)) if c is None else np.asarray(c)[:, None]])
        for W, c in (b[0], aligned[0])
    ]
    gaps = [np.linalg.norm(rows[1][:, None] - sign * rows[0][None], axis=2) for sign in (1, -1)]
    units = np.minimum(*gaps).argmin(axis=1)
    flipped = gaps[1][np.arange(len(units)), units] < gaps[0][np.arange(len(units)), units]
    return ["-" * bool(turned) + str(unit) for unit, turned in zip(units, flipped, strict=True)]


def _check(points: int) -> None:
    if points < 3:
        raise ValueError(f"--points is {points}: give at least 3")


def _apart(name: str, a: Any, b: Any) -> tuple[str, float]:
    squares = [float(np.sum(np.square(leaf))) for leaf in jax.tree.leaves(between(a, b))]
    return name, sum(squares) ** 0.5


def _images(group: Symmetry, point: Any) -> str:
    """The orbit's size and dimension, or why they are not counted."""
    try:
        size = f"{group.orbit_size(point):,}"
    except ValueError as error:
        return f"not counted ({error})"
    dimension = group.orbit_dimension(point)
    return size + (f" sheets of dimension {dimension}" if dimension else "")


def _report(name: str, networks: list[Network], found: dict[str, Any]) -> Part:
    ends = [f"  {k}: {n.name}, final loss {n.final_loss:.6g}" for k, n in enumerate(networks, 1)]
    width = max(map(len, found)) + 2
    lines = [
        f"{key:{width}}{_number(path.barrier):>13}{_number(path.saddle_height):>15}"
        f"{_number(path.length):>12}"
        for key, path in found.items()
    ]
    head = f"{'path':{width}}{'barrier':>13}{'above higher':>15}{'length':>12}"
    measured = ("barrier", "saddle_height", "length", "positions", "losses")
    along = {key: {of: getattr(path, of) for of in measured} for key, path in found.items()}
    both = [{"name": n.name, "final_loss": n.final_loss} for n in networks]
    said = [f"{name}, two networks", *ends, head, *lines]
    return Part(said, {"networks": both, "paths": along})


def _number(value: Array) -> str:
    return f"{float(value):.5g}"


def _figure(
    settings: OfStore, kind: str, name: str, networks: list[Network], found: dict[str, Any]
) -> list[Path]:
    made, axes = plots.figure(width=6.5, height=4.2)
    lines = {
        f"{key}: barrier {float(path.barrier):.3g}": (
            np.asarray(path.positions), np.asarray(path.losses)
        )
        for key, path in found.items()
    }  # fmt: skip
    ax = plots.along_paths(axes[0, 0], lines)
    ax.set_title(f"{plots.plain(name)}: from {networks[0].name} to {networks[1].name}", loc="left")
    return plots.save(made, figures_in(settings) / f"{kind}-{label(settings, networks)}")
