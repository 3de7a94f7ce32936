"""One member of an ensemble again: its whole way, to the same bits."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxnn import summaries
from jaxnn.devices import Placed, place, spread
from jaxnn.forms import members_axis
from jaxnn.runs import State
from jaxnn.tiles import Common, Own, begin, leap, prepare, seen, turned
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Replay:
    """One member's whole way.

    steps: (records,) how many updates had been made. points: the point then, records axis first.
    losses: (records,) the loss there.
    """

    steps: Array
    points: Any
    losses: Array

    _repr_html_ = summaries.html()


def replay(
    loss_fn: Landscape,
    start: Any,
    rule: optax.GradientTransformation,
    *,
    steps: int,
    every: int = 1,
    expected: Any = None,
    form: str | None = None,
    tile: int | None = None,
) -> Replay:
    """The way of one member of an ensemble again, from its start: alone, but in a full tile, so to
    the same bits.

    A member of `train`, or of `train_until`, that made so many steps in this form and tile went
    this way. Its start is `init(key, sizes, members=1, first=i, ...)` without the members axis. An
    own step size or l2 is given as a number.

    Args:
        loss_fn: the landscape as this member had it.
        start: its initial point.
        rule: the rule as this member had it.
        steps: the updates that it made: Run.steps.
        every: updates between two records; the last step is recorded too.
        expected: the point where it ended: Run.params; compared bit for bit.
        form: as in `train`.
        tile: as in `train`.

    Raises:
        ValueError: the way ends elsewhere than expected; as `train`.
    """
    check_counts(steps=steps, every=every)
    starts = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], start)
    members, common, form, tile = prepare(loss_fn, starts, rule, None, None, form, tile)
    at = np.append(np.arange(0, steps, every), steps)
    way = _replay(place(members, tile), common, jnp.diff(at), form=form)
    points, values = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[0]), way)
    if expected is not None:
        _check_end(jax.tree.map(lambda leaf: leaf[-1], points), expected)
    return Replay(jnp.asarray(at), points, values)


def _check_end(end: Any, expected: Any) -> None:
    pairs = [
        (np.asarray(a), np.asarray(b, np.asarray(a).dtype))
        for a, b in zip(jax.tree.leaves(end), jax.tree.leaves(expected), strict=True)
    ]
    if any(a.tobytes() != b.tobytes() for a, b in pairs):
        with np.errstate(invalid="ignore"):
            apart = [np.max(np.abs(a.astype(float) - b.astype(float))) for a, b in pairs]
        raise ValueError(
            f"the replay ends up to {max(apart):.3g} away from the point expected: wanted the same "
            "start, rule, steps, form and tile, on the same kind of device by the same versions"
        )


@partial(jax.jit, static_argnames="form")
def _replay(placed: Placed, common: Common, blocks: Array, *, form: str) -> Any:
    """(1, records, ...) of every tile: what its first member went through."""
    axis = members_axis(form)

    def one_tile(members: tuple[Any, Own]) -> Any:
        starts, own = members
        state = first = begin(starts, own, common, form)
        everyone = jnp.ones_like(state.diverged)

        def block(state: State, steps: Array) -> tuple[State, Any]:
            state = leap(state, everyone, steps, own, common, form)
            return state, (turned(state.point, axis, 0), seen(state, own, common, form).loss)

        def whole(first: Array, later: Array) -> Array:
            return jnp.concatenate([first[None], later])[None, :, 0]

        loss = seen(first, own, common, form).loss
        _, way = jax.lax.scan(block, state, blocks)
        return jax.tree.map(whole, (turned(first.point, axis, 0), loss), way)

    return spread(one_tile, placed)
