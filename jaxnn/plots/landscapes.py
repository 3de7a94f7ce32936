"""The landscape at points and between them: spectra, paths, barriers, stationary points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from jaxnn.plots.checks import shaped
from jaxnn.plots.style import COLOURS, MARKERS, styled
from jaxnn.plots.ticks import log_axis, round_ticks, tick_labels


@styled
def eigenvalues(ax: Axes, values: np.ndarray, *, tolerance: float) -> Axes:
    """All eigenvalues (P,) by rank on a symmetric logarithmic axis: positive ones blue, negative
    ones orange, those within the tolerance of 0 grey.

    Raises:
        ValueError: another shape.
    """
    values = np.sort(shaped("values", values, P=None))[::-1]
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
    least = float(seen.min()) if len(seen) else 1.0
    ax.set_yscale("symlog", linthresh=least, linscale=0.5)
    ticks = _decades(values, least)
    ax.set_yticks(ticks, tick_labels(ticks))
    ax.minorticks_off()
    ax.axhline(0, color="0.5", lw=0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_xlabel("rank")
    ax.set_ylabel("eigenvalue of the Hessian")
    ax.legend()
    return ax


def _decades(values: np.ndarray, least: float) -> list[float]:
    """0, and powers of ten on both sides of it, as many as can be read; round numbers where these
    are few.
    """
    most = float(np.abs(values).max(initial=least))
    low, high = int(np.ceil(np.log10(3 * least))), int(np.floor(np.log10(most)))
    powers = 10.0 ** np.arange(high, low - 1, -max(1, -(-(high - low + 1) // 5)))
    if len(powers) < 2:
        powers = round_ticks(least, most)[::-1]
    below, above = powers[powers <= -values.min()], powers[powers <= values.max()]
    ticks = [*-below, 0.0, *above[::-1]]
    return ticks if len(ticks) > 1 else [-least, 0.0, least]


@styled
def density(ax: Axes, grid: np.ndarray, values: np.ndarray, *, note: str) -> Axes:
    """The density of eigenvalues, logarithmic upwards.

    Args:
        ax: drawn into.
        grid: (grid,) eigenvalues.
        values: (grid,) the density there.
        note: the title, which says how it was made.

    Raises:
        ValueError: other shapes.
    """
    grid = shaped("grid", grid, grid=None)
    values = shaped("values", values, grid=len(grid))
    ax.fill_between(grid, values, 1e-6 * values.max(), color=COLOURS[0], alpha=0.4, lw=0)
    log_axis(ax)
    ax.set_ylim(1e-6 * values.max(), 2 * values.max())
    ax.set_xlabel("eigenvalue of the Hessian")
    ax.set_ylabel("density")
    ax.set_title(note)
    return ax


@styled
def along_paths(
    ax: Axes, losses: Mapping[str, tuple[np.ndarray, np.ndarray]], *, barriers: bool = False
) -> Axes:
    """The loss along paths between two points, a line each.

    Logarithmic where the losses span more than a factor of 20; not finite: a gap.

    Args:
        ax: drawn into.
        losses: name -> (where in [0, 1], loss), (points,) both.
        barriers: whether an arrow shows the barrier of each path, the most that its loss lies
            above the straight line between its ends (Frankle et al. 2020), with its height.

    Raises:
        ValueError: other shapes.
    """
    lowest, highest = np.inf, 0.0
    for number, (name, (at, values)) in enumerate(losses.items()):
        at = shaped(f"where of {name!r}", at, points=None)
        shown = shaped(f"losses of {name!r}", values, points=len(at))
        shown = np.where(np.isfinite(shown), shown, np.nan)
        ax.plot(at, shown, color=COLOURS[number % len(COLOURS)], lw=1.5, label=name)
        if barriers:
            _barrier(ax, at, shown, COLOURS[number % len(COLOURS)])
        seen = shown[np.isfinite(shown)]
        lowest = min(lowest, *seen) if len(seen) else lowest
        highest = max(highest, *seen) if len(seen) else highest
    if 0 < lowest < highest / 20:
        log_axis(ax)
    ax.set_xlabel("share of the way from the first network to the second")
    ax.set_ylabel("loss on the training cases")
    ax.legend()
    return ax


def _barrier(ax: Axes, at: np.ndarray, losses: np.ndarray, colour: str) -> None:
    level = losses[0] + (losses[-1] - losses[0]) * (at - at[0]) / ((at[-1] - at[0]) or 1.0)
    above = np.where(np.isfinite(losses), losses, -np.inf) - level
    if not np.isfinite(level).all() or above.max() <= 0:
        return
    top = int(above.argmax())
    ax.annotate("", (at[top], losses[top]), (at[top], level[top]),
                arrowprops={"arrowstyle": "<->", "color": colour, "lw": 0.8, "shrinkA": 0,
                            "shrinkB": 0})  # fmt: skip
    ax.annotate(f"{above[top]:.3g}", (at[top], losses[top]), xytext=(0, 3), ha="center",
                textcoords="offset points", color=colour, fontsize=8)  # fmt: skip


@styled
def loss_against_index(
    ax: Axes, losses: np.ndarray, index: np.ndarray, *, kinds: Sequence[str]
) -> Axes:
    """Each class of stationary points by its negative directions and its loss, in the colour of its
    kind (Dauphin et al. 2014, figure 1).

    Points with one index are set beside each other in order of loss. Logarithmic where the losses
    span more than a factor of 20.

    Args:
        ax: drawn into.
        losses: (classes,).
        index: (classes,) whole numbers, the negative eigenvalues of each.
        kinds: (classes,) a word for each.

    Raises:
        ValueError: other shapes.
    """
    losses = shaped("losses", losses, classes=None)
    index = shaped("index", index, classes=len(losses))
    shaped("kinds", kinds, classes=len(losses))
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
        log_axis(ax)
    ax.set_xticks(np.arange(max(int(index.max(initial=0)), 1) + 1))
    ax.set_xlabel("index: negative eigenvalues of the Hessian")
    ax.set_ylabel("loss on the training cases")
    if len(kinds):
        ax.legend()
    return ax
