"""Stacked points compared over a group of symmetries, side by side, on the host.

A group is what has `canonical(point)` or `distance(a, b)` and is a pytree, as
`symmetries.Symmetry` is.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.landscape.attractors import canonical_sides, signature
from jaxnn.landscape.many import at, mapped
from jaxnn.losses import LossOn

OUTPUTS = 1e-3
"""Limits of outputs that differ by no more are one."""


def canonical_rows(points: Any, group: Any) -> np.ndarray:
    """Rows (points, P), near to each other for images of one point, but for ties
    (`Symmetry.canonical`).
    """
    return mapped(_canonical, points, group)


def distances(group: Any, one: Any, others: Any) -> np.ndarray:
    """The distance over the group from one point to each of stacked others, (others,), in the
    parameters' unit.
    """
    if not len(jax.tree.leaves(others)[0]):
        return np.zeros(0)
    return mapped(_distances, others, group, jax.tree.map(jnp.asarray, one))


def limits_of(
    loss_fn: LossOn, points: Any, kinds: tuple[str, ...]
) -> tuple[np.ndarray, list[tuple]]:
    """The outputs of each point (points, cases * outputs), and the sides of its hidden units, the
    same for all its images.
    """
    outputs, layers = mapped(_signature, points, loss_fn)
    count = len(outputs)
    flat = np.concatenate([np.zeros((count, 0)), *(s.reshape(count, -1) for s in layers)], axis=1)
    _, first, which = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    known = [canonical_sides(at(layers, k), kinds) for k in first]
    return outputs.reshape(count, -1), [known[k] for k in which.ravel()]


@jax.jit
def _canonical(points: Any, group: Any) -> Array:
    return jax.vmap(lambda point: ravel_pytree(group.canonical(point))[0])(points)


@jax.jit
def _distances(points: Any, group: Any, one: Any) -> Array:
    return jax.vmap(lambda point: group.distance(one, point))(points)


@jax.jit
def _signature(points: Any, loss_fn: Any) -> Any:
    return jax.vmap(lambda point: signature(loss_fn, point))(points)
