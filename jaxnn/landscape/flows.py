"""Paths of steepest descent, dp/dt = -grad E, followed by local quadratic models: which minimum a
point flows to.

Newton's and Levenberg's steps reach some minimum near by, and not always the one below. To say
which minima a saddle joins, the path itself must be followed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.landscape.checks import check_loss
from jaxnn.landscape.curvature import hessian
from jaxnn.landscape.quadratics import At, Local, local_of, zero_below
from jaxnn.landscape.spectra import EXACT
from jaxnn.landscape.verification import check_losses, stacked
from jaxnn.vocabulary import Landscape

FAITHFUL = 0.1
"""A step is taken where the model errs by at most this part of the gradient."""
HALVINGS = 50
"""Of the interval, in log t, in which a step's time is sought."""

ROUNDING = 4.0
"""A slope within this many rounding errors of the largest curvature times |point| is 0."""


class Walk(NamedTuple):
    """A point on its way: what is known there, how far a model is trusted, whether it rests."""

    flat: Array
    loss: Array
    gradient: Array
    hessian: Array
    radius: Array
    rests: Array
    steps: Array


def downhill(
    loss_fn: Landscape,
    point: Any,
    *,
    steps: int = 1000,
    radius: float = 1e-3,
    below: float | Array = -jnp.inf,
) -> Any:
    """Where the path of steepest descent from a point has come to after at most so many steps, in
    the point's structure; at a minimum to about sqrt(eps) once it rests.

    In the eigenbasis of the Hessian the flow of the quadratic model is known in closed form, with
    displacements -g_i (1 - exp(-lambda_i t)) / lambda_i (Page & McIver 1988). A step goes as far
    as the model foretells the next gradient to a tenth, so that walls of any steepness cost no
    more; with t without end it is Newton's. What is 0 to rounding is not moved along. P x P memory
    and P^3 operations a step.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        point: where to start; at a stationary point nothing moves.
        steps: at most.
        radius: of the first step, a part of 1 + |point|; later ones follow from the model's errors.
        below: a loss at which the path has gone far enough.

    Raises:
        ValueError: as `checks.check_loss`; more than spectra.EXACT parameters; outside jit, a loss
            at the end that the landscape does not have (`verification`).
    """
    flat, unravel = check_flow(loss_fn, point)
    at = local_of(loss_fn, unravel)
    walk = walked(at, walk_from(at, flat, radius), until=steps, below=below)
    end = unravel(walk.flat)
    check_losses(loss_fn, stacked(end), walk.loss[None], what="the end of path")
    return end


def check_flow(loss_fn: Landscape, point: Any) -> tuple[Array, Any]:
    """The point as a vector (P,), and the way back, where its flow can be followed.

    Raises:
        ValueError: as `downhill`.
    """
    check_loss(loss_fn, point)
    flat, unravel = ravel_pytree(point)
    if flat.size > EXACT:
        raise ValueError(
            f"the point has {flat.size} parameters: the flow needs the whole Hessian at each step, "
            f"which is computed for up to {EXACT}; train with a small step size instead"
        )
    return flat, unravel


def walk_from(at: At, flat: Array, radius: float = 1e-3) -> Walk:
    """A walk at its beginning."""
    first = radius * (1.0 + jnp.linalg.norm(flat))
    return _walk(flat, at(flat), first, jnp.zeros((), bool), jnp.zeros((), int))


def walked(at: At, walk: Walk, *, until: int | Array, below: float | Array = -jnp.inf) -> Walk:
    """The walk after so many steps in all, or where it rests or its loss is at most `below`."""
    return jax.lax.while_loop(
        lambda w: ~w.rests & (w.steps < until) & ~(w.loss <= below), lambda w: _step(at, w), walk
    )


