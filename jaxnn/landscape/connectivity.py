"""What has been found of a landscape's minima and transition states so far, and which pair of
minima is tried next. On the host, in float64.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxnn.landscape.comparisons import distances
from jaxnn.landscape.many import at
from jaxnn.landscape.transitions import candidates, refined
from jaxnn.vocabulary import Landscape

SAME_LOSS = 1e-6
"""Points whose losses differ by more than this part of 1 + |loss| are not compared further."""


@dataclasses.dataclass(frozen=True)
class Effort:
    """How hard pairs are tried, and how near the same point is: see `saddles.graph`."""

    images: int
    band_steps: int
    steps: int
    walk: int
    tolerance: float


class Found:
    """Minima and transition states, each once over the group, in the order in which they came.

    minima, losses: trees and numbers, a row a minimum. transitions: a dict a transition state, with
    `edge` the numbers of its minima. tried: the pairs that were. refused: why -> how many.
    """

    def __init__(self, loss_fn: Landscape, group: Any, effort: Effort) -> None:
        self.loss_fn, self.group, self.effort = loss_fn, group, effort
        self.minima: list[Any] = []
        self.losses: list[float] = []
        self.transitions: list[dict[str, Any]] = []
        self.tried: set[tuple[int, int]] = set()
        self.refused: collections.Counter[str] = collections.Counter()
        self._apart: list[np.ndarray] = []  # row i: the distances from minimum i to those before

    def minimum(self, point: Any, loss: float) -> int:
        """The number of this minimum, which is taken in if it is new."""
        known = self._match(point, loss, self.minima, self.losses)
        if known is not None:
            return known
        self.minima.append(point)
        self.losses.append(loss)
        return len(self.minima) - 1

    def attempt(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Try these pairs, all bands side by side, and take in what passes the tests."""
        self.tried |= {_ordered(*pair) for pair in pairs}
        ends = [stacked([self.minima[pair[k]] for pair in pairs]) for k in (0, 1)]
        effort = self.effort
        guesses, of_pair = candidates(
            self.loss_fn, self.group, *ends, images=effort.images, steps=effort.band_steps
        )
        lost = len(pairs) - len(set(of_pair.tolist()))
        self.refused.update({"the band is not finite": lost} if lost else {})
        if len(of_pair):
            self.refine(guesses)

    def refine(self, guesses: Any) -> None:
        """Take in the transition states that these guesses lead to, and the minima beside them."""
        effort = self.effort
        tried = refined(self.loss_fn, guesses, steps=effort.steps, walk=effort.walk)
        for row, why in enumerate(tried.why):
            if why:
                self.refused[why] += 1
                continue
            sides = [at(tried.sides, (row, k)) for k in (0, 1)]
            edge = tuple(self.minimum(side.point, float(side.loss)) for side in sides)
            saddle = at(tried.saddles, row)
            self._transition(saddle, edge, [side.point for side in sides])

    def _transition(self, saddle: Any, edge: tuple[int, ...], sides: list[Any]) -> None:
        alike = [row for row in self.transitions if _ordered(*row["edge"]) == _ordered(*edge)]
        points, losses = [row["saddle"].point for row in alike], [row["loss"] for row in alike]
        if self._match(saddle.point, float(saddle.loss), points, losses) is None:
            row = {"saddle": saddle, "edge": edge, "sides": stacked(sides)}
            self.transitions.append(row | {"loss": float(saddle.loss)})

    def _match(self, point: Any, loss: float, points: list, losses: list) -> int | None:
        """The first of the points that is this one over the group."""
        gaps = np.abs(np.asarray(losses) - loss)
        near = np.flatnonzero(gaps <= SAME_LOSS * (1 + abs(loss)))
        if not len(near):
            return None
        away = distances(self.group, point, stacked([points[k] for k in near]))
        size = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(point)))
        same = near[away <= self.effort.tolerance * (1 + size)]
        return int(same[0]) if len(same) else None

    def apart(self) -> np.ndarray:
        """The distances between all minima over the group, (n, n)."""
        for row in range(len(self._apart), len(self.minima)):
            before = self.minima[:row]
            away = distances(self.group, self.minima[row], stacked(before)) if row else np.zeros(0)
            self._apart.append(away)
        n = len(self.minima)
        full = np.zeros((n, n))
        for row, away in enumerate(self._apart):
            full[row, :row] = full[:row, row] = away
        return full

    def missing(self, targets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The pairs to try next, so that these become connected: the untried ones on the cheapest
        path between each, where what is connected costs nothing, what was tried in vain cannot be
        gone, and the rest costs its squared distance (Carr, Trygubenko & Wales 2005, section II).
        """
        valleys = self._valleys()
        open_targets = [(a, b) for a, b in targets if valleys[a] != valleys[b]]
        if not open_targets:
            return []
        costs = self.apart() ** 2
        for a, b in self.tried:
            costs[a, b] = costs[b, a] = np.inf
        for row in self.transitions:
            a, b = row["edge"]
            costs[a, b] = costs[b, a] = 0.0
        wanted: dict[tuple[int, int], None] = {}
        for a, b in open_targets:
            way = cheapest(costs, a, b, together=np.add)
            for step in itertools.pairwise(way):
                if costs[step] > 0:
                    wanted[_ordered(*step)] = None
        return list(wanted)

    def _valleys(self) -> np.ndarray:
        """A number for each minimum, alike for those that transition states join."""
        number = np.arange(len(self.minima))
        for row in self.transitions:
            a, b = number[list(row["edge"])]
            number[number == max(a, b)] = min(a, b)
        return number

    def connect(self, targets: Sequence[tuple[int, int]], *, rounds: int) -> None:
        """Try the targets themselves, then for so many rounds what is missing between them."""
        pairs = list(dict.fromkeys(_ordered(*pair) for pair in targets))
        for _ in range(1 + rounds):
            if not pairs:
                return
            self.attempt(pairs)
            pairs = self.missing(targets)


def cheapest(costs: np.ndarray, a: int, b: int, *, together: Callable) -> list[int]:
    """The nodes of the cheapest path from a to b; [a] where there is none (Dijkstra 1959).

    costs: (n, n) >= 0, infinite where there is no way. together: how the costs of steps combine,
    np.add for the shortest path, np.maximum for the one with the lowest highest step.
    """
    best, before = np.full(len(costs), np.inf), np.full(len(costs), -1)
    best[a] = -np.inf if together is np.maximum else 0.0
    left = np.ones(len(costs), bool)
    while left[b]:
        node = int(np.argmin(np.where(left, best, np.inf)))
        if not left[node] or best[node] == np.inf:
            return [a]
        left[node] = False
        through = together(best[node], costs[node])
        closer = left & (through < best)
        best[closer], before[closer] = through[closer], node
    way = [b]
    while way[-1] != a:
        way.append(int(before[way[-1]]))
    return way[::-1]


def stacked(points: Sequence[Any]) -> Any:
    """A stacked tree of points, on the host."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *points)


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a <= b else (b, a)
