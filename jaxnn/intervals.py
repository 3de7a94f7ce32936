"""Intervals for shares of a sample."""

from __future__ import annotations

import math
from typing import NamedTuple


class Share(NamedTuple):
    """A share of a sample and its interval, all in [0, 1]."""

    share: float
    low: float
    high: float


# the normal quantile at 0.975, for 95 % intervals
Z95 = 1.959963984540054


def wilson(successes: int, trials: int, *, z: float = Z95) -> Share:
    """The share successes / trials with its Wilson score interval, 95 % by default.

    The set of probabilities p with |share - p| <= z sqrt(p (1 - p) / trials): Wilson 1927; Brown,
    Cai & DasGupta 2001, eq. 4. It never leaves [0, 1] and has a width at 0 and at 1. Without trials
    it is all of [0, 1], around a share of NaN.

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
