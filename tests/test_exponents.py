"""Lyapunov exponents of training on landscapes where the growth of small changes is known."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import optax
import pytest

import jaxnn
from jaxnn import descent
from jaxnn.landscape.exponents import lyapunov, orthonormalised


def logistic(point):
    """The landscape whose gradient step of size 1 is x -> 4 x (1 - x)."""
    return 4 / 3 * point["x"] ** 3 - 1.5 * point["x"] ** 2


def known_growth(x, steps):
    """Of the logistic map: |f^n'(x)| = 2^n sqrt(x_n (1 - x_n) / (x (1 - x))), by hand and log."""
    end = x
    for _ in range(steps):
        end = 4 * end * (1 - end)
    return np.log(2) + 0.5 * np.log(end * (1 - end) / (x * (1 - x))) / steps


@pytest.mark.usefixtures("x64")
def test_a_quadratic_grows_by_one_minus_step_times_curvature():
    scales = jnp.array([4.5, -0.5, 1.0, 0.1])
    loss_fn = landscapes.quadratic(scales, jnp.ones(4))
    run = jax.jit(
        lambda p, key: lyapunov(loss_fn, jaxnn.sgd(0.5), p, key, steps=20, k=4, settle=400)
    )
    found = run(jnp.ones(4) + 1e-9, jax.random.key(0))
    wanted = np.sort(np.log(np.abs(1 - 0.5 * np.asarray(scales))))[::-1]
    np.testing.assert_allclose(found.exponents, wanted, rtol=1e-12)
    np.testing.assert_allclose(found.history, np.repeat(wanted[:, None], 20, axis=1), rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_the_logistic_map_grows_by_ln_2_under_jit_and_vmap():
    starts, steps = np.array([0.1234, 0.3, 0.77]), 2000
    keys = jax.random.split(jax.random.key(1), 3)
    run = jax.jit(
        jax.vmap(lambda x, key: lyapunov(logistic, jaxnn.sgd(1.0), {"x": x}, key, steps=steps))
    )
    found = run(jnp.asarray(starts), keys)
    assert found.exponents.shape == (3, 1)
    for x, end, exponent in zip(starts, found.point["x"], found.exponents[:, 0], strict=True):
        exact = np.log(2) + 0.5 * np.log(end * (1 - end) / (x * (1 - x))) / steps
        np.testing.assert_allclose(exponent, exact, rtol=1e-9)  # rounding grows near x = 1/2
        assert abs(float(exponent) - np.log(2)) < 0.005
    # rounding of the orbit doubles at every step: 2^10 eps
    early = np.mean(found.history[:, 0, :10], axis=1)
    np.testing.assert_allclose(early, [known_growth(x, 10) for x in starts], rtol=1e-10)
    np.testing.assert_allclose(found.loss, logistic(found.point), rtol=1e-12)


@jax.jit
def on_a_parabola(rule, point):
    """Two exponents of training on x^2 / 2."""
    key = jax.random.key(0)
    return lyapunov(lambda q: 0.5 * q**2, rule, point, key, steps=400, k=2, settle=400)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("step_size", "momentum"), [(0.1, 0.3), (3.9, 0.9)])
def test_heavy_ball_grows_by_the_eigenvalues_of_its_matrix(step_size, momentum):
    """Of x' = x + m', m' = beta m - step lambda x: the memory is moved as well as the point."""
    matrix = np.array([[1 - step_size, -step_size * momentum], [1, momentum]])  # (x, trace)
    rule = descent.rule(optax.sgd, learning_rate=step_size, momentum=momentum)
    found = on_a_parabola(rule, jnp.array(1e-3))
    wanted = np.sort(np.log(np.abs(np.linalg.eigvals(matrix))))[::-1]
    # a complex pair turns: its growth is the mean over whole turns, here up to 1 part of 400 steps
    complex_pair = np.iscomplex(np.linalg.eigvals(matrix)).any()
    np.testing.assert_allclose(found.exponents, wanted, atol=0.01 if complex_pair else 1e-10)
    np.testing.assert_allclose(np.sum(found.exponents), np.log(momentum), rtol=1e-9)  # determinant


