"""The dimension of the borders in a map of labels, by boxes and by pairs of pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn.landscape.borders import (
    checked_labels,
    drawn_blocks,
    mixed_boxes,
    scales_up_to,
    unlike_pairs,
)

REPLICATES = 999
"""Bootstrap samples."""
FEWEST = 4
"""Scales that a slope is fitted to, at least, unless told otherwise."""
FEWEST_BLOCKS = 5
"""Blocks with a border that an interval is drawn from, at least."""
SMALLEST_BOX = 4
"""In pixels: below it, boxes miss parts of a border that pass between the pixels."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dimension:
    """The dimension of borders, and what it was fitted to.

    dimension: axes - exponent. low, high: its 95 % interval; NaN where the border lies in fewer
        than FEWEST_BLOCKS blocks of the map.
    exponent: the slope of log share over log scale: of pairs, the uncertainty exponent.
    scales: (scales,) in pixels. shares: (scales,) of the boxes or pairs at that scale that hold two
        labels.
    counts: (scales,) share * volume / scale^axes, how many boxes of a grid hold a border on
        average.
    fitted: (scales,) bool: the scales that the slope is of.
    local_slopes: (scales - 1,) the dimension between one scale and the next.
    curvature: how much the dimension grows over the fitted scales by the parabola through them. A
        power law has 0.
    blocks: how many blocks of the map hold a border.
    """

    dimension: float
    low: float
    high: float
    exponent: float
    scales: np.ndarray
    shares: np.ndarray
    counts: np.ndarray
    fitted: np.ndarray
    local_slopes: np.ndarray
    curvature: float
    blocks: int


