"""A network as circles and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from jaxnn.plots.checks import shaped
from jaxnn.plots.layouts import (
    LETTER,
    RADIUS,
    Box,
    free_place,
    half_size,
    node_places,
    paper_of,
    points_of_a_unit,
)
from jaxnn.plots.style import COLOURS, plain, styled
from jaxnn.text import told_apart

THICKEST, MINUS = 4.5, "\u2212"  # line, in points; as matplotlib writes it
READABLE = 24
"""Lines between two layers up to which each can have a text of its own."""
LETTERS = 24
"""Of a node's name: of longer ones, on both sides, there would be no room for the network."""

Texts = Sequence[Any]  # of a sequence for each layer


@styled
def network_diagram(
    ax: Axes, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray | None], *,
    inputs: Sequence[str] = (), outputs: Sequence[str] = (), in_nodes: Texts | None = None,
    under_nodes: Texts | None = None, on_lines: Sequence[Any] | None = None,
    legend: bool = True, most: int = 16,
) -> Axes:  # fmt: skip
    """The network as the essay's Figures 1 and 3: circles for nodes, a line's thickness the
    weight's size.

    Blue lines are positive weights and orange ones negative; a node's shade is its bias in the same
    colours. Of a layer with more than `most` units those with the largest weights are drawn, in
    their order, dots between them. Texts are words or numbers, which are rounded to two places;
    None and "" leave their place empty.

    Args:
        ax: drawn into, its frame taken off.
        weights: (units, inputs) of each layer.
        biases: (units,) of each layer, or None.
        inputs: names of the inputs, as the data have them: no markup, long ones shortened; none
            where there are more than `most`.
        outputs: names of the outputs, as those of the inputs.
        in_nodes: a text in each node, as its value: (units,) for the inputs and then each layer.
        under_nodes: a text under each node, as its bias; as in_nodes.
        on_lines: a text on each line, as its weight: (units, inputs) for each layer, or None.
        legend: whether two lines say what thickness and colour mean.
        most: nodes drawn in a layer, at least 2.

    Raises:
        ValueError: other shapes; texts on more than READABLE lines between two layers.
    """
    weights = _chained(weights)
    sizes = [weights[0].shape[1], *(len(w) for w in weights)]
    offsets = _offsets(biases, sizes)
    if most < 2:
        raise ValueError(f"most is {most}: draw at least 2 nodes in a layer")
    strengths = [np.abs(weights[0]).max(axis=0), *(np.abs(w).max(axis=1) for w in weights)]
    shown = [np.sort(np.argsort(-s, kind="stable")[:most]) for s in strengths]
    places, dots = node_places(sizes, [len(units) for units in shown], paper_of(ax))
    unit = points_of_a_unit(ax, places)
    thickest = min(THICKEST, max(1.5, 0.14 * unit))

    largest = max(float(np.abs(w).max()) for w in weights) or 1.0
    for layer, w in enumerate(weights):
        drawn = w[np.ix_(shown[layer + 1], shown[layer])]
        _draw_lines(ax, thickest * drawn / largest, places[layer], places[layer + 1])
    deepest = max(float(np.abs(o).max()) for o in offsets) or 1.0
    for offset, units, at in zip(offsets, shown, places, strict=True):
        for value, place in zip(offset[units] / deepest, at, strict=True):
            ax.add_patch(
                Circle(tuple(place), RADIUS, fc=_tint(value), ec="black", lw=0.8, zorder=3)
            )
    ax.plot(*dots.T, ".", color="0.35", ms=min(4.0, 0.1 * unit), zorder=3)

    taken = [(place, np.array([RADIUS, RADIUS])) for at in places for place in at]
    for name, texts, room in (("in_nodes", in_nodes, 0.0), ("under_nodes", under_nodes, RADIUS)):
        if texts is not None:
            chosen = _chosen(name, texts, sizes, shown)
            taken += _write_at_nodes(ax, chosen, places, unit, below=room)
    if on_lines is not None:
        _write_on_lines(ax, _on_drawn(on_lines, weights, shown), places, unit, taken)
    _name_nodes(ax, inputs, outputs, sizes, shown, places)
    _name_layers(ax, sizes, shown, places, unit)
    if legend:
        handles = [
            Line2D([], [], color=colour, lw=thickest, alpha=0.75,
                   label=f"weight {sign}{largest:.3g}")
            for colour, sign in ((COLOURS[0], "+"), (COLOURS[1], MINUS))
        ]  # fmt: skip
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _chained(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The weights as arrays, each layer's inputs the units of the one before."""
    if not len(weights):
        raise ValueError("no weights: give (units, inputs) of at least one layer")
    chained = [shaped("weights of layer 1", weights[0], units=None, inputs=None)]
    for number, w in enumerate(weights[1:], 2):
        before = len(chained[-1])
        chained.append(shaped(f"weights of layer {number}", w, units=None, inputs=before))
    return chained


def _offsets(biases: Sequence[np.ndarray | None], sizes: Sequence[int]) -> list[np.ndarray]:
    """(units,) for the inputs and each layer: 0 where there is no bias."""
    if len(biases) != len(sizes) - 1:
        raise ValueError(f"{len(biases)} biases for {len(sizes) - 1} layers: one or None for each")
    return [np.zeros(sizes[0])] + [
        np.zeros(size) if b is None else shaped(f"biases of layer {number}", b, units=size)
        for number, (b, size) in enumerate(zip(biases, sizes[1:], strict=True), 1)
    ]


def _tint(value: float) -> tuple[float, ...]:
    """White at 0, towards blue at 1 and orange at -1, pale enough for black text on it."""
    colour, share = np.array(to_rgb(COLOURS[0] if value > 0 else COLOURS[1])), 0.55 * abs(value)
    return tuple((share * colour + (1 - share)).tolist())


def _draw_lines(ax: Axes, widths: np.ndarray, sources: np.ndarray, targets: np.ndarray) -> None:
    """A line from each source to each target, in points, negative ones orange, the strongest on
    top.
    """
    order = np.argsort(np.abs(widths), axis=None, kind="stable")
    units, inputs = np.unravel_index(order, widths.shape)
    values = widths[units, inputs]
    ax.add_collection(
        LineCollection(
            list(np.stack([sources[inputs], targets[units]], axis=1)),
            colors=[COLOURS[0] if value > 0 else COLOURS[1] for value in values],
            linewidths=np.abs(values), alpha=0.75, zorder=1,
            capstyle="round",
        )
    )  # fmt: skip


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{round(float(value), 2) + 0.0:g}".replace("-", MINUS)


def _chosen(
    name: str, texts: Texts, sizes: Sequence[int], shown: Sequence[np.ndarray]
) -> list[list[str]]:
    """The texts of the nodes that are drawn."""
    if [len(part) for part in texts] != list(sizes):
        raise ValueError(
            f"{name} has {[len(part) for part in texts]} texts: give {list(sizes)}, the inputs' "
            "and each layer's"
        )
    return [[_text(part[i]) for i in units] for part, units in zip(texts, shown, strict=True)]


def _write_at_nodes(
    ax: Axes, texts: list[list[str]], places: Sequence[np.ndarray], unit: float, *, below: float
) -> list[Box]:
    """A text in each node, as large as it fits there; or below it, in the gap to the next. Gives
    the middle and half the size of each.
    """
    widest = max(half_size(text, 1.0, unit)[0] for part in texts for text in part)
    room = 0.9 * RADIUS / widest
    size, taken = min(8.0, 0.28 * unit) if below else min(8.5, room), []
    for part, at in zip(texts, places, strict=True):
        for text, (x, y) in zip(part, at, strict=True):
            if text:
                ax.annotate(
                    text, (x, y - below), xytext=(0, -1.0 if below else -0.05 * size),
                    textcoords="offset points", ha="center", va="top" if below else "center",
                    fontsize=size, zorder=5,
                )  # fmt: skip
                half = half_size(text, size, unit)
                taken.append((np.array([x, y - below - half[1] * bool(below)]), half))
    return taken


def _on_drawn(
    on_lines: Sequence[Any], weights: Sequence[np.ndarray], shown: Sequence[np.ndarray]
) -> list[np.ndarray | None]:
    """The texts of the lines that are drawn, (units, inputs) for each layer, or None."""
    if len(on_lines) != len(weights):
        raise ValueError(f"on_lines has {len(on_lines)} layers: give {len(weights)}, or None each")
    chosen: list[np.ndarray | None] = []
    for number, (texts, w) in enumerate(zip(on_lines, weights, strict=True), 1):
        if texts is None:
            chosen.append(None)
            continue
        texts = shaped(f"on_lines of layer {number}", texts, units=len(w), inputs=w.shape[1])
        words = np.vectorize(_text, otypes=[object])(
            texts[np.ix_(shown[number], shown[number - 1])]
        )
        if np.sum(words != "") > READABLE:
            raise ValueError(
                f"on_lines of layer {number} has texts for {np.sum(words != '')} lines, of which "
                f"{READABLE} can be read: leave some empty"
            )
        chosen.append(words)
    return chosen


def _write_on_lines(
    ax: Axes, on_lines: Sequence[np.ndarray | None], places: Sequence[np.ndarray], unit: float,
    taken: list[Box],
) -> None:  # fmt: skip
    """A text on each line, where it meets no other text and the fewest other lines."""
    size = min(8.0, 0.3 * unit)
    for texts, sources, targets in zip(on_lines, places, places[1:], strict=False):
        if texts is None:
            continue
        ends = [(sources[b], targets[a]) for a, b in np.ndindex(texts.shape)]
        for number, text in enumerate(texts.ravel()):
            if not text:
                continue
            half = half_size(text, size, unit)
            at = free_place(ends, number, half, taken)
            taken.append((at, half))
            ax.annotate(text, tuple(at), ha="center", va="center", fontsize=size, zorder=2,
                        bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.9})  # fmt: skip


