"""The smallest change of the initial weights that changes where training ends, on the host."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.checks import check_point
from jaxnn.landscape.rays import LabelsOf, Rays
from jaxnn.vocabulary import whole

LEVELS = 12
"""Distances looked at along a ray: the reach and its halves."""
PROBES = 32
"""Directions along the border that a plane is laid through, at most."""
SHARES = (1.0, 0.5, 0.25, 0.0625)
"""Of the turn to the plane's nearest point, tried side by side."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Change:
    """The smallest change found; an upper bound, since a smaller one may have been missed.

    distance: its Euclidean length, infinite where no other label was found within reach.
    point: the changed initial weights, whose label was computed. label: theirs; start_label: of the
        start.
    precision: of distance, relative: along its ray the border lies between distance *
        (1 - precision) and distance.
    float_limited: whether the dtype of the start ended the bisection before the precision wanted.
    converged: whether the move along the border ended where its neighbours give nothing nearer, and
        not because the rounds ran out.
    evaluations: labels computed.
    """

    distance: float
    point: Any
    label: int
    start_label: int
    precision: float
    float_limited: bool
    evaluations: int
    converged: bool = True

    _repr_html_ = summaries.html()


def smallest_change(
    labels_of: LabelsOf, start: Any, *, candidates: Any = None, rays: int = 256,
    reach: float | None = None, precision: float = 1e-6, fronts: int = 4, rounds: int = 60,
    batch: int = 256, ignore: int | Sequence[int] = (), seed: int = 0,
) -> Change:  # fmt: skip
    """The smallest |change| such that labels_of(start + change) is another label, as far as a
    search by labels alone can find.

    Along random rays and towards the candidates the first other label is bracketed and bisected.
    The nearest `fronts` then move along the border: bisected neighbours lay a plane through it, and
    the ray turns to that plane's nearest point, or as far towards it as the distance falls, until
    neighbours at an angle of sqrt(precision) / 4 give nothing nearer. On a smooth border that is a
    local minimum of the distance with a relative error of about `precision`, if the rounds did not
    run out (`converged`; some 200 numbers take 600); on a fractal one, an upper bound. Labels are
    asked for in whole batches, so brackets are cut into as many parts as fill one. Cost: (rays +
    candidates) * 12 labels, then for each of up to `rounds` moves 10 to 20 batches, or more where
    fronts * numbers in the point, at most fronts * PROBES, exceed a batch.

    Args:
        labels_of: stacked points, (n, ...) each leaf, in the start's dtypes -> (n,) whole numbers;
            give it a compiled ensemble.
        start: the initial weights, any pytree of float arrays.
        candidates: a stacked tree of points that may have other labels, such as a map's.
        rays: random directions.
        reach: how far along them; default twice the length of the start, and at least 1.
        precision: relative, of the distance.
        fronts: how many places of the border to move along it.
        rounds: of moves, at most.
        batch: points in each call of labels_of, the last filled up, so that it compiles once and
            no label depends on how many were asked for.
        ignore: labels that do not count as a change, such as those of unfinished runs.
        seed: of the directions.

    Raises:
        ValueError: a start that is not finite or not of floats; candidates of another structure;
            numbers out of range; labels that are not one whole number a point.
    """
    check_point(start, what="the start")
    rays, fronts, rounds, batch = whole(
        rays=(rays, 1), fronts=(fronts, 1), rounds=(rounds, 0), batch=(batch, 1)
    )
    for name, value, good in (
        ("precision", precision, 0 < precision < 0.1),
        ("reach", reach, reach is None or 0 < reach < math.inf),
    ):  # fmt: skip
        if not good:
            raise ValueError(f"{name} is {value}: give {_WANTED[name]}")
    rng = np.random.default_rng(seed)
    search = Rays(labels_of, start, ignore, batch)
    length = float(np.linalg.norm(search.origin))
    reach = float(reach if reach is not None else max(2 * length, 1.0))
    units, inside, outside = _first_others(search, candidates, rays, reach, rng)
    if not len(units):
        return Change(
            math.inf, start, search.label, search.label, precision, False, search.evaluations
        )
    nearest = np.argsort(outside, kind="stable")[: 4 * fronts]
    distances = search.bisect(units[nearest], inside[nearest], outside[nearest], 0.01)
    best = np.argsort(distances, kind="stable")[:fronts]
    units, distances = units[nearest][best], distances[best]
    angles = np.full(len(units), 0.25)
    for _ in range(rounds):
        going = np.flatnonzero(angles >= math.sqrt(precision) / 4)
        if not len(going) or search.origin.size == 1:
            break
        parts = units[going], distances[going], angles[going]
        units[going], distances[going], angles[going] = _moved(search, *parts, precision, rng)
    ended = bool(np.all(angles < math.sqrt(precision) / 4)) or search.origin.size == 1
    return dataclasses.replace(_finished(search, units, distances, precision), converged=ended)


_WANTED = {
    "precision": "a number between 0 and 0.1",
    "reach": "a finite distance above 0",
}


