"""Searches take the steps that their formulas say, and end where the roots of the gradient are."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn.landscape import quadratics, searches

pytestmark = pytest.mark.usefixtures("x64")


def himmelblau(flat):
    return landscapes.himmelblau({"x": flat[0], "y": flat[1]})


def searching(loss_fn):
    return quadratics.local_of(loss_fn, lambda flat: flat)


def ended(loss_fn, start, way, *, until=300, **more):
    at = searching(loss_fn)
    return searches.advance(at, searches.begin(at, jnp.asarray(start)), way, until=until, **more)


def network():
    point = jaxnn.init(jax.random.key(0), (2, 2, 1), dtype=jnp.float64)
    flat, unravel = ravel_pytree(point)
    return landscapes.xor_loss(), flat, unravel


@pytest.mark.slow
def test_what_is_known_at_a_point_are_loss_gradient_hessian_and_the_gradients_terms():
    loss_fn, flat, unravel = network()
    local = quadratics.local_of(loss_fn, unravel)(flat)

    def of_flat(p):
        return loss_fn(unravel(p))

    np.testing.assert_allclose(local.loss, of_flat(flat), rtol=1e-12)
    np.testing.assert_allclose(local.gradient, jax.grad(of_flat)(flat), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(local.hessian, jax.hessian(of_flat)(flat), rtol=1e-12, atol=1e-14)
    residuals = np.asarray(loss_fn.residuals(unravel(flat)))
    jacobian = np.asarray(jax.jacrev(lambda p: loss_fn.residuals(unravel(p)))(flat))
    wanted = [
        sum(abs(2 * jacobian[n, k] * residuals[n]) for n in range(len(residuals)))
        for k in range(flat.size)
    ]
    np.testing.assert_allclose(local.terms, wanted, rtol=1e-12)


def test_a_gradient_is_relative_to_the_absolute_terms_it_is_a_sum_of():
    """(3 x^2 + y^2) / 2 at (2, 1e-3): gradients 6 and 1e-3, terms |H| lengths = (6, 1e-3)."""
    loss_fn = landscapes.quadratic(jnp.array([3.0, 1.0]), jnp.zeros(2))
    local = searching(loss_fn)(jnp.array([2.0, 1e-3]))
    overall, own = quadratics.relative_gradients(local, jnp.array([2.0, 1e-3]))
    np.testing.assert_allclose(overall, 6 / (6 + local.loss / 2), rtol=1e-12)
    np.testing.assert_allclose(own, 1.0, rtol=1e-12)
    at_rest = searching(loss_fn)(jnp.zeros(2))
    assert quadratics.relative_gradients(at_rest, jnp.zeros(2)) == (0.0, 0.0)


def test_eigenvalues_are_zero_below_64_p_eps_of_the_largest():
    close = quadratics.zero_below(jnp.array([-4.0, 1e-20, 1.0]))
    np.testing.assert_allclose(close, 64 * 3 * 2.0**-52 * 4, rtol=1e-12)


@pytest.mark.parametrize("start", [(0.3, -1.2), (4.0, 4.0), (-0.3, -0.9)])
def test_a_step_down_is_newtons_with_absolute_eigenvalues_damped(start):
    state = searches.begin(searching(himmelblau), jnp.array(start))
    gradient, hessian = np.asarray(state.local.gradient), np.asarray(state.local.hessian)
    values, vectors = np.linalg.eigh(hessian)
    absolute = vectors @ np.diag(np.abs(values)) @ vectors.T
    damped = absolute + 0.01 * np.abs(values).max() * np.eye(2)
    wanted = np.array(start) - np.linalg.solve(damped, gradient)
    after = searches.descend(searching(himmelblau), state)
    np.testing.assert_allclose(after.flat, wanted, rtol=1e-12)
    np.testing.assert_allclose(after.damping, 0.01 * 0.2, rtol=1e-12)


@pytest.mark.parametrize("start", [(0.3, -1.2), (4.0, 4.0), (-0.3, -0.9)])
def test_a_step_to_the_nearest_zero_is_levenberg_marquardts_for_the_gradient(start):
    state = searches.begin(searching(himmelblau), jnp.array(start))
    gradient, hessian = np.asarray(state.local.gradient), np.asarray(state.local.hessian)
    mu = 0.01 * np.abs(np.linalg.eigvalsh(hessian)).max()
    move = np.linalg.solve(hessian @ hessian + mu**2 * np.eye(2), hessian @ gradient)
    after = searches.nearest(searching(himmelblau), state)
    np.testing.assert_allclose(after.flat, np.array(start) - move, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-6, 1.0, 10.0])
def test_following_goes_up_along_the_lowest_modes_and_down_along_the_rest(size):
    """Of x^2 - y^2 + 3 z^2 about its saddle: the step for index 1 is Newton's, for index 0 its y
    component is turned away; both cut to the radius 0.01 * 0.5 * (1 + |p|), of a short start
    0.01 * 0.5 * 2 |p|, so that in small units steps are small.
    """
    scales, start = jnp.array([2.0, -2.0, 6.0]), size * np.array([0.1, 0.2, 0.3])
    at = searching(landscapes.quadratic(scales, jnp.zeros(3)))
    length = np.linalg.norm(start)
    radius = 0.01 * 0.5 * (min(length, 1.0) + length)
    for index, signs in ((0, (-1, 1, -1)), (1, (-1, -1, -1)), (2, (1, -1, -1))):
        after = searches.follow(at, searches.begin(at, jnp.asarray(start)), index=index)
        move = start * np.array(signs)
        wanted = start + move * radius / np.linalg.norm(move)
        np.testing.assert_allclose(after.flat, wanted, rtol=1e-12)
        np.testing.assert_allclose(after.damping, 0.02, rtol=1e-12)  # foretold: it doubles


def test_following_leaves_modes_of_zero_curvature_alone():
    """Of x + y^2, which has no curvature along x, only y moves."""
    at = searching(lambda p: p[0] + p[1] ** 2)
    after = searches.follow(at, searches.begin(at, jnp.array([0.5, 0.5])), index=0)
    assert after.flat[0] == 0.5
    assert after.flat[1] < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_never_rises_on_the_way_down(seed):
    loss_fn, _, unravel = network()
    at = quadratics.local_of(loss_fn, unravel)
    state = searches.begin(at, 2.0 * jax.random.normal(jax.random.key(seed), (9,)))
    step = jax.jit(lambda s: searches.descend(at, s))
    losses = [float(state.local.loss)]
    for _ in range(40):
        state = step(state)
        losses.append(float(state.local.loss))
    assert np.all(np.diff(losses) <= 0)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("way", "index"), [("descend", 0), ("follow", 0), ("follow", 1),
                                            ("follow", 2), ("nearest", None)])  # fmt: skip
def test_searches_end_at_the_stationary_points_that_the_polynomials_have(way, index):
    """64 starts at once: every search at rest is at one of the nine points, and descents and
    followed modes at one of the index asked for. Up both modes leads to infinity but from near the
    maximum.
    """
    known = np.array(landscapes.himmelblau_stationary())
    starts = jax.random.uniform(jax.random.key(1), (64, 2), minval=-5, maxval=5)
    more = {"index": index} if way == "follow" else {}
    at = searching(himmelblau)

    def search(start):
        state = searches.advance(at, searches.begin(at, start), way, until=300, **more)
        return state, searches.sharpened(at, state)

    state, end = jax.jit(jax.vmap(search))(starts)
    overall, _ = jax.vmap(quadratics.relative_gradients)(end.local, end.lengths)
    rests = np.asarray(state.rests) & (np.asarray(overall) <= quadratics.FLOOR * 2.0**-52)
    # Levenberg and Marquardt's may rest where |g|^2 has a minimum
    assert rests.mean() > (0.1 if index == 2 else 0.8)
    away = np.linalg.norm(np.asarray(end.flat)[:, None] - known[None, :, :2], axis=2)
    which, nearest = away.argmin(axis=1), away.min(axis=1)
    # the polynomials' roots are good to about 1e-14; |g| of 32 eps times 1e3 over |H| > 10
    assert np.all(nearest[rests] < 1e-11)
    found = set(known[which[rests], 3].astype(int))
    assert found == ({index} if index is not None else {0, 1, 2})


def test_a_quadratic_is_at_rest_after_one_newton_step():
    loss_fn = landscapes.quadratic(jnp.array([1.0, 9.0]), jnp.array([2.0, -1.0]))
    at = searching(loss_fn)
    state = searches.begin(at, jnp.array([5.0, 5.0]))
    np.testing.assert_allclose(searches.sharpened(at, state).flat, [2.0, -1.0], rtol=1e-12)
    # of steps that would lead further than the reach none is made
    away = np.hypot(3.0, 6.0) / np.hypot(5.0, 5.0)
    held = searches.sharpened(at, state, reach=0.99 * away)
    np.testing.assert_array_equal(held.flat, state.flat)
    gone = searches.sharpened(at, state, reach=1.01 * away)
    np.testing.assert_allclose(gone.flat, [2.0, -1.0], rtol=1e-12)


def test_newton_steps_move_nothing_along_flat_modes():
    """On the ring the flat mode is the tangent: the nearest point of the circle is radial."""
    at = quadratics.local_of(landscapes.ring, lambda p: {"at": p})
    end = searches.sharpened(at, searches.begin(at, jnp.array([0.6, 0.8]) * (1 + 1e-9))).flat
    np.testing.assert_allclose(end, [0.6, 0.8], rtol=1e-12)


def test_a_search_stops_at_the_steps_given_and_goes_on_from_there():
    whole = ended(himmelblau, [0.3, -1.2], "descend", until=6)
    assert whole.steps == 6
    at = searching(himmelblau)
    half = ended(himmelblau, [0.3, -1.2], "descend", until=3)
    assert half.steps == 3
    on = searches.advance(at, half, "descend", until=6)
    np.testing.assert_array_equal(on.flat, whole.flat)
    assert ended(himmelblau, [0.3, -1.2], "descend", until=0).steps == 0


def test_a_point_a_thousand_times_further_out_is_lost():
    state = searches.begin(searching(himmelblau), jnp.array([1.0, 1.0]))
    assert not searches.lost(state)
    assert searches.lost(state._replace(flat=jnp.array([2001.0, 0.0])))
    assert not searches.lost(state._replace(flat=jnp.array([1999.0, 0.0])))


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="unknown way to search 'descent': choose one of descend"):
        ended(himmelblau, [0.0, 0.0], "descent")
