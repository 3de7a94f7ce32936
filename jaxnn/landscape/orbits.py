"""How many points are images of one, and in how many directions its images go on without end: on
the host, in float64.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxnn.landscape.matching import group_order
from jaxnn.landscape.units import ROTATED, SIGNED

MOST_BRANCHES = 20_000
"""Partial motions tried in the search for those that leave a point where it is."""


def size(layers: list, kinds: Sequence[str], tolerance: float) -> int:
    """The number of different images, |G| / |stabiliser|, of a network in centred and balanced
    coordinates.

    Two units are one where no entry differs by more than `tolerance` times the network's largest.
    The discrete group alone counts: networks that differ by scales or rotations are one. For that
    rotated layers are multiplied into the next, exact for balanced points, which stationary points
    are.

    Raises:
        ValueError: more than MOST_BRANCHES candidates; it happens where several hidden layers have
            many units with equal incoming weights.
    """
    widths = [len(W) for W, _ in layers[:-1]]
    order = math.prod(group_order(H, kind) for H, kind in zip(widths, kinds, strict=True))
    layers, kinds = _without_rotated(layers, kinds)
    if not kinds:
        return 1
    largest = max(float(np.max(np.abs(rows), initial=0.0)) for rows in layers)
    signed = [kind in SIGNED for kind in kinds]
    return order // _stabiliser(layers, signed, tolerance * largest)


def _without_rotated(layers: list, kinds: Sequence[str]) -> tuple[list[np.ndarray], list[str]]:
    """Incoming sides [W, b], with every rotated layer multiplied into the layer after it."""
    merged, kept, before = [], [], None
    for (W, b), kind in zip(layers, [*kinds, None], strict=True):
        W = np.asarray(W, np.float64)
        b = np.zeros(len(W)) if b is None else np.asarray(b, np.float64)
        if before is not None:
            W, b = W @ before[0], b + W @ before[1]
        before = (W, b) if kind in ROTATED else None
        if before is None:
            merged.append(np.column_stack([W, b]))
            kept += [] if kind is None else [kind]
    return merged, kept


def _stabiliser(layers: list[np.ndarray], signed: list[bool], close: float) -> int:
    """How many elements of the group leave the network where it is.

    Nothing moves the inputs, so a layer's motion must match incoming sides once the motions before
    it are fixed: a search from the first layer, with a closed count for the last.
    """
    layers, factor = _without_dead_units(layers, signed, close)
    branches = 0

    def search(n: int, acted: list[np.ndarray]) -> int:
        nonlocal branches
        branches += 1
        if branches > MOST_BRANCHES:
            raise ValueError(
                f"more than {MOST_BRANCHES} motions of equal units may leave this point where it "
                "is: its orbit cannot be counted; remove units that are equal or zero first"
            )
        if n + 1 == len(signed):
            return _matchings(_sides(layers, n), _sides(acted, n), signed[n], close)
        return sum(
            search(n + 1, _acted(acted, n, order, signs))
            for order, signs in _candidates(layers, acted, n, signed[n], close)
        )

    return factor * search(0, layers)


def _sides(layers: list[np.ndarray], n: int) -> np.ndarray:
    """Incoming and outgoing side of each unit, (units, entries)."""
    return np.column_stack([layers[n], layers[n + 1][:, :-1].T])


def _acted(layers: list[np.ndarray], n: int, order: list[int], signs: list[int]) -> list:
    after = layers[n + 1].copy()
    after[:, :-1] = after[:, order] * np.array(signs)
    here = layers[n][order] * np.array(signs)[:, None]
    return [*layers[:n], here, after, *layers[n + 2 :]]


def _without_dead_units(
    layers: list[np.ndarray], signed: list[bool], close: float
) -> tuple[list[np.ndarray], int]:
    """The network without units that are zero on both sides, and the number of ways to move those.

    The last hidden layer's stay: they are counted there anyway.
    """
    factor, layers = 1, list(layers)
    for n in range(len(signed) - 1):
        dead = np.all(np.abs(_sides(layers, n)) <= close, axis=1)
        count = int(np.sum(dead))
        factor *= math.factorial(count) * (2**count if signed[n] else 1)
        layers[n], layers[n + 1] = layers[n][~dead], layers[n + 1][:, [*~dead, True]]
    return layers, factor


def _candidates(
    layers: list[np.ndarray], acted: list[np.ndarray], n: int, signed: bool, close: float
) -> Iterator[tuple[list[int], list[int]]]:
    """The motions of layer n that match incoming sides and the lengths of outgoing ones."""
    lengths = [np.linalg.norm(net[n + 1][:, :-1], axis=0) for net in (layers, acted)]
    slack = close * math.sqrt(len(layers[n + 1]))
    choices = []
    for row, length in zip(layers[n], lengths[0], strict=True):
        fits = np.abs(lengths[1] - length) <= slack
        choices.append(
            [
                (int(j), sign)
                for sign in ((1, -1) if signed else (1,))
                for j in np.flatnonzero(
                    fits & np.all(np.abs(sign * acted[n] - row[None, :]) <= close, axis=1)
                )
            ]
        )

    def extended(order: list[int], signs: list[int]) -> Iterator[tuple[list[int], list[int]]]:
        if len(order) == len(choices):
            yield order, signs
            return
        for j, sign in choices[len(order)]:
            if j not in order:
                yield from extended([*order, j], [*signs, sign])

    return extended([], [])


def _matchings(rows: np.ndarray, acted: np.ndarray, signed: bool, close: float) -> int:
    """In how many ways the acted rows can be put on the rows: m! for m equal ones, and 2^m m! for
    m zero ones with signs.
    """
    kinds: list[np.ndarray] = []

    def kind_of(row: np.ndarray) -> int:
        for number, other in enumerate(kinds):
            signs = (1, -1) if signed else (1,)
            if any(np.max(np.abs(sign * row - other)) <= close for sign in signs):
                return number
        kinds.append(row)
        return len(kinds) - 1

    counts = collections.Counter(map(kind_of, rows))
    if counts != collections.Counter(map(kind_of, acted)):
        return 0
    result = 1
    for number, count in counts.items():
        zero = signed and np.max(np.abs(kinds[number])) <= close
        result *= math.factorial(count) * (2**count if zero else 1)
    return result


def dimension(layers: list, kinds: Sequence[str], tolerance: float) -> int:
    """The rank of the directions in which the continuous group moves a network.

    Independent are those whose singular value is above `tolerance` times the largest: one QR of
    (parameters, generators).
    """
    directions = tangents(layers, kinds)
    if not len(directions):
        return 0
    triangle = np.linalg.qr(directions.T, mode="r")  # the same singular values
    return int(np.linalg.matrix_rank(triangle, rtol=tolerance))


def tangents(layers: list, kinds: Sequence[str]) -> np.ndarray:
    """The directions in which the generators of the continuous group move a network, of length 1,
    (generators, parameters), in the order of the leaves; generators that move nothing left out.

    A generator A of a layer moves (W, b) by (A W, A b) and the next W by -W A.
    """
    layers = [tuple(None if x is None else np.asarray(x, np.float64) for x in pair)
              for pair in layers]  # fmt: skip
    directions = [
        np.concatenate([part.ravel() for pair in move for part in pair if part is not None])
        for n, kind in enumerate(kinds)
        for move in _moves(layers, n, kind)
    ]
    lengths = [float(np.linalg.norm(direction)) for direction in directions]
    moving = [d / length for d, length in zip(directions, lengths, strict=True) if length > 0]
    size = sum(part.size for pair in layers for part in pair if part is not None)
    return np.array(moving).reshape(-1, size)


def _moves(layers: list, n: int, kind: str) -> Iterator[list[tuple[Any, Any]]]:
    """The directions in which layer n's generators move the network."""
    still = [(np.zeros_like(W), None if b is None else np.zeros_like(b)) for W, b in layers]
    (W, b), (after, c) = layers[n], layers[n + 1]
    for A in _generators(len(W), kind):
        here = (A @ W, None if b is None else A @ b)
        yield [*still[:n], here, (-after @ A, still[n + 1][1]), *still[n + 2 :]]
    if kind == "linear" and b is not None and c is not None:
        for t in np.eye(len(b)):
            here, behind = (still[n][0], t), (still[n + 1][0], -after @ t)
            yield [*still[:n], here, behind, *still[n + 2 :]]


def _generators(units: int, kind: str) -> Iterator[np.ndarray]:
    """A basis of the Lie algebra: diagonal for scales, all matrices for GL, antisymmetric for O."""
    unit = np.eye(units)
    for i in range(units):
        for j in range(units):
            if (kind == "scaling" and i == j) or kind == "linear":
                yield np.outer(unit[i], unit[j])
            elif kind == "orthogonal" and i < j:
                yield np.outer(unit[i], unit[j]) - np.outer(unit[j], unit[i])
