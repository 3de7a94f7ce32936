"""What more than one figure draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from jaxnn import plots


def accuracies(ax: Axes, scales: np.ndarray, schemes: Sequence[str], right: np.ndarray) -> Axes:
    """The share of test cases right against the scale: every network (schemes, scales, members) a
    dot, the means a line.
    """
    for number, (scheme, values) in enumerate(zip(schemes, 100 * right, strict=True)):
        at = scales * (1 + 0.06 * (number - 0.5))
        colour, marker = plots.COLOURS[number], "os"[number]
        dots = np.repeat(at, values.shape[1])
        ax.plot(dots, values.ravel(), ".", ms=4, alpha=0.5, color=colour)
        ax.plot(at, values.mean(axis=1), "-", marker=marker, ms=4, color=colour, label=scheme)
    ax.set(xscale="log", xlabel="scale of the initial weights", ylabel="test cases right (%)")
    ax.set_xticks(scales, [f"{scale:g}" for scale in scales])
    ax.minorticks_off()
    ax.legend(fontsize=7)
    return ax
