"""Lanczos' method: a symmetric matrix, known by its products, as a small tridiagonal one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Tridiagonal(NamedTuple):
    """T = basis H basis^T: basis (steps, P), rows orthonormal; diagonal (steps,); off (steps,),
    off[i] between i and i + 1, the last one to the row that would come next. Of these the first
    `made` are there, the rest is 0. widest: the largest |H v| so far.
    """

    basis: Array
    diagonal: Array
    off: Array
    made: Array
    widest: Array


def begin(start: Array, steps: int) -> Tridiagonal:
    """No step yet, from the start (P,), and room for so many, at most P."""
    basis = jnp.zeros((steps, start.size), start.dtype).at[0].set(start / jnp.linalg.norm(start))
    nothing = jnp.zeros(steps, start.dtype)
    return Tridiagonal(basis, nothing, nothing, jnp.int32(0), nothing[0])


def go_on(product: Callable[[Array], Array], held: Tridiagonal, steps: int | Array) -> Tridiagonal:
    """So many steps of Lanczos more, each vector orthogonalised twice against all before it
    (Parlett 1998, section 6.9).

    Where the matrix has led nowhere new (the rest is rounding), off is 0 there and the basis goes
    on in another direction, so that a matrix of low rank is no exception.
    """
    eps = jnp.finfo(held.basis.dtype).eps

    def across(basis: Array, v: Array) -> Array:
        v = v - basis.T @ (basis @ v)
        return v - basis.T @ (basis @ v)

    def extend(_: Array, held: Tridiagonal) -> Tridiagonal:
        basis, diagonal, off, i, widest = held
        image = product(basis[i])
        widest = jnp.maximum(widest, jnp.linalg.norm(image))
        rest = across(basis, image)
        size = jnp.linalg.norm(rest)
        nowhere = size <= 32 * eps * widest
        rest = jax.lax.cond(nowhere, lambda: across(basis, jnp.roll(basis[0], i + 1)), lambda: rest)
        return Tridiagonal(
            # the last step's new vector falls off the end
            basis=basis.at[i + 1].set(rest / jnp.linalg.norm(rest)),
            diagonal=diagonal.at[i].set(jnp.vdot(basis[i], image)),
            off=off.at[i].set(jnp.where(nowhere, 0.0, size)),
            made=i + 1,
            widest=widest,
        )

    return jax.lax.fori_loop(0, steps, extend, held)


def tridiagonalise(product: Callable[[Array], Array], start: Array, steps: int) -> Tridiagonal:
    """So many steps of Lanczos from the start (P,); steps is at most P."""
    return go_on(product, begin(start, steps), steps)


def ritz(held: Tridiagonal) -> tuple[Array, Array, Array]:
    """Eigenvalues and eigenvectors of the part of T that is made, and which they are among all."""
    index = jnp.arange(len(held.diagonal))
    off = jnp.where(index[:-1] < held.made - 1, held.off[:-1], 0.0)
    small = jnp.diag(held.diagonal) + jnp.diag(off, 1) + jnp.diag(off, -1)
    values, vectors = jnp.linalg.eigh(small)
    inside = jnp.sum(jnp.where((index < held.made)[:, None], jnp.square(vectors), 0.0), axis=0)
    return values, vectors, inside > 0.5


def reach(diagonal: Array, off: Array) -> Array:
    """No eigenvalue of the tridiagonal matrix is further from 0 (Gershgorin); off ends with 0."""
    return jnp.max(jnp.abs(diagonal) + off + jnp.roll(off, 1))


def pivots(diagonal: Array, off: Array, x: Array) -> Array:
    """The pivots of x - T from the top: as many are negative as T has eigenvalues above x (Sturm's
    count).
    """
    tiny = jnp.finfo(diagonal.dtype).tiny

    def pivot(last: Array, entry: tuple[Array, Array]) -> tuple[Array, Array]:
        a, b = entry
        d = x - a - b * b / last
        d = jnp.where(jnp.abs(d) < tiny, -tiny, d)
        return d, d

    entries = (diagonal, jnp.roll(off, 1).at[0].set(0.0))
    return jax.lax.scan(pivot, jnp.ones_like(x), entries)[1]


def largest_of(diagonal: Array, off: Array, widest: Array) -> Array:
    """The largest eigenvalue of the tridiagonal matrix, to eps times widest, by bisection; off ends
    with 0.

    Not by LAPACK: jaxlib 0.10.2 runs batched eigenproblems on the threads that XLA's CPU devices
    wait on, and two devices that do so at once wait for ever.
    """

    def halve(_: Array, span: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = span
        middle = 0.5 * (low + high)
        above = jnp.any(pivots(diagonal, off, middle) < 0)
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    # from 2 widest down to eps widest, and a little further
    halvings = jnp.finfo(diagonal.dtype).nmant + 4
    return jax.lax.fori_loop(0, halvings, halve, (-widest, widest))[0]


def largest_eigenvalue(
    product: Callable[[Array], Array], start: Array, *, steps: int
) -> tuple[Array, Array]:
    """The largest Ritz value after `steps` Lanczos steps from `start` (P,), and a bound on its
    error: some eigenvalue lies within so much of it.

    The Ritz value is never above the largest eigenvalue, and is that to rounding from P steps on,
    unless `start` is perpendicular to its eigenvector. The bound is the residual norm, the last
    off-diagonal entry times the last component of the Ritz vector (Saad 2011, section 6.2), plus
    rounding. Memory: steps x P. Without LAPACK: see `largest_of`.
    """
    _, diagonal, off, *_ = tridiagonalise(product, start, min(steps, start.size))
    left, off = off[-1], off.at[-1].set(0.0)
    widest = reach(diagonal, off)
    value = largest_of(diagonal, off, widest)
    last = _last_component(diagonal, off, value)
    return value, left * last + 4 * jnp.finfo(value.dtype).eps * widest


def _last_component(diagonal: Array, off: Array, value: Array) -> Array:
    """The last component, in absolute value, of the unit eigenvector at this eigenvalue.

    By the twisted factorisation: pivots from both sides meet where they fit best, so that small
    components are not lost (Dhillon & Parlett 2004).
    """
    down = pivots(diagonal, off, value)
    up = pivots(diagonal[::-1], jnp.roll(off[::-1], -1), value)[::-1]
    meet = jnp.argmin(jnp.abs(down + up - (value - diagonal)))
    index, sides = jnp.arange(len(off)), off[:-1]
    later = jnp.where(index[:-1] >= meet, sides / up[1:], 1.0)
    before = jnp.where(index[:-1] < meet, sides / down[:-1], 1.0)
    vector = jnp.concatenate([jnp.cumprod(before[::-1])[::-1], jnp.ones_like(off[:1])])
    vector = vector * jnp.concatenate([jnp.ones_like(off[:1]), jnp.cumprod(later)])
    return jnp.abs(vector[-1]) / jnp.linalg.norm(vector)
