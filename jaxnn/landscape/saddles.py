"""Transition states between minima, verified, and the graph that they make of a landscape.

A transition state is a stationary point with one negative eigenvalue; the two paths of steepest
descent from it lead to the minima that it joins (Murrell & Laidler 1968). What is here has passed
three tests: its gradient is 0 to rounding, its index is 1, and it was walked down from on both
sides to minima, which are of index 0. The same call gives the same bits.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import ArrayLike

from jaxnn import summaries
from jaxnn.descent import as_pytree
from jaxnn.landscape import trees
from jaxnn.landscape.censuses import APART
from jaxnn.landscape.checks import check_alike, check_loss, check_point, check_points
from jaxnn.landscape.connectivity import Effort, Found, cheapest, stacked
from jaxnn.landscape.many import at, count_of, in_float64, polish_all
from jaxnn.landscape.polishing import Ending
from jaxnn.landscape.spectra import EXACT
from jaxnn.landscape.transitions import Euclidean, as_group
from jaxnn.landscape.trees import disconnectivity as disconnectivity
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape, whole

FARTHEST = 0.01
"""How far from a minimum, as a part of 1 + |point|, an end may lie and still be taken for it."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Graph:
    """Minima and the transition states between them, each once over the group; numpy's float64.

    minima: a stacked tree (n, ...), those given first. losses: (n,). edges: (m, 2) the minima on
    both sides of each transition state, one number twice where they are images of each other.
    transitions: a stacked tree (m, ...). heights: (m,) the losses there. sides: a stacked tree
    (m, 2, ...), the images of the minima that the two paths down ended at. curvatures: (m,) the
    negative eigenvalue. relative_gradients: (m,) about 1e-16. zero: (m,) how many eigenvalues are 0
    to rounding, as many as the continuous symmetries leave. refused: what failed a test -> how
    many candidates. images: empty where images are one, else why they count apart.
    """

    minima: Any
    losses: np.ndarray
    edges: np.ndarray
    transitions: Any
    heights: np.ndarray
    sides: Any
    curvatures: np.ndarray
    relative_gradients: np.ndarray
    zero: np.ndarray
    refused: dict[str, int]
    images: str = dataclasses.field(default="", metadata={"static": True})

    _repr_html_ = summaries.html()

    def disconnectivity(self, *, widths: ArrayLike | None = None) -> trees.Disconnectivity:
        """The tree of these minima; widths as `trees.disconnectivity` has them.

        Raises:
            ValueError: widths that are no probabilities.
        """
        return disconnectivity(
            self.losses, self.edges, self.heights, widths=widths, images=self.images
        )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Chain:
    """The way from a to b with the lowest highest transition state of those found.

    connected: whether there is one. minima: a stacked tree (k + 1, ...), a first and b last.
    losses: (k + 1,). transitions: a stacked tree (k, ...) between them. heights: (k,) the losses
    there. Where not connected: a and b alone, k = 0 transitions. graph: all that was found.
    """

    connected: bool
    minima: Any
    losses: np.ndarray
    transitions: Any
    heights: np.ndarray
    graph: Graph

    _repr_html_ = summaries.html()


def search(
    loss_fn: Landscape, a: Any, b: Any, *,
    symmetry: Any = None, rounds: int = 10, images: int = 11, band_steps: int = 200,
    steps: int = 300, walk: int = 1000, tolerance: float = 1e-5,
) -> Chain:  # fmt: skip
    """The chain of transition states from minimum a to minimum b.

    As `graph` for one pair. Where one band does not join a and b, what it found on the way does its
    part: each round tries the pairs of minima that would close the shortest gaps (Trygubenko &
    Wales 2004; Carr, Trygubenko & Wales 2005).

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        a: one minimum.
        b: another.
        symmetry: as `graph`. Without one, b may be an image of a.
        rounds: after the first attempt, at most.
        images: as `graph`; so are band_steps, steps, walk and tolerance.
        band_steps: of a band.
        steps: of eigenvector following.
        walk: of each way down.
        tolerance: within which points are one.

    Raises:
        ValueError: ends that are one point or images of each other, or no minima; as `graph`.
    """
    check_alike(a, b)
    check_point(a, what="the first end")
    check_point(b, what="the second end")
    minima = stacked([jax.tree.map(np.asarray, end) for end in (a, b)])
    found = graph(
        loss_fn, minima, symmetry=symmetry, pairs=[(0, 1)], rounds=rounds, images=images,
        band_steps=band_steps, steps=steps, walk=walk, tolerance=tolerance,
    )  # fmt: skip
    return _chain(found)


