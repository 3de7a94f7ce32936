"""One guarded update, the state it carries, and what a run of many gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn import summaries
from jaxnn.stopping import Outcome
from jaxnn.vocabulary import Landscape


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Run:
    """What training gives. Under vmap or in an ensemble every field has a leading members axis.

    params: where training stopped; if it diverged, the last point with a finite loss.
    losses: (records,) the loss at the start and after every `record_every` or `check_every` steps
        or epochs; a run that ended earlier repeats its last loss.
    loss: the loss at params.
    steps: how many updates were made.
    outcome: a code of Outcome.
    gradient_norm: the Euclidean norm of dE/dp at params.

    Losses and norms are in float32 or wider: see `recorded`.
    """

    params: Any
    losses: Array
    loss: Array
    steps: Array
    outcome: Array
    gradient_norm: Array

    _repr_html_ = summaries.html(outcome=Outcome)


ValueAndGradient = Callable[[Any], tuple[Array, Any]]


class State(NamedTuple):
    """A point with all that is known there, so that no step computes a gradient twice."""

    point: Any
    loss: Array
    gradient: Any
    memory: Any  # the update rule's own state
    steps: Array
    diverged: Array


def start(value_and_gradient: ValueAndGradient, params: Any, rule: Any) -> State:
    """The state at the initial point.

    Raises:
        ValueError: a loss that is not a scalar.
    """
    params = jax.tree.map(jnp.asarray, params)
    loss, gradient = value_and_gradient(params)
    check_scalar(loss)
    return State(params, loss, gradient, rule.init(params), jnp.int32(0), ~jnp.isfinite(loss))


def check_scalar(loss: Any) -> None:
    """Refuse a loss that is not one number.

    Raises:
        ValueError: another shape.
    """
    if jnp.shape(loss) != ():
        raise ValueError(
            f"the loss has shape {jnp.shape(loss)}: a landscape gives one number, of shape ()"
        )


def updated(loss_fn: Landscape, rule: Any, state: State) -> tuple[Any, Any]:
    """The point and the rule's memory after one update, whatever it leads to."""
    updates, memory = rule.update(
        state.gradient,
        state.memory,
        state.point,
        value=state.loss,
        grad=state.gradient,
        value_fn=loss_fn,
    )
    return optax.apply_updates(state.point, updates), memory


def step(
    loss_fn: Landscape, value_and_gradient: ValueAndGradient, rule: Any, state: State
) -> State:
    """One update of the point by the rule.

    If the loss there is not finite, the state stays as it was, marked diverged.
    """
    point, memory = updated(loss_fn, rule, state)
    loss, gradient = value_and_gradient(point)
    moved = State(point, loss, gradient, memory, state.steps + 1, state.diverged)
    finite = jnp.isfinite(loss) & ~state.diverged
    return keep(finite, moved, state)._replace(diverged=~finite)


def keep(which: Array, new: Any, old: Any) -> Any:
    """The new tree where the bool holds, else the old one."""
    return jax.tree.map(lambda n, o: jnp.where(which, n, o), new, old)


def advance(
    loss_fn: Landscape, value_and_gradient: ValueAndGradient, rule: Any, state: State, steps: Any
) -> State:
    """The state after this many steps."""
    return jax.lax.fori_loop(
        0, steps, lambda _, s: step(loss_fn, value_and_gradient, rule, s), state
    )


def widened(tree: Any) -> Any:
    """The tree with numbers narrower than float32, as bfloat16 and float16, in float32."""

    def wide(leaf: Any) -> Any:
        leaf = jnp.asarray(leaf)
        if not jnp.issubdtype(leaf.dtype, jnp.inexact):
            return leaf
        return leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))

    return jax.tree.map(wide, tree)


def recorded(loss_fn: Landscape, state: State) -> State:
    """The state as it is recorded and tested, with loss and gradient in float32 or wider.

    A loss in bfloat16 has three digits. Where a leaf of the point is narrower than float32, the
    loss is computed anew at the point in float32, a forward pass a record; its digits are as many
    as the landscape keeps. The descent itself stays in the point's own precision.
    """
    point = widened(state.point)
    if _dtypes(point) == _dtypes(state.point):
        return state._replace(loss=widened(state.loss))
    return state._replace(loss=widened(loss_fn(point)), gradient=widened(state.gradient))


def _dtypes(tree: Any) -> list[Any]:
    return [leaf.dtype for leaf in jax.tree.leaves(tree)]


def finish(state: State, losses: Array, outcome: Array) -> Run:
    """What is known at the end."""
    return Run(
        params=state.point,
        losses=losses,
        loss=state.loss,
        steps=state.steps,
        outcome=outcome.astype(jnp.int32),
        gradient_norm=optax.tree.norm(state.gradient),
    )
