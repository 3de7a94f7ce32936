"""Directions and planes in the space of points, for slices of a landscape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from jaxnn.vocabulary import Landscape, lookup

UNIT_AXIS = 0
"""The axis of a matrix that counts units: (units, inputs), as in jaxnn, PyTorch and Equinox."""


class Plane(NamedTuple):
    """A plane origin + x first + y second, and where the points it was laid through lie in it.

    `first` and `second` have Euclidean length 1 over the whole pytree and are perpendicular, so
    distances in (x, y) are distances between parameters; `coordinates` is (points, 2).
    """

    origin: Any
    first: Any
    second: Any
    coordinates: Array


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


def check_point(point: Any, *, finite: bool = True) -> None:
    """Refuse what no landscape can be differentiated at.

    Raises:
        ValueError: a point without leaves, with leaves that are no floats, or (where `finite`, and
            the point is concrete) with NaN or infinity in it.
    """
    leaves = jax.tree_util.tree_leaves_with_path(point)
    if not leaves:
        raise ValueError("the point has no leaves: give a pytree of float arrays")
    for path, leaf in leaves:
        where = f"the point's leaf {jax.tree_util.keystr(path) or '(itself)'}"
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ValueError(f"{where} is of {jnp.result_type(leaf)}: wanted floats; convert it")
        if finite and not isinstance(leaf, Tracer) and not np.isfinite(np.asarray(leaf)).all():
            raise ValueError(f"{where} holds NaN or infinity: give a finite point")


def check_direction(point: Any, direction: Any) -> None:
    """Refuse a direction that does not fit the point, or that is concrete and zero.

    Raises:
        ValueError: such a direction.
    """
    check_alike(point, direction, what="point and direction")
    leaves = jax.tree.leaves(direction)
    traced = any(isinstance(leaf, Tracer) for leaf in leaves)
    if not traced and not any(np.any(np.asarray(leaf)) for leaf in leaves):
        raise ValueError("the direction is zero: give one that leads somewhere")


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
    point: Any, key: Array, *, normalise: str = "none", biases: str = "with their units"
) -> Any:
    """A direction of independent standard normal entries, in the structure of the point.

    normalise, biases: as in `normalised`; the point gives the lengths.

    Raises:
        ValueError: as `normalised`.
    """
    flat, unravel = ravel_pytree(point)
    drawn = unravel(jax.random.normal(key, flat.shape, flat.dtype))
    return normalised(drawn, point, by=normalise, biases=biases)


def pair(point: Any, key: Array, *, normalise: str = "none") -> tuple[Any, Any]:
    """Two independent Gaussian directions, normalised, then made perpendicular and of the first's
    length, so that the axes of their plane have one unit.
    """
    keys = jax.random.split(key)
    first, second = (gaussian(point, k, normalise=normalise) for k in keys)
    unit, other, (length, *_) = _gram_schmidt(first, second)
    return tuple(jax.tree.map(lambda leaf: length * leaf, v) for v in (unit, other))  # pyright: ignore[reportReturnType]


def normalised(
    direction: Any, point: Any, *, by: str = "unit", biases: str = "with their units"
) -> Any:
    """The direction with the lengths that its parts have in the point, so that one t means one
    relative change everywhere.

    A part of the direction where the point is 0 becomes 0 (except by "none" and "unit").

    Args:
        direction: of the point's structure.
        point: where the slice is centred.
        by: "none"; "unit", Euclidean length 1 over the whole tree, whatever the point; "filter",
            each unit's part to the length of the unit's weights in the point (Li et al. 2018,
            section 4); "layer", each layer's; "weight", each number's. In a matrix a unit is a
            row (UNIT_AXIS), with its bias if the matrix is followed by a vector of as many units
            in the same container; a layer is such a container, else a leaf.
        biases: "with their units", in one length with the unit's weights; or "zero", no move
            along any leaf of fewer than two axes: what the code of Li et al. does.

    Raises:
        ValueError: trees of different structure, an unknown way.
    """
    check_alike(direction, point, what="direction and point")
    ways = {"none": None, "unit": _whole, "filter": _rows, "layer": _leaves, "weight": _entries}
    way = lookup(ways, by, what="way to normalise")
    lookup({"with their units": 0, "zero": 0}, biases, what="way with biases")
    if biases == "zero":
        direction = jax.tree.map(
            lambda leaf: leaf if jnp.ndim(leaf) > 1 else jnp.zeros_like(leaf), direction
        )
    if way is None:
        return direction
    return jax.tree.map(
        lambda leaf, factor: leaf * factor, direction, _factors(direction, point, way)
    )


def _whole(v: Any, p: Any) -> Any:
    del p
    return jnp.linalg.norm(ravel_pytree(v)[0])


def groups(tree: Any) -> list[tuple[int, ...]]:
    """The positions of the leaves that belong to one layer: a matrix and the vector behind it in
    the same container, if that has an entry for each of its rows; else a leaf alone.
    """
    paths = jax.tree_util.tree_leaves_with_path(tree)
    found: list[tuple[int, ...]] = []
    for at, (path, leaf) in enumerate(paths):
        if at and jnp.ndim(leaf) == 1 and found[-1] == (at - 1,):
            before, matrix = paths[at - 1]
            if before[:-1] == path[:-1] and jnp.ndim(matrix) > 1 and len(matrix) == len(leaf):
                found[-1] = (at - 1, at)
                continue
        found.append((at,))
    return found


def _factors(direction: Any, point: Any, way: Any) -> Any:
    """What each leaf of the direction is multiplied by."""
    structure = jax.tree.structure(direction)
    leaves, lengths = jax.tree.leaves(direction), jax.tree.leaves(point)
    if way is _whole:
        return jax.tree.map(lambda _: 1.0 / _whole(direction, point), direction)
    factors: list[Any] = [None] * len(leaves)
    for group in groups(direction):
        ratios = way([leaves[at] for at in group], [lengths[at] for at in group])
        for at, ratio in zip(group, ratios, strict=True):
            factors[at] = ratio
    return jax.tree.unflatten(structure, factors)


def _ratio(wanted: Array, there: Array) -> Array:
    return jnp.where(there > 0, wanted / jnp.where(there > 0, there, 1.0), 0.0)


def _sizes(leaves: Sequence[Array], keep: int) -> Array:
    """The Euclidean length of all leaves together, for each index of the first `keep` axes."""
    return jnp.sqrt(
        sum(jnp.sum(jnp.square(leaf), axis=tuple(range(keep, leaf.ndim))) for leaf in leaves)
    )


def _leaves(v: Sequence[Array], p: Sequence[Array]) -> list[Array]:
    return [_ratio(_sizes(p, 0), _sizes(v, 0))] * len(v)


def _rows(v: Sequence[Array], p: Sequence[Array]) -> list[Array]:
    if v[0].ndim < 2:
        return _leaves(v, p)
    each = _ratio(_sizes(p, 1), _sizes(v, 1))
    return [each.reshape(each.shape + (1,) * (leaf.ndim - 1)) for leaf in v]


def _entries(v: Sequence[Array], p: Sequence[Array]) -> list[Array]:
    return [_ratio(jnp.abs(b), jnp.abs(a)) for a, b in zip(v, p, strict=True)]


def suggest_range(
    loss_fn: Landscape, point: Any, direction: Any, *, rise: float | Array | None = None
) -> Array:
    """The t at which the loss along the direction has changed by about `rise`, by its slope g and
    curvature c at the point: |g| t + |c| t^2 / 2 = rise.

    A scalar, in multiples of the direction; infinite where slope and curvature are 0. rise: in
    units of the loss; default the loss at the point, so that it about doubles.

    Raises:
        ValueError: a direction that is zero or of another structure; a point that is no tree of
            finite floats.
    """
    check_point(point)
    check_direction(point, direction)

    def along(t: Array) -> Array:
        return loss_fn(jax.tree.map(lambda p, d: p + t * d, point, direction))

    zero = jnp.zeros((), ravel_pytree(point)[0].dtype)
    one = jnp.ones_like(zero)
    (value, slope), (_, curvature) = jax.jvp(
        lambda t: jax.jvp(along, (t,), (one,)), (zero,), (one,)
    )
    slope, curvature = jnp.abs(slope), jnp.abs(curvature)
    rise = jnp.abs(value) if rise is None else rise
    return 2.0 * rise / (slope + jnp.sqrt(slope**2 + 2.0 * curvature * rise))
