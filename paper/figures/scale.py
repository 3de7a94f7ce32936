"""Exclusive or, 2-2-1: what the scale of the initial weights alone decides.

Expected before it was run: success is rare at both ends, since small weights take long to leave the
saddle at the origin and large ones saturate; and failures vanish as the scale goes to 0 where
training is long enough, as "low levels" of failure for small weights (Kolen & Pollack 1990)
suggest.
A pilot with other draws came before, and had its best scale near 0.3. Seen in a first run of 10,000
steps from 0.1 on: among the networks that have left 1/4 the share that is stuck grows with the
scale to the power of about 1.5 below 0.5 and 1 above. Expected before 100,000 steps and the scales
0.02 and 0.05 were run: the best scale is smaller, since late networks arrive; the exponent up to
0.3 holds 1.5; and at 0.02 fewer than 0.5 % are stuck. That run stopped where the gradient was below
1e-6, which most networks from 0.02 and 0.05 were on their way: hence no such stop, and more steps.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
from building import Store
from reading import LEVEL, params_of
from words import counted, estimate, figures, percent, share, whole

from jaxnn import data, plots, results
from jaxnn.intervals import wilson
from jaxnn.landscape import labels, tangent_kernels

STORES = ("scale",)
AGAIN = 400  # draws of the starts for an interval
FEW = 300  # networks of each scale whose kernels are compared


@functools.cache
def read(store: Store) -> dict[str, np.ndarray]:
    """By scale: what each network has reached and when, and what became of its kernel."""
    dataset = results.load(store.folder).isel(scheme=0)
    loss, losses = dataset.final_loss.values, dataset.losses.values
    below = losses <= LEVEL
    first = np.where(below.any(-1), dataset.record.values[below.argmax(-1)], np.nan)
    inputs = data.xor().inputs
    measure = jax.jit(jax.vmap(lambda p, q: tangent_kernels.laziness(p, q, inputs)))
    pair = [params_of(dataset, when, slice(FEW)) for when in ("initial", "final")]
    lazy, few = measure(*pair), loss[:, :FEW] <= LEVEL
    moved, missed = (
        np.where(few, np.asarray(part).reshape(few.shape), np.nan)
        for part in (lazy.parameter_change, lazy.linear_error)
    )
    return {
        "scale": dataset.scale.values,
        "solved": loss <= LEVEL,
        "eighth": np.abs(loss - 0.125) < 0.005,
        "half": np.abs(loss - 0.25) < 0.01,
        "other": (loss > LEVEL) & (np.abs(loss - 0.125) >= 0.005) & (np.abs(loss - 0.25) >= 0.01),
        "first": first,
        "moved": moved,
        "missed": missed,
    }


def exponent(
    scales: np.ndarray, stuck: np.ndarray, counted: np.ndarray
) -> tuple[float, np.ndarray]:
    """The slope of log share against log scale, each scale weighed by its failures, and its 95 %
    interval by drawing the networks again; those of one number stay together, they are paired.
    """

    def slope(members: Any) -> float:
        failures = (stuck & counted)[:, members].sum(axis=1)
        share = failures / counted[:, members].sum(axis=1)
        kept = failures > 0
        if kept.sum() < 2:
            return float("nan")
        weights = np.sqrt(failures[kept])
        return float(np.polyfit(np.log(scales[kept]), np.log(share[kept]), 1, w=weights)[0])

    rng, n = np.random.default_rng(0), stuck.shape[1]
    again = [slope(rng.integers(0, n, n)) for _ in range(AGAIN)]
    return slope(slice(None)), np.nanquantile(again, [0.025, 0.975])


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Shares that solve, and what those that fail have come to, by scale."""
    found = read(stores["scale"])
    scales, solved = found["scale"], found["solved"]
    rate = solved.mean(axis=1)
    best, n = int(rate.argmax()), solved.shape[1]
    low, high = 0, len(scales) - 1
    smallest = [k for k, s in enumerate(scales) if s <= 0.3]
    # of the networks that have left 1/4, those stuck at 1/8: a power of the scale?
    small = [k for k, s in enumerate(scales) if s <= 1]
    power, spread = exponent(scales[small], found["eighth"][small], ~found["half"][small])
    steep = [k for k in small if scales[k] <= 0.3]
    below, above = (
        exponent(scales[part], found["eighth"][part], ~found["half"][part])
        for part in (steep, [k for k in small if scales[k] >= 0.3])
    )
    little = int(np.flatnonzero(np.isfinite(found["moved"]).any(axis=1))[0])
    far = int(np.flatnonzero(scales == 10)[0])
    eighth = [wilson(int(found["eighth"][k].sum()), n) for k in smallest]
    # of the networks that solve at the best scale, those that fail at 1 from the same unit draws
    one = int(np.flatnonzero(scales == 1)[0])
    change = labels.difference(solved[one].astype(int), solved[best].astype(int), 1)
    rows = [
        [
            f"{s:g}", counted(solved[k]), counted(found["eighth"][k]), counted(found["half"][k]),
            counted(found["other"][k]),
            "\u2013" if np.isnan(found["first"][k]).all()
            else whole(np.nanmedian(found["first"][k])),
            "\u2013" if np.isnan(found["moved"][k]).all()
            else f"{np.nanmedian(found['moved'][k]):.2f}, {np.nanmedian(found['missed'][k]):.2f}",
        ]
        for k, s in enumerate(scales)
    ]  # fmt: skip
    return {
        "n": whole(n),
        "best": f"{scales[best]:g}",
        "at-best": share(wilson(int(solved[best].sum()), n)),
        "at-low": share(wilson(int(solved[low].sum()), n)),
        "low": f"{scales[low]:g}",
        "at-one": share(wilson(int(solved[one].sum()), n)),
        "at-high": share(wilson(int(solved[high].sum()), n)),
        "high": f"{scales[high]:g}",
        "gain": f"{100 * change.difference:.1f} [{100 * change.low:.1f}, {100 * change.high:.1f}]",
        "eighth-low": share(eighth[0]),
        "eighth-best": share(wilson(int(found["eighth"][best].sum()), n)),
        "eighth-one": share(wilson(int(found["eighth"][one].sum()), n)),
        "moved-at": f"{scales[little]:g}",
        "moved-low": figures(np.nanmedian(found["moved"][little]), 2),
        "moved-high": percent(np.nanmedian(found["moved"][far]), 0),
        "missed-high": percent(np.nanmedian(found["missed"][far]), 0),
        "far": f"{scales[far]:g}",
        "power": estimate((power, *spread)),
        "power-below": estimate((below[0], *below[1])),
        "power-above": estimate((above[0], *above[1])),
        "bend": f"{scales[steep[-1]]:g}",
        "half-low": share(wilson(int(found["half"][low].sum()), n)),
        "half-best": share(wilson(int(found["half"][best].sum()), n)),
        "late": whole(np.nanmedian(found["first"][low])),
        "early": whole(np.nanmedian(found["first"][one])),
        "few": whole(FEW),
        "again": whole(AGAIN),
        "other-high": percent(found["other"][high].mean(), 0),
        "level": f"{LEVEL:g}",
        "rows": rows,
        "has-a-best-scale": bool(
            wilson(int(solved[best].sum()), n).low
            > max(wilson(int(solved[k].sum()), n).high for k in (low, one, high))
        ),
        "failures-vanish": bool(spread[0] > 0 and eighth[0].high < 0.02),
        "bends": bool(below[1][0] > above[1][1]),
        "holds-three-halves": bool(below[1][0] <= 1.5 <= below[1][1]),
        "not-lazy": bool(np.nanmedian(found["missed"][far]) > 0.5),
    }


