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
import optax
from jax import Array

from jaxnn import losses, network, training
from jaxnn.backpropagation import backprop, loss_and_backprop
from jaxnn.descent import as_pytree
from jaxnn.devices import collect, place, spread
from jaxnn.losses import LossOn
from jaxnn.runs import Run, ValueAndGradient
from jaxnn.stopping import Stop
from jaxnn.vocabulary import Batch, Landscape, Params

TILE = 50
"""Members side by side in full-batch training: 20 to 200 ran equally fast on 4-8-3 with 120
cases."""


def init(
    key: Array, sizes: Sequence[int], *, members: int, first: int = 0, **settings: Any
) -> Params:
    """Initial weights of an ensemble, members axis first; the settings are those of `network.init`.

    Member i is drawn from jax.random.fold_in(key, i) alone, for i from `first` on, so any part of
    an ensemble can be drawn apart.

    Raises:
        ValueError: members below 1, or as `network.init`.
    """
    if members < 1:
        raise ValueError(f"members is {members}: give at least 1")
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(first, first + members))
    return jax.vmap(lambda k: network.init(k, sizes, **settings))(keys)


def _count(members: Any) -> int:
    return len(jax.tree.leaves(members)[0])


def _value_and_gradient(loss_fn: Landscape) -> ValueAndGradient | None:
    """By hand where the landscape is a network's: three times as fast under vmap as jax.grad."""
    if not isinstance(loss_fn, LossOn):
        return None
    settings = {"activation": loss_fn.activation, "l2": loss_fn.l2}
    return lambda point: loss_and_backprop(point, loss_fn.batch, **settings)


def train(
    loss_fn: Landscape,
    starts: Any,
    rule: optax.GradientTransformation,
    *,
    steps: int,
    record_every: int = 1,
    tile: int = TILE,
) -> Run:
    """`training.train` for each member of starts (leading members axis); a Run with that axis
    everywhere.

    The gradient is taken by hand where loss_fn is a `loss_on`, else by jax.grad. Member i's numbers
    do not depend on the other members; `tile`, how many run side by side, is part of the result's
    last bits.

    Raises:
        ValueError: as `training.train`.
    """
    run = _train(
        as_pytree(loss_fn),
        place(starts, tile),
        as_pytree(rule),
        steps=steps,
        record_every=record_every,
        tile=tile,
    )
    return collect(run, _count(starts))


@partial(jax.jit, static_argnames=("steps", "record_every", "tile"))
def _train(
    loss_fn: Any, starts: Any, rule: Any, *, steps: int, record_every: int, tile: int
) -> Run:
    def one(start: Any) -> Run:
        return training.train(
            loss_fn,
            start,
            rule,
            steps=steps,
            record_every=record_every,
            value_and_gradient=_value_and_gradient(loss_fn),
        )

    return spread(one, starts, tile)


def train_until(
    loss_fn: Landscape,
    starts: Any,
    rule: optax.GradientTransformation,
    *,
    stop: Stop,
    max_steps: int,
    check_every: int = 1,
    tile: int = TILE,
) -> Run:
    """`training.train_until` for each member of starts (leading members axis).

    A tile ends with its slowest member. As `train` otherwise.

    Raises:
        ValueError: as `training.train_until`.
    """
    run = _train_until(
        as_pytree(loss_fn),
        place(starts, tile),
        as_pytree(rule),
        as_pytree(stop),
        max_steps=max_steps,
        check_every=check_every,
        tile=tile,
    )
    return collect(run, _count(starts))


@partial(jax.jit, static_argnames=("max_steps", "check_every", "tile"))
def _train_until(
    loss_fn: Any, starts: Any, rule: Any, stop: Any, *, max_steps: int, check_every: int, tile: int
) -> Run:
    def one(start: Any) -> Run:
        return training.train_until(
            loss_fn,
            start,
            rule,
            stop=stop,
            max_steps=max_steps,
            check_every=check_every,
            value_and_gradient=_value_and_gradient(loss_fn),
        )

    return spread(one, starts, tile)


def train_minibatch(
    starts: Any,
    batch: Batch,
    rule: optax.GradientTransformation,
    keys: Array,
    *,
    epochs: int,
    batch_size: int,
    record_every: int = 1,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array = 0.0,
    tile: int = 1,
) -> Run:
    """`training.train_minibatch` on jaxnn's loss for each member, in the order of its own key
    (members,).

    Gradients by hand. Members run one after another on each device: at batches of 10 that is as
    fast as side by side, and a member's steps stay in the cache.

    Raises:
        ValueError: as `training.train_minibatch`.
    """
    run = _train_minibatch(
        place((starts, keys), tile),
        batch,
        as_pytree(rule),
        l2,
        epochs=epochs,
        batch_size=batch_size,
        record_every=record_every,
        activation=activation,
        tile=tile,
    )
    return collect(run, _count(starts))


@partial(jax.jit, static_argnames=("epochs", "batch_size", "record_every", "activation", "tile"))
def _train_minibatch(
    members: Any,
    batch: Batch,
    rule: Any,
    l2: Any,
    *,
    epochs: int,
    batch_size: int,
    record_every: int,
    activation: Any,
    tile: int,
) -> Run:
    settings = {"activation": activation, "l2": l2}

    def one(member: tuple[Any, Array]) -> Run:
        start, key = member
        return training.train_minibatch(
            lambda params, few: losses.loss(params, few, **settings),
            start,
            batch,
            rule,
            key,
            epochs=epochs,
            batch_size=batch_size,
            record_every=record_every,
            gradient=lambda params, few: backprop(params, few, **settings),
        )

    return spread(one, members, tile)
