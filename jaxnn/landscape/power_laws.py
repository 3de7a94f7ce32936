"""A power law through shares that were counted at several scales: the scales over which it holds,
its exponent, and an interval with all that the scatter of the scales leaves open.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

from jaxnn.landscape.borders import drawn_blocks

REPLICATES = 999
"""Bootstrap samples."""
FEWEST = 4
"""Scales that a slope is fitted to, at least, unless a bend leaves only three."""
FEWEST_BLOCKS = 5
"""Blocks with a border that an interval is drawn from, at least."""
MANY = 7
"""Scales that tell a rise and fall of the slope from chance."""
BENT = 0.15
"""Growth of the slope over the fitted scales, above which their line is no power law."""


Between = tuple[float, float] | None


class PowerLaw(NamedTuple):
    """share ~ scale^exponent over the `fitted` scales, (scales,) bool.

    low, high: the exponent's 95 % interval; NaN where the border lies in fewer than FEWEST_BLOCKS
    blocks.
    """

    exponent: float
    low: float
    high: float
    fitted: np.ndarray


def power_law(
    scales: np.ndarray, hits: np.ndarray, shares: np.ndarray, fitted: np.ndarray, *,
    slack: float, seed: int,
) -> PowerLaw:  # fmt: skip
    """The least-squares line through log share over log scale, and its interval.

    Three errors are in it. Sampling: bootstrap samples of the blocks whose hits (blocks, scales)
    the shares sum up. The scatter of the scales about the line, as of borders that repeat
    themselves at some scales alone: by Student's quantile, so that three scales say little unless
    they lie on a line. Both as if independent. A bend: the slopes that it leaves open in the limit
    of small scales (see `_left_open`). `slack` is added on either side.
    """
    x, y = np.log(scales[fitted]), np.log(shares[fitted])
    exponent = float(np.polyfit(x, y, 1)[0])
    some = hits.sum(axis=1) > 0
    sampled, scatter = _sampled(hits[some][:, fitted], x, y, seed), _scatter(x, y)
    below, above = (math.hypot(end - exponent, scatter) + slack for end in sampled)
    left = [exponent, *_left_open(x, y)]
    return PowerLaw(exponent, min(left) - below, max(left) + above, fitted)


def check_between(between: Between) -> None:
    """Refuse what is no pair of finite scales, the smaller first.

    Raises:
        ValueError: that.
    """
    if between is None:
        return
    given = np.asarray(between)
    number = given.dtype.kind in "iuf" and given.shape == (2,) and np.isfinite(given).all()
    if not number or not 0 < given[0] < given[1]:
        raise ValueError(
            f"between is {between!r}: give the smallest and the largest scale in pixels, in this "
            "order, such as (2, 32)"
        )


def fitted_scales(
    scales: np.ndarray, shares: np.ndarray, between: Between, *, largest: float, limit: float,
    smallest: int,
) -> np.ndarray:  # fmt: skip
    """Which scales are fitted, (scales,) bool: those between, or else a straight run.

    Raises:
        ValueError: fewer than three between.
    """
    if between is None:
        return _straight_run(scales, shares, largest=largest, limit=limit, smallest=smallest)
    inside = (scales >= between[0]) & (scales <= between[1])
    if np.sum(inside & (shares > 0)) < 3:
        raise ValueError(
            f"between {between} lie the scales {scales[inside].tolist()}: a slope needs three of "
            f"{scales.tolist()} with a border; widen the range"
        )
    return inside & (shares > 0)


def _straight_run(
    scales: np.ndarray, shares: np.ndarray, *, largest: float, limit: float, smallest: int
) -> np.ndarray:
    """Which scales are fitted, (scales,) bool: the longest run from the smallest on, up to the
    largest and as far as shares are at most the limit, whose line does not bend, or bends least.
    """
    x, y = np.log(scales), np.log(np.maximum(shares, np.finfo(float).tiny))
    candidates = np.flatnonzero((shares > 0) & (scales >= smallest))
    if len(candidates) < 3:
        return np.isin(np.arange(len(scales)), candidates)
    good = (scales[candidates] <= largest) & (shares[candidates] <= limit)
    count = max(FEWEST, int(np.sum(np.cumprod(good))))
    runs = [candidates[:few] for few in range(len(candidates[:count]), 2, -1)]
    bends = [
        max(bend(x[part], y[part]) for part in (at, at[: max(FEWEST, len(at) // 2)])) for at in runs
    ]
    best = next((k for k, value in enumerate(bends) if value <= BENT), np.argmin(bends))
    return np.isin(np.arange(len(scales)), runs[best])


def bend(x: np.ndarray, y: np.ndarray) -> float:
    """How far the slope varies along the parabola, or the cubic of many points, through them."""
    slopes = np.polyval(np.polyder(np.polyfit(x, y, 2 if len(x) < MANY else 3)), x)
    return float(np.ptp(slopes))


def _scatter(x: np.ndarray, y: np.ndarray) -> float:
    """The half width of the slope's 95 % interval, were the scatter about the line independent; at
    most the farthest that a slope between neighbours lies from it.
    """
    free, line = len(x) - 2, np.polyfit(x, y, 1)
    residuals = y - np.polyval(line, x)
    error = math.sqrt(float(np.sum(residuals**2)) / free / float(np.sum((x - x.mean()) ** 2)))
    farthest = float(np.max(np.abs(np.diff(y) / np.diff(x) - line[0])))
    return min(float(stats.t.ppf(0.975, free)) * error, farthest)


def _left_open(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Slopes that a bend of the line leaves open: of the parabola at the smallest scale, and, where
    shares fall behind the power law as boxes of more than one border do, of scale -> 0.
    """
    curved, tilt, _ = np.polyfit(x, y, 2)
    left = [float(tilt + 2 * curved * x[0])]
    falls = np.linalg.lstsq(np.stack([np.ones_like(x), x, np.exp(x)], 1), y, rcond=None)[0]
    if falls[2] < 0:
        left.append(float(falls[1]))
    return left


def _sampled(hits: np.ndarray, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % interval of the slope of y, log(sum of hits over blocks) and a part of each scale's
    own, over x: of blocks drawn with replacement.
    """
    blocks = len(hits)
    if blocks < FEWEST_BLOCKS:
        return math.nan, math.nan
    own = y - np.log(hits.sum(axis=0))
    with np.errstate(divide="ignore"):
        drawn = np.log(drawn_blocks(blocks, REPLICATES, seed) @ hits) + own
    gaps = x - np.mean(x)
    with np.errstate(invalid="ignore"):  # a scale without hits in these blocks
        slopes = drawn @ gaps / np.sum(gaps**2)
    low, high = np.quantile(slopes[np.isfinite(slopes)], [0.025, 0.975])
    return float(low), float(high)
