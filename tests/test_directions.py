"""Directions have the lengths that they claim, planes hold their points, and ranges follow from
slope and curvature.
"""

import drawn
import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxnn.landscape import checks, directions


def three():
    return [drawn.network((2, 3, 1), seed) for seed in range(3)]


def flat(tree):
    return ravel_pytree(tree)[0]


def test_the_plane_holds_the_three_points_at_their_distances():
    points = three()
    plane = directions.through(*points)
    o, v, w = flat(plane.origin), flat(plane.first), flat(plane.second)
    np.testing.assert_allclose([v @ v, w @ w, v @ w], [1, 1, 0], atol=1e-6)
    for point, (x, y) in zip(points, plane.coordinates, strict=True):
        np.testing.assert_allclose(o + x * v + y * w, flat(point), atol=1e-5)


def test_through_works_under_vmap():
    a, b, c = np.random.default_rng(0).normal(size=(3, 4, 5))
    planes = jax.jit(jax.vmap(directions.through))(a, b, c)
    assert planes.coordinates.shape == (4, 3, 2)
    np.testing.assert_allclose(planes.coordinates[1, 1, 0], np.linalg.norm(b[1] - a[1]), rtol=1e-6)


def test_points_on_a_line_are_refused():
    a, b, _ = three()
    half = jax.tree.map(lambda p, q: (p + q) / 2, a, b)
    with pytest.raises(ValueError, match="lie on one line"):
        directions.through(a, b, half)
    with pytest.raises(ValueError, match="lie on one line"):
        directions.through(a, a, b)


def test_points_of_different_structure_are_refused_with_both_named():
    with pytest.raises(ValueError, match=r"differ in structure: .*\(2,\).* against .*\(3,\)"):
        directions.between(jnp.zeros(2), jnp.zeros(3))


