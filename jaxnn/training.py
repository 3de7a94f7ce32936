"""Gradient descent from one initial point: a fixed number of steps, mini-batches, or until a rule
says stop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn.batches import as_batch, cases_of, chosen
from jaxnn.descent import ready
from jaxnn.runs import (
    Run,
    State,
    ValueAndGradient,
    advance,
    check_scalar,
    finish,
    recorded,
    start,
    widened,
)
from jaxnn.stopping import (
    GradientBelow,
    Outcome,
    Stop,
    all_correct,
    gradient_below,
    is_plateau,
    loss_below,
)
from jaxnn.vocabulary import Landscape, whole

__all__ = [
    "Outcome",
    "Run",
    "all_correct",
    "gradient_below",
    "loss_below",
    "train",
    "train_minibatch",
    "train_until",
]


def check_counts(**counts: int) -> None:
    """Refuse numbers of steps or epochs below 0, and of anything else below 1.

    Raises:
        ValueError: such a number, or one that is not whole.
    """
    may_be_0 = ("steps", "max_steps", "epochs")
    whole(**{name: (count, int(name not in may_be_0)) for name, count in counts.items()})


def train(
    loss_fn: Landscape,
    params: Any,
    rule: optax.GradientTransformation,
    *,
    steps: int,
    record_every: int = 1,
    value_and_gradient: ValueAndGradient | None = None,
) -> Run:
    """Gradient descent on the landscape for a fixed number of steps (essay, sections 4 and 6).

    One gradient a step. Run.losses is (steps // record_every + 1,); recording changes nothing else.
    The outcome is `unfinished`, or `diverged` where the loss stopped being finite: the run then
    stays at its last finite point.

    >>> import jaxnn
    >>> train(lambda p: (p - 3.0) ** 2, 0.0, jaxnn.sgd(0.25), steps=2).losses
    Array([9.    , 2.25  , 0.5625], dtype=float32)

    Args:
        loss_fn: a point -> a scalar.
        params: the initial point, any pytree of float arrays.
        rule: `sgd`, or any optax transformation.
        steps: how many updates, 0 or more.
        record_every: steps between records of the loss.
        value_and_gradient: a point -> (loss, gradient); default jax.value_and_grad(loss_fn).

    Raises:
        ValueError: negative steps, record_every below 1, a loss that is not a scalar.
    """
    check_counts(steps=steps, record_every=record_every)
    value_and_gradient, rule = (
        value_and_gradient or jax.value_and_grad(loss_fn),
        ready(rule),
    )
    state = start(value_and_gradient, params, rule)

    def record(state: State, _: None) -> tuple[State, Array]:
        state = advance(loss_fn, value_and_gradient, rule, state, record_every)
        return state, recorded(loss_fn, state).loss

    first = recorded(loss_fn, state).loss
    state, losses = jax.lax.scan(record, state, length=steps // record_every)
    state = advance(loss_fn, value_and_gradient, rule, state, steps % record_every)
    outcome = jnp.where(state.diverged, Outcome.diverged, Outcome.unfinished)
    return finish(recorded(loss_fn, state), jnp.concatenate([first[None], losses]), outcome)


def train_until(
    loss_fn: Landscape,
    params: Any,
    rule: optax.GradientTransformation,
    *,
    stop: Stop,
    max_steps: int,
    check_every: int = 1,
    value_and_gradient: ValueAndGradient | None = None,
) -> Run:
    """Gradient descent until `stop` holds, tested before the first step and then every
    `check_every` steps.

    Run.losses is (max_steps // check_every + 1,), one record after each whole `check_every`. The
    outcome is `converged` where the rule held, `diverged` where the loss stopped being finite,
    `unfinished` where the steps ran out. A small gradient is not yet a minimum: where the rule is
    `gradient_below`, the outcome is `plateau` instead of `converged` if `is_plateau` says so.

    >>> import jaxnn
    >>> rule, stop = jaxnn.sgd(0.25), gradient_below(0.1)
    >>> run = train_until(lambda p: p**2, jnp.float32(1), rule, stop=stop, max_steps=100)
    >>> int(run.steps), Outcome(int(run.outcome)).name, float(run.gradient_norm)
    (5, 'converged', 0.0625)

    Args:
        loss_fn: a point -> a scalar.
        params: the initial point, any pytree of float arrays.
        rule: `sgd`, or any optax transformation.
        stop: gradient_below(t), loss_below(t), all_correct(batch), or a function (point, loss,
            gradient) -> bool.
        max_steps: the most updates; the last test comes after them, however few since the one
            before.
        check_every: steps between tests; part of the result, since a run stops only where it is
            tested.
        value_and_gradient: a point -> (loss, gradient); default jax.value_and_grad(loss_fn).

    Raises:
        ValueError: negative max_steps, check_every below 1; a loss that is not a scalar.
    """
    check_counts(max_steps=max_steps, check_every=check_every)
    value_and_gradient, rule = (
        value_and_gradient or jax.value_and_grad(loss_fn),
        ready(rule),
    )
    state, blocks = start(value_and_gradient, params, rule), max_steps // check_every

    def seen(state: State) -> State:
        return recorded(loss_fn, state)

    def stopped(seen: State) -> Array:
        return jnp.asarray(stop(seen.point, seen.loss, seen.gradient))

    def going(carry: tuple) -> Array:
        state, _, block, done = carry
        return (block < blocks) & ~done & ~state.diverged

    def block_of_steps(carry: tuple) -> tuple:
        state, losses, block, _ = carry
        state = advance(loss_fn, value_and_gradient, rule, state, check_every)
        now = seen(state)
        return state, losses.at[block + 1].set(now.loss), block + 1, stopped(now)

    losses = jnp.full(blocks + 1, seen(state).loss)
    state, losses, block, done = jax.lax.while_loop(
        going, block_of_steps, (state, losses, jnp.int32(0), stopped(seen(state)))
    )
    losses = jnp.where(jnp.arange(blocks + 1) <= block, losses, seen(state).loss)
    if max_steps % check_every:
        further = advance(loss_fn, value_and_gradient, rule, state, max_steps % check_every)
        over = done | state.diverged
        state = jax.tree.map(lambda now, later: jnp.where(over, now, later), state, further)
        done = done | (stopped(seen(state)) & ~state.diverged)
    reached = jnp.where(done, Outcome.converged, Outcome.unfinished)
    if isinstance(stop, GradientBelow):
        reached = jnp.where(done & is_plateau(loss_fn, state.point), Outcome.plateau, reached)
    return finish(seen(state), losses, jnp.where(state.diverged, Outcome.diverged, reached))


def train_minibatch(
    loss: Callable[[Any, Any], Array],
    params: Any,
    batch: Any,
    rule: optax.GradientTransformation,
    key: Array,
    *,
    epochs: int,
    batch_size: int,
    record_every: int = 1,
    gradient: Callable[[Any, Any], Any] | None = None,
) -> Run:
    """Gradient descent on a subset of the cases a step (essay, section 4): shuffled, every case
    once an epoch.

    The last batch of an epoch is shorter where batch_size does not divide the cases. Run.losses is
    (epochs // record_every + 1,), the loss on all cases; Run.steps counts updates. A run whose loss
    after an epoch is not finite is `diverged` and stays where the epoch before left it.

    Args:
        loss: (params, batch) -> scalar, such as jaxnn.loss.
        params: the initial point.
        batch: all cases, any pytree of arrays with a leading cases axis, which are all cut alike;
            the loss is given the same, a plain pair (inputs, targets) as a `Batch`.
        rule: `sgd`, or any optax transformation.
        key: draws the order of the cases; used up.
        epochs: how many times through all cases.
        batch_size: cases a step, from 1 to all.
        record_every: epochs between records of the loss on all cases.
        gradient: (params, batch) -> gradient, such as jaxnn.backprop; default jax.grad(loss).

    Raises:
        ValueError: batch_size above the number of cases or below 1, negative epochs, record_every
            below 1; arrays of different numbers of cases; a loss that is not a scalar.
    """
    batch = as_batch(batch)
    cases = cases_of(batch)
    check_counts(epochs=epochs, batch_size=batch_size, record_every=record_every)
    if batch_size > cases:
        raise ValueError(
            f"batch_size is {batch_size} but there are {cases} cases: give at most that many"
        )
    gradient, rule = gradient or jax.grad(loss), ready(rule)
    params = jax.tree.map(jnp.asarray, params)

    def on_all(point: Any) -> Array:  # recorded as in `runs.recorded`
        return widened(loss(widened(point), batch))

    def step(carry: tuple, drawn: Array) -> tuple[tuple, None]:
        point, memory = carry
        few = chosen(batch, drawn)
        slope = gradient(point, few)
        updates, memory = rule.update(
            slope,
            memory,
            point,
            value=loss(point, few),
            grad=slope,
            value_fn=lambda p: loss(p, few),
        )
        return (optax.apply_updates(point, updates), memory), None

    def epoch(key: Array, carry: tuple) -> tuple:
        order = jax.random.permutation(key, cases)
        whole = cases - cases % batch_size
        carry, _ = jax.lax.scan(step, carry, order[:whole].reshape(-1, batch_size))
        return step(carry, order[whole:])[0] if whole < cases else carry

    def record(state: tuple, keys: Array) -> tuple[tuple, Array]:
        carry, value, steps, diverged = state
        new, _ = jax.lax.scan(lambda c, k: (epoch(k, c), None), carry, keys)
        new_value = on_all(new[0])
        finite = jnp.isfinite(new_value) & ~diverged
        made = len(keys) * -(-cases // batch_size)
        kept = jax.tree.map(
            lambda n, o: jnp.where(finite, n, o),
            (new, new_value, steps + made),
            (carry, value, steps),
        )
        return (*kept, ~finite), kept[1]

    keys, first = jax.random.split(key, epochs), on_all(params)
    check_scalar(first)
    state = ((params, rule.init(params)), first, jnp.int32(0), ~jnp.isfinite(first))
    whole = epochs - epochs % record_every
    state, losses = jax.lax.scan(record, state, keys[:whole].reshape(-1, record_every))
    if whole < epochs:
        state, _ = record(state, keys[whole:])
    (point, _), value, steps, diverged = state
    outcome = jnp.where(diverged, Outcome.diverged, Outcome.unfinished)
    end = State(point, value, widened(gradient(point, batch)), None, steps, diverged)
    return finish(end, jnp.concatenate([first[None], losses]), outcome)
