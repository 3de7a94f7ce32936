"""Signed exclusive or, tanh, with a penalty: how probable each attractor is, by the scale of the
initial weights, and what the step size decides.

Expected before it was run: at scale 0.1 nearly all starts (above 90 %) end in one family of
minima, since they leave the saddle at the origin along one direction; the global minimum becomes
less probable from there on as the scale grows. Descent at a small step size ends elsewhere than the
gradient flow from fewer than 2 % of the starts at every scale.
Then the sharpness of the three kinds of minima was seen, 1.16, 2.01 and 2.99, and step sizes chosen
whose bounds 2 / step size lie between them. Expected before that run: of the starts that the flow
leads to a minimum flatter than the bound more than 95 % rest there; of those that it leads to a
sharper one, most come to rest at another minimum that is flat enough. And without the penalty the
share that has all cases right falls by more than 30 percentage points from scale 1 to 10.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from reading import basins_and_flow
from words import difference, percent, share, whole

from jaxnn import plots, results
from jaxnn.intervals import wilson
from jaxnn.landscape import basins, labels
from jaxnn.stopping import Outcome

STORES = ("attractors", "unpenalised")


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """Where each start leads by (scale, step size, member), by descent and by the flow: ends of one
    error, to four digits, are one, so that images under the symmetries of the data count together.
    """
    settings, (descent, flow) = basins_and_flow(store.folder)
    shape = len(settings.scales), len(settings.step_sizes), settings.members
    levels, levels_of = np.unique(flow.attractors.losses.round(4), return_inverse=True)

    def by_level(numbers: np.ndarray) -> np.ndarray:
        return np.where(numbers >= 0, np.append(levels_of, 0)[numbers], numbers).reshape(shape)

    tests = [
        basins.within_families(cell, flow.attractors.families)
        for part in (descent, flow)
        for cell in part.labels.reshape(-1, settings.members)
    ]
    ends, sharpness = by_level(flow.labels), flow.runs["sharpness"].reshape(shape)
    return {
        "scales": np.array(settings.scales),
        "sizes": np.array(settings.step_sizes),
        "descent": by_level(descent.labels),
        "flow": ends,
        "losses": levels,
        "sharpness": {
            int(k): float(np.nanmedian(sharpness[ends == k])) for k in np.unique(ends[ends >= 0])
        },
        "p": [test.p_value for test in tests if test.degrees],
    }


@functools.cache
def solved(store: Store) -> np.ndarray:
    """Whether a network has all cases right without the penalty, (scale, member)."""
    dataset = results.load(store.folder)
    below = dataset.final_loss.values <= float(store.options["level"][0])
    return (below & (dataset.outcome.values != Outcome.diverged)).reshape(dataset.scale.size, -1)


def shown(found: dict[str, Any]) -> list[int]:
    """The levels that come up, from below."""
    return sorted(found["sharpness"])


def fates(found: dict[str, Any], level: int) -> tuple[int, list[dict[str, Any]]]:
    """The scale, by number, at which the flow leads most starts to a level, and for each step size
    what descent makes of these: shares that rest there, rest elsewhere, and do not rest.
    """
    here = found["flow"] == level
    scale = int(here.sum(axis=(1, 2)).argmax())
    made = []
    for k in range(len(found["sizes"])):
        ends = found["descent"][scale, k][here[scale, k]]
        parts = {"there": ends == level, "other": (ends >= 0) & (ends != level), "none": ends < 0}
        made.append({name: wilson(int(part.sum()), len(ends)) for name, part in parts.items()})
    return scale, made


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Probabilities by scale under the flow, and what each step size makes of each minimum."""
    found, free = read(stores["attractors"]), solved(stores["unpenalised"])
    scales, sizes, flow = found["scales"], found["sizes"], found["flow"][:, 0]
    n, families = flow.shape[1], shown(found)
    best, origin = families[0], families[-1]
    reach = {k: [wilson(int((row == k).sum()), n) for row in flow] for k in families}
    peak = int(np.argmax([part.share for part in reach[best]]))
    one = int(np.flatnonzero(scales == 1)[0])
    flat = labels.difference(flow[one], flow[-1], best)
    unpenalised = labels.difference(free[one].astype(int), free[-1].astype(int), 1)
    right = [wilson(int(row.sum()), free.shape[1]) for row in free]
    fate = {k: fates(found, k) for k in families}
    bounds, sharpness = 2.0 / sizes, found["sharpness"]
    flattest = min(sharpness.values())
    cells = [(k, step, fate[k][1][step]) for k in families for step in range(len(sizes))]
    flatter = [cell for cell in cells if sharpness[cell[0]] < bounds[cell[1]]]
    # too sharp, while another minimum is flat enough
    sharper = [p for k, step, p in cells if flattest < bounds[step] < sharpness[k]]
    worst, step, fewest = min(flatter, key=lambda cell: cell[2]["there"].share)
    return {
        "n": whole(n),
        "families": str(len(families)),
        "rows": [
            [f"{s:g}", *(share(reach[k][i]) for k in families), share(right[i])]
            for i, s in enumerate(scales)
        ],
        "heads": [f"{found['losses'][k]:.4f}" for k in families],
        "free-n": whole(free.shape[1]),
        "fates": [
            [f"{found['losses'][k]:.4f}", f"{found['sharpness'][k]:.3f}",
             f"{scales[fate[k][0]]:g}, {whole(round(reach[k][fate[k][0]].share * n))}",
             *(f"{share(p['there'], 0)}; {percent(p['other'].share, 0)}" for p in fate[k][1])]
            for k in families
        ],
        "bounds": [f"{size:g} ({bound:.3g})" for size, bound in zip(sizes, bounds, strict=True)],
        "low": f"{scales[0]:g}",
        "high": f"{scales[-1]:g}",
        "peak": f"{scales[peak]:g}",
        "best-loss": f"{found['losses'][best]:.4f}",
        "best-low": share(reach[best][0]),
        "best-peak": share(reach[best][peak]),
        "best-one": share(reach[best][one]),
        "best-high": share(reach[best][-1]),
        "origin-loss": f"{found['losses'][origin]:.4f}",
        "origin-low": share(reach[origin][0]),
        "origin-peak": share(reach[origin][peak]),
        "flat": difference(flat),
        "free": difference(unpenalised),
        "free-one": share(right[one]),
        "free-high": share(right[-1]),
        "sharpness": ", ".join(f"{sharpness[k]:.2f}" for k in families),
        "most-there": percent(max(p["there"].share for p in sharper)),
        "scales": str(len(scales)),
        "hop-least": share(min(p["none"] for p in sharper), 0),
        "hop-most": share(max(p["none"] for p in sharper), 0),
        "elsewhere-most": share(max(p["other"] for p in sharper), 0),
        "fewest": share(fewest["there"]),
        "fewest-hop": share(fewest["none"], 0),
        "fewest-step": f"{sizes[step]:g}",
        "fewest-bound": f"{bounds[step]:.2f}",
        "fewest-sharpness": f"{sharpness[worst]:.2f}",
        "fewest-loss": f"{found['losses'][worst]:.4f}",
        "smallest-step": f"{sizes[0]:g}",
        "smallest-least": percent(min(p["there"].share for k, i, p in flatter if i == 0)),
        "least-p": f"{min(1.0, min(found['p']) * len(found['p'])):.2f}" if found["p"] else "\u2013",
        "tests": str(len(found["p"])),
        "small-ends-at-origin": bool(reach[origin][0].low > 0.5),
        "less-than-ninety": bool(max(reach[k][0].high for k in families) < 0.9),
        "peak-in-the-middle": bool(
            0 < peak < len(scales) - 1 and reach[best][peak].low > reach[best][-1].share
        ),
        "scale-nearly-forgotten": bool(max(-flat.low, flat.high) < 0.1),
        "free-remembers": bool(unpenalised.high < flat.low),
        "free-falls-by-thirty": bool(unpenalised.high < -0.3),
        "sharper-do-not": bool(max(p["there"].high for p in sharper) < 0.02),
        "sharper-hop": bool(min(p["none"].low for p in sharper) > 0.5),
        "flat-is-not-enough": bool(fewest["there"].high < 0.95),
        "small-steps-are-the-flow": bool(
            min(p["there"].low for k, i, p in flatter if i == 0) > 0.95
        ),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Probabilities under the flow, and what descent makes of the starts of each minimum."""
    found, free = read(stores["attractors"]), solved(stores["unpenalised"])
    figure, axes = plots.figure(1, 2, width=7.6, height=3.0)
    n, scales, families = found["flow"].shape[2], found["scales"].tolist(), shown(found)
    reach = {
        f"error {found['losses'][k]:.4f}": np.array(
            [wilson(int((row == k).sum()), n) for row in found["flow"][:, 0]]
        )
        for k in families[:5]
    }
    right = np.array([wilson(int(row.sum()), free.shape[1]) for row in free])
    lines = {**reach, "no penalty: all right": right}
    colours = dict(zip(lines, plots.COLOURS, strict=False))
    plots.probability_lines(axes[0, 0], scales, lines, colours=colours, xlabel="scale")
    axes[0, 0].set_ylabel("initial weights that lead there (%)")
    axes[0, 0].legend(fontsize=6.5, loc="center", bbox_to_anchor=(0.42, 0.42))
    ax = axes[0, 1]
    for number, (k, name) in enumerate(zip(families, reach, strict=False)):
        value, low, high = 100 * np.array([part["there"] for part in fates(found, k)[1]]).T
        ax.errorbar(
            found["sharpness"][k] * found["sizes"], value, [value - low, high - value],
            fmt="os^Dv"[number], ms=4, lw=1, color=colours[name], label=name,
        )  # fmt: skip
    ax.axvline(2.0, color="0.5", lw=0.8)
    ax.set(xlabel="sharpness of the minimum x step size", ylim=(-5, 105))
    ax.set_ylabel("of its starts, rest there (%)")
    ax.legend(fontsize=7)
    return figure
