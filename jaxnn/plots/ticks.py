"""Where axes have their ticks, and what these are called: two at least, whatever is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, Locator, MaxNLocator, NullFormatter

PLAIN = (1e-3, 1e4)
"""Between these powers of ten are written in full."""


def round_ticks(low: float, high: float) -> np.ndarray:
    """Round numbers between two positive ones, at least two where these differ: 1, 2, 5 times
    powers of ten, or powers alone where these are many; where they are few, equal steps.
    """
    if low == high:
        return np.array([low])
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1.0,), (1.0, 2.0, 5.0)):
        ticks = np.sort(np.outer(powers, steps).ravel())
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) >= 4:
            return ticks[:: -(-len(ticks) // 8)]
    locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3)
    parts = np.asarray(locator.tick_values(low, high))
    slack = 1e-12 * high  # the parts are sums of steps
    parts = parts[(parts >= low - slack) & (parts <= high + slack)]
    return parts if len(parts) > 1 else np.unique([low, high])


def tick_labels(ticks: Sequence[float] | np.ndarray) -> list[str]:
    """What ticks are called: powers of ten as such where they are large or small, else as few
    digits as tell what they are.
    """
    places = np.asarray(ticks, float)
    near = 1e-3 * np.diff(np.sort(places)).min(initial=np.inf)  # nearer than that they are one
    near = np.minimum(near, 1e-6 * np.abs(places))
    powers = np.round(np.log10(np.where(places > 0, places, 1.0)))
    plain = all(PLAIN[0] <= tick <= PLAIN[1] for tick in places)
    if not plain and np.all(np.abs(10.0**powers - places) <= near):
        return [f"$10^{{{power:.0f}}}$" for power in powers]
    texts = list[str]()
    for digits in range(6, 18):
        texts = [f"{tick:.{digits}g}" for tick in places]
        if np.all(np.abs(np.array(texts, float) - places) <= near):
            break
    return texts


class _Round(Locator):
    """`round_ticks` of what is in view, whenever that changes."""

    def __call__(self) -> Any:
        return self.tick_values(*sorted(self.axis.get_view_interval()))  # pyright: ignore

    def tick_values(self, vmin: float, vmax: float) -> Any:
        return round_ticks(vmin, vmax) if vmin > 0 else np.array([])


class _Named(Formatter):
    def __call__(self, x: float, pos: int | None = None) -> str:
        del pos
        return tick_labels([x])[0]

    def format_ticks(self, values: Any) -> list[str]:
        return tick_labels(values) if len(values) else []


def log_axis(ax: Axes, side: Literal["x", "y"] = "y") -> None:
    """Make an axis logarithmic, with two labelled ticks at least: matplotlib's own has one where
    what is drawn spans little more than a power of ten.
    """
    (ax.set_xscale if side == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if side == "x" else ax.yaxis
    axis.set_major_locator(_Round())
    axis.set_major_formatter(_Named())
    axis.set_minor_formatter(NullFormatter())


def sweep_axis(ax: Axes, values: Sequence[float]) -> None:
    """Make the horizontal axis that of a sweep: a tick at each value, logarithmic where all are
    positive. Around a single value half and double of it, so that there is an axis.
    """
    ticks = sorted(values)
    if len(set(ticks)) == 1:
        alone = ticks[0]
        ticks = [alone / 2, alone, 2 * alone] if alone else [-1.0, 0.0, 1.0]
        ax.set_xlim(ticks[0], ticks[-1])
    if min(ticks) > 0:
        ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
