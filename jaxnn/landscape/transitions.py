"""Transition states between pairs of minima: guessed by an elastic band, refined by eigenvector
following, and verified by walking down both sides.

Works on stacked rows on the host, in float64; `saddles` puts it together.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.landscape import flows, paths
from jaxnn.landscape.many import at, polish_all, tiled
from jaxnn.landscape.polishing import Ending, Stationary
from jaxnn.vocabulary import Landscape

TILE = 8
"""Pairs, points or distances side by side: fixed, so that no bit depends on how many there are."""
PUSH = 0.02
"""How far from a saddle of a higher index the search begins again, a part of 1 + |point|."""
RETRIES = 3


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Euclidean:
    """The trivial group: every point is its only image."""

    def align(self, a: Any, b: Any) -> Any:  # noqa: ARG002
        """B itself."""
        return b

    def distance(self, a: Any, b: Any) -> Array:
        """|a - b|, a scalar."""
        return jnp.linalg.norm(ravel_pytree(a)[0] - ravel_pytree(b)[0])


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Outside:
    """A group that is no pytree, as an argument of compiled functions."""

    group: Any = dataclasses.field(metadata={"static": True})

    def align(self, a: Any, b: Any) -> Any:
        """The image of b nearest to a."""
        return self.group.align(a, b)

    def distance(self, a: Any, b: Any) -> Array:
        """The smallest |a - g b|."""
        return self.group.distance(a, b)


def as_group(symmetry: Any) -> Any:
    """A symmetry as a pytree with `align(a, b)` and `distance(a, b)`; None is the trivial one.

    Raises:
        ValueError: what offers no such functions.
    """
    if symmetry is None:
        return Euclidean()
    if not (callable(getattr(symmetry, "align", None)) and hasattr(symmetry, "distance")):
        raise ValueError(
            f"symmetry is {type(symmetry).__name__}: give symmetries.of(loss_fn) or what has "
            "align(a, b) and distance(a, b)"
        )
    leaves = jax.tree.leaves(symmetry)
    return Outside(symmetry) if len(leaves) == 1 and leaves[0] is symmetry else symmetry


@dataclasses.dataclass(frozen=True)
class Tried:
    """What came of candidates for transition states, a leading axis on every field.

    why: "" for a transition state, else what is missing. sides: two ends of each, stacked second.
    """

    saddles: Stationary
    sides: Stationary
    why: np.ndarray


def candidates(
    loss_fn: Landscape, group: Any, a: Any, b: Any, *, images: int, steps: int
) -> tuple[Any, np.ndarray]:
    """Guesses at the saddles between rows of a and of b: the inner images of each pair's band that
    are higher than their neighbours, at least the highest; and which pair each is of.

    The band begins on the straight line from a to the image of b nearest to it. What is not finite
    is no guess.
    """
    points, losses = tiled(
        functools.partial(_bands, loss_fn, group, images=images, steps=steps), (a, b), TILE
    )
    inner = losses[:, 1:-1]
    peaks = (inner >= losses[:, :-2]) & (inner >= losses[:, 2:])
    highest = np.argmax(np.where(np.isfinite(inner), inner, -np.inf), axis=1)
    peaks[np.arange(len(peaks)), highest] = True
    pair, image = np.nonzero(peaks & np.isfinite(inner))
    return at(points, (pair, image + 1)), pair


def refined(loss_fn: Landscape, guesses: Any, *, steps: int, walk: int) -> Tried:
    """Every guess followed to a saddle of index 1, and from there down both sides to minima.

    steps: of eigenvector following; walk: of the way down, each side.
    """
    saddles = _followed(loss_fn, guesses, steps)
    good = (saddles.ending == Ending.stationary) & (saddles.index == 1)
    ends = tiled(functools.partial(_down, loss_fn, steps=walk), (saddles.point,), TILE)
    flat_ends = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), ends)
    # a walk that ran away is no start of a search; the saddle stands in, and is no minimum
    finite = _finite(flat_ends)
    one = at(guesses, slice(1))
    stand_in = jax.tree.map(lambda leaf: np.repeat(leaf, 2 * len(good), axis=0), one)
    begun = jax.tree.map(lambda leaf: np.repeat(leaf, 2, axis=0), saddles.point)
    lower, origins = (
        jax.tree.map(functools.partial(_where, kept), tree, stand_in)
        for kept, tree in ((finite, flat_ends), (_finite(begun), begun))
    )
    sides = polish_all(loss_fn, lower, origins=origins)
    minimum = finite & (sides.ending == Ending.stationary) & (sides.index == 0)
    below = sides.loss < np.repeat(saddles.loss, 2)
    pairs = jax.tree.map(lambda leaf: leaf.reshape(-1, 2, *leaf.shape[1:]), sides)
    why = np.full(len(good), "", object)
    why[~below.reshape(-1, 2).all(1)] = "not above both minima"
    why[~minimum.reshape(-1, 2).all(1)] = "a side ends at no minimum"
    why[~good] = "no saddle of index 1"
    return Tried(saddles, pairs, why)


def _followed(loss_fn: Landscape, guesses: Any, steps: int) -> Stationary:
    """Where eigenvector following leads from each guess.

    A symmetric band can lead straight to a saddle of a higher index, which no gradient leads away
    from. From there it begins again on both sides along the second lowest mode, two for one.
    """
    found = polish_all(loss_fn, guesses, way="follow", index=1, steps=steps)
    for _ in range(RETRIES):
        high = np.flatnonzero((found.ending == Ending.stationary) & (found.index > 1))
        if not len(high):
            break
        some = at(found.point, high)
        beside = tiled(functools.partial(_sides, loss_fn, mode=1, offset=PUSH), (some,), TILE)
        beside = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), beside)
        again = polish_all(loss_fn, beside, way="follow", index=1, steps=steps)
        rest = np.delete(np.arange(len(found.index)), high)
        found = jax.tree.map(lambda old, new: np.concatenate([old, new]), at(found, rest), again)
    return found


@functools.partial(jax.jit, static_argnames=("images", "steps"))
def _bands(
    loss_fn: Any, group: Any, a: Any, b: Any, *, images: int, steps: int
) -> tuple[Any, Array]:
    def one(start: Any, end: Any) -> tuple[Any, Array]:
        band = paths.band(loss_fn, start, group.align(start, end), images=images, steps=steps)
        return band.points, band.losses

    return jax.vmap(one)(a, b)


@functools.partial(jax.jit, static_argnames=("mode", "offset"))
def _sides(loss_fn: Any, saddles: Any, *, mode: int, offset: float) -> Any:
    return jax.vmap(lambda saddle: flows.sides(loss_fn, saddle, mode=mode, offset=offset))(saddles)


@functools.partial(jax.jit, static_argnames="steps")
def _down(loss_fn: Any, saddles: Any, *, steps: int) -> Any:
    def one(saddle: Any) -> Any:
        both = flows.sides(loss_fn, saddle)
        return jax.vmap(lambda point: flows.downhill(loss_fn, point, steps=steps))(both)

    return jax.vmap(one)(saddles)


def _finite(stacked: Any) -> np.ndarray:
    leaves = [leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(stacked)]
    return np.asarray(np.isfinite(np.concatenate(leaves, axis=1)).all(axis=1))


def _where(which: np.ndarray, yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    return np.where(which.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)
