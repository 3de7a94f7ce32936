"""Results that others have printed or proved about minima and saddles, found again by counting from
many starts. What is printed is written here as it was printed; every other number is computed.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import landscapes
import mpmath
import numpy as np
import pytest
from jax.tree_util import Partial

import jaxnn
from jaxnn import data
from jaxnn.intervals import wilson
from jaxnn.landscape import curvature, minima, symmetries
from jaxnn.landscape.minima import Ending, polish, polish_all

pytestmark = pytest.mark.usefixtures("x64")


# Coetzee & Stonick, "488 solutions to the XOR problem", NIPS 9 (1996)
PRINTED = {"classes": 61, "minima": 17, "saddles": 44, "minima at 100 %": 4, "saddles at 75 %": 20}


def units(point):
    """A row (first weights, bias, outgoing weight) for each hidden unit, (points, 2, 4)."""
    (W, b), (V, _) = point
    return np.concatenate([W, b[..., None], np.swapaxes(V, -1, -2)], axis=-1)


def as_point(rows):
    return (rows[:, :3][:, :2], rows[:, 2]), (rows[:, 3][None, :], None)


def images(rows):
    """All 8 orders and signs of two units, (8, 2, 4)."""
    return np.array(
        [
            np.array(signs)[:, None] * rows[list(order)]
            for order in itertools.permutations((0, 1))
            for signs in itertools.product((1, -1), repeat=2)
        ]
    )


def different(points):
    """Those of the points (n, 2, 4) that are none before."""
    found = []
    for point in points:
        if all(np.max(np.abs(point - other)) > 1e-6 for other in found):
            found.append(point)
    return found


@functools.cache
def census():
    """Of the exclusive or, from 8000 starts; its classes as (units, energy, index)."""
    loss_fn = landscapes.xor_loss()
    starts = jaxnn.ensembles.init(
        jax.random.key(1), (2, 2, 1), members=8000, biases=(True, False), dtype=jnp.float64
    )
    found = minima.census(loss_fn, starts)
    rows = units(found.points)
    return found, list(zip(rows, 4 * found.losses, found.index.tolist(), strict=True))


@pytest.mark.slow
def test_the_stationary_points_of_the_exclusive_or_satisfy_morse():
    found, classes = census()
    orbits = [len(different(images(rows))) for rows, *_ in classes]
    assert orbits == found.orbit_size.tolist()
    # E grows in every direction and no point is degenerate: the sum over points, not classes, is 1
    assert not np.any(found.zero)
    assert sum((-1) ** index * n for n, (*_, index) in zip(orbits, classes, strict=True)) == 1
    assert found.grows
    assert found.morse_sum == 1
    assert np.min(found.hits) >= 5  # none is seen so seldom that others may be missing
    assert found.missing.high < 0.2
    assert np.all(found.index < 8)  # "no maximum"
    # no two classes are images, by trying all eight
    apart = [
        np.min(np.max(np.abs(images(a[0]) - b[0]), axis=(1, 2)))
        for a, b in itertools.combinations(classes, 2)
    ]
    assert min(apart) > 1e-3


@pytest.mark.slow
def test_the_printed_table_of_the_exclusive_or_counts_two_families_twice():
    found, classes = census()
    low, high = found.index == 0, found.index > 0
    # every printed count by accuracy is the one found here
    assert np.sum(found.accuracy[low] == 1.0) == PRINTED["minima at 100 %"]
    assert np.sum(found.accuracy[high] == 0.75) == PRINTED["saddles at 75 %"]

    def forms(rows):
        """In how many ways the units can be put in the order of their first weights' sizes."""
        ordered = [x for x in images(rows) if abs(x[0, 0]) <= abs(x[1, 0]) + 1e-9]
        positive = [x * np.where(x[:, :1] < 0, -1.0, 1.0) for x in ordered]
        return len(different(positive))

    # one form a class, but for units whose first weights tie in size: the table counts forms
    counts = np.array([forms(rows) for rows, *_ in classes])
    assert np.sum(counts[low]) == PRINTED["minima"] == np.sum(low) + 6
    assert np.sum(counts[high]) == PRINTED["saddles"] == np.sum(high) + 6
    assert np.sum(counts) == PRINTED["classes"]
    twice, times = np.unique(found.families[counts == 2], return_counts=True)
    assert times.tolist() == [6, 6]
    assert [len(set(found.index[found.families == family])) for family in twice] == [1, 1]
    # both are of even index, so counted twice they would break Morse's sum
    signed = (-1.0) ** found.index * found.orbit_size
    assert np.sum(signed) == 1
    assert np.sum(signed * counts) == 1 + 8 * (6 + 6)


