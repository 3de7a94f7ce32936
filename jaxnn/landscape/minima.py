"""All stationary points of a small landscape: searches of every kind from many starts, gathered
modulo symmetry.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxnn.descent import as_pytree
from jaxnn.landscape.censuses import Census as Census
from jaxnn.landscape.checks import check_point
from jaxnn.landscape.classes import distinct as distinct
from jaxnn.landscape.many import at, count_of, in_float64
from jaxnn.landscape.many import polish_all as polish_all
from jaxnn.landscape.polishing import Ending as Ending
from jaxnn.landscape.polishing import Stationary as Stationary
from jaxnn.landscape.polishing import polish as polish
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.landscape.symmetries import of as symmetries_of
from jaxnn.vocabulary import Landscape

MOST_PARAMETERS = 64
"""Of a census of all stationary points: their number grows exponentially."""
MOST_SAMPLED = 500
"""Of one of minima alone: each search takes the eigenvalues of the whole Hessian at every step."""
KINDS = ("polish", "nearest", "follow", "between")
"""The searches of a census, in turn."""
HIGHEST_INDEX = 6
"""Eigenvector following is sent to index 1 up to this, or to all there are."""


def census(
    loss_fn: Landscape,
    starts: Any,
    *,
    symmetry: Symmetry | None = None,
    sampled: bool = False,
    steps: int = 200,
    tolerance: float | None = None,
    grows: bool | None = None,
) -> Census:
    """All stationary points that these starts lead to, of any index, a class a row.

    The kinds of search take turns (`KINDS`): a start is polished, so it may be where training
    ended; led to the nearest zero of the gradient; sent by eigenvector following to index 1, 2,
    ...; or in its place a point between two of the minima found is sent to index 1. 10^4 to 10^5
    starts of several scales are usual. How complete it is `Census.missing` and `Census.morse_sum`
    say.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        starts: a stacked tree, (starts, ...) each leaf; converted to float64.
        symmetry: default that of the loss.
        sampled: polish all starts: the minima that they lead to, for up to MOST_SAMPLED parameters.
        steps: of each search, at most.
        tolerance: as `distinct`.
        grows: as `distinct`.

    Raises:
        ValueError: more than MOST_PARAMETERS parameters, without `sampled`; as `polish_all` and
            `distinct`.
    """
    check_point(starts, what="the starts")
    count_of(starts)
    _check_size(starts, sampled=sampled)
    converted = any(np.asarray(leaf).dtype != np.float64 for leaf in jax.tree.leaves(starts))
    if sampled:
        found = polish_all(loss_fn, starts, steps=steps)
    else:
        found = searched(loss_fn, starts, steps=steps)
    done = distinct(loss_fn, found, symmetry=symmetry, tolerance=tolerance, grows=grows)
    return replace(done, converted=converted)


def searched(loss_fn: Landscape, starts: Any, *, steps: int = 200) -> Stationary:
    """What the searches of a census end at, one for each start, in their order.

    Raises:
        ValueError: as `census`.
    """
    parameters = _check_size(starts, sampled=False)
    count = count_of(starts)
    kinds = kinds_of(count)
    numbers = np.arange(count) // len(KINDS) % min(HIGHEST_INDEX, parameters) + 1
    found: list[Stationary] = []
    for kind, way in enumerate(KINDS):
        which = np.flatnonzero(kinds == kind)
        if not len(which):
            continue
        begin, index = at(jax.tree.map(np.asarray, starts), which), numbers[which]
        if way == "between":
            begin, index, way = _between(loss_fn, found[0], begin), 1, "follow"
        found.append(polish_all(loss_fn, begin, way=way, index=index, steps=steps))
    order = np.argsort(np.concatenate([np.flatnonzero(kinds == k) for k in range(len(found))]))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[order], *found)


def kinds_of(count: int, *, sampled: bool = False) -> np.ndarray:
    """The kind of each of so many searches, (count,), as numbers of KINDS; all are polished in a
    sampled census and where they are too few to take turns.
    """
    alone = sampled or count < 2 * len(KINDS)
    return np.zeros(count, int) if alone else np.arange(count) % len(KINDS)


def _check_size(starts: Any, *, sampled: bool) -> int:
    """How many parameters a point has."""
    leaves = jax.tree.leaves(starts)
    parameters = sum(int(np.prod(np.shape(leaf)[1:])) for leaf in leaves)
    if parameters > (MOST_SAMPLED if sampled else MOST_PARAMETERS):
        offer = (
            "" if sampled else f"; with sampled=True, for up to {MOST_SAMPLED}, it counts minima"
        )
        what = "a sampled census" if sampled else "a census of all stationary points"
        bound = MOST_SAMPLED if sampled else MOST_PARAMETERS
        raise ValueError(
            f"the point has {parameters} parameters: {what} is for up to {bound}{offer}"
        )
    return parameters


def _between(loss_fn: Landscape, ends: Stationary, starts: Any) -> Any:
    """Points near the middle between pairs of minima, the second turned to the image nearest to the
    first; the starts themselves where there are no two.

    Each is moved off the line by a hundredth of its length along its start, since a symmetric path
    would keep to its symmetry.
    """
    rested = np.flatnonzero(ends.ending == Ending.stationary)
    count = len(jax.tree.leaves(starts)[0])
    if len(rested) < 2:
        return starts
    draws = np.random.default_rng(0).integers(len(rested), size=(2, count))
    with jax.enable_x64(True):
        group = symmetries_of(in_float64(as_pytree(loss_fn)))
        pairs = tuple(at(ends.point, rested[draw]) for draw in draws)
        return jax.tree.map(np.asarray, _middles(group, *pairs, in_float64(starts)))


@jax.jit
def _middles(group: Symmetry, a: Any, b: Any, starts: Any) -> Any:
    def middle(a: Any, b: Any, start: Any) -> Any:
        flat, unravel = ravel_pytree(a)
        other = ravel_pytree(group.align(a, b))[0]
        push = ravel_pytree(start)[0]
        size = jnp.linalg.norm(other - flat) / (1e-300 + jnp.linalg.norm(push))
        return unravel(0.5 * (flat + other) + 0.01 * size * push)

    return jax.vmap(middle)(a, b, starts)
