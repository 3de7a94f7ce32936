"""Training: against loops without jax, every optax rule, every outcome of decision 11,
mini-batches.
"""

import chex
import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import optax
import oracles
import pytest
import scipy.linalg
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import Outcome, data, stopping, training
from jaxnn.stopping import is_plateau

XOR = data.xor()
INSIDE = jaxnn.Batch(XOR.inputs, 0.1 + 0.8 * XOR.targets)


def starts(seed, count, **settings):
    return jax.vmap(lambda k: jaxnn.init(k, (2, 2, 1), **settings))(
        jax.random.split(jax.random.key(seed), count)
    )


@pytest.mark.usefixtures("x64")
def test_train_is_the_essays_descent_by_loops():
    params = jaxnn.init(jax.random.key(0), (2, 2, 1), dtype=jnp.float64)
    batch = jax.tree.map(lambda a: a.astype(jnp.float64), XOR)
    run = jaxnn.train(jaxnn.loss_on(batch), params, jaxnn.sgd(0.7), steps=5)
    lists, cases = oracles.as_lists(params), (batch.inputs.tolist(), batch.targets.tolist())
    unravel = ravel_pytree(params)[1]
    losses = [oracles.loss(lists, cases, ("sigmoid",) * 2)]
    for _ in range(5):
        slope = np.array(oracles.gradient(lists, cases, ("sigmoid",) * 2))
        flat = np.array([p for _, _, p in oracles.entries(lists)])
        lists = oracles.as_lists(unravel(jnp.array(flat - 0.7 * slope)))
        losses.append(oracles.loss(lists, cases, ("sigmoid",) * 2))
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12)
    end = [p for _, _, p in oracles.entries(lists)]
    np.testing.assert_allclose(ravel_pytree(run.params)[0], end, rtol=1e-12)


def test_descent_on_a_quadratic_is_the_closed_form():
    scales, minimum = jnp.array([1.0, 0.5, 0.1]), jnp.array([1.0, 2.0, 3.0])
    run = jaxnn.train(landscapes.quadratic(scales, minimum), jnp.zeros(3), jaxnn.sgd(0.8), steps=40)
    np.testing.assert_allclose(run.params, minimum - minimum * (1 - 0.8 * scales) ** 40, rtol=1e-5)


@pytest.mark.parametrize("every", [1, 3, 10, 50])
def test_recording_changes_nothing_and_gives_its_number_of_records(every):
    start = jaxnn.init(jax.random.key(1), (2, 2, 1))
    train = jax.jit(
        lambda p: jaxnn.train(jaxnn.loss_on(XOR), p, jaxnn.sgd(), steps=50, record_every=every)
    )
    all_losses = jaxnn.train(jaxnn.loss_on(XOR), start, jaxnn.sgd(), steps=50).losses
    run = train(start)
    assert run.losses.shape == (50 // every + 1,)
    np.testing.assert_allclose(run.losses, all_losses[::every], rtol=1e-5)
    assert int(run.steps) == 50
    assert int(run.outcome) == Outcome.unfinished


@pytest.mark.parametrize(
    "rule",
    [
        optax.adam(0.05),
        optax.sgd(0.2, momentum=0.9),
        optax.lbfgs(),
        optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.5)),
    ],
    ids=["adam", "momentum", "lbfgs", "clipped"],
)
def test_any_optax_rule_goes_in_the_place_of_sgd(rule):
    start = jaxnn.init(jax.random.key(3), (2, 3, 1))
    run = jaxnn.train(jaxnn.loss_on(INSIDE), start, rule, steps=3000, record_every=3000)
    assert float(run.losses[-1]) < 0.02


def test_adam_and_momentum_solve_himmelblau():
    start = {"x": jnp.array(2.0), "y": jnp.array(1.0)}
    for rule in (optax.adam(0.05), optax.sgd(0.005, momentum=0.9)):
        run = jaxnn.train(landscapes.himmelblau, start, rule, steps=1000)
        np.testing.assert_allclose([run.params["x"], run.params["y"]], [3, 2], atol=1e-3)