@pytest.mark.slow
def test_classes_of_one_energy_are_one_orbit_of_the_tetrahedron():
    found, classes = census()
    loss_fn, like = landscapes.xor_loss(), landscapes.XOR_POINTS[0]
    group = symmetries.of(loss_fn).of_data(like)
    assert len(group) == 24
    keys = [(round(float(energy), 6), index) for _, energy, index in classes]
    assert len(set(keys)) == len(set(found.families)) == 10
    for key in set(keys):
        ours = [rows for (rows, *_), other in zip(classes, keys, strict=True) if other == key]
        moved = [
            units(jax.tree.map(np.asarray, symmetry.apply(as_point(ours[0])))) for symmetry in group
        ]
        reached = {
            next(
                n
                for n, rows in enumerate(ours)
                if np.min(np.max(np.abs(images(rows) - other), axis=(1, 2))) < 1e-6
            )
            for other in moved
        }
        assert reached == set(range(len(ours)))


# Auer, Herbster & Warmuth, "Exponentially many local minima for single neurons", NIPS 8 (1995)
def minima_of_neurons(axes, examples, starts):
    """The different minima (minima, axes) that descents from many decades of weights end at."""
    # as a bare function: a case of 10^4 is at the output's limit there, which tells nothing
    loss_fn = Partial(lambda f, point: f(point), landscapes.neurons(axes, examples))
    exponents = jax.random.uniform(
        jax.random.key(0), (starts, 1, axes), jnp.float64, -examples - 1.0, 1.0
    )
    ends = polish_all(loss_fn, ((10.0**exponents, None),), way="descend")
    at_rest = (ends.ending == Ending.stationary) & (ends.index == 0) & (ends.zero == 0)
    weights = np.asarray(ends.point[0][0])[at_rest].reshape(-1, axes)
    return np.unique(np.round(np.log(weights), 6), axis=0), weights


def test_five_examples_of_one_neuron_have_five_minima():
    logs, _ = minima_of_neurons(1, 5, 300)
    assert len(logs) == 5
    # an oracle that shares nothing: signs of the slope on 40,000 weights over 20 decades
    inputs = 10.0 ** np.arange(5)
    u = np.outer(10.0 ** np.linspace(-15, 5, 40_001), inputs)
    e = np.exp(-u)
    signs = np.sign(((1 / (1 + e) - 0.75) * e / (1 + e) ** 2) @ inputs)
    signs = signs[signs != 0]  # far out it underflows
    assert np.sum((signs[:-1] < 0) & (signs[1:] > 0)) == 5
    # below 0 every term of the slope is negative: sigma < 1/2 < 3/4

    # the minima themselves, to the digits of rounding
    def slope(w):
        value = [1 / (1 + mpmath.exp(-w * x)) for x in map(int, inputs)]
        return sum(
            (s - mpmath.mpf("0.75")) * s * (1 - s) * x
            for s, x in zip(value, map(int, inputs), strict=True)
        )

    with mpmath.workdps(40):
        for (log,) in logs:
            near = mpmath.exp(float(log))
            root = mpmath.findroot(slope, (near, near * (1 + mpmath.mpf("1e-7"))))
            assert abs(mpmath.log(root) - float(log)) < 1e-6


