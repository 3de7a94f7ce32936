"""Slices of a landscape: planes as contours and as surfaces, a run over them, bundles of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from jaxnn.plots.checks import shaped
from jaxnn.plots.style import COLOURS, colour_bar, styled
from jaxnn.plots.ticks import round_ticks, tick_labels

LOSS, DISTANCE = "loss on the training cases", "distance between parameters"
FACES = 60  # of a surface along each axis at most: more are no better in print


@styled
def contours(
    ax: Axes, xs: np.ndarray, ys: np.ndarray, losses: np.ndarray, *,
    points: np.ndarray | None = None, labels: Sequence[str] = (), name: str = LOSS,
    unit: str = DISTANCE,
) -> Axes:  # fmt: skip
    """The loss over a plane, logarithmic colours, with named points in it.

    Where the loss is not finite the plane is hatched.

    Args:
        ax: drawn into; the colours' scale beside it.
        xs: (xs,).
        ys: (ys,).
        losses: (ys, xs), as `slices.plane` gives them.
        points: (points, 2) of the plane.
        labels: (points,) a word for each.
        name: what the colours say.
        unit: of both axes.

    Raises:
        ValueError: other shapes; no loss that is finite and above 0.
    """
    xs, ys = shaped("xs", xs, xs=None), shaped("ys", ys, ys=None)
    losses = shaped("losses", losses, ys=len(ys), xs=len(xs))
    points = shaped("points", np.zeros((0, 2)) if points is None else points, points=None, axes=2)
    if len(labels) != len(points):
        raise ValueError(f"{len(labels)} labels for {len(points)} points: give one a point")
    shown = np.ma.masked_invalid(np.where(np.isfinite(losses) & (losses > 0), losses, np.nan))
    ax.set_facecolor("0.9")
    if shown.count() == 0:
        raise ValueError("no value of the plane is finite and above 0: nothing can be drawn")
    low, high = float(shown.min()), float(shown.max())
    levels = np.geomspace(low, max(high, low * 1.001), 25)
    norm = LogNorm(levels[0], levels[-1])
    filled = ax.contourf(xs, ys, shown, levels=levels, norm=norm, cmap="viridis")
    # the hairlines between the bands, which some viewers show, are covered by the bands' own edges
    filled.set_edgecolor("face")
    ax.contour(xs, ys, shown, levels=levels[::3], colors="white", linewidths=0.4)
    colour_bar(ax, filled, name, round_ticks(levels[0], levels[-1]))
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


@styled
def run_in_plane(
    ax: Axes, coordinates: np.ndarray, losses: np.ndarray, off_plane: np.ndarray
) -> Axes:
    """A training run over a plane that `contours` drew: its projections, joined.

    Each point has the colour of its true loss on the plane's own colours, which differs from the
    ground where the run is off the plane; its size grows with how far that is.

    Args:
        ax: that of `contours`.
        coordinates: (records, 2), as `trajectories.principal_plane` gives them.
        losses: (records,) the true losses.
        off_plane: (records,) the distance of each point from the plane.

    Raises:
        ValueError: other shapes; axes without contours.
    """
    coordinates = shaped("coordinates", coordinates, records=None, axes=2)
    losses = shaped("losses", losses, records=len(coordinates))
    off_plane = shaped("off_plane", off_plane, records=len(coordinates))
    norm: Any = ax.collections[0].norm if ax.collections else None
    if norm is None:
        raise ValueError("the axes have no contours: draw them first, by plots.contours")
    farthest = float(np.max(off_plane))
    ax.plot(*coordinates.T, color="white", lw=0.8, zorder=2)
    ax.scatter(
        *coordinates.T, c=losses, norm=norm, cmap="viridis", edgecolors="white", linewidths=0.6,
        s=12 + 90 * off_plane / (farthest or 1.0), zorder=3,
    )  # fmt: skip
    handle = ax.scatter([], [], s=40, color="0.6", edgecolors="white", linewidths=0.6)
    said = f"size: off the plane, at most {farthest:.2g}"
    ax.legend([handle], [said], frameon=True, framealpha=0.75, edgecolor="none")
    return ax


@styled
def off_plane_distances(
    ax: Axes, steps: np.ndarray, off_plane: np.ndarray, *, unit: str = DISTANCE
) -> Axes:
    """How far a run is off the plane it is drawn in, what the picture of it does not show.

    Args:
        ax: drawn into, best under that of `contours`.
        steps: (records,).
        off_plane: (records,) the distance of each point from the plane.
        unit: of the distance.

    Raises:
        ValueError: other shapes.
    """
    steps = shaped("steps", steps, records=None)
    off_plane = shaped("off_plane", off_plane, records=len(steps))
    ax.fill_between(steps, off_plane, color=COLOURS[1], alpha=0.25, lw=0)
    ax.plot(steps, off_plane, color=COLOURS[1])
    ax.set_ylim(0, 1.08 * float(off_plane.max()) or 1.0)
    ax.set_xlim(float(steps.min()), float(steps.max()))
    ax.set_xlabel("step")
    ax.set_ylabel("off the plane" if unit == DISTANCE else f"off the plane,\n{unit}")
    return ax


@styled
def surface(
    ax: Any, xs: np.ndarray, ys: np.ndarray, losses: np.ndarray, *,
    path: np.ndarray | None = None, path_losses: np.ndarray | None = None, name: str = LOSS,
    unit: str = DISTANCE,
) -> Any:  # fmt: skip
    """The loss over a plane as a surface, its contours on the floor, and a path over it.

    Upwards is logarithmic where the losses are positive and span more than a factor of 20. Where
    the loss is not finite the surface has a hole. A surface hides what is behind it and nothing
    can be read off it: measure on `contours`.

    Args:
        ax: of figure(subplot_kw={"projection": "3d"}).
        xs: (xs,).
        ys: (ys,).
        losses: (ys, xs), as `slices.plane` gives them.
        path: (records, 2) of the plane, drawn at its own losses.
        path_losses: (records,) the true losses of the path.
        name: what upwards is.
        unit: of both level axes.

    Raises:
        ValueError: axes that are flat; other shapes; a path without losses; no finite loss.
    """
    if not hasattr(ax, "plot_surface"):
        raise ValueError("the axes are flat: plots.figure(subplot_kw={'projection': '3d'})")
    xs, ys = shaped("xs", xs, xs=None), shaped("ys", ys, ys=None)
    losses = shaped("losses", losses, ys=len(ys), xs=len(xs))
    if (path is None) != (path_losses is None):
        raise ValueError("path and path_losses go together: give both or neither")
    seen = losses[np.isfinite(losses)]
    if not len(seen):
        raise ValueError("no value of the plane is finite: nothing can be drawn")
    log = bool(seen.min() > 0 and seen.max() > 20 * seen.min())
    z = np.where(np.isfinite(losses), np.log10(losses) if log else losses, np.nan)
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    floor = low - 0.25 * ((high - low) or 1.0)
    ax.computed_zorder = False  # the path over the surface, the surface over its contours
    across, along = np.meshgrid(xs, ys)
    if np.isfinite(z).all() and high > low:
        ax.contour(across, along, z, 14, zdir="z", offset=floor, cmap="viridis", linewidths=0.6,
                   zorder=1)  # fmt: skip
    ax.plot_surface(across, along, z, cmap="viridis", vmin=low, vmax=high, rcount=FACES,
                    ccount=FACES, edgecolor=(0, 0, 0, 0.2), lw=0.2, zorder=2)  # fmt: skip
    if path is not None:
        path = shaped("path", path, records=None, axes=2)
        over = shaped("path_losses", path_losses, records=len(path))
        over = np.log10(over) if log else over
        ax.plot(*path.T, over, color=COLOURS[1], lw=1.6, marker="o", ms=2, zorder=3)
    ax.set(xlabel=unit, ylabel=unit, zlabel=name, zlim=(floor, high))
    if log:
        ticks = round_ticks(10**low, 10**high)
        ax.set_zticks(np.log10(ticks), tick_labels(ticks))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    ax.tick_params(pad=0.0)
    ax.view_init(elev=32, azim=-60)
    ax.set_box_aspect((1, 1, 0.7), zoom=0.92)
    return ax


@styled
def band(
    ax: Axes, ts: np.ndarray, values: np.ndarray, *, low: np.ndarray, middle: np.ndarray,
    high: np.ndarray, xlabel: str, ylabel: str,
) -> Axes:  # fmt: skip
    """Many lines through one point, each thin, with the 5 to 95 % band and the median over them.

    Where a value is not finite the line has a gap.

    Args:
        ax: drawn into.
        ts: (ts,).
        values: (lines, ts), as `slices.bundle` gives them.
        low: (ts,) the 5 % quantile.
        middle: (ts,) the median.
        high: (ts,) the 95 % quantile.
        xlabel: what ts are.
        ylabel: what the values are.

    Raises:
        ValueError: other shapes.
    """
    ts = shaped("ts", ts, ts=None)
    values = shaped("values", values, lines=None, ts=len(ts))
    quantiles = {"low": low, "middle": middle, "high": high}
    low, middle, high = (shaped(name, row, ts=len(ts)) for name, row in quantiles.items())
    ax.plot(ts, np.where(np.isfinite(values), values, np.nan).T, color="0.6", lw=0.3, alpha=0.6)
    ax.fill_between(ts, low, high, color=COLOURS[0], alpha=0.25, lw=0, label="5 to 95 %")
    ax.plot(ts, middle, color=COLOURS[0], lw=1.6, label="median")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend()
    return ax