def draw(stores: dict[str, Store]) -> Any:
    """Shares, steps and richness against the scale."""
    found = read(stores["scale"])
    scales, n = found["scale"], found["solved"].shape[1]
    figure, axes = plots.figure(1, 3, width=8.4, height=2.9)
    kinds = {
        "solved": "solved",
        "eighth": "stuck at 1/8",
        "half": "still at 1/4",
        "other": "elsewhere",
    }
    shares = {
        name: np.array([wilson(int(row.sum()), n) for row in found[key]])
        for key, name in kinds.items()
    }
    colours = dict(zip(shares, plots.COLOURS, strict=False))
    plots.probability_lines(axes[0, 0], scales.tolist(), shares, colours=colours, xlabel="scale")
    axes[0, 0].set_ylabel("initial weights (%)")
    axes[0, 0].legend(fontsize=7)
    for ax, lines in (
        (axes[0, 1], {"first": "steps until solved"}),
        (axes[0, 2], {"moved": "way / initial length", "missed": "missed by linearisation"}),
    ):
        for number, (key, name) in enumerate(lines.items()):
            values = found[key]
            kept = np.isfinite(values).sum(axis=1) > 2
            low, middle, high = np.nanquantile(values[kept], [0.25, 0.5, 0.75], axis=1)
            colour = plots.COLOURS[number]
            ax.fill_between(scales[kept], low, high, color=colour, alpha=0.25, lw=0)
            ax.plot(scales[kept], middle, "os"[number] + "-", ms=4, color=colour, label=name)
        ax.set(xscale="log", yscale="log", xlabel="scale")
    axes[0, 1].set_ylabel("steps until solved")
    axes[0, 2].set_ylabel("of the networks that solve")
    axes[0, 2].legend(fontsize=7)
    for ax in axes[0]:
        ax.set_xticks([0.03, 0.1, 0.3, 1, 3, 10], ["0.03", "0.1", "0.3", "1", "3", "10"])
        ax.minorticks_off()
    return figure
