"""Where starts lead: on landscapes whose basins are known, and on the signed exclusive or."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxnn
from jaxnn import data, dynamics, ensembles
from jaxnn.landscape import basins
from jaxnn.landscape.basins import Nowhere
from jaxnn.landscape.polishing import Ending

LINE = np.linspace(-2.0, 2.0, 64)  # does not hold 0


@pytest.fixture(scope="module")
def by_flow():
    """The double well's line under the gradient flow, in float64."""
    with jax.enable_x64(True):
        return basins.find(landscapes.double_well, LINE, dynamics.gradient_flow(20.0))


def test_the_double_wells_basins_are_its_halves(by_flow):
    sides = [by_flow.labels[LINE < 0], by_flow.labels[LINE > 0]]
    assert [len(set(side.tolist())) for side in sides] == [1, 1]
    assert by_flow.attractors.kinds == ["minimum", "minimum"]
    np.testing.assert_allclose(by_flow.levels, 0.0, atol=1e-30)
    np.testing.assert_allclose(by_flow.sharpness, 8.0, rtol=1e-5)  # to the flow's 1e-6
    np.testing.assert_allclose(by_flow.distance, np.abs(np.sign(LINE) - LINE), atol=1e-5)
    assert by_flow.named(int(by_flow.labels[0])).startswith("minimum")


def test_large_steps_change_the_map_and_compare_says_how_much(by_flow):
    """Against p - 4 s p (p^2 - 1) by a loop in numpy: at s = 0.2 starts beyond 1.22 cross over."""
    rule = jaxnn.sgd(0.2)
    with jax.enable_x64(True):
        by_steps = basins.find(landscapes.double_well, LINE, rule, steps=60)
    ends = LINE.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(60):
            ends = ends - 0.8 * ends * (ends**2 - 1)
    lost = ~np.isfinite((ends**2 - 1) ** 2)
    first, second = basins.together(landscapes.double_well, [by_flow, by_steps])
    left = first.labels[0]
    same = np.where(lost, Nowhere.diverged, np.where(ends < 0, left, 1 - left))
    np.testing.assert_array_equal(second.labels, same)
    assert lost.any()
    assert np.any((LINE > 0) & (second.labels == left))
    found = basins.compare(first.labels, second.labels)
    assert found.share.share == np.mean(same != first.labels)


def test_an_end_at_a_saddle_is_a_plateau_and_one_on_its_way_is_led_on():
    """The origin is the double well's maximum, where descent stays; 0.3 after one step of 1e-3 has
    hardly moved, and what lies below it is the right minimum.
    """
    found = basins.find(landscapes.double_well, np.array([0.0, 0.3, 1.0]), jaxnn.sgd(1e-3), steps=1)
    assert found.labels[0] == Nowhere.plateau
    assert found.labels[1] == found.labels[2] >= 0
    assert found.named(int(found.labels[0])) == "idles at a saddle"
    assert np.isnan(found.levels[0])


def test_training_longer_changes_what_had_not_settled(by_flow):
    """A step of 0.2 throws 1.6 to 1.6 - 0.8 1.6 1.56 = -0.4; before it, it is on the right."""
    starts = np.array([-1.1, 0.9, 1.6])
    before = basins.find(landscapes.double_well, starts, jaxnn.sgd(0.2), steps=0)
    changed = basins.unsettled(landscapes.double_well, before, jaxnn.sgd(0.2), steps=60)
    assert changed.changed.tolist() == [False, False, True]
    settled = basins.unsettled(landscapes.double_well, by_flow, jaxnn.sgd(0.01), steps=60)
    assert settled.share.share == 0.0


