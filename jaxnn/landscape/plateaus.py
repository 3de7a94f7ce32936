"""What lies outwards: whether the loss goes on falling towards a limit at infinity, and whether
numbers respond to nothing only because they are large.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.landscape.quadratics import At, terms_of
from jaxnn.landscape.searches import Search

OUTWARD = 0.1
"""How far the search is continued, in lengths of the point."""
INWARDS = (0.0, 0.03125, 0.125, 0.5)
"""Parts of the point at which the loss is looked at, for how much it varies."""
RISES = 1e-12
"""Of what the loss varies by: one that rises by more outwards was near a minimum."""
FALLS = 1e-6
"""Of it: a loss that falls by more outwards has not come near its limit."""
ROUNDING = 64.0
"""Of the loss, in rounding errors, is no change."""
IDLE = 1e-20
"""A number whose terms in the gradient are this part of the largest responds to nothing."""
RESPONDS = 1e-8
LARGE = 1e-3
"""Of the largest number: what is smaller is idle for another reason, as the way round a circle
is."""


def variation(at: At, end: Search) -> Array:
    """How much the loss varies between where all numbers are 0 and here: a scale that neither a
    constant in the loss changes nor where the search began. Where the loss at 0 is not finite, the
    size of the loss itself.
    """
    loss, parts = end.local.loss, jnp.array(INWARDS, end.flat.dtype)
    inwards = jax.lax.map(lambda part: at(part * end.flat).loss, parts)
    changes = jnp.where(jnp.isfinite(inwards), jnp.abs(inwards - loss), 0.0)
    return jnp.where(jnp.isfinite(inwards[0]), jnp.max(changes), jnp.abs(loss))


def _bounds(end: Search, scale: Array) -> tuple[Array, Array]:
    """How far the loss may fall and rise outwards where it levels off."""
    rounding = ROUNDING * jnp.finfo(end.flat.dtype).eps * jnp.abs(end.local.loss)
    return jnp.maximum(FALLS * scale, rounding), jnp.maximum(RISES * scale, rounding)


def levels_off(at: At, end: Search, scale: Array) -> Array:
    """Whether the loss stays where it is, or falls a little, when the search goes on as it went, by
    OUTWARD of the point's length: along -(|H| + mu I)^-1 g; scale: as `variation`. A bool.

    Towards a limit at infinity it does; beyond a minimum, however flat, it rises; without a limit
    it falls. False where such a fall would be rounding of the loss, as beside a large constant.
    """
    values, vectors = jnp.linalg.eigh(end.local.hessian)
    sizes, eps = jnp.abs(values), jnp.finfo(end.flat.dtype).eps
    widest = jnp.max(sizes)
    damped = sizes + eps**2 * jnp.where(widest > 0, widest, 1.0)
    move = -vectors @ ((vectors.T @ end.local.gradient) / damped)
    size = jnp.linalg.norm(move)
    move = move * OUTWARD * jnp.linalg.norm(end.flat) / jnp.where(size > 0, size, 1.0)
    change = at(end.flat + move).loss - end.local.loss
    falls, rises = _bounds(end, scale)
    return (change <= rises) & (change >= -falls) & (falls <= FALLS * scale)


def saturated(at: At, end: Search, scale: Array) -> Array:
    """Whether numbers that nothing responds to here, nor when they grow by OUTWARD, are responded
    to at a half, an eighth or a thirty-second of the point: then they are only too large. A bool.
    scale: as `variation`.

    The weights of a dead relu unit are idle at all of them, and a constant direction too.
    """
    idle = terms_of(end.local, end.lengths)
    sizes = jnp.abs(end.flat)
    idle = (idle <= IDLE * jnp.max(idle)) & (sizes > LARGE * jnp.max(sizes))
    grown = at(jnp.where(idle, (1.0 + OUTWARD) * end.flat, end.flat)).loss - end.local.loss

    def responds(part: Array) -> Array:
        terms = terms_of(at(part * end.flat), part * end.lengths)
        return jnp.any(idle & (terms > RESPONDS * jnp.max(terms)))

    smaller = jax.lax.map(responds, jnp.array([0.5, 0.125, 0.03125], end.flat.dtype))
    return jnp.any(smaller) & (jnp.abs(grown) <= _bounds(end, scale)[1])
