"""Batches of any tree: their arrays are cut alike, or refused."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import data, training


def test_all_arrays_of_a_batch_are_cut_alike_whatever_tree_they_are_in():
    """Weighted least squares by batches of a triple and of a dict, against a loop by numpy."""
    rng = np.random.default_rng(0)
    x, y, shares = rng.normal(size=(3, 7)).astype(np.float32)
    shares = np.abs(shares)

    def by_dict(p, few):
        return jnp.mean(few["shares"] * (p * few["x"] - few["y"]) ** 2)

    def by_triple(p, few):
        return by_dict(p, dict(zip(("x", "y", "shares"), few, strict=True)))

    settings: dict[str, Any] = {"epochs": 3, "batch_size": 2}
    of_dict = {"x": x, "y": y, "shares": shares}
    point, order_of = 0.5, jax.random.split(jax.random.key(5), 3)
    for key in order_of:
        order = np.asarray(jax.random.permutation(key, 7))
        for few in np.split(order, [2, 4, 6]):
            point -= 0.1 * np.mean(shares[few] * 2 * (point * x[few] - y[few]) * x[few])
    for loss, batch in ((by_dict, of_dict), (by_triple, (x, y, shares))):
        run = training.train_minibatch(
            loss, 0.5, batch, jaxnn.sgd(0.1), jax.random.key(5), **settings
        )
        np.testing.assert_allclose(run.params, point, rtol=1e-5)
    batch = (x, y, shares[:3])
    with pytest.raises(
        ValueError, match=r"shapes \(7,\), \(7,\), \(3,\): wanted one number of"
    ) as e:
        training.train_minibatch(
            by_triple, 0.5, batch, jaxnn.sgd(0.1), jax.random.key(5), **settings
        )
    assert "\n" not in str(e.value)
    with pytest.raises(ValueError, match=r"the loss has shape \(2,\)"):
        training.train_minibatch(
            lambda p, few: p, jnp.ones(2), of_dict, jaxnn.sgd(), jax.random.key(5), **settings
        )


def test_plain_tuples_and_other_trees_are_split_as_a_batch_is():
    batch, seed = data.parity(4), 0
    expected = data.split(batch, jax.random.key(seed), 0.25)
    for same in (tuple(batch), list(batch), tuple(np.asarray(part) for part in batch)):
        chex.assert_trees_all_equal(data.split(same, jax.random.key(seed), 0.25), expected)
    parts = data.split({"x": batch.inputs, "y": batch.targets}, jax.random.key(seed), 0.25)
    for part, whole in zip(parts, expected, strict=True):
        chex.assert_trees_all_equal((part["x"], part["y"]), tuple(whole))
    with pytest.raises(ValueError, match=r"shapes \(16, 4\), \(3, 1\): wanted one number of cases"):
        data.split((batch.inputs, batch.targets[:3]), jax.random.key(seed), 0.25)
    with pytest.raises(ValueError, match="have shapes of none"):
        data.split((), jax.random.key(seed), 0.25)


class Pair(NamedTuple):
    x: Any
    y: Any


def test_a_pair_with_names_of_its_own_keeps_them():
    batch = Pair(jnp.arange(4.0), jnp.ones(4))

    def loss(p, few):
        return jnp.mean((p * few.x - few.y) ** 2)

    settings: dict[str, Any] = {"epochs": 1, "batch_size": 4}
    run = training.train_minibatch(loss, 0.0, batch, jaxnn.sgd(0.1), jax.random.key(0), **settings)
    np.testing.assert_allclose(run.params, 0.1 * 2 * 1.5, rtol=1e-6)
