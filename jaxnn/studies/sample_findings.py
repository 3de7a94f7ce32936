"""How probable each attractor is along a sweep of schemes, scales and step sizes, and by how much
that differs from where the sweep begins.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from jaxnn.intervals import wilson
from jaxnn.landscape import basins
from jaxnn.studies.basin_labels import Labelled
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import shape, swept
from jaxnn.studies.reports import Part

MOST_COLUMNS = 5
"""Attractors with a column of their own."""
SWEPT = ("scheme", "scale", "step size")
HEAD = f"{'scheme':16}{'scale':>7}{'step':>8}"


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
    """The probability of the most frequent attractors in each cell, a line each: how often training
    ended there, and how often what lies below its end is that.
    """
    shown, rows = most_frequent(made.labels, MOST_COLUMNS), by_cell(settings, made.labels)
    there = made.ended_there(settings.level or 0.0)
    ended = None if there is None else by_cell(settings, there)
    lines, found = _heads(shown, made, ended is not None, settings.level or 0.0), []
    for k, (cell, labels) in enumerate(zip(cells(settings), rows, strict=True)):
        chances = basins.probabilities(labels, among=shown)
        named, none = {label: chances.of(label) for label in shown}, float(np.mean(labels < 0))
        others = max(0.0, 1 - float(chances.share.sum()) - none)
        row = {**_by_name(cell), "attractors": named, "others": others, "none": none}
        parts = {label: _of(*share) for label, share in named.items()}
        if ended is not None:
            row["ended_there"] = {x: wilson(int(ended[k][labels == x].sum()), len(labels))
                                  for x in shown}  # fmt: skip
            parts = {x: f"{100 * row['ended_there'][x].share:>10.1f}{parts[x]}" for x in shown}
        found.append(row)
        lines.append(
            f"{_named(cell)}{''.join(parts.values())}{100 * others:>9.1f}{100 * none:>7.1f}"
        )
    left = int(np.sum(made.labels == basins.Nowhere.unfinished))
    if left:
        lines.append(f"{left} starts are unfinished: the upper end of each interval counts them")
    return Part(lines, {"probabilities": found, "unfinished": left})


def _heads(shown: list[int], made: Labelled, two: bool, level: float) -> list[str]:
    """What the columns of probabilities are: with two for each attractor, or one."""
    short = {label: made.attractors.short(label) for label in shown}
    if not two:
        named = "".join(f"{short[label]:>22}" for label in shown)
        title = "probabilities (%) with 95 % intervals"
        return [title, f"{HEAD}{named}{'others':>9}{'none':>7}"]
    return [
        "probabilities (%), two for each attractor: that training ended there, its final loss at "
        f"most {level:g} above",
        "the attractor's; and, with a 95 % interval, that the loss leads down to it from where "
        "training ended",
        f"{'':31}" + "".join(f"{short[label]:>32}" for label in shown),
        f"{HEAD}"
        + f"{'ended there':>12}{'leads there':>20}" * len(shown)
        + f"{'others':>9}{'none':>7}",
    ]


def standing(settings: Basins, made: Labelled) -> Part:
    """How many of those that lead to an attractor ended there, and where the others stand: what
    reconciles the shares of what lies below with those of what training reached.
    """
    level, ends = settings.level or 0.0, made.labels >= 0
    there = made.ended_there(level)
    if there is None or not ends.any():
        return Part([], {})
    share = float(np.mean(there[ends]))
    said = (
        f"{100 * share:.3g} % of the {int(ends.sum())} that lead to an attractor ended within "
        f"{level:g} of its loss"
    )
    losses = made.runs["final_loss"][ends & ~there]
    if len(losses):
        low, middle, high = (f"{value:.4g}" for value in np.quantile(losses, [0, 0.5, 1]))
        said += (
            f"; training left the other {len(losses)} above it, at losses from {low} to {high} "
            f"(median {middle}), from where the loss leads down to it"
        )
    return Part([said], {"near_share": share})


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
        part = _differences(
            settings, rows, {x: made.attractors.short(x) for x in shown}, axis, name
        )
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


def _named(cell: tuple[Any, ...]) -> str:
    scheme, scale, size = cell
    return f"{scheme:16}{scale:>7g}{size:>8g}"


def _of(value: float, low: float, high: float, *, sign: str = "") -> str:
    said = f"{100 * value:{sign}.1f} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"
    return f"{said:>22}"


def _differences(
    settings: Basins, rows: np.ndarray, shown: dict[int, str], axis: int, name: str
) -> Part:
    """A line for each cell that is not the first along this axis: its probabilities minus those of
    the first, start by start. shown: the attractors with a column, and their names.
    """
    lengths = list(shape(settings).values())[:-1]
    if lengths[axis] < 2:
        return Part([], {"differences": []})
    numbers = np.arange(math.prod(lengths)).reshape(lengths)
    first = np.broadcast_to(np.take(numbers, [0], axis=axis), lengths).ravel()
    begin = swept(settings)[axis][0]
    value = begin if axis == 0 else f"{begin:g}"
    paired = "start by start" if axis else "of different draws"
    heads = "".join(f"{named:>22}" for named in shown.values())
    lines = [
        "",
        f"differences from {name} {value} in where it leads, {paired}",
        f"{HEAD}{heads}",
    ]
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