def test_lbfgs_solves_himmelblau_to_float32():
    start = {"x": jnp.array(2.0), "y": jnp.array(1.0)}
    run = jaxnn.train(landscapes.himmelblau, start, optax.lbfgs(), steps=30)
    np.testing.assert_allclose([run.params["x"], run.params["y"]], [3, 2], atol=1e-4)


@pytest.mark.parametrize("point", [0.1, -0.3, 2.0])
def test_a_double_well_converges_to_the_nearer_minimum(point):
    run = jaxnn.train_until(
        landscapes.double_well,
        jnp.array(point),
        jaxnn.sgd(0.05),
        stop=training.gradient_below(1e-5),
        max_steps=1000,
        check_every=10,
    )
    assert int(run.outcome) == Outcome.converged
    assert int(run.steps) % 10 == 0
    assert float(run.gradient_norm) < 1e-5
    np.testing.assert_allclose(run.params, np.sign(point), atol=1e-4)
    assert run.losses.shape == (101,)
    assert float(run.losses[-1]) == float(run.losses[int(run.steps) // 10])


def test_targets_inside_converge_and_targets_at_the_ends_are_plateaus():
    ends = {}
    for name, batch in (("inside", INSIDE), ("ends", XOR)):
        loss_fn = jaxnn.loss_on(batch)
        ends[name] = jax.jit(
            jax.vmap(
                lambda p, loss_fn=loss_fn: jaxnn.train_until(
                    loss_fn,
                    p,
                    jaxnn.sgd(4.0),
                    stop=training.gradient_below(1e-4),
                    max_steps=20_000,
                    check_every=100,
                )
            )
        )(starts(5, 60))
    # logistic outputs never reach 0 or 1: nothing there is a minimum, however small the gradient
    assert set(ends["ends"].outcome.tolist()) == {Outcome.plateau}
    solved = ends["inside"].losses[:, -1] < 1e-4
    assert int(jnp.sum(solved)) > 20
    assert set(ends["inside"].outcome[solved].tolist()) == {Outcome.converged}


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
@pytest.mark.parametrize(
    "batch", [XOR, pytest.param(INSIDE, marks=pytest.mark.slow)], ids=["ends", "inside"]
)
def test_all_weights_times_1000_are_never_called_converged(batch, name):
    loss_fn = jaxnn.loss_on(batch, activation=name)
    run = jax.jit(
        jax.vmap(
            lambda p: jaxnn.train_until(
                loss_fn,
                p,
                jaxnn.sgd(),
                stop=training.gradient_below(1e-5),
                max_steps=2000,
                check_every=100,
            )
        )
    )(starts(5, 300, scale=1000.0))
    counts = np.bincount(np.asarray(run.outcome), minlength=4)
    assert counts[Outcome.converged] == 0
    assert counts[Outcome.plateau] > 250


def test_a_saddle_and_a_flat_place_are_plateaus_and_a_minimum_is_not():
    def saddle(p):
        return p[0] ** 2 - p[1] ** 2

    def exponential(p):
        return jnp.exp(-p[0]) + p[1] ** 2

    def zero_set(p):
        return (p[0] * p[1] - 1.0) ** 2

    assert bool(is_plateau(saddle, jnp.array([1e-6, 0.0])))
    assert bool(is_plateau(exponential, jnp.array([15.0, 0.0])))
    assert bool(is_plateau(lambda p: jnp.sum(0.0 * p) + 1.0, jnp.array([1.0, 2.0])))
    assert bool(is_plateau(lambda p: jnp.sum(p**4), jnp.array([1e-2, 1e-2])))
    assert not bool(is_plateau(zero_set, jnp.array([2.0, 0.5 + 1e-6])))
    assert not bool(is_plateau(landscapes.double_well, jnp.array(1.0)))
    assert not bool(
        is_plateau(lambda p: jnp.sum(1e-9 * (p - 3.0) ** 2), jnp.array([3.0, 3.0 + 1e-4]))
    )


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("size", [1, 2, 5, 16, 40])
def test_the_lowest_curvature_is_scipys(size):
    drawn = jax.random.normal(jax.random.key(size), (size, size), jnp.float64)
    matrix = drawn + drawn.T
    lowest, widest = stopping._extreme_curvatures(lambda v: matrix @ v, jnp.ones(size))
    values = scipy.linalg.eigvalsh(matrix)
    assert float(widest) >= 0.3 * np.abs(values).max()
    if size <= stopping.KRYLOV:
        np.testing.assert_allclose(lowest, values[0], rtol=1e-9)
    else:
        assert values[0] <= float(lowest) < 0.7 * values[0]


def test_divergence_is_an_outcome_at_the_last_finite_point():
    loss_fn = landscapes.quadratic(jnp.array([1.0]), jnp.array([0.0]))
    # p' = -9 p: the square passes the largest float32, 3.4e38, when 9^t > 2.6e19
    run = jaxnn.train(loss_fn, jnp.array([1.0]), jaxnn.sgd(10.0), steps=100)
    assert int(run.outcome) == Outcome.diverged
    assert bool(jnp.all(jnp.isfinite(run.losses)))
    assert int(run.steps) == 20
    np.testing.assert_allclose(run.params, [9.0**20], rtol=1e-5)
    until = jaxnn.train_until(
        loss_fn,
        jnp.array([1.0]),
        jaxnn.sgd(10.0),
        stop=training.gradient_below(1e-3),
        max_steps=100,
        check_every=10,
    )
    assert int(until.outcome) == Outcome.diverged
    assert int(until.steps) == 20
    chex.assert_trees_all_equal(until.params, run.params)


@pytest.mark.parametrize(
    ("stop", "met"),
    [
        (training.loss_below(0.1), lambda run: run.losses[-1] < 0.1),
        (training.all_correct(XOR), lambda run: jaxnn.accuracy(run.params, XOR) == 1),
        (lambda point, loss, gradient: loss < 0.1, lambda run: run.losses[-1] < 0.1),
    ],
)
def test_goals_stop_training_where_they_are_met(stop, met):
    start = jaxnn.init(jax.random.key(3), (2, 3, 1))
    run = jaxnn.train_until(
        jaxnn.loss_on(XOR), start, jaxnn.sgd(4.0), stop=stop, max_steps=20_000, check_every=10
    )
    assert int(run.outcome) == Outcome.converged
    assert 0 < int(run.steps) < 20_000
    assert bool(met(run))


def test_no_steps_leave_the_start_and_a_start_that_is_done_takes_none():
    start = jaxnn.init(jax.random.key(3), (2, 3, 1))
    for run in (
        jaxnn.train(jaxnn.loss_on(XOR), start, jaxnn.sgd(), steps=0),
        jaxnn.train_until(
            jaxnn.loss_on(XOR), start, jaxnn.sgd(), stop=training.loss_below(9.0), max_steps=5
        ),
    ):
        chex.assert_trees_all_equal(run.params, start)
        assert int(run.steps) == 0


def test_steps_beyond_the_last_whole_block_are_made_and_tested_too():
    loss_fn = landscapes.quadratic(jnp.array([1.0]), jnp.array([0.0]))
    never = training.loss_below(-1.0)

    def until(stop, max_steps):
        return jaxnn.train_until(
            loss_fn, jnp.ones(1), jaxnn.sgd(0.5), stop=stop, max_steps=max_steps, check_every=4
        )

    run = until(never, 10)
    assert int(run.steps) == 10
    assert run.losses.shape == (3,)
    np.testing.assert_allclose(run.params, [0.5**10])
    assert float(run.loss) == float(loss_fn(run.params)) < float(run.losses[-1])
    # the loss 0.5^(2 t + 1) is below 1e-5 from step 8 on, and below 1e-6 from step 10 on
    assert (int(until(training.loss_below(1e-5), 10).steps)) == 8
    last = until(training.loss_below(1e-6), 10)
    assert (int(last.steps), int(last.outcome)) == (10, Outcome.converged)


def test_minibatches_use_every_case_once_an_epoch_the_short_batch_too():
    cases = 7
    batch = jaxnn.Batch(jnp.eye(cases), jnp.zeros((cases, 1)))

    # the gradient is the mean one-hot input of the batch: with p' = p - it, p counts the visits
    def loss(params, few):
        return -jnp.mean(few.inputs @ params)

    run = jaxnn.train_minibatch(
        loss, jnp.zeros(cases), batch, jaxnn.sgd(), jax.random.key(0), epochs=3, batch_size=3
    )
    # two batches of 3 and one of 1 an epoch: a visit counts 1/3, or 1 for the case in the short
    # batch
    assert int(run.steps) == 9
    np.testing.assert_allclose(float(jnp.sum(run.params)), 9.0, rtol=1e-6)
    one = jaxnn.train_minibatch(
        loss, jnp.zeros(cases), batch, jaxnn.sgd(), jax.random.key(0), epochs=1, batch_size=3
    )
    np.testing.assert_allclose(sorted(one.params.tolist()), [1 / 3] * 6 + [1.0], rtol=1e-6)
    assert run.losses.shape == (4,)


def test_one_batch_of_all_cases_is_train():
    start = jaxnn.init(jax.random.key(1), (2, 2, 1))
    full = jaxnn.train(jaxnn.loss_on(XOR), start, jaxnn.sgd(), steps=20, record_every=5)
    by_batch = jaxnn.train_minibatch(
        jaxnn.loss, start, XOR, jaxnn.sgd(), jax.random.key(0),
        epochs=20, batch_size=4, record_every=5, gradient=jaxnn.backprop,
    )  # fmt: skip
    chex.assert_trees_all_close(by_batch.params, full.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_batch.losses, full.losses, rtol=1e-5)


def test_the_order_of_the_cases_is_the_keys():
    start = jaxnn.init(jax.random.key(1), (2, 2, 1))

    def end(seed):
        key = jax.random.key(seed)
        run = jaxnn.train_minibatch(
            jaxnn.loss, start, XOR, jaxnn.sgd(), key, epochs=5, batch_size=1
        )
        return ravel_pytree(run.params)[0]

    assert np.array_equal(end(0), end(0))
    assert not np.array_equal(end(0), end(1))


def test_minibatch_divergence_keeps_the_last_finite_epoch():
    batch = jaxnn.Batch(jnp.ones((4, 1)), jnp.zeros((4, 1)))
    start = [(jnp.array([[1.0]]), None)]
    run = jaxnn.train_minibatch(
        lambda p, b: jaxnn.loss(p, b, activation="identity"), start, batch, jaxnn.sgd(50.0),
        jax.random.key(0), epochs=30, batch_size=2,
    )  # fmt: skip
    assert int(run.outcome) == Outcome.diverged
    assert bool(jnp.isfinite(run.params[0][0]).all())
    assert bool(jnp.isfinite(run.losses).all())
    # two steps of factor -99 an epoch: 99^(2 t) squared stays below 3.4e38 for t <= 4
    assert int(run.steps) == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, p: jaxnn.train(f, p, jaxnn.sgd(), steps=-1), "steps is -1"),
        (lambda f, p: jaxnn.train(f, p, jaxnn.sgd(), steps=5, record_every=0), "record_every is 0"),
        (lambda f, p: jaxnn.train(lambda q: q[0].weights, p, jaxnn.sgd(), steps=1), "scalar|shape"),
        (
            lambda f, p: jaxnn.train_minibatch(
                jaxnn.loss, p, XOR, jaxnn.sgd(), jax.random.key(0), epochs=1, batch_size=5
            ),
            "batch_size is 5 but there are 4 cases",
        ),
    ],
)
def test_wrong_calls_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(jaxnn.loss_on(XOR), jaxnn.init(jax.random.key(0), (2, 2, 1)))
