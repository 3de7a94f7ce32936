"""Stationary points gathered: which of them, as rows of numbers, are one modulo symmetry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnn.landscape.comparisons import OUTPUTS, canonical_rows, distances, limits_of
from jaxnn.landscape.many import at, mapped
from jaxnn.landscape.polishing import Ending, Stationary
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.losses import LossOn

LEVELS = 1e-8
"""Losses of isolated points that differ by less than this part of the largest, or by less than
points within the tolerance may, are compared by distance."""
ROUNDING = 2.0**-42
"""Of a loss: what rounding leaves of it, in levels that nothing but the loss tells apart."""
SURE = 4.0
"""How many times as far as its gradient tells a point may be from where the gradient is 0."""
HIGHEST = 8.0
"""At a zero of this multiplicity Newton's step tells an eighth of the distance."""
TOLERANCE = 1e-6
LEAST_TOLERANCE = 1e-13
TINY = float(np.finfo(float).tiny)


class Seen(NamedTuple):
    """What is known of the points, a row each."""

    loss_fn: Any
    symmetry: Symmetry
    found: Stationary
    rows: np.ndarray  # (points, P)
    canonical: np.ndarray  # (points, P), near to each other for images of one, but for ties
    kinds: tuple[str, ...]
    marks: Any  # (points, marks) residuals, or outputs of a network
    sides: Any  # of hidden units, a list; None where there are none
    errors: np.ndarray  # (points,) how far each may be from where the gradient is 0
    tolerance: float
    unit: float  # of the marks


def seen_of(loss_fn: Any, symmetry: Symmetry, found: Stationary, tolerance: float | None) -> Seen:
    """The points with all that they are gathered by.

    Raises:
        ValueError: a tolerance below what float64 tells apart.
    """
    points = found.point
    one = at(points, 0)
    kinds = symmetry.kinds(jax.tree.map(jnp.asarray, one))
    rows = mapped(_flat, points)
    errors = SURE * _newton_steps(found)
    size = _size(found, rows, errors)
    if tolerance is not None and not tolerance >= max(LEAST_TOLERANCE * size, TINY):
        raise ValueError(
            f"tolerance is {tolerance}: points of length {size:.3g} are known to about "
            f"{LEAST_TOLERANCE * size:.1e} in float64; give at least that"
        )
    marks, sides = None, None
    if isinstance(loss_fn, LossOn):
        marks, sides = limits_of(loss_fn, points, kinds)
    elif hasattr(loss_fn, "residuals"):
        marks = mapped(_residuals, points, loss_fn)
    return Seen(
        loss_fn, symmetry, found, rows, canonical_rows(points, symmetry) if kinds else rows,
        kinds, marks, sides, errors, TOLERANCE * size if tolerance is None else float(tolerance),
        _unit(loss_fn, found, size),
    )  # fmt: skip


def _newton_steps(found: Stationary) -> np.ndarray:
    """How far each point is at most from where the gradient of its quadratic model is 0, (points,):
    |gradient| by its smallest eigenvalue; 0 where it is no isolated stationary point.
    """
    least = np.min(np.abs(found.eigenvalues), axis=1)
    isolated = (found.ending == Ending.stationary) & (found.zero == 0) & (least > 0)
    return np.where(isolated, found.gradient_norm / np.where(isolated, least, 1.0), 0.0)


def _size(found: Stationary, rows: np.ndarray, errors: np.ndarray) -> float:
    """The length of the stationary points that are not at the origin to rounding, their median; of
    all points where there are no such.

    No absolute length enters: the same landscape in other units has the same classes.
    """
    lengths = np.linalg.norm(rows, axis=1)
    known = np.isfinite(lengths) & (lengths > HIGHEST * errors)
    rests = known & (found.ending == Ending.stationary)
    some = lengths[rests if rests.any() else known]
    return float(np.median(some)) if len(some) else 0.0