@pytest.mark.slow
def test_ten_examples_of_one_neuron_with_two_inputs_have_25_minima():
    logs, weights = minima_of_neurons(2, 5, 2000)
    assert len(logs) == 25 == (10 // 2) ** 2
    assert len(weights) > 1000
    # examples on the axes: each minimum is a pair of one-dimensional ones
    alone, _ = minima_of_neurons(1, 5, 300)
    pairs = np.array(list(itertools.product(alone[:, 0], repeat=2)))
    np.testing.assert_allclose(logs, pairs, atol=2e-6)


# Sprinkhuizen-Kuyper & Boers (1996, 1999)
def above(losses):
    """The share of losses that are not 0, with its interval: every limit is 0 or above 0.1."""
    count = int(np.sum(losses > 1e-2))
    return wilson(count, len(losses))


@pytest.mark.slow
def test_the_exclusive_or_with_direct_links_has_no_minimum_but_at_zero_error():
    keys = jax.random.split(jax.random.key(1))
    starts = {
        name: jax.random.normal(key, (4000, size), jnp.float64)
        for name, key, size in zip(("hidden", "output"), keys, (3, 4), strict=True)
    }
    ends = polish_all(landscapes.direct_links, starts, way="descend", steps=2000)
    # what rests above zero error is a saddle
    rests = (ends.ending == Ending.stationary) & (ends.loss > 1e-20)
    assert np.all(ends.index[rests] >= 1)
    # the rest fall on towards infinity, nearly all to zero error
    plateau = ends.ending == Ending.plateau
    assert np.mean(plateau) > 0.95
    assert above(ends.loss[plateau]).high < 0.05
    assert np.all(np.isin(np.round(ends.loss[plateau], 6), (0.0, 0.25)))


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 3.0, 10.0])
def test_the_plateaus_of_the_logistic_exclusive_or_are_fewer_in_higher_precision(scale):
    batch = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), data.xor())
    loss_fn = jaxnn.loss_on(batch)
    starts = jaxnn.ensembles.init(
        jax.random.key(2), (2, 2, 1), members=1024, scale=scale, dtype=jnp.float32
    )
    with jax.enable_x64(False):
        single = jax.jit(jax.vmap(lambda p: polish(loss_fn, p)))(starts)
        losses = np.asarray(single.loss)
    assert losses.dtype == np.float32
    double = polish_all(loss_fn, single.point, way="descend", steps=3000)
    # no end above zero error is a finite minimum
    rests = (double.ending == Ending.stationary) & (double.index == 0)
    assert not np.any(rests & (double.loss > 1e-2))
    before, after = above(losses), above(double.loss)
    assert 0 < after.share < before.share
    if scale != 1.0:  # there the intervals are apart
        assert after.high < before.low


# NIST StRD, Rat42
CERTIFIED = (72.462237576, 2.6180768402, 0.067359200066)
DEVIATIONS = (1.7340283401, 0.088295217536, 0.0034465663377)
SQUARES = 8.0565229338
STARTS = ((100.0, 1.0, 0.1), (75.0, 2.5, 0.07))


def deviations(matrix, squares, cases):
    """Standard deviations of b: the root of the diagonal of s^2 (J^T J)^-1, s^2 = squares / (cases
    - parameters).
    """
    return np.sqrt(np.diag(np.linalg.inv(matrix)) * squares / (cases - len(matrix)))


@pytest.mark.parametrize("way", [pytest.param("polish", marks=pytest.mark.slow), "descend"])
def test_rat42_comes_out_with_the_certified_digits(way):
    x, y = jnp.asarray(landscapes.RAT42_X), jnp.asarray(landscapes.RAT42_Y)
    loss_fn = landscapes.Growth(x, y)
    ends = polish_all(loss_fn, jnp.array(STARTS), way=way)
    assert np.all(ends.ending == Ending.stationary)
    assert np.all(ends.index == 0)
    # printed to 11 digits: half a unit of the last is up to 5e-11 of the number
    for b, squares in zip(ends.point, ends.loss, strict=True):
        np.testing.assert_allclose(b, CERTIFIED, rtol=5e-11)
        np.testing.assert_allclose(squares, SQUARES, rtol=5e-11)

    def outputs(b, x):
        return b[0] / (1 + jnp.exp(b[1] - b[2] * x))

    matrix = curvature.gauss_newton_of(outputs, jnp.asarray(ends.point[0]), x)
    np.testing.assert_allclose(
        deviations(matrix, float(ends.loss[0]), len(x)), DEVIATIONS, rtol=1e-9
    )


