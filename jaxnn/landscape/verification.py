"""Whether a search saw the landscape that it was given: losses again, in a program of their own.

A compiler may translate a loss wrongly within a loop, or for many points side by side, and rightly
alone; then the search takes what it sees for the landscape, and nothing inside it can tell.
"""

from __future__ import annotations

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxnn.descent import as_pytree
from jaxnn.runs import Run
from jaxnn.vocabulary import Landscape

ERROR = 1e-5
"""Of the loss: by how much two programs in float64 may differ about it."""
NARROW_ERROR = 0.02
"""The same where one of them computed in a narrower type."""
CURVED = 1e-8
"""Of the largest curvature times |point|^2: the same for a loss that is small by cancellation."""
NOISE = 2.0**-40
"""Of the loss where all numbers are 0, and of the losses seen (their median)."""
ROUNDINGS = 1000.0
"""Rounding errors of the starts' losses (their median) that a loss near 0 may be off by."""


def check_losses(
    loss_fn: Landscape, points: Any, seen: Any, *, what: str, curvature: Any = 0.0,
    error: float = ERROR, rounding: float = 0.0,
) -> None:  # fmt: skip
    """Refuse losses seen by a search that the landscape does not have at these points, each
    evaluated alone. Where the landscape or the points are traced nothing is asked.

    Args:
        loss_fn: a point -> a scalar, where float64 is enabled.
        points: a stacked tree, (points, ...) each leaf, of float64.
        seen: the losses in the search, (points,); those that are not finite are not asked about.
        what: names the points in the error.
        curvature: the largest there, (points,) or one for all.
        error: ERROR, or NARROW_ERROR.
        rounding: what a loss near 0 may be off by (`_rounding`).

    Raises:
        ValueError: a loss that differs beyond rounding.
    """
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((loss_fn, points, seen))):
        return
    seen, points = np.asarray(seen, np.float64), jax.tree.map(np.asarray, points)
    loss_fn = as_pytree(loss_fn)
    nowhere = float(_alone(loss_fn, jax.tree.map(lambda leaf: np.zeros_like(leaf[0]), points)))
    known = np.isfinite(seen)
    unit = abs(nowhere) if np.isfinite(nowhere) else 0.0
    unit = max(unit, float(np.median(np.abs(seen[known]))) if known.any() else 0.0)
    curvature = np.broadcast_to(np.nan_to_num(np.asarray(curvature)), seen.shape)
    noise = unit * (NOISE if error == ERROR else error) + rounding
    for k in np.flatnonzero(known):
        point = jax.tree.map(lambda leaf: leaf[k], points)  # noqa: B023
        there = float(_alone(loss_fn, point))
        squares = sum(float(np.sum(np.square(leaf))) for leaf in jax.tree.leaves(point))
        room = error * (abs(there) + abs(seen[k])) + CURVED * curvature[k] * squares + noise
        if not abs(there - seen[k]) <= room:
            raise ValueError(
                f"the loss at {what} {k} was {seen[k]:.6g} within the search and is {there:.6g} "
                "outside it: compiled, it is another landscape; take what changes compilation out "
                f"of XLA_FLAGS ({os.environ.get('XLA_FLAGS') or 'not set'}), or try another jaxlib"
            )


@jax.jit
def _alone(loss_fn: Any, point: Any) -> jax.Array:
    return loss_fn(point)


def check_search(loss_fn: Landscape, starts: Any, found: Any) -> None:
    """The same for both ends of searches: `found` is a stacked `polishing.Stationary`.

    Raises:
        ValueError: as `check_losses`.
    """
    values = found.eigenvalues
    traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((values, starts)))
    widest = 0.0 if traced else np.max(np.abs(np.asarray(values)), axis=-1)
    apart = {"curvature": widest, "rounding": _rounding(found.initial_loss, np.float64)}
    check_losses(loss_fn, starts, found.initial_loss, what="start", **apart)
    check_losses(loss_fn, found.point, found.loss, what="the end of search", **apart)


def check_run(loss_fn: Landscape, starts: Any, ends: Any, run: Run) -> None:
    """The same for a run of training, as far as narrower types tell; its points in float64.

    Raises:
        ValueError: as `check_losses`.
    """
    first, types = run.losses[:, 0], [leaf.dtype for leaf in jax.tree.leaves(run.params)]
    rounding = max((_rounding(first, kind) for kind in types), default=0.0)
    apart = {"error": NARROW_ERROR, "rounding": rounding}
    check_losses(loss_fn, starts, first, what="start", **apart)
    check_losses(loss_fn, ends, run.loss, what="the end of run", **apart)


def _rounding(first: Any, kind: Any) -> float:
    """ROUNDINGS rounding errors of this type of floating point, and the least number it holds, in
    the unit of the losses where all began; 0 where these are traced.
    """
    if isinstance(first, Tracer) or not jnp.issubdtype(kind, jnp.floating):
        return 0.0
    losses, info = np.abs(np.asarray(first, np.float64)), jnp.finfo(kind)
    known = losses[np.isfinite(losses)]
    typical = float(np.median(known)) if len(known) else 0.0
    return ROUNDINGS * float(info.eps) * typical + float(info.tiny)


def stacked(tree: Any) -> Any:
    """One point as a stack of one."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], tree)
