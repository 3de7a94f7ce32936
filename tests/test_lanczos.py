"""Lanczos against matfree, and on the matrices at which it breaks down."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matfree import decomp

from jaxnn.lanczos import largest_eigenvalue, tridiagonalise

pytestmark = pytest.mark.usefixtures("x64")


def symmetric(n, seed=0):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return jnp.asarray(A + A.T)


def test_the_tridiagonal_matrix_is_that_of_matfree():
    H, start = symmetric(40), jax.random.normal(jax.random.key(0), (40,), jnp.float64)
    basis, diagonal, off, *_ = jax.jit(lambda: tridiagonalise(lambda v: H @ v, start, 15))()
    found: Any = decomp.tridiag_sym(15, reortho="full", custom_vjp=False)(lambda v: H @ v, start)
    Q, T = found[:2]
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
    basis, diagonal, off, *_ = tridiagonalise(lambda v: H @ v, start, 25)
    np.testing.assert_allclose(basis @ basis.T, np.eye(25), atol=1e-12)
    T = jnp.diag(diagonal) + jnp.diag(off[:-1], 1) + jnp.diag(off[:-1], -1)
    np.testing.assert_allclose(jnp.linalg.eigvalsh(T), jnp.sort(values), atol=1e-12 * max(rank, 1))


def test_many_at_once_under_vmap():
    matrices = jnp.stack([symmetric(12, seed) for seed in range(3)])
    starts = jax.random.normal(jax.random.key(2), (3, 12), jnp.float64)
    found = jax.vmap(lambda H, s: tridiagonalise(lambda v: H @ v, s, 12))(matrices, starts)
    for H, basis, a, b in zip(matrices, *found[:3], strict=True):
        T = jnp.diag(a) + jnp.diag(b[:-1], 1) + jnp.diag(b[:-1], -1)
        np.testing.assert_allclose(basis @ H @ basis.T, T, atol=1e-12)


def matrix_and_start(size, seed=0):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(size, size))
    return matrix + matrix.T, random.normal(size=size)


@pytest.mark.parametrize(("size", "steps"), [(1, 5), (2, 5), (7, 7), (7, 20), (40, 40)])
def test_from_as_many_steps_as_rows_on_the_largest_eigenvalue_is_exact(size, steps):
    matrix, start = matrix_and_start(size)
    found, error = jax.jit(partial(largest_eigenvalue, steps=steps), static_argnums=0)(
        lambda x: jnp.asarray(matrix) @ x, jnp.asarray(start)
    )
    scale = np.abs(np.linalg.eigvalsh(matrix)).max()
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix)[-1], atol=1e-12 * scale)
    assert error < 1e-11 * scale


@pytest.mark.parametrize("steps", [1, 2, 5, 10, 20, 30])
@pytest.mark.parametrize("seed", range(3))
def test_an_eigenvalue_lies_within_the_error_and_none_is_overshot(steps, seed):
    """The Ritz value and its residual norm are worked out anew from the Krylov space, by numpy."""
    matrix, start = matrix_and_start(60, seed)
    found, error = largest_eigenvalue(
        lambda x: jnp.asarray(matrix) @ x, jnp.asarray(start), steps=steps
    )
    values = np.linalg.eigvalsh(matrix)
    assert np.abs(values - found).min() <= error
    assert found <= values[-1] + 1e-10
    space = [start / np.linalg.norm(start)]
    for _ in range(steps - 1):
        space = list(np.linalg.qr(np.array([*space, matrix @ space[-1]]).T)[0].T)
    Q = np.array(space).T
    ritz, vectors = np.linalg.eigh(Q.T @ matrix @ Q)
    np.testing.assert_allclose(found, ritz[-1], atol=1e-10)
    y = Q @ vectors[:, -1]
    np.testing.assert_allclose(error, np.linalg.norm(matrix @ y - ritz[-1] * y), atol=1e-8)


@pytest.mark.parametrize(
    "diagonal", [[-3.0] * 6, [0.0] * 4, [-5.0, -5.0, -1.0, -1.0], [2.0, 2.0, 2.0, 1e-9]]
)
def test_repeated_and_negative_eigenvalues_break_nothing(diagonal):
    diagonal = jnp.array(diagonal)
    start = jax.random.normal(jax.random.key(1), diagonal.shape, jnp.float64)
    found, error = largest_eigenvalue(lambda x: diagonal * x, start, steps=10)
    np.testing.assert_allclose(found, diagonal.max(), atol=1e-13)
    assert error < 1e-13
