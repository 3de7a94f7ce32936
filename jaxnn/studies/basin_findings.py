"""What finished maps say: tables, shares that change, where float64 ends, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnn import plots
from jaxnn.intervals import Share
from jaxnn.landscape import basins
from jaxnn.studies import basin_pictures, map_variants, map_windows
from jaxnn.studies.basin_labels import Labelled, labelled
from jaxnn.studies.basin_maps import MEMORY, default_out, pose, searched
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import AXES, cut, swept, window
from jaxnn.studies.problem import Posed
from jaxnn.studies.sample_findings import sample_tables

MOST_ROWS = 12
"""Attractors in a table; the others are a line together."""


SEARCHED = "labels: what the loss leads down to from where training ended, modulo symmetry"
PREDICTED = "labels: ends that classify all training cases alike are one"


class Conclusion(NamedTuple):
    """What finished stores say: their folder, the report, the figures, and the map's labels."""

    folder: Path
    text: str
    files: list[Path]
    labelled: Labelled


def conclude(settings: Basins, parts: list[Basins]) -> Conclusion:
    """What is said of what `map_variants.variants` made of the settings; every store is
    finished.
    """
    posed = pose(settings)
    if settings.zoom is not None:
        plain = map_variants.plain(settings)
        return _zoom(plain, *parts, posed=posed)
    if settings.against is not None:
        return _against(*parts, posed=posed)
    return _map(*parts, posed=posed)


def _map(whole: Basins, longer: Basins, *, posed: Posed) -> Conclusion:
    made, twice = labelled([whole, longer], posed)
    some = made.labels[map_variants.rows(longer, whole)]
    lines = [head(whole, posed), "", found(made, whole)]
    if whole.over == "sample":
        lines += ["", sample_tables(whole, made)]
    lines += [
        "",
        *_near(made, whole),
        *_sharpness(made, whole),
        _unsettled(some, twice.labels, longer),
    ]
    folder = default_out(whole)
    with plots.house_style():
        files = basin_pictures.draw(whole, made, posed, folder / "figures")
    return Conclusion(folder, "\n".join(lines), files, made)


def head(settings: Basins, posed: Posed) -> str:
    """What was computed, in words."""
    sizes, acts = "-".join(map(str, posed.sizes)), ", ".join(dict.fromkeys(posed.activation))
    return (
        f"{posed.source.name}: {posed.source.note}\n"
        f"network {sizes}, {acts}, l2 {settings.l2:g}; {moves(settings)}, {settings.precision}\n"
        f"{covers(settings)}\n" + (SEARCHED if searched(settings, posed) else PREDICTED)
    )


def moves(settings: Basins) -> str:
    """The dynamics, in words."""
    sizes = step_sizes(settings)
    said = ", ".join(f"{size:g}" for size in sizes)
    if settings.dynamics == "flow":
        factor = (settings.steps or 0) * MEMORY.get(settings.rule, 1.0)
        return f"gradient flow for the time {', '.join(f'{factor * size:g}' for size in sizes)}"
    if settings.batch_size:
        return (
            f"{settings.rule} at step size {said}, {settings.epochs} epochs in batches of "
            f"{settings.batch_size}, in one order for all"
        )
    return f"{settings.rule} at step size {said}, at most {settings.steps} steps"


def step_sizes(settings: Basins) -> list[float]:
    """Those of a sample, or the one of a map."""
    return swept(settings)[2] or [settings.step_size or 0.0]


def covers(settings: Basins) -> str:
    """The starts, in words."""
    if settings.over == "sample":
        names = ("schemes", "scales", "step sizes")
        pairs = zip(swept(settings), names, strict=True)
        cells = " x ".join(f"{len(values)} {name}" for values, name in pairs)
        return f"{cells}, {settings.members} initial weights each, from the same unit draws in all"
    drawn = f"{settings.scheme} at scale {settings.scale:g}, seed {settings.seed}"
    names = " and ".join("xy"[: len(AXES[settings.over])])
    if settings.parameters:
        pairs = zip("xy", settings.parameters, strict=False)
        along = ", ".join(f"{axis} is {name}" for axis, name in pairs) + f", the others {drawn}"
    else:
        along = f"{names} along random orthonormal directions from {drawn}"
    size = " x ".join([str(settings.points)] * len(AXES[settings.over]))
    return f"{settings.over} of {size} initial weights, {settings.window}: {along}"


def found(made: Labelled, settings: Basins) -> str:
    """A sentence, and a line for each attractor."""
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
        f"{'':42}{'starts':>8}{'share, 95 % interval':>26}{level:>15}{'distance':>10}"
        f"{'sharpest':>10}"
    )
    order = np.argsort(-chances.counts, kind="stable")
    lines += [_row(made, chances, k) for k in order[:MOST_ROWS]]
    rest = order[MOST_ROWS:]
    if len(rest):
        some = int(chances.counts[rest].sum())
        lines.append(f"{f'{len(rest)} more':42}{some:>8}{100 * some / len(made.labels):>11.2f} %")
    absent = np.setdiff1d(np.arange(len(made.attractors.losses)), chances.labels)
    if len(absent):
        lines.append(
            f"no start here leads to {_numbers(absent)}: images of these by the symmetries of the "
            "data, or found from other starts"
        )
    return "\n".join(lines)


def _numbers(values: np.ndarray) -> str:
    shown = ", ".join(map(str, values[:MOST_ROWS].tolist()))
    return shown + (f" and {len(values) - MOST_ROWS} more" if len(values) > MOST_ROWS else "")


