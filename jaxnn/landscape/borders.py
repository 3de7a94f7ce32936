"""Maps of labels, on the host: where labels differ at every scale, block by block.

A map is an array of whole numbers with one axis for each direction of the plane, line or volume
that it covers; a pixel is a point, and the distance between neighbours is the unit of length.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

SMALLEST_SIDE = 16
"""Pixels along an axis, for numbers that compare scales."""
BLOCKS = 64
"""Blocks of a map that intervals are drawn from, about."""
UNKNOWN = np.iinfo(np.int32).max


def ignored(ignore: int | Sequence[int]) -> tuple[int, ...]:
    """The labels to ignore, of one label or several.

    Raises:
        ValueError: what is no whole number, nor a row of them.
    """
    given = np.asarray(ignore)
    if given.ndim > 1 or (given.size and not np.issubdtype(given.dtype, np.integer)):
        raise ValueError(f"ignore is {ignore!r}: give the labels to ignore, such as (-1,)")
    return tuple(given.ravel().tolist())


def checked_labels(
    labels: object, *, ignore: int | Sequence[int] = (), least: int = 2, side: int = SMALLEST_SIDE,
    what: str = "a dimension",
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The labels as ranks 0, 1, ... in the order of their values, with -1 where they are ignored or
    masked, and those values.

    Raises:
        ValueError: labels that are no whole numbers, a map without axes or with too short a side,
            fewer than `least` labels.
    """
    masked = np.ma.getmaskarray(labels) if np.ma.isMaskedArray(labels) else None
    given = np.asarray(labels)
    if not (np.issubdtype(given.dtype, np.integer) or given.dtype == bool):
        raise ValueError(f"the labels are of {given.dtype}: give whole numbers, one a pixel")
    if given.ndim == 0 or min(given.shape) < side:
        raise ValueError(
            f"the map has shape {given.shape}: {what} needs at least {side} pixels along each axis"
        )
    values, ranks = np.unique(given, return_inverse=True)
    keep = ~np.isin(values, ignored(ignore))
    if masked is not None:
        keep &= np.isin(values, given[~masked])
    if keep.sum() < least:
        some = [int(value) for value in values[keep]]
        raise ValueError(
            f"the map has {len(some)} labels, {some}: {what} needs at least {least} of them"
        )
    order = np.where(keep, np.cumsum(keep) - 1, -1)
    found = order[ranks.reshape(given.shape)].astype(np.int32)
    return found if masked is None else np.where(masked, np.int32(-1), found), values[keep]


def scales_up_to(largest: int) -> np.ndarray:
    """1, 2, 3, 4, 6, 8, 12, ...: the powers of two and three times them, up to the largest."""
    powers = 2 ** np.arange(int(largest).bit_length())
    every = np.unique(np.concatenate([powers, 3 * powers]))
    return every[every <= largest]