def test_short_training_is_led_down_the_slope_it_stands_on():
    """x^2 / 20 + cos 6 x: the nearest minimum on the side that the slope falls to; five steps of
    1e-4 hardly move.
    """

    def loss_fn(p):
        return 0.05 * p**2 + jnp.cos(6 * p)

    starts = np.random.default_rng(0).uniform(-6, 6, 60)
    slope = 0.1 * starts - 6 * np.sin(6 * starts)
    places = np.linspace(-9.0, 9.0, 1_000_001)
    slopes = 0.1 * places - 6 * np.sin(6 * places)
    wells = places[1:][(slopes[:-1] < 0) & (slopes[1:] >= 0)]
    wanted = [
        wells[wells < x].max() if s > 0 else wells[wells > x].min()
        for x, s in zip(starts, slope, strict=True)
    ]
    found = basins.find(loss_fn, starts, jaxnn.sgd(1e-4), steps=5)
    np.testing.assert_allclose(
        np.asarray(found.attractors.points)[found.labels], wanted, atol=4e-5
    )  # two of the grid's gaps


def test_steps_too_long_to_rest_are_said_so():
    """The double well's minima have curvature 8: at a step of 0.5, above 2 / 8, descent is
    3 p - 2 p^3, chaotic on [-sqrt 2, sqrt 2]. At 0.26 it hops about each well in a cycle of two.
    """
    starts = np.linspace(-1.1, 1.1, 40)
    wild = basins.find(landscapes.double_well, starts, jaxnn.sgd(0.5), steps=200)
    assert set(wild.labels.tolist()) == {Nowhere.restless}
    assert np.isnan(wild.levels).all()
    hops = basins.find(landscapes.double_well, starts, jaxnn.sgd(0.26), steps=200)
    assert set(hops.labels.tolist()) == {Nowhere.restless}
    rests = basins.find(landscapes.double_well, starts, jaxnn.sgd(0.24), steps=200)
    assert rests.labels.min() >= 0


@pytest.mark.optimised  # last bits decide
def test_what_a_path_brings_to_the_origin_is_a_minimum_there_and_hops_about_it():
    """The penalised signed exclusive or at a step size above 2 / 2.0125: the weights have decayed
    to nothing, and the output's bias changes its sign for ever, at one loss. The path down ends at
    the origin to rounding, where no number is large enough to measure rounding by.
    """
    loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=0.0125)
    rng, n = np.random.default_rng(0), 400
    few = jnp.float32(1e-21 * rng.normal(size=(n, 2, 2)))
    signs, noise = rng.choice([-1, 1], (n, 1)), 1e-6 * rng.normal(size=(n, 1))
    biases = jnp.float32(0.382302 * signs + noise)
    ends = (jaxnn.Layer(few, 1e-8 * few[:, 0]), jaxnn.Layer(1e-7 * few[:, :1], biases))
    way = dynamics.full_batch(jaxnn.sgd(1.2), steps=20)
    found = basins.of_run(loss_fn, ends, way(loss_fn, ends), way)
    assert found.found.ending.tolist() == [Ending.stationary] * n
    assert found.labels.tolist() == [Nowhere.restless] * n
    np.testing.assert_allclose(found.attractors.losses, [0.64], rtol=1e-7)


def test_himmelblaus_basins_are_those_of_scipys_flow():
    axis = np.linspace(-5.0, 5.0, 9) + 0.01
    origin, first, second = (
        {"x": np.float64(x), "y": np.float64(y)} for x, y in [(0, 0), (1, 0), (0, 1)]
    )
    starts = basins.on_plane(origin, first, second, axis, axis)
    with jax.enable_x64(True):
        found = basins.find(landscapes.himmelblau, starts, dynamics.gradient_flow(10.0))

    def slope(_, p):
        a, b = p[0] ** 2 + p[1] - 11, p[0] + p[1] ** 2 - 7
        return [-(4 * p[0] * a + 2 * b), -(2 * a + 4 * p[1] * b)]

    for k in range(len(axis) ** 2):
        end = solve_ivp(slope, (0, 10), [starts["x"][k], starts["y"][k]], rtol=1e-8).y[:, -1]
        ours = [found.attractors.points[name][found.labels[k]] for name in "xy"]
        np.testing.assert_allclose(ours, end, atol=1e-5)  # both integrators' 1e-6, and to spare
    assert len(set(found.labels.tolist())) == 4


