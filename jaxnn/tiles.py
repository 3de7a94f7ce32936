"""A tile: members that train side by side, block of steps after block of steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn.descent import as_pytree, as_rule, ready
from jaxnn.devices import side_by_side
from jaxnn.forms import (
    checked_form,
    filled_up,
    floats_of,
    loss_and_gradient_by_units,
    members_axis,
    value_and_gradient,
)
from jaxnn.losses import LossOn, penalised
from jaxnn.runs import State, check_scalar, keep, recorded, updated
from jaxnn.shared import Axes, Shared, join, split
from jaxnn.vocabulary import Landscape


class Own(NamedTuple):
    """What each member has for itself: leaves of the landscape and of the rule, members axis
    first.
    """

    landscape: tuple[Any, ...]
    rule: tuple[Any, ...]


class Common(NamedTuple):
    """What all members share."""

    landscape: Shared
    rule: Shared


def _landscape_and_rule(own: Own, common: Common) -> tuple[Landscape, Any]:
    return join(own.landscape, common.landscape), ready(join(own.rule, common.rule))


def turned(tree: Any, source: int, destination: int) -> Any:
    """The tree with the members' axis moved, in every leaf."""
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, source, destination), tree)


def _evaluated(points: Any, own: Own, common: Common, form: str) -> tuple[Array, Any]:
    """The losses and gradients of a tile's members, held as this form has them."""
    if form == "units":
        shared = jax.tree.map(lambda leaf: jnp.asarray(leaf)[..., None], common.landscape)
        loss_fn: LossOn = join(turned(own.landscape, 0, -1), shared)
        settings = {"activation": loss_fn.activation, "l2": loss_fn.l2}
        return loss_and_gradient_by_units(points, loss_fn.batch, **settings)

    def one(point: Any, own: Own) -> tuple[Array, Any]:
        return value_and_gradient(form, join(own.landscape, common.landscape))(point)

    return jax.vmap(one)(points, own)


def begin(starts: Any, own: Own, common: Common, form: str) -> State:
    """The state at the initial points (members axis first), held as this form has them."""
    axis = members_axis(form)
    points = turned(starts, 0, axis)
    loss, gradient = _evaluated(points, own, common, form)

    def memory(own: Own, point: Any) -> Any:
        return _landscape_and_rule(own, common)[1].init(point)

    memories = jax.vmap(memory, in_axes=(0, axis), out_axes=axis)(own, points)
    return State(
        points, loss, gradient, memories, jnp.zeros(loss.shape, jnp.int32), ~jnp.isfinite(loss)
    )


def move(state: State, own: Own, common: Common, form: str) -> State:
    """One update of every member, whatever it leads to; the steps are not counted.

    The rule is one member's, under vmap, so it sees the point as the user gave it.
    """
    axis = members_axis(form)

    def one(own: Own, state: State) -> tuple[Any, Any]:
        return updated(*_landscape_and_rule(own, common), state)

    points, memories = jax.vmap(one, in_axes=(0, axis), out_axes=axis)(own, state)
    loss, gradient = _evaluated(points, own, common, form)
    return state._replace(point=points, loss=loss, gradient=gradient, memory=memories)


def seen(state: State, own: Own, common: Common, form: str) -> State:
    """Each member's state as it is recorded and tested: `runs.recorded`."""
    axis = members_axis(form)

    def one(own: Own, state: State) -> State:
        return recorded(join(own.landscape, common.landscape), state)

    return jax.vmap(one, in_axes=(0, axis), out_axes=axis)(own, state)


