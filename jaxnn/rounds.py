"""Training until a rule says stop, in rounds: members that are done are retired, and those that go
on are moved together, so that nobody waits for the slowest at full cost.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxnn.devices import collect, count_of, place, seats, spread
from jaxnn.forms import FORMS
from jaxnn.runs import Run, State
from jaxnn.shared import Shared, join
from jaxnn.stopping import GradientBelow, Outcome, Stop, is_plateau
from jaxnn.tiles import Common, Own, begin, leap

CHECKS = 32
"""At most so many tests between two looks from the host."""

MOVE_AT = 0.9
"""Members are moved together once they would fit into this share of the tiles in use."""


class Lanes(NamedTuple):
    """Members on their way, members axis first."""

    member: Array  # its number; -1 in an empty seat
    state: State
    own: Own
    going: Array  # neither stopped nor diverged
    stopped: Array  # the rule held


def until(
    members: tuple[Any, Own],
    common: Common,
    stop: Stop,
    *,
    max_steps: int,
    check_every: int,
    form: str,
    tile: int,
    plateau_tile: int,
) -> Run:
    """Descent of all members until each has stopped, diverged, or made max_steps.

    members: the initial points and what is each member's own, members axis first. As
    `ensembles.train_until`, which checks what is given here.
    """
    count, blocks = count_of(members), max_steps // check_every
    fixed = {"form": form, "tile": tile, "structure": jax.tree.structure(members[0])}
    places, total, tiles = seats(count, tile)
    numbers = np.full(total, -1, np.int32)
    numbers[places] = np.arange(count)
    lanes = _begin(place(numbers, tile), place(members, tile), common, stop, **fixed)
    ended = _Ended(lanes, count, blocks)
    block, checks = 0, 1
    going = np.flatnonzero(lanes.going)
    while block < blocks and going.size:
        needed = seats(len(going), tile, count)[2]
        if needed <= MOVE_AT * tiles:
            lanes, tiles = _moved_together(lanes, going, tile, ended), needed
            checks = max(checks // 2, 1)
        else:  # nobody to move: look less often
            checks = min(2 * checks, CHECKS)
        made = min(checks, blocks - block)
        lanes, losses = _round(lanes, common, stop, tiles, made, check_every, **fixed)
        ended.record(lanes, losses, block, made)
        block, going = block + made, np.flatnonzero(lanes.going)
    if max_steps % check_every and going.size:
        lanes, _ = _round(lanes, common, stop, tiles, 1, max_steps % check_every, **fixed)
    ended.take(lanes)
    points, norms = collect(_finished(place(ended.state, tile), **fixed), count)
    outcomes = ended.outcomes()
    if isinstance(stop, GradientBelow):
        own, rest = members[1].landscape, common.landscape
        outcomes = _with_plateaus(outcomes, points, own, rest, plateau_tile)
    state, losses = ended.state, ended.all_losses()
    return Run(
        params=points,
        losses=jnp.asarray(losses),
        loss=jnp.asarray(state.loss),
        steps=jnp.asarray(state.steps),
        outcome=jnp.asarray(outcomes),
        gradient_norm=norms,
    )


@partial(jax.jit, static_argnames=("form", "tile", "structure"))
def _begin(
    numbers: Array,
    members: tuple[Any, Own],
    common: Common,
    stop: Stop,
    *,
    form: str,
    tile: int,
    structure: Any,
) -> Lanes:
    def one_tile(part: Any) -> Lanes:
        number, (starts, own) = part
        state = begin(starts, own, common, form)
        there = number >= 0
        return _tested(Lanes(number, state, own, there, ~there), stop, form, structure)

    return spread(one_tile, (numbers, members), tile)


@partial(jax.jit, static_argnames=("form", "tile", "structure"), donate_argnums=0)
def _round(
    lanes: Lanes,
    common: Common,
    stop: Stop,
    tiles: Array,
    checks: Array,
    steps: Array,
    *,
    form: str,
    tile: int,
    structure: Any,
) -> tuple[Lanes, Array]:
    """The first tiles of each device after so many tests, each after so many steps, and the losses
    there (members, CHECKS).
    """

    def one_tile(lanes: Lanes) -> tuple[Lanes, Array]:
        def unfinished(carry: tuple[Lanes, Array, Array]) -> Array:
            lanes, _, check = carry
            return (check < checks) & jnp.any(lanes.going)

        def block(carry: tuple[Lanes, Array, Array]) -> tuple[Lanes, Array, Array]:
            lanes, losses, check = carry
            state = leap(lanes.state, lanes.going, steps, lanes.own, common, form, structure)
            lanes = _tested(lanes._replace(state=state), stop, form, structure)
            return lanes, losses.at[check].set(state.loss), check + 1

        losses = jnp.zeros((CHECKS, *lanes.state.loss.shape), lanes.state.loss.dtype)
        lanes, losses, made = jax.lax.while_loop(unfinished, block, (lanes, losses, jnp.int32(0)))
        known = jnp.arange(CHECKS)[:, None] < made
        return lanes, jnp.where(known, losses, lanes.state.loss[None]).T

    after, losses = spread(one_tile, lanes, tile, tiles)
    return after._replace(member=lanes.member, own=lanes.own), losses  # also behind those tiles


def _tested(lanes: Lanes, stop: Stop, form: str, structure: Any) -> Lanes:
    """The lanes with those that go on told from those that stopped or diverged."""
    give = FORMS[form].give

    def holds(state: State) -> Array:
        if isinstance(stop, GradientBelow):  # a norm is the same in every form
            return stop(state.point, state.loss, state.gradient)
        point, gradient = give(state.point, structure), give(state.gradient, structure)
        return jnp.asarray(stop(point, state.loss, gradient))

    held, alive = jax.vmap(holds)(lanes.state), ~lanes.state.diverged
    stopped = lanes.stopped | (lanes.going & held & alive)
    return lanes._replace(going=lanes.going & ~held & alive, stopped=stopped)


def _moved_together(lanes: Lanes, going: np.ndarray, tile: int, ended: _Ended) -> Lanes:
    """Those that go on in the first tiles of each device; the others are kept by `ended`."""
    lanes = jax.tree.map(np.asarray, lanes)
    ended.take(lanes)
    places, total, _ = seats(len(going), tile, len(lanes.member))
    numbers = np.full(total, -1, np.int32)
    numbers[places] = lanes.member[going]
    moved = place(lanes, tile, going)
    return moved._replace(
        member=place(numbers, tile),
        going=place(numbers >= 0, tile),
        stopped=place(numbers < -1, tile),
    )


class _Ended:
    """What has been found so far, by member, in the host's memory."""

    def __init__(self, lanes: Lanes, count: int, blocks: int) -> None:
        self.state = jax.tree.map(
            lambda leaf: np.zeros((count, *leaf.shape[1:]), leaf.dtype), lanes.state
        )
        self.stopped = np.zeros(count, bool)
        self.losses = np.zeros((count, blocks + 1), lanes.state.loss.dtype)
        self.recorded = np.zeros(count, np.int32)
        there, member = self._seated(lanes)
        self.losses[member, 0] = np.asarray(lanes.state.loss)[there]

    @staticmethod
    def _seated(lanes: Lanes) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.asarray(lanes.member)
        there = np.flatnonzero(numbers >= 0)
        return there, numbers[there]

    def take(self, lanes: Lanes) -> None:
        """Keep the states that the lanes hold now."""
        there, member = self._seated(lanes)

        def put(mine: np.ndarray, leaf: Any) -> None:
            mine[member] = np.asarray(leaf)[there]

        jax.tree.map(put, self.state, lanes.state)
        self.stopped[member] = np.asarray(lanes.stopped)[there]

    def record(self, lanes: Lanes, losses: Array, block: int, checks: int) -> None:
        """Write down the losses of this many tests after `block` earlier ones."""
        there, member = self._seated(lanes)
        self.losses[member, block + 1 : block + 1 + checks] = np.asarray(losses)[there, :checks]
        self.recorded[member] = block + checks

    def all_losses(self) -> np.ndarray:
        """(members, blocks + 1); a member that ended earlier repeats its last loss."""
        for loss, row, recorded in zip(self.state.loss, self.losses, self.recorded, strict=True):
            row[recorded + 1 :] = loss
        return self.losses

    def outcomes(self) -> np.ndarray:
        """How each member ended, as far as the rule and the losses say."""
        reached = np.where(self.stopped, Outcome.converged, Outcome.unfinished)
        return np.where(self.state.diverged, Outcome.diverged, reached).astype(np.int32)


