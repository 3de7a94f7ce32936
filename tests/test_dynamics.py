"""Dynamics against closed forms, scipy's integrator, and the ensembles that they are made of."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

import jaxnn
from jaxnn import data, dynamics, ensembles
from jaxnn.stopping import Outcome, gradient_below

STARTS = np.array([-1.7, -0.3, 1e-3, 0.4, 2.0])


@pytest.mark.usefixtures("x64")
def test_the_flow_of_a_double_well_is_its_closed_form():
    """dp/dt = -4 p (p^2 - 1) has p^2 / (1 - p^2) = exp(8 t) times its value at the start."""
    run = dynamics.gradient_flow(0.7, rtol=1e-10, atol=1e-12)(landscapes.double_well, STARTS)
    grown = np.exp(8 * 0.7) * STARTS**2 / (1 - STARTS**2)
    wanted = np.sign(STARTS) * np.sqrt(grown / (1 + grown))
    np.testing.assert_allclose(run.params, wanted, rtol=1e-8)  # ten steps of 1e-10, stretched
    np.testing.assert_allclose(run.losses[:, 0], (STARTS**2 - 1) ** 2, rtol=1e-14)
    np.testing.assert_array_equal(run.loss, run.losses[:, 1])
    assert np.all(np.asarray(run.outcome) == Outcome.unfinished)


@pytest.mark.usefixtures("x64")
def test_the_flow_of_a_network_is_scipys():
    loss_fn = jaxnn.loss_on(data.xor())
    loss_fn = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), loss_fn)
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=2, dtype=jnp.float64)
    run = dynamics.gradient_flow(50.0, rtol=1e-9, atol=1e-11)(loss_fn, starts)
    one = jax.tree.map(lambda leaf: leaf[1], starts)
    flat, unravel = ravel_pytree(one)
    slope = jax.jit(lambda p: ravel_pytree(jax.grad(loss_fn)(unravel(p)))[0])
    theirs = solve_ivp(lambda _, p: -slope(p), (0, 50), flat, rtol=1e-9, atol=1e-11)
    ours = ravel_pytree(jax.tree.map(lambda leaf: leaf[1], run.params))[0]
    np.testing.assert_allclose(ours, theirs.y[:, -1], rtol=1e-6)  # both solvers' 1e-9 a step


@pytest.mark.usefixtures("x64")
def test_the_flow_stops_at_small_gradients_and_says_where():
    flow = dynamics.gradient_flow(1e4, gradient=1e-5)
    run = flow(landscapes.double_well, np.array([0.5, 0.0]))
    assert run.outcome.tolist() == [Outcome.converged, Outcome.plateau]  # 0 is the maximum
    np.testing.assert_allclose(run.params, [1.0, 0.0], atol=1e-5 / 8)  # by the curvature
    assert run.gradient_norm.max() < 1e-5


@pytest.mark.usefixtures("x64")
def test_descent_with_small_steps_follows_the_flow():
    descent = dynamics.full_batch(jaxnn.sgd(1e-3), steps=700)(landscapes.double_well, STARTS)
    flow = dynamics.gradient_flow(0.7)(landscapes.double_well, STARTS)
    np.testing.assert_allclose(descent.params, flow.params, atol=2e-2)  # Euler's error, order step


@pytest.mark.slow
def test_full_batches_are_the_ensembles():
    loss_fn = jaxnn.loss_on(data.xor())
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=5)
    rule = jaxnn.sgd(2.0)
    ours = dynamics.full_batch(rule, steps=30)(loss_fn, starts)
    theirs = ensembles.train(loss_fn, starts, rule, steps=30, record_every=1)
    np.testing.assert_array_equal(ours.losses, theirs.losses)
    stop = gradient_below(0.05)
    ours = dynamics.full_batch(rule, steps=40, stop=stop)(loss_fn, starts)
    theirs = ensembles.train_until(loss_fn, starts, rule, stop=stop, max_steps=40, check_every=3)
    np.testing.assert_array_equal(ours.losses, theirs.losses)
    assert ours.outcome.tolist() == theirs.outcome.tolist()


@pytest.mark.slow
def test_with_one_key_all_members_see_the_cases_in_one_order():
    loss_fn = jaxnn.loss_on(data.iris())
    one = ensembles.init(jax.random.key(0), (4, 2, 3), members=1)
    twins = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), one)
    settings = {"epochs": 2, "batch_size": 10}
    alike = dynamics.minibatches(jaxnn.sgd(1.0), jax.random.key(1), **settings)(loss_fn, twins)
    assert alike.loss[0] == alike.loss[1]
    keys = jax.random.split(jax.random.key(1), 2)
    apart = dynamics.minibatches(jaxnn.sgd(1.0), keys, **settings)(loss_fn, twins)
    assert apart.loss[0] != apart.loss[1]


def test_what_means_nothing_is_refused():
    with pytest.raises(ValueError, match="time is 0: give a finite number above 0"):
        dynamics.gradient_flow(0)
    with pytest.raises(ValueError, match="gradient is -1: give a number, at least 0"):
        dynamics.gradient_flow(1, gradient=-1)
    with pytest.raises(ValueError, match="steps is -1"):
        dynamics.full_batch(jaxnn.sgd(), steps=-1)
    with pytest.raises(ValueError, match="epochs"):
        dynamics.minibatches(jaxnn.sgd(), jax.random.key(0), epochs=-1, batch_size=1)
    few = dynamics.minibatches(jaxnn.sgd(), jax.random.key(0), epochs=1, batch_size=1)
    with pytest.raises(ValueError, match="mini-batches are of cases: give a landscape made by"):
        few(landscapes.double_well, STARTS)
