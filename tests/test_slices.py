"""Slices against closed forms, in the order of rows and columns, under jit and vmap."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn import data
from jaxnn.landscape import slices


def test_a_line_through_a_quadratic_is_its_parabola():
    loss_fn = landscapes.quadratic(jnp.array([2.0, 4.0]), jnp.zeros(2))
    ts = jnp.linspace(-3, 3, 101)
    values = slices.line(loss_fn, jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0]), ts)
    np.testing.assert_allclose(values, 1.0 + 2.0 * (2 * ts) ** 2, rtol=1e-5)


def test_a_plane_of_himmelblau_has_y_in_rows_and_x_in_columns():
    point = {"x": jnp.array(0.0), "y": jnp.array(0.0)}
    along_x = {"x": jnp.array(1.0), "y": jnp.array(0.0)}
    along_y = {"x": jnp.array(0.0), "y": jnp.array(1.0)}
    xs, ys = jnp.array([3.0, -2.805118, 0.0]), jnp.array([2.0, 3.131312])
    values = slices.plane(landscapes.himmelblau, point, along_x, along_y, xs, ys)
    assert values.shape == (2, 3)
    by_hand = [[(x * x + y - 11) ** 2 + (x + y * y - 7) ** 2 for x in xs] for y in ys]
    np.testing.assert_allclose(values, by_hand, rtol=1e-4, atol=1e-6)
    # the minimum (-2.805118, 3.131312) lies in the second row, second column
    np.testing.assert_allclose([values[0, 0], values[1, 1]], 0, atol=1e-8)


def test_a_networks_plane_is_the_true_loss_at_each_point_under_jit_and_vmap():
    loss_fn = jaxnn.loss_on(data.xor())
    points = jax.vmap(lambda k: jaxnn.init(k, (2, 2, 1)))(jax.random.split(jax.random.key(0), 3))
    d1, d2 = (jaxnn.init(jax.random.key(k), (2, 2, 1)) for k in (5, 6))
    xs, ys = jnp.linspace(-1, 1, 9), jnp.linspace(-2, 2, 11)
    values = jax.jit(jax.vmap(lambda p: slices.plane(loss_fn, p, d1, d2, xs, ys)))(points)
    assert values.shape == (3, 11, 9)
    moved = jax.tree.map(lambda p, a, b: p[2] + xs[3] * a + ys[7] * b, points, d1, d2)
    np.testing.assert_allclose(values[2, 7, 3], loss_fn(moved), rtol=1e-5)


def test_what_is_not_finite_stays_so():
    values = slices.line(
        lambda p: jnp.log(p), jnp.array(0.0), jnp.array(1.0), jnp.array([-1.0, 1.0])
    )
    assert np.isnan(values[0])
    assert values[1] == 0


def test_ts_of_two_axes_are_refused():
    with pytest.raises(ValueError, match=r"ts has shape \(2, 2\)"):
        slices.line(landscapes.double_well, jnp.array(0.0), jnp.array(1.0), jnp.ones((2, 2)))