def _row(made: Labelled, chances: basins.Probabilities, k: int) -> str:
    label = int(chances.labels[k])
    here = made.labels == label
    share = Share(*(float(part[k]) for part in (chances.share, chances.low, chances.high)))
    steps = np.median(made.runs["reached"][here]) if "reached" in made.runs else -1
    reached = f"{steps:.0f}" if steps >= 0 else "-"
    distance = np.median(made.runs["distance"][here])
    sharpest = f"{made.runs['sharpness'][here].max():.3g}" if "sharpness" in made.runs else "-"
    return (
        f"{made.attractors.name(label):42}{int(chances.counts[k]):>8}{percent(share):>26}"
        f"{reached:>15}{distance:>10.3g}{sharpest:>10}"
    )


def percent(share: Share) -> str:
    """A share with its interval, in per cent."""
    return f"{100 * share.share:.2f} % [{100 * share.low:.2f}, {100 * share.high:.2f}]"


def _near(made: Labelled, settings: Basins) -> list[str]:
    """From how many starts training itself came near the attractor that lies ahead."""
    ends = made.labels >= 0
    if not ends.any() or "sharpness" not in made.runs:  # by predictions, nothing lies ahead
        return []
    gaps = made.runs["final_loss"][ends] - made.attractors.losses[made.labels[ends]]
    share = float(np.mean(gaps <= (settings.level or 0.0)))
    return [
        f"{100 * share:.3g} % of those that lead to one ended within {settings.level:g} of its "
        "loss; from where the others ended the loss leads down to it"
    ]


def _sharpness(made: Labelled, settings: Basins) -> list[str]:
    """How many ends are sharper than descent at the step size can rest at."""
    sizes = step_sizes(settings)
    plain = settings.rule == "sgd" and settings.dynamics == "descent" and not settings.batch_size
    if not plain or len(sizes) > 1 or "sharpness" not in made.runs:
        return []
    above = int(np.sum(made.runs["sharpness"] > 2 / sizes[0]))
    return [
        f"2 / step size is {2 / sizes[0]:.3g}: {above} of {len(made.labels)} ends are sharper, "
        "where descent cannot rest"
    ]


def _unsettled(before: np.ndarray, after: np.ndarray, longer: Basins) -> str:
    share = basins.compare(before, after).share
    twice = f"{longer.epochs} epochs" if longer.batch_size else f"{longer.steps} steps"
    twice = "twice the time" if longer.dynamics == "flow" else twice
    return f"trained for {twice}, {percent(share)} of {len(before)} starts change their label"


def _against(whole: Basins, other: Basins, *, posed: Posed) -> Conclusion:
    made, second = labelled([whole, other], posed)
    change = basins.compare(made.labels, second.labels)
    lines = [
        head(whole, posed), "", f"against {moves(other)}, as much time", "",
        f"{percent(change.share)} of the map changes: what the dynamics decides and the landscape "
        "does not", *_changes(change, made), "", f"by {moves(whole)}: {found(made, whole)}", "",
        f"by {moves(other)}: {found(second, other)}",
    ]  # fmt: skip
    folder = default_out(other)
    with plots.house_style():
        files = basin_pictures.draw_change(whole, made, second, (moves(whole), moves(other)),
                                           folder / "figures")  # fmt: skip
    return Conclusion(folder, "\n".join(lines), files, made)


def _changes(change: basins.Comparison, made: Labelled) -> list[str]:
    """The most frequent changes, a line each."""
    off = change.table * (1 - np.eye(len(change.labels), dtype=int))
    lines = []
    for at in np.argsort(-off, axis=None, kind="stable")[:5]:
        i, j = np.unravel_index(at, off.shape)
        if off[i, j]:
            names = [made.attractors.name(int(change.labels[k])) for k in (i, j)]
            lines.append(f"{off[i, j]:>8}  {names[0]}  ->  {names[1]}")
    return lines


def _zoom(plain: Basins, part: Basins, nudged: Basins, *, posed: Posed) -> Conclusion:
    made, moved = labelled([part, nudged], posed)
    change = basins.compare(made.labels[map_variants.rows(nudged, part)], moved.labels)
    folder = default_out(part)
    lines = [
        head(part, posed), "", *_resolution(plain, part, posed),
        f"with every initial weight one unit in the last place up, {percent(change.share)} of "
        f"{len(moved.labels)} starts change their label: so much of what is seen is rounding",
        *_changes(change, made), "", found(made, part),
    ]  # fmt: skip
    with plots.house_style():
        files = basin_pictures.draw(part, made, posed, folder / "figures")
    return Conclusion(folder, "\n".join(lines), files, made)


def _resolution(plain: Basins, part: Basins, posed: Posed) -> list[str]:
    """The magnification, and where float64 ends."""
    outer, inner, points = window(plain), window(part), part.points or 2
    widths = [[high - low for low, high in box] for box in (outer, inner)]
    times = [a / b for a, b in zip(*widths, strict=True)]
    ulps = map_windows.ulps_between(cut(part, posed), inner, points)
    ends = max(widths[1]) * map_windows.RESOLVED / ulps
    said = " x ".join(f"{number:.4g}" for number in dict.fromkeys(times))
    below = ulps < map_windows.RESOLVED
    return [
        f"magnified {said} times; neighbouring pixels are {ulps:.3g} units in the last place of "
        "float64 apart",
        f"float64 ends at windows about {ends:.2g} wide at {points} points a side, "
        f"{map_windows.RESOLVED} units apart"
        + (": this one is below it, and its pixels are rounding" if below else ""),
    ]