def test_an_orthonormal_pair_spans_the_plane_of_the_two_directions():
    first, second = three()[:2]
    v, w = (flat(part) for part in directions.orthonormal(first, second))
    np.testing.assert_allclose([v @ v, w @ w, v @ w], [1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(v * jnp.linalg.norm(flat(first)), flat(first), atol=1e-5)
    rest = flat(second) - (flat(second) @ v) * v - (flat(second) @ w) * w
    np.testing.assert_allclose(rest, 0, atol=1e-5)
    doubled = jax.tree.map(lambda leaf: -2 * leaf, first)
    with pytest.raises(ValueError, match="two directions lie on one line"):
        directions.orthonormal(first, doubled)


def test_unit_normalised_has_length_1():
    point = three()[0]
    unit = flat(directions.gaussian(point, jax.random.key(0), normalise="unit"))
    np.testing.assert_allclose(jnp.linalg.norm(unit), 1.0, rtol=1e-6)


@pytest.mark.usefixtures("x64")
def test_filter_normalised_units_have_the_lengths_of_the_points_units():
    """Unit by unit in a loop: a unit is its row of weights and its bias."""
    point, raw = (drawn.network((4, 3, 2), k, biases=(True, False)) for k in (0, 1))
    done = directions.normalised(raw, point, by="filter")
    for (W, b), (D, e), (R, r) in zip(point, done, raw, strict=True):
        for unit in range(len(W)):
            own = [*W[unit], *([] if b is None else [b[unit]])]
            new = np.array([*D[unit], *([] if e is None else [e[unit]])])
            old = np.array([*R[unit], *([] if r is None else [r[unit]])])
            np.testing.assert_allclose(np.linalg.norm(new), np.linalg.norm(own), rtol=1e-12)
            np.testing.assert_allclose(new / old, (new / old)[0], rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_layers_and_weights_are_normalised_by_themselves():
    point, raw = (drawn.network((4, 3, 2), k) for k in (0, 1))
    layers = directions.normalised(raw, point, by="layer")
    for own, new in zip(point, layers, strict=True):
        np.testing.assert_allclose(
            jnp.linalg.norm(flat(new)), jnp.linalg.norm(flat(own)), rtol=1e-12
        )
    weights = directions.normalised(raw, point, by="weight")
    np.testing.assert_allclose(jnp.abs(flat(weights)), jnp.abs(flat(point)), rtol=1e-12)
    np.testing.assert_array_equal(jnp.sign(flat(weights)), jnp.sign(flat(raw)))


def test_biases_stay_where_they_are_when_asked_and_then_count_in_no_length():
    point, raw = three()[:2]
    done = directions.normalised(raw, point, by="filter", biases="zero")
    for own, new in zip(point, done, strict=True):
        np.testing.assert_array_equal(new.biases, 0)
        np.testing.assert_allclose(
            np.linalg.norm(new.weights, axis=1),
            np.linalg.norm(np.hstack([own.weights, np.asarray(own.biases)[:, None]]), axis=1),
            rtol=1e-5,
        )


def test_a_dict_of_arrays_is_normalised_leaf_by_leaf():
    point = {"kernel": jnp.ones((2, 3)), "shift": jnp.array(2.0), "zero": jnp.zeros(2)}
    drawn = directions.gaussian(point, jax.random.key(0), normalise="filter")
    np.testing.assert_allclose(np.linalg.norm(drawn["kernel"], axis=1), 3**0.5, rtol=1e-6)
    np.testing.assert_allclose(abs(drawn["shift"]), 2.0, rtol=1e-6)
    np.testing.assert_array_equal(drawn["zero"], 0)


def test_a_pair_is_perpendicular_and_of_one_length():
    point = three()[0]
    v, w = (flat(part) for part in directions.pair(point, jax.random.key(3), normalise="filter"))
    np.testing.assert_allclose(v @ w, 0, atol=1e-5)
    np.testing.assert_allclose(v @ v, w @ w, rtol=1e-5)
    np.testing.assert_allclose(v @ v, flat(point) @ flat(point), rtol=1e-5)


@pytest.mark.usefixtures("x64")
def test_the_suggested_range_is_where_a_parabola_has_risen():
    loss_fn = landscapes.quadratic(jnp.array([2.0, 8.0]), jnp.zeros(2))
    at = directions.suggest_range(loss_fn, jnp.array([0.0, 0.0]), jnp.array([0.0, 1.0]), rise=9.0)
    np.testing.assert_allclose(at, 1.5, rtol=1e-12)  # 8 t^2 / 2 = 9
    # from (3, 0) along (1, 0): 9 + 6 t + t^2 = 2 * 9
    at = directions.suggest_range(loss_fn, jnp.array([3.0, 0.0]), jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(6 * at + at**2, 9.0, rtol=1e-12)
    flat_there = directions.suggest_range(lambda p: 1.0 + 0 * p[0], jnp.zeros(2), jnp.ones(2))
    assert np.isinf(flat_there)
    # where the loss is 0 the rise is what t = 1 makes it
    at = directions.suggest_range(loss_fn, jnp.zeros(2), jnp.array([0.0, 3.0]))
    np.testing.assert_allclose(at, 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: directions.gaussian(p, jax.random.key(0), normalise="untl"), "'untl'.*'unit'"),
        (lambda p: directions.normalised(p, p, by="filter", biases="zeros"), "mean 'zero'"),
        (lambda p: directions.normalised(p, p[:1]), "direction and point differ in structure"),
        (lambda p: checks.check_direction(p, jax.tree.map(jnp.zeros_like, p)), "is zero"),
        (lambda p: checks.check_direction(p, jax.tree.map(lambda leaf: leaf + jnp.nan, p)), "NaN"),
        (
            lambda p: directions.pair(
                jax.tree.map(jnp.zeros_like, p), jax.random.key(0), normalise="filter"
            ),
            "the point is zero and gives no lengths for 'filter'",
        ),
        (lambda p: directions.pair(jnp.ones(1), jax.random.key(0)), "a plane needs at least 2"),
        (lambda p: directions.normalised(jax.tree.map(jnp.zeros_like, p), p), "is zero"),
        (lambda p: directions.suggest_range(lambda q: q, jnp.ones(2), jnp.ones(2)), r"\(2,\)"),
        (lambda p: checks.check_point(()), "no leaves"),
        (lambda p: checks.check_point({"w": jnp.array([1, 2])}), r"\['w'\] is of int32"),
        (lambda p: checks.check_point([p, jnp.array([1.0, jnp.nan])]), r"\[1\] holds NaN"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(three()[0])
