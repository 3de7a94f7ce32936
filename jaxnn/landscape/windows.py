"""Windows on the space of initial weights: starts on a line or over a plane, in float64, and how
finely float64 can tell them apart.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def on_plane(origin: Any, first: Any, second: Any, xs: Any, ys: Any) -> Any:
    """The starts origin + x first + y second in float64, stacked row by row in y as images are:
    (len(ys) len(xs), ...) each leaf.

    Raises:
        ValueError: directions that do not fit the origin or span no plane; axes that are not one
            axis of numbers.
    """
    xs, ys = _axis("xs", xs), _axis("ys", ys)
    flat, unravel = _flat(origin)
    v, w = (_flat(direction)[0] for direction in (first, second))
    if v.shape != flat.shape or w.shape != flat.shape:
        raise ValueError(
            f"directions of {v.size} and {w.size} numbers at a point of {flat.size}: give "
            "directions of its structure"
        )
    if not np.linalg.svd(np.stack([v, w]), compute_uv=False)[1] > 1e-12 * np.linalg.norm(v):
        raise ValueError("the two directions span a plane of zero area: give two that differ")
    x, y = (part.reshape(-1, 1) for part in np.meshgrid(xs, ys))
    return unravel(flat[None, :] + x * v[None, :] + y * w[None, :])


def on_line(origin: Any, direction: Any, ts: Any) -> Any:
    """The starts origin + t direction in float64, stacked, (len(ts), ...) each leaf.

    Raises:
        ValueError: a direction that is zero or does not fit the origin; ts that are not one axis.
    """
    ts = _axis("ts", ts)
    flat, unravel = _flat(origin)
    v = _flat(direction)[0]
    if v.shape != flat.shape or not np.any(v):
        raise ValueError(
            f"a direction of {v.size} numbers, {np.linalg.norm(v):.3g} long, at a point of "
            f"{flat.size}: give one of its structure that leads somewhere"
        )
    return unravel(flat[None, :] + ts[:, None] * v[None, :])


def _axis(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} has shape {array.shape}: give one axis of finite numbers")
    return array


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