def graph(
    loss_fn: Landscape, minima: Any, *,
    symmetry: Any = None, pairs: ArrayLike | None = None, guesses: Any = None, neighbours: int = 4,
    rounds: int = 3, images: int = 11, band_steps: int = 200, steps: int = 300, walk: int = 1000,
    tolerance: float = 1e-5,
) -> Graph:  # fmt: skip
    """The transition states found between near pairs of minima, with the minima met on the way.

    For each pair a nudged elastic band, only a guess; every image of it that is higher than its
    neighbours is followed to a saddle of index 1, brought to the rounding floor, and walked down
    from on both sides by steepest descent. What fails is not in the graph but counted. Nothing is
    drawn at random. In float64 whatever the dtype given; P x P memory and P^3 operations a step.

    What is not found need not be absent: heights of the tree are upper bounds.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        minima: a stacked tree, (n, ...) each leaf; each minimum once. They are polished first.
        symmetry: `symmetries.of(loss_fn)`, or what has align(a, b) and distance(a, b) in jax:
            images are one point then. Default none. A continuous symmetry wants one, or the
            images that the ways down end at count one by one.
        pairs: (pairs, 2) whole numbers, which minima to try; default each with its neighbours.
        guesses: a stacked tree of further points near saddles, such as a census has found. They are
            refined and tested as the images of the bands are.
        neighbours: how many of the nearest minima, over the group.
        rounds: after the first attempt, of closing the gaps between pairs not yet connected.
        images: of a band, ends included.
        band_steps: of a band.
        steps: of eigenvector following, at most.
        walk: of each way down, at most.
        tolerance: points within this part of 1 + |point| are one.

    Raises:
        ValueError: more than spectra.EXACT parameters; minima that are none, or one twice; pairs
            out of range or of a minimum with itself; counts below 1; as `checks.check_loss`.
    """
    check_points(images=images)
    check_counts(neighbours=neighbours, steps=steps, band_steps=band_steps, walk=walk)
    (rounds,) = whole(rounds=(rounds, 0))
    group = as_group(symmetry)
    check_point(minima, what="the minima")
    with jax.enable_x64(True):
        loss_fn, group = in_float64(as_pytree(loss_fn)), in_float64(group)
        count = _checked(loss_fn, minima, guesses)
        found = Found(loss_fn, group, Effort(images, band_steps, steps, walk, tolerance))
        _take_in(found, minima, count)
        targets = _neighbours(found, neighbours) if pairs is None else _pairs(pairs, count)
        if guesses is not None:
            found.refine(in_float64(guesses))
        found.connect(targets, rounds=rounds)
        return _summary(found)


def _checked(loss_fn: Landscape, minima: Any, guesses: Any) -> int:
    """The number of minima."""
    count = count_of(minima, what="minima")
    one = in_float64(at(minima, 0))
    check_loss(loss_fn, one, what="a minimum")
    size = ravel_pytree(one)[0].size
    if size > EXACT:
        raise ValueError(
            f"the point has {size} parameters: saddles are searched by the whole Hessian, for up "
            f"to {EXACT}; paths.band gives a path between two points of any size"
        )
    if guesses is not None:
        check_point(guesses, what="the guesses")
        check_alike(at(guesses, 0), one, what="a guess and a minimum")
    return count


