"""What a study of many networks found: losses and shares against the scale, curves as bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from jaxnn.plots.checks import shaped
from jaxnn.plots.style import COLOURS, MARKERS, styled
from jaxnn.plots.ticks import log_axis, sweep_axis


def _scale_axis(ax: Axes, scales: Sequence[float]) -> None:
    sweep_axis(ax, scales)
    ax.set_xlabel("scale of the initial weights")


@styled
def loss_against_scale(
    ax: Axes, scales: Sequence[float], losses: Mapping[str, np.ndarray], *, level: float
) -> Axes:
    """The final loss against the scale, for each scheme: every network a dot, the median a line.

    Args:
        ax: drawn into.
        scales: (scales,).
        losses: scheme -> (scales, members), per case; what is not finite or not positive is left
            out.
        level: where it is dashed.

    Raises:
        ValueError: other shapes.
    """
    for number, (scheme, values) in enumerate(losses.items()):
        values = shaped(f"losses of {scheme!r}", values, scales=len(scales), members=None)
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
        (0.01, level),
        xycoords=("axes fraction", "data"),
        ha="left",
        va="bottom",
        color="0.4",
    )
    log_axis(ax)
    _scale_axis(ax, scales)
    ax.set_ylabel("final loss on the training cases")
    ax.legend(title="median of")
    return ax


@styled
def share_against_scale(
    ax: Axes, scales: Sequence[float], shares: Mapping[str, np.ndarray], *, level: float
) -> Axes:
    """The share of networks whose final loss is at most the level, with its interval.

    Args:
        ax: drawn into.
        scales: (scales,).
        shares: scheme -> (scales, 3), the columns share, low, high, in [0, 1].
        level: for the axis's name.

    Raises:
        ValueError: other shapes.
    """
    _with_intervals(ax, scales, shares, colours=COLOURS)
    _scale_axis(ax, scales)
    ax.set_ylabel(f"reach a loss of {level:g} or less (%)")
    ax.legend(title="Wilson 95 % intervals")
    return ax


@styled
def probability_lines(
    ax: Axes, at: Sequence[float], shares: Mapping[str, np.ndarray], *,
    colours: Mapping[str, str], xlabel: str, ended: Mapping[str, np.ndarray] | None = None,
) -> Axes:  # fmt: skip
    """The probability of each end along a sweep, with its interval.

    Args:
        ax: drawn into; logarithmic where all of the sweep is positive.
        at: (at,) the sweep.
        shares: end -> (at, 3), the columns share, low, high, in [0, 1].
        colours: end -> colour.
        xlabel: what is swept.
        ended: end -> (at,), of that the share where training itself ended there, dashed.

    Raises:
        ValueError: other shapes.
    """
    _with_intervals(ax, at, shares, colours=[colours[name] for name in shares])
    for name, values in (ended or {}).items():
        values = shaped(f"ended of {name!r}", values, at=len(at))
        ax.plot(at, 100 * values, color=colours[name], lw=0.9, ls="--", label="_")
    sweep_axis(ax, at)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("initial weights that lead there (%)")
    return ax


def _with_intervals(
    ax: Axes, at: Sequence[float], shares: Mapping[str, np.ndarray], *, colours: Sequence[str]
) -> None:
    """Lines of shares in per cent with their intervals, set beside each other at each place."""
    for number, (name, values) in enumerate(shares.items()):
        values = shaped(f"shares of {name!r}", values, at=len(at), columns=3)
        places = np.array(at) * (1.0 + 0.035 * (number - (len(shares) - 1) / 2))
        share, low, high = 100 * values.T
        ax.errorbar(
            places, share, yerr=[np.maximum(0, share - low), np.maximum(0, high - share)],
            color=colours[number % len(colours)], marker=MARKERS[number % len(MARKERS)],
            ms=4, lw=1.2, elinewidth=0.9, capsize=2, label=name,
        )  # fmt: skip
    ax.set_ylim(-3, 103)


@styled
def loss_bands(ax: Axes, at: np.ndarray, losses: np.ndarray, *, title: str, xlabel: str) -> Axes:
    """Loss curves as bands of quantiles over members: 5 to 95 %, 25 to 75 %, and the median.

    Args:
        ax: drawn into.
        at: (records,) steps or epochs.
        losses: (members, records); rows with what is not finite are left out.
        title: of the axes.
        xlabel: what `at` is.

    Raises:
        ValueError: other shapes.
    """
    at = shaped("at", at, records=None)
    losses = shaped("losses", losses, members=None, records=len(at))
    whole = losses[np.isfinite(losses).all(axis=1)]
    if len(whole):
        low, q1, median, q3, high = np.quantile(whole, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        ax.fill_between(at, low, high, color=COLOURS[0], alpha=0.15, lw=0)
        ax.fill_between(at, q1, q3, color=COLOURS[0], alpha=0.35, lw=0)
        ax.plot(at, median, color=COLOURS[0], lw=1.2)
        log_axis(ax)
    ax.set_title(title)
    ax.set_xlabel(xlabel)
    return ax


@styled
def learning_curve(ax: Axes, at: np.ndarray, losses: np.ndarray, *, xlabel: str) -> Axes:
    """One network's loss at each record.

    Args:
        ax: drawn into.
        at: (records,) steps or epochs.
        losses: (records,).
        xlabel: what `at` is.

    Raises:
        ValueError: other shapes.
    """
    at = shaped("at", at, records=None)
    losses = shaped("losses", losses, records=len(at))
    ax.plot(at, losses, color=COLOURS[0], lw=1.5)
    log_axis(ax)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("loss on the training cases")
    return ax
