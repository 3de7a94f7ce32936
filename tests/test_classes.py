"""Points gathered into classes: known numbers, images of networks, flat sets, attractors."""

import itertools
import math

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn import data, ensembles
from jaxnn.landscape import gathering, symmetries
from jaxnn.landscape.classes import distinct
from jaxnn.landscape.many import polish_all
from jaxnn.landscape.polishing import Ending, polish

RING_STARTS = {"at": np.random.default_rng(0).normal(size=(30, 2))}


def test_a_circle_of_minima_is_one_entry_with_its_dimension():
    """Losses of 1e-32 and 0 on it are one level."""
    found = distinct(landscapes.ring, polish_all(landscapes.ring, RING_STARTS, way="descend"))
    assert len(found.losses) == 1
    assert found.kinds == ["flat"]
    assert found.zero[0] == sum(found.nulls[0]) == 1
    assert found.hits[0] == 30
    assert np.isnan(found.orbit_size[0])
    assert np.isnan(found.morse_sum)
    assert not found.converted


def test_two_circles_of_one_level_are_one_flat_set():
    """What is not connected is not told apart; isolated points at the same level are."""

    def loss_fn(p):
        return (p @ p - 1) ** 2 * (
            (p - jnp.array([4.0, 0.0])) @ (p - jnp.array([4.0, 0.0])) - 1
        ) ** 2

    starts = np.random.default_rng(1).uniform([-2.0, -2.0], [6.0, 2.0], (40, 2))
    found = distinct(loss_fn, polish_all(loss_fn, starts, way="descend"))
    assert found.kinds == ["flat"]
    well = distinct(landscapes.double_well, np.random.default_rng(1).normal(size=40))
    assert well.kinds[:2] == ["minimum", "minimum"]
    np.testing.assert_allclose(well.gap, 2.0, rtol=1e-12)


@pytest.mark.parametrize("wide", [False, True])
def test_himmelblaus_nine_points_are_nine_classes(wide):
    known = np.array(landscapes.himmelblau_stationary())
    dtype = np.float64 if wide else np.float32
    rng = np.random.default_rng(0)
    starts = {name: rng.uniform(-5, 5, 400).astype(dtype) for name in "xy"}
    found = distinct(
        landscapes.himmelblau, polish_all(landscapes.himmelblau, starts, way="nearest")
    )
    assert len(found.losses) == 9
    assert found.index.tolist().count(0) == 4
    assert found.kinds == ["minimum"] * 4 + ["saddle"] * 4 + ["maximum"]
    np.testing.assert_allclose(found.losses, known[:, 2], rtol=1e-12, atol=1e-20)
    for x, y, *_ in known:  # the polynomials' roots are good to about 1e-14
        away = np.hypot(found.points["x"] - x, found.points["y"] - y)
        assert away.min() < 1e-11
    assert found.hits.sum() == (found.labels >= 0).sum()
    np.testing.assert_array_equal(np.bincount(found.labels[found.labels >= 0]), found.hits)
    assert found.endings.sum() == 400
    assert found.morse_sum == 1.0  # 4 - 4 + 1
    assert not found.grows  # nobody said so


@pytest.mark.slow
def test_all_images_of_a_network_are_one_class_and_other_classes_are_none():
    """Eight images of three of XOR's points, in some order: three classes of eight hits, with 8
    different points in the orbit, and the origin alone.
    """
    group = symmetries.of(landscapes.xor_loss())
    origin = jax.tree.map(np.zeros_like, landscapes.XOR_POINTS[0])
    kept = [landscapes.XOR_POINTS[0], landscapes.XOR_POINTS[2], origin]
    images = []
    with jax.enable_x64(True):
        for order in itertools.permutations(range(2)):
            for signs in itertools.product((1.0, -1.0), repeat=2):
                element = [(jnp.array(order), jnp.array(signs))]
                images += [group.image(jax.tree.map(jnp.asarray, p), element) for p in kept]
        points = jax.tree.map(lambda *leaves: np.stack(leaves), *images)
    found = distinct(landscapes.xor_loss(), points)
    np.testing.assert_array_equal(found.hits[found.labels[:3]], [8, 8, 8])
    assert len(set(found.labels[:3])) == 3
    np.testing.assert_array_equal(found.orbit_size[found.labels[:3]], [8, 8, 1])
    # the others are images under the symmetries of the data
    assert found.hits.sum() == 24
    assert set(found.families) == set(found.families[found.labels[:3]])
    np.testing.assert_array_equal(found.labels, np.tile(found.labels[:3], 8))
    # what is one is within the floor of the gradient over the smallest eigenvalue, 1e-13 / 1e-3
    assert found.spread < 1e-10 < found.tolerance < found.gap


@pytest.mark.slow
def test_equality_is_distance_whatever_the_canonical_points_are(monkeypatch):
    """They jump at ties: with one of its own for each point the classes come out the same."""
    starts = landscapes.xor_starts(2, 24, seed=2)
    found = polish_all(landscapes.xor_loss(), starts, way="descend")
    usual = distinct(landscapes.xor_loss(), found)

    def own(points, symmetry):
        del symmetry
        return jax.random.normal(jax.random.key(0), (len(points[0].weights), 8))

    monkeypatch.setattr(gathering, "canonical_rows", own)
    spread = distinct(landscapes.xor_loss(), found)
    np.testing.assert_array_equal(spread.labels, usual.labels)
    assert spread.hits.max() > 1


