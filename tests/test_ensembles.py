"""Ensembles: each member is the lone network, its bits do not depend on the others, on 4 simulated
devices.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxnn
from jaxnn import Batch, Outcome, data, ensembles, training

LOSS = jaxnn.loss_on(data.xor())


SGD = jaxnn.sgd(2.0)


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


FORMS = {"units": LOSS, "matrices": LOSS, "landscape": lambda p: LOSS(p)}


@pytest.mark.parametrize("form", FORMS)
def test_each_member_trains_as_the_lone_network(form):
    starts = draw(10)
    run = ensembles.train(FORMS[form], starts, SGD, steps=103, record_every=10, form=form)
    assert run.losses.shape == (10, 11)
    alone = jaxnn.train(LOSS, member(starts, 6), SGD, steps=103, record_every=10)
    np.testing.assert_allclose(run.losses[6], alone.losses, rtol=1e-5)
    np.testing.assert_allclose(run.loss[6], alone.loss, rtol=1e-5)
    np.testing.assert_allclose(run.gradient_norm[6], alone.gradient_norm, rtol=1e-3)
    assert set(run.steps.tolist()) == {103}
    chex.assert_trees_all_close(member(run.params, 6), alone.params, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "form",
    ["units", *(pytest.param(form, marks=pytest.mark.slow) for form in FORMS if form != "units")],
)
def test_in_float64_members_are_the_lone_network_to_1e_12(form, x64):
    del x64
    starts = ensembles.init(jax.random.key(3), (2, 3, 1), members=5, dtype=jnp.float64)
    loss_fn = jaxnn.loss_on(Batch(*(part.astype(jnp.float64) for part in data.xor())))
    function = (lambda p: loss_fn(p)) if form == "landscape" else loss_fn
    run = ensembles.train(function, starts, SGD, steps=50, record_every=5, form=form)
    alone = jaxnn.train(loss_fn, member(starts, 3), SGD, steps=50, record_every=5)
    np.testing.assert_allclose(run.losses[3], alone.losses, rtol=1e-12)
    chex.assert_trees_all_close(member(run.params, 3), alone.params, rtol=1e-12, atol=1e-13)


UNTIL: dict[str, Any] = {"stop": training.gradient_below(3e-3), "max_steps": 730, "check_every": 50}


@pytest.mark.optimised
@pytest.mark.parametrize("cut", [1000, pytest.param(4096, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", ["units", "matrices"])
def test_bits_do_not_depend_on_the_chunks_that_an_ensemble_is_cut_into(form, cut):
    starts = draw(5000, scale=3.0)
    ways: list[tuple[Any, dict[str, Any]]] = [
        (ensembles.train, {"steps": 110, "record_every": 50}),
        (ensembles.train_until, UNTIL),
    ]
    for train, settings in ways:
        whole = train(LOSS, starts, jaxnn.sgd(4.0), form=form, **settings)
        for first in range(0, 5000, cut):
            span = slice(first, first + cut)
            some = jax.tree.map(lambda leaf, span=span: leaf[span], (starts, whole))
            part = train(LOSS, some[0], jaxnn.sgd(4.0), form=form, **settings)
            chex.assert_trees_all_equal(part, some[1])


@pytest.mark.optimised
@pytest.mark.slow
def test_bits_do_not_depend_on_order_and_recording():
    starts, turned = draw(300), np.random.default_rng(0).permutation(300)
    whole = ensembles.train(LOSS, starts, jaxnn.sgd(4.0), steps=200, record_every=50)
    other = ensembles.train(
        LOSS, jax.tree.map(lambda leaf: leaf[turned], starts), jaxnn.sgd(4.0), steps=200
    )
    chex.assert_trees_all_equal(other.params, jax.tree.map(lambda leaf: leaf[turned], whole.params))
    np.testing.assert_array_equal(other.losses[:, ::50], whole.losses[turned])


@pytest.mark.parametrize(
    "form",
    ["units", *(pytest.param(form, marks=pytest.mark.slow) for form in FORMS if form != "units")],
)
def test_train_until_gives_every_member_the_steps_and_outcome_of_the_lone_network(form):
    starts = draw(24, scale=3.0)
    run = ensembles.train_until(
        FORMS[form],
        starts,
        jaxnn.sgd(4.0),
        stop=training.loss_below(0.05),
        max_steps=3020,
        check_every=50,
        form=form,
        tile=3,
    )
    met = run.loss < 0.05
    assert len(set(run.steps.tolist())) > 3
    assert np.array_equal(met, run.outcome == Outcome.converged)
    assert np.array_equal(~met, run.outcome == Outcome.unfinished)
    assert bool(jnp.all(run.steps[~met] == 3020))
    fitting = jax.jit(
        lambda start: jaxnn.train_until(
            LOSS, start, jaxnn.sgd(4.0), stop=training.loss_below(0.05), max_steps=3020,
            check_every=50,
        )
    )  # fmt: skip
    for k in (0, 7, int(jnp.argmax(met)), int(jnp.argmax(run.steps * met))):
        alone = fitting(member(starts, k))
        assert int(run.steps[k]) == int(alone.steps)
        np.testing.assert_allclose(run.losses[k], alone.losses, rtol=1e-3)
        chex.assert_trees_all_close(member(run.params, k), alone.params, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("every", [100, 350, 5000])
def test_records_of_train_until_are_every_so_many_steps(every):
    starts, settings = draw(300, scale=3.0), {**UNTIL, "max_steps": 3730}
    fine = ensembles.train_until(LOSS, starts, jaxnn.sgd(4.0), **settings)
    assert len(set(fine.steps.tolist())) > 3
    coarse = ensembles.train_until(
        LOSS, starts, jaxnn.sgd(4.0), record_every=every, tile=128, **settings
    )
    np.testing.assert_array_equal(coarse.losses, fine.losses[:, :: every // 50])
    chex.assert_trees_all_equal(coarse.params, fine.params)


def test_a_record_that_falls_between_tests_is_refused():
    with pytest.raises(ValueError, match="record_every is 75: give a multiple of check_every, 50"):
        ensembles.train_until(LOSS, draw(4), SGD, record_every=75, **UNTIL)


@pytest.mark.optimised
@pytest.mark.parametrize("form", FORMS)
def test_a_member_is_replayed_alone_to_the_bit(form):
    starts, rule = draw(200, scale=3.0), jaxnn.sgd(4.0)
    run = ensembles.train_until(FORMS[form], starts, rule, form=form, **UNTIL)
    for k in (0, int(jnp.argmin(run.steps)), 131):
        start = member(draw(1, first=k, scale=3.0), 0)
        way = ensembles.replay(
            FORMS[form], start, rule, steps=int(run.steps[k]), every=7, form=form,
            expected=member(run.params, k),
        )  # fmt: skip
        chex.assert_trees_all_equal(member(way.points, -1), member(run.params, k))
        chex.assert_trees_all_equal(member(way.points, 0), start)
        assert float(way.losses[-1]) == float(run.loss[k])
        assert int(way.steps[-1]) == int(run.steps[k])
        np.testing.assert_allclose(way.losses[3], LOSS(member(way.points, 3)), rtol=1e-5)
    with pytest.raises(ValueError, match="away from the point expected"):
        ensembles.replay(
            FORMS[form], member(starts, 0), rule, steps=40, form=form, expected=member(starts, 0)
        )


@pytest.mark.optimised
@pytest.mark.slow
def test_a_member_that_diverged_is_replayed_to_where_it_was_frozen():
    starts, rule = draw(64, scale=3.0), jaxnn.sgd(0.8)
    linear = jaxnn.loss_on(data.xor(), activation="identity")
    run = ensembles.train(linear, starts, rule, steps=20)
    assert set(run.outcome.tolist()) == {Outcome.diverged}
    k = int(jnp.argmax(run.steps))
    ensembles.replay(
        linear, member(starts, k), rule, steps=int(run.steps[k]), expected=member(run.params, k)
    )


def test_a_start_that_meets_the_rule_makes_no_step_and_one_at_infinity_is_diverged():
    starts = jnp.array([[0.0], [1.0], [jnp.inf]])
    run = ensembles.train_until(
        lambda p: jnp.sum(p**2), starts, SGD, stop=training.loss_below(0.5), max_steps=0
    )
    assert run.outcome.tolist() == [Outcome.converged, Outcome.unfinished, Outcome.diverged]
    assert run.steps.tolist() == [0, 0, 0]


@pytest.mark.slow
def test_one_compilation_serves_a_grid_of_step_sizes_and_penalties():
    starts = draw(6)
    sizes, l2 = jnp.array([0.5, 1.0, 2.0, 0.5, 1.0, 2.0]), jnp.array([0.0, 0.0, 0.0, 0.1, 0.1, 0.1])
    grid = jaxnn.loss_on(data.xor(), l2=l2)
    run = ensembles.train(
        grid, starts, jaxnn.sgd(sizes), steps=40, loss_axes={"l2": 0}, rule_axes=0
    )
    for k in range(6):
        loss_fn = jaxnn.loss_on(data.xor(), l2=float(l2[k]))
        alone = jaxnn.train(loss_fn, member(starts, k), jaxnn.sgd(float(sizes[k])), steps=40)
        np.testing.assert_allclose(run.losses[k], alone.losses, rtol=1e-5)
    before = getattr(ensembles._train, "_cache_size")()  # noqa: B009
    other = jaxnn.loss_on(data.xor(), l2=l2 + 0.5)
    ensembles.train(other, starts, jaxnn.sgd(2 * sizes), steps=40, loss_axes={"l2": 0}, rule_axes=0)
    assert getattr(ensembles._train, "_cache_size")() == before  # noqa: B009


def test_members_may_have_data_of_their_own():
    starts, shares = draw(3), jnp.array([0.0, 0.1, 0.2])
    inside = jax.vmap(
        lambda a: jaxnn.Batch(data.xor().inputs, a + (1 - 2 * a) * data.xor().targets)
    )
    each = jaxnn.losses.LossOn(inside(shares), 0.0, "sigmoid")
    run = ensembles.train(each, starts, SGD, steps=30, loss_axes={"inputs": 0, "targets": 0})
    alone = jaxnn.train(jaxnn.loss_on(member(inside(shares), 2)), member(starts, 2), SGD, steps=30)
    np.testing.assert_allclose(run.losses[2], alone.losses, rtol=1e-5)


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


def quadratic(p):
    return jnp.sum(jnp.square(p))


@pytest.mark.optimised
@pytest.mark.parametrize("tile", [1, 2, 8])
def test_divergence_of_members_leaves_the_others_bits_alone(tile):
    good = jnp.array([[0.5], [0.25], [1.0], [2.0], [3.0]])
    with_bad = good.at[2].set(1e18).at[4].set(3e17)
    rule = optax.sgd(1.1)
    settings = {"steps": 60, "record_every": 7, "tile": tile}
    run = ensembles.train(quadratic, with_bad, rule, **settings)
    plain = ensembles.train(quadratic, good, rule, **settings)
    assert run.outcome.tolist() == [2, 2, Outcome.diverged, 2, Outcome.diverged]
    keep = jnp.array([0, 1, 3])
    chex.assert_trees_all_equal(
        jax.tree.map(lambda leaf: leaf[keep], run), jax.tree.map(lambda leaf: leaf[keep], plain)
    )
    for k in (2, 4):  # frozen where the lone run is
        alone = training.train(quadratic, with_bad[k], rule, steps=60, record_every=7)
        assert int(alone.steps) == int(run.steps[k])
        assert 0 < int(run.steps[k]) < 60
        np.testing.assert_allclose(run.params[k], alone.params, rtol=1e-6)
        np.testing.assert_allclose(run.losses[k], alone.losses, rtol=1e-6)
    until = ensembles.train_until(
        quadratic, with_bad, rule, stop=training.loss_below(0.0), max_steps=60, check_every=7,
        tile=tile,
    )  # fmt: skip
    assert until.outcome.tolist() == run.outcome.tolist()
    chex.assert_trees_all_equal(
        (until.params, until.losses, until.steps), (run.params, run.losses, run.steps)
    )


def test_minibatch_members_follow_their_own_keys():
    starts, keys = draw(5), jax.random.split(jax.random.key(9), 5)
    run = ensembles.train_minibatch(
        LOSS, starts, jaxnn.sgd(), keys.copy(), epochs=10, batch_size=3, record_every=5
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


def test_init_refuses_no_members():
    with pytest.raises(ValueError, match="members is 0"):
        draw(0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"steps": 3, "record_every": 0}, "record_every is 0"),
        ({"steps": 3, "form": "unit"}, "did you mean 'units'"),
        ({"steps": 3, "rule_axes": 0}, r"own .*which has shape \(\): wanted 4 entries"),
        ({"steps": 3, "loss_axes": {"l3": 0}}, "loss_axes names l3"),
    ],
)
def test_a_wrong_call_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ensembles.train(LOSS, draw(4), SGD, **settings)


def test_starts_that_do_not_fit_the_cases_and_losses_that_are_no_number_are_refused():
    with pytest.raises(ValueError, match="the batch has 2 inputs"):
        ensembles.train(LOSS, ensembles.init(jax.random.key(0), (3, 1), members=2), SGD, steps=1)
    with pytest.raises(ValueError, match=r"the loss has shape \(2,\)"):
        ensembles.train(lambda p: p, jnp.ones((3, 2)), SGD, steps=1)


def test_members_that_are_not_as_many_everywhere_are_refused():
    starts = draw(4)
    ragged = (starts[0]._replace(biases=jnp.zeros((2, 3))), starts[1])
    with pytest.raises(ValueError, match=r"have \[2, 4\] entries along the first axis"):
        ensembles.train(LOSS, ragged, SGD, steps=1)
    with pytest.raises(ValueError, match=r"have \[0\] entries"):
        ensembles.train(LOSS, jax.tree.map(lambda leaf: leaf[:0], starts), SGD, steps=1)
    with pytest.raises(ValueError, match="tile is 0"):
        ensembles.train(LOSS, starts, SGD, steps=1, tile=0)
    for keys in (jax.random.split(jax.random.key(0), 3), jax.random.key(0)):
        with pytest.raises(ValueError, match="give one for each of 4 members"):
            ensembles.train_minibatch(LOSS, starts, SGD, keys, epochs=1, batch_size=2)


@pytest.mark.slow
def test_a_prefix_of_a_landscape_says_what_is_own_where_rows_fill_up_too():
    keys = jax.random.split(jax.random.key(0), 2)
    inputs = jax.random.normal(keys[0], (2, 601, 2))
    targets = jax.random.uniform(keys[1], (2, 601, 1))
    own = jaxnn.losses.LossOn(Batch(inputs, targets), jnp.array([0.0, 0.1]), "sigmoid")
    prefix: Any = jaxnn.losses.LossOn(0, 0, "sigmoid")  # pyright: ignore[reportArgumentType]
    settings: dict[str, Any] = {"steps": 5, "form": "matrices"}
    run = ensembles.train(own, draw(2), SGD, loss_axes=prefix, **settings)
    chex.assert_trees_all_equal(run, ensembles.train(own, draw(2), SGD, loss_axes=0, **settings))
    alone = jaxnn.train(
        jaxnn.loss_on(Batch(inputs[1], targets[1]), l2=0.1), member(draw(2), 1), SGD, steps=5
    )
    np.testing.assert_allclose(run.losses[1], alone.losses, rtol=1e-5)
    with pytest.raises(ValueError, match=r"gives each member its own l2, which has shape \(\)"):
        ensembles.train(LOSS, draw(2), SGD, steps=1, loss_axes={"l2": 0})


def test_an_end_at_infinity_is_replayed_and_a_zero_of_the_other_sign_is_not():
    start = jnp.array([[jnp.inf], [0.0]])
    run = ensembles.train(quadratic, start, SGD, steps=3)
    ensembles.replay(quadratic, start[0], SGD, steps=0, expected=run.params[0])
    with pytest.raises(ValueError, match="the replay ends up to 0 away"):
        ensembles.replay(quadratic, start[1], SGD, steps=0, expected=jnp.array([-0.0]))


def test_mini_batches_of_what_is_no_loss_on_are_refused_with_what_can_be_done():
    starts, keys = draw(3), jax.random.split(jax.random.key(0), 3)
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 2}

    def own(params, few):
        return jaxnn.loss(params, few)

    bare: Any = own
    with pytest.raises(ValueError, match=r"put jax\.vmap around training\.train_minib"):
        ensembles.train_minibatch(bare, starts, SGD, keys.copy(), **settings)
    each = jax.vmap(
        lambda p, key: training.train_minibatch(own, p, data.xor(), SGD, key, **settings)
    )
    with jax.debug_key_reuse(False):  # under vmap it takes the slices of a scan for uses
        advised = jax.jit(each)(starts, keys.copy())
    run = ensembles.train_minibatch(LOSS, starts, SGD, keys, **settings)
    np.testing.assert_allclose(advised.losses, run.losses, rtol=1e-5)
