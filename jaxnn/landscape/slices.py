"""The loss, or any function of a point, along lines, over planes and over grids through a point."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from jaxnn import summaries
from jaxnn.descent import as_pytree
from jaxnn.landscape.checks import check_direction, check_loss, check_point
from jaxnn.landscape.directions import gaussian
from jaxnn.vocabulary import Landscape

TILE = 16
"""Points evaluated side by side: bounds memory at this many networks' values."""

Over = Callable[[Callable[[Any], Any], Any], Any]
"""(function, items with a leading axis) -> the function of each item, stacked."""

in_tiles: Over = partial(jax.lax.map, batch_size=TILE)
"""One device, TILE points at a time, whatever their number."""


Value = Callable[[Any], Any]
"""A function of a point: a loss, or anything else that is an array or a tree of them."""


def at(loss_fn: Value, point: Any, directions: Sequence[Any], coefficients: Array) -> Any:
    """The loss at point + sum_k coefficients_k direction_k; coefficients (directions,)."""

    def moved(leaf: Array, *steps: Array) -> Array:
        return leaf + sum(c * s for c, s in zip(coefficients, steps, strict=True))

    return loss_fn(jax.tree.map(moved, point, *directions))


def line(loss_fn: Value, point: Any, direction: Any, ts: Array, *, over: Over = in_tiles) -> Any:
    """The loss at point + t direction for each t: (len(ts),).

    The true loss everywhere, never interpolated; where it is not finite it is given so.

    >>> point, direction = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
    >>> line(lambda p: jnp.sum(p**2), point, direction, jnp.array([-1.0, 0.0, 2.0]))
    Array([2., 1., 5.], dtype=float32)

    Args:
        loss_fn: any function of a point: a loss, an accuracy, `gradient_norm(loss_fn)`; where it
            gives an array or a tree, every leaf gets the axis of ts in front.
        point: t = 0.
        direction: the unit of t; of the point's structure.
        ts: any order, any spacing.
        over: how points are gone through: by default TILE at a time under the caller's jit; or
            `jaxnn.devices.each`, over all devices and compiled by itself.

    Raises:
        ValueError: ts that is not one axis of numbers; a direction that is zero or of another
            structure than the point; a point that is no tree of finite floats.
    """
    return grid(loss_fn, point, [direction], [_one_axis("ts", ts)], over=over)


def plane(
    loss_fn: Value, point: Any, d1: Any, d2: Any, xs: Array, ys: Array, *, over: Over = in_tiles
) -> Any:
    """The loss at point + x d1 + y d2: (len(ys), len(xs)), row by row in y, the order of images.

    As `line` otherwise.

    >>> x, y, ts = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]), jnp.array([-1.0, 0.0, 1.0])
    >>> plane(lambda p: p[0] + 10 * p[1], jnp.zeros(2), x, y, ts, ts[1:])
    Array([[-1.,  0.,  1.],
           [ 9., 10., 11.]], dtype=float32)
    """
    xs, ys = _one_axis("xs", xs), _one_axis("ys", ys)
    return grid(loss_fn, point, [d2, d1], [ys, xs], over=over)


def grid(
    loss_fn: Value,
    point: Any,
    directions: Sequence[Any],
    axes: Sequence[Array],
    *,
    over: Over = in_tiles,
) -> Any:
    """The loss at point + sum_k t_k direction_k for every combination of t_k in axes_k:
    (len(axes_1), ..., len(axes_n)).

    As `line` otherwise; memory beyond the values is that of one tile.

    Raises:
        ValueError: unequally many directions and axes, or none; as `line`.
    """
    axes = [_one_axis(f"axes[{k}]", axis) for k, axis in enumerate(axes)]
    _check_count(directions, axes)
    check_point(point)
    for direction in directions:
        check_direction(point, direction)
    counts = tuple(len(axis) for axis in axes)
    corners = jnp.stack(jnp.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    values = over(Partial(at, as_pytree(loss_fn), point, list(directions)), corners)
    return jax.tree.map(lambda leaf: leaf.reshape(counts + leaf.shape[1:]), values)


def _check_count(directions: Sequence[Any], axes: Sequence[Any]) -> None:
    if len(directions) != len(axes) or not axes:
        raise ValueError(
            f"{len(directions)} directions and {len(axes)} axes: give one axis a direction"
        )


def _one_axis(name: str, values: Any) -> Array:
    values = jnp.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}: give one axis of numbers")
    return values


def gradient_norm(loss_fn: Landscape) -> Landscape:
    """The landscape point -> Euclidean norm of the gradient of loss_fn there."""
    return Partial(_gradient_norm, as_pytree(loss_fn))


def _gradient_norm(loss_fn: Landscape, point: Any) -> Array:
    return jnp.linalg.norm(ravel_pytree(jax.grad(loss_fn)(point))[0])


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Bundle:
    """Many lines through one point in random directions.

    ts: (ts,). values: (lines, ts). low, middle, high: (ts,), the 5, 50 and 95 % quantiles over
    lines; NaN where any value is NaN.
    """

    ts: Array
    values: Array
    low: Array
    middle: Array
    high: Array

    _repr_html_ = summaries.html()


