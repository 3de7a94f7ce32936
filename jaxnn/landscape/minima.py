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

    Every fourth start is descended to a minimum, as training would; every fourth led to the nearest
    zero of the gradient; every fourth sent by eigenvector following to index 1, 2, ...; and in
    place of every fourth, a point between two of the minima found is sent to index 1. 10^4 to 10^5
    starts of several scales are usual. How complete it is `Census.missing` and `Census.morse_sum`
    say.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        starts: a stacked tree, (starts, ...) each leaf; converted to float64.
        symmetry: default that of the loss.
        sampled: descend all starts: the minima that they lead to, for networks of any size that
            `polish` takes.
        steps: of each search, at most.
        tolerance: as `distinct`.
        grows: as `distinct`.

    Raises:
        ValueError: more than MOST_PARAMETERS parameters, without `sampled`; as `polish_all` and
            `distinct`.
    """
    check_point(starts, what="the starts")
    converted = any(np.asarray(leaf).dtype != np.float64 for leaf in jax.tree.leaves(starts))
    if sampled:
        found = polish_all(loss_fn, starts, way="descend", steps=steps)
    else:
        found = searched(loss_fn, starts, steps=steps)
    done = distinct(loss_fn, found, symmetry=symmetry, tolerance=tolerance, grows=grows)
    return replace(done, converted=converted)


def searched(loss_fn: Landscape, starts: Any, *, steps: int = 200) -> Stationary:
    """What the searches of a census end at, one for each start, in their order.

    Raises:
        ValueError: as `census`.
    """
    count = count_of(starts)
    parameters = sum(int(np.prod(np.shape(leaf)[1:])) for leaf in jax.tree.leaves(starts))
    if parameters > MOST_PARAMETERS:
        raise ValueError(
            f"the point has {parameters} parameters: a census of all stationary points is for up "
            f"to {MOST_PARAMETERS}; with sampled=True it counts the minima that descent finds"
        )
    kinds = np.arange(count) % 4 if count >= 8 else np.zeros(count, int)
    highest = min(HIGHEST_INDEX, parameters)
    numbers = np.arange(count) // 4 % highest + 1
    found: list[Stationary] = []
    for kind, way in enumerate(("descend", "nearest", "follow", "follow")):
        which = np.flatnonzero(kinds == kind)
        if not len(which):
            continue
        begin = jax.tree.map(lambda leaf: np.asarray(leaf)[which], starts)  # noqa: B023
        index: Any = numbers[which] if kind == 2 else 1
        if kind == 3:
            begin = _between(loss_fn, found[0], begin)
        found.append(polish_all(loss_fn, begin, way=way, index=index, steps=steps))
    order = np.argsort(np.concatenate([np.flatnonzero(kinds == k) for k in range(len(found))]))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[order], *found)


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
