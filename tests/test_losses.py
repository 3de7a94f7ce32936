"""The error: the essay's 1.11, loops without jax, and the landscape as a pytree."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import oracles
import pytest

import jaxnn
from jaxnn.losses import correct

XOR = (jnp.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), jnp.array([[0.0], [1], [1], [0]]))


def problem(seed, sizes=(3, 4, 2), cases=5, dtype=jnp.float64):
    keys = jax.random.split(jax.random.key(seed), 3)
    batch = jaxnn.Batch(
        jax.random.normal(keys[1], (cases, sizes[0]), dtype),
        jax.random.normal(keys[2], (cases, sizes[-1]), dtype),
    )
    return jaxnn.init(keys[0], sizes, dtype=dtype), batch


def test_the_essays_error_is_1_11():
    error = jaxnn.sum_of_squares(jnp.array([0.3, 0.5, 0.6, 0.1]), jnp.array([1.0, 0, 0, 0]))
    assert float(error) == pytest.approx(1.11, abs=1e-6)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("names", [("sigmoid", "sigmoid"), ("tanh", "identity"), ("relu", "erf")])
def test_loss_equals_the_loops(names, l2):
    params, batch = problem(1)
    by_loops = oracles.loss(
        oracles.as_lists(params), (batch.inputs.tolist(), batch.targets.tolist()), names, l2
    )
    np.testing.assert_allclose(
        jaxnn.loss(params, batch, activation=names, l2=l2), by_loops, rtol=1e-12
    )
    pairs = [tuple(layer) for layer in params]
    np.testing.assert_allclose(
        jaxnn.loss(pairs, batch, activation=names, l2=l2), by_loops, rtol=1e-12
    )


@pytest.mark.usefixtures("x64")
def test_squared_residuals_sum_to_the_loss():
    params, batch = problem(2)
    for l2 in (0.0, 0.7):
        loss_fn = jaxnn.loss_on(batch, activation="tanh", l2=l2)
        residuals = loss_fn.residuals(params)
        assert residuals.shape == (5 * 2 + 26,)
        np.testing.assert_allclose(jnp.sum(residuals**2), loss_fn(params), rtol=1e-12)


def test_loss_on_compiles_once_for_all_data_and_l2_of_a_shape():
    @jax.jit
    @chex.assert_max_traces(n=1)
    def value(loss_fn, point):
        return loss_fn(point)

    params, batch = problem(3, dtype=jnp.float32)
    _, other = problem(4, dtype=jnp.float32)
    values = [value(jaxnn.loss_on(b, l2=l2), params) for b in (batch, other) for l2 in (0.0, 0.5)]
    assert len({float(v) for v in values}) == 4


def test_loss_on_maps_over_l2():
    params, batch = problem(3, dtype=jnp.float32)
    l2s = jnp.array([0.0, 0.1, 1.0])
    mapped = jax.vmap(lambda l2: jaxnn.loss_on(batch, l2=l2)(params))(l2s)
    alone = jnp.stack([jaxnn.loss(params, batch, l2=float(l2)) for l2 in l2s])
    chex.assert_trees_all_close(mapped, alone, rtol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (jnp.ones((4, 2)), jnp.ones(4), r"targets \(4,\): wanted \(cases, inputs\)"),
        (jnp.ones((4, 2)), jnp.ones((3, 1)), r"inputs have shape \(4, 2\) and targets \(3, 1\)"),
        (jnp.ones((4, 3)), jnp.ones((4, 1)), "3 inputs and 1 targets a case, but the network 2"),
        (jnp.ones((4, 2)), jnp.ones((4, 2)), "2 inputs and 2 targets a case"),
        (jnp.ones((0, 2)), jnp.ones((0, 1)), "no cases"),
    ],
)
def test_a_batch_that_would_broadcast_to_a_wrong_loss_is_refused(inputs, targets, message):
    params = jaxnn.init(jax.random.key(0), (2, 2, 1))
    with pytest.raises(ValueError, match=message):
        jaxnn.loss(params, (inputs, targets))


def test_sum_of_squares_refuses_different_shapes():
    with pytest.raises(ValueError, match=r"\(4,\) but targets \(4, 1\)"):
        jaxnn.sum_of_squares(jnp.ones(4), jnp.ones((4, 1)))


def test_negative_l2_is_refused():
    with pytest.raises(ValueError, match="l2 is -1"):
        jaxnn.loss_on(XOR, l2=-1.0)


def test_correct_takes_the_side_of_the_middle_or_the_largest_output():
    # one unit: o = sigma(10 x1 - 5) is 0 0 1 1 on XOR's cases, against 0 1 1 0
    params = [(jnp.array([[10.0, 0.0]]), jnp.array([-5.0]))]
    assert correct(params, XOR).tolist() == [True, False, True, False]
    spread = (XOR[0], 1.6 * XOR[1] - 0.8)
    assert correct(params, spread, activation="tanh").tolist() == [True, False, True, False]
    two = [(jnp.array([[10.0, 0.0], [-10.0, 0.0]]), jnp.array([-5.0, 5.0]))]
    targets = jnp.concatenate([XOR[1], 1 - XOR[1]], axis=1)
    assert float(jaxnn.accuracy(two, (XOR[0], targets))) == 0.5


def test_saturation_is_0_at_the_steepest_and_1_without_any_response():
    loss_fn = jaxnn.loss_on(XOR)
    assert (
        float(
            loss_fn.saturation(
                jax.tree.map(jnp.zeros_like, jaxnn.init(jax.random.key(0), (2, 2, 1)))
            )
        )
        == 0
    )
    far = jaxnn.init(jax.random.key(0), (2, 2, 1), scale=1e4)
    assert float(loss_fn.saturation(far)) > 0.999
    dead = [(jnp.array([[-1.0, -1.0]]), jnp.array([-1.0])), (jnp.ones((1, 1)), None)]
    assert float(jaxnn.loss_on(XOR, activation=("relu", "identity")).saturation(dead)) == 1


def test_a_negative_penalty_among_many_is_refused():
    with pytest.raises(ValueError, match="l2 is "):
        jaxnn.loss_on(jaxnn.data.xor(), l2=jnp.array([0.1, -1.0]))
