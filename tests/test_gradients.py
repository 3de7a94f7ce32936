"""The gradient of a landscape is jax.grad's, and so are its derivatives, by whichever way."""

import chex
import jax
import jax.numpy as jnp
import pytest

import jaxnn
from jaxnn.gradients import gradient_of

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "erf", "relu", "identity"])
@pytest.mark.parametrize("l2", [None, 0.2])
def test_gradient_and_hessian_products_by_hand_are_those_of_autodiff(activation, l2):
    keys = jax.random.split(jax.random.key(0), 4)
    batch = jaxnn.Batch(
        jax.random.normal(keys[0], (6, 3), jnp.float64),
        jax.random.uniform(keys[1], (6, 2), jnp.float64),
    )
    point, v = (jaxnn.init(k, (3, 4, 2), dtype=jnp.float64) for k in keys[2:])
    loss_fn = jaxnn.losses.LossOn(batch, l2, activation)
    by_hand = gradient_of(loss_fn)

    @jax.jit
    def with_product(gradient, point, v):
        return jax.jvp(gradient, (point,), (v,))

    value, found = with_product(jax.tree_util.Partial(by_hand), point, v)
    right, expected = with_product(jax.tree_util.Partial(jax.grad(loss_fn)), point, v)
    chex.assert_trees_all_close(value, right, rtol=1e-12, atol=1e-15)
    chex.assert_trees_all_close(found, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("u", [0.0, 40.0, -40.0])
def test_second_derivatives_hold_at_zero_and_in_the_tails(u):
    """One node, input 1, target 0: E = s^2, E'' = 2 s'^2 + 2 s s'' with s'' = s' (1 - 2 s)."""
    loss_fn = jaxnn.loss_on((jnp.ones((1, 1)), jnp.zeros((1, 1))))
    point, v = ([(jnp.array([[u]]), None)], [(jnp.ones((1, 1)), None)])
    found = jax.jvp(gradient_of(loss_fn), (point,), (v,))[1]
    s = 1 / (1 + jnp.exp(-u))
    slope = jnp.exp(-abs(u)) / (1 + jnp.exp(-abs(u))) ** 2
    expected = 2 * slope**2 + 2 * s * slope * jnp.tanh(-u / 2)
    chex.assert_trees_all_close(found[0][0][0, 0], expected, rtol=1e-12)


def test_a_bare_function_is_differentiated_by_jax():
    chex.assert_trees_all_close(gradient_of(lambda p: p**3)(jnp.array(2.0)), 12.0)