@pytest.fixture(scope="module")
def signed_xor():
    """512 networks 2-2-1 from N(0, 1) on the signed exclusive or, in float32 and float64. The best
    minima have a sharpness of 8.3: a step size of 0.2 rests there, one of 0.5 does not.
    """
    loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=0.0125)
    starts = ensembles.init(
        jax.random.key(0), (2, 2, 1), members=512, biases=(True, False), dtype=jnp.float32
    )
    rule = jaxnn.sgd(0.2)
    narrow = basins.find(loss_fn, starts, rule, steps=2500)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), starts)
        double = basins.find(loss_fn, wide, rule, steps=2500)
    return loss_fn, narrow, double


@pytest.mark.slow
def test_xors_ten_minima_are_equally_probable_within_their_families(signed_xor):
    """Biases are drawn as weights are, so the exchange of an input with theirs keeps the draws."""
    loss_fn, narrow, _ = signed_xor
    alike = basins.equal_families(loss_fn, narrow.attractors, biases_alike=True)
    np.testing.assert_array_equal(alike, narrow.attractors.families)
    assert basins.within_families(narrow.labels, alike).p_value > 1e-3
    fewer = basins.equal_families(loss_fn, narrow.attractors)
    assert len(set(fewer.tolist())) > len(set(alike.tolist()))
    reached = basins.probabilities(narrow.labels)
    assert reached.labels.min() >= 0
    assert len(reached.labels) == 10
    np.testing.assert_allclose(sorted({round(x, 4) for x in narrow.levels}), [0.1843, 0.4003])


@pytest.mark.slow
def test_attractors_at_infinity_have_families_too():
    """Exchanging the inputs of the exclusive or makes "x but not y" of "y but not x"; its shift
    x -> 1 - x is a symmetry of the data and none of the draws.
    """
    loss_fn = jaxnn.loss_on(data.xor())
    starts = ensembles.init(jax.random.key(1), (2, 2, 1), members=2000, scale=2.0)
    found = basins.find(loss_fn, starts, jaxnn.sgd(4.0), steps=500)
    whole = found.attractors.families
    alike = basins.equal_families(loss_fn, found.attractors, biases_alike=True)
    assert len(set(whole.tolist())) < len(set(alike.tolist())) < len(alike)
    for family in set(whole.tolist()):
        assert np.ptp(found.attractors.losses[whole == family]) < 1e-3
    test = basins.within_families(found.labels, alike)
    assert test.degrees >= 2
    assert test.p_value > 1e-3
    assert basins.within_families(found.labels, whole).p_value < 1e-3


@pytest.mark.slow
def test_rounding_to_float32_moves_few_starts_over_a_border(signed_xor):
    loss_fn, narrow, double = signed_xor
    first, second = basins.together(loss_fn, [narrow, double])
    found = basins.compare(first.labels, second.labels)
    assert found.share.share < 0.02
    assert first.attractors is second.attractors
    chance = basins.compare(first.labels, np.roll(second.labels, 1)).share.share
    assert chance > 0.7


def test_what_means_nothing_is_refused():
    with pytest.raises(ValueError, match="steps is None: say how many updates the rule makes"):
        basins.find(landscapes.double_well, LINE, jaxnn.sgd())
    with pytest.raises(ValueError, match="steps is 5, but the dynamics has its own"):
        basins.find(landscapes.double_well, LINE, dynamics.gradient_flow(1.0), steps=5)
    with pytest.raises(ValueError, match="no basins are given"):
        basins.together(landscapes.double_well, [])
    with pytest.raises(ValueError, match="NaN or infinity"):
        basins.find(landscapes.double_well, np.array([np.nan]), jaxnn.sgd(), steps=1)


def test_one_attractor_beside_a_start_that_diverged():
    starts = jnp.array([[0.5, 1.0], [0.3, 1.0], [50.0, 50.0]])
    found = basins.find(
        lambda q: 0.5 * (q[0] * q[1] - 0.7) ** 2,
        starts,
        dynamics.full_batch(jaxnn.sgd(0.1), steps=20),
    )
    assert found.labels.tolist() == [0, 0, Nowhere.diverged]