def _name_nodes(
    ax: Axes, inputs: Sequence[str], outputs: Sequence[str], sizes: Sequence[int],
    shown: Sequence[np.ndarray], places: Sequence[np.ndarray],
) -> None:  # fmt: skip
    """The names left of the inputs, where all are drawn, and right of the outputs."""
    for layer, names, side in ((0, inputs, "right"), (-1, outputs, "left")):
        if len(names) == sizes[layer] and (layer or len(shown[0]) == sizes[0]):
            words = told_apart([plain(name, most=LETTERS) for name in names])
            for unit, (x, y) in zip(shown[layer], places[layer], strict=True):
                beside = (x - 0.4, y) if side == "right" else (x + 0.4, y)
                ax.annotate(words[unit], beside, ha=side, va="center")


def _name_layers(
    ax: Axes, sizes: Sequence[int], shown: Sequence[np.ndarray], places: Sequence[np.ndarray],
    unit: float,
) -> None:  # fmt: skip
    """Under each layer its name and how many nodes it has, and how many of them are drawn."""
    low, high = (f(np.concatenate(places), axis=0) for f in (np.min, np.max))
    for layer, (size, units, at) in enumerate(zip(sizes, shown, places, strict=True)):
        kind = "input" if layer == 0 else "output" if layer == len(sizes) - 1 else "hidden"
        part = f"{len(units)} of {size}" if len(units) < size else f"{size}"
        ax.annotate(f"{kind} layer\n{part}", (at[0, 0], low[1] - 0.7), ha="center", va="top",
                    color="0.35", fontsize=8, annotation_clip=False)  # fmt: skip
    ax.set_xlim(low[0] - 0.8, high[0] + 0.8)
    ax.set_ylim(low[1] - 0.7 - 2 * LETTER[1] * 8.0 / unit, high[1] + 0.5)