def _take_in(found: Found, minima: Any, count: int) -> None:
    """The minima given, polished; refused where that leads away or one is there already."""
    polished = polish_all(found.loss_fn, minima)
    for row in range(count):
        given = at(minima, row)
        one = at(polished, row)
        flat, end = (np.asarray(ravel_pytree(p)[0]) for p in (given, one.point))
        away, size = np.linalg.norm(end - flat), np.linalg.norm(flat)
        if one.ending != Ending.stationary or one.index or away > FARTHEST * (1 + size):
            raise ValueError(
                f"point {row} is no minimum: near it the search ended at distance {away:.2g}, "
                f"{Ending(int(one.ending)).name}, with {int(one.index)} negative eigenvalues; "
                "descend from it first, as many.polish_all does"
            )
        known = found.minimum(one.point, float(one.loss))
        if known != row:
            raise ValueError(
                f"points {known} and {row} are the same minimum{_images(found)}: give each once"
            )


def _images(found: Found) -> str:
    """What to add where points may be images of each other."""
    if isinstance(found.group, Euclidean):
        return ""
    return ", or images of each other (leave out symmetry to go from image to image)"


def _apart(found: Found) -> str:
    """Why images count apart; empty where they do not."""
    if isinstance(found.group, Euclidean):
        return "symmetries not given: images count apart"
    return "" if getattr(found.group, "known", True) else APART


def _neighbours(found: Found, neighbours: int) -> list[tuple[int, int]]:
    apart = found.apart()
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, : min(neighbours, len(apart) - 1)]
    return [(row, int(other)) for row in range(len(near)) for other in near[row]]


def _pairs(pairs: ArrayLike, count: int) -> list[tuple[int, int]]:
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError(f"pairs have shape {pairs.shape} of {pairs.dtype}: give (pairs, 2) of int")
    wrong = ((pairs < 0) | (pairs >= count)).any(axis=1) | (pairs[:, 0] == pairs[:, 1])
    if wrong.any():
        raise ValueError(
            f"pair {pairs[wrong][0]} is not one of two different minima: give 0 to {count - 1}"
        )
    return [(int(a), int(b)) for a, b in pairs]


def _summary(found: Found) -> Graph:
    rows = found.transitions
    empty = jax.tree.map(lambda leaf: np.zeros((0, *leaf.shape)), found.minima[0])
    no_sides = jax.tree.map(lambda leaf: np.zeros((0, 2, *leaf.shape[1:])), empty)
    return Graph(
        minima=stacked(found.minima),
        losses=np.asarray(found.losses),
        edges=np.asarray([row["edge"] for row in rows], int).reshape(-1, 2),
        transitions=stacked([row["saddle"].point for row in rows]) if rows else empty,
        heights=np.asarray([row["loss"] for row in rows]),
        sides=stacked([row["sides"] for row in rows]) if rows else no_sides,
        curvatures=np.asarray([row["saddle"].eigenvalues[0] for row in rows]),
        relative_gradients=np.asarray([row["saddle"].relative_gradient for row in rows]),
        zero=np.asarray([row["saddle"].zero for row in rows], int),
        refused=dict(sorted(found.refused.items())),
        images=_apart(found),
    )


def _chain(found: Graph) -> Chain:
    n = len(found.losses)
    costs, lowest = np.full((n, n), np.inf), np.full((n, n), -1)
    for row in np.argsort(-found.heights, kind="stable"):  # the lowest of parallel ones is last
        a, b = found.edges[row]
        costs[a, b] = costs[b, a] = found.heights[row]
        lowest[a, b] = lowest[b, a] = row
    way = cheapest(costs, 0, 1, together=np.maximum)
    connected = len(way) > 1
    nodes = way if connected else [0, 1]
    rows = lowest[way[:-1], way[1:]]
    return Chain(
        connected=connected,
        minima=at(found.minima, nodes),
        losses=found.losses[nodes],
        transitions=at(found.transitions, rows),
        heights=found.heights[rows],
        graph=found,
    )
