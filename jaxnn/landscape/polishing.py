"""What is there, where training ended? From an end point to a stationary point, to rounding, or to
what is there instead.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.landscape.attractors import at_infinity
from jaxnn.landscape.checks import check_loss
from jaxnn.landscape.kinks import has_kink
from jaxnn.landscape.plateaus import levels_off, saturated, variation
from jaxnn.landscape.quadratics import (
    At,
    at_floor,
    flat_below,
    local_of,
    relative_gradients,
    spectrum,
)
from jaxnn.landscape.searches import REACH, STALLED, Search, advance, begin, lost, sharpened
from jaxnn.landscape.spectra import EXACT
from jaxnn.landscape.verification import check_search, stacked
from jaxnn.vocabulary import Landscape


class Ending(enum.IntEnum):
    """What a search has ended at."""

    stationary = 0  # the gradient is 0 to rounding: its components cancel
    plateau = 1  # the loss falls towards a limit at infinity, or what is large responds to nothing
    unfinished = 2  # neither, within the steps given
    kink = 3  # there is no second derivative, as on the crease of a relu
    diverged = 4  # the loss is not finite


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Stationary:
    """What a search ended at; with a leading axis on every field where there were many.

    Losses are in the loss's own unit. initial_loss: where the search began. index: how many
    eigenvalues are negative; zero: how many count as 0 (`quadratics.spectrum`).
    relative_gradient: |gradient| by the sum of its absolute terms, about 1e-16 at a stationary
    point in float64. level: the loss, or the limit that it falls to on a plateau; of an unfinished
    search, or at a kink, the loss last seen, which is no limit; NaN where it diverged. ending: a
    code of `Ending`. steps: tried by the search.
    """

    point: Any
    initial_loss: Array
    loss: Array
    gradient_norm: Array
    relative_gradient: Array
    eigenvalues: Array  # (P,) ascending
    index: Array
    zero: Array
    ending: Array
    level: Array
    steps: Array

    _repr_html_ = summaries.html(ending=Ending)


def polish(loss_fn: Landscape, point: Any, *, steps: int = 300, reach: float = REACH) -> Stationary:
    """The stationary point at this point, or where the loss leads down from it.

    Newton's steps on the gradient come first: a minimum or saddle within `reach` |point| that
    they converge to is what is there. Otherwise the loss is descended (`searches.descend`), and the
    end is sharpened by Newton's steps. In float64 (the caller's `jax.enable_x64`) to about 1e-16 of
    the gradient's terms; float32 has a floor of its own, and may take a smooth slope at large
    weights for a kink (`many.polish_all` works in float64). P x P memory and P^3 operations a step.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        point: where to start.
        steps: of the descent, at most.
        reach: how far from the start "there" is, as a part of |point|.

    Raises:
        ValueError: more than spectra.EXACT parameters; steps below 0; a reach that is not positive;
            outside jit, a loss that the search saw and the landscape does not have
            (`verification`); as `checks.check_loss`.
    """
    flat, unravel = check_size(loss_fn, point, steps)
    if not reach > 0:
        raise ValueError(f"reach is {reach}: give a number above 0")
    at = local_of(loss_fn, unravel)
    begun = begin(at, flat)
    near, here = nearby(at, begun, reach)
    gone = advance(at, begun, "descend", until=jnp.where(here, 0, steps))
    gone = sharpened(at, gone, falling=True)
    end = jax.tree.map(lambda a, b: jnp.where(here, a, b), near, gone)
    found = measured(loss_fn, end, unravel, fell=True)
    check_search(loss_fn, stacked(point), jax.tree.map(lambda leaf: leaf[None], found))
    return found


def check_size(loss_fn: Landscape, point: Any, steps: int) -> tuple[Array, Callable]:
    """The point as a vector (P,), and the way back, where a search from it can be made.

    Raises:
        ValueError: as `polish`.
    """
    check_loss(loss_fn, point)
    flat, unravel = ravel_pytree(point)
    if jnp.finfo(flat.dtype).bits < 32:
        raise ValueError(
            f"the point is of {flat.dtype}: eigenvalues are computed in float32 and float64; "
            "convert it"
        )
    if flat.size > EXACT:
        raise ValueError(
            f"the point has {flat.size} parameters: the whole Hessian, which tells what is there, "
            f"is computed for up to {EXACT}; train on, and ask spectra.extreme for the curvature"
        )
    if steps < 0:
        raise ValueError(f"steps is {steps}: give a whole number, at least 0")
    return flat, unravel


def nearby(at: Callable, begun: Search, reach: float) -> tuple[Search, Array]:
    """The search where Newton's steps lead, and whether that is a stationary point within reach."""
    near = sharpened(at, begun, reach=reach)
    return near, at_floor(near.local, near.lengths)


def measured(loss_fn: Landscape, end: Search, unravel: Callable, *, fell: bool) -> Stationary:
    """What a search ended at; fell: whether the loss fell all the way, without which running off to
    infinity is no plateau but a search that found nothing.
    """
    at = local_of(loss_fn, unravel)
    values, close = spectrum(at, end.flat, end.local, end.length)
    rests, scale = at_floor(end.local, end.lengths), variation(at, end)
    close = jnp.where(rests, close, flat_below(values))
    overall, _ = relative_gradients(end.local, end.lengths)
    point, eps = unravel(end.flat), jnp.finfo(end.flat.dtype).eps
    flat = jnp.any(jnp.abs(values) <= close)
    ending = _ending(loss_fn, at, end, point, scale, flat=flat, fell=fell)
    small = jnp.abs(end.local.loss) <= eps * jnp.maximum(scale, end.scale)
    nothing = (ending == Ending.plateau) & small
    return Stationary(
        point=point,
        initial_loss=end.first,
        loss=end.local.loss,
        gradient_norm=jnp.linalg.norm(end.local.gradient),
        relative_gradient=overall,
        eigenvalues=values,
        index=jnp.sum(values < -close),
        zero=jnp.sum(jnp.abs(values) <= close),
        ending=ending,
        level=jnp.where(
            ending == Ending.diverged, jnp.nan, jnp.where(nothing, 0.0, end.local.loss)
        ),
        steps=end.steps,
    )


def _ending(
    loss_fn: Landscape, at: At, end: Search, point: Any, scale: Array, *, flat: Array, fell: bool
) -> Array:
    """flat: whether an eigenvalue counts as 0; scale: as `plateaus.variation`."""
    rests = at_floor(end.local, end.lengths)
    # a unit may be at its limit at a proper minimum too; there no eigenvalue is 0
    large = flat & (at_infinity(loss_fn, point) | saturated(at, end, scale))
    ending = jnp.where(rests & ~large, Ending.stationary, Ending.unfinished)
    leads_away = end.rests & (end.damping <= STALLED) & levels_off(at, end, scale)
    if fell:
        ending = jnp.where((rests & large) | (~rests & leads_away), Ending.plateau, ending)
    # a search for |g| = 0 that stalls on a smooth slope has met no crease
    met = rests | end.rests if fell else rests
    kink = met & ~lost(end) & has_kink(loss_fn, end, point)
    ending = jnp.where(kink, Ending.kink, ending)
    finite = jnp.isfinite(end.local.loss) & jnp.all(jnp.isfinite(end.flat))
    return jnp.where(finite, ending, Ending.diverged)
