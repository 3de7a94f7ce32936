"""What can be said of labels alone: how probable each is, with intervals, and how two sets of
labels of the same starts differ.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

import numpy as np
from scipy import stats

from jaxnn import summaries
from jaxnn.intervals import Difference, Share, paired_difference, wilson


class Nowhere(enum.IntEnum):
    """Labels of starts that lead to no attractor."""

    unfinished = -1  # the steps ran out, and what lies ahead was not found
    plateau = -2  # training idles at a saddle
    diverged = -3  # the loss is not finite
    kink = -4  # training rests where there is no second derivative
    restless = -5  # its steps are too long to rest at what lies below, or its loss wavers


IN_WORDS = {
    Nowhere.unfinished: "what lies ahead was not found",
    Nowhere.plateau: "idles at a saddle",
    Nowhere.diverged: "diverged",
    Nowhere.kink: "rests at a kink",
    Nowhere.restless: "hops about what lies below",
}
"""No outcome of training has these names, which say where it ended and not what lies below."""


def spoken(label: int) -> str:
    """The label in words: what a code of `Nowhere` means, or the attractor's number."""
    return str(label) if label >= 0 else IN_WORDS[Nowhere(label)]


@dataclasses.dataclass(frozen=True)
class Probabilities:
    """How often each label came up, by label: the codes of `Nowhere` first. All (labels,).

    share, low, high: with the Wilson 95 % interval of each. Starts that are unfinished may lead to
    any attractor: the upper end of each counts them as its own, the share and the lower end do not.
    unfinished: how many these are.
    """

    labels: np.ndarray
    counts: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unfinished: int = 0

    _repr_html_ = summaries.html(labels=Nowhere)

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
    """The share of the starts that each label has, with Wilson 95 % intervals, whose upper ends
    count starts that are unfinished for every attractor.

    >>> found = probabilities([0, 0, 1, Nowhere.diverged])
    >>> found.labels, found.share
    (array([-3,  0,  1]), array([0.25, 0.5 , 0.25]))

    Args:
        labels: whole numbers of any shape.
        among: the labels asked for, in this order; default those that came up.

    Raises:
        ValueError: labels that are no whole numbers, or none at all.
    """
    flat = checked_labels(labels).ravel()
    asked = np.unique(flat) if among is None else np.asarray(among, int)
    counts = np.array([np.sum(flat == label) for label in asked], int)
    left = int(np.sum(flat == Nowhere.unfinished))
    more = np.where(asked >= 0, left, 0)
    shares = [wilson(int(count), len(flat)) for count in counts]
    high = [wilson(int(count), len(flat)).high for count in counts + more]
    share, low, _ = np.array(shares).reshape(-1, 3).T
    return Probabilities(asked, counts, share, low, np.array(high), left)


def checked_labels(labels: Any) -> np.ndarray:
    """The labels as an array of whole numbers.

    Raises:
        ValueError: other numbers, none, or some that are masked.
    """
    if np.ma.is_masked(labels):
        raise ValueError(
            f"{np.ma.count_masked(labels)} of the labels are masked: leave these starts out, "
            "labels.compressed(), or give them a code of Nowhere, labels.filled(-1)"
        )
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

    _repr_html_ = summaries.html(labels=Nowhere)


def compare(first: Any, second: Any) -> Comparison:
    """What share of the starts two sets of labels disagree on.

    Both must number the attractors alike: see `basins.together`.

    >>> compare([0, 0, 1, 1], [0, 1, 1, 1]).share.share
    0.25

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

    Unfinished starts may lead to any attractor: the lower end counts those of the first set as this
    label, the upper end those of the second.

    Raises:
        ValueError: as `compare`.
    """
    one, two = checked_labels(first), checked_labels(second)
    if one.shape != two.shape:
        raise ValueError(
            f"labels of shapes {one.shape} and {two.shape}: give the same starts twice"
        )
    a, b = one == label, two == label
    if label < 0:
        return _paired(a, b)
    first_may, second_may = (a | (one == Nowhere.unfinished)), (b | (two == Nowhere.unfinished))
    return Difference(
        _paired(a, b).difference, _paired(first_may, b).low, _paired(a, second_may).high
    )


def _paired(a: np.ndarray, b: np.ndarray) -> Difference:
    return paired_difference(
        both=int(np.sum(a & b)), first=int(np.sum(a & ~b)), second=int(np.sum(b & ~a)),
        neither=int(np.sum(~a & ~b)),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class FamilyTest:
    """Whether attractors that the symmetries of the data carry into one another are equally
    probable: Pearson's statistic summed over their families, its degrees of freedom, and the
    probability of a larger one if they are. Without a family of two that came up it is NaN.
    """

    statistic: float
    degrees: int
    p_value: float

    _repr_html_ = summaries.html()


def within_families(labels: Any, families: Any) -> FamilyTest:
    """A test that costs nothing of everything on the way from draws to labels: attractors that
    symmetries of the data and of the initial distribution carry into one another are equally
    probable, whatever the dynamics.

    Families with fewer than five starts for each of their attractors are left out: Pearson's
    statistic is not chi-squared there. Starts drawn at random; a grid is none.

    Args:
        labels: of the starts, as in `Basins`.
        families: (attractors,) a number for each family, such as `basins.equal_families` gives.

    Raises:
        ValueError: labels that are no whole numbers, or beyond the attractors.
    """
    flat, families = checked_labels(labels).ravel(), np.asarray(families, int)
    if flat.max() >= len(families):
        raise ValueError(f"label {flat.max()} of {len(families)} attractors: give theirs")
    counts = np.bincount(flat[flat >= 0], minlength=len(families))
    statistic, degrees = 0.0, 0
    for family in np.unique(families):
        of_it = counts[families == family]
        if len(of_it) > 1 and of_it.mean() >= 5:
            statistic += float(stats.chisquare(of_it).statistic)
            degrees += len(of_it) - 1
    if not degrees:
        return FamilyTest(float("nan"), 0, float("nan"))
    return FamilyTest(statistic, degrees, float(stats.chi2.sf(statistic, degrees)))
