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
from jaxnn.studies.reports import Part

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


def probability_table(settings: Basins, made: Labelled) -> Part:
    """The probability of the most frequent attractors in each cell, a line each."""
    shown, rows = most_frequent(made.labels, MOST_COLUMNS), by_cell(settings, made.labels)
    lines = ["probabilities (%) with 95 % intervals", _header(shown, last="others, none")]
    found = []
    for cell, labels in zip(cells(settings), rows, strict=True):
        chances = basins.probabilities(labels, among=shown)
        named, none = {label: chances.of(label) for label in shown}, float(np.mean(labels < 0))
        others = max(0.0, 1 - float(chances.share.sum()) - none)
        found.append({**_by_name(cell), "attractors": named, "others": others, "none": none})
        parts = "".join(_of(*share) for share in named.values())
        lines.append(f"{_named(cell)}{parts}{100 * others:>9.1f},{100 * none:>5.1f}")
    return Part(lines, {"probabilities": found})


def _by_name(cell: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("scheme", "scale", "step_size"), cell, strict=True))


def sample_tables(settings: Basins, made: Labelled) -> Part:
    """The probabilities, the differences along the sweep, and whether attractors of one family are
    equally probable.
    """
    shown, rows = most_frequent(made.labels, MOST_COLUMNS), by_cell(settings, made.labels)
    table = probability_table(settings, made)
    lines, found = table.lines, list[dict[str, Any]]()
    for axis, name in enumerate(SWEPT):
        part = _differences(settings, rows, shown, axis, name)
        lines, found = lines + part.lines, found + part.values["differences"]
    tests = [basins.within_families(part, made.attractors.families) for part in rows]
    values = [test.p_value for test in tests if test.degrees]
    named = {**table.values, "differences": found}
    if values:
        named["within_families_p"] = min(1.0, len(values) * min(values))
        # cells share their draws, so each is tested alone
        lines += [
            "", "whether attractors that the symmetries of the data carry into one another are "
            f"equally probable: p = {named['within_families_p']:.2g}, the smallest of "
            f"{len(values)} cells times their number",
        ]  # fmt: skip
    return Part(lines, named)


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
) -> Part:
    """A line for each cell that is not the first along this axis: its probabilities minus those of
    the first, start by start.
    """
    lengths = list(shape(settings).values())[:-1]
    if lengths[axis] < 2:
        return Part([], {"differences": []})
    numbers = np.arange(math.prod(lengths)).reshape(lengths)
    first = np.broadcast_to(np.take(numbers, [0], axis=axis), lengths).ravel()
    begin = swept(settings)[axis][0]
    value = begin if axis == 0 else f"{begin:g}"
    paired = "start by start" if axis else "of different draws"
    lines = ["", f"differences from {name} {value}, {paired}", _header(shown)]
    found = []
    for number, cell in enumerate(cells(settings)):
        if first[number] != number:
            gaps = {
                label: basins.difference(rows[first[number]], rows[number], label)
                for label in shown
            }
            parts = "".join(_of(*gap, sign="+") for gap in gaps.values())
            lines.append(f"{_named(cell)}{parts}")
            begun = {"from": {name.replace(" ", "_"): begin}, "paired": axis > 0}
            found.append({**_by_name(cell), **begun, "attractors": gaps})
    return Part(lines, {"differences": found})
