"""What can be said of labels alone: how probable each is, with intervals, and how two sets of
labels of the same starts differ.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

import numpy as np

from jaxnn.intervals import Difference, Share, paired_difference, wilson


class Nowhere(enum.IntEnum):
    """Labels of starts that lead to no attractor."""

    unfinished = -1  # the steps ran out, and what lies ahead was not found
    plateau = -2  # training rests at a saddle
    diverged = -3  # the loss is not finite
    kink = -4  # training rests where there is no second derivative


def spoken(label: int) -> str:
    """The label in words: the name of a code of `Nowhere`, or the attractor's number."""
    return str(label) if label >= 0 else Nowhere(label).name


@dataclasses.dataclass(frozen=True)
class Probabilities:
    """How often each label came up, by label: the codes of `Nowhere` first. All (labels,).

    share, low, high: with the Wilson 95 % interval of each.
    """

    labels: np.ndarray
    counts: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def of(self, label: int) -> Share:
        """The share of one label and its interval.

        Raises:
            ValueError: a label that is not among these; give `labels` to `probabilities`.
        """
        where = np.flatnonzero(self.labels == label)
        if not len(where):
            raise ValueError(f"label {label} is not among {self.labels.tolist()}")
        k = int(where[0])
        return Share(float(self.share[k]), float(self.low[k]), float(self.high[k]))


def probabilities(labels: Any, *, among: Any = None) -> Probabilities:
    """The share of the starts that each label has, with Wilson 95 % intervals.

    Args:
        labels: whole numbers of any shape.
        among: the labels asked for, in this order; default those that came up.

    Raises:
        ValueError: labels that are no whole numbers, or none at all.
    """
    flat = checked_labels(labels).ravel()
    asked = np.unique(flat) if among is None else np.asarray(among, int)
    counts = np.array([np.sum(flat == label) for label in asked], int)
    shares = np.array([wilson(int(count), len(flat)) for count in counts]).reshape(-1, 3)
    return Probabilities(asked, counts, *shares.T)


def checked_labels(labels: Any) -> np.ndarray:
    """The labels as an array of whole numbers.

    Raises:
        ValueError: other numbers, or none.
    """
    array = np.asarray(labels)
    if array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"the labels are {array.size} numbers of {array.dtype}: give at least one whole number"
        )
    return array


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two sets of labels of the same starts.

    changed: where they differ, in the labels' shape. share: of the starts, with its Wilson 95 %
    interval, which holds for starts drawn at random and not for a grid. labels: those that came
    up; table: (labels, labels) how many starts have the first there, then the second.
    """

    changed: np.ndarray
    share: Share
    labels: np.ndarray
    table: np.ndarray


def compare(first: Any, second: Any) -> Comparison:
    """What share of the starts two sets of labels disagree on.

    Both must number the attractors alike: see `basins.together`.

    Raises:
        ValueError: labels of different shapes, or as `probabilities`.
    """
    a, b = checked_labels(first), checked_labels(second)
    if a.shape != b.shape:
        raise ValueError(f"labels of shapes {a.shape} and {b.shape}: give the same starts twice")
    changed, named = a != b, np.union1d(a, b)
    table = np.zeros((len(named), len(named)), int)
    np.add.at(table, (np.searchsorted(named, a.ravel()), np.searchsorted(named, b.ravel())), 1)
    return Comparison(changed, wilson(int(changed.sum()), changed.size), named, table)


def difference(first: Any, second: Any, label: int) -> Difference:
    """By how much the probability of a label is higher in the second set of labels, with a 95 %
    interval that uses that start i of both comes from one unit draw (`paired_difference`).

    Raises:
        ValueError: as `compare`.
    """
    a, b = checked_labels(first) == label, checked_labels(second) == label
    if a.shape != b.shape:
        raise ValueError(f"labels of shapes {a.shape} and {b.shape}: give the same starts twice")
    return paired_difference(
        both=int(np.sum(a & b)), first=int(np.sum(a & ~b)), second=int(np.sum(b & ~a)),
        neither=int(np.sum(~a & ~b)),
    )  # fmt: skip
