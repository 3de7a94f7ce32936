"""Whether the borders of a map are rougher than straight ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import unlike_shares
from jaxnn.landscape.dimensions import FEWEST_BLOCKS, box_dimension, uncertainty_exponent
from jaxnn.vocabulary import whole

MOST_LINES = 1000
"""Of a map of straight borders."""
LEAST_MAPS = 19
"""Of straight borders, for p = 0.05."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FractalTest:
    """How the borders' dimension compares with that of straight borders.

    p_value: the share of (maps of straight borders and this one) with a dimension at least as
        large; at least 1 / (maps + 1), and 1 where the dimension's interval reaches down to that of
        a smooth border.
    dimension: of the borders, by pairs. smooth, smooth_high: the mean and the 95 % quantile of the
        same estimate for straight borders. dimensions: (maps,) all of these.
    borders: (maps,) how many straight borders each map has.
    scales: (scales,) that all were fitted to, in pixels.
    """

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
    scales lie below its width: p is 1 if by boxes, or by the first scales, the border may be
    smooth. Lone pixels strewn all over the map are noise to both. Time: per map about that of
    `uncertainty_exponent`, divided by five.

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
    shape, scales = np.shape(labels), found.scales[found.fitted]
    rng = np.random.default_rng(seed)
    drawn = [straight_borders(shape, float(found.shares[0]), rng) for _ in range(maps)]
    x = np.log(scales)
    dimensions = np.array(
        [len(shape) - np.polyfit(x, np.log(unlike_shares(map_, scales)), 1)[0] for map_, _ in drawn]
    )
    boxes = box_dimension(labels, ignore=ignore, seed=seed)
    unclear = found.blocks < FEWEST_BLOCKS  # no intervals: the dimension itself
    low = boxes.dimension if unclear else min(found.low, boxes.low)
    above = maps if low <= len(shape) - 1 else int(np.sum(dimensions >= found.dimension - 1e-12))
    return FractalTest(
        p_value=(1 + above) / (1 + maps),
        dimension=found.dimension,
        smooth=float(np.mean(dimensions)),
        smooth_high=float(np.quantile(dimensions, 0.95)),
        dimensions=dimensions,
        borders=np.array([lines for _, lines in drawn]),
        scales=scales,
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
