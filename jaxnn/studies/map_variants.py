"""The same map otherwise: a part of it in float64, by another dynamics, for twice as long, from
starts some units in the last place away. Each is a map of its own, with a store below the map's.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np

from jaxnn import results
from jaxnn.data import Dataset
from jaxnn.studies import engine, map_windows
from jaxnn.studies.basin_maps import default_out, layout, manifest, pose
from jaxnn.studies.map_settings import Again, Basins
from jaxnn.studies.map_starts import AXES, pixels, shape, window
from jaxnn.studies.ranges import spaced

SAMPLED = 1000
"""Starts computed once more, of a map's or of a sample's."""


def variants(settings: Basins, source: Dataset | None = None) -> list[Basins]:
    """The maps that a command asks for, in resolved settings; the first is what it is about.

    Raises:
        ValueError: as `zoomed`, `by_another` and `basin_maps.pose`; --zoom with --against.
    """
    if settings.zoom is not None and settings.against is not None:
        raise ValueError("--zoom and --against both say what to compute beside the map: give one")
    pose(settings, source)
    whole = plain(settings)
    if settings.zoom is not None:
        part = zoomed(whole, settings.zoom, source)
        return [part, again(part, "nudged", ulps=1)]
    if settings.against is not None:
        return [whole, by_another(whole, settings.against)]
    return [whole, longer(whole)]


def plain(settings: Basins) -> Basins:
    """The map itself."""
    return replace(settings, zoom=None, against=None, widths=None, out=default_out(settings))


def as_basins(settings: Basins) -> Basins:
    """What `jaxnn basins` would be asked for."""
    return Basins(**{field.name: getattr(settings, field.name) for field in fields(Basins)})


def by_width(settings: Basins, source: Dataset | None = None) -> list[Basins]:
    """The same settings for each width of the hidden layers; alone where no widths are asked for.

    Raises:
        ValueError: widths below 1 or twice the same; no hidden layer; a folder that holds
            something else; as `basin_maps.pose`.
    """
    widths = settings.widths or ()
    if not widths:
        return [settings]
    pose(settings, source)
    if any(width < 1 for width in widths) or len(set(widths)) < len(widths):
        raise ValueError(f"--widths is {spaced(widths)}: give different whole numbers, at least 1")
    if not settings.hidden:
        raise ValueError("--widths sets the units of hidden layers, and --hidden names none")
    ours = ("hidden-*", "table.txt", "figures", "report.html")
    results.refuse_foreign(default_out(settings), ours=ours)
    return [
        replace(
            settings, hidden=(width,) * len(settings.hidden), widths=None,
            out=default_out(settings) / f"hidden-{width}",
        )
        for width in widths
    ]  # fmt: skip


def zoomed(whole: Basins, text: str, source: Dataset | None = None) -> Basins:
    """The map of a window inside this map's, in float64.

    Raises:
        ValueError: no such map in its folder, or one made otherwise; a window that is none or not
            inside; a sample.
    """
    posed, path = pose(whole, source), default_out(whole)
    part = map_windows.window_of(text, axes=len(AXES[whole.over]), option="--zoom")
    map_windows.inside(part, window(whole), text=text)
    if results.read_manifest(path) is None:
        raise ValueError(f"{path}: no map there to zoom into; give the same without --zoom first")
    engine.open_store(path, manifest(whole, posed), layout(whole, posed))
    folder = path / "zooms" / map_windows.folder_of(part)
    return replace(whole, window=map_windows.spoken(part), precision="float64", out=folder)


def by_another(whole: Basins, text: str) -> Basins:
    """The map by the gradient flow, or by descent at another step size, for as long: as much time,
    steps * step size.

    Raises:
        ValueError: text that is neither, or the map's own dynamics.
    """
    folder = default_out(whole) / "against" / text
    if text == "flow":
        if whole.dynamics == "flow":
            raise ValueError("--against flow: the map is the flow's already; give a step size")
        return replace(whole, dynamics="flow", out=folder)
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise ValueError(f"--against is {text}: give flow, or a step size above 0")
    if whole.over == "sample" and len(whole.step_sizes or ()) > 1:
        raise ValueError("--against a step size is for one --step-sizes: the sample has several")
    own = (whole.step_sizes or (whole.step_size,))[0] or 0.0
    if whole.dynamics == "descent" and size == own:
        raise ValueError(f"--against {text}: that is the map's own step size; give another")
    many = None if whole.step_sizes is None else (size,)
    made = replace(whole, dynamics="descent", step_size=size, step_sizes=many, out=folder)
    if whole.batch_size:
        return replace(made, epochs=math.ceil((whole.epochs or 0) * own / size))
    return replace(made, steps=math.ceil((whole.steps or 0) * own / size))


def again(part: Basins, name: str, *, pixels: int = SAMPLED, **changes: Any) -> Again:
    """Some pixels of a map once more."""
    same = {field.name: getattr(part, field.name) for field in fields(Basins)}
    same["out"] = default_out(part) / name
    return Again(**{**same, "pixels": pixels, **changes})


def longer(whole: Basins) -> Basins:
    """Some of the starts, trained for twice as long."""
    twice = {"steps": 2 * (whole.steps or 0), "epochs": 2 * (whole.epochs or 0)}
    if whole.over != "sample":
        return again(whole, "longer", **twice)
    cells = math.prod(shape(whole).values()) // (whole.members or 1)
    members = min(whole.members or 1, max(1, SAMPLED // cells))
    return replace(whole, members=members, out=default_out(whole) / "longer", **twice)


def rows(part: Basins, whole: Basins) -> np.ndarray:
    """Which starts of the whole map those of a part computed again are."""
    if isinstance(part, Again):
        return pixels(part)
    numbers = np.arange(math.prod(shape(whole).values())).reshape(-1, whole.members or 1)
    return numbers[:, : part.members].ravel()
