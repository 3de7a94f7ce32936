"""Directions and planes in the space of points, for slices of a landscape."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from jaxnn.vocabulary import lookup


class Plane(NamedTuple):
    """A plane origin + x first + y second, and where the points it was laid through lie in it.

    `first` and `second` have Euclidean length 1 over the whole pytree and are perpendicular, so
    distances in (x, y) are distances between parameters; `coordinates` is (points, 2).
    """

    origin: Any
    first: Any
    second: Any
    coordinates: Array


def between(a: Any, b: Any) -> Any:
    """The direction b - a, not normalised: the line a + t (b - a) reaches b at t = 1.

    Raises:
        ValueError: points of different structure or shapes.
    """
    check_alike(a, b)
    return jax.tree.map(lambda p, q: q - p, a, b)


def through(a: Any, b: Any, c: Any) -> Plane:
    """The plane through three points: origin a, `first` towards b, `second` towards c
    (Gram-Schmidt).

    Raises:
        ValueError: points of different structure or shapes; concrete points that lie on one line.
    """
    check_alike(a, b)
    check_alike(a, c)
    flat, unravel = ravel_pytree(a)
    to_b, to_c = ravel_pytree(b)[0] - flat, ravel_pytree(c)[0] - flat
    length = jnp.linalg.norm(to_b)
    first = to_b / length
    along = jnp.vdot(first, to_c)
    rest = to_c - along * first
    height = jnp.linalg.norm(rest)
    concrete = not isinstance(height, Tracer)
    if concrete and not height > 1e-6 * jnp.maximum(length, jnp.linalg.norm(to_c)):
        raise ValueError("the three points lie on one line: choose three that span a plane")
    zero = jnp.zeros_like(length)
    corners = jnp.stack([zero, zero, length, zero, along, height]).reshape(3, 2)
    return Plane(a, unravel(first), unravel(rest / height), corners)


def check_alike(a: Any, b: Any, *, what: str = "points") -> None:
    """Refuse two trees that differ in structure or in the shapes of their leaves.

    Raises:
        ValueError: such trees; `what` names them, and both are described.
    """
    described = [
        (jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)])
        for tree in (a, b)
    ]
    if described[0] != described[1]:
        raise ValueError(f"{what} differ in structure: {described[0]} against {described[1]}")


def gaussian(point: Any, key: Array, *, normalise: str = "none") -> Any:
    """A direction of independent standard normal entries in the structure of the point.

    normalise: "none", or "unit" for Euclidean length 1 over the whole pytree.

    Raises:
        ValueError: an unknown way to normalise.
    """
    flat, unravel = ravel_pytree(point)
    drawn = jax.random.normal(key, flat.shape, flat.dtype)
    ways = {"none": lambda v: v, "unit": lambda v: v / jnp.linalg.norm(v)}
    return unravel(lookup(ways, normalise, what="way to normalise")(drawn))