def box_dimension(
    labels: np.ndarray, *, ignore: Sequence[int] = (), between: tuple[float, float] | None = None,
    seed: int = 0,
) -> Dimension:  # fmt: skip
    """The box-counting dimension of the borders: log N(s) = -D log s + constant, N(s) the boxes of
    side s with two labels.

    N is the mean over all places of the grid, so a straight border gives 1 at any angle and scale.
    Borders finer than the pixels are missed, the more the smaller the boxes: the dimension of a
    fractal comes out low, by about 0.03 for 1.26 at 256 pixels a side and 0.02 at 1024, where pairs
    give it within 0.01. Time and memory: some 10 numbers a pixel and scale.

    The slope is by least squares over the scales from SMALLEST_BOX to a sixteenth of the shortest
    side, as far as at most half of the boxes hold a border, but over FEWEST scales at least. The
    interval is of REPLICATES bootstrap samples of the blocks of the map (64 of a line, 8 x 8, 4 x 4
    x 4), not of pixels, which are not independent; each fits a part of the scales, and what a bend
    of the line leaves open is added: the slope that a parabola has at the smallest scale.

    Args:
        labels: whole numbers, a pixel each, one axis a direction of the line, plane or volume.
        ignore: labels of pixels that count as unknown; others below 0 are labels like any.
        between: the smallest and the largest scale of the fit, in pixels.
        seed: of the bootstrap.

    Raises:
        ValueError: labels that are no whole numbers; fewer than 16 pixels along an axis; fewer than
            two labels; fewer than three scales to fit.
    """
    ranks, _ = checked_labels(labels, ignore=ignore)
    scales = scales_up_to(min(ranks.shape) // 4)
    hits, shares = mixed_boxes(ranks, scales)
    fitted = _range(scales, shares, ranks, between, smallest=SMALLEST_BOX, limit=0.5)
    return _measured(ranks, scales, hits, shares, fitted, seed)


def uncertainty_exponent(
    labels: np.ndarray, *, ignore: Sequence[int] = (), between: tuple[float, float] | None = None,
    seed: int = 0,
) -> Dimension:  # fmt: skip
    """f(s) ~ s^exponent, f the share of pairs of pixels at distance s along an axis with different
    labels (Grebogi, McDonald, Ott & Yorke 1983); the dimension is axes - exponent.

    How much precision of the initial point buys: halving its error makes a wrong prediction
    2^-exponent times as frequent. f has no bias at any distance, since it asks for no more than two
    points; a straight border gives exponent 1, a random map 0. Fitted from 1 pixel on, as far as f
    is at most half of what pairs far apart have, 1 - sum of squared shares of the labels. All else
    as `box_dimension`.

    Raises:
        ValueError: as `box_dimension`.
    """
    ranks, values = checked_labels(labels, ignore=ignore)
    scales = scales_up_to(min(ranks.shape) // 4)
    hits, shares = unlike_pairs(ranks, scales)
    parts = np.bincount(ranks[ranks >= 0], minlength=len(values)) / np.sum(ranks >= 0)
    limit = 0.5 * (1 - float(np.sum(parts**2)))
    fitted = _range(scales, shares, ranks, between, smallest=1, limit=limit)
    return _measured(ranks, scales, hits, shares, fitted, seed)


def _range(
    scales: np.ndarray, shares: np.ndarray, ranks: np.ndarray,
    between: tuple[float, float] | None, *, smallest: int, limit: float,
) -> np.ndarray:  # fmt: skip
    """Which scales are fitted, (scales,) bool."""
    if between is not None:
        fitted = (scales >= between[0]) & (scales <= between[1]) & (shares > 0)
        if fitted.sum() < 3:
            some = scales[(scales >= between[0]) & (scales <= between[1])].tolist()
            raise ValueError(
                f"between {between} lie the scales {some}: a slope needs three of "
                f"{scales.tolist()} with a border; widen the range"
            )
        return fitted
    candidates = np.flatnonzero((scales >= smallest) & (shares > 0))
    if len(candidates) < 3:  # a short side: all there are
        candidates = np.flatnonzero(shares > 0)
    good = (scales[candidates] <= min(ranks.shape) / 16) & (shares[candidates] <= limit)
    count = max(FEWEST, int(np.sum(np.cumprod(good))))
    return np.isin(np.arange(len(scales)), candidates[:count])


def _measured(
    ranks: np.ndarray, scales: np.ndarray, hits: np.ndarray, shares: np.ndarray,
    fitted: np.ndarray, seed: int,
) -> Dimension:  # fmt: skip
    """The line through the fitted scales, its bend and its interval."""
    if fitted.sum() < 3:
        raise ValueError(
            f"labels differ at the scales {scales[shares > 0].tolist()} alone: a dimension needs "
            "three; give a larger map, or ignore fewer labels"
        )
    axes, x = ranks.ndim, np.log(scales)
    with np.errstate(divide="ignore"):
        y = np.log(shares)
    exponent = float(np.polyfit(x[fitted], y[fitted], 1)[0])
    bend, tilt, _ = np.polyfit(x[fitted], y[fitted], 2)
    some = hits.sum(axis=1) > 0
    low, high = _interval(hits[some][:, fitted], x[fitted], seed)
    at_smallest = float(tilt + 2 * bend * x[fitted][0])
    volume = np.prod([size - 1.0 for size in ranks.shape])
    with np.errstate(invalid="ignore"):
        local_slopes = axes - np.diff(y) / np.diff(x)
    return Dimension(
        dimension=axes - exponent,
        low=axes - max(high, at_smallest),
        high=axes - min(low, at_smallest),
        exponent=exponent,
        scales=scales,
        shares=shares,
        counts=shares * volume / scales.astype(float) ** axes,
        fitted=fitted,
        local_slopes=local_slopes,
        curvature=float(-2 * bend * np.ptp(x[fitted])),
        blocks=int(some.sum()),
    )


def _interval(hits: np.ndarray, x: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % interval of the slope of log(sum of hits over blocks) over x.

    Each replicate draws the blocks with replacement, a run of at least half of the scales, and the
    signs of the residuals, which are added once more: what varies over the map, with the range of
    scales, and about the power law.
    """
    blocks, count = hits.shape
    if blocks < FEWEST_BLOCKS:
        return np.nan, np.nan
    rng = np.random.default_rng([seed, 1])
    y = np.log(hits.sum(axis=0))
    residuals = y - np.polyval(np.polyfit(x, y, 1), x)
    signs = rng.choice([-1.0, 1.0], size=(REPLICATES, count))
    with np.errstate(divide="ignore"):
        drawn = np.log(drawn_blocks(blocks, REPLICATES, seed) @ hits) + signs * residuals
    least = max(3, -(-count // 2))
    length = rng.integers(min(least, count), count + 1, REPLICATES)
    start = rng.integers(0, count - length + 1)
    at = np.arange(count)
    weights = (at >= start[:, None]) & (at < (start + length)[:, None])
    gaps = (x - np.sum(weights * x, axis=1, keepdims=True) / length[:, None]) * weights
    with np.errstate(invalid="ignore"):  # a scale without hits in these blocks
        slopes = np.sum(gaps * drawn, axis=1) / np.sum(gaps * x, axis=1)
    low, high = np.quantile(slopes[np.isfinite(slopes)], [0.025, 0.975])
    return float(low), float(high)