@pytest.mark.usefixtures("x64")
def test_exponents_are_those_of_the_derivative_of_training():
    """Their sum is ln |det| / steps; the first is at most that of the largest singular value, and
    at least what a random frame leaves of it.
    """
    rule, steps = jaxnn.sgd(0.1), 8
    start = {"place": jnp.array([0.3, -0.4, 0.2])}

    def trained(place):
        return jaxnn.train(landscapes.goblet, {"place": place}, rule, steps=steps).params["place"]

    derivative, end, found = jax.jit(
        lambda p, key: (
            jax.jacfwd(trained)(p["place"]),
            trained(p["place"]),
            lyapunov(landscapes.goblet, rule, p, key, steps=steps, k=3),
        )
    )(start, jax.random.key(3))
    np.testing.assert_allclose(found.point["place"], end, rtol=1e-12)
    np.testing.assert_allclose(
        np.sum(found.exponents), np.linalg.slogdet(derivative)[1] / steps, rtol=1e-12
    )
    most = np.log(np.linalg.norm(derivative, ord=2)) / steps
    assert most - np.log(10 * np.sqrt(3)) / steps < found.exponents[0] <= most + 1e-12


@pytest.mark.usefixtures("x64")
def test_rules_with_counts_in_their_memory_end_where_training_does():
    loss_fn, rule = landscapes.himmelblau, descent.rule(optax.adam, learning_rate=0.05)
    start = {"x": jnp.array(0.3), "y": jnp.array(1.0)}
    found, end = jax.jit(
        lambda p, key: (
            lyapunov(loss_fn, rule, p, key, steps=30, k=2),
            jaxnn.train(loss_fn, p, rule, steps=30),
        )
    )(start, jax.random.key(0))
    chex.assert_trees_all_close(found.point, end.params, rtol=1e-12)
    np.testing.assert_allclose(found.loss, end.loss, rtol=1e-12)
    assert np.isfinite(found.history).all()


@pytest.mark.usefixtures("x64")
def test_rows_are_orthonormalised_as_by_lapack():
    rows = np.random.default_rng(0).normal(size=(3, 7))
    frame, lengths = orthonormalised(jnp.asarray(rows))
    q, r = np.linalg.qr(rows.T)
    np.testing.assert_allclose(lengths, np.abs(np.diag(r)), rtol=1e-12)
    np.testing.assert_allclose(frame, (q * np.sign(np.diag(r))).T, rtol=1e-11)


def test_numpys_whole_numbers_count_as_pythons():
    call = jnp.sum, jaxnn.sgd(0.1), jnp.ones(3)
    plain = lyapunov(*call, jax.random.key(0), steps=3, k=2, settle=1)
    counts = {"steps": np.int64(3), "k": np.int32(2), "settle": np.uint8(1)}
    chex.assert_trees_all_equal(lyapunov(*call, jax.random.key(0), **counts), plain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0: give a whole number, at least 1"),
        ({"steps": 2.5}, "steps is 2.5: give a whole number, at least 1"),
        ({"steps": True}, "steps is True: give a whole number, at least 1"),
        ({"k": 0}, "k is 0"),
        ({"settle": -1}, "settle is -1: give a whole number, at least 0"),
        ({"k": 4}, "k is 4, but the point and its memory hold 3 numbers"),
        ({"point": np.array([1, 2])}, "wanted floats"),
        ({"loss_fn": lambda p: p}, r"the loss has shape \(3,\)"),
    ],
)
def test_a_wrong_call_is_refused(change, message):
    call: dict[str, Any] = {"loss_fn": jnp.sum, "rule": jaxnn.sgd(0.1), "point": jnp.ones(3)}
    call |= {"steps": 5} | change
    with pytest.raises(ValueError, match=message):
        lyapunov(
            call.pop("loss_fn"), call.pop("rule"), call.pop("point"), jax.random.key(0), **call
        )