def mixed_boxes(
    ranks: np.ndarray, scales: np.ndarray, *, axes: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How many boxes hold two labels, by block and scale (blocks, scales), and what share of all
    boxes they are (scales,).

    A box of side s spans s + 1 pixels an axis, its faces included, so that boxes side by side share
    faces and no border lies between two of them. Boxes are taken at all places, with centres over
    the map, which is mirrored at its edges. A box counts for the block of a border in it. With
    `axes`, boxes extend along these alone and are a pixel wide along the others.
    """
    along = range(ranks.ndim) if axes is None else axes
    pad = int(scales[-1]) // 2 + 1
    padded = np.pad(ranks, pad, mode="reflect")
    low, high = np.where(padded < 0, UNKNOWN, padded), padded
    own = np.pad(block_of(ranks.shape), pad, mode="reflect")
    made = {0: (low, high, np.full_like(own, -1))}
    hits, shares = [], []
    for s in scales.tolist():
        # a box of side s is 2^axes overlapping ones of side `half`
        half, shift = {1: (0, 1), 3: (2, 1)}.get(s, (s // 2, s // 2))
        low, high, block = made[half]
        low, high = _joined(np.minimum, low, shift, along), _joined(np.maximum, high, shift, along)
        block = _joined(_first_known, block, shift, along)
        mixed = high > low
        shifts = [s // 2 if axis in along else 0 for axis in range(ranks.ndim)]
        middles = own[tuple(map(slice, shifts, np.add(shifts, block.shape)))]
        made[s] = (low, high, np.where(mixed & (block < 0), middles, block))
        firsts = np.subtract(pad, shifts)
        sizes = [size - (axis in along) for axis, size in enumerate(ranks.shape)]
        there = tuple(map(slice, firsts, np.add(firsts, sizes)))
        hits.append(np.bincount(made[s][2][there][mixed[there]], minlength=own.max() + 1))
        shares.append(hits[-1].sum() / max(1, np.sum(high[there] >= 0)))
    return np.stack(hits, axis=1), np.array(shares)


def hidden_boxes(
    ranks: np.ndarray, scales: np.ndarray, shares: np.ndarray, *, axes: Sequence[int] | None = None
) -> np.ndarray:
    """What the logarithms of the shares of `mixed_boxes` lack of boxes with a border that passes
    between the pixels, (scales,).

    Let a part g(s) of the boxes of s pixels with a border show it. Every second pixel shows
    g(s / 2) of them, and g(s) / g(s / 2) is counted; as g is 1 for large boxes, g(s) is the
    reciprocal of its product over 2 s, 4 s, 8 s, ... That takes borders that look alike at these
    scales; a factor that every second pixel loses at all of them, as of lines a pixel wide, is left
    out.
    """
    few = scales[2 * scales <= scales[-1]]
    along = range(ranks.ndim) if axes is None else axes
    halves = (slice(0, None, 2), slice(1, None, 2))
    parts = itertools.product(
        *(halves if k in along else (slice(None),) for k in range(ranks.ndim))
    )
    fewer = np.mean([mixed_boxes(ranks[part], few, axes=axes)[1] for part in parts], axis=0)
    known = shares[np.isin(scales, 2 * few)]
    both = (known > 0) & (fewer > 0)
    gains = np.log(np.where(both, known, 1.0) / np.where(both, fewer, 1.0))
    by_scale = {
        scale: gain
        for scale, gain, there in zip((2 * few).tolist(), gains.tolist(), both, strict=True)
        if there
    }
    hidden = np.zeros(len(scales))
    for k, scale in enumerate(scales.tolist()):
        chain = []
        while (scale := 2 * scale) in by_scale:
            chain.append(by_scale[scale])
        hidden[k] = sum(gain - chain[-1] for gain in chain)
    return hidden


def _first_known(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(a >= 0, a, b)


def _joined(
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray], part: np.ndarray, shift: int,
    along: Sequence[int],
) -> np.ndarray:  # fmt: skip
    """What boxes have in common with those shifted along these axes."""
    for axis in along:
        rows = np.moveaxis(part, axis, 0)
        part = np.moveaxis(combine(rows[:-shift], rows[shift:]), 0, axis)
    return part


def unlike_pairs(ranks: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many pairs of pixels at that distance along each axis have two labels, by block and scale
    (axes, blocks, scales), and how many pairs there are (axes, scales).

    The middles of the pairs are over the map, which is mirrored at its edges. A pair counts for the
    block of the first border between its pixels.
    """
    blocks, pad = block_of(ranks.shape), int(scales[-1]) // 2 + 1
    hits = np.zeros((ranks.ndim, blocks.max() + 1, len(scales)), int)
    known = np.zeros((ranks.ndim, len(scales)), int)
    for axis in range(ranks.ndim):
        part, own = (_mirrored_rows(array, axis, pad) for array in (ranks, blocks))
        place = _first_change(part)
        for k, s in enumerate(scales.tolist()):
            at = np.arange(ranks.shape[axis] - 1) + pad - s // 2
            unlike, both = _unlike(part[at], part[at + s])
            rows, columns = np.nonzero(unlike)
            where = own[place[at[rows], columns], columns]
            hits[axis, :, k] = np.bincount(where, minlength=hits.shape[1])
            known[axis, k] = both.sum()
    return hits, known


def unlike_shares(ranks: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """What share of all pairs of `unlike_pairs` is unlike, (scales,), at a tenth of the cost."""
    counts, pad = np.zeros((2, len(scales)), int), int(scales[-1]) // 2 + 1
    for axis in range(ranks.ndim):
        part, size = _mirrored_rows(ranks, axis, pad), ranks.shape[axis] - 1
        for k, s in enumerate(scales.tolist()):
            first = pad - s // 2
            pairs = _unlike(part[first : first + size], part[first + s : first + s + size])
            counts[:, k] += [part.sum() for part in pairs]
    return counts[0] / np.maximum(counts[1], 1)


def _mirrored_rows(array: np.ndarray, axis: int, pad: int) -> np.ndarray:
    """The array with this axis first, mirrored at its ends, and the others flattened."""
    rows = np.moveaxis(array, axis, 0)
    return np.pad(rows.reshape(len(rows), -1), [(pad, pad), (0, 0)], mode="reflect")


def _unlike(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether two labels differ, and whether both are known."""
    known = (a >= 0) & (b >= 0)
    return (a != b) & known, known


def _first_change(part: np.ndarray) -> np.ndarray:
    """For each row, the first at or after it whose next one differs."""
    rows = np.arange(len(part))[:, None]
    change = np.append(part[:-1] != part[1:], np.zeros((1, part.shape[1]), bool), axis=0)
    place = np.where(change, rows, len(part) - 1)
    return np.minimum.accumulate(place[::-1], axis=0)[::-1]


def block_of(shape: tuple[int, ...]) -> np.ndarray:
    """The number of the block that each pixel of a map lies in: 64 blocks of a line or a plane,
    8 x 8, or a volume, 4 x 4 x 4.
    """
    along = max(2, round(BLOCKS ** (1 / len(shape))))
    parts = [np.arange(size) * along // size for size in shape]
    return np.ravel_multi_index(np.meshgrid(*parts, indexing="ij"), (along,) * len(shape))


def drawn_blocks(blocks: int, replicates: int, seed: int) -> np.ndarray:
    """How often each block is in each bootstrap sample of so many blocks, (replicates, blocks)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=replicates)
