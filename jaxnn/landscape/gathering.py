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
"""Losses that differ by less than this part of the largest, or by less than points within the
tolerance may, are one level."""
LIMITS = 1e-5
"""Of the loss at the starts (their median): limits of what has no outputs that differ by no more
are one. Searches come that near."""
TOLERANCE = 1e-6
LEAST_TOLERANCE = 1e-13


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
    tolerance: float


def seen_of(loss_fn: Any, symmetry: Symmetry, found: Stationary, tolerance: float | None) -> Seen:
    """The points with all that they are gathered by.

    Raises:
        ValueError: a tolerance below what float64 tells apart.
    """
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
        marks, sides = limits_of(loss_fn, points, kinds)
    elif hasattr(loss_fn, "residuals"):
        marks = mapped(_residuals, points, loss_fn)
    return Seen(
        loss_fn, symmetry, found, rows, canonical_rows(points, symmetry) if kinds else rows,
        kinds, marks, sides, TOLERANCE * size if tolerance is None else float(tolerance),
    )  # fmt: skip


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
    return [*groups, *(_by_marks(seen, away, seen.sides) if len(away) else [])], spread, gap


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
    """These points by the levels of their losses."""
    losses, rested = np.asarray(seen.found.loss), seen.found.ending == Ending.stationary
    # losses of 0 are rounding: within the tolerance they differ by curvature times its square
    widest = float(np.max(np.abs(seen.found.eigenvalues[rested])))
    scale = max(LEVELS * float(np.max(np.abs(losses[rested]))), widest * seen.tolerance**2)
    order = which[np.argsort(losses[which], kind="stable")]
    parts = np.split(order, np.flatnonzero(np.diff(losses[order]) > scale) + 1)
    slopes = np.asarray(seen.found.relative_gradient)
    return [part[np.argsort(slopes[part], kind="stable")] for part in parts]


def _flat_sets(seen: Seen, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Points that are not isolated, by level and residuals, those without a negative eigenvalue
    apart; first in each one whose numbers of negative and zero eigenvalues most have.
    """
    if not parts:
        return []
    every, found, groups = np.concatenate(parts), seen.found, []
    for lowest in (True, False):
        alike = every[(found.index[every] == 0) == lowest]
        for level in _split(seen, alike) if len(alike) else []:
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


def _between(seen: Seen, one: int, others: np.ndarray) -> np.ndarray:
    """The distance of one point to each of the others over the group."""
    if not seen.kinds:
        return np.linalg.norm(seen.rows[others] - seen.rows[one], axis=1)
    return distances(seen.symmetry, at(seen.found.point, one), at(seen.found.point, others))


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


def _by_marks(seen: Seen, which: np.ndarray, sides: list[tuple] | None) -> list[np.ndarray]:
    """These points by their levels, residuals or outputs, and the sides of their hidden units."""
    starts = np.abs(seen.found.initial_loss[np.isfinite(seen.found.initial_loss)])
    scale = 1.0 if seen.marks is not None else float(np.median(starts)) or 1.0
    levels = np.asarray(seen.found.level)[which][:, None] / scale
    marks = levels if seen.marks is None else np.hstack([levels, seen.marks[which]])
    kinds: dict[Any, list[int]] = {}
    for k, number in enumerate(which):
        kinds.setdefault(sides[number] if sides else 0, []).append(k)
    close = LIMITS if seen.marks is None else OUTPUTS * math.sqrt(marks.shape[1])
    return [
        which[np.array(ks)[part]] for ks in kinds.values() for part in _near(marks[ks], close)[0]
    ]
