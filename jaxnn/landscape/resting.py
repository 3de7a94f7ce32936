"""Does training rest at what lies below its end? Descent of a finite step size hops about a minimum
that is too sharp for it, for ever.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnn.descent import as_pytree
from jaxnn.dynamics import Dynamics, Minibatches
from jaxnn.landscape.censuses import Census
from jaxnn.landscape.many import in_float64
from jaxnn.landscape.polishing import Ending
from jaxnn.runs import Run
from jaxnn.vocabulary import Landscape

NEARLY = 1e-6
"""Of the fall from the start: a loss that near to its attractor's has come to it, and will stay."""
ROUNDING = 16.0
"""Of that loss, in rounding errors of the type in which it was computed."""
PUSH = 1e-4
"""How far from an attractor its stability is tried, a part of its length and of the usual one; and
the part by which its loss may be higher still where it has come no farther."""
PUSHES = 4
"""Directions in which it is tried."""
GONE = 100.0
"""How many times as far from it as it began the dynamics has left it, also where no loss tells:
near a point without length losses differ by rounding alone. A momentum of 0.9 swings out to 10."""
LOWER = 1e-3
"""A loss that is higher by this part than it was in the second half of training has wavered."""


def wavers(run: Run) -> np.ndarray:
    """Whether a run's loss at the end is above what it was in the second half of its records, by
    more than LOWER of it and NEARLY of the loss at the start: (members,).

    Descent that converges, however slowly, ends at its lowest loss; what hops about does not, but
    for chance. A run with fewer than four records, as of mini-batches, tells nothing: False.
    """
    losses = np.asarray(run.losses, np.float64)
    records = losses.shape[1]
    if records < 4:
        return np.zeros(len(losses), bool)
    lowest = losses[:, records // 2 :].min(axis=1)
    loss = np.asarray(run.loss, np.float64)
    return loss - lowest > LOWER * np.abs(lowest) + NEARLY * np.abs(losses[:, 0])


def unstable(loss_fn: Landscape, attractors: Census, way: Dynamics) -> np.ndarray:
    """Which of the attractors the dynamics leaves when it begins beside them, (classes,).

    From PUSHES points at PUSH of its length the dynamics must bring the loss no farther from the
    attractor's than it began, and end within GONE of that length. By plain descent of a step size s
    it does where the largest eigenvalue of the Hessian is below 2 / s; any rule is tried as it is.
    For attractors at infinity, where curvatures vanish, and for mini-batches, which never rest,
    False.
    """
    tried = np.flatnonzero(attractors.ending == Ending.stationary)
    result = np.zeros(len(attractors.losses), bool)
    if isinstance(way, Minibatches) or not len(tried):
        return result
    with jax.enable_x64(True):
        loss_fn = in_float64(as_pytree(loss_fn))
        points = jax.tree.map(lambda leaf: jnp.asarray(leaf)[tried], attractors.points)
        rows = np.asarray(jax.vmap(lambda point: ravel_pytree(point)[0])(points))
        unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], points))[1]
        draws = np.random.default_rng(0).normal(size=(PUSHES, 1, rows.shape[1]))
        draws /= np.linalg.norm(draws, axis=-1, keepdims=True)
        lengths = np.linalg.norm(rows, axis=1)
        size = float(np.median(lengths[lengths > 0])) if np.any(lengths > 0) else 1.0
        far = PUSH * (size + lengths)
        beside = (rows[None] + draws * far[None, :, None]).reshape(-1, rows.shape[1])
        run = way(loss_fn, jax.vmap(unravel)(jnp.asarray(beside)))
        ends = np.asarray(jax.vmap(lambda point: ravel_pytree(point)[0])(run.params))
        begun = np.asarray(run.losses)[:, 0].reshape(PUSHES, -1)
        ended = np.asarray(run.loss).reshape(PUSHES, -1)
    level = attractors.losses[tried][None, :]
    rounding = 1e-12 * np.abs(level) + PUSH * np.abs(begun - level)
    left = ~(np.abs(ended - level) <= np.abs(begun - level) + rounding)
    gone = np.linalg.norm(ends.reshape(PUSHES, *rows.shape) - rows, axis=-1) > GONE * far
    result[tried] = np.any(left | gone, axis=0)
    return result


def restless(
    losses: Any, levels: np.ndarray, initial: Any, hopping: np.ndarray, wavering: np.ndarray
) -> np.ndarray:
    """Which ends are at no rest, (members,) of bool: their loss is not that of what lies below, and
    the dynamics cannot rest there, or their loss wavers.

    Args:
        losses: at the end.
        levels: of what lies below; NaN for nothing.
        initial: the losses at the start.
        hopping: whether what lies below is `unstable`.
        wavering: as `wavers`.
    """
    losses = np.asarray(losses)
    rounding = ROUNDING * np.finfo(losses.dtype).eps * np.abs(levels)
    scale = np.abs(np.asarray(initial, np.float64) - levels)
    apart = losses.astype(np.float64) - levels > NEARLY * scale + rounding
    return apart & (hopping | wavering)
