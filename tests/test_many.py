"""Many searches give what each alone gives, to the bit whatever the others are, in float64."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn import data, ensembles
from jaxnn.landscape.many import at, count_of, in_float64, mapped, polish_all
from jaxnn.landscape.polishing import Ending, polish


def himmelblau_starts(count):
    x, y = jax.random.uniform(jax.random.key(0), (2, count), minval=-5, maxval=5)
    return {"x": x, "y": y}


def same_bits(a, b):
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.optimised
@pytest.mark.parametrize(
    "way",
    [
        "polish",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("descend", "nearest", "follow")),
    ],
)
def test_no_bit_depends_on_the_starts_beside(way):
    starts = himmelblau_starts(300)  # more than one tile of 256
    index = np.arange(300) % 3
    whole = polish_all(landscapes.himmelblau, starts, way=way, index=index)
    first, second = (
        polish_all(
            landscapes.himmelblau, {"x": starts["x"][part], "y": starts["y"][part]}, way=way,
            index=index[part],
        )
        for part in (slice(0, 113), slice(113, None))
    )  # fmt: skip
    same_bits(whole, jax.tree.map(lambda *leaves: np.concatenate(leaves), first, second))
    order = np.random.default_rng(0).permutation(300)
    shuffled = polish_all(
        landscapes.himmelblau, {name: leaf[order] for name, leaf in starts.items()}, way=way,
        index=index[order],
    )  # fmt: skip
    same_bits(at(whole, order), shuffled)


@pytest.mark.slow
def test_many_are_what_each_alone_is():
    starts = landscapes.xor_starts(2, 6)
    loss_fn = landscapes.xor_loss()
    found = polish_all(loss_fn, starts)
    with jax.enable_x64(True):
        one = jax.jit(lambda p: polish(loss_fn, p))
        for k in range(6):
            alone = one(jax.tree.map(lambda leaf, k=k: jnp.asarray(leaf[k], float), starts))
            assert found.ending[k] == alone.ending
            np.testing.assert_allclose(found.loss[k], alone.loss, rtol=1e-12)
            np.testing.assert_array_equal(found.index[k], alone.index)
            # the widths of the products differ, and steps amplify their rounding
            for leaf, single in zip(
                jax.tree.leaves(at(found.point, k)), jax.tree.leaves(alone.point), strict=True
            ):
                np.testing.assert_allclose(leaf, single, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_weights_of_float32_end_at_the_floor_of_float64():
    """Every leaf of the landscape too: 0.8 of float32 is not 0.8, so the minima are of the targets
    that came.
    """
    starts = landscapes.xor_starts(2, 8)
    batch = tuple(np.asarray(part, np.float32) for part in landscapes.XOR)
    found = polish_all(jaxnn.loss_on(batch, activation="tanh", l2=0.0125), starts, way="descend")
    assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(found.point))
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(found))
    rests = found.ending == Ending.stationary
    assert rests.sum() >= 6
    assert np.all(found.gradient_norm[rests] < 1e-14)


def test_each_start_has_an_index_of_its_own():
    """Near the saddle of x^2 - y^2 + (x^4 + y^4) / 4: 1 stays, 0 goes down to y = +-sqrt 2."""

    def loss_fn(p):
        return p[0] ** 2 - p[1] ** 2 + 0.25 * jnp.sum(p**4)

    starts = jnp.full((2, 2), 0.2)
    found = polish_all(loss_fn, starts, way="follow", index=[0, 1])
    np.testing.assert_array_equal(found.index, [0, 1])
    np.testing.assert_allclose(found.point, [[0.0, 2**0.5], [0.0, 0.0]], rtol=1e-12, atol=1e-12)


def test_the_steps_end_a_search():
    found = polish_all(landscapes.himmelblau, himmelblau_starts(40), way="descend", steps=2)
    assert found.steps.max() == 2
    none = polish_all(landscapes.himmelblau, himmelblau_starts(40), way="descend", steps=0)
    assert none.steps.max() == 0
    assert np.all(none.index >= 0)


@pytest.mark.slow
def test_a_function_by_any_name_is_the_same_landscape():
    starts = jax.random.normal(jax.random.key(0), (20,))
    plain = polish_all(landscapes.double_well, starts)
    same_bits(plain, polish_all(lambda p: landscapes.double_well(p), starts))
    same_bits(plain, polish_all(jax.jit(landscapes.double_well), starts))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Labelled:
    """A landscape with integers among its leaves."""

    values: Any
    labels: Any

    def __call__(self, point):
        signs = jnp.where(self.labels > 0, 1.0, -1.0)
        return jnp.sum((point - signs * self.values) ** 2)


def test_integers_among_the_landscapes_leaves_stay():
    loss_fn = Labelled(jnp.array([1.0, 2.0, 3.0]), jnp.array([0, 1, 2]))
    with jax.enable_x64(True):
        wider = in_float64(loss_fn)
    assert wider.values.dtype == jnp.float64
    assert wider.labels.dtype == jnp.int32
    found = polish_all(loss_fn, jnp.zeros((5, 3)))
    np.testing.assert_allclose(found.point, np.tile([-1.0, 2.0, 3.0], (5, 1)), rtol=1e-12)


def test_a_penalty_may_be_an_array():
    starts = landscapes.xor_starts(2, 8)
    number = polish_all(landscapes.xor_loss(0.0125), starts, way="descend")
    array = polish_all(landscapes.xor_loss(jnp.array(0.0125, jnp.float32)), starts, way="descend")
    # float32's 0.0125 is 2e-8 of it off, and so is the loss
    rests = (number.ending == 0) & (array.ending == 0)
    assert rests.sum() >= 6
    np.testing.assert_allclose(array.loss[rests], number.loss[rests], rtol=1e-7)


@pytest.mark.slow
def test_every_logistic_descent_on_xor_without_penalty_is_a_plateau():
    """No finite minimum: most fall to 0, the rest to 1/8 (two cases between) and 1/6 (three)."""
    starts = ensembles.init(jax.random.key(1), (2, 2, 1), members=200, scale=1.5)
    found = polish_all(jaxnn.loss_on(data.xor()), starts)
    assert np.all(found.ending == Ending.plateau)
    known = np.array([0.0, 0.125, 1 / 6])
    away = np.abs(found.level[:, None] - known[None, :])
    assert np.all(away.min(axis=1) < 1e-3)
    assert np.mean(away.argmin(axis=1) == 0) > 0.6


def test_a_compiled_function_of_many_points_is_that_of_each():
    points = {"a": np.arange(600.0).reshape(300, 2)}
    double = jax.jit(jax.vmap(lambda p, by: p["a"] * by, in_axes=(0, None)))
    np.testing.assert_array_equal(mapped(double, points, 2.0), 2.0 * points["a"])
    np.testing.assert_array_equal(mapped(double, at(points, slice(0, 1)), 3.0), 3 * points["a"][:1])


def test_starts_are_counted():
    assert count_of({"a": np.zeros((3, 2)), "b": np.zeros(3)}) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: polish_all(f, jnp.ones(3), way="polsh"), "way to search 'polsh'.*'polish'"),
        (lambda f: polish_all(f, jnp.array([1.0, jnp.inf])), "NaN or infinity: give a finite"),
        (lambda f: polish_all(f, jnp.array([1, 2])), "is of int32: wanted floats"),
        (lambda f: polish_all(f, jnp.array(1.0)), r"have \[0\] entries .* at least 1"),
        (lambda f: polish_all(f, jnp.zeros((0,))), r"have \[0\] entries"),
        (lambda f: polish_all(f, (jnp.ones(3), jnp.ones(4))), r"have \[3, 4\] entries"),
        (lambda f: polish_all(f, jnp.ones(3), steps=-2), "steps is -2"),
        (
            lambda f: polish_all(f, jnp.ones(3), origins=jnp.ones(2)),
            "origins and the starts differ",
        ),
        (
            lambda f: polish_all(f, jnp.ones(1), origins=jnp.array([jnp.nan])),
            "origins's leaf .* NaN",
        ),
        (lambda f: polish_all(lambda p: p, jnp.ones((3, 2))), r"loss has shape \(2,\)"),
        (lambda f: polish_all(lambda p: p @ p, jnp.ones((1, 2001))), "2001 parameters"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(landscapes.double_well)
