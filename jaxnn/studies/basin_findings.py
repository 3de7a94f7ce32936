"""What finished maps say: tables, shares that change, where float64 ends, and pictures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxnn import plots
from jaxnn.data import Dataset
from jaxnn.landscape import basins
from jaxnn.landscape.censuses import unfinished
from jaxnn.studies import basin_pictures, map_variants, map_windows
from jaxnn.studies.basin_labels import Labelled, labelled
from jaxnn.studies.basin_maps import default_out, pose
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import cut, window
from jaxnn.studies.map_words import head, moves, percent, step_sizes
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.sample_findings import sample_tables, standing
from jaxnn.studies.settings import as_json

MOST_ROWS = 12
"""Attractors in a table; the others are a line together."""


class Conclusion(NamedTuple):
    """What finished stores say: the report with its figures, and the labels of the map."""

    report: Report
    labelled: Labelled


def conclude(settings: Basins, parts: list[Basins], source: Dataset | None = None) -> Conclusion:
    """What is said, with figures, of what `map_variants.variants` made of the settings;
    every store is finished.
    """
    posed = pose(settings, source)
    if settings.zoom is not None:
        plain = map_variants.plain(settings)
        return _zoom(plain, *parts, posed=posed)
    if settings.against is not None:
        return _against(*parts, posed=posed)
    return _map(*parts, posed=posed)


def _map(whole: Basins, longer: Basins, *, posed: Posed) -> Conclusion:
    made, twice = labelled([whole, longer], posed)
    some = made.labels[map_variants.rows(longer, whole)]
    parts = [_line(head(whole, posed)), BLANK, found(made, whole)]
    if whole.over == "sample":
        parts += [BLANK, sample_tables(whole, made)]
    parts += [
        BLANK,
        standing(whole, made),
        _sharpness(made, whole),
        _unsettled(some, twice.labels, longer),
    ]
    with plots.house_style():
        files = basin_pictures.draw(whole, made, posed, default_out(whole) / "figures")
    return Conclusion(_report(whole, files, *parts), made)


BLANK = Part([""], {})


def _line(text: str, **values: Any) -> Part:
    return Part([text], values)


def _report(settings: Basins, files: list, *parts: Part) -> Report:
    said = together(*parts)
    return Report(
        "\n".join(said.lines), said.values, files, default_out(settings), as_json(settings)
    )


def found(made: Labelled, settings: Basins) -> Part:
    """A sentence, and a line for each attractor; as values a row for each label that came up."""
    chances = basins.probabilities(made.labels)
    ends = chances.labels >= 0
    count = int(ends.sum())
    nowhere = 100 * float(chances.share[~ends].sum())
    lines = [
        f"{len(made.labels)} starts lead to {count} attractor{'s' if count != 1 else ''}, "
        f"{nowhere:.3g} % of them to none"
    ]
    if settings.over != "sample":
        lines[0] += "; shares describe this grid, intervals are as if its pixels were drawn"
    level = f"steps to {settings.level:g}"
    lines.append(
        f"{'leads to':42}{'starts':>8}{'share, 95 % interval':>26}{'ended there':>13}{level:>15}"
        f"{'distance':>10}{'sharpest':>10}"
    )
    order = np.argsort(-chances.counts, kind="stable")
    there = made.ended_there(settings.level or 0.0)
    rows = [_row(made, chances, there, k) for k in order]
    lines += [_row_in_words(row) for row in rows[:MOST_ROWS]]
    rest = order[MOST_ROWS:]
    if len(rest):
        some = int(chances.counts[rest].sum())
        lines.append(f"{f'{len(rest)} more':42}{some:>8}{100 * some / len(made.labels):>11.2f} %")
    last = made.runs["final_loss"][made.labels == basins.Nowhere.unfinished]
    if len(last):
        lines.append(f"{unfinished(last)} by training; upper ends of intervals count them for each")
    absent = np.setdiff1d(np.arange(len(made.attractors.losses)), chances.labels)
    if len(absent):
        lines.append(
            f"no start here leads to {_numbers(absent)}: images of these by the symmetries of the "
            "data, or found from other starts"
        )
    values = {"starts": len(made.labels), "labels": rows, "unfinished_losses": last}
    return Part(lines, values)


def _numbers(values: np.ndarray) -> str:
    shown = ", ".join(map(str, values[:MOST_ROWS].tolist()))
    return shown + (f" and {len(values) - MOST_ROWS} more" if len(values) > MOST_ROWS else "")


def _row(
    made: Labelled, chances: basins.Probabilities, there: np.ndarray | None, k: int
) -> dict[str, Any]:
    label = int(chances.labels[k])
    here = made.labels == label
    steps = np.median(made.runs["reached"][here]) if "reached" in made.runs else -1
    return {
        "label": label,
        "name": made.attractors.name(label),
        "loss": float(made.attractors.losses[label]) if label >= 0 else None,
        "starts": int(chances.counts[k]),
        "share": chances.of(label),
        "ended_there": None if there is None or label < 0 else float(np.mean(there[here])),
        "median_steps_to_level": float(steps) if steps >= 0 else None,
        "median_distance": float(np.median(made.runs["distance"][here])),
        "sharpest": float(made.runs["sharpness"][here].max()) if "sharpness" in made.runs else None,
    }


def _row_in_words(row: dict[str, Any]) -> str:
    steps, sharpest = row["median_steps_to_level"], row["sharpest"]
    reached = "-" if steps is None else f"{steps:.0f}"
    there = "-" if row["ended_there"] is None else f"{100 * row['ended_there']:.1f} %"
    return (
        f"{row['name']:42}{row['starts']:>8}{percent(row['share']):>26}{there:>13}{reached:>15}"
        f"{row['median_distance']:>10.3g}{'-' if sharpest is None else f'{sharpest:.3g}':>10}"
    )


def _sharpness(made: Labelled, settings: Basins) -> Part:
    """How many ends are sharper than descent at the step size can rest at."""
    sizes = step_sizes(settings)
    plain = settings.rule == "sgd" and settings.dynamics == "descent" and not settings.batch_size
    if not plain or len(sizes) > 1 or "sharpness" not in made.runs:
        return Part([], {})
    above = int(np.sum(made.runs["sharpness"] > 2 / sizes[0]))
    return _line(
        f"2 / step size is {2 / sizes[0]:.3g}: {above} of {len(made.labels)} ends are sharper, "
        "where descent cannot rest",
        sharper_than_stable=above,
    )


def _unsettled(before: np.ndarray, after: np.ndarray, longer: Basins) -> Part:
    share = basins.compare(before, after).share
    twice = f"{longer.epochs} epochs" if longer.batch_size else f"{longer.steps} steps"
    twice = "twice the time" if longer.dynamics == "flow" else twice
    said = f"trained for {twice}, {percent(share)} of {len(before)} starts change their label"
    return _line(said, changed_when_trained_longer=share)


def _against(whole: Basins, other: Basins, *, posed: Posed) -> Conclusion:
    made, second = labelled([whole, other], posed)
    change = basins.compare(made.labels, second.labels)
    ways, tables = (moves(whole), moves(other)), (found(made, whole), found(second, other))
    with plots.house_style():
        files = basin_pictures.draw_change(
            whole, made, second, ways, default_out(other) / "figures"
        )
    said = _report(
        other,
        files,
        Part([head(whole, posed), "", f"against {ways[1]}, as much time", ""], {}),
        _line(
            f"{percent(change.share)} of the map changes: what the dynamics decides and the "
            "landscape does not",
            changed=change.share,
        ),
        _changes(change, made),
        Part(
            [f"\nby {way}: " + "\n".join(table.lines)
             for way, table in zip(ways, tables, strict=True)],
            {"by": dict(zip(ways, [table.values for table in tables], strict=True))},
        ),
    )  # fmt: skip
    return Conclusion(said, made)


def _changes(change: basins.Comparison, made: Labelled) -> Part:
    """The most frequent changes, a line each."""
    off = change.table * (1 - np.eye(len(change.labels), dtype=int))
    lines, rows = [], []
    for at in np.argsort(-off, axis=None, kind="stable")[:5]:
        i, j = np.unravel_index(at, off.shape)
        if off[i, j]:
            names = [made.attractors.name(int(change.labels[k])) for k in (i, j)]
            lines.append(f"{off[i, j]:>8}  {names[0]}  ->  {names[1]}")
            rows.append({"starts": off[i, j], "from": names[0], "to": names[1]})
    return Part(lines, {"changes": rows})


def _zoom(plain: Basins, part: Basins, nudged: Basins, *, posed: Posed) -> Conclusion:
    made, moved = labelled([part, nudged], posed)
    change = basins.compare(made.labels[map_variants.rows(nudged, part)], moved.labels)
    with plots.house_style():
        files = basin_pictures.draw(part, made, posed, default_out(part) / "figures")
    nudge = _line(
        f"with every initial weight one unit in the last place up, {percent(change.share)} of "
        f"{len(moved.labels)} starts change their label: so much of what is seen is rounding",
        changed_by_rounding=change.share,
    )
    said = _report(
        part, files, _line(head(part, posed)), BLANK, _resolution(plain, part, posed), nudge,
        _changes(change, made), BLANK, found(made, part),
    )  # fmt: skip
    return Conclusion(said, made)


def _resolution(plain: Basins, part: Basins, posed: Posed) -> Part:
    """The magnification, and where float64 ends."""
    outer, inner, points = window(plain), window(part), part.points or 2
    widths = [[high - low for low, high in box] for box in (outer, inner)]
    times = [a / b for a, b in zip(*widths, strict=True)]
    ulps = map_windows.ulps_between(cut(part, posed), inner, points)
    ends = max(widths[1]) * map_windows.RESOLVED / ulps
    said = " x ".join(f"{number:.4g}" for number in dict.fromkeys(times))
    below = ulps < map_windows.RESOLVED
    lines = [
        f"magnified {said} times; neighbouring pixels are {ulps:.3g} units in the last place of "
        "float64 apart",
        f"float64 ends at windows about {ends:.2g} wide at {points} points a side, "
        f"{map_windows.RESOLVED} units apart"
        + (": this one is below it, and its pixels are rounding" if below else ""),
    ]
    return Part(lines, {"magnified": times, "ulps_between_pixels": ulps, "below_float64": below})
