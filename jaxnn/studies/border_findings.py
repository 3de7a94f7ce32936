"""What the borders of a finished map say: entropies, dimensions, tests, exponents, changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxnn import plots, results
from jaxnn.data import Dataset
from jaxnn.landscape import basins, sensitivity
from jaxnn.landscape.merging import border_pixels
from jaxnn.landscape.sensitivity import Dimension
from jaxnn.studies import map_variants
from jaxnn.studies.basin_labels import labelled
from jaxnn.studies.basin_maps import default_out, pose
from jaxnn.studies.basin_pictures import name_axes
from jaxnn.studies.border_measures import CHANGES, LYAPUNOV, NUDGED
from jaxnn.studies.map_settings import Again, Basins
from jaxnn.studies.map_starts import shape, window
from jaxnn.studies.map_words import head, percent
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.settings import as_json

UNKNOWN = (int(basins.Nowhere.unfinished),)
"""Pixels with this label count as unknown."""


def conclude(whole: Basins, measured: Mapping[str, Again], source: Dataset | None = None) -> Report:
    """The report, with its figure; every store is finished.

    Raises:
        ValueError: a map with fewer than two labels, or too few pixels for a dimension.
    """
    posed = pose(whole, source)
    made, moved = labelled([whole, measured[NUDGED]], posed)
    change = basins.compare(made.labels[map_variants.rows(measured[NUDGED], whole)], moved.labels)
    labels = made.labels.reshape(tuple(shape(whole).values()))
    boxes = sensitivity.box_dimension(labels, ignore=UNKNOWN)
    pairs = sensitivity.uncertainty_exponent(labels, ignore=UNKNOWN)
    unknown = int(np.sum(labels == UNKNOWN[0]))
    lines = [
        head(whole, posed), "",
        f"{unknown} of {labels.size} pixels lead to no attractor yet and count as unknown",
        f"{percent(change.share)} of {len(moved.labels)} starts change their label with every "
        "initial weight one unit in the last place up: so much is rounding and no border",
    ]  # fmt: skip
    counted = {"pixels": labels.size, "unknown": unknown, "changed_by_rounding": change.share}
    parts = [Part(lines, counted), _entropies(labels), _dimensions(pairs, boxes), _tests(labels)]
    for kind, say in ((LYAPUNOV, _exponents), (CHANGES, _changes)):
        if kind in measured:
            parts.append(say(results.load(default_out(measured[kind])), whole))
    said = together(*parts)
    folder = default_out(whole) / "sensitivity"
    with plots.house_style():
        drawn = _figure(whole, labels, {"boxes": boxes, "pairs": pairs})
        files = plots.save(drawn, folder / "figures" / "borders")
    return Report("\n".join(said.lines), said.values, files, folder, as_json(whole))


def _entropies(labels: np.ndarray) -> Part:
    found = sensitivity.entropy(labels, ignore=UNKNOWN)
    side = " x ".join(["5"] * labels.ndim)
    verdict = "above" if found.boundary_low > math.log(2) else "not above"
    means = "the borders are fractal" if found.above_log2 else "so far they may be smooth"
    lines = [
        f"basin entropy {_with(found.basin, found.low, found.high)} nats: how uncertain the label "
        f"is within {side} pixels, 0 where none is mixed",
        f"boundary basin entropy {_with(found.boundary, found.boundary_low, found.boundary_high)} "
        f"nats on the {found.boundary_boxes} boxes with a border: {verdict} ln 2 = 0.693, {means}",
    ]
    return Part(lines, {"entropy": found})


def _with(value: float, low: float, high: float) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _dimensions(pairs: Dimension, boxes: Dimension) -> Part:
    share = 2**-pairs.exponent
    wrong = (
        f"half the error of the initial weights leaves {share:.2f} times as many wrong predictions"
    )
    lines = [
        f"uncertainty exponent {pairs.exponent:.3f}: {wrong}"
        + (" at these scales" if pairs.doubt else ""),
        f"dimension of the borders by pairs {_dimension(pairs)}",
        f"dimension of the borders by boxes {_dimension(boxes)}",
    ]
    return Part(lines, {"dimension_by_pairs": pairs, "dimension_by_boxes": boxes})


def _dimension(found: Dimension) -> str:
    if found.doubt:
        return f"{found.dimension:.3f}, {found.doubt}"
    low, high = found.scales[found.fitted][[0, -1]]
    slopes = found.local_slopes[found.fitted[:-1] & found.fitted[1:]]
    bend = f", between scales {slopes.min():.2f} to {slopes.max():.2f}" if len(slopes) else ""
    return (
        f"{_with(found.dimension, found.low, found.high)} over {low} to {high} pixels{bend}; a "
        "smooth border has one less than the map"
    )


def _tests(labels: np.ndarray) -> Part:
    test = sensitivity.fractal_test(labels, ignore=UNKNOWN)
    theirs = f"{test.dimension:.3f} by pairs, of as many straight borders {test.smooth:.3f}, 95 % "
    theirs += f"below {test.smooth_high:.3f}"
    verdicts = {
        "fractal": f"the borders are fractal: p = {test.p_value:.2g} ({theirs})",
        "smooth": f"the borders may be smooth: p = {test.p_value:.2g} ({theirs})",
        "cannot tell": f"whether the borders are fractal: {test.doubt} ({theirs})",
    }
    lines = [verdicts[test.verdict]]
    shared = sensitivity.wada(labels, ignore=UNKNOWN)
    verdict = "all labels share one border (Wada)" if shared.wada else "not all labels share one"
    lines.append(
        f"{verdict}: {shared.share:.0%} of border pixels lie within 5 pixels of every label's "
        f"border, the farthest is {_far(shared.distance)}"
    )
    return Part(lines, {"fractal_test": test, "wada": shared})


def _far(distance: float) -> str:
    return f"{distance:.0f} away" if math.isfinite(distance) else "too far to be judged"


def _exponents(dataset: Any, whole: Basins) -> Part:
    values = dataset.exponent.values
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    steps = whole.steps or 1
    grow, shrink = (int(np.sum(sign * values * steps > 1)) for sign in (1, -1))
    lines = [
        f"largest Lyapunov exponent over {steps} steps from {len(values)} pixels: median "
        f"{middle:.2g} [5 % {low:.2g}, 95 % {high:.2g}] nats a step; small changes grow by more "
        f"than e from {grow} of them and shrink by more than e from {shrink}"
    ]
    spread = {"low": low, "median": middle, "high": high, "grow": grow, "shrink": shrink}
    return Part(lines, {"lyapunov": {"pixels": len(values), **spread}})


def _changes(dataset: Any, whole: Basins) -> Part:
    del whole
    distances, lengths = dataset.distance.values, dataset.length.values
    lines = [
        f"the smallest change found that leads elsewhere, from {len(distances)} pixels (upper "
        "bounds: a search by labels may miss a smaller one)"
    ]
    rows = zip(
        dataset.pixel.values, distances, lengths, dataset.start_level.values, dataset.level.values,
        dataset.evaluations.values, strict=True,
    )  # fmt: skip
    for pixel, distance, length, first, second, count in rows:
        if math.isnan(distance):
            lines.append(f"  pixel {pixel}: leads to no attractor yet")
            continue
        if not math.isfinite(distance):
            lines.append(f"  pixel {pixel}: none within reach in {count:.0f} trainings")
            continue
        to = f"loss {first:.3g} becomes {second:.3g}" if second == second else "leads nowhere"
        lines.append(
            f"  pixel {pixel}: {distance:.4g}, {distance / length:.2g} of its length; {to} "
            f"({count:.0f} trainings)"
        )
    names = ("pixel", "distance", "length", "start_level", "level", "evaluations")
    columns = zip(*(dataset[name].values.tolist() for name in names), strict=True)
    found = [dict(zip(names, row, strict=True)) for row in columns]
    return Part(lines, {"smallest_changes": found})


def _figure(whole: Basins, labels: np.ndarray, found: Mapping[str, Dimension]) -> Any:
    box, colours = window(whole), plots.label_colours(labels)
    figure, axes = plots.figure(1, 3, width=11.0, height=3.6)
    map_, border, fit = axes[0]
    plots.label_map(map_, labels, box, colours=colours)
    map_.set_title("where each initial weight leads", loc="left")
    ranks = np.where(np.isin(labels, UNKNOWN), -1, labels - labels.min())
    edges = np.zeros(labels.shape, bool)
    for label in np.unique(ranks[ranks >= 0]):
        edges |= border_pixels(ranks, ranks == label)
    plots.changed_map(border, edges, box)
    border.set_title("pixels on a border", loc="left")
    for ax in (map_, border):
        name_axes(ax, whole)
    border.set_ylabel("")
    for colour, (name, dimension) in zip(plots.COLOURS, found.items(), strict=False):
        plots.scaling(fit, dimension, name=name, colour=colour)
    fit.set_title("counts against scale; filled: fitted", loc="left")
    return figure
