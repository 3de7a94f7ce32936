"""The dimension of the borders in a map of labels, by boxes and by pairs of pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import (
    checked_labels,
    drawn_blocks,
    hidden_boxes,
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
WIDE_BOX = 4
"""In pixels: boxes that miss little of a border that passes between the pixels."""
MANY = 7
"""Scales that tell a rise and fall of the slope from chance."""
BENT = 0.15
"""Growth of the dimension over the fitted scales, above which their line is no power law."""
UNSURE = 0.25
"""Of what `hidden_boxes` adds to a slope: its error on Sierpinski's carpet, the largest seen."""
EDGES = 2.0
"""Pixels: over the side, what mirrored edges may add to a slope."""
FLAT = 0.5
"""The exponent of pairs below which lines a pixel wide look as noise does."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dimension:
    """The dimension of borders, and what it was fitted to.

    dimension: axes - exponent. low, high: its 95 % interval; NaN where the border lies in fewer
        than FEWEST_BLOCKS blocks. exponent: the slope of log share over log scale: of pairs, the
        uncertainty exponent.
    scales: (scales,) in pixels. shares: (scales,) of the boxes or pairs at that scale that hold two
        labels; of boxes with what the pixels hide, by which they may pass 1. counts: (scales,)
        share * volume / scale^axes, boxes of a grid that hold a border on average.
    fitted: (scales,) bool: the scales that the slope is of. local_slopes: (scales - 1,) the
        dimension between one scale and the next. curvature: its growth over the fitted scales by
        the parabola through them; a power law has 0. blocks: how many of the map hold a border.
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

    _repr_html_ = summaries.html()


