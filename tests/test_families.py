"""Families against all eight motions of XOR's square, by brute force over all images."""

import itertools

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn.landscape import symmetries
from jaxnn.landscape.families import families_of

pytestmark = pytest.mark.usefixtures("x64")


def flat(point):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(point)])


def images(point):
    """All 8 signed permutations of two tanh units."""
    (W, b), (v, _) = point
    for order in ([0, 1], [1, 0]):
        for signs in itertools.product((1.0, -1.0), repeat=2):
            s = np.array(signs)
            yield flat([(s[:, None] * W[order], s * b[order]), (v[:, order] * s[None, :],)])


def turned(point):
    """The 8 motions of the inputs' square; each reflection of one input turns XOR's targets over,
    and with them the outgoing weights.
    """
    (W, b), (v, _) = point
    for order in ([0, 1], [1, 0]):
        for signs in itertools.product((1.0, -1.0), repeat=2):
            s = np.array(signs)
            yield [(W[:, order] * s[None, :], b), (v * signs[0] * signs[1], None)]


def test_classes_of_xor_are_one_family_where_a_motion_of_the_square_joins_them():
    census = landscapes.xor_census()
    points = [jax.tree.map(lambda leaf, k=k: leaf[k], census.points) for k in range(49)]
    orbits = [np.array(list(images(point))) for point in points]
    joined = np.eye(49, dtype=bool)
    for k, point in enumerate(points):
        moved = [flat(motion) for motion in turned(point)]
        for other in range(49):
            away = [np.linalg.norm(orbits[other] - m[None, :], axis=1).min() for m in moved]
            joined[k, other] |= min(away) < 1e-9
    np.testing.assert_array_equal(joined, census.families[:, None] == census.families[None, :])
    assert len(set(census.families)) == 13
    # a family is an orbit of a group of 8
    assert all(8 % count == 0 for count in np.bincount(census.families))


def test_only_isolated_classes_of_networks_are_compared():
    census = landscapes.xor_census()
    group = symmetries.of(landscapes.xor_loss())
    first = jax.tree.map(lambda leaf: leaf[:4], census.points)
    losses = census.losses[:4]
    every = families_of(group, first, losses, np.ones(4, bool), tolerance=1e-6)
    np.testing.assert_array_equal(every, 0)  # the four solutions
    some = families_of(group, first, losses, np.array([True, False, True, False]), tolerance=1e-6)
    np.testing.assert_array_equal(some, [0, 1, 0, 2])
    none = families_of(group, first, losses + np.arange(4.0), np.ones(4, bool), tolerance=1e-6)
    np.testing.assert_array_equal(none, [0, 1, 2, 3])


def test_other_landscapes_and_wide_data_have_families_of_one():
    points = {"at": jnp.array([[1.0, 0.0], [0.0, 1.0]])}
    group = symmetries.of(landscapes.ring)
    found = families_of(group, points, np.zeros(2), np.ones(2, bool), tolerance=1e-6)
    np.testing.assert_array_equal(found, [0, 1])
    wide = jaxnn.loss_on(jaxnn.Batch(jnp.eye(7), jnp.ones((7, 1))))
    stacked = jax.vmap(lambda key: jaxnn.init(key, (7, 1)))(jax.random.split(jax.random.key(0)))
    found = families_of(symmetries.of(wide), stacked, np.zeros(2), np.ones(2, bool), tolerance=1e-6)
    np.testing.assert_array_equal(found, [0, 1])
    assert len(families_of(group, points, np.zeros(0), np.ones(0, bool), tolerance=1e-6)) == 0
