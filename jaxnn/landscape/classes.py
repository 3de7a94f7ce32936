"""Which stationary points are one: classes modulo the symmetries of the loss."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn.descent import as_pytree
from jaxnn.landscape.censuses import Census
from jaxnn.landscape.curvature import hessian
from jaxnn.landscape.families import families_of, with_limits
from jaxnn.landscape.gathering import TOLERANCE, Seen, gathered, in_order, seen_of
from jaxnn.landscape.many import at, in_float64, mapped, polish_all
from jaxnn.landscape.null_directions import nulls
from jaxnn.landscape.polishing import Ending, Stationary
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.landscape.symmetries import of as symmetries_of
from jaxnn.losses import LossOn, accuracy
from jaxnn.vocabulary import Landscape


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
    its points have the same loss, all or none of them a negative eigenvalue, and the same residuals
    where the landscape offers them; pieces of it that are not connected are not told apart, and its
    index and number of zero eigenvalues are those of most of the points found. Attractors at
    infinity are one by the limits of loss and outputs and by the sides of their hidden units
    (`attractors.signature`); for what is no network, by the limit of the loss. Searches that were
    unfinished or diverged, or ended at a kink, have no class. None of this depends on a constant in
    the loss, on the units of loss and parameters, or on how near the searches began.

    The images of isolated points under the symmetries of the data are stationary too: those that no
    search ended at are classes with 0 hits.

    Args:
        loss_fn: a point -> a scalar.
        found: a `Stationary` with a leading axis, from `polish_all`; or stacked points, which
            are polished first.
        symmetry: default that of the loss.
        tolerance: a distance between parameters, default 1e-6 of the points' length (its median);
            what rounding leaves open of a point comes to it.
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
        seen = seen_of(loss_fn, symmetry, found, tolerance)
        groups, spread, gap = gathered(seen)
        rows, missing = _rows(seen, groups)
        if missing is not None:
            whole = _joined(found, polish_all(loss_fn, missing))
            seen = seen_of(loss_fn, symmetry, whole, tolerance)
            groups, spread, gap = gathered(seen)
            rows, _ = _rows(seen, groups, hit=len(found.loss))
    if grows is None:
        grows = isinstance(loss_fn, LossOn) and bool(np.any(np.asarray(loss_fn.l2 or 0.0) > 0))
    return Census(
        **rows,
        endings=np.bincount(found.ending, minlength=len(Ending)),
        spread=spread,
        gap=gap,
        tolerance=seen.tolerance,
        last=np.asarray(found.loss)[np.asarray(found.ending) == Ending.unfinished],
        grows=grows,
        known=symmetry.known,
        converted=converted,
    )


def _joined(found: Stationary, more: Stationary) -> Stationary:
    """The points found, with those of more that are stationary."""
    more = at(more, np.flatnonzero(more.ending == Ending.stationary))
    return jax.tree.map(lambda a, b: np.concatenate([a, b]), found, more)


def _rows(
    seen: Seen, groups: list[np.ndarray], *, hit: int | None = None
) -> tuple[dict[str, Any], Any]:
    """The fields of a Census with a row for each class, in order of loss, then index; and the
    images under the symmetries of the data that are in none.

    hit: the searches are so many first points; the others are such images.
    """
    found = seen.found
    groups = in_order(seen, groups)
    first = np.array([group[0] for group in groups], int)
    labels = np.full(len(found.loss), -1)
    for number, group in enumerate(groups):
        labels[group] = number
    points = [jax.tree.map(jnp.asarray, at(found.point, k)) for k in first]
    hessians = mapped(_hessians, at(found.point, first), seen.loss_fn) if len(first) else []
    split = [
        nulls(seen.loss_fn, point, seen.symmetry, matrix=matrix, zero=int(zero))
        for point, matrix, zero in zip(points, hessians, found.zero[first], strict=True)
    ]
    ending, levels = np.asarray(found.ending)[first], np.asarray(found.level)[first]
    orbits = np.array(
        [_orbit_size(seen, *each) for each in zip(points, ending, split, strict=True)]
    )
    families = families_of(
        seen.symmetry, at(found.point, first), levels, np.isfinite(orbits),
        tolerance=seen.tolerance,
    )  # fmt: skip
    away = ending == Ending.plateau
    numbers = with_limits(seen.symmetry, at(found.point, first), away, families.numbers)
    rows = {
        "points": at(found.point, first),
        "losses": levels,
        "index": np.asarray(found.index)[first],
        "zero": np.asarray(found.zero)[first],
        "nulls": np.array(split, int).reshape(-1, 3),
        "ending": ending,
        "orbit_size": orbits,
        "hits": np.array([np.sum(group < (hit or len(labels))) for group in groups], int),
        "accuracy": np.array([_accuracy(seen.loss_fn, point) for point in points]),
        "families": numbers,
        "eigenvalues": found.eigenvalues[first],
        "labels": labels[:hit],
    }
    return rows, families.missing


@jax.jit
def _hessians(points: Any, loss_fn: Any) -> Any:
    return jax.vmap(lambda point: hessian(loss_fn, point))(points)


def _orbit_size(seen: Seen, point: Any, ending: int, split: Any) -> float:
    if (
        not seen.symmetry.known
        or ending != Ending.stationary
        or split.over_parameterisation
        or split.saturation
    ):
        return math.nan
    try:
        return float(seen.symmetry.orbit_size(point, tolerance=TOLERANCE))
    except ValueError:  # too many units are equal: said in the docstring of Census
        return math.nan


def _accuracy(loss_fn: Any, point: Any) -> float:
    if not isinstance(loss_fn, LossOn):
        return math.nan
    return float(accuracy(point, loss_fn.counted, activation=loss_fn.activation))
