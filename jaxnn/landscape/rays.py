"""Labels along rays from a start, and where on a ray the first other label begins, on the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxnn.landscape.borders import ignored
from jaxnn.landscape.checks import check_alike, check_point

LabelsOf = Callable[[Any], Any]  # stacked points -> a whole number each
MOST_CUTS = 63
"""Of a bracket at once."""


class Rays:
    """The start, and labels around it by direction and distance, counted."""

    def __init__(self, labels_of: LabelsOf, start: Any, ignore: int | Sequence[int], batch: int):
        leaves, self.structure = jax.tree.flatten(jax.tree.map(np.asarray, start))
        self.like, self.labels_of, self.batch, self.evaluations = leaves, labels_of, batch, 0
        self.origin = np.concatenate([leaf.ravel().astype(np.float64) for leaf in leaves])
        self.label = int(self.labels(self.origin[None])[0])
        self.same = np.array([self.label, *ignored(ignore)])
        coarsest = max(float(np.finfo(leaf.dtype).eps) for leaf in leaves)
        self.spacing = coarsest * float(np.max(np.abs(self.origin), initial=0.0))

    def tree(self, rows: np.ndarray) -> Any:
        """The stacked points of rows (n, P), in the start's dtypes."""
        ends = np.cumsum([leaf.size for leaf in self.like])[:-1]
        parts = np.split(rows, ends, axis=1)
        leaves = [
            part.reshape(-1, *leaf.shape).astype(leaf.dtype)
            for part, leaf in zip(parts, self.like, strict=True)
        ]
        return jax.tree.unflatten(self.structure, leaves)

    def rows(self, stacked: Any) -> np.ndarray:
        """The points of a stacked tree as rows (n, P)."""
        check_point(stacked, what="the candidates")
        counts = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(stacked)}
        if len(counts) != 1 or counts & {(), (0,)}:
            raise ValueError(
                f"the candidates have leaves of {sorted(counts)} points: give one stack of points, "
                "at least one, or None"
            )
        one = jax.tree.map(lambda leaf: np.asarray(leaf)[0], stacked)
        check_alike(one, self.tree_of(self.origin), what="candidates and start")
        leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(stacked)]
        return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)

    def tree_of(self, row: np.ndarray) -> Any:
        """The point of one row."""
        return jax.tree.map(lambda leaf: leaf[0], self.tree(row[None]))

    def labels(self, rows: np.ndarray) -> np.ndarray:
        """The label of each row, (n,), from calls with `batch` points each."""
        found = [np.zeros(0, int)]
        for first in range(0, len(rows), self.batch):
            which = np.minimum(np.arange(first, first + self.batch), len(rows) - 1)
            labels = np.asarray(self.labels_of(self.tree(rows[which])))
            if labels.shape != which.shape or not np.issubdtype(labels.dtype, np.integer):
                raise ValueError(
                    f"labels_of gave {labels.dtype} of shape {labels.shape} for {len(which)} "
                    "points: wanted one whole number a point"
                )
            found.append(labels[: len(rows) - first])
        self.evaluations += len(rows)
        return np.concatenate(found)

    def other(self, units: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Whether the label that far along each direction is another than the start's."""
        return ~np.isin(self.labels(self.origin + distances[:, None] * units), self.same)

    def bisect(
        self, units: np.ndarray, inside: np.ndarray, outside: np.ndarray, precision: float
    ) -> np.ndarray:
        """Distances with another label, within the precision of one with the start's."""
        inside, outside = inside.copy(), outside.copy()
        while True:
            middle = 0.5 * (inside + outside)
            wide = outside - inside > np.maximum(precision * outside, self.spacing)
            which = np.flatnonzero(wide & (inside < middle) & (middle < outside))
            if not len(which):
                return outside
            # as many cuts of each bracket as a batch has room for: 1 would be bisection
            cuts = min(MOST_CUTS, max(1, self.batch // len(which)))
            shares = np.arange(1, cuts + 1) / (cuts + 1)
            places = inside[which, None] + shares * (outside - inside)[which, None]
            other = self.other(np.repeat(units[which], cuts, axis=0), places.ravel())
            other = np.append(other.reshape(-1, cuts), np.ones((len(which), 1), bool), axis=1)
            ends = np.column_stack([inside[which], places, outside[which]])
            first, at = np.argmax(other, axis=1), np.arange(len(which))
            inside[which], outside[which] = ends[at, first], ends[at, first + 1]