def leap(
    state: State,
    active: Array,
    steps: Array,
    own: Own,
    common: Common,
    form: str,
) -> State:
    """The state after this many more steps of the active members; the others stay as they are.

    The steps are made unguarded, in one stretch if all goes well. Where a loss came out not finite
    on the way, the stretch is taken back and half of it tried, down to the one step that a member
    does not survive: there it is frozen, and the others go on with longer stretches again. However
    long the stretches, the arithmetic is that of one loop, so they change no bits.
    """
    axis = members_axis(form)
    keep_each = jax.vmap(keep, in_axes=(0, axis, axis), out_axes=axis)

    def unguarded(_: Any, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, trouble = carry
        state = move(state, own, common, form)
        return state, trouble | ~jnp.isfinite(state.loss)

    def stretch(carry: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
        state, made, length = carry
        length = jnp.minimum(length, steps - made)
        going = active & ~state.diverged
        after, trouble = jax.lax.fori_loop(
            0, length, unguarded, (state, jnp.zeros_like(state.diverged))
        )
        trouble = trouble & going
        back = jnp.any(trouble) & (length > 1)
        after = after._replace(steps=state.steps + length)
        kept = keep_each(going & ~trouble & ~back, after, state)
        kept = kept._replace(diverged=state.diverged | (trouble & ~back))
        made = jnp.where(back, made, made + length)
        return kept, made, jnp.where(back, length // 2, 2 * length)

    steps = jnp.asarray(steps, jnp.int32)
    state, _, _ = jax.lax.while_loop(
        lambda carry: carry[1] < steps, stretch, (state, jnp.int32(0), steps)
    )
    return state


def tile_of(loss_fn: Landscape, starts: Any, *, form: str | None = None) -> int:
    """How many members train side by side: `devices.side_by_side` for this form and size."""
    form = checked_form(form, loss_fn, starts)
    floats = floats_of(starts)
    if isinstance(loss_fn, LossOn) and form != "units":
        units = sum(layer[0].shape[-2] for layer in starts)
        floats = max(floats, units * loss_fn.batch.inputs.shape[-2])
    return side_by_side(form, floats)


def prepare(
    loss_fn: Landscape,
    starts: Any,
    rule: optax.GradientTransformation,
    loss_axes: Axes,
    rule_axes: Axes,
    form: str | None,
    tile: int | None,
    *,
    fill: bool = True,
) -> tuple[tuple[Any, Own], Common, str, int]:
    """The members with what is their own, what they share, and the form and tile they train in.

    fill: whether the matrix form may have `forms.filled_up` cases.

    Raises:
        ValueError: as `shared.split` and `forms.checked_form`; starts that do not fit the
            landscape; a loss that is not a scalar.
    """
    starts = jax.tree.map(jnp.asarray, starts)
    members = _members_of(starts)
    named = loss_axes if isinstance(loss_axes, Mapping) else {}
    if isinstance(loss_fn, LossOn) and not penalised(loss_fn.l2) and "l2" not in named:
        loss_fn = dataclasses.replace(loss_fn, l2=None)
    form = checked_form(form, loss_fn, starts)
    tile = tile_of(loss_fn, starts, form=form) if tile is None else tile
    if tile < 1:
        raise ValueError(f"tile is {tile}: give a whole number, at least 1")
    if fill and form == "matrices" and isinstance(loss_fn, LossOn):
        loss_fn = filled_up(loss_fn)
    if isinstance(loss_axes, LossOn) and isinstance(loss_fn, LossOn):  # a prefix of it
        l2 = None if loss_fn.l2 is None else loss_axes.l2
        loss_axes = dataclasses.replace(loss_axes, cases=loss_fn.cases, l2=l2)
    own_loss, loss_rest = split(as_pytree(loss_fn), loss_axes, members, what="loss_axes")
    own_rule, rule_rest = split(as_pytree(as_rule(rule)), rule_axes, members, what="rule_axes")
    own, common = Own(own_loss, own_rule), Common(loss_rest, rule_rest)
    _try_one(starts, own, common)
    return (starts, own), common, form, tile


def _members_of(starts: Any) -> int:
    """How many members the starts have.

    Raises:
        ValueError: none, or different numbers of them in different leaves.
    """
    counts = {leaf.shape[0] if leaf.ndim else 0 for leaf in jax.tree.leaves(starts)}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(
            f"the starts' leaves have {sorted(counts)} entries along the first axis: wanted one "
            "number everywhere, that of members, at least 1"
        )
    return counts.pop()


def _try_one(starts: Any, own: Own, common: Common) -> None:
    """Raise what the landscape itself raises for a member of these shapes, before anything is
    computed.
    """

    def value(start: Any, own: Own) -> Array:
        return join(own.landscape, common.landscape)(start)

    alone = jax.tree.map(lambda leaf: leaf[0], (starts, own))
    check_scalar(jax.eval_shape(value, *alone))
