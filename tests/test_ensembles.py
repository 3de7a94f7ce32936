"""Ensembles: each member is the lone network, its bits do not depend on the others, on 4 simulated
devices.
"""

import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxnn
from jaxnn import Outcome, data, devices, ensembles, training

LOSS = jaxnn.loss_on(data.xor())


def draw(members, first=0, **settings):
    return ensembles.init(jax.random.key(3), (2, 3, 1), members=members, first=first, **settings)


def member(tree, i):
    return jax.tree.map(lambda leaf: leaf[i], tree)


def test_the_suite_runs_on_four_devices():
    assert jax.local_device_count() == 4


def test_member_i_is_drawn_from_its_own_key_in_any_part():
    everyone = draw(7, scheme="nielsen", scale=2.0)
    chex.assert_trees_all_equal(
        draw(3, first=2, scheme="nielsen", scale=2.0),
        jax.tree.map(lambda leaf: leaf[2:5], everyone),
    )
    alone = jaxnn.init(
        jax.random.fold_in(jax.random.key(3), 4), (2, 3, 1), scheme="nielsen", scale=2.0
    )
    chex.assert_trees_all_equal(member(everyone, 4), alone)


@pytest.mark.parametrize("landscape", [LOSS, lambda p: LOSS(p)], ids=["by hand", "by autodiff"])
def test_each_member_trains_as_the_lone_network(landscape):
    starts = draw(10)
    run = ensembles.train(landscape, starts, jaxnn.sgd(2.0), steps=100, record_every=10, tile=2)
    assert run.losses.shape == (10, 11)
    alone = jaxnn.train(LOSS, member(starts, 6), jaxnn.sgd(2.0), steps=100, record_every=10)
    np.testing.assert_allclose(run.losses[6], alone.losses, rtol=1e-5)
    chex.assert_trees_all_close(member(run.params, 6), alone.params, rtol=1e-4, atol=1e-5)


def test_bits_do_not_depend_on_how_many_others_there_are():
    starts = draw(37)
    whole = ensembles.train(LOSS, starts, jaxnn.sgd(4.0), steps=200, record_every=50, tile=4)
    part = ensembles.train(
        LOSS,
        jax.tree.map(lambda leaf: leaf[5:16], starts),
        jaxnn.sgd(4.0),
        steps=200,
        record_every=50,
        tile=4,
    )
    chex.assert_trees_all_equal(part, jax.tree.map(lambda leaf: leaf[5:16], whole))


def test_train_until_gives_every_member_its_own_steps_and_outcome():
    starts = draw(24, scale=3.0)
    run = ensembles.train_until(
        LOSS,
        starts,
        jaxnn.sgd(4.0),
        stop=training.loss_below(0.05),
        max_steps=3000,
        check_every=50,
        tile=3,
    )
    met = run.losses[:, -1] < 0.05
    assert len(set(run.steps.tolist())) > 3
    assert np.array_equal(met, run.outcome == Outcome.converged)
    assert np.array_equal(~met, run.outcome == Outcome.unfinished)
    assert bool(jnp.all(run.steps[~met] == 3000))


def test_plateaus_are_told_on_several_devices_at_once():
    inside = jaxnn.Batch(data.xor().inputs, 0.1 + 0.8 * data.xor().targets)
    for loss_fn, expected in ((LOSS, Outcome.plateau), (jaxnn.loss_on(inside), Outcome.converged)):
        run = ensembles.train_until(
            loss_fn,
            draw(40),
            jaxnn.sgd(4.0),
            stop=training.gradient_below(3e-4),
            max_steps=6000,
            check_every=100,
            tile=5,
        )
        solved = (run.losses[:, -1] < 1e-2) & (run.outcome != Outcome.unfinished)
        assert int(jnp.sum(solved)) > 20
        assert set(run.outcome[solved].tolist()) == {expected}


def test_divergence_of_one_member_leaves_the_others_bits_alone():
    def quadratic(p):
        return jnp.sum(jnp.square(p))

    good = jnp.array([[0.5], [0.25], [1.0], [2.0]])
    with_bad = good.at[2].set(1e18)
    run = ensembles.train(quadratic, with_bad, optax.sgd(1.1), steps=60, tile=1)
    plain = ensembles.train(quadratic, good, optax.sgd(1.1), steps=60, tile=1)
    assert run.outcome.tolist() == [2, 2, Outcome.diverged, 2]
    keep = jnp.array([0, 1, 3])
    chex.assert_trees_all_equal(
        jax.tree.map(lambda leaf: leaf[keep], run), jax.tree.map(lambda leaf: leaf[keep], plain)
    )


def test_minibatch_members_follow_their_own_keys():
    starts, keys = draw(5), jax.random.split(jax.random.key(9), 5)
    run = ensembles.train_minibatch(
        starts, data.xor(), jaxnn.sgd(), keys.copy(), epochs=10, batch_size=3, record_every=5
    )
    assert run.losses.shape == (5, 3)
    alone = training.train_minibatch(
        jaxnn.loss,
        member(starts, 2),
        data.xor(),
        jaxnn.sgd(),
        keys[2],
        epochs=10,
        batch_size=3,
        record_every=5,
        gradient=jaxnn.backprop,
    )
    np.testing.assert_allclose(run.losses[2], alone.losses, rtol=1e-5)


def test_an_ensemble_compiles_once_for_all_data_step_sizes_and_starts():
    def runs():
        for step_size, seed in ((1.0, 0), (2.0, 1)):
            batch = jaxnn.Batch(data.xor().inputs + seed, data.xor().targets)
            ensembles.train(
                jaxnn.loss_on(batch), draw(4, first=seed), jaxnn.sgd(step_size), steps=7, tile=1
            )
            yield getattr(ensembles._train, "_cache_size")()  # noqa: B009

    first, second = runs()
    assert first == second


def test_use_all_cores_says_when_it_comes_too_late():
    with pytest.raises(RuntimeError, match="before the first array"):
        devices.use_all_cores(3)


def test_use_all_cores_gives_one_device_a_core_in_a_fresh_process():
    script = (
        "from jaxnn import devices; n = devices.use_all_cores(3)\n"
        "import jax; print(n, jax.local_device_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "3"]


def test_init_refuses_no_members():
    with pytest.raises(ValueError, match="members is 0"):
        draw(0)
