"""The landscape around points: slices, bundles of lines, spectra, paths and barriers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from jaxnn.plots.style import COLOURS, MARKERS


def contours(
    ax: Axes, xs: np.ndarray, ys: np.ndarray, losses: np.ndarray, *,
    points: np.ndarray, labels: Sequence[str], name: str = "loss on the training cases",
    unit: str = "distance between parameters",
) -> Axes:  # fmt: skip
    """The loss over a plane (len(ys), len(xs)), logarithmic colours, with named points (points, 2)
    in it.

    Where the loss is not finite the plane is hatched. name: what the colours say; unit: of both
    axes.
    """
    shown = np.ma.masked_invalid(np.where(np.isfinite(losses) & (losses > 0), losses, np.nan))
    ax.set_facecolor("0.9")
    if shown.count() == 0:
        raise ValueError("no value of the plane is finite and above 0: nothing can be drawn")
    low, high = float(shown.min()), float(shown.max())
    levels = np.geomspace(low, max(high, low * 1.001), 25)
    norm = LogNorm(levels[0], levels[-1])
    filled = ax.contourf(xs, ys, shown, levels=levels, norm=norm, cmap="viridis")
    ax.contour(xs, ys, shown, levels=levels[::3], colors="white", linewidths=0.4)
    bar = ax.figure.colorbar(
        filled, ax=ax, ticks=np.geomspace(levels[0], levels[-1], 5), format="%.2g"
    )
    bar.ax.minorticks_off()
    bar.set_label(name)
    if np.ma.is_masked(shown):
        bad = np.where(np.ma.getmaskarray(shown), 1.0, np.nan)
        ax.contourf(xs, ys, bad, levels=[0.5, 1.5], colors="none", hatches=["///"])
    for (x, y), label in zip(points, labels, strict=True):
        ax.plot(x, y, "o", color="white", mec="black", ms=6)
        ax.annotate(label, (x, y), xytext=(6, 6), textcoords="offset points", color="black",
                    bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1.5})  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlabel(unit)
    ax.set_ylabel(unit)
    return ax


def band(
    ax: Axes, ts: np.ndarray, values: np.ndarray, *, low: np.ndarray, middle: np.ndarray,
    high: np.ndarray, xlabel: str, ylabel: str,
) -> Axes:  # fmt: skip
    """Many lines through one point (lines, ts): each thin, the 5 to 95 % band and the median over
    them.

    Where a value is not finite the line has a gap.
    """
    ax.plot(ts, np.where(np.isfinite(values), values, np.nan).T, color="0.6", lw=0.3, alpha=0.6)
    ax.fill_between(ts, low, high, color=COLOURS[0], alpha=0.25, lw=0)
    ax.plot(ts, middle, color=COLOURS[0], lw=1.6)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    return ax


def eigenvalues(ax: Axes, values: np.ndarray, *, tolerance: float) -> Axes:
    """All eigenvalues (P,) by rank on a symmetric logarithmic axis: positive ones blue, negative
    ones orange, those within the tolerance of 0 grey.
    """
    values = np.sort(np.asarray(values))[::-1]
    kinds = (
        (values > tolerance, COLOURS[0], "positive"),
        (np.abs(values) <= tolerance, "0.6", "zero to rounding"),
        (values < -tolerance, COLOURS[1], "negative"),
    )
    ranks = np.arange(1, len(values) + 1)
    for which, colour, name in kinds:
        if which.any():
            ax.plot(
                ranks[which], values[which], ".", ms=4, color=colour,
                label=f"{int(which.sum())} {name}",
            )  # fmt: skip
    seen = np.abs(values[np.abs(values) > tolerance])
    ax.set_yscale("symlog", linthresh=float(seen.min()) if len(seen) else 1.0)
    ax.axhline(0, color="0.5", lw=0.6)
    ax.set_xlabel("rank")
    ax.set_ylabel("eigenvalue of the Hessian")
    ax.legend()
    return ax


def density(ax: Axes, grid: np.ndarray, values: np.ndarray, *, note: str) -> Axes:
    """The density of eigenvalues (len(grid),), logarithmic upwards; the note says how it was
    made.
    """
    ax.fill_between(grid, values, 1e-6 * values.max(), color=COLOURS[0], alpha=0.4, lw=0)
    ax.set_yscale("log")
    ax.set_ylim(1e-6 * values.max(), 2 * values.max())
    ax.set_xlabel("eigenvalue of the Hessian")
    ax.set_ylabel("density")
    ax.set_title(note)
    return ax


def along_paths(ax: Axes, losses: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Axes:
    """The loss along paths between two points: name -> (where in [0, 1], loss), a line each.

    Logarithmic where the losses span more than a factor of 20; not finite: a gap.
    """
    lowest, highest = np.inf, 0.0
    for number, (name, (at, values)) in enumerate(losses.items()):
        shown = np.where(np.isfinite(values), values, np.nan)
        ax.plot(at, shown, color=COLOURS[number % len(COLOURS)], lw=1.5, label=name)
        seen = shown[np.isfinite(shown)]
        lowest = min(lowest, *seen) if len(seen) else lowest
        highest = max(highest, *seen) if len(seen) else highest
    if 0 < lowest < highest / 20:
        ax.set_yscale("log")
    ax.set_xlabel("share of the way from the first network to the second")
    ax.set_ylabel("loss on the training cases")
    ax.legend()
    return ax


def run_in_plane(
    ax: Axes, coordinates: np.ndarray, losses: np.ndarray, off_plane: np.ndarray
) -> Axes:
    """A training run over a plane that `contours` drew: its projections (records, 2), joined.

    Each point has the colour of its true loss (records,) on the plane's own colours, which differs
    from the ground where the run is off the plane; its size grows with how far (records,) that is.
    """
    norm: Any = ax.collections[0].norm
    farthest = float(np.max(off_plane)) or 1.0
    ax.plot(*coordinates.T, color="white", lw=0.8, zorder=2)
    ax.scatter(
        *coordinates.T, c=losses, norm=norm, cmap="viridis", edgecolors="white", linewidths=0.6,
        s=12 + 90 * off_plane / farthest, zorder=3,
    )  # fmt: skip
    return ax


def loss_against_index(
    ax: Axes, losses: np.ndarray, index: np.ndarray, *, kinds: Sequence[str]
) -> Axes:
    """Each class of stationary points (classes,) by its negative directions and its loss, in the
    colour of its kind (Dauphin et al. 2014, figure 1).

    Points with one index are set beside each other in order of loss. Logarithmic where the losses
    span more than a factor of 20.
    """
    places = np.asarray(index, float)
    for number in np.unique(index):
        here = np.flatnonzero(index == number)
        ranks = np.argsort(np.argsort(losses[here], kind="stable"), kind="stable")
        places[here] += 0.7 * ((ranks + 0.5) / len(here) - 0.5)
    for number, kind in enumerate(dict.fromkeys(kinds)):
        which = np.array([k == kind for k in kinds])
        ax.plot(
            places[which], losses[which], MARKERS[number % len(MARKERS)], ms=4, alpha=0.7,
            color=COLOURS[number % len(COLOURS)], label=f"{kind} ({int(which.sum())})", mew=0,
        )  # fmt: skip
    seen = losses[losses > 0]
    if len(seen) and seen.max() > 20 * seen.min():
        ax.set_yscale("log")
    ax.set_xticks(np.arange(int(index.max(initial=0)) + 1))
    ax.set_xlabel("index: negative eigenvalues of the Hessian")
    ax.set_ylabel("loss on the training cases")
    ax.legend()
    return ax
