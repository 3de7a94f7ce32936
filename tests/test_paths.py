"""Paths on landscapes whose barriers and saddles are known, in closed form or to 16 digits."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree
from landscapes import MUELLER_BROWN_MINIMA, MUELLER_BROWN_SADDLES
from scipy import integrate, interpolate, optimize

import jaxnn
from jaxnn import devices
from jaxnn.landscape import bands, curves, paths


def minimum(number):
    return jnp.asarray(MUELLER_BROWN_MINIMA[number, :2])


def network(seed, sizes=(2, 6, 1)):
    return jaxnn.init(jax.random.key(seed), sizes, dtype=jnp.float64)


def permuted(params):
    """The same network with its hidden units in another order."""
    (W, b), (V, c) = params
    order = np.roll(np.arange(len(b)), 2)
    return (jaxnn.Layer(W[order], b[order]), jaxnn.Layer(V[:, order], c))


# barriers


def test_barrier_is_the_loss_above_the_line_between_the_ends():
    losses = np.array([1.0, 5.0, 3.0, 2.0])
    by_hand = max(
        e - ((1 - s) * 1.0 + s * 2.0) for e, s in zip(losses, [0, 1 / 3, 2 / 3, 1], strict=True)
    )
    np.testing.assert_allclose(paths.barrier(losses), by_hand, rtol=1e-6)
    np.testing.assert_allclose(
        paths.barrier(losses, np.array([0.0, 0.9, 0.95, 1.0])), 5 - 1.9, rtol=1e-6
    )
    np.testing.assert_allclose(paths.saddle_height(losses), 3.0)


def test_a_convex_loss_has_no_barrier_and_never_one_below_0():
    assert paths.barrier(np.array([4.0, 1.0, 0.0, 1.0])) == 0.0
    assert paths.saddle_height(np.array([4.0, 1.0, 0.0, 1.0])) == 0.0


def test_a_nan_anywhere_on_the_path_stays_one():
    for place in range(4):
        losses = np.array([1.0, 2.0, 3.0, 1.0])
        losses[place] = np.nan
        assert np.isnan(paths.barrier(losses))
        assert np.isnan(paths.saddle_height(losses))


def test_barriers_of_unusable_losses_are_refused():
    with pytest.raises(
        ValueError, match=r"losses have shape \(2,\): wanted one axis of at least 3"
    ):
        paths.barrier(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"losses have shape \(3, 1\)"):
        paths.saddle_height(np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"positions have shape \(2,\) and losses \(3,\)"):
        paths.barrier(np.ones(3), np.array([0.0, 1.0]))


# the straight line


@pytest.mark.usefixtures("x64")
def test_straight_equals_a_loop_on_a_network_and_ends_exactly_at_the_ends():
    loss_fn, a, b = jaxnn.loss_on(jaxnn.data.xor()), network(0), network(1)
    path = jax.jit(partial(paths.straight, points=7))(loss_fn, a, b)
    for i, t in enumerate(np.linspace(0, 1, 7)):
        point = jax.tree.map(lambda p, q: (1 - t) * p + t * q, a, b)  # noqa: B023
        np.testing.assert_allclose(path.losses[i], loss_fn(point), rtol=1e-12)
    for leaf, first, last in zip(*map(jax.tree.leaves, (path.points, a, b)), strict=True):
        np.testing.assert_array_equal(leaf[0], first)
        np.testing.assert_array_equal(leaf[-1], last)
    apart = sum(np.sum((p - q) ** 2) for p, q in zip(*map(jax.tree.leaves, (a, b)), strict=True))
    np.testing.assert_allclose(path.length, np.sqrt(apart), rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_straight_through_the_double_well_has_barrier_1_and_the_way_round_as_well():
    path = paths.straight(landscapes.double_well, -1.0, 1.0, points=9)
    np.testing.assert_allclose([path.barrier, path.saddle_height, path.highest], [1, 1, 0])
    back = paths.straight(landscapes.double_well, 1.0, -1.0, points=9)
    np.testing.assert_allclose(back.losses, path.losses[::-1], rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_a_network_and_its_permuted_copy_have_a_barrier_that_alignment_removes():
    loss_fn = jaxnn.loss_on(jaxnn.data.xor())
    run = jax.jit(partial(jaxnn.train, steps=3000))(loss_fn, network(0), jaxnn.sgd(2.0))
    copy = permuted(run.params)
    before = paths.straight(loss_fn, run.params, copy)
    after = paths.straight(loss_fn, run.params, permuted(permuted(copy)))  # 3 rolls by 2 of 6
    np.testing.assert_allclose(before.losses[0], before.losses[-1], rtol=1e-12)
    assert before.barrier > 0.05
    np.testing.assert_allclose(after.barrier, 0.0, atol=1e-12)


@pytest.mark.usefixtures("x64")
def test_straight_under_vmap_equals_one_at_a_time():
    loss_fn = landscapes.quadratic(jnp.array([1.0, 5.0]), jnp.array([0.5, 0.0]))
    a, b = jax.random.normal(jax.random.key(0), (2, 4, 2), jnp.float64)
    many = jax.vmap(partial(paths.straight, loss_fn, points=5))(a, b)
    for i in range(4):
        one = paths.straight(loss_fn, a[i], b[i], points=5)
        np.testing.assert_allclose(many.losses[i], one.losses, rtol=1e-12)
        np.testing.assert_allclose(many.barrier[i], one.barrier, rtol=1e-12)


# curves


def test_bernstein_shares_are_scipys_and_hats_interpolate_like_numpy():
    ts, control = np.linspace(0, 1, 11), np.array([2.0, -1.0, 0.5, 3.0])
    bernstein = interpolate.BPoly(control[:, None], [0, 1])(ts)
    np.testing.assert_allclose(
        curves.KINDS["bezier"](jnp.asarray(ts), 3) @ control, bernstein, atol=1e-6
    )
    hats = np.interp(ts, np.linspace(0, 1, 4), control)
    np.testing.assert_allclose(curves.KINDS["chain"](jnp.asarray(ts), 3) @ control, hats, atol=1e-6)


def best_bend(kind) -> Any:
    """The bend (-r, r) of least mean loss between (-1, 0) and (0, 1) on the ring, by quadrature."""

    def mean_loss(r):
        def at(t):
            if kind == "bezier":
                shares = [(1 - t) ** 2, 2 * t * (1 - t), t**2]
            else:
                shares = [max(0, 1 - 2 * t), 1 - abs(2 * t - 1), max(0, 2 * t - 1)]
            x, y = -shares[0] - shares[1] * r, shares[1] * r + shares[2]
            return (x * x + y * y - 1) ** 2

        return integrate.quad(at, 0, 1, points=[0.5])[0]

    return optimize.minimize_scalar(mean_loss, bounds=(0.5, 1.5), method="bounded")


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("kind", ["bezier", "chain"])
def test_one_bend_on_the_ring_ends_where_quadrature_says(kind):
    a, b = {"at": jnp.array([-1.0, 0.0])}, {"at": jnp.array([0.0, 1.0])}
    # Adam's steps fall to 0, so that what is left is the noise of some 1000 steps with 16 draws
    rule = optax.adam(optax.cosine_decay_schedule(1e-2, 3000))
    train = partial(paths.curve, landscapes.ring, kind=kind, rule=rule, draws=16, points=201)
    found = jax.jit(partial(train, steps=3000))(a, b, jax.random.key(0))
    best = best_bend(kind)
    np.testing.assert_allclose(found.control["at"][1], [-best.x, best.x], atol=5e-3)
    mean = integrate.trapezoid(found.losses, found.positions)
    np.testing.assert_allclose(mean, best.fun, atol=1e-4)
    assert found.barrier < 0.1 * paths.straight(landscapes.ring, a, b).barrier
    np.testing.assert_array_equal(found.points["at"][0], a["at"])
    np.testing.assert_array_equal(found.points["at"][-1], b["at"])


@pytest.mark.usefixtures("x64")
def test_a_curve_joins_two_networks_below_the_line_under_vmap_too():
    loss_fn = jaxnn.loss_on(jaxnn.data.xor())
    run = jax.jit(partial(jaxnn.train, steps=3000))(loss_fn, network(0), jaxnn.sgd(2.0))
    a, b = run.params, permuted(run.params)
    keys = jax.random.split(jax.random.key(0), 2)
    fit = partial(paths.curve, loss_fn, a, b, steps=2000, bends=2)
    found = jax.jit(jax.vmap(fit))(keys)
    line = paths.straight(loss_fn, a, b)
    assert (found.barrier < 0.5 * line.barrier).all()
    one = jax.jit(fit)(jax.random.split(jax.random.key(0), 2)[1])
    # the width of the map changes the last bits, and 2000 steps of Adam amplify them
    np.testing.assert_allclose(one.losses, found.losses[1], rtol=1e-6)


@pytest.mark.usefixtures("x64")
def test_a_curve_that_symmetry_holds_on_the_line_leaves_it_from_a_start_beside_it():
    a, b = {"at": jnp.array([-1.0, 0.0])}, {"at": jnp.array([1.0, 0.0])}
    fit = jax.jit(partial(paths.curve, landscapes.ring, steps=2000, bends=2))
    held = fit(a, b, jax.random.key(0))
    np.testing.assert_array_equal(held.points["at"][:, 1], 0.0)
    assert held.barrier > 0.9
    beside = {"at": jnp.array([[-0.5, 0.5], [0.5, 0.5]])}
    assert fit(a, b, jax.random.key(0), start=beside).barrier < 0.05


# bands


def tangents_by_the_paper(R, V):
    """Henkelman & Jonsson 2000, eqs. 8 to 11, image by image."""
    found = []
    for i in range(1, len(R) - 1):
        plus, minus = R[i + 1] - R[i], R[i] - R[i - 1]
        big = max(abs(V[i + 1] - V[i]), abs(V[i - 1] - V[i]))
        small = min(abs(V[i + 1] - V[i]), abs(V[i - 1] - V[i]))
        if V[i + 1] > V[i] > V[i - 1]:
            t = plus
        elif V[i + 1] < V[i] < V[i - 1]:
            t = minus
        elif V[i + 1] > V[i - 1]:
            t = plus * big + minus * small
        else:
            t = plus * small + minus * big
        found.append(t / np.linalg.norm(t))
    return found


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("seed", range(5))
def test_tangents_are_the_papers(seed):
    random = np.random.default_rng(seed)
    points, losses = random.normal(size=(9, 3)), random.normal(size=9)
    expected = tangents_by_the_paper(points, losses)
    got = bands.tangents(jnp.asarray(points), jnp.asarray(losses))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("images", [6, 12, 25])
def test_the_bands_over_mueller_brown_climb_to_both_saddles_under_vmap(images):
    ends = (jnp.stack([minimum(0), minimum(2)]), jnp.stack([minimum(1), minimum(1)]))
    fit = jax.jit(jax.vmap(partial(paths.band, landscapes.mueller_brown, images=images)))
    found = fit(*ends)
    for i, saddle in enumerate(MUELLER_BROWN_SADDLES):
        path = jax.tree.map(lambda leaf: leaf[i], found)  # noqa: B023
        np.testing.assert_allclose(jnp.max(path.losses), saddle[2], rtol=1e-10)
        np.testing.assert_allclose(path.highest, saddle[:2], rtol=1e-7)
        higher = MUELLER_BROWN_MINIMA[[1, 2][i], 2]  # of the two ends
        np.testing.assert_allclose(path.saddle_height, saddle[2] - higher, rtol=1e-10)
        assert path.residuals[int(jnp.argmax(path.losses))] < 1e-8
        assert path.residuals.max() < 1e-2  # 25 images still drift; the walls' slopes are over 100


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("images", [7, 8])
def test_the_band_over_the_double_well_climbs_to_its_top(images):
    path = jax.jit(partial(paths.band, landscapes.double_well, images=images))(-1.0, 1.0)
    np.testing.assert_allclose([path.barrier, path.saddle_height], [1, 1], rtol=1e-12)
    np.testing.assert_allclose(path.highest, 0.0, atol=1e-12)


@pytest.mark.usefixtures("x64")
def test_the_band_at_rest_lies_along_the_gradient_with_equal_gaps_whatever_the_springs():
    """The gaps and the residual are worked out anew, in numpy."""
    fit = partial(paths.band, landscapes.mueller_brown, climbing=False, images=15, steps=3000)
    found = [jax.jit(partial(fit, spring=s))(minimum(0), minimum(1)) for s in (0.02, 0.2)]
    np.testing.assert_allclose(found[0].points, found[1].points, atol=1e-6)
    points, losses = np.asarray(found[1].points), np.asarray(found[1].losses)
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(gaps, gaps.mean(), rtol=1e-8)
    np.testing.assert_allclose(found[1].length, gaps.sum(), rtol=1e-12)
    np.testing.assert_allclose(found[1].positions, np.linspace(0, 1, 15), atol=1e-8)
    slopes = jax.vmap(jax.grad(landscapes.mueller_brown))(found[1].points)[1:-1]
    for slope, t in zip(np.asarray(slopes), tangents_by_the_paper(points, losses), strict=True):
        np.testing.assert_allclose(slope - (slope @ t) * t, 0.0, atol=1e-6)
    assert losses.max() < MUELLER_BROWN_SADDLES[0, 2]


@pytest.mark.usefixtures("x64")
def test_residuals_tell_a_band_that_has_not_come_to_rest():
    path = jax.jit(partial(paths.band, landscapes.mueller_brown, steps=20))(minimum(0), minimum(1))
    assert path.residuals.max() > 1.0


@pytest.mark.usefixtures("x64")
def test_a_band_finds_the_valley_that_its_start_lies_in():
    a, b = {"at": jnp.array([-1.0, 0.0])}, {"at": jnp.array([1.0, 0.0])}
    angles = jnp.linspace(jnp.pi, 0, 12)
    for side in (1.0, -1.0):
        half = {"at": 0.7 * jnp.stack([jnp.cos(angles), side * jnp.sin(angles)], axis=1)}
        path = jax.jit(partial(paths.band, landscapes.ring))(a, b, start=half)
        np.testing.assert_allclose(path.barrier, 0.0, atol=1e-12)
        at = path.points["at"]
        np.testing.assert_allclose(jnp.linalg.norm(at, axis=1), 1.0, rtol=1e-6)
        assert (side * at[1:-1, 1] > 0).all()


@pytest.mark.usefixtures("x64")
def test_a_band_on_a_plain_slope_or_a_plain_has_no_barrier():
    slope = jax.jit(partial(paths.band, lambda p: jnp.sum(p), images=5))
    np.testing.assert_allclose(slope(jnp.zeros(2), jnp.ones(2)).barrier, 0.0, atol=1e-12)
    plain = jax.jit(partial(paths.band, lambda p: 0.0 * jnp.sum(p), images=5))
    np.testing.assert_allclose(plain(jnp.zeros(2), jnp.ones(2)).losses, 0.0)


@pytest.mark.usefixtures("x64")
def test_three_coupled_pendula_turn_over_through_all_upright():
    loss_fn = landscapes.pendula(2.0)
    down, round_once = {"angles": jnp.zeros(3)}, {"angles": jnp.full(3, 2 * jnp.pi)}
    line = paths.straight(loss_fn, down, round_once, points=5)
    np.testing.assert_allclose(line.barrier, 6.0, rtol=1e-12)
    path = jax.jit(partial(paths.band, loss_fn, images=8))(down, round_once)
    np.testing.assert_allclose(path.barrier, 6.0, rtol=1e-12)
    np.testing.assert_allclose(path.highest["angles"], jnp.pi, rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_a_lennard_jones_triangle_turns_inside_out_through_the_chain():
    """The saddle is the chain of three, two bonds of r and one of 2 r, minimised by scipy."""

    def chain(r):
        return 8 * (r**-12 - r**-6) + 4 * ((2 * r) ** -12 - (2 * r) ** -6)

    top: Any = optimize.minimize_scalar(chain, bounds=(1.0, 1.3), method="bounded")
    bond = 2 ** (1 / 6)
    triangle = np.array([[-bond / 2, 0], [bond / 2, 0], [0, bond * 3**0.5 / 2]])
    a, b = {"positions": triangle}, {"positions": triangle * np.array([[1, -1]])}
    assert paths.straight(landscapes.lennard_jones, a, b).barrier > 1000
    path = jax.jit(partial(paths.band, landscapes.lennard_jones))(a, b)
    np.testing.assert_allclose(path.losses[0], -3.0, rtol=1e-12)
    np.testing.assert_allclose(path.barrier, top.fun + 3.0, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_a_band_joins_two_networks_below_the_line_by_a_saddle():
    loss_fn = jaxnn.loss_on(jaxnn.data.xor(), l2=1e-3)
    run = jax.jit(partial(jaxnn.train, steps=3000))(loss_fn, network(0), jaxnn.sgd(2.0))
    a, b = run.params, permuted(run.params)
    path = jax.jit(paths.band)(loss_fn, a, b)
    # the valley is soft, and the band still on its way: within 1e-3 of walls of slope 1
    assert path.residuals.max() < 1e-3
    assert 0 < path.barrier < 0.05 * paths.straight(loss_fn, a, b).barrier
    slope = ravel_pytree(jax.grad(loss_fn)(path.highest))[0]
    top = int(jnp.argmax(path.losses))
    np.testing.assert_allclose(jnp.linalg.norm(slope), path.residuals[top], rtol=1e-6)
    longer = jax.jit(partial(paths.band, steps=8000))(loss_fn, a, b)
    assert longer.residuals.max() < 0.5 * path.residuals.max()


def test_a_band_in_float32_finds_the_saddle_to_its_own_digits():
    a, b = minimum(0).astype(jnp.float32), minimum(1).astype(jnp.float32)
    path = jax.jit(partial(paths.band, landscapes.mueller_brown))(a, b)
    assert path.losses.dtype == jnp.float32
    # losses of 100 in float32 carry 1e-5
    np.testing.assert_allclose(jnp.max(path.losses), MUELLER_BROWN_SADDLES[0, 2], atol=1e-4)


@pytest.mark.usefixtures("x64")
def test_bands_go_over_four_devices():
    a = jnp.stack([minimum(0), minimum(2)] * 4)
    b = jnp.stack([minimum(1), minimum(1)] * 4)
    fit = jax.vmap(partial(paths.band, landscapes.mueller_brown, images=8, steps=1000))
    placed = devices.place((a, b), 1)
    done = jax.jit(lambda placed: devices.spread(lambda ends: fit(*ends).losses, placed))(placed)
    losses = devices.collect(done, 8, 1)
    np.testing.assert_allclose(
        np.max(losses, axis=1), np.tile(MUELLER_BROWN_SADDLES[:, 2], 4), rtol=1e-8
    )


# what is refused

MAKERS = {
    "straight": paths.straight,
    "curve": lambda loss_fn, a, b, **settings: paths.curve(
        loss_fn, a, b, jax.random.key(0), **settings
    ),
    "band": paths.band,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_ends_that_make_no_path_are_refused(make):
    square = lambda p: jnp.sum(jax.tree.leaves(p)[0] ** 2)  # noqa: E731
    with pytest.raises(ValueError, match=r"differ in structure: .*\(2,\).* against .*\(3,\)"):
        make(square, jnp.zeros(2), jnp.zeros(3))
    with pytest.raises(ValueError, match=r"differ in structure: .*'x'.* against .*'y'"):
        make(square, {"x": jnp.zeros(2)}, {"y": jnp.zeros(2)})
    with pytest.raises(ValueError, match=r"the second end's leaf .* holds NaN or infinity"):
        make(square, jnp.zeros(2), jnp.array([1.0, jnp.nan]))
    with pytest.raises(ValueError, match=r"the first end's leaf .* is of int32"):
        make(square, jnp.zeros(2, jnp.int32), jnp.ones(2))
    with pytest.raises(ValueError, match=r"the loss has shape \(2,\): a landscape gives one"):
        make(lambda p: p**2, jnp.zeros(2), jnp.ones(2))
    with pytest.raises(ValueError, match="the first end has no leaves"):
        make(square, (), ())


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        ("straight", {"points": 2}, "points is 2: give a whole number, at least 3"),
        ("curve", {"points": 2}, "points is 2: give a whole number, at least 3"),
        ("curve", {"kind": "besier"}, "unknown kind of curve 'besier': .*did you mean 'bezier'"),
        ("curve", {"bends": 0}, "bends is 0"),
        ("curve", {"draws": 0}, "draws is 0"),
        ("curve", {"steps": -1}, "steps is -1"),
        ("curve", {"start": jnp.zeros((3, 2))}, "the bends given and wanted differ in structure"),
        ("band", {"images": 2}, "images is 2: give a whole number, at least 3"),
        ("band", {"steps": -1}, "steps is -1"),
        ("band", {"spring": 0.0}, "spring is 0.0: give a finite number above 0"),
        ("band", {"start": jnp.zeros((3, 2))}, "the start given and wanted differ in structure"),
    ],
)
def test_settings_that_make_no_path_are_refused(make, settings, message):
    with pytest.raises(ValueError, match=message):
        MAKERS[make](lambda p: jnp.sum(p**2), jnp.zeros(2), jnp.ones(2), **settings)


def test_a_band_between_a_point_and_itself_is_refused():
    with pytest.raises(ValueError, match="both ends are the same point"):
        paths.band(lambda p: jnp.sum(p**2), jnp.ones(2), jnp.ones(2))
