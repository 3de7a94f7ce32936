"""Whether all labels of a map share one border: the merging method for the Wada property."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from jaxnn import summaries
from jaxnn.landscape.borders import checked_labels

RESOLVES = 0.75
"""Between 1, of borders that agree at any scale, and 1/2, of those that a finer map would part."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Wada:
    """What merging all labels but one, for each, does to the borders.

    wada: whether all borders agree within the tolerance, and no better at every second pixel.
    distance: the largest distance of a border pixel of one merged map to the border of another, in
        pixels (the larger of the coordinates' differences).
    distances: (labels, labels) the same for the border of row's label from that of column's label;
        infinite where no pixel can be judged.
    share: of the border pixels, those within the tolerance of the borders of all merged maps; 1 for
        Wada, between 0 and 1 for partly Wada.
    coarser: distance at every second pixel, in pixels of that map. Where the borders agree it is
        about as many pixels, where they do not about half.
    labels: (labels,) their values. undecided: border pixels, by count, that lie nearer to the edge
        of the map than to another border, and are not judged.
    """

    wada: bool
    distance: float
    distances: np.ndarray
    share: float
    coarser: float
    labels: np.ndarray
    undecided: int

    _repr_html_ = summaries.html()


def wada(labels: np.ndarray, *, ignore: int | Sequence[int] = (), tolerance: int = 5) -> Wada:
    """Whether every border point borders on all labels: the merging method (Daza, Wagemakers &
    Sanjuan 2018).

    For each label all others are merged into one; the borders of the merged maps, as sets of pixels
    with a neighbour on the other side, are compared by Hausdorff distance. Where labels are three
    or more and the borders agree as far as the pixels can show, the map is called Wada: within the
    tolerance, and at every second pixel about as many pixels apart as at all of them. A narrow
    strip has two borders as near, but half as many of the larger pixels apart. With two
    labels the merged maps are the same, and nothing is Wada. It speaks of the scale of the pixels:
    noise of three labels agrees too. Time: labels * distance passes over the map.

    Args:
        labels: whole numbers, a pixel each, one axis a direction.
        ignore: labels of pixels that count as unknown, which have no border.
        tolerance: how far apart borders may be, in pixels: a pixel shows one label of three that
            meet there, and the nearest pixel of a third may be some pixels off.

    Raises:
        ValueError: labels that are no whole numbers, fewer than 16 pixels along an axis, fewer than
            two labels, a negative tolerance.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance}: give a number of pixels, at least 0")
    ranks, values = checked_labels(labels, ignore=ignore, what="the merging method")
    distances, near, borders, undecided = _compared(ranks, len(values), tolerance)
    distance = float(np.max(distances))
    coarse, kept = ranks[(slice(None, None, 2),) * ranks.ndim], np.arange(len(values))
    several = np.intersect1d(coarse, kept).size == len(values)
    coarser = float(np.max(_compared(coarse, len(values), tolerance)[0])) if several else np.nan
    return Wada(
        wada=bool(len(values) > 2 and distance <= tolerance and coarser > RESOLVES * distance),
        distance=distance, distances=distances, share=near / borders if borders else np.nan,
        coarser=coarser, labels=values, undecided=undecided,
    )  # fmt: skip


def _compared(ranks: np.ndarray, labels: int, tolerance: float) -> tuple[np.ndarray, int, int, int]:
    """The distances, how many border pixels are near all borders, how many there are, and how many
    are undecided.
    """
    borders = [border_pixels(ranks, ranks == k) for k in range(labels)]
    anywhere = np.logical_or.reduce(borders)
    edge, distances = _to_the_edge(ranks.shape)[anywhere], np.zeros((labels, labels))
    near, decided = np.ones(len(edge), bool), np.ones(len(edge), bool)
    for k in range(labels):
        gaps = _distances(borders[k], anywhere)[anywhere]
        sure = (gaps <= edge) | (gaps <= tolerance)
        decided &= sure
        near &= gaps <= tolerance
        for j in range(labels):
            judged = gaps[sure & borders[j][anywhere]]
            distances[j, k] = np.max(judged) if len(judged) else np.inf
    return distances, int(np.sum(near & decided)), int(decided.sum()), int(np.sum(~decided))


def border_pixels(ranks: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The pixels with a known neighbour along an axis on the other side of this merged map."""
    found = np.zeros(ranks.shape, bool)
    for axis in range(ranks.ndim):
        part, known, side = (np.moveaxis(a, axis, 0) for a in (found, ranks >= 0, inside))
        other = (side[:-1] != side[1:]) & known[:-1] & known[1:]
        part[:-1] |= other  # views of `found`
        part[1:] |= other
    return found


def _distances(border: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How many times the border must be fattened by a pixel all round to cover each wanted pixel;
    infinite where there is no border.
    """
    gaps, grown = np.where(border, 0.0, np.inf), border.copy()
    if not border.any():
        return gaps
    steps = 0
    while np.any(wanted & ~grown):
        steps += 1
        for axis in range(grown.ndim):
            rows, before = np.moveaxis(grown, axis, 0), np.moveaxis(grown.copy(), axis, 0)
            rows[:-1] |= before[1:]
            rows[1:] |= before[:-1]
        gaps[grown & np.isinf(gaps)] = steps
    return gaps


def _to_the_edge(shape: tuple[int, ...]) -> np.ndarray:
    """How far each pixel is from the outside of the map, in pixels."""
    along = [np.minimum(np.arange(n), np.arange(n)[::-1]) + 1 for n in shape]
    return np.minimum.reduce(np.meshgrid(*along, indexing="ij"))
