"""Principal directions against numpy's SVD and points that lie in a plane."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn.landscape import components


@pytest.mark.usefixtures("x64")
def test_principal_directions_are_those_of_the_singular_value_decomposition():
    points = jax.random.normal(jax.random.key(0), (12, 30), jnp.float64) * jnp.arange(1.0, 31)[None]
    found = components.principal({"a": points[:, :10], "b": points[:, 10:]}, k=3)
    gaps = np.asarray(points) - np.asarray(points).mean(axis=0)
    _, s, vt = np.linalg.svd(gaps, full_matrices=False)
    rows = np.hstack([found.directions["a"], found.directions["b"]])
    np.testing.assert_allclose(np.abs(rows @ vt[:3].T), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.explained, s[:3] ** 2 / (s**2).sum(), rtol=1e-11)
    np.testing.assert_allclose(found.coordinates, gaps @ rows.T, atol=1e-10)
    left = gaps - gaps @ rows.T @ rows
    np.testing.assert_allclose(found.residuals, np.linalg.norm(left, axis=1), rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_points_in_a_plane_through_the_centre_leave_nothing_over_under_vmap():
    def one(key):
        spans, places, centre = (
            jax.random.normal(k, shape, jnp.float64)
            for k, shape in zip(jax.random.split(key, 3), [(2, 9), (6, 2), (9,)], strict=True)
        )
        return components.principal(places @ spans + centre[None], centre=centre)

    found = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(1), 4))
    np.testing.assert_allclose(found.residuals, 0, atol=1e-10)
    np.testing.assert_allclose(jnp.sum(found.explained, axis=1), 1, rtol=1e-12)


def test_too_few_points_and_a_wrong_centre_are_refused():
    with pytest.raises(ValueError, match="3 points have at most 2 principal directions, not 3"):
        components.principal(jnp.zeros((3, 5)), k=3)
    with pytest.raises(ValueError, match=r"points and centre differ in structure: .*\(5,\)"):
        components.principal(jnp.zeros((4, 5)), centre=jnp.zeros(4))
