"""The dimension of the borders in a map of labels, by boxes and by pairs of pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import (
    checked_labels,
    hidden_boxes,
    mixed_boxes,
    scales_up_to,
    unlike_pairs,
)
from jaxnn.landscape.power_laws import (
    BENT,
    FEWEST,
    FEWEST_BLOCKS,
    Between,
    bend,
    check_between,
    fitted_scales,
    power_law,
)

FULL = 0.5
"""Share of boxes, or part of the pairs that differ at all, up to which scales are fitted."""
WIDE_BOX = 4
"""In pixels: boxes that miss little of a border that passes between the pixels."""
UNSURE = 0.25
"""Of what `hidden_boxes` adds to a slope: its error on Sierpinski's carpet, the largest seen."""
EDGES = 2.0
"""Pixels: over the side, what mirrored edges may add to a slope."""
ROUGHER = 0.05
"""By so much one axis has to be rougher than all together; noise of fractals alike in all
directions stays below it at 256 pixels."""
APART, TOO_WIDE = 0.1, 0.4
"""Between the intervals of boxes and pairs, and wide, from which on they tell no dimension."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dimension:
    """The dimension of borders, and what it was fitted to.

    dimension: axes - exponent, from axes - 1 to axes. low, high: its 95 % interval; from axes - 1
        to axes where there is a doubt. doubt: a sentence, why the map cannot tell the dimension;
        empty where it can.
    exponent: the slope of log share over log scale: of pairs, the uncertainty exponent.
    scales: (scales,) in pixels. shares: (scales,) of the boxes or pairs at that scale that hold two
        labels, along the axis that the exponent is of; of boxes with what the pixels hide, by which
        they may pass 1. counts: (scales,) share * volume / scale^axes, boxes of a grid that hold a
        border on average.
    fitted: (scales,) bool: the scales that the slope is of. local_slopes: (scales - 1,) axes less
        the slope between one scale and the next. curvature: its growth over the fitted scales by
        the parabola through them; a power law has 0. blocks: how many of the map hold a border.
    """

    dimension: float
    low: float
    high: float
    doubt: str = dataclasses.field(metadata={"static": True})
    exponent: float
    scales: np.ndarray
    shares: np.ndarray
    counts: np.ndarray
    fitted: np.ndarray
    local_slopes: np.ndarray
    curvature: float
    blocks: int

    _repr_html_ = summaries.html()


class Counted(NamedTuple):
    """Hits (blocks, scales) and shares (scales,); `added`: of the logarithms what is no count;
    limit: of shares that are fitted, from the smallest scale on.
    """

    hits: np.ndarray
    shares: np.ndarray
    limit: float
    added: np.ndarray
    smallest: int = 1


def box_dimension(
    labels: np.ndarray, *, ignore: int | Sequence[int] = (),
    between: Between = None, seed: int = 0,
) -> Dimension:  # fmt: skip
    """The box-counting dimension of the borders: log N(s) = -D log s + constant, N(s) the boxes of
    side s with two labels.

    N is the mean over all places of the grid, so a straight border gives 1 at any angle and scale.
    Small boxes miss borders that pass between the pixels; how many is seen from every second pixel
    and added (`borders.hidden_boxes`). Boxes see a border fattened by their side along every axis:
    under a rough graph, what they see along the graph's own axis is a power law and what they see
    across it another, that of a straight border, which hides the first for scales far below a
    pixel. So boxes that extend along one axis alone are counted too, and the roughest axis is the
    dimension where it is rougher than all together. Time and memory: some 20 numbers a pixel, scale
    and axis.

    The slope is by least squares over the scales from a pixel to a sixteenth of the shortest side,
    as far as at most half of the boxes hold a border, but over FEWEST scales at least. A strip or a
    checkerboard has a scale of its own, its width, where the line bends: the largest scales are
    left out until the slope varies by no more than BENT, three at least left.

    The interval holds the sampling error, the scatter of the scales about the line, the slopes that
    a bend leaves open (`power_laws.power_law`), and that of the other kind, `uncertainty_exponent`:
    the two are biased by different things. A strip of one or two pixels, or a lone pixel, looks as
    noise does to pairs and as a line does to boxes; borders in step with the pixels scatter. Where
    the two do not agree, or leave nearly half of all that is possible, the map cannot tell: `doubt`
    says why, and the interval is all that a border may have.

    Args:
        labels: whole numbers, a pixel each, one axis a direction of the line, plane or volume; what
            a masked array masks is unknown.
        ignore: labels of pixels that count as unknown; others below 0 are labels like any.
        between: the smallest and the largest scale of the fit, in pixels; all of them are fitted.
        seed: of the bootstrap.

    Raises:
        ValueError: labels that are no whole numbers; fewer than 16 pixels along an axis; fewer than
            two labels; a range that is no pair of finite scales in order; fewer than three scales
            to fit.
    """
    return _settled("boxes", _both(labels, ignore, between, seed))


def uncertainty_exponent(
    labels: np.ndarray, *, ignore: int | Sequence[int] = (),
    between: Between = None, seed: int = 0,
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
    return _settled("pairs", _both(labels, ignore, between, seed))


def _both(
    labels: np.ndarray, ignore: int | Sequence[int], between: Between, seed: int
) -> dict[str, Dimension | None]:
    """The dimension by either kind alone; none where too few scales have a border."""
    check_between(between)
    ranks, _ = checked_labels(labels, ignore=ignore)
    scales = scales_up_to(min(ranks.shape) // 4)
    ways = {"boxes": _boxes(ranks, scales, between), "pairs": _pairs(ranks, scales)}
    return {
        name: _roughest([_measured(ranks, scales, one, between, seed) for one in counted])
        for name, counted in ways.items()
    }


def _boxes(ranks: np.ndarray, scales: np.ndarray, between: Between) -> list[Counted]:
    """Of boxes that extend along all axes, and along each alone."""
    alone = [(axis,) for axis in range(ranks.ndim)] if ranks.ndim > 1 else []
    return [_boxes_along(ranks, scales, axes, between) for axes in (None, *alone)]


def _boxes_along(
    ranks: np.ndarray, scales: np.ndarray, axes: Sequence[int] | None, between: Between
) -> Counted:
    hits, shares = mixed_boxes(ranks, scales, axes=axes)
    added = hidden_boxes(ranks, scales, shares, axes=axes)
    wide = (scales >= WIDE_BOX) & (scales <= min(ranks.shape) / 16) & (shares > 0)
    if between is None and wide.sum() > FEWEST:
        x, y = np.log(scales[wide]), np.log(shares[wide])
        # pixels in step with the borders: what every second one shows is no smaller map of theirs
        if bend(x, y) < BENT < bend(x, y + added[wide]):
            return Counted(hits, shares, FULL, np.zeros(len(scales)), WIDE_BOX)
    return Counted(hits, shares * np.exp(added), FULL, added)


def _pairs(ranks: np.ndarray, scales: np.ndarray) -> list[Counted]:
    """Of pairs along all axes, and along each alone."""
    hits, known = unlike_pairs(ranks, scales)
    parts = np.bincount(ranks[ranks >= 0]) / np.sum(ranks >= 0)
    limit, nothing = FULL * (1 - float(np.sum(parts**2))), np.zeros(len(scales))
    every = [(hits.sum(axis=0), known.sum(axis=0))]
    every += zip(hits, known, strict=True) if ranks.ndim > 1 else ()
    return [
        Counted(own, own.sum(axis=0) / np.maximum(pairs, 1), limit, nothing) for own, pairs in every
    ]


def _roughest(found: Iterable[Dimension | None]) -> Dimension | None:
    """The first, of all axes, unless one axis alone is rougher and has an interval."""
    whole, *axes = found
    if whole is None:
        return None
    alone = [one for one in axes if one is not None and one.blocks >= FEWEST_BLOCKS]
    rougher = [one for one in alone if one.dimension > whole.dimension + ROUGHER]
    return max(rougher, key=lambda one: one.dimension, default=whole)


def _settled(kind: str, found: dict[str, Dimension | None]) -> Dimension:
    """The dimension by this kind, with the interval of both, or all that is possible and a doubt.

    Raises:
        ValueError: too few scales of this kind.
    """
    own = found[kind]
    if own is None:
        raise ValueError(
            f"by {kind}, labels differ at fewer than three scales, and a dimension needs three: "
            "give a larger map, or ignore fewer labels"
        )
    axes = round(own.dimension + own.exponent)
    known = {name: one for name, one in found.items() if one is not None}
    low = max(axes - 1.0, min(one.low for one in known.values()))
    high = min(float(axes), max(one.high for one in known.values()))
    doubt = _doubt(known, low, high)
    return dataclasses.replace(
        own,
        dimension=float(np.clip(own.dimension, axes - 1, axes)),
        low=axes - 1.0 if doubt else low,
        high=float(axes) if doubt else high,
        doubt=doubt,
    )


def _doubt(known: dict[str, Dimension], low: float, high: float) -> str:
    """Why these intervals tell no dimension; empty where they do."""
    said = " and ".join(
        f"by {name} {one.dimension:.2f} [{one.low:.2f}, {one.high:.2f}]"
        for name, one in known.items()
    )
    blocks = min(one.blocks for one in known.values())
    if blocks < FEWEST_BLOCKS:
        where = f"{blocks} blocks" if blocks > 1 else "one block"
        return f"cannot tell: the border lies in {where} of the map alone"
    if len(known) < 2:
        return f"cannot tell: fewer than three scales have a border but {said}"
    apart = max(one.low for one in known.values()) - min(one.high for one in known.values())
    if apart > APART:
        return f"cannot tell: {said} do not agree, as of strips or lone pixels too narrow for a map"
    if not high - low <= TOO_WIDE:
        return f"cannot tell: {said} leave too much open"
    return ""


def _measured(
    ranks: np.ndarray, scales: np.ndarray, counted: Counted, between: Between, seed: int
) -> Dimension | None:
    """The line through the fitted scales, its bend and its interval; none of too few scales."""
    hits, shares = counted.hits, counted.shares
    if not hits.any():
        return None
    fitted = fitted_scales(
        scales, shares, between, largest=min(ranks.shape) / 16, limit=counted.limit,
        smallest=counted.smallest,
    )  # fmt: skip
    if fitted.sum() < 3:
        return None
    axes, x = ranks.ndim, np.log(scales)
    with np.errstate(divide="ignore"):
        y = np.log(shares)
    of_added = np.polyfit(x[fitted], counted.added[fitted], 1)[0]
    slack = UNSURE * abs(float(of_added)) + EDGES / min(ranks.shape)
    found = power_law(scales, hits, shares, fitted, slack=slack, seed=seed)
    volume = np.prod([size - 1.0 for size in ranks.shape])
    with np.errstate(invalid="ignore"):
        local_slopes = axes - np.diff(y) / np.diff(x)
    return Dimension(
        dimension=axes - found.exponent,
        low=axes - found.high,
        high=axes - found.low,
        doubt="",
        exponent=found.exponent,
        scales=scales,
        shares=shares,
        counts=shares * volume / scales.astype(float) ** axes,
        fitted=fitted,
        local_slopes=local_slopes,
        curvature=float(-2 * np.polyfit(x[fitted], y[fitted], 2)[0] * np.ptp(x[fitted])),
        blocks=int(np.sum(hits.sum(axis=1) > 0)),
    )
