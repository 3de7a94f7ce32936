"""Zero eigenvalues by where they come from, on networks whose groups and ranks are known."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn.landscape import symmetries
from jaxnn.landscape.many import at, polish_all
from jaxnn.landscape.null_directions import nulls

pytestmark = pytest.mark.usefixtures("x64")


def of(loss_fn, point):
    return nulls(loss_fn, point, symmetries.of(loss_fn))


def fitted_exactly(activation, sizes, *, cases, seed=0):
    """A loss whose targets are the outputs of a network, at that network: residuals of 0."""
    keys = jax.random.split(jax.random.key(seed))
    point = jaxnn.init(keys[0], sizes, dtype=jnp.float64)
    inputs = jax.random.normal(keys[1], (cases, sizes[0]), jnp.float64)
    batch = jaxnn.Batch(inputs, jnp.zeros((cases, sizes[-1])))
    outputs = jnp.stack([jaxnn.forward(point, x, activation=activation) for x in inputs])
    return jaxnn.loss_on(batch._replace(targets=outputs), activation=activation), point


@pytest.mark.slow
def test_an_isolated_minimum_has_none():
    loss_fn, point = fitted_exactly("tanh", (2, 2, 1), cases=30)
    assert of(loss_fn, point) == (0, 0, 0)


@pytest.mark.parametrize("cases", [3, 5, 8])
def test_fewer_cases_than_parameters_leave_the_rest_free(cases):
    """At zero residuals the Hessian is (2/n) J^T J, of rank `cases` with one output."""
    loss_fn, point = fitted_exactly("tanh", (2, 2, 1), cases=cases)
    assert of(loss_fn, point) == (0, 9 - cases, 0)


@pytest.mark.slow
def test_relu_scales_are_one_for_each_unit():
    activation = ("relu", "identity")
    for seed in range(20):
        loss_fn, point = fitted_exactly(activation, (2, 3, 1), cases=200, seed=seed)
        u = np.asarray(point[0].weights) @ np.asarray(loss_fn.batch.inputs).T
        alive = (u + np.asarray(point[0].biases)[:, None] > 0).mean(axis=1)
        if np.all((alive > 0.2) & (alive < 0.8)):
            assert of(loss_fn, point) == (3, 0, 0)
            break
    else:
        pytest.fail("no draw with three units that are on for some cases and off for others")


def test_a_dead_relu_unit_responds_to_nothing():
    """Its incoming weights, bias and outgoing weight: 2 + 1 + 1."""
    loss_fn, point = fitted_exactly(("relu", "identity"), (2, 3, 1), cases=200, seed=3)
    hidden, last = point
    point = (hidden._replace(biases=jnp.asarray(hidden.biases).at[1].set(-1e3)), last)
    assert of(loss_fn, point).saturation == 4


def test_the_sum_is_the_number_of_zero_eigenvalues_on_a_linear_network():
    """Identity 2-2-1 with full ranks p = 2 and q = 1: GL(2) moves 4 - (2 - 2)(2 - 1) = 4."""
    loss_fn, point = fitted_exactly("identity", (2, 2, 1), cases=50)
    point = (point[0]._replace(biases=None), point[1]._replace(biases=None))
    batch = loss_fn.batch
    outputs = jnp.stack([jaxnn.forward(point, x, activation="identity") for x in batch.inputs])
    loss_fn = jaxnn.loss_on(batch._replace(targets=outputs), activation="identity")
    # outputs depend on 2 numbers, so 6 - 2 directions are flat, and all of them the group's
    assert of(loss_fn, point) == (4, 0, 0)


def test_a_circle_of_minima_of_any_function_is_over_parameterised():
    point = {"at": jnp.array([0.6, 0.8])}
    assert of(landscapes.ring, point) == (0, 1, 0)
    assert of(lambda p: jnp.sum(0 * p), jnp.ones(3)) == (0, 0, 3)


@pytest.mark.slow
def test_they_add_up_at_whatever_descents_end_at():
    loss_fn = jaxnn.loss_on(landscapes.XOR, activation=("relu", "identity"))
    found = polish_all(loss_fn, landscapes.xor_starts(2, 24, biases=(True, True)), way="descend")
    rests = np.flatnonzero(found.ending == 0)
    assert len(rests) > 5
    for k in rests:
        split = of(loss_fn, jax.tree.map(jnp.asarray, at(found.point, k)))
        assert sum(split) == found.zero[k]
        assert min(split) >= 0