def _unit(loss_fn: Any, found: Stationary, size: float) -> float:
    """What marks are measured in: the largest target of a network; of other residuals what the
    largest curvature of a sum of their squares makes of the points' length.
    """
    if isinstance(loss_fn, LossOn):
        return float(np.max(np.abs(loss_fn.counted.targets))) or 1.0
    rests = found.ending == Ending.stationary
    widest = np.max(np.abs(np.asarray(found.eigenvalues)[rests]), initial=0.0)
    return math.sqrt(0.5 * float(widest)) * size


@jax.jit
def _flat(points: Any) -> Any:
    return jax.vmap(lambda point: ravel_pytree(point)[0])(points)


@jax.jit
def _residuals(points: Any, loss_fn: Any) -> Any:
    return jax.vmap(loss_fn.residuals)(points)


def gathered(seen: Seen) -> tuple[list[np.ndarray], float, float]:
    """The points of each class; the largest distance within one, the smallest between two."""
    groups, spread, gap = [], 0.0, math.inf
    flat = []
    for which, isolated in _levels(seen):
        if not isolated:
            flat.append(which)
            continue
        parts, inside, between = _by_distance(seen, which)
        groups += parts
        spread, gap = max(spread, inside), min(gap, between)
    groups += _flat_sets(seen, flat)
    away = np.flatnonzero(seen.found.ending == Ending.plateau)
    # outputs and residuals settle later than the loss does, and tell more
    levels = [away] if seen.marks is not None else _tied(seen, away, _open(seen))
    for level in levels if len(away) else []:
        groups += _by_marks(seen, level, seen.sides)
    return groups, spread, gap


def _levels(seen: Seen) -> Iterator[tuple[np.ndarray, bool]]:
    """Stationary points that may be one: of one index, number of zero eigenvalues and level of the
    loss, nearest to 0 gradient first. With each, whether its points are isolated modulo symmetry.
    """
    found = seen.found
    rest = np.flatnonzero(found.ending == Ending.stationary)
    for index, zero in sorted({(int(found.index[k]), int(found.zero[k])) for k in rest}):
        alike = rest[(found.index[rest] == index) & (found.zero[rest] == zero)]
        for which in _split(seen, alike):
            point = jax.tree.map(jnp.asarray, at(found.point, which[0]))
            yield which, zero == 0 or zero == seen.symmetry.orbit_dimension(point)


def _split(seen: Seen, which: np.ndarray) -> list[np.ndarray]:
    """These points by the levels of their losses, as near as distances need them."""
    losses, rested = np.asarray(seen.found.loss), seen.found.ending == Ending.stationary
    # losses of 0 are rounding: within the tolerance they differ by curvature times its square
    widest = float(np.max(np.abs(seen.found.eigenvalues[rested])))
    near = max(LEVELS * float(np.max(np.abs(losses[rested]))), widest * seen.tolerance**2)
    return _tied(seen, which, np.full(len(losses), near))


def _tied(seen: Seen, which: np.ndarray, errors: np.ndarray) -> list[np.ndarray]:
    """These points in groups whose levels, in order, are apart by no more than the larger of the
    errors (points,) of two neighbours; nearest to 0 gradient first.
    """
    levels, slopes = np.asarray(seen.found.level), np.asarray(seen.found.relative_gradient)
    order = which[np.argsort(levels[which], kind="stable")]
    apart = np.diff(levels[order]) > np.maximum(errors[order][1:], errors[order][:-1])
    parts = np.split(order, np.flatnonzero(apart) + 1)
    return [part[np.argsort(slopes[part], kind="stable")] for part in parts]


def _open(seen: Seen) -> np.ndarray:
    """By how much each level is open, (points,): rounding of the loss, and at a stationary point
    what the curvature makes of the tolerance, elsewhere what the gradient makes of the point's
    length, which is more than a loss like e^-u or 1 / u has yet to fall.

    Neither a constant in the loss changes it but by rounding, nor where a search began.
    """
    found = seen.found
    widest = np.max(np.abs(found.eigenvalues), axis=1)
    slope = found.gradient_norm * np.linalg.norm(seen.rows, axis=1)
    left = np.where(found.ending == Ending.stationary, widest * seen.tolerance**2, slope)
    return np.maximum(ROUNDING * np.abs(found.level), left)


