"""Maps of initial weights: where each leads, how fast, and where that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.patches import Patch

from jaxnn.landscape.labels import Nowhere
from jaxnn.plots.checks import shaped
from jaxnn.plots.style import colour_bar, styled
from jaxnn.plots.ticks import log_axis, round_ticks

MUTED = ("#332288", "#DDCC77", "#44AA99", "#CC6677", "#88CCEE", "#117733", "#AA4499", "#999933",
         "#882255")  # fmt: skip
"""Tol's muted palette, told apart with any colour vision; neighbours here differ in lightness."""
OTHER = "#DDDDDD"
CODES: dict[int, str] = {
    Nowhere.unfinished: "#FFFFFF", Nowhere.plateau: "#999999", Nowhere.diverged: "#000000",
    Nowhere.kink: "#555555", Nowhere.restless: "#EE7733",
}  # fmt: skip


def label_colours(labels: np.ndarray) -> dict[int, str]:
    """A colour for each label: MUTED for the nine most frequent that are not negative, in their
    order, OTHER for the rest, CODES for negative ones.
    """
    values, counts = np.unique(np.ma.compressed(labels), return_counts=True)
    ends = np.flatnonzero(values >= 0)
    most = np.sort(ends[np.argsort(-counts[ends], kind="stable")][: len(MUTED)])
    colours = dict(zip(values[most].tolist(), MUTED, strict=False))
    return {int(v): colours.get(int(v), OTHER) if v >= 0 else CODES[int(v)] for v in values}


@styled
def label_map(
    ax: Axes, labels: np.ndarray, window: Sequence[tuple[float, float]], *,
    colours: Mapping[int, str],
) -> Axes:  # fmt: skip
    """Labels over a window of initial weights, a pixel each.

    Args:
        ax: drawn into.
        labels: (ys, xs) whole numbers over ((x0, x1), (y0, y1)); or (xs,) over ((x0, x1),), which
            is drawn as a strip.
        window: the edges of the outermost pixels along each axis.
        colours: label -> colour, as of `label_colours`.

    Raises:
        ValueError: another shape; a label without a colour.
    """
    labels = _over("labels", labels, window)
    for value in np.unique(labels).tolist():
        if value not in colours:
            raise ValueError(f"label {value} has no colour: take those of plots.label_colours")
    rgb = np.zeros((*labels.shape, 3))
    for value in np.unique(labels):
        rgb[labels == value] = to_rgb(colours[int(value)])
    return _image(ax, rgb, window)


def _over(name: str, values: np.ndarray, window: Any) -> np.ndarray:
    """The values as an array with an axis for each of the window's."""
    return shaped(name, values, **dict.fromkeys(["ys", "xs"][-len(window) :]))


def _image(ax: Axes, image: np.ndarray, window: Any, **settings: Any) -> Axes:
    strip = len(window) == 1
    (left, right), (bottom, top) = window[0], (0.0, 1.0) if strip else window[1]
    ax.imshow(
        image[None] if strip else image, origin="lower", interpolation="nearest",
        extent=(left, right, bottom, top), aspect="auto" if strip else "equal", **settings,
    )  # fmt: skip
    if strip:
        ax.set_yticks([])
    elif window[0][1] - window[0][0] != window[1][1] - window[1][0]:
        ax.set_aspect("auto")
    return ax


@styled
def label_legend(ax: Axes, names: Mapping[str, str], *, title: str) -> Axes:
    """A legend right of the axes: name -> colour."""
    patches = [Patch(fc=colour, ec="0.4", lw=0.5, label=name) for name, colour in names.items()]
    ax.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(1.01, 1.0), title=title,
        alignment="left", borderaxespad=0.0,
    )  # fmt: skip
    return ax


@styled
def value_map(
    ax: Axes, values: np.ndarray, window: Sequence[tuple[float, float]], *, name: str
) -> Axes:
    """Numbers over a window, logarithmic colours where they are positive and span more than a
    factor of 20; what is not finite is grey.

    Args:
        ax: drawn into; the colours' scale beside it.
        values: (ys, xs).
        window: ((x0, x1), (y0, y1)), the edges of the outermost pixels.
        name: what the colours say.

    Raises:
        ValueError: another shape.
    """
    values = _over("values", values, window)
    shown = np.ma.masked_invalid(values)
    ax.set_facecolor("0.85")
    norm = None
    if shown.count():
        positive = shown[shown > 0]
        low, high = (float(f(positive)) if positive.count() else 1.0 for f in (np.min, np.max))
        if np.all(shown >= 0) and high > 20 * low:
            low = max(low, 1e-12 * high)
            norm, shown = LogNorm(low, high), np.ma.maximum(shown, low)
    _image(ax, shown, window, cmap="viridis", norm=norm)
    ticks = None if norm is None else round_ticks(norm.vmin, norm.vmax)  # pyright: ignore
    colour_bar(ax, ax.images[0], name, ticks)
    return ax


@styled
def values_along(ax: Axes, at: np.ndarray, values: np.ndarray, *, name: str) -> Axes:
    """Numbers along a line of initial weights, a dot each; logarithmic as `value_map`.

    Args:
        ax: drawn into.
        at: (pixels,).
        values: (pixels,).
        name: what the numbers are.

    Raises:
        ValueError: other shapes.
    """
    at = shaped("at", at, pixels=None)
    values = shaped("values", values, pixels=len(at))
    seen = values[np.isfinite(values)]
    ax.plot(at, values, ".", ms=2, color="#332288", mew=0)
    if len(seen) and seen.min() > 0 and seen.max() > 20 * seen.min():
        log_axis(ax)
    ax.set_ylabel(name)
    return ax


@styled
def changed_map(ax: Axes, changed: np.ndarray, window: Sequence[tuple[float, float]]) -> Axes:
    """Where a map changes: black where it does.

    Args:
        ax: drawn into.
        changed: (ys, xs) truth values; or (xs,) over a line's window.
        window: as that of `label_map`.

    Raises:
        ValueError: another shape.
    """
    changed = _over("changed", changed, window)
    return _image(ax, np.where(changed, 0.0, 0.93), window, cmap="gray", vmin=0.0, vmax=1.0)
