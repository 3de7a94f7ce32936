"""Training until a rule says stop, in rounds: members that are done are retired, and those that go
on are moved together, so that nobody waits for the slowest at full cost.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxnn.devices import Placed, adopt, collect, count_of, host_zeros, place, seats, spread
from jaxnn.forms import members_axis
from jaxnn.runs import Run, State, widened
from jaxnn.shared import Shared, join
from jaxnn.stopping import GradientBelow, Outcome, Stop, is_plateau
from jaxnn.tiles import Common, Own, begin, leap, seen, turned

CHECKS = 32
"""At most so many tests between two looks from the host."""

MOVE_AT = 0.9
"""Members are moved together once they would fit into this share of the tiles in use."""


class Lanes(NamedTuple):
    """Members on their way, members axis first."""

    member: Array  # its number; -1 in an empty seat
    state: State
    loss: Array  # as it is recorded
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
    record_every: int,
    form: str,
    tile: int,
    plateau_tile: int,
) -> Run:
    """Descent of all members until each has stopped, diverged, or made max_steps.

    members: the initial points and what is each member's own, members axis first. As
    `ensembles.train_until`, which checks what is given here.
    """
    count, blocks = count_of(members), max_steps // check_every
    numbers, everyone = _numbers(np.arange(count), count, tile), place(members, tile)
    lanes = _begin(
        dataclasses.replace(everyone, members=(numbers, everyone.members)), common, stop, form=form
    )
    placed = dataclasses.replace(everyone, members=lanes)
    ended = _Ended(lanes, count, blocks, record_every // check_every)
    block, checks, going = 0, 1, np.flatnonzero(lanes.going)
    while block < blocks and going.size:
        if seats(len(going), tile, count)[2] <= MOVE_AT * placed.tiles:
            placed = _moved_together(placed.members, going, tile, count, ended)
            checks = max(checks // 2, 1)
        else:  # nobody to move: look less often
            checks = min(2 * checks, CHECKS)
        made = min(checks, blocks - block)
        lanes, losses = _round(
            placed.members, placed.tiles, common, stop, made, check_every, tile=tile, form=form
        )
        placed = dataclasses.replace(placed, members=lanes)
        ended.record(lanes, losses, block, made)
        block, going = block + made, np.flatnonzero(lanes.going)
    if max_steps % check_every and going.size:
        lanes, _ = _round(
            placed.members, placed.tiles, common, stop, 1, max_steps % check_every, tile=tile,
            form=form,
        )  # fmt: skip
    ended.take(lanes)
    norms = collect(_norms(place(ended.state.gradient, tile)), count, tile)
    points = jax.tree.map(jnp.asarray, ended.state.point)
    outcomes = ended.outcomes()
    if isinstance(stop, GradientBelow):
        own, rest = members[1].landscape, common.landscape
        outcomes = _with_plateaus(outcomes, points, own, rest, plateau_tile)
    state, losses = ended.state, ended.all_losses()
    return Run(
        params=points,
        losses=adopt(losses),
        loss=jnp.asarray(ended.loss),
        steps=jnp.asarray(state.steps),
        outcome=jnp.asarray(outcomes),
        gradient_norm=norms,
    )


def _numbers(members: np.ndarray, count: int, tile: int) -> np.ndarray:
    """The members' numbers in their seats, -1 in the empty ones."""
    places, total, _ = seats(len(members), tile, count)
    numbers = np.full(total, -1, np.int32)
    numbers[places] = members
    return numbers


@partial(jax.jit, static_argnames="form")
def _begin(placed: Placed, common: Common, stop: Stop, *, form: str) -> Lanes:
    def one_tile(part: Any) -> Lanes:
        number, (starts, own) = part
        state = begin(starts, own, common, form)
        there = number >= 0
        lanes = Lanes(number, state, state.loss, own, there, ~there)
        return _turned(_tested(lanes, common, stop, form), members_axis(form), 0)

    return spread(one_tile, placed)._replace(
        member=placed.members[0]
    )  # also behind the tiles in use


@partial(jax.jit, static_argnames=("tile", "form"), donate_argnums=0)
def _round(
    before: Lanes,
    tiles: Any,
    common: Common,
    stop: Stop,
    checks: Array,
    steps: Array,
    *,
    tile: int,
    form: str,
) -> tuple[Lanes, Array]:
    """The lanes in the tiles in use after so many tests, each after so many steps, and the losses
    there (members, CHECKS).
    """
    axis = members_axis(form)

    def one_tile(lanes: Lanes) -> tuple[Lanes, Array]:
        def unfinished(carry: tuple[Lanes, Array, Array]) -> Array:
            lanes, _, check = carry
            return (check < checks) & jnp.any(lanes.going)

        def block(carry: tuple[Lanes, Array, Array]) -> tuple[Lanes, Array, Array]:
            lanes, losses, check = carry
            state = leap(lanes.state, lanes.going, steps, lanes.own, common, form)
            lanes = _tested(lanes._replace(state=state), common, stop, form)
            return lanes, losses.at[check].set(lanes.loss), check + 1

        lanes = _turned(lanes, 0, axis)
        losses = jnp.zeros((CHECKS, *lanes.loss.shape), lanes.loss.dtype)
        lanes, losses, made = jax.lax.while_loop(unfinished, block, (lanes, losses, jnp.int32(0)))
        known = jnp.arange(CHECKS)[:, None] < made
        return _turned(lanes, axis, 0), jnp.where(known, losses, lanes.loss[None]).T

    after, losses = spread(one_tile, Placed(before, tiles, tile))
    return after._replace(member=before.member, own=before.own), losses  # also behind those tiles


