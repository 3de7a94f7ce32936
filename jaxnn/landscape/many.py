"""Many searches side by side, in float64, on the host: those that rest are put away."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.descent import as_pytree
from jaxnn.landscape.checks import check_alike, check_point
from jaxnn.landscape.flows import Walk, check_flow, walk_from, walked
from jaxnn.landscape.polishing import Stationary, check_size, measured, nearby
from jaxnn.landscape.quadratics import local_of
from jaxnn.landscape.searches import REACH, Search, advance, begin, sharpened
from jaxnn.landscape.verification import check_losses, check_search
from jaxnn.vocabulary import Landscape, lookup

ROUND = 12
"""Steps between two looks at which searches rest."""
BLOCK = 2**14
"""Paths under way at once."""
WAYS = ("polish", "descend", "nearest", "follow")


def polish_all(
    loss_fn: Landscape,
    points: Any,
    *,
    way: str = "polish",
    index: Any = 1,
    steps: int = 300,
    origins: Any = None,
) -> Stationary:
    """Stationary points from many starts, in float64 whatever the starts' dtype: every field with
    the starts' leading axis, on the host.

    The leaves of the landscape, such as its batch, are converted too. Searches that rest are put
    away and the others go on side by side, in tiles of a fixed size, so no bit of one depends on
    the others.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        points: a stacked tree of starts, (starts, ...) each leaf.
        way: "polish", as `polish` does; "descend", down to a minimum; "nearest", to the nearest
            zero of the gradient, of any index; "follow", to a point with `index` negative
            eigenvalues.
        index: of "follow", a number or one for each start (starts,).
        steps: of each search, at most.
        origins: a stacked tree of where the starts themselves have come from, as by a path: the
            size of a number there is the scale of its rounding, where it is larger.

    Raises:
        ValueError: an unknown way; starts that are not finite, not of floats, or of different
            numbers along the first axis; origins of another structure or shape than the starts, or
            not finite; a loss that the search saw and the landscape does not have
            (`verification`); as `polish`.
    """
    lookup(dict.fromkeys(WAYS), way, what="way to search")
    check_point(points, what="the starts")
    count = count_of(points)
    if origins is not None:
        check_point(origins, what="the origins")
        check_alike(origins, points, what="the origins and the starts")
    with jax.enable_x64(True):
        loss_fn, points = in_float64(as_pytree(loss_fn)), in_float64(points)
        one = jax.tree.map(lambda leaf: leaf[0], points)
        flat, _ = check_size(loss_fn, one, steps)
        rows, scales = (
            np.asarray(jax.vmap(lambda p: ravel_pytree(p)[0])(tree))
            for tree in (points, points if origins is None else in_float64(origins))
        )
        indices = np.broadcast_to(np.asarray(index, np.int64), (count,))
        tile, block = _sizes(flat.size, count)
        parts = [
            _searched(loss_fn, one, rows[cut], scales[cut], indices[cut], way, steps, tile)
            for cut in (slice(k, k + block) for k in range(0, count, block))
        ]
        found = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
        check_search(loss_fn, points, found)
        return found


def downhill_all(loss_fn: Landscape, points: Any, *, below: Any = -np.inf, steps: int = 400) -> Any:
    """Where the paths of steepest descent from many points have come to (`flows.downhill`), in
    float64: a tree with the points' leading axis, on the host.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        points: a stacked tree of starts, (starts, ...) each leaf.
        below: a loss at which a path has gone far enough, one or one for each start (starts,).
        steps: of each path, at most.

    Raises:
        ValueError: as `polish_all` and `flows.downhill`.
    """
    check_point(points, what="the starts")
    count = count_of(points)
    with jax.enable_x64(True):
        loss_fn, points = in_float64(as_pytree(loss_fn)), in_float64(points)
        one = jax.tree.map(lambda leaf: leaf[0], points)
        flat, unravel = check_flow(loss_fn, one)
        rows = np.asarray(jax.vmap(lambda p: ravel_pytree(p)[0])(points))
        levels = np.broadcast_to(np.asarray(below, np.float64), (count,))
        tile, _ = _sizes(flat.size, count)
        ends = [
            _paths(loss_fn, one, rows[k : k + BLOCK], levels[k : k + BLOCK], steps, tile)
            for k in range(0, count, BLOCK)
        ]
        return jax.tree.map(np.asarray, jax.vmap(unravel)(np.concatenate(ends)))


def _paths(
    loss_fn: Any, like: Any, rows: np.ndarray, levels: np.ndarray, steps: int, tile: int
) -> np.ndarray:
    """The ends of one block of paths; those that have come to theirs are put away."""
    walks = tiled(functools.partial(_set_out, loss_fn, like), (rows,), tile)
    going = np.arange(len(rows))
    _check_walks(loss_fn, like, walks, "start")
    step = functools.partial(_walked_on, loss_fn, like, steps=steps)
    while len(going):
        some = tiled(step, (at(walks, going), levels[going]), tile)
        for leaf, new in zip(jax.tree.leaves(walks), jax.tree.leaves(some), strict=True):
            leaf[going] = new
        ended = some.rests | (some.steps >= steps) | (some.loss <= levels[going])
        going = going[~ended]
    _check_walks(loss_fn, like, walks, "the end of path")
    return walks.flat


def _check_walks(loss_fn: Any, like: Any, walks: Walk, what: str) -> None:
    """Refuse losses along paths that the landscape does not have (`verification`)."""
    points = jax.tree.map(np.asarray, jax.vmap(ravel_pytree(like)[1])(walks.flat))
    widest = np.linalg.norm(walks.hessian, axis=(1, 2))
    check_losses(loss_fn, points, walks.loss, what=what, curvature=widest)


def count_of(points: Any, *, what: str = "starts") -> int:
    """How many points a stacked tree holds; `what` names them in the error.

    Raises:
        ValueError: leaves with different numbers along the first axis, or none.
    """
    counts = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in jax.tree.leaves(points)}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(
            f"the leaves of the {what} have {sorted(counts)} entries along the first axis: "
            "wanted one number everywhere, at least 1"
        )
    return counts.pop()


def in_float64(tree: Any) -> Any:
    """The tree with every floating-point leaf as float64; call it where that is enabled."""

    def wider(leaf: Any) -> Any:
        floats = jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
        return jnp.asarray(np.asarray(leaf, np.float64)) if floats else leaf

    return jax.tree.map(wider, tree)


def _sizes(parameters: int, starts: int) -> tuple[int, int]:
    """Searches side by side, and how many are under way at once: 256 MB of Hessians."""
    tile = max(1, min(256, 2**20 // parameters**2))
    return tile, max(tile, min(starts, 2**24 // parameters**2) // tile * tile)


def _searched(
    loss_fn: Any, like: Any, rows: np.ndarray, scales: np.ndarray, indices: np.ndarray, way: str,
    steps: int, tile: int,
) -> Stationary:  # fmt: skip
    """One block of searches, from the start to what they ended at."""
    states, rests = tiled(functools.partial(_begun, loss_fn, like, way=way), (rows, scales), tile)
    kind = "descend" if way == "polish" else way
    while True:
        going = np.flatnonzero(~rests & (states.steps < steps))
        if not len(going):
            break
        some = at(states, going)
        step = functools.partial(_advanced, loss_fn, like, way=kind, steps=steps)
        some = tiled(step, (some, indices[going]), tile)
        for leaf, new in zip(jax.tree.leaves(states), jax.tree.leaves(some), strict=True):
            leaf[going] = new
        rests[going] = some.rests
    finish = functools.partial(_finished, loss_fn, like, fell=kind == "descend")
    return tiled(finish, (states,), tile)


def tiled(function: Callable, trees: tuple, tile: int) -> Any:
    """The function over leading axes, so many rows at a time, the last tile filled up with its last
    row; numpy's arrays.
    """
    count = len(jax.tree.leaves(trees)[0])
    parts = []
    for first in range(0, count, tile):
        which = np.minimum(np.arange(first, first + tile), count - 1)
        done = function(*at(trees, which))
        parts.append(at(jax.tree.map(np.array, done), slice(count - first)))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def at(tree: Any, which: Any) -> Any:
    """The tree with each leaf at these entries of its first axis."""
    return jax.tree.map(lambda leaf: leaf[which], tree)


def mapped(function: Callable, points: Any, *fixed: Any, tile: int = 256) -> Any:
    """A compiled function of stacked points, and more that is the same for all, a tile at a time.

    Where there are few points the tile is the next power of two.
    """
    count = len(jax.tree.leaves(points)[0])
    size = min(tile, 1 << max(count - 1, 0).bit_length())
    return tiled(lambda part: function(part, *fixed), (points,), size)


@functools.partial(jax.jit, static_argnames="way")
def _begun(
    loss_fn: Any, like: Any, rows: Array, scales: Array, *, way: str
) -> tuple[Search, Array]:
    local = local_of(loss_fn, ravel_pytree(like)[1])

    def one(flat: Array, scale: Array) -> tuple[Search, Array]:
        begun = begin(local, flat, scale)
        if way != "polish":
            return begun, begun.rests
        near, here = nearby(local, begun, REACH)
        state = jax.tree.map(lambda a, b: jnp.where(here, a, b), near, begun)
        return state, here | state.rests

    return jax.vmap(one)(rows, scales)


@functools.partial(jax.jit, static_argnames=("way", "steps"))
def _advanced(
    loss_fn: Any, like: Any, states: Search, indices: Array, *, way: str, steps: int
) -> Search:
    local = local_of(loss_fn, ravel_pytree(like)[1])

    def one(state: Search, index: Array) -> Search:
        until = jnp.minimum(state.steps + ROUND, steps)
        return advance(local, state, way, until=until, index=index)

    return jax.vmap(one)(states, indices)


@functools.partial(jax.jit, static_argnames="fell")
def _finished(loss_fn: Any, like: Any, states: Search, *, fell: bool) -> Stationary:
    unravel = ravel_pytree(like)[1]
    local = local_of(loss_fn, unravel)

    def one(state: Search) -> Stationary:
        return measured(loss_fn, sharpened(local, state, falling=fell), unravel, fell=fell)

    return jax.vmap(one)(states)


@jax.jit
def _set_out(loss_fn: Any, like: Any, rows: Array) -> Walk:
    local = local_of(loss_fn, ravel_pytree(like)[1])
    return jax.vmap(lambda flat: walk_from(local, flat))(rows)


@functools.partial(jax.jit, static_argnames="steps")
def _walked_on(loss_fn: Any, like: Any, walks: Walk, levels: Array, *, steps: int) -> Walk:
    local = local_of(loss_fn, ravel_pytree(like)[1])

    def one(walk: Walk, level: Array) -> Walk:
        until = jnp.minimum(walk.steps + ROUND, steps)
        return walked(local, walk, until=until, below=level)

    return jax.vmap(one)(walks, levels)
