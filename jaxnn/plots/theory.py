"""What is known before any training: activations, and the phases of signal propagation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, TwoSlopeNorm

from jaxnn.plots.checks import shaped
from jaxnn.plots.style import COLOURS, colour_bar, styled
from jaxnn.plots.ticks import round_ticks, tick_labels


@styled
def activation_curve(
    ax: Axes, xs: np.ndarray, values: np.ndarray, *,
    slopes: np.ndarray | None = None, name: str = r"$\sigma(x) = 1 / (1 + e^{-x})$",
    slope_name: str = r"$\sigma'(x)$",    bounds: Sequence[float] = (0.0, 1.0),
) -> Axes:  # fmt: skip
    """An activation, as the essay's Figure 2 the sigmoid, between its bounds, and its derivative.

    Args:
        ax: drawn into.
        xs: (xs,).
        values: (xs,).
        slopes: (xs,) the derivative, thinner.
        name: of the values in the legend.
        slope_name: of the slopes.
        bounds: where it is dashed; the values of relu have none.

    Raises:
        ValueError: other shapes.
    """
    xs = shaped("xs", xs, xs=None)
    for bound in bounds:
        ax.axhline(bound, color="0.6", lw=0.7, ls="--", zorder=1)
    ax.plot(xs, shaped("values", values, xs=len(xs)), color=COLOURS[0], lw=1.8, label=name)
    if slopes is not None:
        slopes = shaped("slopes", slopes, xs=len(xs))
        ax.plot(xs, slopes, color=COLOURS[1], lw=1.1, label=slope_name)
    ax.axvline(0.0, color="0.85", lw=0.7, zorder=0)
    ax.set_xlim(float(xs.min()), float(xs.max()))
    ax.set_xlabel("x")
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.95))
    return ax


@styled
def phase_diagram(
    ax: Axes, sigma_ws: np.ndarray, sigma_bs: np.ndarray, chi: np.ndarray, *,
    depths: np.ndarray | None = None, points: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:  # fmt: skip
    """The plane of sigma_w and sigma_b: order, chaos, and the line chi_1 = 1 between them (Poole et
    al. 2016; Schoenholz et al. 2017).

    Args:
        ax: drawn into; the colours' scale beside it.
        sigma_ws: (sigma_ws,) ascending.
        sigma_bs: (sigma_bs,) ascending.
        chi: (sigma_bs, sigma_ws) chi_1 of `propagation.phase`, which is what is coloured: below 1
            purple, above 1 orange.
        depths: (sigma_bs, sigma_ws) of a depth scale, as `correlation_depth`: coloured in its
            place, logarithmic; what is not finite has the last colour.
        points: name -> (sigma_w, sigma_b), as those of a scheme.

    Raises:
        ValueError: other shapes; no chi that is finite and positive.
    """
    sigma_ws = shaped("sigma_ws", sigma_ws, sigma_ws=None)
    sigma_bs = shaped("sigma_bs", sigma_bs, sigma_bs=None)
    chi = shaped("chi", chi, sigma_bs=len(sigma_bs), sigma_ws=len(sigma_ws))
    known = np.isfinite(chi) & (chi > 0)
    if not known.any():
        raise ValueError("no chi is finite and above 0: nothing can be drawn")
    logs = np.log(np.where(known, chi, np.nan))
    if depths is None:
        sides = [float(np.nanmax(side)) for side in (logs, -logs)]
        most = min((side for side in sides if side > 0), default=1.0)
        most = max(most, float(np.nanquantile(np.abs(logs), 0.8)))
        norm = TwoSlopeNorm(0.0, -most, most)
        filled = ax.contourf(sigma_ws, sigma_bs, logs, np.linspace(-most, most, 41), norm=norm,
                             cmap="PuOr_r", extend="both")  # fmt: skip
        bar = colour_bar(ax, filled, r"$\chi_1$, the factor on |gradient|² a layer")
        ticks = np.array([0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0, 10.0])
        ticks = ticks[np.abs(np.log(ticks)) <= most]
        ticks = ticks if len(ticks) > 1 else round_ticks(np.exp(-most), np.exp(most))
        bar.set_ticks(np.log(ticks).tolist(), labels=tick_labels(ticks))
    else:
        depths = shaped("depths", depths, sigma_bs=len(sigma_bs), sigma_ws=len(sigma_ws))
        sound = depths[np.isfinite(depths) & (depths > 0)]
        low, high = (float(np.quantile(sound, q)) for q in (0.01, 0.98))
        shown = np.clip(np.where(np.isnan(depths), np.nan, depths), low, high)
        levels = np.geomspace(low, max(high, 1.001 * low), 41)
        filled = ax.contourf(sigma_ws, sigma_bs, shown, levels, norm=LogNorm(low, levels[-1]),
                             cmap="viridis", extend="max")  # fmt: skip
        colour_bar(ax, filled, "depth scale, layers", round_ticks(low, levels[-1]))
    filled.set_edgecolor("face")
    critical = ax.contour(sigma_ws, sigma_bs, logs, [0.0], colors="black", linewidths=1.6)
    _name_regions(ax, sigma_ws, sigma_bs, logs, critical)
    for name, (x, y) in (points or {}).items():
        ax.plot(x, y, "o", color="white", mec="black", ms=5, clip_on=False, zorder=4)
        ax.annotate(name, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8,
                    bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1.0})  # fmt: skip
    ax.set_xlabel(r"$\sigma_w$, of the weights times √inputs")
    ax.set_ylabel(r"$\sigma_b$, of the biases")
    return ax


def _name_regions(ax: Axes, xs: np.ndarray, ys: np.ndarray, logs: np.ndarray,
                  critical: object) -> None:  # fmt: skip
    """Write each phase's name where it is farthest from the critical line and from the frame."""
    segments: list[np.ndarray] = critical.allsegs[0]  # pyright: ignore[reportAttributeAccessIssue]
    size = np.array([np.ptp(xs) or 1.0, np.ptp(ys) or 1.0])
    line = np.concatenate([s for s in segments if len(s)] or [np.full((1, 2), np.inf)]) / size
    places = np.stack(np.meshgrid(xs, ys), axis=-1) / size
    low, high = np.array([xs.min(), ys.min()]) / size, np.array([xs.max(), ys.max()]) / size
    frame = np.minimum(places - low, high - places).min(axis=-1)
    room = np.array([np.hypot(*(line - at).T).min() for at in places.reshape(-1, 2)])
    room = np.minimum(room.reshape(frame.shape), frame)
    for name, inside in (("order:\ngradients vanish", logs < 0),
                         ("chaos:\ngradients explode", logs > 0)):  # fmt: skip
        if inside.any():
            row, column = np.unravel_index(np.argmax(np.where(inside, room, -1)), room.shape)
            ax.annotate(name, (xs[column], ys[row]), ha="center", va="center",
                        bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 2.0})  # fmt: skip
