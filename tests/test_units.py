"""Coordinates of units: centred and back, balance where it is known in closed form."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn.landscape import units

pytestmark = pytest.mark.usefixtures("x64")


def layers(sizes, seed=0, **more) -> list[Any]:
    params = jaxnn.init(jax.random.key(seed), sizes, dtype=jnp.float64, **more)
    return [tuple(layer) for layer in params]


def leaves_close(a, b):
    for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("names", "biases", "penalised", "kinds"),
    [
        (("tanh", "erf", "sigmoid"), (True,) * 3, True, ("signs", "signs")),
        (("sigmoid", "sigmoid", "relu"), (False, True, False), False, ("logistic", "permutations")),
        (("sigmoid", "tanh"), (True, True), True, ("permutations",)),
        (("relu", "identity", "tanh"), (True,) * 3, False, ("scaling", "linear")),
        (("relu", "identity", "tanh"), (True,) * 3, True, ("permutations", "orthogonal")),
        (("sigmoid",), (True,), False, ()),
    ],
)
def test_kinds_follow_activation_penalty_and_the_next_bias(names, biases, penalised, kinds):
    assert units.kinds_of(names, biases, penalised) == kinds


def test_centred_and_back_is_the_same():
    point, kinds = layers((2, 3, 3, 1)), ("logistic", "logistic")
    middle = units.centred(point, kinds)
    np.testing.assert_allclose(middle[1][1], point[1][1] + np.sum(point[1][0], axis=1) / 2)
    leaves_close(units.centred(middle, kinds, back=True), point)


def lengths(point, n):
    W, b = point[n]
    before = np.sum(W**2, axis=1) + (0.0 if b is None else b**2)
    return np.sqrt(before), np.linalg.norm(point[n + 1][0], axis=0)


@pytest.mark.parametrize("sizes", [(2, 4, 1), (3, 5, 4, 2), (2, 3, 3, 3, 1)])
@pytest.mark.parametrize("biases", [True, False])
def test_balanced_relu_units_have_equal_sides_and_the_same_function(sizes, biases):
    point, kinds = layers(sizes, biases=biases), ("scaling",) * (len(sizes) - 2)
    balanced, factors = jax.jit(lambda p: units.balanced(p, kinds))(point)
    x, scaled = jnp.linspace(-1.0, 1.0, sizes[0]), point
    for n, factor in enumerate(factors):
        np.testing.assert_allclose(*lengths(balanced, n), rtol=1e-12)
        scaled = units.scaled(scaled, n, factor)
    leaves_close(scaled, balanced)
    one, other = (jaxnn.forward(p, x, activation="relu") for p in (point, balanced))
    np.testing.assert_allclose(other, one, rtol=1e-12)


def test_balance_is_the_smallest_sum_of_squares_of_the_orbit():
    point = layers((2, 4, 1))
    balanced, _ = units.balanced(point, ("scaling",))
    before, behind = lengths(point, 0)
    # t^2 p^2 + q^2 / t^2 is at least 2 p q
    wanted = np.sum(2.0 * before * behind) + np.sum(point[1][1] ** 2)
    found = sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(balanced))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_unit_with_one_side_zero_gets_length_1_on_the_other():
    (W, b), (V, c) = layers((2, 4, 1))
    W, b, V = W.at[0].set(0.0), b.at[0].set(0.0), V.at[:, 1].set(0.0)
    W, b, V = W.at[2].set(0.0), b.at[2].set(0.0), V.at[:, 2].set(0.0)
    balanced, factors = units.balanced([(W, b), (V, c)], ("scaling",))
    before, behind = lengths(balanced, 0)
    np.testing.assert_allclose(before[:3], [0.0, 1.0, 0.0], rtol=1e-12)
    np.testing.assert_allclose(behind[:3], [1.0, 0.0, 0.0], rtol=1e-12)
    assert factors[0][2] == 1.0


@pytest.mark.parametrize("sizes", [(2, 3, 1), (4, 3, 3), (3, 4, 2, 2)])
def test_balanced_linear_layers_have_equal_gram_matrices_and_the_same_function(sizes):
    point, kinds = layers(sizes), ("linear",) * (len(sizes) - 2)
    balanced, _ = units.balanced(point, kinds)
    x = jnp.linspace(-1.0, 2.0, sizes[0])
    for n in range(len(kinds)):
        W, b = balanced[n]
        np.testing.assert_allclose(b, 0.0, atol=1e-12)
        after = balanced[n + 1][0]
        np.testing.assert_allclose(W @ W.T, after.T @ after, rtol=1e-12, atol=1e-12)
    one, other = (jaxnn.forward(p, x, activation="identity") for p in (point, balanced))
    np.testing.assert_allclose(other, one, rtol=1e-12)
