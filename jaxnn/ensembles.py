"""Many networks at once: init and training with a leading members axis, tile by tile over all
devices.

These are host-level functions: each compiles once per shapes and settings, and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxnn import losses, network, rounds, training
from jaxnn.backpropagation import backprop
from jaxnn.descent import as_pytree
from jaxnn.devices import Placed, collect, count_of, one_by_one, place, spread
from jaxnn.forms import form_of, members_axis
from jaxnn.losses import LossOn
from jaxnn.replays import Replay, replay
from jaxnn.runs import Run, finish
from jaxnn.shared import Axes, join
from jaxnn.stopping import Outcome, Stop
from jaxnn.tiles import Common, Own, begin, leap, prepare, seen, tile_of, turned
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape, Params

__all__ = [
    "Replay",
    "form_of",
    "init",
    "replay",
    "tile_of",
    "train",
    "train_minibatch",
    "train_until",
]


def init(
    key: Array, sizes: Sequence[int], *, members: int, first: int = 0, **settings: Any
) -> Params:
    """Initial weights of an ensemble, members axis first; the settings are those of `network.init`.

    Member i is drawn from jax.random.fold_in(key, i) alone, for i from `first` on, so any part of
    an ensemble can be drawn apart.

    >>> first = init(jax.random.key(0), (2, 3, 1), members=5)[0]
    >>> first.weights.shape, first.biases.shape
    ((5, 3, 2), (5, 3))

    Raises:
        ValueError: members below 1, or as `network.init`.
    """
    if members < 1:
        raise ValueError(f"members is {members}: give at least 1")
    numbers = jnp.arange(first, first + members)
    keys = jax.vmap(partial(jax.random.fold_in, key))(numbers)
    return jax.vmap(lambda k: network.init(k, sizes, **settings))(keys)


def train(
    loss_fn: Landscape,
    starts: Any,
    rule: optax.GradientTransformation,
    *,
    steps: int,
    record_every: int = 1,
    loss_axes: Axes = None,
    rule_axes: Axes = None,
    form: str | None = None,
    tile: int | None = None,
) -> Run:
    """`training.train` for each member of starts (leading members axis); a Run with that axis
    everywhere.

    Member i's bits do not depend on the other members, their number, or the devices; they do
    depend on the form and on the tile. A member that diverges is frozen and costs the others of
    its tile one more pass through that record's steps.

    >>> import jaxnn
    >>> starts = init(jax.random.key(0), (2, 1), members=5)
    >>> run = train(jaxnn.loss_on(jaxnn.data.xor()), starts, jaxnn.sgd(4.0), steps=10)
    >>> run.losses.shape, run.outcome.shape
    ((5, 11), (5,))

    Args:
        loss_fn: a point -> a scalar; made by `loss_on`, its gradient is taken by hand.
        starts: the initial points, members axis first.
        rule: `sgd`, or any optax transformation.
        steps: how many updates, 0 or more.
        record_every: steps between records of the loss.
        loss_axes: which leaves of loss_fn have a members axis of their own, in front: None, none;
            0, all; {"l2": 0}, these fields; or a prefix, as in jax.vmap's in_axes.
        rule_axes: the same for the rule: rule_axes=0 for `sgd(step_sizes)`.
        form: "units", "matrices" or "landscape"; default `form_of`'s.
        tile: how many members train side by side; default `tile_of`'s.

    Raises:
        ValueError: as `training.train`; axes that do not fit; an unknown form.
    """
    check_counts(steps=steps, record_every=record_every)
    members, common, form, tile = prepare(loss_fn, starts, rule, loss_axes, rule_axes, form, tile)
    blocks = np.append(np.full(steps // record_every, record_every), steps % record_every)
    run = _train(place(members, tile), common, jnp.asarray(blocks, jnp.int32), form=form)
    return collect(run, count_of(starts), tile)


@partial(jax.jit, static_argnames="form")
def _train(placed: Placed, common: Common, blocks: Array, *, form: str) -> Run:
    def one_tile(members: tuple[Any, Own]) -> Run:
        starts, own = members
        state = first = begin(starts, own, common, form)
        everyone = jnp.ones_like(state.diverged)

        def block(state: Any, steps: Array) -> tuple[Any, Array]:
            state = leap(state, everyone, steps, own, common, form)
            return state, seen(state, own, common, form).loss

        state, losses = jax.lax.scan(block, state, blocks)
        outcome = jnp.where(state.diverged, Outcome.diverged, Outcome.unfinished)
        first, state = (seen(s, own, common, form) for s in (first, state))
        losses = jnp.concatenate([first.loss[None], losses[:-1]]).T  # the rest is no record
        return jax.vmap(finish)(turned(state, members_axis(form), 0), losses, outcome)

    return spread(one_tile, placed)


def train_until(
    loss_fn: Landscape,
    starts: Any,
    rule: optax.GradientTransformation,
    *,
    stop: Stop,
    max_steps: int,
    check_every: int = 1,
    record_every: int | None = None,
    loss_axes: Axes = None,
    rule_axes: Axes = None,
    form: str | None = None,
    tile: int | None = None,
) -> Run:
    """`training.train_until` for each member of starts (leading members axis).

    Members that converged or diverged are retired, and those that go on are moved together, so
    that a slow member does not hold up the others; this changes no bits. Losses are
    (members, max_steps // record_every + 1). As `train` otherwise.

    Args:
        loss_fn: as in `train`.
        starts: as in `train`.
        rule: as in `train`.
        stop: as in `training.train_until`.
        max_steps: the most updates of a member.
        check_every: steps between tests.
        record_every: steps between records of the loss, a multiple of check_every; default that.
        loss_axes: as in `train`.
        rule_axes: as in `train`.
        form: as in `train`.
        tile: as in `train`.

    Raises:
        ValueError: as `training.train_until` and `train`; a record_every that is no multiple of
            check_every.
    """
    record_every = check_every if record_every is None else record_every
    check_counts(max_steps=max_steps, check_every=check_every, record_every=record_every)
    if record_every % check_every:
        raise ValueError(
            f"record_every is {record_every}: give a multiple of check_every, {check_every}"
        )
    members, common, form, tile = prepare(loss_fn, starts, rule, loss_axes, rule_axes, form, tile)
    return rounds.until(
        members,
        common,
        as_pytree(stop),
        max_steps=max_steps,
        check_every=check_every,
        record_every=record_every,
        plateau_tile=tile_of(
            loss_fn, starts, form="matrices" if isinstance(loss_fn, LossOn) else "landscape"
        ),
        form=form,
        tile=tile,
    )


def train_minibatch(
    loss_fn: LossOn,
    starts: Any,
    rule: optax.GradientTransformation,
    keys: Array,
    *,
    epochs: int,
    batch_size: int,
    record_every: int = 1,
    loss_axes: Axes = None,
    rule_axes: Axes = None,
) -> Run:
    """`training.train_minibatch` on the cases of a `loss_on` for each member, in the order of its
    own key (members,).

    A member whose loss after an epoch is not finite stays where the epoch before left it. Gradients
    by hand. Members run one after another on each device: at batches of 10 that is as
    fast as side by side, and a member's steps stay in the cache. Axes as in `train`.

    Raises:
        ValueError: as `training.train_minibatch`; what is no `loss_on`; another number of keys than
            members; axes that do not fit.
    """
    if not isinstance(loss_fn, LossOn):
        raise ValueError(
            f"loss_fn is {loss_fn!r}: give a landscape made by loss_on; for a loss of your own put "
            "jax.vmap around training.train_minibatch"
        )
    if jnp.shape(keys) != (count_of(starts),):
        raise ValueError(
            f"keys have shape {jnp.shape(keys)}: give one for each of {count_of(starts)} members"
        )
    members, common, _, _ = prepare(
        loss_fn, starts, rule, loss_axes, rule_axes, "matrices", 1, fill=False
    )
    run = _train_minibatch(
        place((*members, jax.random.key_data(keys)), 1),
        common,
        impl=str(jax.random.key_impl(keys)),
        epochs=epochs,
        batch_size=batch_size,
        record_every=record_every,
    )
    return collect(run, count_of(starts), 1)


@partial(jax.jit, static_argnames=("impl", "epochs", "batch_size", "record_every"))
def _train_minibatch(
    placed: Placed, common: Common, *, impl: str, epochs: int, batch_size: int, record_every: int
) -> Run:
    def one(member: tuple[Any, Own, Array]) -> Run:
        start, own, key_data = member  # bare numbers: to slice a key is to use it
        loss_fn: LossOn = join(own.landscape, common.landscape)
        settings: dict[str, Any] = {"activation": loss_fn.activation, "l2": loss_fn.l2}
        return training.train_minibatch(
            lambda params, few: losses.loss(params, few, **settings),
            start,
            loss_fn.batch,
            join(own.rule, common.rule),
            jax.random.wrap_key_data(key_data, impl=impl),
            epochs=epochs,
            batch_size=batch_size,
            record_every=record_every,
            gradient=lambda params, few: backprop(params, few, **settings),
        )

    return spread(one_by_one(one), placed)
