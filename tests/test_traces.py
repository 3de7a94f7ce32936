"""Traces: exact where they say so, within their standard errors where they do not."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import data
from jaxnn.landscape import curvature, traces

pytestmark = pytest.mark.usefixtures("x64")


def spread_out(n=400):
    """A quadratic with a dense matrix and a few large eigenvalues."""
    values = np.r_[50.0, 20.0, -10.0, np.linspace(-1, 1, n - 3)]
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    A = jnp.asarray(Q * values @ Q.T)
    return (lambda p: 0.5 * p @ A @ p), jnp.ones(n), 60.0


def test_the_exact_trace_is_the_sum_of_the_eigenvalues():
    batch = jaxnn.Batch(*(part.astype(jnp.float64) for part in data.xor()))
    params = jaxnn.init(jax.random.key(0), (2, 3, 1), dtype=jnp.float64)
    loss_fn = jaxnn.loss_on(batch)
    found = traces.trace(loss_fn, params, jax.random.key(1))
    np.testing.assert_allclose(
        found.value, jnp.sum(curvature.eigenvalues(loss_fn, params)), rtol=1e-12
    )
    assert (float(found.standard_error), found.products) == (0.0, 13)


@pytest.mark.optimised
@pytest.mark.parametrize("method", ["hutchinson", "xtrace"])
def test_estimates_lie_within_their_standard_errors(method):
    """Over 100 keys: unbiased, and spread as the standard error says, to a third."""
    loss_fn, point, exact = spread_out()
    keys = jax.random.split(jax.random.key(0), 100)
    found = jax.jit(
        jax.vmap(lambda k: traces.trace(loss_fn, point, k, method=method, products=60))
    )(keys)
    scores = (found.value - exact) / found.standard_error
    assert abs(float(jnp.mean(found.value)) - exact) < 4 * float(jnp.std(found.value)) / 10
    assert 0.66 < float(jnp.sqrt(jnp.mean(scores**2))) < 1.5
    assert found.products == 60


def test_xtrace_gains_from_a_few_large_eigenvalues():
    loss_fn, point, _ = spread_out()
    errors = {
        method: float(traces.trace(loss_fn, point, jax.random.key(2), method=method).standard_error)
        for method in ("hutchinson", "xtrace")
    }
    assert errors["xtrace"] < 0.5 * errors["hutchinson"]


def test_above_exact_the_trace_is_estimated_by_itself():
    values = jnp.linspace(0.0, 2.0, traces.EXACT + 1)
    found = traces.trace(
        lambda p: 0.5 * jnp.sum(values * p**2), jnp.ones(traces.EXACT + 1), jax.random.key(0)
    )
    assert found.products == 100
    assert abs(float(found.value) - float(jnp.sum(values))) < 4 * float(found.standard_error)


def test_wrong_calls_are_refused():
    loss_fn, point, _ = spread_out()
    with pytest.raises(ValueError, match=r"unknown method 'hutchinsen'.*'hutchinson'"):
        traces.trace(loss_fn, point, jax.random.key(0), method="hutchinsen")
    with pytest.raises(ValueError, match="products is 3"):
        traces.trace(loss_fn, point, jax.random.key(0), method="xtrace", products=3)


def test_the_trace_is_exact_over_unit_vectors_and_within_its_error_over_signs():
    matrix = np.random.default_rng(0).normal(size=(30, 30))
    matrix = matrix + matrix.T

    def product(x):
        return jnp.asarray(matrix) @ x

    exact, none = traces.over_probes(product, jnp.eye(30), exact=True)
    np.testing.assert_allclose(exact, np.trace(matrix), rtol=1e-12)
    assert none == 0
    signs = jax.random.rademacher(jax.random.key(0), (40, 200, 30), jnp.float64)
    estimates, errors = jax.jit(jax.vmap(partial(traces.over_probes, product, exact=False)))(signs)
    # the variance for random signs is 2 times the squares off the diagonal
    off = matrix - np.diag(np.diag(matrix))
    np.testing.assert_allclose(errors, np.sqrt(2 * np.sum(off**2) / 200), rtol=0.25)
    apart = np.abs(estimates - exact) / errors
    assert np.mean(apart < 2) > 0.85  # 0.95 expected
    assert np.max(apart) < 5


def test_few_probes_that_agree_tell_no_error():
    """Of two parameters that are coupled alone, z . H z is 2 or -2 by the signs of z; the trace is
    0. Four probes agree with a chance of 1 in 8.
    """
    few = jax.jit(
        jax.vmap(
            lambda k: traces.trace(lambda p: p[0] * p[1], jnp.ones(2), k, method="hutchinson",
                                   products=4)
        )
    )(jax.random.split(jax.random.key(0), 200))  # fmt: skip
    agree = np.abs(few.value) == 2
    assert 10 < np.sum(agree) < 45
    assert np.isnan(few.standard_error[agree]).all()
    assert np.all(few.standard_error[~agree] > 0)
    many = traces.trace(
        lambda p: p[0] ** 2 + p[1], jnp.ones(2), jax.random.key(0), method="hutchinson", products=20
    )
    assert (many.value, many.standard_error) == (2, 0)
