"""Windows on the space of initial weights: starts on a line or over a plane, in float64, and how
finely float64 can tell them apart.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxnn.landscape.checks import check_direction, check_point


def on_plane(origin: Any, first: Any, second: Any, xs: Any, ys: Any) -> Any:
    """The starts origin + x first + y second in float64, stacked row by row in y as images are:
    (len(ys) len(xs), ...) each leaf.

    An axis of one number gives one column or row.

    Raises:
        ValueError: a point of fewer than 2 parameters, or not finite; directions that do not fit
            it, are zero or not finite, or span no plane; axes that are not one axis of numbers, or
            are one number over and over.
    """
    xs, ys = _axis("xs", xs), _axis("ys", ys)
    origin = _doubles(origin, what="the point")
    flat, unravel = _flat(origin)
    if flat.size < 2:
        raise ValueError("a plane needs at least 2 parameters and the point has 1: use on_line")
    v, w = (_direction(origin, direction) for direction in (first, second))
    # of unit length both, whatever their scales: the second singular value is their angle / sqrt 2
    if not np.linalg.svd(np.stack([_unit(v), _unit(w)]), compute_uv=False)[1] > 1e-12:
        raise ValueError("the two directions span a plane of zero area: give two that differ")
    x, y = (part.reshape(-1, 1) for part in np.meshgrid(xs, ys))
    return unravel(flat[None, :] + x * v[None, :] + y * w[None, :])


def on_line(origin: Any, direction: Any, ts: Any) -> Any:
    """The starts origin + t direction in float64, stacked, (len(ts), ...) each leaf.

    Raises:
        ValueError: a point that is not finite; a direction that does not fit it, is zero or not
            finite; ts that are not one axis of numbers, or are one number over and over.
    """
    ts = _axis("ts", ts)
    origin = _doubles(origin, what="the point")
    flat, unravel = _flat(origin)
    v = _direction(origin, direction)
    return unravel(flat[None, :] + ts[:, None] * v[None, :])


def _axis(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} has shape {array.shape}: give one axis of finite numbers")
    if array.size > 1 and np.ptp(array) == 0:
        raise ValueError(
            f"all {array.size} {name} are {array[0]:g}: give numbers that differ, or that one alone"
        )
    return array


def _doubles(tree: Any, *, what: str) -> Any:
    """The tree in float64, of integers too."""
    doubles = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)
    check_point(doubles, what=what)
    return doubles


def _direction(origin: Any, direction: Any) -> np.ndarray:
    """The direction as a vector."""
    doubles = _doubles(direction, what="the direction")
    check_direction(origin, doubles)
    return _flat(doubles)[0]


def _unit(v: np.ndarray) -> np.ndarray:
    """The direction v / |v|, where squares may overflow."""
    scaled = v / np.max(np.abs(v))
    return scaled / np.linalg.norm(scaled)


def _flat(tree: Any) -> tuple[np.ndarray, Any]:
    """The tree as a vector in float64, and rows of such vectors as a stacked tree."""
    leaves, structure = jax.tree.flatten(tree)
    arrays = [np.asarray(leaf, np.float64) for leaf in leaves]
    cuts = np.cumsum([array.size for array in arrays])[:-1]

    def unravel(rows: np.ndarray) -> Any:
        parts = np.split(rows, cuts, axis=1)
        shaped = [p.reshape(-1, *a.shape) for p, a in zip(parts, arrays, strict=True)]
        return jax.tree.unflatten(structure, shaped)

    return np.concatenate([array.ravel() for array in arrays]), unravel