def test_a_tolerance_wider_than_the_gap_makes_neighbours_one():
    """Two minima 2 apart, of one loss, are one class for who says so; the gap reports it."""
    starts = np.array([-1.1, 0.9, 1.2])
    assert len(distinct(landscapes.double_well, starts).losses) == 2
    wide = distinct(landscapes.double_well, starts, tolerance=2.5)
    assert len(wide.losses) == 1
    np.testing.assert_allclose(wide.spread, 2.0, rtol=1e-12)
    assert wide.tolerance == 2.5


def test_unfinished_searches_and_kinks_have_no_class():
    def loss_fn(p):  # 0 at the kink 0; the smooth minimum is where 3 p^2 - 12 p + 10 = 0
        return jnp.abs(p) * ((p - 3.0) ** 2 + 1.0)

    found = distinct(loss_fn, polish_all(loss_fn, np.array([-0.5, 2.9, 2.7, 3.0])))
    np.testing.assert_array_equal(found.labels, [-1, 0, 0, 0])
    assert found.endings[Ending.kink] == 1
    assert found.kinds == ["minimum"]
    np.testing.assert_allclose(found.points, [2 + (2 / 3) ** 0.5], rtol=1e-12)
    # a kink is a minimum in no class, so the sum proves nothing
    assert np.isnan(found.morse_sum)


def test_where_nothing_rests_there_are_no_classes():
    found = distinct(lambda p: p, np.array([1.0, 2.0]))
    assert len(found.losses) == 0
    assert found.kinds == []
    assert found.missing.share == 1.0
    assert "2 unfinished; none of them ended in a class" in found.table()
    np.testing.assert_array_equal(found.labels, [-1, -1])


def test_one_start_and_equal_starts_are_one_class():
    one = distinct(landscapes.double_well, np.array([0.9]))
    assert (one.hits.tolist(), one.missing.share) == ([1], 1.0)
    many = distinct(landscapes.double_well, np.full(9, 0.9))
    assert (many.hits.tolist(), many.missing.share) == ([9], 0.0)


def test_plateaus_of_other_landscapes_are_told_apart_by_their_limits():
    """e^-|p| type: limits 0 to the right and 1/2 to the left, a maximum between."""

    def loss_fn(p):
        return jnp.where(p > 0, 0.0, 0.5) + jnp.where(p > 0, 1.0, 0.5) / (1.0 + p**2)

    found = distinct(loss_fn, polish_all(loss_fn, np.array([-3.0, -2.0, 1.0, 2.0, 4.0])))
    assert found.kinds == ["attractor", "attractor"]
    np.testing.assert_allclose(found.losses, [0.0, 0.5], atol=1e-12)
    np.testing.assert_array_equal(found.hits, [3, 2])
    np.testing.assert_array_equal(found.labels, [1, 1, 0, 0, 0])


@pytest.mark.slow
def test_two_attractors_at_infinity_hold_most_logistic_descents_on_xor():
    """No finite zero: at level 0 the hidden units' sides are those of "or" and "and", or of "x" and
    "y" parted by one more case; each is one entry modulo the flips. The levels above are 1/8, two
    cases at 1/2, and 1/6, three at 1/3 or 2/3.
    """
    loss_fn = jaxnn.loss_on(data.xor())
    starts = ensembles.init(jax.random.key(1), (2, 2, 1), members=300, scale=1.5)
    found = distinct(loss_fn, starts)
    assert set(found.kinds) == {"attractor"}
    assert found.converted
    assert np.isnan(found.orbit_size).all()
    zero = np.sort(found.hits[found.losses == 0.0])[::-1]
    assert zero[:2].sum() > 0.9 * zero.sum()
    assert min(zero[:2]) > 0.3 * zero.sum()
    above = found.losses[found.losses > 1e-3]
    assert np.all(np.minimum(abs(above - 1 / 8), abs(above - 1 / 6)) < 1e-3)
    assert "attractor" in found.table()


def test_points_polished_under_vmap_are_gathered_too():
    with jax.enable_x64(True):
        starts = jnp.array([0.3, 0.4, -2.0])
        found = jax.jit(jax.vmap(lambda p: polish(landscapes.double_well, p)))(starts)
    gathered = distinct(landscapes.double_well, found)
    np.testing.assert_array_equal(np.sort(gathered.hits), [1, 2])
    np.testing.assert_allclose(np.sort(gathered.points), [-1.0, 1.0], rtol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-16, 0.0, -1.0, np.nan])
def test_a_tolerance_below_the_precision_is_refused(tolerance):
    with pytest.raises(ValueError, match=r"tolerance is .*known to about 1.0e-13 in float64"):
        distinct(landscapes.double_well, np.array([0.9]), tolerance=tolerance)


def test_a_hessian_that_vanishes_as_a_whole_is_flat_and_proves_nothing():
    """A monkey saddle counts -2 in the sum of (-1)^index, and its eigenvalues are rounding."""

    def loss_fn(p):
        return p[0] ** 3 - 3 * p[0] * p[1] ** 2 + 0.1 * (p[0] ** 2 + p[1] ** 2) ** 2

    starts = 3 * jax.random.normal(jax.random.key(0), (40, 2))
    found = distinct(loss_fn, polish_all(loss_fn, starts, way="nearest"), grows=True)
    assert sorted(found.kinds)[0] == "flat"
    assert math.isnan(found.morse_sum)