def bundle(
    loss_fn: Landscape,
    point: Any,
    key: Array,
    ts: Array,
    *,
    lines: int = 100,
    normalise: str = "filter",
) -> Bundle:
    """The loss along many Gaussian directions and the band they fill: what a single random line
    may or may not show.

    Args:
        loss_fn: a point -> a scalar.
        point: t = 0 of every line.
        key: draws the directions; used up.
        ts: positions, in multiples of a direction.
        lines: how many.
        normalise: as in `directions.gaussian`.

    Raises:
        ValueError: fewer than one line; as `line`.
    """
    ts = _one_axis("ts", ts)
    if lines < 1:
        raise ValueError(f"lines is {lines}: give at least 1")
    check_loss(loss_fn, point)

    def one(k: Array) -> Array:
        direction = gaussian(point, k, normalise=normalise)
        return line(loss_fn, point, direction, ts, over=jax.lax.map)

    values = in_tiles(one, jax.random.split(key, lines))
    low, middle, high = jnp.quantile(values, jnp.array([0.05, 0.5, 0.95], values.dtype), axis=0)
    return Bundle(ts, values, low, middle, high)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SelfCheck:
    """A slice held against the landscape at its centre, for n directions.

    Each of the three has an axis (2, ...) in front: as the values say by difference quotients, and
    the truth. centre (2,): the loss. slope (2, n): gradient . direction. curvature (2, n, n):
    direction_i . Hessian direction_j. resolved: whether all agree to a tenth of the values' own
    scale; if not, rows are misplaced, or the grid is too coarse to show what is there.
    """

    centre: Array
    slope: Array
    curvature: Array
    resolved: Array

    _repr_html_ = summaries.html()


def self_check(
    loss_fn: Landscape, point: Any, directions: Sequence[Any], axes: Sequence[Array], values: Array
) -> SelfCheck:
    """Whether the values of `grid` (for `line` one direction; for `plane` [d2, d1] with [ys, xs])
    show the loss, gradient and Hessian at the point.

    By polynomials through the 5 values nearest to 0 on each axis (Fornberg 1988), against
    automatic differentiation. Costs n gradients' derivatives.

    Raises:
        ValueError: values that are not a number for each combination; fewer than 3 on an axis;
            unequally many directions and axes; as `line`.
    """
    check_loss(loss_fn, point)
    for direction in directions:
        check_direction(point, direction)
    axes = [_one_axis(f"axes[{k}]", axis) for k, axis in enumerate(axes)]
    counts = tuple(len(axis) for axis in axes)
    _check_count(directions, axes)
    if jnp.shape(values) != counts or min(counts) < 3:
        raise ValueError(
            f"values have shape {jnp.shape(values)} for axes of {counts}: wanted that shape, "
            "with at least 3 along each"
        )
    near = [jnp.argsort(jnp.abs(axis))[: min(5, len(axis))] for axis in axes]
    part = jnp.asarray(values)[jnp.ix_(*near)]
    rules = [_derivatives_at_zero(axis[n]) for axis, n in zip(axes, near, strict=True)]

    def quotient(*orders: int) -> Array:
        found = part
        for rule, order in zip(rules, orders, strict=True):
            found = jnp.tensordot(rule[order], found, axes=1)
        return found

    n = len(axes)
    unit = [[int(i == k) for i in range(n)] for k in range(n)]
    slope = jnp.stack([quotient(*unit[k]) for k in range(n)])
    bent = [[quotient(*[a + b for a, b in zip(u, v, strict=True)]) for v in unit] for u in unit]
    seen = (quotient(*[0] * n), slope, jnp.array(bent))

    def moved(coefficients: Array) -> Array:
        return at(loss_fn, point, directions, coefficients)

    zero = jnp.zeros(n, seen[1].dtype)
    value, true_slope = jax.value_and_grad(moved)(zero)
    pairs = list(zip(seen, (value, true_slope, jax.hessian(moved)(zero)), strict=True))
    extent = jnp.array([0.5 * (jnp.max(axis) - jnp.min(axis)) for axis in axes])
    height = jnp.max(values) - jnp.min(values)
    scales = (height, height / extent, height / (extent[:, None] * extent[None]))
    # rounding in the values, as the quotients enlarge it
    eps = jnp.finfo(part.dtype).eps * jnp.max(jnp.abs(part))
    size = jnp.stack([jnp.sum(jnp.abs(rule[1]), axis=0) for rule in rules])
    noise = (eps, eps * size, 4 * eps * size[:, None] * size[None])
    close = [
        jnp.all(jnp.abs(a - b) <= 0.1 * jnp.maximum(scale, jnp.abs(b)) + 4 * floor)
        for (a, b), scale, floor in zip(pairs, scales, noise, strict=True)
    ]
    return SelfCheck(*(jnp.stack(both) for both in pairs), resolved=jnp.all(jnp.stack(close)))


def _derivatives_at_zero(ts: Array) -> Array:
    """The weights (3, len(ts)) that give value, first and second derivative at 0 from values at
    ts, exact for polynomials of degree below len(ts).
    """
    scale = jnp.max(jnp.abs(ts))
    powers = (ts / scale)[None, :] ** jnp.arange(len(ts))[:, None]
    wanted = jnp.eye(len(ts), 3, dtype=ts.dtype) * jnp.array([1.0, 1.0, 2.0], ts.dtype)[None]
    found = jnp.linalg.solve(powers, wanted).T
    return found / scale ** jnp.arange(3)[:, None]
