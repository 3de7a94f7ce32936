"""Slices against closed forms, in the order of rows and columns, under jit and vmap."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import data, devices
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


def test_a_grid_has_an_axis_for_each_direction():
    loss_fn = landscapes.quadratic(jnp.array([2.0, 4.0, 6.0]), jnp.zeros(3))
    axes = [jnp.linspace(-1, 1, n) for n in (3, 4, 5)]
    values = slices.grid(loss_fn, jnp.zeros(3), list(jnp.eye(3)), axes)
    x, y, z = np.meshgrid(*axes, indexing="ij")
    np.testing.assert_allclose(values, x**2 + 2 * y**2 + 3 * z**2, rtol=1e-5, atol=1e-6)


def test_any_function_of_a_point_is_a_value():
    loss_fn = jaxnn.loss_on(data.xor())
    point, direction = (jaxnn.init(jax.random.key(k), (2, 2, 1)) for k in (0, 1))
    ts = jnp.linspace(-1, 1, 5)

    def both(p):
        return {"accuracy": jaxnn.accuracy(p, data.xor()), "weights": p[1].weights}

    values = slices.line(both, point, direction, ts)
    assert values["weights"].shape == (5, 1, 2)
    assert set(np.asarray(values["accuracy"]).tolist()) <= {0, 0.25, 0.5, 0.75, 1}
    norms = slices.line(slices.gradient_norm(loss_fn), point, direction, ts)
    moved = jax.tree.map(lambda p, d: p + ts[4] * d, point, direction)
    gradient = ravel_pytree(jax.grad(loss_fn)(moved))[0]
    np.testing.assert_allclose(norms[4], np.linalg.norm(gradient), rtol=1e-5)


def test_over_all_devices_the_plane_is_the_same():
    loss_fn = jaxnn.loss_on(data.xor())
    point, d1, d2 = (jaxnn.init(jax.random.key(k), (2, 3, 1)) for k in (0, 1, 2))
    xs, ys = jnp.linspace(-3, 3, 13), jnp.linspace(-1, 1, 7)
    one = slices.plane(loss_fn, point, d1, d2, xs, ys)
    spread = slices.plane(loss_fn, point, d1, d2, xs, ys, over=devices.each)
    np.testing.assert_allclose(spread, one, rtol=1e-6)
    bare = slices.line(lambda p: loss_fn(p), point, d1, xs, over=devices.each)
    np.testing.assert_allclose(bare, one[3], rtol=1e-6)


def test_a_bundle_is_many_lines_of_their_own():
    loss_fn = landscapes.quadratic(jnp.ones(50), jnp.zeros(50))
    found = slices.bundle(
        loss_fn, jnp.zeros(50), jax.random.key(0), jnp.array([0.0, 1.0]), lines=200,
        normalise="none",
    )  # fmt: skip
    assert found.values.shape == (200, 2)
    np.testing.assert_array_equal(found.values[:, 0], 0)
    # half a chi-squared of 50 degrees: quantiles 17.38, 24.67, 33.75; 200 lines know them to 5 %
    ends = [found.low[1], found.middle[1], found.high[1]]
    np.testing.assert_allclose(ends, [17.38, 24.67, 33.75], rtol=0.08)
    again = slices.bundle(
        loss_fn, jnp.ones(50), jax.random.key(0), jnp.array([0.5]), lines=3, normalise="filter"
    )
    # of the point's own length 50^(1/2), in 3 different directions
    assert len(np.unique(np.asarray(again.values))) == 3


class TestSelfCheck:
    """The check sees what is there, and what is misplaced."""

    def slice_of(self, loss_fn, point, ds, axes):
        return slices.grid(loss_fn, point, ds, axes)

    @pytest.mark.usefixtures("x64")
    def test_a_quadratics_plane_shows_its_gradient_and_hessian(self):
        A = jnp.array([[3.0, 1.0], [1.0, -2.0]])

        def loss_fn(p):
            return 1.0 + p[0] - 2 * p[1] + 0.5 * p @ A @ p

        ds, axes = list(jnp.eye(2)), [jnp.linspace(-1, 1.3, 12), jnp.linspace(-2, 1, 9)]
        point = jnp.zeros(2)
        found = jax.jit(
            lambda: slices.self_check(
                loss_fn, point, ds, axes, slices.grid(loss_fn, point, ds, axes)
            )
        )()
        np.testing.assert_allclose(found.centre, [1, 1], rtol=1e-12)
        np.testing.assert_allclose(found.slope, [[1, -2], [1, -2]], rtol=1e-11)
        np.testing.assert_allclose(found.curvature, [A, A], rtol=1e-10)
        assert bool(found.resolved)

    @pytest.mark.slow
    def test_rows_that_are_shifted_every_other_time_are_noticed(self):
        loss_fn = jaxnn.loss_on(data.xor())
        point, d1, d2 = (jaxnn.init(jax.random.key(k), (2, 3, 1)) for k in (0, 1, 2))
        xs = ys = jnp.linspace(-1, 1, 21)
        values = slices.plane(loss_fn, point, d1, d2, xs, ys)
        good = slices.self_check(loss_fn, point, [d2, d1], [ys, xs], values)
        assert bool(good.resolved)
        shifted = values.at[::2].set(jnp.roll(values[::2], 1, axis=1))
        assert not bool(slices.self_check(loss_fn, point, [d2, d1], [ys, xs], shifted).resolved)
        turned = values.T
        assert not bool(slices.self_check(loss_fn, point, [d2, d1], [ys, xs], turned).resolved)

    def test_what_is_not_finite_near_the_centre_is_not_resolved(self):
        ts = jnp.linspace(-1, 1, 9)
        values = slices.line(lambda p: jnp.log(p), jnp.array(0.1), jnp.array(1.0), ts)
        found = slices.self_check(
            lambda p: jnp.log(p), jnp.array(0.1), [jnp.array(1.0)], [ts], values
        )
        assert not bool(found.resolved)

    def test_a_constant_is_resolved(self):
        ts = jnp.linspace(-1, 1, 11)
        loss_fn = lambda p: 0.3 + 0 * jnp.sum(p)  # noqa: E731
        values = slices.line(loss_fn, jnp.ones(2), jnp.ones(2), ts)
        found = slices.self_check(loss_fn, jnp.ones(2), [jnp.ones(2)], [ts], values)
        assert bool(found.resolved)

    def test_values_of_another_shape_are_refused(self):
        with pytest.raises(ValueError, match=r"values have shape \(3,\) for axes of \(4,\)"):
            slices.self_check(
                landscapes.double_well, jnp.array(0.0), [jnp.array(1.0)], [jnp.arange(4.0)],
                jnp.zeros(3),
            )  # fmt: skip
        with pytest.raises(ValueError, match="2 directions and 1 axes"):
            slices.self_check(
                landscapes.double_well, jnp.array(0.0), [jnp.array(1.0)] * 2, [jnp.arange(4.0)],
                jnp.zeros(4),
            )  # fmt: skip


@pytest.mark.parametrize(
    ("point", "direction", "message"),
    [
        (jnp.zeros(2), jnp.zeros(2), "the direction is zero"),
        (jnp.zeros(2), jnp.ones(3), "point and direction differ in structure"),
        (jnp.array([0.0, jnp.inf]), jnp.ones(2), "NaN or infinity"),
        (jnp.array([1, 2]), jnp.array([1, 2]), "wanted floats"),
    ],
)
def test_a_wrong_slice_is_refused(point, direction, message):
    with pytest.raises(ValueError, match=message):
        slices.line(lambda p: jnp.sum(p**2), point, direction, jnp.arange(3.0))
    with pytest.raises(ValueError, match="1 directions and 2 axes"):
        slices.grid(lambda p: p, jnp.ones(1), [jnp.ones(1)], [jnp.ones(1), jnp.ones(1)])
    with pytest.raises(ValueError, match="lines is 0"):
        slices.bundle(lambda p: p, jnp.ones(1), jax.random.key(0), jnp.ones(1), lines=0)
