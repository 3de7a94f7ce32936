"""Whether the borders of a map are rougher than straight ones."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import checked_labels, unlike_shares
from jaxnn.landscape.dimensions import Dimension, uncertainty_exponent
from jaxnn.vocabulary import whole

MOST_LINES = 1000
"""Of a map of straight borders."""
LEVEL = 0.05
"""The largest p that is called fractal."""
LEAST_MAPS = 19
"""Of straight borders, for p = 0.05."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FractalTest:
    """How the borders' dimension compares with that of straight borders.

    verdict: "fractal", where p_value is at most LEVEL and the dimension's interval lies above a
        smooth border's; "smooth", where p_value is larger: no rougher than straight borders; or
        "cannot tell", and doubt says why in a sentence.
    p_value: the share of (maps of straight borders and this one) with a dimension at least as
        large; at least 1 / (maps + 1); NaN where the map cannot tell.
    dimension: of the borders, by pairs along all axes. smooth, smooth_high: the mean and the 95 %
        quantile of the same estimate for straight borders. dimensions: (maps,) all of these.
    borders: (maps,) how many straight borders each map has.
    scales: (scales,) that all were fitted to, in pixels.
    """

    verdict: str = dataclasses.field(metadata={"static": True})
    doubt: str = dataclasses.field(metadata={"static": True})
    p_value: float
    dimension: float
    smooth: float
    smooth_high: float
    dimensions: np.ndarray
    borders: np.ndarray
    scales: np.ndarray

    _repr_html_ = summaries.html()


def fractal_test(
    labels: np.ndarray, *, ignore: int | Sequence[int] = (), maps: int = 99, seed: int = 0
) -> FractalTest:
    """Whether the borders are rougher than as many straight ones: a Monte Carlo test of the
    dimension by pairs (see `uncertainty_exponent`).

    The null hypothesis is a map that random straight lines (planes in a volume, points on a line)
    cut up, with two labels by the parity of the lines passed, and as many lines as give the map's
    share of neighbours with different labels. So crossings, and borders closer together than the
    scales of the fit, count as smooth; what is rough below the size of a pixel is not seen. Pairs
    see a straight strip of one or two pixels, or a lone pixel, as they see noise, since no two
    scales lie below its width: where boxes do not agree, the map cannot tell, nor where the
    interval of the two reaches down to a smooth border. Time: per map about that of
    `uncertainty_exponent`, divided by ten.

    The entropy of boxes on the border against that of a straight one (Puy, Daza, Wagemakers &
    Sanjuan 2021) finds borders where three labels meet, but not von Koch's curve, whose boxes are
    mixed as those of a straight line are.

    Args:
        labels: as `box_dimension`.
        ignore: as `box_dimension`.
        maps: how many of straight borders to draw.
        seed: of these.

    Raises:
        ValueError: as `uncertainty_exponent`; fewer than 19 maps.
    """
    (maps,) = whole(maps=(maps, LEAST_MAPS))
    found = uncertainty_exponent(labels, ignore=ignore, seed=seed)
    ranks, _ = checked_labels(labels, ignore=ignore)
    shape, scales = ranks.shape, found.scales[found.fitted]
    rng, share = np.random.default_rng(seed), float(unlike_shares(ranks, np.array([1]))[0])
    drawn = [straight_borders(shape, share, rng) for _ in range(maps)]
    dimension, *dimensions = (_by_pairs(map_, scales) for map_ in (ranks, *(m for m, _ in drawn)))
    above = int(np.sum(np.array(dimensions) >= dimension - 1e-12))
    p_value = (1 + above) / (1 + maps)
    verdict, doubt = _verdict(found, p_value)
    return FractalTest(
        verdict=verdict,
        doubt=doubt,
        p_value=math.nan if doubt else p_value,
        dimension=dimension,
        smooth=float(np.mean(dimensions)),
        smooth_high=float(np.quantile(dimensions, 0.95)),
        dimensions=np.array(dimensions),
        borders=np.array([lines for _, lines in drawn]),
        scales=scales,
    )


def _by_pairs(ranks: np.ndarray, scales: np.ndarray) -> float:
    slope = np.polyfit(np.log(scales), np.log(unlike_shares(ranks, scales)), 1)[0]
    return ranks.ndim - float(slope)


def _verdict(found: Dimension, p_value: float) -> tuple[str, str]:
    """The verdict on a map with this dimension and p, and the doubt."""
    if found.doubt:
        return "cannot tell", found.doubt
    if p_value > LEVEL:
        return "smooth", ""
    axes = round(found.dimension + found.exponent)
    if found.low > axes - 1:
        return "fractal", ""
    return "cannot tell", (
        f"cannot tell: rougher than straight borders (p = {p_value:.2g}), but the dimension's "
        f"interval [{found.low:.2f}, {found.high:.2f}] holds a smooth border's {axes - 1}"
    )


def straight_borders(
    shape: Sequence[int], share: float, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """A map of 0 and 1 that random straight borders cut up, as many as bring the share of
    neighbours with different labels closest to this one; and their number, at least 1.

    A border has a direction uniform on the sphere and a place uniform over the map's extent in that
    direction.
    """
    middles = [np.arange(size) - (size - 1) / 2 for size in shape]
    labels, reached, one = np.zeros(shape, np.int32), 0.0, np.array([1])
    for lines in range(1, MOST_LINES + 1):
        normal = rng.normal(size=len(shape))
        normal /= np.linalg.norm(normal)
        extent = sum(abs(n) * (size - 1) / 2 for n, size in zip(normal, shape, strict=True))
        place = rng.uniform(-extent, extent)
        across = np.zeros(())
        for n, middle in zip(normal, middles, strict=True):
            across = across[..., None] + n * middle
        more = labels ^ (across > place)
        now = float(unlike_shares(more, one)[0])
        if lines > 1 and abs(reached - share) <= abs(now - share) and reached > 0:
            return labels, lines - 1
        labels, reached = more, now
        if reached >= share > 0:
            break
    return labels, lines
