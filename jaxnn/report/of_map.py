"""What the page of a map, a line or a sample of `jaxnn basins` holds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnn import plots
from jaxnn.landscape import basins
from jaxnn.report.contents import ROOM, axis_of, facet, number, outcomes, packed, problem_parts
from jaxnn.studies import basin_findings, endings, map_windows, map_words
from jaxnn.studies.basin_labels import Labelled
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import STEP_SIZE, X, Y, cut, shape, starts, swept, window
from jaxnn.studies.problem import Posed
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME

VALUES = {
    "final_loss": ("loss where training ended", True),
    "initial_loss": ("loss at the start", True),
    "updates": ("updates made", False),
    "distance": ("distance from start to end", True),
    "sharpness": ("largest curvature at the end", False),
}
"""What is shown of each start: its name on the page, and whether its axis is logarithmic."""
LEADS_TO = "leads to"
STANDS = "training ended"
ENDED = "of these, training ended there"
CELL = (SCHEME, SCALE, STEP_SIZE)
MOST_ROWS = 30
"""Attractors in the table."""


class Shown(NamedTuple):
    """Which starts are on the page: their numbers, shaped as the map or (cells, members); one of
    how many pixels along each side; whether their ends fit too; what is said of the rest.
    """

    numbers: np.ndarray
    stride: int
    ends: bool
    said: list[str]


def map_contents(dataset: Any, settings: Basins, made: Labelled, posed: Posed) -> dict[str, Any]:
    """What the page holds of a finished map with these labels: all of JSON, arrays in base64.

    Of a large map every other row and column is shown, or fewer still; of a large sample the first
    members.
    """
    base = problem_parts(settings, posed, json.loads(dataset.attrs["manifest"]))
    base["training"]["words"] = map_words.moves(settings)
    shown = _shown(settings, dataset.sizes[endings.PARAMETER])
    numbers = shown.numbers.ravel()
    runs = {name: array[numbers] for name, array in made.runs.items()}
    codes, names, colours = _frequent(made)
    rows = dataset["end"].values.reshape(len(made.labels), -1)
    sizes = "-".join(map(str, posed.sizes))
    return {
        **base,
        "title": f"{posed.source.name}: where {len(made.labels)} initial weights {sizes} lead",
        "sentence": f"{map_words.covers(settings)}. "
        + basin_findings.found(made, settings).lines[0],
        "members": shown.numbers.shape[-1],
        "facets": [
            *_cell_facets(settings, shown),
            facet(LEADS_TO, names, codes[numbers], colours),
            *_stands(made, numbers, settings.level or 0.0),
            *outcomes(runs["outcome"], runs["final_loss"], settings.level or 0.0),
        ],
        "values": [
            *_places(settings, shown),
            *(
                axis_of(name, meaning, runs[name], log=log)
                for name, (meaning, log) in VALUES.items()
                if name in runs
            ),
        ],
        **(_strips if settings.over == "sample" else _plane)(settings, posed, shown),
        "steps": packed(runs["updates"].astype(np.int32)),
        "ends": packed(rows[numbers].astype(np.float32)) if shown.ends else None,
        "curves": None,
        "table": _table(settings, made),
        "left_out": [*base["left_out"], *shown.said],
    }


def _shown(settings: Basins, parameters: int) -> Shown:
    lengths = tuple(shape(settings).values())
    whole = np.arange(np.prod(lengths)).reshape(lengths)
    each, stride = 4 * (len(VALUES) + 8), 1
    if settings.over == "sample":
        whole = whole.reshape(-1, lengths[-1])
        each += 4 * parameters  # their starts
        kept = whole[:, : max(1, ROOM // (each * len(whole)))]
        said = f"of each cell the first {kept.shape[1]} of {lengths[-1]} starts are on this page"
    else:
        while whole[(slice(None, None, stride),) * whole.ndim].size * each > ROOM:
            stride += 1
        kept = whole[(slice(None, None, stride),) * whole.ndim]
        said = f"one of {stride} pixels along each side is on this page"
    ends = kept.size * (each + 4 * parameters) <= ROOM
    left = [f"{said}; the table counts all"] if kept.size < whole.size else []
    if not ends:
        left.append("the weights at the end of training do not fit: they are in the store")
    return Shown(kept, stride, ends, left)


def _frequent(made: Labelled) -> tuple[np.ndarray, list[str], list[str]]:
    """The code of each start's label on the page; the names, and the figures' colours, by code,
    most frequent first.
    """
    chances = basins.probabilities(made.labels)
    order = chances.labels[np.argsort(-chances.counts, kind="stable")]
    by_label = plots.label_colours(made.labels)
    own = [label for label in order.tolist() if by_label[label] != plots.OTHER]
    codes = np.full(len(made.labels), len(own))
    for code, label in enumerate(own):
        codes[made.labels == label] = code
    names = [made.attractors.name(label) for label in own]
    colours = [by_label[label] for label in own]
    if others := len(order) - len(own):
        return codes, [*names, f"others ({others})"], [*colours, plots.OTHER]
    return codes, names, colours


def _stands(made: Labelled, numbers: np.ndarray, level: float) -> list[dict[str, Any]]:
    """Whether training came to what its start leads to; nothing where labels are of the end."""
    there = made.ended_there(level)
    if there is None:
        return []
    names = [f"there, within {level:g}", "above what lies below", "where nothing was found below"]
    return [facet(STANDS, names, np.where(made.labels < 0, 2, ~there)[numbers])]


def _cells(settings: Basins) -> list[tuple[str, float, float]]:
    """Scheme, scale and step size of each cell of a sample."""
    return list(itertools.product(*swept(settings)))


def _cell_facets(settings: Basins, shown: Shown) -> list[dict[str, Any]]:
    if settings.over != "sample":
        return []
    made = []
    for k, (name, labels) in enumerate(zip(CELL, swept(settings), strict=True)):
        codes = [list(labels).index(cell[k]) for cell in _cells(settings)]
        made.append(facet(name, _spoken(labels), np.repeat(codes, shown.numbers.shape[1])))
    return made


def _spoken(labels: Sequence[str | float]) -> list[str]:
    return [label if isinstance(label, str) else f"{label:g}" for label in labels]


def _axes(settings: Basins, shown: Shown) -> dict[str, np.ndarray]:
    """The numbers along each axis of a map, as in the store."""
    centres = map_windows.centres(window(settings), settings.points or 2)
    return dict(zip((X, Y), (at[:: shown.stride] for at in centres), strict=False))


def _places(settings: Basins, shown: Shown) -> list[dict[str, Any]]:
    """Where on the map each start is."""
    if settings.over == "sample":
        return []
    axes = _axes(settings, shown)
    names = settings.parameters or [f"along random direction {k}" for k in (1, 2)]
    return [
        {**axis_of(axis, f"initial {name}" if settings.parameters else name, grid), "place": True}
        for axis, name, grid in zip(axes, names, np.meshgrid(*axes.values()), strict=False)
    ]


def _plane(settings: Basins, posed: Posed, shown: Shown) -> dict[str, Any]:
    """How a map is drawn, and what the page makes its starts of."""
    plane, axes = cut(settings, posed), _axes(settings, shown)
    trees = (plane.origin, *plane.directions)
    rows = [endings.flat(jax.tree.map(lambda leaf: np.asarray(leaf)[None], t))[0] for t in trees]
    parts = {
        "origin": rows[0],
        "first": rows[1],
        "second": rows[2] if len(rows) > 2 else np.zeros_like(rows[0]),
        "xs": axes[X],
        "ys": axes.get(Y, np.zeros(1)),
    }
    picture = {"kind": "map", "x": X, "y": Y, "colour": LEADS_TO}
    if settings.over == "line":
        picture |= {"kind": "line", "y": "final_loss"}
    return {
        "cells": [],
        "picture": picture,
        "starts": None,
        "plane": {name: packed(np.asarray(part, np.float64)) for name, part in parts.items()},
    }


def _strips(settings: Basins, posed: Posed, shown: Shown) -> dict[str, Any]:
    """How a sample is drawn, with its starts and the step size of each."""
    lists, members = swept(settings), shown.numbers.shape[1]
    rows = []
    for cell in _cells(settings):
        at = [list(labels).index(value) for labels, value in zip(lists, cell, strict=True)]
        region = {name: (k, k + 1) for name, k in zip(CELL, at, strict=True)}
        rows.append(endings.flat(starts(settings, posed, {**region, MEMBER: (0, members)})))
    sizes = np.repeat([float(cell[2]) for cell in _cells(settings)], members)
    picture = {"kind": "strips", "across": SCALE, "within": SCHEME, "value": "final_loss"}
    return {
        "cells": list(CELL),
        "picture": {**picture, "colour": LEADS_TO},
        "starts": packed(np.concatenate(rows).astype(np.float32)),
        "step_sizes": packed(sizes),
    }


def _table(settings: Basins, made: Labelled) -> dict[str, Any]:
    """How probable each attractor is, most frequent first, of a map or each cell of a sample."""
    if settings.over == "sample":
        rows = made.labels.reshape(len(_cells(settings)), -1)
        named = [_spoken(cell) for cell in _cells(settings)]
    else:
        rows, named = made.labels[None], [[]]
    there = made.ended_there(settings.level or 0.0)
    there = None if there is None else there.reshape(rows.shape)
    distances = made.runs["distance"].reshape(rows.shape)
    return {
        "names": [*(CELL if settings.over == "sample" else ()), LEADS_TO],
        "share": "share of the starts that lead there, with Wilson's 95 % interval"
        + ("" if settings.over == "sample" else ", as if the pixels were drawn"),
        "more": ["starts", *(() if there is None else (ENDED,)), "median distance"],
        "trials": rows.shape[1],
        "rows": [
            line
            for k, (names, labels, distance) in enumerate(zip(named, rows, distances, strict=True))
            for line in _rows(names, labels, distance, None if there is None else there[k], made)
        ],
    }


def _rows(
    names: list[str], labels: np.ndarray, distance: np.ndarray, there: np.ndarray | None,
    made: Labelled,
) -> list[dict[str, Any]]:  # fmt: skip
    chances = basins.probabilities(labels)
    rows = []
    for k in np.argsort(-chances.counts, kind="stable")[:MOST_ROWS]:
        label = int(chances.labels[k])
        here = labels == label
        ended = [] if there is None else [int(there[here].sum()) if label >= 0 else None]
        rows.append({
            "names": [*names, made.attractors.name(label)],
            "share": [number(part[k]) for part in (chances.share, chances.low, chances.high)],
            "more": [int(chances.counts[k]), *ended, number(np.median(distance[here]))],
        })  # fmt: skip
    return rows
