"""Searches for stationary points on vectors (P,), by the whole Hessian: down to a minimum, to the
nearest zero of the gradient, up to a saddle of a given index.

Each search is one kind of step, taken until the point rests. `polishing` puts them on any pytree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.landscape.quadratics import (
    At,
    Local,
    at_floor,
    lengths_of,
    newton,
    relative_gradients,
    zero_below,
)
from jaxnn.vocabulary import lookup

STALLED = 1e8
"""Damping at which no step that still changes the point can be had."""
MOVING = 1e-3
"""A step of more than this part of the length, where the loss is rounding already, is to
infinity."""
LONGEST = 0.5
"""A step of `follow` is at most this part of the point's length plus 1, or plus the start's length
where that is less: a landscape in small units has small steps."""
LOST = 1e3
"""A point this many times as far as the start, plus 1, is on its way to infinity."""
FORETOLD = 0.1
"""Of what the model says that the loss does along each mode, how much may come otherwise."""
REACH = 0.05
"""How far from where a search rests, in parts of its length, a point still is "there"."""
SHARPENING = 12
"""Newton steps at the end at most: quadratic convergence takes 3 or 4, the rest is for degenerate
points."""


class Search(NamedTuple):
    """A point on its way, with what is known there.

    first: the loss at the start; scale: its size, or how far it is from the loss where all numbers
    are 0, if that is more. origin: the start's numbers, absolute (P,), or larger ones that it
    came from. damping: of the next step. rests: the search has ended. steps: how many were tried.
    """

    flat: Array
    local: Local
    first: Array
    scale: Array
    origin: Array
    damping: Array
    rests: Array
    steps: Array

    @property
    def lengths(self) -> Array:
        """The scale of rounding in each number (P,): the larger of here and at the start, at least
        LEAST of the longest.
        """
        return lengths_of(self.origin, self.flat)

    @property
    def length(self) -> Array:
        """The largest of them."""
        return jnp.max(self.lengths)


def begin(at: At, flat: Array, origin: Array | None = None) -> Search:
    """A search from this vector, with no step made; origin (P,): where its numbers have come from,
    if not from here.
    """
    origin = jnp.abs(flat) if origin is None else jnp.maximum(jnp.abs(origin), jnp.abs(flat))
    local = at(flat)
    rests = at_floor(local, lengths_of(origin, flat))
    damping = jnp.full_like(local.loss, 0.01)
    first, nowhere = local.loss, at(jnp.zeros_like(flat)).loss
    scale = jnp.maximum(
        jnp.abs(first), jnp.where(jnp.isfinite(nowhere), jnp.abs(nowhere - first), 0.0)
    )
    return Search(flat, local, first, scale, origin, damping, rests, jnp.zeros((), int))


def descend(at: At, state: Search) -> Search:
    """One trial step down, -(|H| + mu I)^-1 g, taken if the loss falls: Newton's with the absolute
    values of the eigenvalues (Dauphin et al. 2014), damped by mu, in units of the largest.

    On networks it beat Levenberg and Marquardt's step: of 1024 starts of a sigmoid 2-2-1 on XOR,
    731 against 500 came to zero loss, and with a penalty 99 % rested within 60 against 545 steps.
    It rests where the model promises no more than rounding in the loss, where no step is short
    enough, or where a loss that is rounding of the search's scale falls slowly, as it does on the
    way to a zero at infinity.
    """
    local, eps = state.local, jnp.finfo(state.flat.dtype).eps
    values, vectors = jnp.linalg.eigh(local.hessian)
    sizes, along = jnp.abs(values), vectors.T @ local.gradient
    widest = jnp.max(sizes)
    damped = sizes + state.damping * jnp.where(widest > 0, widest, 1.0)
    flat = state.flat - vectors @ (along / damped)
    promised = jnp.sum(along**2 / damped * (1.0 - 0.5 * values / damped))
    there = at(flat)
    new = _taken(state, flat, there, there.loss < local.loss)
    little = jnp.abs(promised) <= eps * jnp.abs(local.loss)
    small = (jnp.abs(local.loss) <= eps * state.scale) & (there.loss > 0.01 * local.loss)
    moving = jnp.max(jnp.abs(flat - state.flat)) > MOVING * state.length
    rests = little | (small & moving) | (new.damping > STALLED)
    return new._replace(rests=rests | at_floor(new.local, new.lengths))


def nearest(at: At, state: Search) -> Search:
    """One trial step towards the nearest zero of the gradient, taken if |g|^2 falls: Levenberg and
    Marquardt's for the residuals g, -(H^2 + mu^2 I)^-1 H g.

    It may rest where |g|^2 has a minimum above 0.
    """
    values, vectors = jnp.linalg.eigh(state.local.hessian)
    along = vectors.T @ state.local.gradient
    mu = state.damping * jnp.max(jnp.abs(values))
    squares = values**2 + mu**2
    move = -vectors @ (values * along / jnp.where(squares > 0, squares, 1.0))
    there = at(state.flat + move)
    better = jnp.sum(there.gradient**2) < jnp.sum(state.local.gradient**2)
    new = _taken(state, state.flat + move, there, better)
    return new._replace(rests=(new.damping > STALLED) | at_floor(new.local, new.lengths))


def follow(at: At, state: Search, *, index: Array | int) -> Search:
    """One step towards a stationary point with this many negative eigenvalues: up along the lowest
    modes, down along the others (eigenvector following: Cerjan & Miller 1981; Wales 2003,
    section 6.2).

    Modes with an eigenvalue that is 0 to rounding, as a continuous symmetry leaves them, are not
    moved along. The step is cut to the radius, damping times what LONGEST allows: it
    doubles where the quadratic model foretells the next loss, and halves where it does not. (Judged
    by the next gradient, stiff modes kept the steps along soft curved valleys tiny.)
    """
    local = state.local
    values, vectors = jnp.linalg.eigh(local.hessian)
    along = vectors.T @ local.gradient
    live = jnp.abs(values) > zero_below(values)
    rank = jnp.cumsum(live)  # the lowest modes that are not 0 count
    up = live & (rank <= index)
    step = along / jnp.where(live, jnp.abs(values), 1.0)
    move = vectors @ jnp.where(live, jnp.where(up, step, -step), 0.0)
    own = jnp.linalg.norm(state.origin)
    unit = jnp.where(own > 0, jnp.minimum(own, 1.0), 1.0)
    radius = state.damping * LONGEST * (unit + jnp.linalg.norm(state.flat))
    size = jnp.linalg.norm(move)
    move = move * jnp.minimum(1.0, radius / jnp.where(size > 0, size, 1.0))
    there = at(state.flat + move)
    parts = vectors.T @ move  # along each mode
    rise = along * parts + 0.5 * values * parts**2
    wrong = jnp.abs(there.loss - local.loss - jnp.sum(rise))
    foretold = wrong <= FORETOLD * jnp.sum(
        jnp.abs(along * parts) + 0.5 * jnp.abs(values) * parts**2
    )
    new = _taken(state, state.flat + move, there, jnp.isfinite(wrong))
    damping = state.damping * jnp.where(foretold, 2.0, 0.5)
    new = new._replace(damping=jnp.clip(damping, 1e-3, 1.0))
    rests = ~jnp.isfinite(wrong) | lost(new)
    return new._replace(rests=rests | at_floor(new.local, new.lengths))


def lost(state: Search) -> Array:
    """Whether the point has gone LOST times as far out as it started."""
    return state.length > LOST * (1.0 + jnp.max(state.origin))


WAYS = {"descend": descend, "nearest": nearest, "follow": follow}


def _taken(state: Search, flat: Array, there: Local, better: Array) -> Search:
    """The state after a trial that was taken or not; a shorter step is next where not."""
    new = (flat, there)
    old = (state.flat, state.local)
    flat, local = jax.tree.map(lambda n, o: jnp.where(better, n, o), new, old)
    least = jnp.finfo(flat.dtype).eps ** 2
    damping = jnp.maximum(state.damping * jnp.where(better, 0.2, 5.0), least)
    moved = {"flat": flat, "local": local, "damping": damping}
    return state._replace(**moved, steps=state.steps + 1)


def advance(at: At, state: Search, way: str, *, until: Array | int, index: Any = 1) -> Search:
    """The search taken on until it rests or has made this many steps.

    Raises:
        ValueError: an unknown way.
    """
    step = lookup(WAYS, way, what="way to search")
    more = {"index": index} if way == "follow" else {}
    return jax.lax.while_loop(
        lambda s: ~s.rests & (s.steps < until), lambda s: step(at, s, **more), state
    )


def sharpened(at: At, state: Search, *, reach: float = jnp.inf, falling: bool = False) -> Search:
    """The same point by Newton's steps on the gradient while its relative size falls: to the
    rounding floor where there is a stationary point.

    Modes whose eigenvalue is 0 to rounding are not moved along. At most SHARPENING steps, none of
    them further away than `reach` |point|, and where `falling` none that raises the loss by more
    than rounding: after a descent that goes on without end, one step of Newton's would lead back to
    the maximum that it came from.
    """
    far = reach * jnp.linalg.norm(state.lengths)

    def step(carry: tuple[Search, Array]) -> tuple[Search, Array]:
        state, _ = carry
        flat = state.flat + newton(state.local)
        there = at(flat)
        before, _ = relative_gradients(state.local, state.lengths)
        after, _ = relative_gradients(there, lengths_of(state.origin, flat))
        better = (after < before) & (jnp.linalg.norm(flat - begun.flat) <= far)
        if falling:
            rounding = 64.0 * jnp.finfo(flat.dtype).eps * jnp.abs(begun.local.loss)
            better &= there.loss <= begun.local.loss + rounding
        return _taken(state, flat, there, better), ~better

    # one round at least: what rests on its loss is not yet where the gradient is 0
    begun = state._replace(steps=jnp.zeros_like(state.steps))
    end, _ = jax.lax.while_loop(
        lambda c: ~c[1] & (c[0].steps < SHARPENING), step, (begun, jnp.zeros((), bool))
    )
    return end._replace(steps=state.steps, damping=state.damping)
