"""Disconnectivity trees: which minima lie in one valley below which loss.

At a given loss, minima are together where a path between them stays below it; the lowest saddles
decide. Raised from below, the loss joins valley after valley: a tree, whose leaves are the minima
(Becker & Karplus 1997; Wales, Miller & Walsh 1998). It is the single-linkage tree of the barriers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxnn import summaries


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Disconnectivity:
    """A forest, one tree for minima that are connected. All arrays are numpy's.

    Nodes 0 to n - 1 are the minima, node n + k is the k-th merge; merges go upwards in height.
    losses: (n,) of the minima. heights: (merges,) the loss of the saddle that joins. children:
    (merges, 2) nodes, first the one with the deeper minimum. parents: (n + merges,), -1 at a root.
    saddles: (merges,) which edge joined, as a row of the edges given. widths: (n,) the probability
    of reaching each minimum, or None. images: empty where images under symmetries are one minimum,
    else why they count apart.
    """

    losses: np.ndarray
    heights: np.ndarray
    children: np.ndarray
    parents: np.ndarray
    saddles: np.ndarray
    widths: np.ndarray | None
    images: str = dataclasses.field(default="", metadata={"static": True})

    _repr_html_ = summaries.html()

    @property
    def node_heights(self) -> np.ndarray:
        """Where each node lies, (n + merges,): the loss of a minimum, the height of a merge."""
        return np.concatenate([self.losses, self.heights])

    @property
    def deepest(self) -> np.ndarray:
        """The minimum with the lowest loss at or below each node, (n + merges,)."""
        found = np.concatenate([np.arange(len(self.losses)), np.zeros(len(self.heights), int)])
        for node, (first, _) in enumerate(self.children, start=len(self.losses)):
            found[node] = found[first]
        return found

    @property
    def merging_heights(self) -> np.ndarray:
        """The loss at which each minimum's valley joins one with a deeper minimum, (n,).

        Infinite for the deepest minimum of a tree. Less the minimum's loss it is the least barrier
        to anything deeper, its persistence.
        """
        deepest, joined = self.deepest, np.full(len(self.losses), np.inf)
        joined[deepest[self.children[:, 1]]] = self.heights
        return joined

    def barrier(self, a: ArrayLike, b: ArrayLike) -> np.ndarray:
        """The least over paths from minimum a to b of the highest loss on the path.

        a, b: indices that broadcast; the result has their common shape. Infinite where no path is
        known; the minimum's own loss from it to itself. Costs a step a level of the tree, for all
        pairs at once.

        Raises:
            ValueError: an index that is no minimum's.
        """
        a, b = np.broadcast_arrays(np.asarray(a), np.asarray(b))
        _check_indices(np.stack([a, b]), len(self.losses), what="the pair")
        first, second = a.ravel().copy(), b.ravel().copy()
        # parents have larger numbers than children: the smaller of two nodes is never the meeting
        while (apart := (first != second) & (first >= 0) & (second >= 0)).any():
            up = apart & (first < second)
            first, second = (
                np.where(up, self.parents[first], first),
                np.where(apart & ~up, self.parents[second], second),
            )
        met = self.node_heights[np.maximum(first, 0)]
        return np.where((first < 0) | (second < 0), np.inf, met).reshape(a.shape)

    def at_levels(self, levels: ArrayLike) -> Disconnectivity:
        """The same tree with every merge raised to the next of the levels: the conventional
        analysis (Becker & Karplus 1997), in which what joins between two levels joins at the upper.

        levels: (levels,) ascending, the last one at or above every merge.

        Raises:
            ValueError: levels that are not one ascending axis, or that end below a merge.
        """
        levels = np.asarray(levels, float)
        if levels.ndim != 1 or len(levels) == 0 or not (np.diff(levels) > 0).all():
            raise ValueError(f"the levels are {levels}: give one axis of ascending losses")
        if len(self.heights) and not self.heights[-1] <= levels[-1]:
            raise ValueError(
                f"the levels end at {levels[-1]:g}, below a merge at {self.heights[-1]:g}: "
                "give levels up to it"
            )
        raised = levels[np.searchsorted(levels, self.heights, side="left")]
        return dataclasses.replace(self, heights=raised)


def disconnectivity(
    losses: ArrayLike,
    edges: ArrayLike,
    heights: ArrayLike,
    *,
    widths: ArrayLike | None = None,
    images: str = "",
) -> Disconnectivity:
    """The tree of minima joined by saddles, each merge at the lowest saddle that makes it.

    Edges in the order of their heights, each one joining two valleys that were apart (Kruskal):
    the minimum spanning tree, so heights in the tree are the least highest losses between minima.
    An edge from a minimum to itself joins nothing. Costs m log m for m edges; on the host.

    Args:
        losses: (n,) of the minima.
        edges: (m, 2) whole numbers, the minima on both sides of each saddle.
        heights: (m,) the losses of the saddles.
        widths: (n,) the probability of reaching each minimum, summing to at most 1; what is
            missing reached something else.
        images: why images of a minimum count apart, if they do.

    Raises:
        ValueError: no minima; arrays of other shapes; losses or heights that are not finite; edges
            to no minimum; a saddle below one of its minima; widths that are no probabilities.
    """
    lows, ends, highs, shares = _checked(losses, edges, heights, widths)
    n = len(lows)
    forest, valley_of = np.arange(n), np.arange(n)  # of a set: its parent; its present node
    parents, deepest = np.full(2 * n - 1, -1), np.concatenate([np.arange(n), np.zeros(n - 1, int)])
    children, used = [], []
    for row in np.argsort(highs, kind="stable"):
        roots = [_root(forest, int(end)) for end in ends[row]]
        if roots[0] == roots[1]:
            continue
        # the deeper valley first; of equals, the one whose deepest minimum comes first
        pair = sorted(valley_of[roots], key=lambda node: (lows[deepest[node]], deepest[node]))
        merged = n + len(children)
        parents[pair], deepest[merged] = merged, deepest[pair[0]]
        forest[max(roots)], valley_of[min(roots)] = min(roots), merged
        children.append(pair)
        used.append(row)
    which = np.asarray(used, int)
    return Disconnectivity(
        losses=lows,
        heights=highs[which],
        children=np.asarray(children, int).reshape(-1, 2),
        parents=parents[: n + len(which)],
        saddles=which,
        widths=shares,
        images=images,
    )


def _root(forest: np.ndarray, end: int) -> int:
    """The set that an element is in; every second link on the way is shortened."""
    while forest[end] != end:
        forest[end] = forest[forest[end]]
        end = int(forest[end])
    return end


def _checked(losses: Any, edges: Any, heights: Any, widths: Any) -> tuple:
    losses, heights = np.asarray(losses, float), np.asarray(heights, float)
    edges = np.asarray(edges)
    edges = edges.reshape(0, 2).astype(int) if edges.size == 0 else edges
    if losses.ndim != 1 or len(losses) == 0:
        raise ValueError(f"the losses have shape {losses.shape}: give one for each minimum, (n,)")
    if edges.ndim != 2 or edges.shape[1] != 2 or heights.shape != edges.shape[:1]:
        raise ValueError(
            f"edges have shape {edges.shape} and heights {heights.shape}: give (m, 2) and (m,)"
        )
    for name, values in (("losses", losses), ("heights", heights)):
        if not np.isfinite(values).all():
            raise ValueError(f"the {name} hold NaN or infinity: leave such rows out")
    _check_indices(edges, len(losses), what="an edge")
    low = heights < losses[edges].max(axis=1, initial=-np.inf)
    if low.any():
        row = int(np.argmax(low))
        raise ValueError(
            f"edge {row} has height {heights[row]:g}, below the minima {losses[edges[row]]} that "
            "it joins: give the loss of the saddle between them"
        )
    return losses, edges, heights, None if widths is None else _probabilities(widths, len(losses))


def _check_indices(indices: np.ndarray, count: int, *, what: str) -> None:
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{what} is of {indices.dtype}: give whole numbers, indices of minima")
    outside = (indices < 0) | (indices >= count)
    if outside.any():
        raise ValueError(
            f"{what} names minimum {indices[outside][0]}, but there are {count}: "
            f"give 0 to {count - 1}"
        )


def _probabilities(widths: Any, count: int) -> np.ndarray:
    widths = np.asarray(widths, float)
    if widths.shape != (count,):
        raise ValueError(f"widths have shape {widths.shape}: give one a minimum, ({count},)")
    # a sum of n rounded shares errs by n roundings
    if not (widths >= 0).all() or not widths.sum() <= 1 + 4 * count * np.finfo(np.float32).eps:
        raise ValueError(
            f"widths from {widths.min():g}, summing to {widths.sum():g}, are no probabilities: "
            "give shares of all starts, at least 0 and at most 1 together"
        )
    return widths
