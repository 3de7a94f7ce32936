"""How mixed the labels of a map are in small boxes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import block_of, checked_labels, drawn_blocks
from jaxnn.landscape.power_laws import FEWEST_BLOCKS, REPLICATES
from jaxnn.vocabulary import whole

MEET = 0.25
"""Of boxes of 2 x 2 pixels with two labels, those with three, at least, where borders are fractal:
0.30 by Newton's method, none in stripes of two pixels or more, 0.18 in random cells of 20 pixels.
"""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Entropy:
    """Basin entropy, in nats.

    basin, low, high: S_b, the mean over boxes, with its 95 % interval; from 0 to ln N of N labels
        where the boxes lie in fewer than FEWEST_BLOCKS blocks of the map.
    boundary, boundary_low, boundary_high: S_bb, the same over boxes with two labels or more; NaN
        where there is none.
    above_log2: whether boundary_low > ln 2 and three labels meet in a quarter of the boxes of 2
        pixels a side with two (4 pixels on a line): a sign of fractal borders (see `entropy`).
    miller_madow: what to add to basin if the pixels of a box were independent draws: the mean of
        (labels in the box - 1) / (2 pixels of the box).
    boxes, boundary_boxes: how many there are.
    """

    basin: float
    low: float
    high: float
    boundary: float
    boundary_low: float
    boundary_high: float
    above_log2: bool
    miller_madow: float
    boxes: int
    boundary_boxes: int

    _repr_html_ = summaries.html()


def entropy(
    labels: np.ndarray, *, box: int = 5, ignore: int | Sequence[int] = (), seed: int = 0
) -> Entropy:
    """S_b = mean over boxes of -sum_k p_k ln p_k, p_k the share of label k in the box; S_bb over
    boxes with two labels or more (Daza, Wagemakers, Georgeot, Guery-Odelin & Sanjuan 2016).

    0 where all pixels agree, ln N for N labels that are mixed at every scale: less about
    (N - 1) / (2 box^axes), since a box holds few pixels (`Entropy.miller_madow`). S_bb depends
    little on how much border there is. Above ln 2, the most that a box with two labels could give,
    boxes with three labels are no exception. That suffices for fractal borders in the limit of
    small boxes only (their criterion of log 2): where boxes are smaller than all that
    lies between the borders. Straight stripes of three labels, 3 pixels wide, give 0.77 in boxes of
    5. So `Entropy.above_log2` asks the smallest boxes too whether three labels meet there; stripes
    a pixel wide that run aslant still pass, as no map of pixels tells them from a fractal. The
    intervals are of bootstrap samples of the blocks of the map.

    Args:
        labels: whole numbers, a pixel each, one axis a direction; what is left over at the far
            edges by boxes side by side is not counted.
        box: pixels along a side of a box.
        ignore: labels of pixels that count as unknown, as masked ones do; they are in no share.
        seed: of the bootstrap.

    Raises:
        ValueError: labels that are no whole numbers, none of them to count, a box below 2 pixels
            or above a side.
    """
    (box,) = whole(box=(box, 2))
    ranks, values = checked_labels(labels, ignore=ignore, least=1, side=box, what="basin entropy")
    counts, grid = _counted(ranks, len(values), box)
    counted = counts.sum(axis=0) > 0
    counts, blocks = counts[:, counted], block_of(grid).ravel()[counted]
    seen, nats = np.sum(counts > 0, axis=0), _gibbs(counts)
    most, mixed = math.log(len(values)), seen > 1
    basin, low, high = _mean(nats, blocks, most, seed)
    boundary = _mean(nats[mixed], blocks[mixed], most, seed)
    return Entropy(
        basin=basin, low=low, high=high,
        boundary=boundary[0], boundary_low=boundary[1], boundary_high=boundary[2],
        above_log2=bool(boundary[1] > math.log(2) and _meet(ranks, len(values), box)),
        miller_madow=float(np.mean((seen - 1) / (2 * counts.sum(axis=0)))),
        boxes=len(nats), boundary_boxes=int(mixed.sum()),
    )  # fmt: skip


def _counted(ranks: np.ndarray, labels: int, box: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """The pixels of each label in each box, (labels, boxes), and the boxes along each axis."""
    axes, grid = ranks.ndim, tuple(size // box for size in ranks.shape)
    cut = ranks[tuple(slice(n * box) for n in grid)]
    split = cut.reshape([part for n in grid for part in (n, box)])
    pixels = split.transpose([*range(0, 2 * axes, 2), *range(1, 2 * axes, 2)])
    pixels = pixels.reshape(-1, box**axes)
    return np.stack([np.sum(pixels == k, axis=1) for k in range(labels)]), grid


def _meet(ranks: np.ndarray, labels: int, box: int) -> bool:
    """Whether MEET of the smallest boxes with two labels, of four pixels or more, have three."""
    seen = np.sum(_counted(ranks, labels, min(box, 4 if ranks.ndim == 1 else 2))[0] > 0, axis=0)
    return bool(np.sum(seen > 2) >= MEET * max(1, np.sum(seen > 1)))


def _gibbs(counts: np.ndarray) -> np.ndarray:
    """-sum p ln p over the first axis, of counts (labels, boxes): (boxes,)."""
    shares = counts / counts.sum(axis=0)
    return -np.sum(shares * np.log(np.where(counts > 0, shares, 1.0)), axis=0)


def _mean(
    values: np.ndarray, blocks: np.ndarray, most: float, seed: int
) -> tuple[float, float, float]:
    """The mean and its 95 % interval by drawing the blocks that hold any, or 0 to the most where
    these are too few to tell; NaN of none.
    """
    if not len(values):
        return math.nan, math.nan, math.nan
    _, own = np.unique(blocks, return_inverse=True)
    counts, sums = np.bincount(own), np.bincount(own, values)
    if len(counts) < FEWEST_BLOCKS:
        return float(np.mean(values)), 0.0, most
    drawn = drawn_blocks(len(counts), REPLICATES, seed)
    low, high = np.quantile((drawn @ sums) / (drawn @ counts), [0.025, 0.975])
    return float(np.mean(values)), float(low), float(high)
