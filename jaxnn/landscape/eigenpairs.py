"""The eigenpairs of a symmetric matrix that come first in an order, known by its products alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.lanczos import Tridiagonal, begin, go_on, ritz

BLOCK = 5
"""Steps of Lanczos between two looks at what has converged."""


class Order(NamedTuple):
    """Which eigenvalues come first: those with the least key; far is where none is first, in
    units of the largest.
    """

    key: Callable[[Array], Array]
    far: float


ORDERS: dict[str, Order] = {
    "magnitude": Order(lambda values: -jnp.abs(values), 0.0),
    "largest": Order(lambda values: -values, -2.0),
    "smallest": Order(lambda values: values, 2.0),
}


class Pairs(NamedTuple):
    """Eigenvalues (k,), bounds (k,), whether within tolerance (k,), unit vectors (k, P), and the
    products they took.
    """

    values: Array
    residuals: Array
    close: Array
    rows: Array
    products: Array


def leading(
    product: Callable[[Array], Array],
    key: Array,
    like: Array,
    order: Order,
    *,
    k: int,
    steps: int,
    tolerance: Any,
) -> Pairs:
    """The first k eigenpairs by Lanczos' method, repeated eigenvalues as often as they are.

    One start sees a repeated eigenvalue once. So the matrix is looked at again without what was
    found, from a new start, until nothing comes before the last of the k: each such look costs
    BLOCK products or more, at most `steps`. It ends early where what is left comes later by a tenth
    of the largest.
    """
    first, rest = jax.random.split(key)
    found = _until_close(
        product, jax.random.normal(first, like.shape, like.dtype), order, k, steps, tolerance
    )

    def look(carry: tuple[Pairs, Array, Array]) -> tuple[Pairs, Array, Array]:
        found, looks, _ = carry
        largest, V = jnp.max(jnp.abs(found.values)), found.rows

        def across(v: Array) -> Array:
            return v - V.T @ (V @ v)

        def without(v: Array) -> Array:
            return across(product(across(v))) + order.far * largest * (V.T @ (V @ v))

        drawn = jax.random.normal(jax.random.fold_in(rest, looks), like.shape, like.dtype)
        bar = order.key(found.values[-1])
        clearly = bar + 0.1 * largest
        other = _until_close(without, across(drawn), order, 1, steps, tolerance, bar=clearly)
        missed = order.key(other.values[0]) < bar - tolerance * largest
        made = found.products + other.products
        # V is known to within its residuals, and so is what is left without it
        bounds = jnp.sqrt(jnp.square(other.residuals) + jnp.sum(jnp.square(found.residuals)))
        best = jnp.argsort(order.key(jnp.concatenate([found.values, other.values])))[:k]

        def merge(old: Array, new: Array) -> Array:
            return jnp.where(missed, jnp.concatenate([old, new])[best], old)

        merged = Pairs(
            values=merge(found.values, other.values),
            residuals=merge(found.residuals, bounds),
            close=merge(
                found.close, other.close & (bounds <= (k + 1) ** 0.5 * tolerance * largest)
            ),
            rows=merge(found.rows, other.rows),
            products=made,
        )
        return merged, looks + 1, missed

    def going(carry: tuple[Pairs, Array, Array]) -> Array:
        _, looks, missed = carry
        return missed & (looks <= k)

    return jax.lax.while_loop(going, look, (found, jnp.int32(0), jnp.array(True)))[0]


def _until_close(
    product: Callable[[Array], Array],
    start: Array,
    order: Order,
    k: int,
    steps: int,
    tolerance: Any,
    *,
    bar: Any = jnp.inf,
) -> Pairs:
    """Lanczos from one start until all k are within tolerance, or the first is, for all one can
    see, beyond the bar (a key of the order), or the steps are made.
    """

    def pairs(held: Tridiagonal) -> tuple[Array, Array, Array, Array]:
        values, small, there = ritz(held)
        first = jnp.argsort(jnp.where(there, order.key(values), jnp.inf))[:k]
        left = jnp.abs(held.off[held.made - 1] * small[held.made - 1, first])
        eps = jnp.finfo(values.dtype).eps
        residuals = left + 4 * eps * held.widest  # Saad 2011, section 6.2, and rounding
        close = residuals <= tolerance * jnp.max(jnp.abs(values))
        found = jnp.where(there[first] & jnp.isfinite(held.widest), values[first], jnp.nan)
        return found, residuals, close & there[first], small[:, first]

    def going(carry: tuple[Tridiagonal, Array]) -> Array:
        held, done = carry
        return (held.made < steps) & ~done

    def block(carry: tuple[Tridiagonal, Array]) -> tuple[Tridiagonal, Array]:
        held = go_on(product, carry[0], jnp.minimum(BLOCK, steps - carry[0].made))
        values, residuals, close, _ = pairs(held)
        return held, jnp.all(close) | (order.key(values[0]) - residuals[0] > bar)

    held = go_on(product, begin(start, steps), min(k, steps))
    held, _ = jax.lax.while_loop(going, block, (held, jnp.array(False)))
    values, residuals, close, small = pairs(held)
    rows = small.T @ held.basis
    rows = rows / jnp.linalg.norm(rows, axis=1, keepdims=True)
    return Pairs(values, residuals, close, rows, held.made)
