"""Lanczos against matfree, and on the matrices at which it breaks down."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matfree import decomp

from jaxnn.lanczos import tridiagonalise

pytestmark = pytest.mark.usefixtures("x64")


def symmetric(n, seed=0):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return jnp.asarray(A + A.T)


def test_the_tridiagonal_matrix_is_that_of_matfree():
    H, start = symmetric(40), jax.random.normal(jax.random.key(0), (40,), jnp.float64)
    basis, diagonal, off = jax.jit(lambda: tridiagonalise(lambda v: H @ v, start, 15))()
    Q, T, *_ = decomp.tridiag_sym(15, reortho="full", custom_vjp=False)(lambda v: H @ v, start)
    np.testing.assert_allclose(diagonal, jnp.diag(T), atol=1e-11)
    np.testing.assert_allclose(off[:-1], jnp.diag(T, 1), atol=1e-11)
    np.testing.assert_allclose(jnp.abs(jnp.sum(basis * Q, axis=1)), 1, rtol=1e-11)


@pytest.mark.parametrize("rank", [0, 1, 3, 25])
def test_a_matrix_of_low_rank_is_reduced_to_itself(rank):
    """Where the Krylov space ends, the basis goes on orthonormal and the spectrum is whole."""
    values = jnp.zeros(25).at[:rank].set(jnp.arange(1.0, rank + 1))
    rotation = jnp.linalg.qr(symmetric(25, 3))[0]
    H = rotation @ (values[:, None] * rotation.T)
    start = jax.random.normal(jax.random.key(1), (25,), jnp.float64)
    basis, diagonal, off = tridiagonalise(lambda v: H @ v, start, 25)
    np.testing.assert_allclose(basis @ basis.T, np.eye(25), atol=1e-12)
    T = jnp.diag(diagonal) + jnp.diag(off[:-1], 1) + jnp.diag(off[:-1], -1)
    np.testing.assert_allclose(jnp.linalg.eigvalsh(T), jnp.sort(values), atol=1e-12 * max(rank, 1))


def test_many_at_once_under_vmap():
    matrices = jnp.stack([symmetric(12, seed) for seed in range(3)])
    starts = jax.random.normal(jax.random.key(2), (3, 12), jnp.float64)
    found = jax.vmap(lambda H, s: tridiagonalise(lambda v: H @ v, s, 12))(matrices, starts)
    for H, basis, a, b in zip(matrices, *found, strict=True):
        T = jnp.diag(a) + jnp.diag(b[:-1], 1) + jnp.diag(b[:-1], -1)
        np.testing.assert_allclose(basis @ H @ basis.T, T, atol=1e-12)
