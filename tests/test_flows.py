"""Paths of steepest descent against scipy's integrators and closed forms."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from landscapes import MUELLER_BROWN_MINIMA, MUELLER_BROWN_SADDLES
from scipy.integrate import solve_ivp

from jaxnn.landscape import flows

MINIMA = MUELLER_BROWN_MINIMA[:, :2]


def nearest(ends):
    away = np.linalg.norm(np.asarray(ends)[:, None] - MINIMA[None], axis=2)
    return np.argmin(away, axis=1), np.min(away, axis=1)


@pytest.mark.usefixtures("x64")
def test_the_flow_reaches_the_minimum_that_scipys_integrator_reaches():
    starts = np.random.default_rng(0).uniform([-1.5, -0.3], [1.0, 1.9], (60, 2))
    flow = jax.jit(jax.vmap(lambda p: flows.downhill(landscapes.mueller_brown, p)))
    labels, away = nearest(flow(jnp.asarray(starts)))
    assert away.max() < 1e-7
    slope = jax.jit(jax.grad(landscapes.mueller_brown))
    for start, label in zip(starts, labels, strict=True):
        found = solve_ivp(
            lambda t, y: -np.asarray(slope(jnp.asarray(y))), (0, 5), start, method="LSODA",
            rtol=1e-8, atol=1e-10,
        )  # fmt: skip
        assert nearest(found.y[:, -1:].T)[0] == label
    assert set(labels.tolist()) == {0, 1, 2}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_quadratic_of_any_stiffness_is_gone_down_in_a_few_steps(scale):
    scales = scale * jnp.array([1e-4, 1.0, 1e4])
    loss_fn = landscapes.quadratic(scales, jnp.array([1.0, 2.0, 3.0]))
    end = flows.downhill(loss_fn, jnp.array([30.0, -20.0, 5.0]), steps=30)
    np.testing.assert_allclose(end, [1.0, 2.0, 3.0], rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_the_flow_goes_round_where_newton_would_jump():
    """On the ring the flow goes straight out from the centre: the angle is kept."""
    for angle in (0.3, 2.0, 5.0):
        start = {"at": 0.01 * jnp.array([jnp.cos(angle), jnp.sin(angle)])}
        end = flows.downhill(landscapes.ring, start)["at"]
        np.testing.assert_allclose(end, [np.cos(angle), np.sin(angle)], rtol=1e-7)


@pytest.mark.usefixtures("x64")
def test_a_saddle_has_two_sides_which_lead_to_its_minima():
    saddles = jnp.asarray(MUELLER_BROWN_SADDLES[:, :2])
    ends = []
    for saddle in saddles:
        both = flows.sides(landscapes.mueller_brown, saddle)
        np.testing.assert_allclose(jnp.mean(both, axis=0), saddle, rtol=1e-12)
        away = jnp.linalg.norm(both[1] - both[0])
        np.testing.assert_allclose(away, 2e-4 * (1 + jnp.linalg.norm(saddle)), rtol=1e-9)
        down = jax.vmap(lambda p: flows.downhill(landscapes.mueller_brown, p))(both)
        ends.append(sorted(nearest(down)[0].tolist()))
    assert ends == [[0, 2], [1, 2]]


@pytest.mark.usefixtures("x64")
def test_a_stationary_point_stays():
    np.testing.assert_array_equal(flows.downhill(landscapes.double_well, jnp.array(0.0)), 0.0)


def test_a_loss_without_a_floor_ends_after_the_steps_given():
    end = flows.downhill(lambda p: -jnp.sum(p**2), jnp.ones(2), steps=20)
    assert jnp.linalg.norm(end) > 10


def test_too_many_parameters_are_refused():
    with pytest.raises(ValueError, match="2001 parameters: the flow needs the whole Hessian"):
        flows.downhill(lambda p: jnp.sum(p**2), jnp.ones(2001))
