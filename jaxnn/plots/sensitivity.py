"""Dimensions of borders: the counts against the scale, and the slopes between them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from jaxnn.landscape.dimensions import Dimension
from jaxnn.plots.style import COLOURS, styled
from jaxnn.plots.ticks import log_axis


@styled
def scaling(ax: Axes, found: Dimension, *, name: str = "", colour: str = COLOURS[0]) -> Axes:
    """How many boxes hold a border against their side, both logarithmic; filled where fitted, with
    the line of the fit.

    name: in the legend, before the dimension and its interval, or that the map cannot tell it.
    """
    x, y = np.log(found.scales), np.log(found.counts)
    line = np.poly1d(np.polyfit(x[found.fitted], y[found.fitted], 1))
    said = f"{found.dimension:.3f} ({found.low:.3f}, {found.high:.3f})"
    said = "cannot tell" if found.doubt else said
    label = f"{name}: {said}" if name else said
    ax.plot(found.scales, found.counts, "o", ms=4, mfc="white", mec=colour)
    ax.plot(found.scales[found.fitted], found.counts[found.fitted], "o", ms=4, color=colour)
    ends = np.array([x[found.fitted].min() - 0.3, x[found.fitted].max() + 0.3])
    ax.plot(np.exp(ends), np.exp(line(ends)), color=colour, lw=1.2, label=label)
    ax.set_xscale("log", base=2)
    log_axis(ax)
    ax.set_xlabel("side of a box or distance of a pair, pixels")
    ax.set_ylabel("boxes with a border")
    ax.legend(title="dimension and 95 % interval")
    return ax


@styled
def local_slopes(ax: Axes, found: Dimension, *, colour: str = COLOURS[0]) -> Axes:
    """The dimension between each scale and the next, filled where both are fitted, and the fitted
    dimension with its interval: a power law is level.
    """
    middles = np.sqrt(found.scales[:-1] * found.scales[1:])
    both = found.fitted[:-1] & found.fitted[1:]
    fitted = found.scales[found.fitted]
    ends = [fitted.min(), fitted.max()]
    ax.fill_between(ends, found.low, found.high, color=colour, alpha=0.2, lw=0)
    ax.plot(ends, [found.dimension] * 2, color=colour, lw=1.2)
    ax.plot(middles, found.local_slopes, "o-", ms=4, mfc="white", color=colour, lw=0.6)
    ax.plot(middles[both], found.local_slopes[both], "o", ms=4, color=colour)
    ax.set_xscale("log", base=2)
    ax.set_xlabel("side of a box or distance of a pair, pixels")
    ax.set_ylabel("dimension between neighbouring scales")
    return ax