def box_dimension(
    labels: np.ndarray, *, ignore: int | Sequence[int] = (),
    between: tuple[float, float] | None = None, seed: int = 0,
) -> Dimension:  # fmt: skip
    """The box-counting dimension of the borders: log N(s) = -D log s + constant, N(s) the boxes of
    side s with two labels.

    N is the mean over all places of the grid, so a straight border gives 1 at any angle and scale.
    Small boxes miss borders that pass between the pixels; how many is seen from every second pixel
    and added (`borders.hidden_boxes`), after which von Koch's curve gives its 1.262 within 0.03 at
    256 pixels a side and 0.01 at 1024. Time and memory: some 20 numbers a pixel and scale.

    The slope is by least squares over the scales from a pixel to a sixteenth of the shortest side,
    as far as at most half of the boxes hold a border, but over FEWEST scales at least. A strip or a
    checkerboard has a scale of its own, its width, where the line bends: the largest scales are
    left out until the slope varies by no more than BENT, which leaves those below the width, three
    at least. Borders nearer to each other than three pixels so have no dimension of their own here,
    and the interval says so.

    The interval is of REPLICATES bootstrap samples of the blocks of the map (64 of a line, 8 x 8,
    4 x 4 x 4), not of pixels, which are not independent; each fits a part of the scales. Added are
    a quarter of what hidden boxes change, EDGES / side, and what a bend that is left leaves open:
    the parabola's slope at the smallest scale, the limit of scale 0 where large boxes hold several
    borders, where no run of scales is straight the slope of the first two, and a smooth border's 1
    where the dimension falls with scale, as of strips too narrow to be resolved.

    Args:
        labels: whole numbers, a pixel each, one axis a direction of the line, plane or volume.
        ignore: labels of pixels that count as unknown; others below 0 are labels like any.
        between: the smallest and the largest scale of the fit, in pixels; all of them are fitted.
        seed: of the bootstrap.

    Raises:
        ValueError: labels that are no whole numbers; fewer than 16 pixels along an axis; fewer than
            two labels; a range that is no pair of finite scales in order; fewer than three scales
            to fit.
    """
    _check_between(between)
    ranks, _ = checked_labels(labels, ignore=ignore)
    scales = scales_up_to(min(ranks.shape) // 4)
    hits, shares = mixed_boxes(ranks, scales)
    added, smallest = hidden_boxes(ranks, scales, shares), 1
    wide = (scales >= WIDE_BOX) & (scales <= min(ranks.shape) / 16) & (shares > 0)
    if between is None and wide.sum() > FEWEST:
        x, y = np.log(scales[wide]), np.log(shares[wide])
        # pixels in step with the borders: what every second one shows is no smaller map of theirs
        if _unevenness(x, y) < BENT < _unevenness(x, y + added[wide]):
            added, smallest = np.zeros(len(scales)), WIDE_BOX
    shares = shares * np.exp(added)
    fitted = _range(scales, shares, ranks, between, limit=0.5, smallest=smallest)
    return _measured(ranks, scales, hits, shares, fitted, seed, added)


def uncertainty_exponent(
    labels: np.ndarray, *, ignore: int | Sequence[int] = (),
    between: tuple[float, float] | None = None, seed: int = 0,
) -> Dimension:  # fmt: skip
    """f(s) ~ s^exponent, f the share of pairs of pixels at distance s along an axis with different
    labels (Grebogi, McDonald, Ott & Yorke 1983); the dimension is axes - exponent.

    How much precision of the initial point buys: halving its error makes a wrong prediction
    2^-exponent times as frequent. f has no bias at any distance, since it asks for no more than two
    points; a straight border gives exponent 1, a random map 0. Fitted from 1 pixel on, as far as f
    is at most half of what pairs far apart have, 1 - sum of squared shares of the labels. A strip a
    pixel wide looks as noise does, exponent 0: below FLAT the dimension's interval reaches down to
    that by boxes, which tell the two apart. All else as `box_dimension`.

    Raises:
        ValueError: as `box_dimension`.
    """
    _check_between(between)
    ranks, values = checked_labels(labels, ignore=ignore)
    scales = scales_up_to(min(ranks.shape) // 4)
    hits, shares = unlike_pairs(ranks, scales)
    parts = np.bincount(ranks[ranks >= 0], minlength=len(values)) / np.sum(ranks >= 0)
    limit = 0.5 * (1 - float(np.sum(parts**2)))
    fitted = _range(scales, shares, ranks, between, limit=limit)
    found = _measured(ranks, scales, hits, shares, fitted, seed)
    if found.exponent > FLAT:
        return found
    boxes = box_dimension(labels, ignore=ignore, between=between, seed=seed)
    return dataclasses.replace(found, low=min(found.low, boxes.low))


def _check_between(between: tuple[float, float] | None) -> None:
    """Refuse what is no pair of finite scales, the smaller first."""
    if between is None:
        return
    given = np.asarray(between)
    number = given.dtype.kind in "iuf" and given.shape == (2,) and np.isfinite(given).all()
    if not number or not 0 < given[0] < given[1]:
        raise ValueError(
            f"between is {between!r}: give the smallest and the largest scale in pixels, in this "
            "order, such as (2, 32)"
        )


def _range(
    scales: np.ndarray, shares: np.ndarray, ranks: np.ndarray,
    between: tuple[float, float] | None, *, limit: float, smallest: int = 1,
) -> np.ndarray:  # fmt: skip
    """Which scales are fitted, (scales,) bool: those between, or else the longest run of good ones
    from the smallest on whose line is straight, or the straightest.
    """
    if between is not None:
        fitted = (scales >= between[0]) & (scales <= between[1]) & (shares > 0)
        if fitted.sum() < 3:
            some = scales[(scales >= between[0]) & (scales <= between[1])].tolist()
            raise ValueError(
                f"between {between} lie the scales {some}: a slope needs three of "
                f"{scales.tolist()} with a border; widen the range"
            )
        return fitted
    x, y = np.log(scales), np.log(np.maximum(shares, np.finfo(float).tiny))
    candidates = np.flatnonzero((shares > 0) & (scales >= smallest))
    if len(candidates) < 3:
        return np.isin(np.arange(len(scales)), candidates)
    good = (scales[candidates] <= min(ranks.shape) / 16) & (shares[candidates] <= limit)
    count = max(FEWEST, int(np.sum(np.cumprod(good))))
    runs = [candidates[:few] for few in range(len(candidates[:count]), 2, -1)]
    uneven = [
        max(_unevenness(x[part], y[part]) for part in (at, at[: max(FEWEST, len(at) // 2)]))
        for at in runs
    ]
    best = next((k for k, value in enumerate(uneven) if value <= BENT), np.argmin(uneven))
    return np.isin(np.arange(len(scales)), runs[best])


def _falls(scales: np.ndarray, y: np.ndarray, largest: float) -> bool:
    """Whether the dimension falls from the smaller to the larger scales, as of narrow strips, by as
    much as half of an arc of growth -BENT.
    """
    at = np.flatnonzero((scales <= largest) & np.isfinite(y))
    if len(at) < 2 * FEWEST - 1:
        return False
    x, half = np.log(scales), len(at) // 2
    first, second = (np.polyfit(x[part], y[part], 1)[0] for part in (at[: half + 1], at[half:]))
    return bool(second - first > BENT / 2)


def _unevenness(x: np.ndarray, y: np.ndarray) -> float:
    """How far the slope varies along the parabola, or the cubic of many points, through them."""
    slopes = np.polyval(np.polyder(np.polyfit(x, y, 2 if len(x) < MANY else 3)), x)
    return float(np.ptp(slopes))


def _measured(
    ranks: np.ndarray, scales: np.ndarray, hits: np.ndarray, shares: np.ndarray,
    fitted: np.ndarray, seed: int,
    added: np.ndarray | float = 0.0,
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
    some = hits.sum(axis=1) > 0
    low, high = _interval(hits[some][:, fitted], x[fitted], y[fitted], seed)
    of_added = np.polyfit(x[fitted], (added + 0 * x)[fitted], 1)[0]
    unsure = UNSURE * abs(float(of_added)) + EDGES / min(ranks.shape)
    left = _left_open(scales[fitted], y[fitted])
    if _falls(scales, y, min(ranks.shape) / 16):
        left.append(1.0)
    left = np.clip(left, 0, 1)
    volume = np.prod([size - 1.0 for size in ranks.shape])
    with np.errstate(invalid="ignore"):
        local_slopes = axes - np.diff(y) / np.diff(x)
    return Dimension(
        dimension=axes - exponent,
        low=axes - max(high + unsure, *left),
        high=axes - min(low - unsure, *left),
        exponent=exponent,
        scales=scales,
        shares=shares,
        counts=shares * volume / scales.astype(float) ** axes,
        fitted=fitted,
        local_slopes=local_slopes,
        curvature=float(-2 * np.polyfit(x[fitted], y[fitted], 2)[0] * np.ptp(x[fitted])),
        blocks=int(some.sum()),
    )


def _left_open(scales: np.ndarray, y: np.ndarray) -> list[float]:
    """Slopes that a bend of the line leaves open: of the parabola at the smallest scale, and, where
    shares fall behind the power law as boxes of more than one border do, of scale -> 0.
    """
    x = np.log(scales)
    bend, tilt, _ = np.polyfit(x, y, 2)
    left = [float(tilt + 2 * bend * x[0])]
    falls = np.linalg.lstsq(np.stack([np.ones_like(x), x, scales], 1), y, rcond=None)[0]
    if falls[2] < 0:
        left.append(float(falls[1]))
    if _unevenness(x, y) > BENT:
        left.append(float((y[1] - y[0]) / (x[1] - x[0])))
    return left


def _interval(hits: np.ndarray, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % interval of the slope of y, log(sum of hits over blocks) and a part of each scale's
    own, over x.

    Each replicate draws the blocks with replacement, a run of at least half of the scales, and the
    signs of the residuals, which are added once more: what varies over the map, with the range of
    scales, and about the power law.
    """
    blocks, count = hits.shape
    if blocks < FEWEST_BLOCKS:
        return np.nan, np.nan
    rng = np.random.default_rng([seed, 1])
    own = y - np.log(hits.sum(axis=0))
    residuals = y - np.polyval(np.polyfit(x, y, 1), x)
    signs = rng.choice([-1.0, 1.0], size=(REPLICATES, count))
    with np.errstate(divide="ignore"):
        drawn = np.log(drawn_blocks(blocks, REPLICATES, seed) @ hits) + own + signs * residuals
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
