"""Intervals for shares of a sample, and for what the sample has not shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from jaxnn import summaries


class Share(NamedTuple):
    """A share of a sample and its interval, all in [0, 1]."""

    share: float
    low: float
    high: float

    _repr_html_ = summaries.html()


# the normal quantile at 0.975, for 95 % intervals
Z95 = 1.959963984540054


def wilson(successes: int, trials: int, *, z: float = Z95) -> Share:
    """The share successes / trials with its Wilson score interval, 95 % by default.

    The set of probabilities p with |share - p| <= z sqrt(p (1 - p) / trials): Wilson 1927; Brown,
    Cai & DasGupta 2001, eq. 4. It never leaves [0, 1] and has a width at 0 and at 1. Without trials
    it is all of [0, 1], around a share of NaN.

    >>> share, low, high = wilson(3, 10)
    >>> print(f"{share} [{low:.3f}, {high:.3f}]")
    0.3 [0.108, 0.603]

    Raises:
        ValueError: counts that are negative, or more successes than trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials: give 0 <= successes <= trials")
    if trials == 0:
        return Share(math.nan, 0.0, 1.0)
    share = successes / trials
    weight = 1.0 / (1.0 + z * z / trials)
    middle = weight * (share + z * z / (2 * trials))
    half = weight * z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return Share(share, low, high)


class Difference(NamedTuple):
    """A difference of two shares and its interval, all in [-1, 1]."""

    difference: float
    low: float
    high: float

    _repr_html_ = summaries.html()


def difference(
    first: int, first_trials: int, second: int, second_trials: int, *, z: float = Z95
) -> Difference:
    """The second share minus the first, of two independent samples, 95 % by default.

    Newcombe 1998 (Statistics in Medicine 17, 873, method 10): the Wilson intervals of both shares,
    squared and added.

    Raises:
        ValueError: as `wilson`, or a sample without trials.
    """
    if min(first_trials, second_trials) < 1:
        raise ValueError(f"trials are {first_trials} and {second_trials}: give at least one each")
    one, two = wilson(first, first_trials, z=z), wilson(second, second_trials, z=z)
    gap = two.share - one.share
    return Difference(
        gap,
        gap - math.hypot(two.share - two.low, one.high - one.share),
        gap + math.hypot(two.high - two.share, one.share - one.low),
    )


def paired_difference(
    *, both: int, first: int, second: int, neither: int, z: float = Z95
) -> Difference:
    """The second share minus the first, where the same trials were made twice, 95 % by default.

    Newcombe 1998 (Statistics in Medicine 17, 2635, method 10): the Wilson intervals of both shares,
    squared and added with the correlation phi of the four counts, continuity corrected where
    positive. Pairs that agree narrow it.

    >>> gap, low, high = paired_difference(both=60, first=5, second=15, neither=20)
    >>> print(f"{gap:.2f} [{low:.3f}, {high:.3f}]")
    0.10 [0.012, 0.187]

    Args:
        both: trials that succeeded both times.
        first: only the first time.
        second: only the second time.
        neither: never.
        z: the normal quantile.

    Raises:
        ValueError: a negative count, or no trials.
    """
    counts = (both, first, second, neither)
    trials = sum(counts)
    if min(counts) < 0 or trials == 0:
        raise ValueError(f"counts are {counts}: give none below 0, and at least one trial")
    one = wilson(both + first, trials, z=z)
    two = wilson(both + second, trials, z=z)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    excess = both * neither - first * second
    if excess > 0:
        excess = max(0.0, excess - trials / 2)
    phi = excess / math.sqrt(margins) if margins else 0.0
    gap = two.share - one.share

    def slack(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    return Difference(
        gap,
        gap - slack(two.share - two.low, one.high - one.share),
        gap + slack(two.high - two.share, one.share - one.low),
    )


class Unseen(NamedTuple):
    """What a sample of classes says of the classes that it does not hold.

    share: the probability that one more draw shows a new class; low, high: its 95 % interval.
    classes: how many are missing at least.
    """

    share: float
    low: float
    high: float
    classes: float

    _repr_html_ = summaries.html()


def unseen(hits: Iterable[int], *, unfinished: int = 0, z: float = Z95) -> Unseen:
    """What draws with these hits of each class found say of classes not found, by those hit once
    and twice, f1 and f2 of n draws.

    Share: f1 / n (Good 1953, after Turing). Interval: the score interval, as Wilson's, with the
    variance f1 (1 - f1 / n) + 2 f2 of what f1 errs by (Esty 1983); its lower end has f2's own upper
    limit for f2. It held in 95 % of samples of 20 to 1000 draws from uniform, geometric and Zipf
    distributions. Classes: Chao's lower bound f1 (f1 - 1) / (2 (f2 + 1)), without bias (Chao 1984,
    2005). Of draws that are independent and alike; without draws the interval is all of [0, 1],
    around a share of 1, and classes are NaN.

    A draw that was not finished may have been of a new class or of one known: it counts as a new
    one, hit once, in share and high, and as a known one in low and classes.

    >>> unseen([5, 3, 1, 1]).share  # two of ten draws were the first of their class
    0.2
    >>> unseen([5, 3, 1, 1], unfinished=10).share
    0.6

    Raises:
        ValueError: hits below 1, a number of unfinished draws below 0.
    """
    counts = [int(count) for count in hits]
    if any(count < 1 for count in counts):
        raise ValueError(f"hits are {counts}: give those of the classes found, each at least 1")
    if unfinished < 0:
        raise ValueError(f"unfinished is {unfinished}: give a whole number, at least 0")
    draws, once, twice = sum(counts) + unfinished, counts.count(1), counts.count(2)
    if draws == 0:
        return Unseen(1.0, 0.0, 1.0, math.nan)
    first = once + unfinished
    at_most = twice + z * z / 2 + z * math.sqrt(twice + z * z / 4)
    below = z * math.sqrt(once * (1 - once / draws) + 2 * at_most)
    above = z * z / 2 + z * math.sqrt(first * (1 - first / draws) + 2 * twice + z * z / 4)
    return Unseen(
        first / draws,
        max(0.0, (once - below) / draws),
        min(1.0, (first + above) / draws),
        once * (once - 1) / (2 * (twice + 1)) if counts else math.nan,
    )