@pytest.mark.slow
def test_rat42_as_a_network_has_the_certified_digits():
    batch = (
        jnp.asarray(landscapes.RAT42_X)[:, None],
        jnp.asarray(landscapes.RAT42_Y)[:, None],
    )
    loss_fn = jaxnn.loss_on(batch, activation=("sigmoid", "identity"))
    starts = jax.tree.map(
        lambda *leaves: jnp.stack(leaves),
        *(
            ((jnp.array([[b3]]), jnp.array([-b2])), (jnp.array([[b1]]), None))
            for b1, b2, b3 in STARTS
        ),
    )
    ends = polish_all(loss_fn, starts)
    assert np.all(ends.ending == Ending.stationary)
    (W, b), (V, _) = ends.point
    found = np.stack([V[:, 0, 0], -b[:, 0], W[:, 0, 0]], axis=1)
    np.testing.assert_allclose(found, [CERTIFIED, CERTIFIED], rtol=5e-11)
    np.testing.assert_allclose(9 * ends.loss, [SQUARES, SQUARES], rtol=5e-11)
    one = jax.tree.map(lambda leaf: leaf[0], ends.point)
    matrix = curvature.gauss_newton(one, batch, activation=loss_fn.activation)
    b3, b2, b1 = deviations(matrix, 9 * float(ends.loss[0]), 9)  # the order of its leaves
    np.testing.assert_allclose((b1, b2, b3), DEVIATIONS, rtol=1e-9)


@pytest.mark.slow
# Safran & Shamir, "Spurious local minima are common in two-layer relu neural networks", ICML 2018
def test_the_closed_form_of_the_relu_students_agrees_with_sampling():
    point = jax.random.normal(jax.random.key(0), (3, 3), jnp.float64)
    x = np.random.default_rng(0).standard_normal((1_000_000, 3))
    errors = np.maximum(x @ np.asarray(point).T, 0).sum(axis=1) - np.maximum(x, 0).sum(axis=1)
    samples = 0.5 * errors**2
    sigma = np.std(samples) / np.sqrt(len(samples))
    assert abs(float(landscapes.teacher_student(point)) - np.mean(samples)) < 4 * sigma


@pytest.mark.slow
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, 0.0316, 0.0317, 0.1, 1.0, 2.0, 3.14])
def test_the_kernel_of_the_relu_students_is_that_of_cho_and_saul(angle):
    w = 1.3 * np.array([np.cos(angle), np.sin(angle)])
    v = np.array([0.7, 0.0])
    with mpmath.workdps(40):
        t = mpmath.mpf(angle)
        wanted = mpmath.mpf(1.3) * 0.7 * (mpmath.sin(t) + (mpmath.pi - t) * mpmath.cos(t))
        wanted = float(wanted / (2 * mpmath.pi))
    got = float(landscapes.half_plane_product(jnp.asarray(w), jnp.asarray(v)))
    # near pi both terms cancel: absolute to rounding
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-16)
    hessian = jax.hessian(landscapes.half_plane_product)(jnp.asarray(w), jnp.asarray(v))
    # the gradient is (|v| sin t w / |w| + (pi - t) v) / (2 pi), so in the plane the Hessian is
    # |v| sin t / (pi |w|) e e^T, e across w
    across = np.array([-np.sin(angle), np.cos(angle)])
    expected = 0.7 * np.sin(angle) / (np.pi * 1.3) * np.outer(across, across)
    np.testing.assert_allclose(hessian, expected, rtol=1e-9, atol=1e-12)


def students(k, count):
    starts = jax.random.normal(jax.random.key(k), (count, k, k), jnp.float64) / np.sqrt(k)
    ends = polish_all(landscapes.teacher_student, starts, way="descend", steps=500)
    # the third derivatives jump at the teachers, so the ending may be a kink: gradient and
    # Hessian tell
    assert np.all(ends.relative_gradient < 1e-15)
    return ends


@pytest.mark.slow
def test_two_relu_students_find_both_images_of_their_teachers():
    ends = students(2, 100)
    assert np.all(ends.index == 0)
    np.testing.assert_allclose(ends.loss, 0.0, atol=1e-15)
    found = {tuple(np.round(point, 6).ravel() + 0.0) for point in np.asarray(ends.point)}
    assert found == {(1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 0.0)}


@pytest.mark.slow
def test_relu_students_have_bad_minima_from_six_units_on():
    for k in (3, 4, 5):
        ends = students(k, 300)
        np.testing.assert_allclose(ends.loss, 0.0, atol=1e-14)
    ends = students(6, 1500)
    bad = ends.loss > 1e-3
    # printed: minima above 0 for 6 to 20 units
    assert np.any(bad)
    assert np.all(ends.index[bad] == 0)
    assert np.all(ends.eigenvalues[bad][:, 0] > 1e-3)
    assert len(set(np.round(ends.loss[bad], 9))) == 1
    assert wilson(int(np.sum(bad)), len(bad)).high < 0.02
