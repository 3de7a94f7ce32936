"""Which stationary points are one: classes modulo the symmetries of the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnn.descent import as_pytree
from jaxnn.landscape.attractors import canonical_sides, signature
from jaxnn.landscape.censuses import Census
from jaxnn.landscape.families import families_of
from jaxnn.landscape.many import at, in_float64, mapped, polish_all
from jaxnn.landscape.null_directions import nulls
from jaxnn.landscape.polishing import Ending, Stationary
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.landscape.symmetries import of as symmetries_of
from jaxnn.losses import LossOn, accuracy
from jaxnn.vocabulary import Landscape

LEVELS = 1e-8
"""Losses that differ by less than this part of the largest, or by less than points within the
tolerance may, are one level."""
OUTPUTS = 1e-3
"""Limits of outputs and of losses that differ by no more are one."""
TOLERANCE = 1e-6
LEAST_TOLERANCE = 1e-13


def distinct(
    loss_fn: Landscape,
    found: Any,
    *,
    symmetry: Symmetry | None = None,
    tolerance: float | None = None,
    grows: bool | None = None,
) -> Census:
    """The classes of these stationary points modulo symmetry.

    Isolated points of like loss and index are one where they are within `tolerance` of each other
    over the group (`Symmetry.distance`). A flat set, such as a manifold of zero loss, is one entry:
    its points have the same loss, the same signs of eigenvalues, and the same residuals where the
    landscape offers them; pieces of it that are not connected are not told apart. Attractors at
    infinity are one by the limits of loss and outputs and by the sides of their hidden units
    (`attractors.signature`); for what is no network, by the limit of the loss. Searches that were
    unfinished or diverged, or ended at a kink, have no class.

    Args:
        loss_fn: a point -> a scalar.
        found: a `Stationary` with a leading axis, from `polish_all`; or stacked points, which
            are polished first.
        symmetry: default that of the loss.
        tolerance: a distance between parameters, default 1e-6 of the points' length, plus 1.
        grows: whether the loss grows in every direction; default only for networks with l2 > 0.

    Raises:
        ValueError: a tolerance below what float64 tells apart; as `polish_all`.
    """
    given = found.point if isinstance(found, Stationary) else found
    converted = any(np.asarray(leaf).dtype != np.float64 for leaf in jax.tree.leaves(given))
    if not isinstance(found, Stationary):
        found = polish_all(loss_fn, found)
    with jax.enable_x64(True):
        loss_fn = in_float64(as_pytree(loss_fn))
        symmetry = symmetries_of(loss_fn) if symmetry is None else symmetry
        seen = _seen(loss_fn, symmetry, found, tolerance)
        groups, spread, gap = _gathered(seen)
        rows = _rows(seen, groups)
    if grows is None:
        grows = isinstance(loss_fn, LossOn) and bool(np.any(np.asarray(loss_fn.l2 or 0.0) > 0))
    return Census(
        **rows,
        endings=np.bincount(found.ending, minlength=len(Ending)),
        spread=spread,
        gap=gap,
        tolerance=seen.tolerance,
        grows=grows,
        converted=converted,
    )


class _Seen(NamedTuple):
    """What is known of the points, a row each."""

    loss_fn: Any
    symmetry: Symmetry
    found: Stationary
    rows: np.ndarray  # (points, P)
    canonical: np.ndarray  # (points, P), near to each other for images of one, but for ties
    kinds: tuple[str, ...]
    marks: np.ndarray | None  # (points, marks) residuals, or outputs of a network
    sides: list[tuple] | None  # of hidden units
    tolerance: float


def _seen(loss_fn: Any, symmetry: Symmetry, found: Stationary, tolerance: float | None) -> _Seen:
    points = found.point
    one = at(points, 0)
    kinds = symmetry.kinds(jax.tree.map(jnp.asarray, one))
    rows = mapped(_flat, points)
    finite = rows[np.isfinite(rows).all(axis=1)]
    size = 1.0 + (float(np.median(np.linalg.norm(finite, axis=1))) if len(finite) else 0.0)
    if tolerance is not None and not tolerance >= LEAST_TOLERANCE * size:
        raise ValueError(
            f"tolerance is {tolerance}: points of length {size - 1.0:.3g} are known to about "
            f"{LEAST_TOLERANCE * size:.1e} in float64; give at least that"
        )
    marks, sides = None, None
    if isinstance(loss_fn, LossOn):
        outputs, layers = mapped(_signature, points, loss_fn)
        marks = outputs.reshape(len(rows), -1)
        sides = [canonical_sides(at(layers, k), kinds) for k in range(len(rows))]
    elif hasattr(loss_fn, "residuals"):
        marks = mapped(_residuals, points, loss_fn)
    return _Seen(
        loss_fn, symmetry, found, rows, mapped(_canonical, points, symmetry) if kinds else rows,
        kinds, marks, sides, TOLERANCE * size if tolerance is None else float(tolerance),
    )  # fmt: skip


@jax.jit
def _flat(points: Any) -> Any:
    return jax.vmap(lambda point: ravel_pytree(point)[0])(points)


@jax.jit
def _canonical(points: Any, symmetry: Symmetry) -> Any:
    return jax.vmap(lambda point: ravel_pytree(symmetry.canonical(point))[0])(points)


@jax.jit
def _distances(points: Any, symmetry: Symmetry, one: Any) -> Any:
    return jax.vmap(lambda point: symmetry.distance(one, point))(points)


@jax.jit
def _signature(points: Any, loss_fn: Any) -> Any:
    return jax.vmap(lambda point: signature(loss_fn, point))(points)


@jax.jit
def _residuals(points: Any, loss_fn: Any) -> Any:
    return jax.vmap(loss_fn.residuals)(points)


def _gathered(seen: _Seen) -> tuple[list[np.ndarray], float, float]:
    """The points of each class; the largest distance within one, the smallest between two."""
    groups, spread, gap = [], 0.0, math.inf
    for which, isolated in _levels(seen):
        if not isolated:
            groups += _by_marks(seen, which)
            continue
        parts, inside, between = _by_distance(seen, which)
        groups += parts
        spread, gap = max(spread, inside), min(gap, between)
    return groups, spread, gap


def _levels(seen: _Seen) -> Iterator[tuple[np.ndarray, bool]]:
    """Points that may be one: of one ending, stationary ones also of one index, number of zero
    eigenvalues and level of the loss. With each, whether its points are isolated modulo symmetry.
    """
    found = seen.found
    runs_away = np.flatnonzero(found.ending == Ending.plateau)
    if len(runs_away):
        yield runs_away, False
    rest = np.flatnonzero(found.ending == Ending.stationary)
    if not len(rest):
        return
    # losses of 0 are rounding: within the tolerance they differ by curvature times its square
    widest = float(np.max(np.abs(found.eigenvalues[rest])))
    scale = max(LEVELS * float(np.max(np.abs(found.loss[rest]))), widest * seen.tolerance**2)
    order = rest[np.lexsort((found.loss[rest], found.zero[rest], found.index[rest]))]
    new = (
        (np.diff(found.index[order]) != 0)
        | (np.diff(found.zero[order]) != 0)
        | (np.diff(found.loss[order]) > scale)
    )
    for which in np.split(order, np.flatnonzero(new) + 1):
        which = which[np.argsort(found.relative_gradient[which], kind="stable")]
        zero = int(found.zero[which[0]])
        point = jax.tree.map(jnp.asarray, at(found.point, which[0]))
        yield which, zero == 0 or zero == seen.symmetry.orbit_dimension(point)


def _by_distance(seen: _Seen, which: np.ndarray) -> tuple[list[np.ndarray], float, float]:
    """Points within the tolerance of each other over the group: first by their canonical rows, then
    whole groups, since those rows jump at ties.
    """
    rough, spread = _near(seen.canonical[which], seen.tolerance)
    parts, gap = [which[part] for part in rough], math.inf
    merged: list[np.ndarray] = []
    while parts:
        first, *rest = parts
        away = _between(seen, first[0], np.array([part[0] for part in rest], int))
        same = away <= seen.tolerance
        spread, gap = max(spread, *away[same], 0.0), min(gap, *away[~same], math.inf)
        merged.append(np.concatenate([first, *(p for p, s in zip(rest, same, strict=True) if s)]))
        parts = [part for part, s in zip(rest, same, strict=True) if not s]
    return merged, spread, gap


def _between(seen: _Seen, one: int, others: np.ndarray) -> np.ndarray:
    """The distance of one point to each of the others over the group."""
    if not len(others):
        return np.zeros(0)
    if not seen.kinds:
        return np.linalg.norm(seen.rows[others] - seen.rows[one], axis=1)
    return mapped(
        _distances, at(seen.found.point, others), seen.symmetry, at(seen.found.point, one)
    )


def _near(rows: np.ndarray, close: float) -> tuple[list[np.ndarray], float]:
    """Rows in groups within `close` of the group's first; and how far they are from it at most."""
    left, groups, spread = np.arange(len(rows)), [], 0.0
    while len(left):
        away = np.linalg.norm(rows[left] - rows[left[0]][None, :], axis=1)
        same = away <= close
        same[0] = True
        groups.append(left[same])
        spread = max(spread, float(away[same].max()) if np.isfinite(away[0]) else 0.0)
        left = left[~same]
    return groups, spread