def _turned(lanes: Lanes, source: int, destination: int) -> Lanes:
    """The lanes with the members' axis of their states moved."""
    return lanes._replace(state=turned(lanes.state, source, destination))


def _tested(lanes: Lanes, common: Common, stop: Stop, form: str) -> Lanes:
    """The lanes with those that go on told from those that stopped or diverged."""

    def holds(state: State) -> Array:
        return jnp.asarray(stop(state.point, state.loss, state.gradient))

    state = seen(lanes.state, lanes.own, common, form)
    held, alive = jax.vmap(holds, in_axes=members_axis(form))(state), ~state.diverged
    stopped = lanes.stopped | (lanes.going & held & alive)
    return lanes._replace(loss=state.loss, going=lanes.going & ~held & alive, stopped=stopped)


def _moved_together(
    lanes: Lanes, going: np.ndarray, tile: int, count: int, ended: _Ended
) -> Placed:
    """Those that go on in the first tiles of each device; the others are kept by `ended`."""
    lanes = jax.tree.map(np.asarray, lanes)
    ended.take(lanes)
    numbers = _numbers(np.asarray(lanes.member)[going], count, tile)
    placed = place(lanes, tile, going)
    seated = {"member": numbers, "going": numbers >= 0, "stopped": np.zeros(len(numbers), bool)}
    placed_lanes: Lanes = placed.members
    put = {
        name: jax.device_put(values, getattr(placed_lanes, name).sharding)
        for name, values in seated.items()
    }
    return dataclasses.replace(placed, members=placed_lanes._replace(**put))


class _Ended:
    """What has been found so far, by member, in the host's memory."""

    def __init__(self, lanes: Lanes, count: int, blocks: int, every: int) -> None:
        self.every = every  # tests from one record to the next
        self.state = jax.tree.map(
            lambda leaf: np.zeros((count, *leaf.shape[1:]), leaf.dtype), lanes.state
        )
        self.stopped = np.zeros(count, bool)
        self.loss = np.zeros(count, lanes.loss.dtype)
        self.losses = host_zeros((count, blocks // every + 1), lanes.loss.dtype)
        self.recorded = np.zeros(count, np.int32)
        there, member = self._seated(lanes)
        self.losses[member, 0] = np.asarray(lanes.loss)[there]

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

        jax.tree.map(put, (self.state, self.loss), (lanes.state, lanes.loss))
        self.stopped[member] = np.asarray(lanes.stopped)[there]

    def record(self, lanes: Lanes, losses: Array, block: int, checks: int) -> None:
        """Write down what is a record of the losses of this many tests after `block` earlier
        ones.
        """
        there, member = self._seated(lanes)
        first, after = block // self.every + 1, (block + checks) // self.every + 1
        at = np.arange(first, after) * self.every - block - 1
        self.losses[member, first:after] = np.asarray(losses)[there[:, None], at]
        self.recorded[member] = after - 1

    def all_losses(self) -> np.ndarray:
        """(members, records); a member that ended earlier repeats its last loss."""
        for loss, row, recorded in zip(self.loss, self.losses, self.recorded, strict=True):
            row[recorded + 1 :] = loss
        return self.losses

    def outcomes(self) -> np.ndarray:
        """How each member ended, as far as the rule and the losses say."""
        reached = np.where(self.stopped, Outcome.converged, Outcome.unfinished)
        return np.where(self.state.diverged, Outcome.diverged, reached).astype(np.int32)


@jax.jit
def _norms(placed: Placed) -> Array:
    """The norms of the gradients."""
    return spread(jax.vmap(lambda gradient: optax.tree.norm(widened(gradient))), placed)


def _with_plateaus(
    outcomes: np.ndarray, points: Any, own: tuple[Any, ...], common: Shared, tile: int
) -> np.ndarray:
    """The outcomes with `plateau` instead of `converged` where `is_plateau` says so."""
    converged = np.flatnonzero(outcomes == Outcome.converged)
    if len(converged) == 0:
        return outcomes
    places, _, _ = seats(len(converged), tile, len(outcomes))
    flat = _plateaus(place((points, own), tile, converged), common)
    outcomes[converged[np.asarray(flat)[places]]] = Outcome.plateau
    return outcomes


@jax.jit
def _plateaus(placed: Placed, common: Shared) -> Array:
    def one(member: tuple[Any, tuple[Any, ...]]) -> Array:
        point, own = member
        return is_plateau(join(own, common), point)

    return spread(jax.vmap(one), placed)
