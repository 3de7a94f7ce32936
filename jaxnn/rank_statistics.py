"""Rank statistics of a score and an outcome, which no monotone scale changes, with intervals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from jaxnn import summaries
from jaxnn.intervals import Z95


class Estimate(NamedTuple):
    """A statistic and its 95 % interval."""

    value: float
    low: float
    high: float

    _repr_html_ = summaries.html()


def ranks(values: Any) -> np.ndarray:
    """1 for the smallest to n, ties sharing their mean; of the last axis, (..., n)."""
    values = np.asarray(values)
    if values.ndim > 1:
        return np.stack([ranks(row) for row in values])
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - 0.5 * (counts - 1))[place]


def auc(scores: Any, outcomes: Any, *, widen: float = 1.0) -> Estimate:
    """P(score of a positive > that of a negative), ties counted half, in [0, 1]: 0.5 tells nothing,
    below it the order is the reverse.

    scores, outcomes: (members,), the outcomes of bool, or of 0 and 1. The interval is DeLong's
    (DeLong, DeLong & Clarke-Pearson 1988) on the logit scale. Where that has no width, at 0 or 1 or
    where all are ties, Newcombe's method 5 (2006). `widen` is a factor on its half-width, on that
    scale. With 1 % of positives it held the truth of simulations in 91.8 %, not 95.

    Raises:
        ValueError: different lengths, scores that are not finite, outcomes of other values or all
            of one kind.
    """
    scores, outcomes = _paired(scores, outcomes)
    if not is_binary(outcomes):
        few = ", ".join(str(value) for value in np.unique(outcomes)[:3])
        raise ValueError(f"outcomes are {few} and so on: give bool, or 0 and 1")
    outcomes = outcomes.astype(bool)
    positive, negative = scores[outcomes], scores[~outcomes]
    if not len(positive) or not len(negative):
        raise ValueError("the outcomes are all alike: give some of each kind")
    # how often each is above those of the other kind, from ranks among all and among its own
    m, n = len(positive), len(negative)
    all_ranks = ranks(scores)
    above = (all_ranks[outcomes] - ranks(positive)) / n
    below = (m - (all_ranks[~outcomes] - ranks(negative))) / m
    value = float(np.mean(above))
    variance = (np.var(above) / max(m - 1, 1)) + (np.var(below) / max(n - 1, 1))
    if variance == 0 or not 0 < value < 1 or min(m, n) == 1:
        return Estimate(value, *_newcombe(value, m, n, Z95 * widen))
    half = Z95 * widen * math.sqrt(variance) / (value * (1 - value))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1))
    return Estimate(value, low, high)


def _newcombe(value: float, m: int, n: int, z: float) -> tuple[float, float]:
    """The t with |t - value| <= z sqrt(V(t)), V Hanley & McNeil's variance for exponential scores,
    with (m + n) / 2 - 1 in place of m - 1 and n - 1 (Newcombe 2006, method 5).
    """
    size = (m + n) / 2 - 1

    def inside(t: float) -> bool:
        spread = t * (1 - t) * (1 + size * (1 - t) / (2 - t) + size * t / (1 + t)) / (m * n)
        return abs(t - value) <= z * math.sqrt(spread)

    ends = []
    for far in (0.0, 1.0):
        near = value
        for _ in range(50):
            middle = 0.5 * (near + far)
            near, far = (middle, far) if inside(middle) else (near, middle)
        ends.append(near)
    return ends[0], ends[1]


def spearman(scores: Any, outcomes: Any, *, widen: float = 1.0) -> Estimate:
    """The correlation of the ranks, in [-1, 1], of (members,) each; NaN in [-1, 1] where either is
    constant.

    The interval is Fisher's, of variance (1 + r^2 / 2) / (n - 3) (Bonett & Wright 2000);
    `widen` is a factor on its half-width, on the scale of artanh r. Where the orders are the same,
    or reverse, it is from there to the end of the interval of the next order, with two neighbours
    exchanged.

    Raises:
        ValueError: different lengths, or numbers that are not finite.
    """
    scores, outcomes = _paired(scores, outcomes)
    a, b = (part - np.mean(part) for part in (ranks(scores), ranks(outcomes)))
    size = math.sqrt(float(a @ a) * float(b @ b))
    if size == 0 or len(a) < 4:
        return Estimate(math.nan, -1.0, 1.0)
    value = max(-1.0, min(1.0, float(a @ b) / size))
    half = Z95 * widen * math.sqrt((1 + value**2 / 2) / (len(a) - 3))
    next_ = 1 - 12 / (len(a) ** 3 - len(a))
    middle = math.atanh(max(-next_, min(next_, value)))
    low, high = math.tanh(middle - half), math.tanh(middle + half)
    return Estimate(value, min(value, low), max(value, high))


def is_binary(outcomes: np.ndarray) -> bool:
    """Whether outcomes are of bool, or of 0 and 1 of any type."""
    return outcomes.dtype == bool or bool(np.all((outcomes == 0) | (outcomes == 1)))


def check_numbers(values: np.ndarray, name: str) -> None:
    """Refuse what is neither numbers nor bool.

    Raises:
        ValueError: such values; the name says which.
    """
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{name} are of type {values.dtype}: give numbers, or bool")


def _paired(scores: Any, outcomes: Any) -> tuple[np.ndarray, np.ndarray]:
    scores, outcomes = np.asarray(scores), np.asarray(outcomes)
    if scores.ndim != 1 or scores.shape != outcomes.shape:
        raise ValueError(
            f"scores have shape {scores.shape} and outcomes {outcomes.shape}: give (members,) each"
        )
    for name, part in (("scores", scores), ("outcomes", outcomes)):
        check_numbers(part, name)
        bad = int(np.sum(~np.isfinite(part)))
        if bad:
            raise ValueError(f"{bad} of {part.size} {name} are not finite: leave those members out")
    return scores, outcomes