def _by_marks(seen: _Seen, which: np.ndarray) -> list[np.ndarray]:
    """Flat sets by residuals, attractors by limits and sides."""
    levels = np.asarray(seen.found.level)[which][:, None]
    marks = levels if seen.marks is None else np.hstack([levels, seen.marks[which]])
    apart = seen.sides is not None and seen.found.ending[which[0]] == Ending.plateau
    kinds: dict[Any, list[int]] = {}
    for k, number in enumerate(which):
        kinds.setdefault(seen.sides[number] if apart and seen.sides else 0, []).append(k)
    close = OUTPUTS * math.sqrt(marks.shape[1])
    return [
        which[np.array(ks)[part]] for ks in kinds.values() for part in _near(marks[ks], close)[0]
    ]


def _rows(seen: _Seen, groups: list[np.ndarray]) -> dict[str, Any]:
    """The fields of a Census with a row for each class, in order of loss, then index."""
    found = seen.found
    groups = sorted(groups, key=lambda g: (round(float(found.level[g[0]]), 12), found.index[g[0]]))
    first = np.array([group[0] for group in groups], int)
    labels = np.full(len(found.loss), -1)
    for number, group in enumerate(groups):
        labels[group] = number
    points = [jax.tree.map(jnp.asarray, at(found.point, k)) for k in first]
    split = [nulls(seen.loss_fn, point, seen.symmetry) for point in points]
    ending, levels = np.asarray(found.ending)[first], np.asarray(found.level)[first]
    orbits = np.array(
        [_orbit_size(seen, *each) for each in zip(points, ending, split, strict=True)]
    )
    return {
        "points": at(found.point, first),
        "losses": levels,
        "index": np.asarray(found.index)[first],
        "zero": np.asarray(found.zero)[first],
        "nulls": np.array(split, int).reshape(-1, 3),
        "ending": ending,
        "orbit_size": orbits,
        "hits": np.array([len(group) for group in groups], int),
        "accuracy": np.array([_accuracy(seen.loss_fn, point) for point in points]),
        "families": families_of(
            seen.symmetry,
            at(found.point, first),
            levels,
            np.isfinite(orbits),
            tolerance=seen.tolerance,
        ),
        "eigenvalues": found.eigenvalues[first],
        "labels": labels,
    }


def _orbit_size(seen: _Seen, point: Any, ending: int, split: Any) -> float:
    if ending != Ending.stationary or split.over_parameterisation or split.saturation:
        return math.nan
    try:
        return float(seen.symmetry.orbit_size(point, tolerance=TOLERANCE))
    except ValueError:  # too many units are equal: said in the docstring of Census
        return math.nan


def _accuracy(loss_fn: Any, point: Any) -> float:
    if not isinstance(loss_fn, LossOn):
        return math.nan
    return float(accuracy(point, loss_fn.counted, activation=loss_fn.activation))
