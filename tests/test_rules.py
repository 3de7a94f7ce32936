"""A rule sees the user's own tree: every optax rule trains each member as the lone network, in
every form.

What optax decides by the tree (masks, labels), by the axes of a leaf or by a norm over one goes
wrong without a word where a rule is shown something else.
"""

import inspect
import warnings
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

import jaxnn
from jaxnn import descent, ensembles, training

pytestmark = pytest.mark.usefixtures("x64")

SIZES = (2, 2, 1)
STEPS = 6


def landscapes():
    """The exclusive or in float64, as each form takes it."""
    batch = jaxnn.Batch(*(part.astype(jnp.float64) for part in jaxnn.data.xor()))
    loss_fn = jaxnn.loss_on(batch, l2=0.01)
    return {"units": loss_fn, "matrices": loss_fn, "landscape": lambda p: loss_fn(p)}


FORMS = ("units", "matrices", "landscape")


def starts_of(members):
    return ensembles.init(jax.random.key(3), SIZES, members=members, dtype=jnp.float64)


def two_axes(params):
    """Weights have two axes, biases one."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def kinds(params):
    return jax.tree.map(lambda leaf: "weights" if leaf.ndim > 1 else "biases", params)


def as_tree(of_weights, of_biases) -> Any:
    """The same as a tree, which must have the structure of the user's."""
    return tuple(jaxnn.Layer(of_weights, of_biases) for _ in SIZES[1:])


def by_kind(weights, biases, labels):
    return optax.partition({"weights": weights, "biases": biases}, labels)


ALIASES = sorted(
    name
    for name, function in vars(optax).items()
    if inspect.isfunction(function) and function.__module__ == "optax._src.alias"
)
"""All of optax's own rules, also those of versions to come."""

BY_TREE = {
    "adamw, decay by a function": lambda: optax.adamw(0.1, weight_decay=0.5, mask=two_axes),
    "adamw, decay by a tree": lambda: optax.adamw(0.1, weight_decay=0.5, mask=as_tree(True, False)),
    "partition by a function": lambda: by_kind(optax.adam(0.1), optax.sgd(0.5), kinds),
    "partition by a tree": lambda: by_kind(
        optax.sgd(0.5), optax.set_to_zero(), as_tree("weights", "biases")
    ),
    "multi_transform": lambda: optax.multi_transform(
        {"weights": optax.lion(0.1), "biases": optax.set_to_zero()}, kinds
    ),
    "freeze": lambda: optax.chain(optax.sgd(0.5), optax.transforms.freeze(as_tree(False, True))),
    "masked": lambda: optax.chain(optax.masked(optax.normalize_by_update_norm(), two_axes),
                                  optax.sgd(0.1)),
    "clip by the global norm": lambda: optax.chain(optax.clip_by_global_norm(0.05), optax.sgd(1.0)),
    "clip by the norm of a leaf": lambda: optax.chain(optax.clip_by_block_rms(0.01),
                                                      optax.sgd(1.0)),
    "adaptive clipping": lambda: optax.chain(optax.adaptive_grad_clip(0.01), optax.sgd(1.0)),
    "trust ratio": lambda: optax.chain(optax.scale_by_trust_ratio(), optax.sgd(0.1)),
    "centralize": lambda: optax.chain(optax.centralize(), optax.sgd(1.0)),
    "lars, masked": lambda: optax.lars(0.5, 0.1, two_axes, trust_ratio_mask=two_axes),
    "lamb, masked": lambda: optax.lamb(0.1, weight_decay=0.1, mask=two_axes),
    "factored": lambda: optax.adafactor(0.1, min_dim_size_to_factor=1),
    "muon": lambda: optax.contrib.muon(0.1),
    "MultiSteps": lambda: optax.MultiSteps(optax.polyak_sgd(), every_k_schedule=2),
    "lookahead of a schedule": lambda: optax.sgd(optax.cosine_decay_schedule(1.0, 5)),
    "with the loss": lambda: optax.chain(
        optax.sgd(0.5), optax.contrib.reduce_on_plateau(patience=1, factor=0.5)
    ),
    "noise": lambda: optax.noisy_sgd(0.1, eta=0.1, key=jax.random.key(3, impl="rbg")),
    "numbers as leaves": lambda: descent.rule(optax.adamw, learning_rate=0.1, mask=two_axes),
}  # fmt: skip

