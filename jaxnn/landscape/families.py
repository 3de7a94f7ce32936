"""Classes of stationary points that the symmetries of the data carry into one another."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn import summaries
from jaxnn.descent import as_pytree
from jaxnn.landscape.comparisons import OUTPUTS, canonical_rows, distances, limits_of
from jaxnn.landscape.data_symmetries import MOST_COLUMNS, DataSymmetry
from jaxnn.landscape.many import at, in_float64
from jaxnn.landscape.polishing import Ending
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.landscape.symmetries import of as symmetries_of
from jaxnn.losses import LossOn
from jaxnn.vocabulary import Landscape

ALIKE = 1e-8
"""Images have one loss: others are not tried."""


class Families(NamedTuple):
    """numbers: (classes,) the same for classes that are images of each other. missing: a stacked
    tree of the images that are in no class; None where there are none.
    """

    numbers: np.ndarray
    missing: Any

    _repr_html_ = summaries.html()


def motions_of(symmetry: Symmetry, points: Any) -> tuple[DataSymmetry, ...]:
    """The symmetries of the data that move these stacked points, without the identity.

    None where the data has too many columns to try, or the landscape is no network's.
    """
    loss_fn = symmetry.loss_fn
    if not isinstance(loss_fn, LossOn) or not len(jax.tree.leaves(points)[0]):
        return ()
    if max(part.shape[1] for part in loss_fn.counted) > MOST_COLUMNS:
        return ()
    return symmetry.of_data(jax.tree.map(jnp.asarray, at(points, 0)))[1:]


def images_of(motions: tuple[DataSymmetry, ...], points: Any) -> Any:
    """Stacked points under each motion in turn, stacked too: (motions * points, ...) each leaf."""
    moved = [jax.vmap(motion.apply)(jax.tree.map(jnp.asarray, points)) for motion in motions]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *moved)


def kept_by(motions: tuple[DataSymmetry, ...], *, biases_alike: bool) -> tuple[DataSymmetry, ...]:
    """Those of the motions that also carry the distribution of the initial weights into itself, if
    each layer's weights are drawn alike, with either sign.

    A shift of the inputs moves biases by weights, and a column's exchange with the constant input
    makes them weights, which only draws alike for both allow (`biases_alike`).
    """
    return tuple(
        motion
        for motion in motions
        if not any(motion.inputs.shift) and (motion.exchanged is None or biases_alike)
    )


def families_of(
    symmetry: Symmetry,
    points: Any,
    losses: np.ndarray,
    isolated: np.ndarray,
    *,
    tolerance: float,
    motions: tuple[DataSymmetry, ...] | None = None,
) -> Families:
    """Which classes the symmetries of the data make images of each other, within the tolerance over
    the group of the network, and the images that should be there too.

    Only isolated classes (a mask) are compared; others are families of their own, as all are where
    there are no motions (default `motions_of` the points). On the host.

    Raises:
        ValueError: as `Symmetry.of_data`.
    """
    numbers = np.arange(len(losses))
    which = np.flatnonzero(isolated)
    if motions is None:
        motions = motions_of(symmetry, points) if len(which) > 1 else ()
    if not motions or not len(which):
        return Families(numbers, None)
    some, levels = at(points, which), losses[which]
    images, rows = images_of(motions, some), canonical_rows(some, symmetry)
    missing = []
    for place, row in enumerate(canonical_rows(images, symmetry)):
        k = place % len(which)
        alike = np.flatnonzero(np.abs(levels - levels[k]) <= ALIKE * (1.0 + np.abs(levels[k])))
        away = np.linalg.norm(rows[alike] - row[None, :], axis=1)
        if away.min() > tolerance:  # canonical rows jump at ties
            away = distances(symmetry, at(images, place), at(some, alike))
        if away.min() > tolerance:
            missing.append(place)
        for other in alike[away <= tolerance]:
            low, high = sorted((numbers[which[k]], numbers[which[other]]))
            numbers[numbers == high] = low
    numbers = np.unique(numbers, return_inverse=True)[1]
    return Families(numbers, at(images, np.array(missing)) if missing else None)


def with_limits(
    symmetry: Symmetry,
    points: Any,
    away: np.ndarray,
    numbers: np.ndarray,
    *,
    motions: tuple[DataSymmetry, ...] | None = None,
) -> np.ndarray:
    """The numbers of families, (classes,), with those of attractors at infinity (a mask): classes
    whose limits of outputs and sides of hidden units the motions carry into one another.
    """
    which = np.flatnonzero(away)
    if motions is None:
        motions = motions_of(symmetry, at(points, which)) if len(which) > 1 else ()
    if not motions or not len(which):
        return numbers
    loss_fn, numbers = symmetry.loss_fn, np.array(numbers)
    kinds = symmetry.kinds(jax.tree.map(jnp.asarray, at(points, which[0])))
    marks, sides = limits_of(loss_fn, at(points, which), kinds)
    images = images_of(motions, at(points, which))
    close = OUTPUTS * np.sqrt(marks.shape[1])
    for place, (row, side) in enumerate(zip(*limits_of(loss_fn, images, kinds), strict=True)):
        apart = np.linalg.norm(marks - row[None, :], axis=1)
        for other in np.flatnonzero(apart <= close):
            if sides[other] == side:
                low, high = sorted((numbers[which[place % len(which)]], numbers[which[other]]))
                numbers[numbers == high] = low
    return np.unique(numbers, return_inverse=True)[1]


def equal_families(
    loss_fn: Landscape, attractors: Any, *, biases_alike: bool = False
) -> np.ndarray:
    """The families of attractors that are equally probable: those that the symmetries of the data
    carry into one another which the initial distribution has too (`kept_by`), (classes,).
    For `labels.within_families`.

    Args:
        loss_fn: the landscape.
        attractors: a `Census`, as of `basins.Basins`.
        biases_alike: whether the first layer's biases are drawn as its weights are, as by the
            schemes normal and uniform.
    """
    with jax.enable_x64(True):
        symmetry = symmetries_of(in_float64(as_pytree(loss_fn)))
        points, away = attractors.points, attractors.ending == Ending.plateau
        motions = kept_by(motions_of(symmetry, points), biases_alike=biases_alike)
        isolated = np.isfinite(attractors.orbit_size)
        numbers = families_of(
            symmetry, points, attractors.losses, isolated, tolerance=attractors.tolerance,
            motions=motions,
        ).numbers  # fmt: skip
        return with_limits(symmetry, points, away, numbers, motions=motions)