def in_order(seen: Seen, groups: list[np.ndarray]) -> list[np.ndarray]:
    """The classes in order of their levels, those of one level by their index."""
    if not groups:
        return []
    first = np.array([group[0] for group in groups], int)
    place = {
        int(number): rank
        for rank, level in enumerate(_tied(seen, first, _open(seen)))
        for number in level
    }
    return sorted(groups, key=lambda group: (place[int(group[0])], seen.found.index[group[0]]))


def _flat_sets(seen: Seen, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Points that are not isolated, by level and residuals, those without a negative eigenvalue
    apart; first in each one whose numbers of negative and zero eigenvalues most have.
    """
    if not parts:
        return []
    every, found, groups = np.concatenate(parts), seen.found, []
    for lowest in (True, False):
        alike = every[(found.index[every] == 0) == lowest]
        for level in _tied(seen, alike, _open(seen)) if len(alike) else []:
            for group in _by_marks(seen, level, None):
                signs = [(int(found.index[k]), int(found.zero[k])) for k in group]
                usual = max(signs, key=signs.count)
                order = np.argsort([sign != usual for sign in signs], kind="stable")
                groups.append(group[order])
    return groups


def _by_distance(seen: Seen, which: np.ndarray) -> tuple[list[np.ndarray], float, float]:
    """Points within the tolerance of each other over the group: first by their canonical rows, then
    whole groups, since those rows jump at ties.
    """
    rough, spread = _near(seen.canonical[which], seen.tolerance, seen.errors[which])
    parts, gap = [which[part] for part in rough], math.inf
    merged: list[np.ndarray] = []
    while parts:
        first, *rest = parts
        heads = np.array([part[0] for part in rest], int)
        away = _between(seen, first[0], heads)
        same = away <= seen.tolerance + seen.errors[first[0]] + seen.errors[heads]
        spread, gap = max(spread, *away[same], 0.0), min(gap, *away[~same], math.inf)
        merged.append(np.concatenate([first, *(p for p, s in zip(rest, same, strict=True) if s)]))
        parts = [part for part, s in zip(rest, same, strict=True) if not s]
    return merged, spread, gap


def _between(seen: Seen, one: int, others: np.ndarray) -> np.ndarray:
    """The distance of one point to each of the others over the group."""
    if not seen.kinds:
        return np.linalg.norm(seen.rows[others] - seen.rows[one], axis=1)
    return distances(seen.symmetry, at(seen.found.point, one), at(seen.found.point, others))


def _near(
    rows: np.ndarray, close: float, errors: np.ndarray | float = 0.0
) -> tuple[list[np.ndarray], float]:
    """Rows in groups within `close`, and the errors of both, of the group's first; and how far they
    are from it at most.
    """
    errors = np.broadcast_to(errors, len(rows))
    left, groups, spread = np.arange(len(rows)), [], 0.0
    while len(left):
        away = np.linalg.norm(rows[left] - rows[left[0]][None, :], axis=1)
        same = away <= close + errors[left] + errors[left[0]]
        same[0] = True
        groups.append(left[same])
        spread = max(spread, float(away[same].max()) if np.isfinite(away[0]) else 0.0)
        left = left[~same]
    return groups, spread


def _by_marks(seen: Seen, which: np.ndarray, sides: list[tuple] | None) -> list[np.ndarray]:
    """These points, of one level, by their residuals or outputs and the sides of their hidden
    units.
    """
    if seen.marks is None:
        return [which]
    kinds: dict[Any, list[int]] = {}
    for number in which:
        kinds.setdefault(sides[number] if sides else 0, []).append(number)
    close = OUTPUTS * seen.unit * math.sqrt(seen.marks.shape[1])
    return [
        np.array(some)[part]
        for some in kinds.values()
        for part in _near(seen.marks[some], close)[0]
    ]