@partial(jax.jit, static_argnames=("form", "tile", "structure"))
def _finished(state: State, *, form: str, tile: int, structure: Any) -> tuple[Any, Array]:
    """The points as they were given, and the norms of the gradients there."""

    def one_tile(state: State) -> tuple[Any, Array]:
        give = FORMS[form].give
        norms = jax.vmap(optax.tree.norm)(give(state.gradient, structure))
        return give(state.point, structure), norms

    return spread(one_tile, state, tile)


def _with_plateaus(
    outcomes: np.ndarray, points: Any, own: tuple[Any, ...], common: Shared, tile: int
) -> np.ndarray:
    """The outcomes with `plateau` instead of `converged` where `is_plateau` says so."""
    converged = np.flatnonzero(outcomes == Outcome.converged)
    if len(converged) == 0:
        return outcomes
    places, _, tiles = seats(len(converged), tile, len(outcomes))
    flat = _plateaus(place((points, own), tile, converged), common, tiles, tile=tile)
    outcomes[converged[np.asarray(flat)[places]]] = Outcome.plateau
    return outcomes


@partial(jax.jit, static_argnames="tile")
def _plateaus(members: Any, common: Shared, tiles: Array, *, tile: int) -> Array:
    def one(member: tuple[Any, tuple[Any, ...]]) -> Array:
        point, own = member
        return is_plateau(join(own, common), point)

    return spread(jax.vmap(one), members, tile, tiles)
