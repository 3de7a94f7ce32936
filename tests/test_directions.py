"""Planes through points: coordinates are distances, and points on a line span none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn.landscape import directions


def three():
    return [jaxnn.init(jax.random.key(seed), (2, 3, 1)) for seed in range(3)]


def test_the_plane_holds_the_three_points_at_their_distances():
    points = three()
    plane = directions.through(*points)
    flat = [ravel_pytree(tree)[0] for tree in (plane.origin, plane.first, plane.second)]
    np.testing.assert_allclose(
        [flat[1] @ flat[1], flat[2] @ flat[2], flat[1] @ flat[2]], [1, 1, 0], atol=1e-6
    )
    for point, (x, y) in zip(points, plane.coordinates, strict=True):
        np.testing.assert_allclose(
            flat[0] + x * flat[1] + y * flat[2], ravel_pytree(point)[0], atol=1e-5
        )


def test_through_works_under_vmap():
    a, b, c = (jax.random.normal(jax.random.key(k), (4, 5)) for k in range(3))
    planes = jax.vmap(directions.through)(a, b, c)
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


def test_gaussian_has_unit_length_where_asked():
    point = three()[0]
    unit = ravel_pytree(directions.gaussian(point, jax.random.key(0), normalise="unit"))[0]
    np.testing.assert_allclose(jnp.linalg.norm(unit), 1.0, rtol=1e-6)
    with pytest.raises(ValueError, match="unknown way to normalise 'untl'"):
        directions.gaussian(point, jax.random.key(0), normalise="untl")
