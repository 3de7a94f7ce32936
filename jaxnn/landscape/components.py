"""Principal directions of a set of points."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.landscape.directions import check_alike


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


def principal(points: Any, *, k: int = 2, centre: Any = None) -> Principal:
    """The k directions along which the points (leading axis) vary most about their mean, or about
    the centre given.

    By the eigenvectors of the points' (points, points) matrix of inner products: cost points^2 P.

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
    values, vectors = jnp.linalg.eigh(gaps @ gaps.T)
    rows = vectors[:, ::-1][:, :k].T @ gaps
    axes = jnp.linalg.qr(rows.T)[0]
    axes = axes * jnp.sign(jnp.sum(axes * rows.T, axis=0))[None]
    coordinates = gaps @ axes
    off = gaps - coordinates @ axes.T
    return Principal(
        centre=unravel(middle),
        directions=jax.vmap(unravel)(axes.T),
        explained=values[::-1][:k] / jnp.sum(values),
        coordinates=coordinates,
        residuals=jnp.linalg.norm(off, axis=1),
    )
