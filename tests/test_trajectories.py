"""A run's plane and the curvature on its way, where both are known."""

from functools import partial

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import devices, ensembles
from jaxnn.landscape import slices, trajectories

SCALES, MINIMUM = np.array([0.5, 2.0, 3.0]), np.array([1.0, -1.0, 0.5])


def bowl():
    return landscapes.quadratic(jnp.asarray(SCALES), jnp.asarray(MINIMUM))


def xor_and_network(sizes=(2, 3, 1), seed=0):
    return jaxnn.loss_on(jaxnn.data.xor()), jaxnn.init(
        jax.random.key(seed), sizes, dtype=jnp.float64
    )


def hessian(loss_fn, point):
    flat, unravel = ravel_pytree(point)
    return np.asarray(jax.hessian(lambda p: loss_fn(unravel(p)))(flat))


# track


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("rule", "steps", "every"),
    [(jaxnn.sgd(0.5), 20, 1), (jaxnn.descent.rule(optax.adam, learning_rate=0.05), 23, 5)],
    ids=["sgd", "adam"],
)
def test_track_goes_the_way_of_train(rule, steps, every):
    loss_fn, start = xor_and_network()
    run = jax.jit(partial(jaxnn.train, rule=rule, steps=steps, record_every=every))(loss_fn, start)
    found = jax.jit(
        partial(trajectories.track, rule=rule, steps=steps, every=every, keep_points=True)
    )(loss_fn, start)
    for a, b in zip(jax.tree.leaves(found.run), jax.tree.leaves(run), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_array_equal(found.steps, np.arange(0, steps + 1, every))
    np.testing.assert_allclose(trajectories.along(loss_fn, found), found.losses, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_each_record_on_a_network_equals_the_dense_hessian_and_a_loop():
    loss_fn, start = xor_and_network()
    found = jax.jit(
        partial(trajectories.track, steps=12, every=3, step_size=0.5, keep_points=True)
    )(loss_fn, start, jaxnn.sgd(0.5))
    gradients = []
    for i in range(5):
        point = jax.tree.map(lambda leaf: leaf[i], found.points)  # noqa: B023
        H = hessian(loss_fn, point)
        values = np.linalg.eigvalsh(H)
        np.testing.assert_allclose(found.sharpness[i], values[-1], rtol=1e-11)
        np.testing.assert_allclose(found.traces[i], np.trace(H), rtol=1e-12)
        gradients.append(np.asarray(ravel_pytree(jax.grad(loss_fn)(point))[0]))
        away = ravel_pytree(point)[0] - ravel_pytree(start)[0]
        np.testing.assert_allclose(found.distances[i], np.linalg.norm(away), rtol=1e-12)
    sizes = np.linalg.norm(gradients, axis=1)
    np.testing.assert_allclose(found.gradient_norms, sizes, rtol=1e-12)
    cosines = gradients @ gradients[0] / (sizes * sizes[0])
    np.testing.assert_allclose(found.cosines, cosines, rtol=1e-12)
    np.testing.assert_array_equal(found.trace_errors, 0.0)
    assert found.edge == 4.0


@pytest.mark.usefixtures("x64")
def test_on_a_quadratic_all_is_known_and_above_the_edge_the_loss_grows():
    start = jnp.zeros(3)
    for step_size, grows in ((0.6, False), (0.7, True)):  # 2 / 3 is the edge's step
        track = jax.jit(partial(trajectories.track, bowl(), steps=30))
        found = track(start, jaxnn.sgd(step_size), step_size=step_size)
        np.testing.assert_allclose(found.sharpness, 3.0, rtol=1e-12)
        np.testing.assert_allclose(found.traces, 5.5, rtol=1e-12)
        np.testing.assert_allclose(found.edge, 2 / step_size, rtol=1e-12)
        factors = (1 - step_size * SCALES) ** np.arange(31)[:, None]
        losses = np.sum(SCALES * (factors * MINIMUM) ** 2, axis=1) / 2
        np.testing.assert_allclose(found.losses, losses, rtol=1e-11)
        assert bool(found.losses[-1] > found.losses[0]) is grows
        assert bool(found.sharpness[-1] > found.edge) is grows


@pytest.mark.usefixtures("x64")
def test_sharpness_rises_to_the_edge_of_stability_and_stays_about_there():
    """Cohen et al. 2021: the start is flatter than half the edge, and from 1200 steps on all
    records lie within a fifth of it, while the loss goes on falling, though not at every record.
    """
    x = jnp.linspace(-1, 1, 8)[:, None]
    loss_fn = jaxnn.loss_on((x, jnp.sin(3 * x)), activation=("tanh", "identity"))
    start = jaxnn.init(jax.random.key(0), (1, 8, 1), scheme="lecun_normal", dtype=jnp.float64)
    found = jax.jit(partial(trajectories.track, steps=6000, every=100, step_size=0.2))(
        loss_fn, start, jaxnn.sgd(0.2)
    )
    assert found.sharpness[0] < 0.5 * found.edge
    late = np.asarray(found.sharpness[12:])
    np.testing.assert_allclose(late, float(found.edge), rtol=0.2)
    assert late.min() < found.edge < late.max()
    assert found.losses[-1] < found.losses[12] < 0.1 * found.losses[0]
    assert np.diff(found.losses[12:]).max() > 0


@pytest.mark.usefixtures("x64")
def test_a_run_that_diverges_says_so_and_repeats_its_last_finite_record():
    found = jax.jit(partial(trajectories.track, landscapes.double_well, steps=60))(
        jnp.array(3.0), jaxnn.sgd(1.0)
    )
    assert found.run.outcome == jaxnn.Outcome.diverged
    assert np.isfinite(found.losses).all()
    assert found.steps[-1] == found.run.steps < 60
    assert found.losses[-1] == found.run.loss


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_with_more_parameters_than_probes_the_trace_is_an_estimate_with_its_error():
    loss_fn, start = xor_and_network((2, 20, 1))
    found = jax.jit(partial(trajectories.track, steps=4, every=2, probes=50))(
        loss_fn, start, jaxnn.sgd(0.5)
    )
    exact = np.trace(hessian(loss_fn, start))
    assert found.trace_errors[0] > 0
    assert abs(found.traces[0] - exact) < 4 * found.trace_errors[0]


@pytest.mark.usefixtures("x64")
def test_track_under_vmap_over_starts_and_step_sizes_equals_one_at_a_time():
    starts, sizes = (
        jax.random.normal(jax.random.key(0), (3, 3), jnp.float64),
        jnp.array([0.1, 0.2, 0.3]),
    )

    def one(start, size):
        return trajectories.track(bowl(), start, jaxnn.sgd(size), steps=6, every=2, step_size=size)

    many = jax.jit(jax.vmap(one))(starts, sizes)
    for i in range(3):
        alone = jax.jit(one)(starts[i], sizes[i])
        for a, b in zip(jax.tree.leaves(many), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("x64")
def test_track_goes_over_four_devices():
    starts = jax.random.normal(jax.random.key(0), (8, 3), jnp.float64)
    many = jax.vmap(lambda p: trajectories.track(bowl(), p, jaxnn.sgd(0.1), steps=3).sharpness)
    placed = devices.place(starts, 1)
    done = jax.jit(lambda placed: devices.spread(many, placed))(placed)
    np.testing.assert_allclose(devices.collect(done, 8, 1), 3.0, rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_track_goes_on_anybodys_model():
    loss_fn = landscapes.pendula(2.0)
    track = jax.jit(partial(trajectories.track, loss_fn, steps=2))
    found = track({"angles": jnp.zeros(3)}, jaxnn.sgd(0.1))
    # the chain's Laplacian has the eigenvalues 0, 1, 3; at rest the cosines add 1
    np.testing.assert_allclose(found.sharpness, 7.0, rtol=1e-12)
    np.testing.assert_allclose(found.traces, 11.0, rtol=1e-12)
    assert np.isnan(found.cosines).all()  # nothing moves


@pytest.mark.parametrize(
    ("point", "settings", "message"),
    [
        (np.ones(3, np.int32), {}, "the point's leaf .* is of int32: wanted floats"),
        (np.array([1.0, np.nan, 0.0]), {}, "the point's leaf .* holds NaN or infinity"),
        ((), {}, "the point has no leaves"),
        (np.ones(3), {"steps": -1}, "steps is -1"),
        (np.ones(3), {"every": 0}, "every is 0"),
        (np.ones(3), {"probes": 0}, "probes is 0"),
        (np.ones(3), {"curvature_steps": 0}, "curvature_steps is 0"),
        (np.ones(3), {"step_size": 0.0}, "step_size is 0.0: give a finite number above 0"),
    ],
)
def test_what_cannot_be_tracked_is_refused(point, settings, message):
    with pytest.raises(ValueError, match=message):
        trajectories.track(bowl(), point, jaxnn.sgd(0.1), **{"steps": 3, **settings})


def test_a_loss_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"the loss has shape \(3,\): a landscape gives one"):
        trajectories.track(lambda p: p**2, jnp.ones(3), jaxnn.sgd(0.1), steps=3)


# the principal plane


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("origin", ["last", "mean"])
def test_the_plane_is_scipys_singular_vectors_of_the_differences(origin):
    loss_fn, start = xor_and_network()
    run = ensembles.replay(loss_fn, start, jaxnn.sgd(1.0), steps=60, every=5)
    found = jax.jit(partial(trajectories.principal_plane, origin=origin))(run)
    rows = np.array(
        [
            ravel_pytree(jax.tree.map(lambda leaf: leaf[i], run.points))[0]  # noqa: B023
            for i in range(13)
        ]
    )
    centre = rows[-1] if origin == "last" else rows.mean(axis=0)
    values, vectors = np.linalg.eigh((rows - centre).T @ (rows - centre))
    for k, direction in enumerate([found.plane.first, found.plane.second]):
        vector = vectors[:, -1 - k]
        flat = ravel_pytree(direction)[0]
        np.testing.assert_allclose(abs(flat @ vector), 1.0, rtol=1e-9)
        x = (rows - centre) @ np.asarray(flat)
        np.testing.assert_allclose(found.plane.coordinates[:, k], x, atol=1e-12)
        assert x[np.argmax(np.abs(x))] > 0
        np.testing.assert_allclose(found.explained[k], values[-1 - k] / values.sum(), rtol=1e-8)
    squared = np.sum((rows - centre) ** 2, axis=1) - np.sum(found.plane.coordinates**2, axis=1)
    np.testing.assert_allclose(found.off_plane, np.sqrt(np.abs(squared)), atol=1e-7)
    np.testing.assert_allclose(ravel_pytree(found.plane.origin)[0], centre, rtol=1e-12)
    if origin == "last":
        assert found.off_plane[-1] == 0


@pytest.mark.usefixtures("x64")
def test_a_run_in_a_plane_lies_in_it_and_slices_take_it():
    """Off the first axis nothing moves: the run is in a plane and the projections are the run."""
    loss_fn = landscapes.quadratic(jnp.array([1.0, 3.0, 5.0]), jnp.zeros(3))
    start = jnp.array([2.0, 1.0, 0.0])
    track = jax.jit(partial(trajectories.track, loss_fn, steps=10, keep_points=True))
    run = track(start, jaxnn.sgd(0.1))
    found = trajectories.principal_plane(run)
    np.testing.assert_allclose(found.explained.sum(), 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.off_plane, 0.0, atol=1e-14)
    plane = found.plane
    xs, ys = plane.coordinates[:, 0], plane.coordinates[:, 1]
    drawn = slices.plane(loss_fn, plane.origin, plane.first, plane.second, xs, ys)
    np.testing.assert_allclose(jnp.diagonal(drawn), run.losses, rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_off_the_plane_the_true_loss_is_not_the_projections():
    random = np.random.default_rng(0)
    points = {"p": jnp.asarray(random.normal(size=(6, 4)) * [5.0, 3.0, 1.0, 0.5])}
    square = lambda p: jnp.sum(p["p"] ** 2)  # noqa: E731
    found = trajectories.principal_plane(points)
    true = trajectories.along(square, points)
    np.testing.assert_allclose(true, np.sum(points["p"] ** 2, axis=1), rtol=1e-12)
    o, d, e = (tree["p"] for tree in found.plane[:3])
    projected = o[None, :] + found.plane.coordinates @ jnp.stack([d, e])
    gaps = np.linalg.norm(points["p"] - projected, axis=1)
    np.testing.assert_allclose(found.off_plane, gaps, atol=1e-12)
    assert (gaps[:-1] > 0.1).any()


@pytest.mark.usefixtures("x64")
def test_a_replay_has_a_plane():
    loss_fn, start = xor_and_network()
    way = ensembles.replay(loss_fn, start, jaxnn.sgd(1.0), steps=20, every=5)
    assert trajectories.principal_plane(way).plane.coordinates.shape == (5, 2)


@pytest.mark.usefixtures("x64")
def test_a_run_along_a_line_has_a_second_direction_that_explains_nothing():
    line = jnp.linspace(0, 1, 5)[:, None] * jnp.array([[3.0, 4.0, 0.0]])
    found = trajectories.principal_plane(line)
    np.testing.assert_allclose(found.explained, [1, 0], atol=1e-14)
    np.testing.assert_allclose(found.plane.coordinates[:, 0], 5 * (1 - jnp.linspace(0, 1, 5)))
    unit = [found.plane.first @ found.plane.first, found.plane.second @ found.plane.second]
    np.testing.assert_allclose(
        [*unit, found.plane.first @ found.plane.second], [1, 1, 0], atol=1e-12
    )


@pytest.mark.usefixtures("x64")
def test_planes_under_vmap_equal_one_at_a_time():
    runs = jax.random.normal(jax.random.key(0), (3, 6, 4), jnp.float64)
    many = jax.vmap(trajectories.principal_plane)(runs)
    for i in range(3):
        one = trajectories.principal_plane(runs[i])
        np.testing.assert_allclose(many.plane.coordinates[i], one.plane.coordinates, rtol=1e-10)
        np.testing.assert_allclose(many.off_plane[i], one.off_plane, atol=1e-12)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (np.ones((2, 3)), "the leaves have 2 records: .* of at least 3"),
        ({"a": np.ones((4, 3)), "b": np.ones((5, 3))}, "the leaves have 4 and 5 records"),
        (np.ones((4, 1)), "the points have 1 parameter: a plane needs at least 2"),
        (np.ones((4, 3)), "the 4 points have a largest difference of 0.0 from the origin"),
        (np.full((4, 3), np.nan), "the 4 points have a largest difference of nan"),
    ],
)
def test_runs_without_a_plane_are_refused(run, message):
    with pytest.raises(ValueError, match=message):
        trajectories.principal_plane(run)


def test_runs_without_points_are_refused():
    run = jaxnn.train(bowl(), jnp.zeros(3), jaxnn.sgd(0.1), steps=3)
    with pytest.raises(ValueError, match="a Run holds only its end: record the points"):
        trajectories.principal_plane(run)
    track = trajectories.track(bowl(), jnp.zeros(3), jaxnn.sgd(0.1), steps=3)
    with pytest.raises(ValueError, match=r"no points: .*keep_points=True"):
        trajectories.along(bowl(), track)
    with pytest.raises(ValueError, match="unknown origin 'start': choose one of last, mean"):
        trajectories.principal_plane(np.random.default_rng(0).normal(size=(4, 3)), origin="start")
