"""Directions and planes in the space of points, for slices of a landscape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.landscape.checks import (
    check_alike,
    check_direction,
    check_loss,
    check_point,
    is_zero,
)
from jaxnn.vocabulary import Landscape, lookup


class Plane(NamedTuple):
    """A plane origin + x first + y second, and where the points it was laid through lie in it.

    `first` and `second` have Euclidean length 1 over the whole pytree and are perpendicular, so
    distances in (x, y) are distances between parameters; `coordinates` is (points, 2).
    """

    origin: Any
    first: Any
    second: Any
    coordinates: Array

    _repr_html_ = summaries.html()


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
    to_b, to_c = between(a, b), between(a, c)
    first, second, (length, along, height) = _gram_schmidt(to_b, to_c)
    longest = jnp.maximum(length, jnp.hypot(along, height))
    if not isinstance(height, Tracer) and not height > 1e-6 * longest:
        raise ValueError("the three points lie on one line: choose three that span a plane")
    zero = jnp.zeros_like(length)
    corners = jnp.stack([zero, zero, length, zero, along, height]).reshape(3, 2)
    return Plane(a, first, second, corners)


def _gram_schmidt(first: Any, second: Any) -> tuple[Any, Any, tuple[Array, Array, Array]]:
    """The orthonormal pair, and the length of first, and the parts of second along and across."""
    v, unravel = ravel_pytree(first)
    w = ravel_pytree(second)[0]
    length = jnp.linalg.norm(v)
    unit = v / length
    along = jnp.vdot(unit, w)
    rest = w - along * unit
    rest = rest - jnp.vdot(unit, rest) * unit  # once more: the first pass leaves rounding behind
    height = jnp.linalg.norm(rest)
    return unravel(unit), unravel(rest / height), (length, along, height)


def orthonormal(first: Any, second: Any) -> tuple[Any, Any]:
    """The pair with Euclidean lengths 1 and perpendicular, spanning the same plane; `first` keeps
    its direction.

    Raises:
        ValueError: trees of different structure; concrete directions that span no plane.
    """
    check_direction(first, second)
    v, w, (length, along, height) = _gram_schmidt(first, second)
    if not isinstance(height, Tracer) and not height > 1e-6 * jnp.hypot(along, height) * (
        length > 0
    ):
        raise ValueError("the two directions lie on one line: choose two that span a plane")
    return v, w


def gaussian(
    point: Any,
    key: Array,
    *,
    normalise: str = "none",
    biases: str = "with their units",
    unit_axis: int = 0,
) -> Any:
    """A direction of independent standard normal entries, in the structure of the point.

    normalise, biases, unit_axis: as in `normalised`; the point gives the lengths.

    >>> d = gaussian({"w": jnp.ones((2, 3))}, jax.random.key(0), normalise="unit")
    >>> print(f"{jnp.linalg.norm(d['w']):.4f}")
    1.0000

    Raises:
        ValueError: a point that is no tree of finite floats; as `normalised`.
    """
    check_point(point)
    flat, unravel = ravel_pytree(point)
    drawn = unravel(jax.random.normal(key, flat.shape, flat.dtype))
    return normalised(drawn, point, by=normalise, biases=biases, unit_axis=unit_axis)


def pair(point: Any, key: Array, *, normalise: str = "none", unit_axis: int = 0) -> tuple[Any, Any]:
    """Two independent Gaussian directions, normalised, then made perpendicular and of the first's
    length, so that the axes of their plane have one unit.

    Raises:
        ValueError: a point of one number, which has no plane; as `gaussian`.
    """
    if ravel_pytree(point)[0].size < 2:
        raise ValueError("the point has 1 parameter: a plane needs at least 2")
    keys = jax.random.split(key)
    drawn = [gaussian(point, k, normalise=normalise, unit_axis=unit_axis) for k in keys]
    unit, other, (length, *_) = _gram_schmidt(*drawn)
    first, second = (jax.tree.map(lambda leaf: length * leaf, v) for v in (unit, other))
    return first, second


def normalised(
    direction: Any,
    point: Any,
    *,
    by: str = "unit",
    biases: str = "with their units",
    unit_axis: int = 0,
) -> Any:
    """The direction with the lengths that its parts have in the point, so that one t means one
    relative change everywhere.

    A part of the direction where the point is 0 becomes 0 (except by "none" and "unit").

    Args:
        direction: of the point's structure.
        point: where the slice is centred.
        by: "none"; "unit", Euclidean length 1 over the whole tree, whatever the point; "filter",
            each unit's part to the length that the unit has in the point (Li et al. 2018, section
            4); "layer", each layer's; "weight", each number's. A layer is as in `groups`, a unit an
            index of its matrix's unit axis.
        biases: "with their units", in one length with the unit's weights; or "zero", no move
            along any leaf of fewer than two axes: what the code of Li et al. does.
        unit_axis: the axis of a matrix that counts units: 0 for (units, inputs), as in jaxnn,
            PyTorch and Equinox; -1 for Flax's kernels.

    Raises:
        ValueError: trees of different structure, an unknown way; a concrete point or direction that
            is zero where it is to give lengths.
    """
    check_alike(direction, point, what="direction and point")
    ways = {"none": None, "unit": None, "filter": 1, "layer": 0, "weight": None}
    shared = lookup(ways, by, what="way to normalise")
    lookup({"with their units": 0, "zero": 0}, biases, what="way with biases")
    if by in ("filter", "layer", "weight") and is_zero(point):
        raise ValueError(
            f"the point is zero and gives no lengths for {by!r}: take 'unit' or 'none'"
        )
    if by == "unit":
        check_direction(point, direction)
    if biases == "zero":
        direction = jax.tree.map(
            lambda leaf: leaf if jnp.ndim(leaf) > 1 else jnp.zeros_like(leaf), direction
        )
    if by == "unit":
        length = jnp.linalg.norm(ravel_pytree(direction)[0])
        return jax.tree.map(lambda leaf: leaf / length, direction)
    if by == "weight":
        return jax.tree.map(lambda v, p: v * _ratio(jnp.abs(p), jnp.abs(v)), direction, point)
    if shared is None:
        return direction
    leaves, lengths = jax.tree.leaves(direction), jax.tree.leaves(point)
    for group in groups(point, unit_axis=unit_axis):
        parts = [[_units_first(tree[at], unit_axis) for at in group] for tree in (leaves, lengths)]
        axes = shared if parts[0][0].ndim > 1 else 0
        ratio = _ratio(_sizes(parts[1], axes), _sizes(parts[0], axes))
        for at, part in zip(group, parts[0], strict=True):
            scaled = part * ratio.reshape(ratio.shape + (1,) * (part.ndim - axes))
            back = unit_axis if leaves[at].ndim > 1 else 0
            leaves[at] = jnp.moveaxis(scaled, 0, back) if scaled.ndim else scaled
    return jax.tree.unflatten(jax.tree.structure(direction), leaves)


def groups(tree: Any, *, unit_axis: int = 0) -> list[tuple[int, ...]]:
    """The positions of the leaves that make up one layer: the matrix and the vector of a container
    that has just these two, with as many entries as the matrix has units; else each leaf alone.
    """
    homes: dict[tuple, list[int]] = {}
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    for at, (path, _) in enumerate(leaves):
        names = [getattr(key, "name", key) for key in path]
        home = path[:-1] if names[-1:] != ["value"] else path[:-2]  # Flax wraps each array
        homes.setdefault(home, []).append(at)
    found = []
    for inside in homes.values():
        shapes = {at: jnp.shape(leaves[at][1]) for at in inside}
        matrices = [at for at in inside if len(shapes[at]) > 1]
        vectors = [at for at in inside if len(shapes[at]) == 1]
        fits = len(inside) == 2 and len(matrices) == len(vectors) == 1
        if fits and shapes[matrices[0]][unit_axis] == shapes[vectors[0]][0]:
            found.append((matrices[0], vectors[0]))
        else:
            found += [(at,) for at in inside]
    return found


def _units_first(leaf: Any, unit_axis: int) -> Array:
    leaf = jnp.asarray(leaf)
    return jnp.moveaxis(leaf, unit_axis, 0) if leaf.ndim > 1 else leaf


def _ratio(wanted: Array, there: Array) -> Array:
    return jnp.where(there > 0, wanted / jnp.where(there > 0, there, 1.0), 0.0)


def _sizes(leaves: Sequence[Array], keep: int) -> Array:
    """The Euclidean length of all leaves together, for each index of the first `keep` axes."""
    squares = [jnp.sum(jnp.square(leaf), axis=tuple(range(keep, leaf.ndim))) for leaf in leaves]
    return jnp.sqrt(sum(squares[1:], start=squares[0]))


def suggest_range(
    loss_fn: Landscape, point: Any, direction: Any, *, rise: float | Array | None = None
) -> Array:
    """The t at which the loss along the direction has changed by about `rise`, by its slope g and
    curvature c at the point: |g| t + |c| t^2 / 2 = rise.

    A scalar, in multiples of the direction; infinite where slope and curvature are 0. rise: in
    units of the loss; default the loss at the point, so that it about doubles, or where that is 0
    what t = 1 makes it.

    >>> t = suggest_range(lambda p: p**2, jnp.array(1.0), jnp.array(1.0))
    >>> print(f"{t:.4f}")  # (1 + t)^2 = 2
    0.4142

    Raises:
        ValueError: a direction that is zero or of another structure; as `checks.check_loss`.
    """
    check_loss(loss_fn, point)
    check_direction(point, direction)

    def along(t: Array) -> Array:
        return loss_fn(jax.tree.map(lambda p, d: p + t * d, point, direction))

    zero = jnp.zeros((), ravel_pytree(point)[0].dtype)
    one = jnp.ones_like(zero)
    (value, slope), (_, curvature) = jax.jvp(
        lambda t: jax.jvp(along, (t,), (one,)), (zero,), (one,)
    )
    slope, curvature = jnp.abs(slope), jnp.abs(curvature)
    if rise is None:
        rise = jnp.where(value == 0, slope + 0.5 * curvature, jnp.abs(value))
    speed = slope + jnp.sqrt(slope**2 + 2.0 * curvature * rise)
    return jnp.where(speed > 0, 2.0 * rise / jnp.where(speed > 0, speed, 1.0), jnp.inf)