def sides(loss_fn: Landscape, saddle: Any, *, mode: int = 0, offset: float = 1e-4) -> Any:
    """The points offset (1 + |saddle|) behind and before a saddle along one mode of its Hessian,
    stacked (2, ...); from there the two paths down along the lowest mode begin.

    The mode's largest entry counts as positive.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        saddle: a stationary point.
        mode: the lowest is 0.
        offset: a part of 1 + |saddle|.

    Raises:
        ValueError: as `checks.check_loss`.
    """
    flat, unravel = ravel_pytree(saddle)
    along = jnp.linalg.eigh(hessian(loss_fn, saddle))[1][:, mode]
    along = along * jnp.where(along[jnp.argmax(jnp.abs(along))] < 0, -1.0, 1.0)
    away = offset * (1.0 + jnp.linalg.norm(flat)) * along
    return jax.vmap(unravel)(jnp.stack([flat - away, flat + away]))


def _walk(flat: Array, local: Local, radius: Array, rests: Array, steps: Array) -> Walk:
    return Walk(flat, local.loss, local.gradient, local.hessian, radius, rests, steps)


def _step(at: At, walk: Walk) -> Walk:
    """One trial step along the flow of the quadratic model, taken if the model held."""
    values, vectors = jnp.linalg.eigh(walk.hessian)
    eps, along = jnp.finfo(walk.flat.dtype).eps, vectors.T @ walk.gradient
    # along a symmetry both the slope and, at the end, the curvature are rounding: no ratio of them
    rounding = ROUNDING * eps * jnp.max(jnp.abs(values)) * jnp.linalg.norm(walk.flat)
    live = (jnp.abs(values) > zero_below(values)) & (jnp.abs(along) > rounding)
    along = jnp.where(live, along, 0.0)
    moves, whole = _along_flow(values, along, walk.radius)
    move = vectors @ moves
    there = at(walk.flat + move)
    size = jnp.linalg.norm
    wrong = size(there.gradient - walk.gradient - walk.hessian @ move)
    scale = jnp.maximum(size(walk.gradient), size(there.gradient))
    held = wrong <= FAITHFUL * scale
    new = _walk(walk.flat + move, there, walk.radius, walk.rests, walk.steps)
    new = jax.tree.map(lambda n, o: jnp.where(held, n, o), new, walk)
    growth = jnp.where(held, jnp.where(wrong <= 0.25 * FAITHFUL * scale, 2.0, 1.0), 0.25)
    length = size(walk.flat) + walk.radius
    rests = (whole & (size(move) <= jnp.sqrt(eps) * length)) | (walk.radius <= eps * length)
    rests = rests | ~jnp.isfinite(size(walk.gradient))
    return new._replace(radius=walk.radius * growth, rests=rests, steps=walk.steps + 1)


def _along_flow(values: Array, along: Array, radius: Array) -> tuple[Array, Array]:
    """The displacement (P,) in the eigenbasis after the time in which the flow of the quadratic
    model goes as far as the radius, and whether it would rest before.
    """
    moving = along != 0
    newton = jnp.where(moving, -along / jnp.where(moving, values, 1.0), 0.0)
    bound = jnp.all(~moving | (values > 0))
    whole = bound & (jnp.linalg.norm(newton) <= radius)

    def after(log_t: Array) -> Array:
        grown = -jnp.expm1(-jnp.where(moving, values, 1.0) * jnp.exp(log_t))
        return jnp.where(moving, grown * newton, 0.0)

    # a length falls short of the radius before |s| = |g| t e^(|lambda| t) reaches it
    steepest, widest = jnp.linalg.norm(along), jnp.max(jnp.abs(values))
    start = jnp.log(jnp.where(steepest > 0, radius / steepest, 1.0))

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        short = jnp.linalg.norm(after(middle)) < radius
        return jnp.where(short, middle, low), jnp.where(short, high, middle)

    least = -jnp.log(jnp.where(widest > 0, widest, 1.0))
    low = jnp.minimum(start, least) - 1.0 - 40.0
    low, _ = jax.lax.fori_loop(0, HALVINGS, halve, (low, jnp.maximum(start, least) + 40.0))
    return jnp.where(whole, newton, after(low)), whole
