"""Lanczos' method: a symmetric matrix, known by its products, as a small tridiagonal one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Tridiagonal(NamedTuple):
    """T = basis H basis^T: basis (steps, P), rows orthonormal; diagonal (steps,); off (steps,),
    off[i] between i and i + 1, the last one to the row that would come next.
    """

    basis: Array
    diagonal: Array
    off: Array


def tridiagonalise(product: Callable[[Array], Array], start: Array, steps: int) -> Tridiagonal:
    """So many steps of Lanczos from the start (P,), each vector orthogonalised twice against all
    before it (Parlett 1998, section 6.9).

    Where the matrix has led nowhere new (the rest is rounding), off is 0 there and the basis goes
    on in another direction, so that a matrix of low rank is no exception. steps is at most P.
    """
    eps = jnp.finfo(start.dtype).eps
    basis = jnp.zeros((steps, start.size), start.dtype).at[0].set(start / jnp.linalg.norm(start))

    def across(basis: Array, v: Array) -> Array:
        v = v - basis.T @ (basis @ v)
        return v - basis.T @ (basis @ v)

    def extend(carry: tuple[Array, Array], i: Array) -> tuple[tuple[Array, Array], tuple]:
        basis, widest = carry
        image = product(basis[i])
        diagonal = jnp.vdot(basis[i], image)
        widest = jnp.maximum(widest, jnp.linalg.norm(image))
        rest = across(basis, image)
        size = jnp.linalg.norm(rest)
        nowhere = size <= 32 * eps * widest
        rest = jax.lax.cond(nowhere, lambda: across(basis, jnp.roll(basis[0], i + 1)), lambda: rest)
        # the last step's new vector falls off the end
        basis = basis.at[i + 1].set(rest / jnp.linalg.norm(rest))
        return (basis, widest), (diagonal, jnp.where(nowhere, 0.0, size))

    (basis, _), (diagonal, off) = jax.lax.scan(
        extend, (basis, jnp.zeros((), start.dtype)), jnp.arange(steps)
    )
    return Tridiagonal(basis, diagonal, off)
