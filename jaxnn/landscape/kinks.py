"""Creases of a landscape: where it has a gradient on either side but no second derivative."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.gradients import gradient_of
from jaxnn.landscape.quadratics import terms_of
from jaxnn.landscape.searches import Search
from jaxnn.numerics import key_of
from jaxnn.vocabulary import Landscape

PROBES = 4
SLOWLY = 24.0
"""What delta makes 8 times smaller, delta^2 makes 64 times: between the two."""


def has_kink(loss_fn: Landscape, end: Search, point: Any) -> Array:
    """Whether the gradient has a jump or a corner at the point, or is not finite, so that there is
    no Hessian.

    What the Hessian does not foretell of the gradient's change from -delta v to delta v falls like
    delta^3 where the loss is smooth (like delta^2 at a jump of the third derivative), and stays, or
    falls like delta, across a crease. Along PROBES random v, for a delta of 1e-6 of the point's
    length, an eighth of it, and an eighth of that.
    """
    _, unravel = ravel_pytree(point)
    gradient, flat, eps = gradient_of(loss_fn), end.flat, jnp.finfo(end.flat.dtype).eps
    draws = jax.random.normal(key_of(0), (PROBES, flat.size), flat.dtype)
    far = jnp.cbrt(eps) * jnp.where(end.length > 0, end.length, 1.0)
    # near a zero of a sum of squares the residuals' rounding is that of the start's
    first = end.scale / jnp.where(end.length > 0, end.length, 1.0)
    terms = jnp.max(terms_of(end.local, end.lengths + far)) + first

    def surprise(v: Array, delta: Array) -> Array:
        ahead, behind = (ravel_pytree(gradient(unravel(flat + s * delta * v)))[0] for s in (1, -1))
        return jnp.max(jnp.abs(ahead - behind - 2 * delta * (end.local.hessian @ v)))

    def broken(v: Array) -> Array:
        wide, middle, narrow = (surprise(v, far / k) for k in (1, 8, 64))
        slow = (middle > wide / SLOWLY) & (narrow > middle / SLOWLY)
        return slow & (narrow > 1e4 * eps * terms)

    finite = jnp.all(jnp.isfinite(end.local.gradient)) & jnp.all(jnp.isfinite(end.local.hessian))
    return ~finite | jnp.any(jax.lax.map(broken, draws))
