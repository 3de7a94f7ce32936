"""The loss along a line and over a plane through a point."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.vocabulary import Landscape

TILE = 64
"""Points evaluated side by side: bounds memory at this many networks' values."""


def line(loss_fn: Landscape, point: Any, direction: Any, ts: Array) -> Array:
    """The loss at point + t direction for each t: (len(ts),).

    The true loss everywhere, never interpolated; where it is not finite it is given so.

    Raises:
        ValueError: ts that is not one axis of numbers.
    """
    ts = _one_axis("ts", ts)
    return _evaluate(loss_fn, point, [direction], ts[:, None])


def plane(loss_fn: Landscape, point: Any, d1: Any, d2: Any, xs: Array, ys: Array) -> Array:
    """The loss at point + x d1 + y d2: (len(ys), len(xs)), row by row in y, the order of images.

    Raises:
        ValueError: xs or ys that is not one axis of numbers.
    """
    xs, ys = _one_axis("xs", xs), _one_axis("ys", ys)
    grid = jnp.stack(jnp.meshgrid(xs, ys), axis=-1)
    return _evaluate(loss_fn, point, [d1, d2], grid.reshape(-1, 2)).reshape(len(ys), len(xs))


def _one_axis(name: str, values: Any) -> Array:
    values = jnp.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}: give one axis of numbers")
    return values


def _evaluate(loss_fn: Landscape, point: Any, directions: list, coordinates: Array) -> Array:
    """The loss at point + sum_k coordinate_k direction_k for each row of (points, directions)."""

    def at(coefficients: Array) -> Array:
        def moved(leaf: Array, *steps: Array) -> Array:
            return leaf + sum(c * s for c, s in zip(coefficients, steps, strict=True))

        return loss_fn(jax.tree.map(moved, point, *directions))

    return jax.lax.map(at, coordinates, batch_size=TILE)