def _first_others(
    search: Rays, candidates: Any, rays: int, reach: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions that meet another label, and the distances with the start's and the other."""
    units = _unit(rng.normal(size=(rays, search.origin.size)))
    far = np.full(rays, reach)
    if candidates is not None:
        gaps = search.rows(candidates) - search.origin
        lengths = np.linalg.norm(gaps, axis=1)
        gaps, lengths = gaps[lengths > 0], lengths[lengths > 0]
        units, far = np.append(units, _unit(gaps), axis=0), np.append(far, lengths)
    levels = far[:, None] * 2.0 ** -np.arange(LEVELS)[::-1]
    many = np.repeat(units, LEVELS, axis=0)
    other = search.other(many, levels.ravel()).reshape(levels.shape)
    first = np.argmax(other, axis=1)
    hit = np.flatnonzero(other.any(axis=1))
    below = np.concatenate([np.zeros((len(levels), 1)), levels], axis=1)
    return units[hit], below[hit, first[hit]], levels[hit, first[hit]]


def _moved(
    search: Rays, units: np.ndarray, distances: np.ndarray, angles: np.ndarray,
    precision: float, rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """One move of each front along the border; its angle is a quarter where nothing is nearer."""
    fine = min(precision, float(angles.min()) * math.sqrt(precision)) / 4
    tangents = _tangents(units, min(PROBES, units.shape[1] - 1), rng)
    slopes, probes = _probed(search, units, distances, angles, tangents, fine)
    turn = np.einsum("mq,mqp->mp", slopes, tangents)
    tried = _unit(units[:, None] + np.array(SHARES)[:, None] * turn[:, None])
    tried = np.concatenate([tried, probes], axis=1)
    # any other label nearer than the front is an improvement, whatever border it belongs to
    bound = np.repeat(distances * (1 - precision / 16), tried.shape[1])
    flat = tried.reshape(-1, tried.shape[2])
    better = np.flatnonzero(search.other(flat, bound))
    found = np.full(len(flat), np.inf)
    found[better] = search.bisect(flat[better], np.zeros(len(better)), bound[better], fine)
    found = found.reshape(len(units), -1)
    best, at = np.argmin(found, axis=1), np.arange(len(units))
    nearer = found[at, best] < distances
    return (
        np.where(nearer[:, None], tried[at, best], units),
        np.where(nearer, found[at, best], distances),
        np.where(nearer, angles, angles / 4),
    )


def _probed(
    search: Rays, units: np.ndarray, distances: np.ndarray, angles: np.ndarray,
    tangents: np.ndarray, fine: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """How the border recedes along each tangent (m, q), and the directions it was seen along.

    A plane at n . x = D is at distance d(u) = D / (n . u), so 1 / d is linear in the direction, and
    its slopes along the tangents are the plane's. 0 where no border is met on either side.
    """
    shape = tangents.shape
    reach = np.repeat(distances * (1 + 8 * angles), shape[1])
    angle = np.repeat(angles, shape[1])
    signs, seen = np.ones(len(reach)), np.zeros(len(reach), bool)
    around, along = np.repeat(units, shape[1], axis=0), tangents.reshape(-1, shape[2])
    for sign in (1.0, -1.0):
        left = np.flatnonzero(~seen)
        if len(left):
            there = _unit(around[left] + (sign * angle[left])[:, None] * along[left])
            seen[left], signs[left] = search.other(there, reach[left]), sign
    probes = _unit(around + (signs * angle)[:, None] * along)
    which = np.flatnonzero(seen)
    met = search.bisect(probes[which], np.zeros(len(which)), reach[which], fine)
    slopes = np.zeros(len(reach))
    here = np.repeat(distances, shape[1])[which]
    lengths = np.sqrt(1 + angle[which] ** 2)
    slopes[which] = (lengths * here / met - 1) / (signs * angle)[which]
    return slopes.reshape(shape[:2]), probes.reshape(shape)


def _tangents(units: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """So many orthonormal directions across each unit vector, (m, count, P), drawn at random."""
    drawn = rng.normal(size=(len(units), units.shape[1], count))
    frames = np.linalg.qr(np.concatenate([units[:, :, None], drawn], axis=2))[0]
    return np.swapaxes(frames[:, :, 1:], 1, 2)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _finished(search: Rays, units: np.ndarray, distances: np.ndarray, precision: float) -> Change:
    """The nearest front, bisected once more and measured as the dtype rounds it."""
    best = np.argmin(distances)
    unit, outside = units[best : best + 1], distances[best : best + 1]
    outside = search.bisect(unit, np.zeros(1), outside, precision)
    # by the border a label may depend on the size of the batch that it was computed in
    for _ in range(64):
        if search.other(unit, outside)[0]:
            break
        outside = np.maximum(outside * (1 + precision), outside + search.spacing)
    row = search.origin + outside[:, None] * unit
    point = search.tree_of(row[0])
    change = search.rows(search.tree(row))[0] - search.origin
    distance = float(np.linalg.norm(change))
    # a change of 0: the start lies on the border itself, to rounding
    reached = max(precision, search.spacing / distance) if distance > 0 else 1.0
    return Change(
        distance=distance, point=point, label=int(search.labels(row)[0]), start_label=search.label,
        precision=reached, float_limited=reached > precision, evaluations=search.evaluations,
    )  # fmt: skip
