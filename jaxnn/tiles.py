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
from jaxnn.forms import FORMS, checked_form, filled_up, floats_of
from jaxnn.losses import LossOn, penalised
from jaxnn.runs import State, check_scalar, keep, move, recorded, start
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


def parts(own: Own, common: Common, form: str, structure: Any) -> tuple[Landscape, Any, Any]:
    """One member's landscape, its value and gradient, and its rule, over points held in this
    form.

    The rule itself always sees the point as the user gave it: what optax decides by the tree, the
    axes of a leaf or a norm over one would be something else over what is held.
    """
    landscape = join(own.landscape, common.landscape)
    rule = ready(join(own.rule, common.rule))
    loss_fn, value_and_gradient = FORMS[form].on(landscape, structure)
    hold = FORMS[form].hold

    def give(held: Any) -> Any:
        return FORMS[form].give(held, structure)

    def init(params: Any) -> Any:
        return rule.init(give(params))

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
        extra |= {"grad": give(extra["grad"]), "value_fn": landscape}
        updates, state = rule.update(give(updates), state, give(params), **extra)
        return hold(updates), state

    return loss_fn, value_and_gradient, optax.GradientTransformationExtraArgs(init, update)


def begin(starts: Any, own: Own, common: Common, form: str) -> State:
    """The state at the initial points, members axis first."""
    structure = jax.tree.structure(starts)

    def one(point: Any, own: Own) -> State:
        _, value_and_gradient, rule = parts(own, common, form, structure)
        return start(value_and_gradient, FORMS[form].hold(point), rule)

    return jax.vmap(one)(starts, own)


def seen(state: State, own: Own, common: Common, form: str, structure: Any) -> State:
    """Each member's state as it is recorded and tested: `runs.recorded`."""

    def one(own: Own, state: State) -> State:
        return recorded(parts(own, common, form, structure)[0], state)

    return jax.vmap(one)(own, state)


def leap(
    state: State,
    active: Array,
    steps: Array,
    own: Own,
    common: Common,
    form: str,
    structure: Any,
) -> State:
    """The state after this many more steps of the active members; the others stay as they are.

    The steps are made unguarded, in one stretch if all goes well. Where a loss came out not finite
    on the way, the stretch is taken back and half of it tried, down to the one step that a member
    does not survive: there it is frozen, and the others go on with longer stretches again. However
    long the stretches, the arithmetic is that of one loop, so they change no bits.
    """

    def one(own: Own, state: State) -> State:
        return move(*parts(own, common, form, structure), state)

    def unguarded(_: Any, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, trouble = carry
        state = jax.vmap(one)(own, state)
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
        kept = jax.vmap(keep)(going & ~trouble & ~back, after, state)
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
    if isinstance(loss_fn, LossOn):
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
