"""The quadratic model of a landscape at a point, and what is 0 to rounding in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.gradients import gradient_of
from jaxnn.landscape.curvature import COLUMNS, block
from jaxnn.numerics import key_of
from jaxnn.vocabulary import Landscape

FLOOR = 32.0
"""A gradient within this many rounding errors of its terms is 0."""
LEAST = 1e-8
"""Of the longest: what is shorter is as good as 0."""
DEGENERATE = 0.1
"""A stationary point is known to about the last of Newton's steps: an eigenvalue that one more of
them changes by this part of itself has no sign of its own."""
NEAR = 0.05
"""How far away curvatures are looked at, in lengths of the point, for what is rounding of them."""
RUNNING = 1e-6
"""A gradient component above this part of its own terms has not come to rest: e^-u keeps 1 / u of
them for ever."""


class Local(NamedTuple):
    """What is known at a point: loss, gradient (P,), Hessian (P, P), and terms (P,), what the
    gradient is a sum of: |2 J|^T |r| where there are residuals r, J their Jacobian; else 0.
    """

    loss: Array
    gradient: Array
    hessian: Array
    terms: Array


At = Callable[[Array], Local]


def local_of(loss_fn: Landscape, unravel: Callable[[Array], Any]) -> At:
    """The function from a vector (P,) to all that is known of the landscape there.

    P Hessian-vector products; where the landscape offers `residuals`, also P of its derivatives.
    """
    gradient = gradient_of(loss_fn)
    residuals: Any = getattr(loss_fn, "residuals", None)

    def at(flat: Array) -> Local:
        slope, product = jax.linearize(lambda p: ravel_pytree(gradient(unravel(p)))[0], flat)
        hessian = block(product, flat, jnp.arange(flat.size))
        loss = loss_fn(unravel(flat))
        if residuals is None:
            return Local(loss, slope, hessian, jnp.zeros_like(flat))
        r, push = jax.linearize(lambda p: residuals(unravel(p)), flat)
        rows = jax.lax.map(push, jnp.eye(flat.size, dtype=flat.dtype), batch_size=COLUMNS)  # J^T
        return Local(loss, slope, hessian, 2.0 * jnp.abs(rows) @ jnp.abs(r))

    return at


def terms_of(local: Local, lengths: Array) -> Array:
    """What each component of the gradient is a sum of, in absolute values (P,): sum_j |H_kj|
    length_j, which moving each number by its own length would add, and the residuals' part.
    """
    return jnp.abs(local.hessian) @ lengths + local.terms


def relative_gradients(local: Local, lengths: Array) -> tuple[Array, Array]:
    """|gradient| against the sum of its absolute terms: by the largest terms of any component, and
    the largest ratio of one component to its own terms.

    For the first ratio |loss| / length counts as a term too. At a stationary point both are
    rounding. On the way to infinity, where e^-u falls without end, the first may come there too, as
    all terms of that component are tiny, but not the second.
    """
    own, length = terms_of(local, lengths), jnp.max(lengths)
    size = jnp.abs(local.gradient)
    overall = jnp.max(own) + jnp.abs(local.loss) / jnp.where(length > 0, length, 1.0)
    return _ratio(jnp.max(size), overall), jnp.max(_ratio(size, own))


def _ratio(size: Array, scale: Array) -> Array:
    """The ratio of the two, 0 where both are."""
    return jnp.where(size == 0, 0.0, size / jnp.where(scale > 0, scale, jnp.finfo(size.dtype).tiny))


def lengths_of(origin: Array, flat: Array) -> Array:
    """As `Search.lengths`."""
    own = jnp.maximum(origin, jnp.abs(flat))
    return jnp.maximum(own, LEAST * jnp.max(own))


def at_floor(local: Local, lengths: Array) -> Array:
    """Whether the gradient is 0 to rounding: FLOOR rounding errors of the largest terms of any
    component, and each component by RUNNING of its own.
    """
    overall, running = relative_gradients(local, lengths)
    return (overall <= FLOOR * jnp.finfo(lengths.dtype).eps) & (running <= RUNNING)


def newton(local: Local) -> Array:
    """Newton's step to where the gradient of the quadratic model is 0, (P,); modes whose eigenvalue
    is 0 to rounding are not moved along.
    """
    values, vectors = jnp.linalg.eigh(local.hessian)
    live = jnp.abs(values) > zero_below(values)
    along = jnp.where(live, vectors.T @ local.gradient, 0.0)
    return -vectors @ (along / jnp.where(live, values, 1.0))


def spectrum(at: At, flat: Array, local: Local, length: Array) -> tuple[Array, Array]:
    """The eigenvalues (P,) of the Hessian at a stationary point, ascending, and for each the size
    below which it counts as 0.

    At a degenerate point, as x^3 - 3 x y^2 has one at 0, the whole Hessian may vanish, and its
    largest eigenvalue is no scale. There Newton's steps still move the point by a part of its
    distance when the gradient is rounding already, and eigenvalues fall with it: as good as 0 is
    what one more step changes by DEGENERATE of itself, besides what is 0 by `flat_below`, and what
    is rounding of the curvatures at a distance of NEAR length.
    """
    values = jnp.linalg.eigvalsh(local.hessian)
    away = jax.random.normal(key_of(0), flat.shape, flat.dtype)
    away = NEAR * length * away / jnp.linalg.norm(away)
    moved = jnp.stack([flat + newton(local), flat + away])
    ahead, near = jax.lax.map(lambda p: at(p).hessian, moved)
    changes = jnp.abs(jnp.linalg.eigvalsh(jnp.where(jnp.isfinite(ahead), ahead, 0.0)) - values)
    around = jnp.linalg.norm(jnp.where(jnp.isfinite(near), near, 0.0))
    rounding = zero_below(jnp.full_like(values, around))
    return values, jnp.maximum(jnp.maximum(flat_below(values), rounding), changes / DEGENERATE)


def zero_below(eigenvalues: Array) -> Array:
    """The size below which an eigenvalue of these (P,) is 0 to rounding: 64 P eps max |lambda|."""
    eps = jnp.finfo(eigenvalues.dtype).eps
    return 64.0 * eigenvalues.size * eps * jnp.max(jnp.abs(eigenvalues))


def flat_below(eigenvalues: Array) -> Array:
    """The size below which an eigenvalue of these (P,) counts as 0: sqrt(eps) / 2 of the largest,
    7e-9 in float64.

    Along such a mode rounding in the gradient leaves the place of a stationary point open by more
    than a millionth of its length, so it may as well be one of a flat set. (Near a degenerate point
    eigenvalues are small, and not rounding.)
    """
    eps = jnp.finfo(eigenvalues.dtype).eps
    close = 0.5 * jnp.sqrt(eps) * jnp.max(jnp.abs(eigenvalues))
    return jnp.maximum(close.astype(eigenvalues.dtype), zero_below(eigenvalues))
