"""Each derivative by hand against 50-digit arithmetic, and what decision 12 asks of the tails."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import oracles
import pytest

from jaxnn.activations import ACTIVATIONS, per_layer

NAMES = list(ACTIVATIONS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("x64")
def test_value_and_derivative_equal_mpmath_from_minus_30_to_30(name):
    us = np.linspace(-30, 30, 601) + 0.01
    activation = ACTIVATIONS[name]
    with mpmath.workdps(50):
        values = [float(oracles.VALUES[name](mpmath.mpf(u), mpmath)) for u in us]
        slopes = [float(oracles.SLOPES[name](mpmath.mpf(u), mpmath)) for u in us]
    # exp's argument is rounded to eps relative, so a relative error of |u| eps (u^2 eps for erf) is
    # the form's own
    tiny = np.finfo(np.float64).tiny
    np.testing.assert_allclose(activation.value(jnp.array(us)), values, rtol=3e-15, atol=tiny)
    np.testing.assert_allclose(activation.derivative(jnp.array(us)), slopes, rtol=3e-13, atol=tiny)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_is_finite_at_100_and_positive_where_float32_can_hold_it(name):
    ends = jnp.array([-100.0, -80.0, 80.0, 100.0], jnp.float32)
    derivative = ACTIVATIONS[name].derivative
    assert bool(jnp.all(jnp.isfinite(derivative(ends))))
    # the largest |u| at which the true derivative is still a normal float32 number
    reach = {"sigmoid": 80.0, "tanh": 43.0, "erf": 9.2, "relu": 80.0, "identity": 80.0}[name]
    assert float(derivative(jnp.float32(reach))) > 0
    if name != "relu":
        assert float(derivative(jnp.float32(-reach))) > 0


def test_sigmoid_derivative_at_80_is_its_true_value_where_the_textbook_forms_fail():
    u = jnp.float32(80.0)
    true = float(mpmath.exp(-80) / (1 + mpmath.exp(-80)) ** 2)
    sigma = ACTIVATIONS["sigmoid"]
    np.testing.assert_allclose([sigma.derivative(u), sigma.derivative(-u)], true, rtol=1e-5)
    o = sigma.value(u)
    assert float(o * (1 - o)) == 0.0
    low = jnp.float32(-100.0)
    assert bool(jnp.isnan(jnp.exp(-low) / (1 + jnp.exp(-low)) ** 2))


def test_sigmoid_keeps_its_slope_under_autodiff_where_the_output_rounds_to_one():
    slopes = jax.vmap(jax.grad(ACTIVATIONS["sigmoid"].value))(jnp.array([-80.0, 0.0, 20.0, 80.0]))
    expected = ACTIVATIONS["sigmoid"].derivative(jnp.array([-80.0, 0.0, 20.0, 80.0]))
    np.testing.assert_allclose(slopes, expected, rtol=1e-5)
    assert float(slopes[1]) == 0.25


@pytest.mark.parametrize("name", NAMES)
def test_steepest_is_the_largest_derivative(name):
    us = jnp.linspace(-4, 4, 8001)
    largest = float(jnp.max(ACTIVATIONS[name].derivative(us)))
    assert largest == pytest.approx(ACTIVATIONS[name].steepest, rel=1e-6)


def test_unknown_name_lists_the_valid_ones_and_suggests_the_nearest():
    with pytest.raises(
        ValueError, match=r"unknown activation 'sigmiod'.*tanh.*did you mean 'sigmoid'"
    ):
        per_layer("sigmiod", 2)


def test_a_name_too_many_is_refused():
    with pytest.raises(ValueError, match=r"has 3 names .* 2 layers"):
        per_layer(("tanh", "tanh", "erf"), 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_are_the_value_and_the_derivative_also_in_the_tails(name, dtype):
    with jax.enable_x64(dtype == "float64"):
        u = jnp.concatenate([jnp.linspace(-100, 100, 2001), jnp.array([-1e4, 1e4])]).astype(dtype)
        value, slope = ACTIVATIONS[name].both(u)
        eps = float(jnp.finfo(dtype).eps)
        small = float(jnp.finfo(dtype).tiny) * 100
        np.testing.assert_allclose(value, ACTIVATIONS[name].value(u), rtol=8 * eps, atol=small)
        np.testing.assert_allclose(slope, ACTIVATIONS[name].derivative(u), rtol=8 * eps, atol=small)
        assert bool(jnp.all(jnp.isfinite(value) & jnp.isfinite(slope)))
        assert bool(jnp.isnan(ACTIVATIONS[name].both(jnp.array(jnp.nan, dtype))[0]))
