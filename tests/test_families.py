"""Families against all motions of XOR's columns, by brute force over all images."""

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
    """The 48 signed permutations of the columns x, y and 1, the biases' input.

    XOR's targets are -0.8 times the product of the three, and tanh networks without an output bias
    are odd in them, so each keeps the cases with the targets times its signs' product, which the
    outgoing weights take up.
    """
    (W, b), (v, _) = point
    columns = np.column_stack([W, b])
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            moved = columns[:, order] * np.array(signs)[None, :]
            yield [(moved[:, :2], moved[:, 2]), (v * np.prod(signs), None)]


@pytest.mark.slow
def test_classes_of_xor_are_one_family_where_a_motion_of_the_columns_joins_them():
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
    # a family is an orbit of that group, in which turning all columns over moves nothing
    assert all(24 % count == 0 for count in np.bincount(census.families))
    assert len(set(census.families)) == 10


@pytest.mark.slow
def test_only_isolated_classes_of_networks_are_compared():
    census = landscapes.xor_census()
    group = symmetries.of(landscapes.xor_loss())
    first = jax.tree.map(lambda leaf: leaf[:4], census.points)
    losses = census.losses[:4]
    every = families_of(group, first, losses, np.ones(4, bool), tolerance=1e-6).numbers
    np.testing.assert_array_equal(every, 0)  # the four solutions
    some = families_of(
        group, first, losses, np.array([True, False, True, False]), tolerance=1e-6
    ).numbers
    np.testing.assert_array_equal(some, [0, 1, 0, 2])
    none = families_of(
        group, first, losses + np.arange(4.0), np.ones(4, bool), tolerance=1e-6
    ).numbers
    np.testing.assert_array_equal(none, [0, 1, 2, 3])


def test_other_landscapes_and_wide_data_have_families_of_one():
    points = {"at": jnp.array([[1.0, 0.0], [0.0, 1.0]])}
    group = symmetries.of(landscapes.ring)
    found = families_of(group, points, np.zeros(2), np.ones(2, bool), tolerance=1e-6).numbers
    np.testing.assert_array_equal(found, [0, 1])
    wide = jaxnn.loss_on(jaxnn.Batch(jnp.eye(7), jnp.ones((7, 1))))
    stacked = jax.vmap(lambda key: jaxnn.init(key, (7, 1)))(jax.random.split(jax.random.key(0)))
    found = families_of(
        symmetries.of(wide), stacked, np.zeros(2), np.ones(2, bool), tolerance=1e-6
    ).numbers
    np.testing.assert_array_equal(found, [0, 1])
    assert (
        len(families_of(group, points, np.zeros(0), np.ones(0, bool), tolerance=1e-6).numbers) == 0
    )
