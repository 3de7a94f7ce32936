"""Leaves that members have for themselves are told from those that they share, and joined again."""

import dataclasses

import chex
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxnn
from jaxnn import Batch, descent
from jaxnn.shared import join, split

LOSS = jaxnn.loss_on(Batch(jnp.ones((3, 2)), jnp.ones((3, 1))), l2=jnp.arange(5.0))


def one(own, k):
    return tuple(leaf[k] for leaf in own)


def test_names_zero_none_and_prefixes_say_which_leaves_are_own():
    own, shared = split(LOSS, {"l2": 0}, 5, what="loss_axes")
    assert [leaf.shape for leaf in own] == [(5,)]
    joined = join(one(own, 3), shared)
    assert joined.l2 == 3.0
    chex.assert_trees_all_equal(joined.batch, LOSS.batch)
    assert split(LOSS, None, 5, what="loss_axes")[0] == ()
    own, shared = split(jaxnn.sgd(jnp.array([0.5, 2.0])), 0, 2, what="rule_axes")
    step, _ = join(one(own, 1), shared).update(jnp.float32(3.0), optax.EmptyState())
    assert step == -6.0
    prefix = dataclasses.replace(LOSS, batch=None, l2=0)
    np.testing.assert_array_equal(split(LOSS, prefix, 5, what="loss_axes")[0][0], LOSS.l2)


def test_the_numbers_of_an_optax_rule_are_named():
    rule = descent.rule(optax.adam, learning_rate=jnp.array([0.1, 0.2, 0.3]), b1=0.9)
    own, _ = split(rule, {"learning_rate": 0}, 3, what="rule_axes")
    assert {leaf.shape for leaf in own} == {(3,)}


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"l3": 0}, "loss_axes names l3, but there is only: batch.inputs, batch.targets, l2"),
        (0, r"own batch.inputs, which has shape \(3, 2\): wanted 5 entries"),
        (1, "loss_axes holds 1: wanted None, 0, or names"),
        ((0, None), "loss_axes does not fit"),
    ],
)
def test_axes_that_do_not_fit_are_refused(axes, message):
    with pytest.raises(ValueError, match=message):
        split(LOSS, axes, 5, what="loss_axes")
