"""Limits of activations against a loop, and a signature that is the same for all images."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import oracles
import pytest

import jaxnn
from jaxnn import data
from jaxnn.landscape import attractors, symmetries

pytestmark = pytest.mark.usefixtures("x64")


def network(scale=1.0, sizes=(2, 3, 1), seed=0) -> Any:
    return jaxnn.init(jax.random.key(seed), sizes, scale=scale, dtype=jnp.float64)


@pytest.mark.parametrize("names", ["sigmoid", "tanh", ("erf", "sigmoid"), ("relu", "identity")])
@pytest.mark.parametrize("slope", [1e-12, 0.05, 2.0])
def test_limits_are_where_a_loop_finds_little_slope(names, slope):
    loss_fn = jaxnn.loss_on(data.xor(), activation=names)
    point = network(8.0)
    found = attractors.limits(loss_fn, point, slope=slope)
    per_layer = (names, names) if isinstance(names, str) else names
    steepest = {"sigmoid": 0.25, "tanh": 1.0, "erf": 2 / np.sqrt(np.pi)}
    for case, x in enumerate(np.asarray(loss_fn.batch.inputs).tolist()):
        _, sums = oracles.forward(oracles.as_lists(point), x, per_layer)
        for layer, (name, row) in enumerate(zip(per_layer, sums, strict=True)):
            for unit, u in enumerate(row):
                held = name in steepest and (
                    oracles.SLOPES[name](u, oracles.math) < slope * steepest[name]
                )
                assert found[layer][unit, case] == (np.sign(u) if held else 0.0)


def test_a_network_is_at_infinity_where_a_unit_responds_to_no_case():
    loss_fn = jaxnn.loss_on(data.xor(), activation="sigmoid")
    assert not attractors.at_infinity(loss_fn, network())
    (W, b), last = network()
    dead = [(W.at[1].set(0.0), b.at[1].set(40.0)), last]
    assert attractors.at_infinity(loss_fn, dead)
    # at its limit on all cases but one it still responds
    W = W.at[1].set(jnp.array([60.0, 60.0]))
    assert not attractors.at_infinity(loss_fn, [(W, b.at[1].set(0.0)), last])


def test_a_network_is_at_infinity_where_all_outputs_of_a_case_are_at_their_limits():
    loss_fn = jaxnn.loss_on(data.xor(), activation=("tanh", "sigmoid"))
    hidden, (v, c) = network()
    assert attractors.at_infinity(loss_fn, [hidden, (v, c + 60.0)])
    identity = jaxnn.loss_on(data.xor(), activation=("tanh", "identity"))
    assert not attractors.at_infinity(identity, [hidden, (v, c + 60.0)])


def test_what_is_no_network_is_never_at_infinity_of_one():
    assert not attractors.at_infinity(lambda p: jnp.sum(p), jnp.ones(2))


def test_many_points_at_once_have_their_own_answers():
    loss_fn = jaxnn.loss_on(data.xor(), activation="sigmoid")
    points = jax.tree.map(lambda a, b: jnp.stack([a, b]), network(), network(1e3))
    found = jax.jit(jax.vmap(lambda p: attractors.at_infinity(loss_fn, p)))(points)
    np.testing.assert_array_equal(found, [False, True])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_all_images_of_a_network_have_one_signature(activation, seed):
    loss_fn = jaxnn.loss_on(data.xor(), activation=activation)
    group = symmetries.of(loss_fn)
    point = network(5.0, seed=seed)
    kinds = group.kinds(point)
    outputs, own = attractors.signature(loss_fn, point)
    first = attractors.canonical_sides([np.asarray(layer) for layer in own], kinds)
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            image = group.image(point, [(jnp.array(order), jnp.array(signs))])
            others, sides = attractors.signature(loss_fn, image)
            np.testing.assert_allclose(others, outputs, rtol=1e-10, atol=1e-14)
            sides = [np.asarray(layer) for layer in sides]
            assert attractors.canonical_sides(sides, kinds) == first


def test_units_with_different_sides_have_different_signatures():
    sides = [np.array([[1, 1, -1], [1, -1, -1]])]
    one = attractors.canonical_sides(sides, ("permutations",))
    assert one == attractors.canonical_sides([sides[0][::-1]], ("permutations",))
    assert one != attractors.canonical_sides([-sides[0]], ("permutations",))
    assert one == attractors.canonical_sides([-sides[0]], ("signs",))
    assert one != attractors.canonical_sides([np.array([[1, 1, -1], [1, 1, -1]])], ("signs",))
    # a side of 0, as relu has none, decides no sign
    zero = attractors.canonical_sides([np.array([[0, -1, 1]])], ("signs",))
    assert zero == ((((0, 1, -1),)),)