OF_ALIASES: dict[str, Any] = {
    "lbfgs": {}, "polyak_sgd": {}, "noisy_sgd": {"learning_rate": 0.05, "key": jax.random.key(3)},
}  # fmt: skip
"""What an alias is called with; the others take a step size."""


def alias(name):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return getattr(optax, name)(**OF_ALIASES.get(name, {"learning_rate": 0.05}))


TABLE = {**BY_TREE, **{name: lambda name=name: alias(name) for name in ALIASES}}
QUICK = {
    ("adamw, decay by a function", "units"),
    ("adamw, decay by a function", "matrices"),
    ("adamw, decay by a tree", "units"),
    ("partition by a tree", "units"),
    ("muon", "units"),
    ("MultiSteps", "units"),
    ("lars", "units"),
    ("lbfgs", "units"),
}  # the others are `slow`

ALL = [
    pytest.param(name, form, marks=[] if (name, form) in QUICK else pytest.mark.slow)
    for name in TABLE
    for form in FORMS
]


def assert_is_the_lone_network(run, alone, member):
    """The member's numbers are the lone network's to 1e-12 of a unit."""
    mine = jax.tree.map(lambda leaf: leaf[member], run)
    chex.assert_trees_all_close(mine.params, alone.params, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(mine.losses, alone.losses, rtol=1e-12)
    np.testing.assert_allclose(mine.gradient_norm, alone.gradient_norm, rtol=1e-11)
    assert (int(mine.steps), int(mine.outcome)) == (int(alone.steps), int(alone.outcome))


@pytest.mark.parametrize(("name", "form"), ALL)
def test_every_rule_trains_a_member_as_the_lone_network(name, form):
    rule, starts, loss_fn = TABLE[name](), starts_of(3), landscapes()[form]
    run = ensembles.train(loss_fn, starts, rule, steps=STEPS, form=form, tile=2)
    start = jax.tree.map(lambda leaf: leaf[2], starts)
    alone = jax.jit(lambda p: training.train(loss_fn, p, rule, steps=STEPS))(start)
    assert not np.allclose(alone.losses[-1], alone.losses[0], rtol=1e-6)
    assert_is_the_lone_network(run, alone, 2)


@pytest.mark.parametrize(
    ("name", "form"),
    [p if p.values[0] == "partition by a function" and p.values[1] == "units"
     else pytest.param(*p.values, marks=pytest.mark.slow) for p in ALL],
)  # fmt: skip
def test_every_rule_trains_until_a_member_retires_as_the_lone_network(name, form):
    rule, starts, loss_fn = TABLE[name](), starts_of(9), landscapes()[form]
    middle = float(jnp.median(jax.vmap(loss_fn)(starts)))
    settings: dict[str, Any] = {
        "stop": training.loss_below(middle - 0.002), "max_steps": 12, "check_every": 2,
    }  # fmt: skip
    run = ensembles.train_until(loss_fn, starts, rule, form=form, tile=1, **settings)
    assert len(set(run.steps.tolist())) > 1  # some retired before others
    for member in (0, int(jnp.argmax(run.steps)), int(jnp.argmin(run.steps))):
        start = jax.tree.map(lambda leaf, k=member: leaf[k], starts)
        alone = jax.jit(lambda p: training.train_until(loss_fn, p, rule, **settings))(start)
        assert_is_the_lone_network(run, alone, member)


@pytest.mark.parametrize(
    "form",
    ["units", *(pytest.param(form, marks=pytest.mark.slow) for form in FORMS if form != "units")],
)
def test_rules_penalties_and_cases_of_a_members_own_are_those_of_the_lone_network(form):
    """Decay by a mask, at a step size, a penalty and targets that are each member's own."""
    xor, starts = landscapes()["units"].batch, starts_of(3)
    starts = (starts[0]._replace(biases=None), starts[1])
    rates, l2 = jnp.array([0.05, 0.1, 0.2]), jnp.array([0.0, 0.1, 0.2])
    targets = jnp.stack([0.1 * k + 0.5 * xor.targets for k in range(3)])
    loss_fn: Any = jaxnn.losses.LossOn(jaxnn.Batch(xor.inputs, targets), l2, "tanh")
    axes: Any = {"targets": 0, "l2": 0}
    rule = descent.rule(optax.adamw, learning_rate=rates, weight_decay=0.5, mask=two_axes)
    run = ensembles.train(
        loss_fn, starts, rule, steps=STEPS, form=form, tile=2,
        loss_axes=axes, rule_axes={"learning_rate": 0},
    )  # fmt: skip
    for k in range(3):
        own = jaxnn.loss_on((xor.inputs, targets[k]), activation="tanh", l2=l2[k])
        lone = optax.adamw(rates[k], weight_decay=0.5, mask=two_axes)
        start = jax.tree.map(lambda leaf, k=k: leaf[k], starts)
        alone = jax.jit(lambda p, f=own, r=lone: training.train(f, p, r, steps=STEPS))(start)
        assert_is_the_lone_network(run, alone, k)


def test_plain_lists_of_pairs_take_masks_in_their_own_structure():
    params = starts_of(2)
    starts: Any = [(layer.weights, layer.biases) for layer in params]
    mask: Any = [(True, False)] * 2
    loss_fn = landscapes()["units"]
    settings: dict[str, Any] = {"learning_rate": 0.1, "weight_decay": 0.5}
    alone = training.train(
        loss_fn,
        jax.tree.map(lambda leaf: leaf[1], params),
        optax.adamw(mask=as_tree(True, False), **settings),
        steps=STEPS,
    )
    for rule in (
        optax.adamw(mask=mask, **settings),
        descent.rule(optax.adamw, mask=mask, **settings),
    ):
        run = ensembles.train(loss_fn, starts, rule, steps=STEPS)
        assert isinstance(run.params, list)
        np.testing.assert_allclose(run.losses[1], alone.losses, rtol=1e-12)


def test_a_rule_without_a_protocol_is_refused_in_one_line():
    loss_fn, starts = landscapes()["units"], starts_of(2)
    start = jax.tree.map(lambda leaf: leaf[0], starts)
    trainers = [
        lambda rule: training.train(loss_fn, start, rule, steps=1),
        lambda rule: training.train_until(
            loss_fn, start, rule, stop=training.loss_below(0.1), max_steps=1
        ),
        lambda rule: training.train_minibatch(
            jaxnn.loss, start, loss_fn.batch, rule, jax.random.key(0), epochs=1, batch_size=2
        ),
        lambda rule: ensembles.train(loss_fn, starts, rule, steps=1),
        lambda rule: ensembles.train_until(
            loss_fn, starts, rule, stop=training.loss_below(0.1), max_steps=1
        ),
        lambda rule: ensembles.train_minibatch(
            loss_fn, starts, rule, jax.random.split(jax.random.key(0)), epochs=1, batch_size=2
        ),
    ]
    wrong = {
        optax.adam: "adam itself, which makes rules: call it",
        optax.MultiSteps: "MultiSteps itself, which makes rules: call it",
        0.1: "rule is 0.1, which is no update rule: give jaxnn.sgd",
        "adam": "rule is 'adam', which is no update rule: give jaxnn.sgd",
    }
    for train in trainers:
        for rule, message in wrong.items():
            with pytest.raises(ValueError, match=message) as raised:
                train(rule)
            assert "\n" not in str(raised.value)


def test_multi_steps_train_by_batches_as_their_own_transformation():
    loss_fn, starts, key = landscapes()["units"], starts_of(2), jax.random.key(1)
    each: Any = optax.MultiSteps(optax.adam(0.1), every_k_schedule=2)
    settings: dict[str, Any] = {"epochs": 4, "batch_size": 2}
    start = jax.tree.map(lambda leaf: leaf[1], starts)
    run, plain = (
        training.train_minibatch(jaxnn.loss, start, loss_fn.batch, rule, key.copy(), **settings)
        for rule in (each, each.gradient_transformation())
    )
    chex.assert_trees_all_equal(run, plain)
    keys = jnp.stack([jax.random.key(0), key])
    bare = jaxnn.loss_on(loss_fn.batch)
    many = ensembles.train_minibatch(bare, starts, each, keys, **settings)
    assert_is_the_lone_network(many, run, 1)
