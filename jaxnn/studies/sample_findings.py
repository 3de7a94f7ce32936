"""How probable each attractor is along a sweep of schemes, scales and step sizes, and by how much
that differs from where the sweep begins.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from jaxnn.landscape import basins
from jaxnn.studies.basin_labels import Labelled
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import shape, swept

MOST_COLUMNS = 5
"""Attractors with a column of their own."""
SWEPT = ("scheme", "scale", "step size")


def cells(settings: Basins) -> list[tuple[Any, ...]]:
    """The (scheme, scale, step size) of each cell, in the order of the store."""
    return list(itertools.product(*swept(settings)))


def by_cell(settings: Basins, labels: np.ndarray) -> np.ndarray:
    """Labels as (cells, members)."""
    return labels.reshape(-1, settings.members or 1)


def most_frequent(labels: np.ndarray, most: int) -> list[int]:
    """So many attractors that came up most often, by number."""
    chances = basins.probabilities(labels)
    ends = np.flatnonzero(chances.labels >= 0)
    order = ends[np.argsort(-chances.counts[ends], kind="stable")]
    return sorted(int(label) for label in chances.labels[order[:most]])


def probability_table(settings: Basins, made: Labelled) -> str:
    """The probability of the most frequent attractors in each cell, a line each."""
    shown, rows = most_frequent(made.labels, MOST_COLUMNS), by_cell(settings, made.labels)
    lines = ["probabilities (%) with 95 % intervals", _header(shown, last="others, none")]
    for cell, labels in zip(cells(settings), rows, strict=True):
        chances = basins.probabilities(labels, among=shown)
        parts = [_of(*chances.of(label)) for label in shown]
        others = 100 * (1 - float(chances.share.sum()))
        none = 100 * float(np.mean(labels < 0))
        lines.append(f"{_named(cell)}{''.join(parts)}{max(0.0, others - none):>9.1f},{none:>5.1f}")
    return "\n".join(lines)


def sample_tables(settings: Basins, made: Labelled) -> str:
    """The probabilities, the differences along the sweep, and whether attractors of one family are
    equally probable.
    """
    shown, rows = most_frequent(made.labels, MOST_COLUMNS), by_cell(settings, made.labels)
    lines = [probability_table(settings, made)]
    for axis, name in enumerate(SWEPT):
        lines += _differences(settings, rows, shown, axis, name)
    tests = [basins.within_families(part, made.attractors.families) for part in rows]
    values = [test.p_value for test in tests if test.degrees]
    if values:
        # cells share their draws, so each is tested alone
        lines += [
            "", "whether attractors that the symmetries of the data carry into one another are "
            f"equally probable: p = {min(1.0, len(values) * min(values)):.2g}, the smallest of "
            f"{len(values)} cells times their number",
        ]  # fmt: skip
    return "\n".join(lines)


def _header(shown: list[int], *, last: str = "") -> str:
    names = "".join(f"{f'attractor {label}':>22}" for label in shown)
    return f"{'scheme':16}{'scale':>7}{'step':>8}{names}{last:>15}"


def _named(cell: tuple[Any, ...]) -> str:
    scheme, scale, size = cell
    return f"{scheme:16}{scale:>7g}{size:>8g}"


def _of(value: float, low: float, high: float, *, sign: str = "") -> str:
    said = f"{100 * value:{sign}.1f} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"
    return f"{said:>22}"


def _differences(
    settings: Basins, rows: np.ndarray, shown: list[int], axis: int, name: str
) -> list[str]:
    """A line for each cell that is not the first along this axis: its probabilities minus those of
    the first, start by start.
    """
    lengths = list(shape(settings).values())[:-1]
    if lengths[axis] < 2:
        return []
    numbers = np.arange(math.prod(lengths)).reshape(lengths)
    first = np.broadcast_to(np.take(numbers, [0], axis=axis), lengths).ravel()
    begin = swept(settings)[axis][0]
    value = begin if axis == 0 else f"{begin:g}"
    paired = "start by start" if axis else "of different draws"
    lines = ["", f"differences from {name} {value}, {paired}", _header(shown)]
    for number, cell in enumerate(cells(settings)):
        if first[number] != number:
            parts = [
                _of(*basins.difference(rows[first[number]], rows[number], label), sign="+")
                for label in shown
            ]
            lines.append(f"{_named(cell)}{''.join(parts)}")
    return lines
