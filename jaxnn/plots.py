"""Arrays to matplotlib axes: the only file that imports matplotlib. Every picture is the same bytes
every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe & Ito's palette, told apart with any colour vision."""
MARKERS = "osD^vPX*"

STYLE = {
    "svg.hashsalt": "jaxnn",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "legend.frameon": False,
}


def house_style() -> Any:
    """A context in which everything drawn has this file's fonts, spines and layout."""
    return plt.rc_context(STYLE)  # pyright: ignore[reportArgumentType]


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.0, height: float = 4.0, **axes: Any
) -> Any:
    """A figure and its axes (rows, columns), always two-dimensional; sizes in inches."""
    with house_style():
        return plt.subplots(
            rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **axes
        )


def save(drawn: Figure, path: str | Path) -> list[Path]:
    """Write path.svg and path.png (150 dots an inch), byte for byte the same for the same
    figure.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [path.with_name(f"{path.name}.{suffix}") for suffix in ("svg", "png")]
    with house_style():
        drawn.savefig(files[0], metadata={"Date": None, "Creator": None})
        drawn.savefig(files[1], dpi=150, metadata={"Software": None})
    plt.close(drawn)
    return files


def _scale_axis(ax: Axes, scales: Sequence[float]) -> None:
    ax.set_xscale("log")
    ax.set_xticks(list(scales), [f"{scale:g}" for scale in scales])
    ax.minorticks_off()
    ax.set_xlabel("scale of the initial weights")


def loss_against_scale(
    ax: Axes, scales: Sequence[float], losses: Mapping[str, np.ndarray], *, level: float
) -> Axes:
    """The final loss against the scale, for each scheme: every network a dot, the median a line.

    losses: scheme -> (scales, members), per case; what is not finite or not positive is left out.
    """
    for number, (scheme, values) in enumerate(losses.items()):
        shift = 1.0 + 0.06 * (number - (len(losses) - 1) / 2)
        at = np.array(scales) * shift
        colour = COLOURS[number % len(COLOURS)]
        usable = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        # the dots' sideways places are their ranks', not noise
        members = values.shape[1]
        spread = 1.0 + 0.04 * (np.arange(members) / max(1, members - 1) - 0.5)
        ax.scatter(
            np.outer(at, spread).ravel(),
            usable.ravel(),
            s=3,
            color=colour,
            alpha=0.25,
            linewidths=0,
        )
        median = [
            np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in values
        ]
        ax.plot(at, median, color=colour, marker=MARKERS[number % len(MARKERS)], ms=4, label=scheme)
    ax.axhline(level, color="0.5", lw=0.8, ls="--")
    ax.annotate(
        f"level {level:g}",
        (1, level),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        color="0.4",
    )
    ax.set_yscale("log")
    _scale_axis(ax, scales)
    ax.set_ylabel("final loss on the training cases")
    ax.legend(title="median of")
    return ax


def share_against_scale(
    ax: Axes, scales: Sequence[float], shares: Mapping[str, np.ndarray], *, level: float
) -> Axes:
    """The share of networks whose final loss is at most the level, with its interval.

    shares: scheme -> (scales, 3), the columns share, low, high, in [0, 1].
    """
    for number, (scheme, values) in enumerate(shares.items()):
        at = np.array(scales) * (1.0 + 0.04 * (number - (len(shares) - 1) / 2))
        share, low, high = 100 * values.T
        ax.errorbar(
            at, share, yerr=[np.maximum(0, share - low), np.maximum(0, high - share)],
            color=COLOURS[number % len(COLOURS)], marker=MARKERS[number % len(MARKERS)],
            ms=4, lw=1.2, capsize=2, label=scheme,
        )  # fmt: skip
    ax.set_ylim(-3, 103)
    _scale_axis(ax, scales)
    ax.set_ylabel(f"reach a loss of {level:g} or less (%)")
    ax.legend(title="Wilson 95 % intervals")
    return ax


def loss_bands(ax: Axes, at: np.ndarray, losses: np.ndarray, *, title: str, xlabel: str) -> Axes:
    """Loss curves as bands of quantiles over members: 5 to 95 %, 25 to 75 %, and the median.

    at: (records,) steps or epochs. losses: (members, records); rows with what is not finite are
        left out.
    """
    whole = losses[np.isfinite(losses).all(axis=1)]
    if len(whole):
        low, q1, median, q3, high = np.quantile(whole, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        ax.fill_between(at, low, high, color=COLOURS[0], alpha=0.15, lw=0)
        ax.fill_between(at, q1, q3, color=COLOURS[0], alpha=0.35, lw=0)
        ax.plot(at, median, color=COLOURS[0], lw=1.2)
        ax.set_yscale("log")
    ax.set_title(title)
    ax.set_xlabel(xlabel)
    return ax


def learning_curve(ax: Axes, at: np.ndarray, losses: np.ndarray, *, xlabel: str) -> Axes:
    """One network's loss at each record: at (records,), losses (records,)."""
    ax.plot(at, losses, color=COLOURS[0], lw=1.5)
    ax.set_yscale("log")
    ax.set_xlabel(xlabel)
    ax.set_ylabel("loss on the training cases")
    return ax


def contours(
    ax: Axes, xs: np.ndarray, ys: np.ndarray, losses: np.ndarray, *,
    points: np.ndarray, labels: Sequence[str],
) -> Axes:  # fmt: skip
    """The loss over a plane (len(ys), len(xs)), logarithmic colours, with named points (points, 2)
    in it.

    Where the loss is not finite the plane stays blank.
    """
    shown = np.ma.masked_invalid(np.where(np.isfinite(losses) & (losses > 0), losses, np.nan))
    low, high = float(shown.min()), float(shown.max())
    levels = np.geomspace(low, max(high, low * 1.001), 25)
    norm = LogNorm(levels[0], levels[-1])
    filled = ax.contourf(xs, ys, shown, levels=levels, norm=norm, cmap="viridis")
    ax.contour(xs, ys, shown, levels=levels[::3], colors="white", linewidths=0.4)
    bar = ax.figure.colorbar(
        filled, ax=ax, ticks=np.geomspace(levels[0], levels[-1], 5), format="%.2g"
    )
    bar.ax.minorticks_off()
    bar.set_label("loss on the training cases")
    for (x, y), label in zip(points, labels, strict=True):
        ax.plot(x, y, "o", color="white", mec="black", ms=6)
        ax.annotate(label, (x, y), xytext=(6, 6), textcoords="offset points", color="black",
                    bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1.5})  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlabel("distance between parameters")
    ax.set_ylabel("distance between parameters")
    return ax


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
