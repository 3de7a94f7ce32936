"""Classes of stationary points that the symmetries of the data carry into one another."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn.landscape.data_symmetries import MOST_COLUMNS
from jaxnn.landscape.many import at, mapped
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.losses import LossOn

ALIKE = 1e-8
"""Images have one loss: others are not tried."""


def families_of(
    symmetry: Symmetry, points: Any, losses: np.ndarray, isolated: np.ndarray, *, tolerance: float
) -> np.ndarray:
    """A number for each class (classes,), the same where a symmetry of the data makes one the image
    of the other, within the tolerance over the group of the network.

    Only isolated classes (a mask) are compared; others are families of their own, as all are where
    the data has too many columns to try or the landscape is no network's. On the host.

    Raises:
        ValueError: as `Symmetry.of_data`.
    """
    numbers = np.arange(len(losses))
    loss_fn = symmetry.loss_fn
    if not isinstance(loss_fn, LossOn) or not len(losses):
        return numbers
    if max(part.shape[1] for part in loss_fn.counted) > MOST_COLUMNS:
        return numbers
    motions = symmetry.of_data(jax.tree.map(jnp.asarray, at(points, 0)))[1:]
    for k in np.flatnonzero(isolated):
        near = np.abs(losses - losses[k]) <= ALIKE * (1.0 + np.abs(losses[k]))
        alike = np.flatnonzero(near & isolated)
        if len(alike) < 2:
            continue
        point = jax.tree.map(jnp.asarray, at(points, k))
        images = [motion.apply(point) for motion in motions]
        for image in images:
            away = mapped(_distances, at(points, alike), symmetry, image)
            for other in alike[away <= tolerance]:
                low, high = sorted((numbers[k], numbers[other]))
                numbers[numbers == high] = low
    return np.unique(numbers, return_inverse=True)[1]


@jax.jit
def _distances(points: Any, symmetry: Symmetry, one: Any) -> Any:
    return jax.vmap(lambda point: symmetry.distance(one, point))(points)
