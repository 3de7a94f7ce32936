"""A network as circles and lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from jaxnn.plots.style import COLOURS


def network_diagram(
    ax: Axes, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray | None], *,
    inputs: Sequence[str] = (), outputs: Sequence[str] = (), most: int = 16,
) -> Axes:  # fmt: skip
    """The network as the essay's Figure 1: circles for nodes, a line's thickness the weight's size.

    Blue lines are positive weights and orange ones negative; a node's shade is its bias in the same
    colours. Of a layer with more than `most` units those with the largest weights are drawn.

    Args:
        ax: drawn into, its frame taken off.
        weights: (units, inputs) of each layer.
        biases: (units,) of each layer, or None.
        inputs: names of the inputs; none where there are more than `most`.
        outputs: names of the outputs.
        most: nodes drawn in a layer.
    """
    sizes = [weights[0].shape[1], *(len(w) for w in weights)]
    strengths = [np.abs(weights[0]).max(axis=0), *(np.abs(w).max(axis=1) for w in weights)]
    shown = [np.sort(np.argsort(-s, kind="stable")[:most]) for s in strengths]
    largest = max(float(np.abs(w).max()) for w in weights) or 1.0
    offsets = [np.abs(b).max() for b in biases if b is not None and len(b)]
    deepest = max([float(o) for o in offsets], default=1.0) or 1.0

    tallest = max(len(units) for units in shown)
    apart = max(1.0, tallest / 4.5)  # between layers, in units of one node's room

    def place(layer: int, rank: int) -> tuple[float, float]:
        count = len(shown[layer])
        return layer * 2.6 * apart, (tallest / count) * ((count - 1) / 2 - rank)

    for layer, w in enumerate(weights):
        for a, unit in enumerate(shown[layer + 1]):
            for b, source in enumerate(shown[layer]):
                value = w[unit, source]
                (x0, y0), (x1, y1) = place(layer, b), place(layer + 1, a)
                ax.plot([x0, x1], [y0, y1], color=COLOURS[0] if value > 0 else COLOURS[1],
                        lw=4.5 * abs(value) / largest, alpha=0.75, zorder=1,
                        solid_capstyle="round")  # fmt: skip
    for layer, units in enumerate(shown):
        offset = biases[layer - 1] if layer else None
        for rank, unit in enumerate(units):
            value = 0.0 if offset is None else float(offset[unit]) / deepest
            tint = COLOURS[0] if value > 0 else COLOURS[1]
            x, y = place(layer, rank)
            ax.add_patch(Circle((x, y), 0.3, fc="white", ec="black", lw=0.8, zorder=2))
            ax.add_patch(Circle((x, y), 0.3, fc=tint, ec="none", alpha=0.6 * abs(value), zorder=3))
            if layer == 0 and len(inputs) == sizes[0] <= most:
                ax.annotate(str(inputs[unit]), (x - 0.4, y), ha="right", va="center")
            if layer == len(weights) and len(outputs) == sizes[-1]:
                ax.annotate(str(outputs[unit]), (x + 0.4, y), ha="left", va="center")
        part = f"{len(units)} of {sizes[layer]}" if len(units) < sizes[layer] else f"{sizes[layer]}"
        kind = "input" if layer == 0 else "output" if layer == len(weights) else "hidden"
        x, _ = place(layer, 0)
        ax.annotate(f"{part} {kind}", (x, -tallest / 2 - 0.3), ha="center", va="top", color="0.4")
    ax.set_aspect("equal")
    ax.margins(0.08)
    ax.set_axis_off()
    return ax
