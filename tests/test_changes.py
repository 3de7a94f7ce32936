"""The smallest change that changes a label, where the border and its distance are known."""

import math

import jax
import jax.numpy as jnp
import maps
import numpy as np
import pytest

from jaxnn.landscape import changes
from jaxnn.landscape.changes import smallest_change

AXES = 9


def start_of(seed=0, dtype=np.float64):
    drawn = np.random.default_rng(seed).normal(size=AXES).astype(dtype)
    return {"a": drawn[:6].reshape(2, 3), "b": drawn[6:]}


def flat(tree):
    return np.concatenate([np.reshape(tree["a"], (-1, 6)), np.reshape(tree["b"], (-1, 3))], axis=1)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_distance_to_a_plane_is_exact_to_the_precision(seed, dtype):
    rng = np.random.default_rng(seed)
    start, normal = start_of(seed, dtype), rng.normal(size=AXES)
    normal, distance = normal / np.linalg.norm(normal), rng.uniform(0.3, 2)
    level = float(flat(start).astype(float)[0] @ normal) + distance

    def labels_of(points):
        assert points["a"].dtype == points["b"].dtype == dtype
        return (flat(points).astype(float) @ normal > level).astype(int) + 4

    found = smallest_change(labels_of, start, seed=seed)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-6)
    assert found.distance > distance * (1 - 1e-7)  # an upper bound, but for rounding
    assert (found.start_label, found.label) == (4, 5)
    assert labels_of(jax.tree.map(lambda leaf: leaf[None], found.point))[0] == 5
    gap = (flat(found.point).astype(float) - flat(start))[0]
    np.testing.assert_allclose(np.linalg.norm(gap), found.distance, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_distance_to_a_sphere_is_exact_from_inside_and_from_outside(seed):
    start = start_of(seed)
    off = np.random.default_rng(seed).normal(size=AXES) * 0.3
    away = np.linalg.norm(off)

    def within(centre, radius):
        return lambda points: (
            np.linalg.norm(flat(points) - flat(start) - centre, axis=1) < radius
        ).astype(int)

    inside = smallest_change(within(off, 2.0), start, seed=seed)
    np.testing.assert_allclose(inside.distance, 2.0 - away, rtol=1e-6)
    outside = smallest_change(
        within(10 * off, 2.0), start, seed=seed, rays=1,
        candidates=jax.tree.map(
            lambda leaf, move: (leaf + move)[None],
            start, {"a": 10 * off[:6].reshape(2, 3), "b": 10 * off[6:]},
        ),
    )  # fmt: skip
    np.testing.assert_allclose(outside.distance, 10 * away - 2.0, rtol=1e-6)


def test_of_two_borders_the_nearer_is_found():
    def labels_of(points):
        x = np.asarray(points)
        return np.where(x[:, 0] > 1.0, 1, np.where(x[:, 1] < -0.4, 2, 0))

    found = smallest_change(labels_of, np.zeros(5))
    assert found.label == 2
    np.testing.assert_allclose(found.distance, 0.4, rtol=1e-6)
    counts = {"rays": np.int64(256), "fronts": np.int32(4), "batch": np.uint8(200)}
    other = smallest_change(labels_of, np.zeros(5), ignore=2, reach=3.0, **counts)
    assert other.label == 1
    np.testing.assert_allclose(other.distance, 1.0, rtol=1e-6)


def test_along_a_line_it_is_the_bisection():
    """One number has no directions along the border."""
    found = smallest_change(lambda x: (np.asarray(x) > math.pi).astype(int), np.array(3.0))
    np.testing.assert_allclose(found.distance, math.pi - 3.0, rtol=1e-6)
    assert not found.float_limited
    exact = smallest_change(
        lambda x: (np.asarray(x) > np.float32(math.pi)).astype(int),
        np.array(3.0, np.float32), precision=1e-9,
    )  # fmt: skip
    assert exact.float_limited
    # float32 at 3 has a spacing of 2.4e-7
    np.testing.assert_allclose(exact.distance, math.pi - 3.0, atol=1.5e-6)
    assert exact.precision < 1e-4


def test_no_grid_of_newtons_map_has_a_nearer_change():
    """The nearest pixel of another root, of 90,000, is not nearer than the change found."""
    n, start = 301, 0.6 + 0.35j

    def labels_of(points):
        z = points[:, 0] + 1j * points[:, 1]
        for _ in range(120):
            z = z - (z**3 - 1) / (3 * z**2)
        return np.argmin(np.abs(z[:, None] - np.exp(2j * np.pi * np.arange(3) / 3)), axis=1)

    found = smallest_change(labels_of, np.array([start.real, start.imag]), fronts=8)
    assert found.label != found.start_label
    side = 2.02 * found.distance
    pixels = maps.newton(n, start, side)
    y, x = maps.grid(n)
    gaps = side * np.hypot(x - 0.5, y - 0.5)
    nearest = gaps[pixels != found.start_label].min()
    assert found.distance <= nearest * (1 + 1e-6)


def test_nothing_within_reach_is_infinitely_far():
    found = smallest_change(lambda x: np.zeros(len(x), int), np.ones(3))
    assert (found.distance, found.label, found.start_label) == (math.inf, 0, 0)
    np.testing.assert_array_equal(found.point, np.ones(3))
    assert found.evaluations == 1 + 256 * changes.LEVELS


def test_compiled_labels_see_one_shape():
    """Batches are filled up, so that no label depends on how many were asked for."""
    traced = []

    @jax.jit
    def labels_of(points):
        traced.append(points.shape)
        return (jnp.sum(points**2, axis=1) > 1.0).astype(int)

    found = smallest_change(labels_of, np.full(4, 0.1, np.float32), rays=100, batch=64)
    np.testing.assert_allclose(found.distance, 0.8, rtol=1e-5)
    assert traced == [(64, 4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": np.array([1, 2])}, "the start's leaf .* wanted floats"),
        ({"start": np.array([np.nan])}, "the start's leaf .* holds NaN"),
        ({"rays": 0}, "rays is 0: give a whole number, at least 1"),
        ({"rays": 2.5}, "rays is 2.5: give a whole number, at least 1"),
        ({"rounds": True}, "rounds is True: give a whole number"),
        ({"reach": math.inf}, "reach is inf: give a finite distance above 0"),
        ({"ignore": "a"}, "ignore is 'a': give the labels to ignore"),
        ({"candidates": np.zeros((0, 2))}, "give one stack of points, at least one"),
        ({"candidates": np.zeros(())}, "give one stack of points, at least one"),
        ({"precision": 0.5}, "precision is 0.5: give a number between 0 and 0.1"),
        ({"reach": -1.0}, "reach is -1.0: give a finite distance above 0"),
        ({"candidates": np.ones((3, 4))}, "candidates and start differ in structure"),
        ({"labels_of": lambda x: np.zeros(len(x))}, "labels_of gave float64 of shape"),
        ({"labels_of": lambda x: 3}, r"of shape \(\) for 256 points: wanted one whole number"),
    ],
)
def test_a_wrong_call_is_refused(change, message):
    call = {"labels_of": lambda x: np.zeros(len(x), int), "start": np.ones(2)} | change
    with pytest.raises(ValueError, match=message):
        smallest_change(**call)
