"""A tile: members that train side by side, block of steps after block of steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn.forms import FORMS
from jaxnn.runs import State, advance, keep, move, start
from jaxnn.shared import Shared, join
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
    """
    loss_fn, value_and_gradient = FORMS[form].on(join(own.landscape, common.landscape), structure)
    return loss_fn, value_and_gradient, optax.with_extra_args_support(join(own.rule, common.rule))


def begin(starts: Any, own: Own, common: Common, form: str) -> State:
    """The state at the initial points, members axis first."""
    structure = jax.tree.structure(starts)

    def one(point: Any, own: Own) -> State:
        _, value_and_gradient, rule = parts(own, common, form, structure)
        return start(value_and_gradient, FORMS[form].hold(point), rule)

    return jax.vmap(one)(starts, own)


def move_all(state: State, own: Own, common: Common, form: str, structure: Any) -> State:
    """One unguarded update of every member."""
    return jax.vmap(lambda own, state: move(*parts(own, common, form, structure), state))(
        own, state
    )


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

    The steps are made unguarded. Only where a loss came out not finite on the way are they made
    again, guarded, and only the members in question take what that gives.
    """

    def unguarded(_: Any, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, trouble = carry
        state = move_all(state, own, common, form, structure)
        return state, trouble | ~jnp.isfinite(state.loss)

    going = active & ~state.diverged
    after, trouble = jax.lax.fori_loop(0, steps, unguarded, (state, jnp.zeros_like(going)))
    after = _choose(going, after._replace(steps=state.steps + steps), state)
    trouble = trouble & going

    def again() -> State:
        def one(own: Own, state: State) -> State:
            return advance(*parts(own, common, form, structure), state, steps)

        return _choose(trouble, jax.vmap(one)(own, state), after)

    return jax.lax.cond(jnp.any(trouble), again, lambda: after)


def _choose(which: Array, new: State, old: State) -> State:
    """Member by member, the new state or the old one."""
    return jax.vmap(keep)(which, new, old)
