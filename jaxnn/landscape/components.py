"""Principal directions of a set of points."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.landscape.checks import check_alike


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Principal:
    """Principal directions of a set of points.

    centre: their mean. directions: trees of Euclidean length 1, stacked, largest variance first.
    explained: (k,) each direction's share of the variance. coordinates: (points, k) along them.
    residuals: (points,) the Euclidean distance of each point from their span through the centre.
    """

    centre: Any
    directions: Any
    explained: Array
    coordinates: Array
    residuals: Array

    _repr_html_ = summaries.html()


def principal(points: Any, *, k: int = 2, centre: Any = None) -> Principal:
    """The k directions along which the points (leading axis) vary most about their mean, or about
    the centre given.

    By the singular values of (points, P), not by the small matrix of inner products, which would
    lose half the digits of small shares. Each direction points to the side of the farthest
    coordinate. Time: points^2 P; memory: 3 points P. It calls LAPACK.

    Raises:
        ValueError: fewer than k + 1 points; a centre of another structure.
    """
    flat = jax.vmap(lambda point: ravel_pytree(point)[0])(points)
    _, unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], points))
    count = len(flat)
    if not 1 <= k < count:
        raise ValueError(f"{count} points have at most {count - 1} principal directions, not {k}")
    if centre is not None:
        check_alike(jax.tree.map(lambda leaf: leaf[0], points), centre, what="points and centre")
    middle = jnp.mean(flat, axis=0) if centre is None else ravel_pytree(centre)[0]
    gaps = flat - middle[None]
    size = jnp.max(jnp.abs(gaps))
    _, values, across = jnp.linalg.svd(gaps / size, full_matrices=False)
    axes = across[:k]
    coordinates = jnp.matmul(gaps, axes.T, precision="highest")
    farthest = jnp.argmax(jnp.abs(coordinates), axis=0)
    signs = jnp.where(coordinates[farthest, jnp.arange(k)] < 0, -1.0, 1.0).astype(gaps.dtype)
    axes, coordinates = signs[:, None] * axes, signs[None] * coordinates
    off = gaps - jnp.matmul(coordinates, axes, precision="highest")
    squares = jnp.square(values)
    return Principal(
        centre=unravel(middle),
        directions=jax.vmap(unravel)(axes),
        explained=squares[:k] / jnp.sum(squares),
        coordinates=coordinates,
        residuals=jnp.linalg.norm(off, axis=1),
    )
