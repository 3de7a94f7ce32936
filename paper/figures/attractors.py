"""Signed exclusive or, tanh, with a penalty: how probable each attractor is, by the scale of the
initial weights, and what the step size decides.

Expected before it was run: at scale 0.1 nearly all starts (above 90 %) end in one family of minima,
since they leave the saddle at the origin along one direction; the global minimum becomes less
probable from there on as the scale grows. Descent at a step size of 0.25 ends elsewhere than the
gradient flow from fewer than 2 % of the starts at every scale, and this share grows with the scale
at any step size, as steeper places are visited.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from reading import basins_and_flow
from words import difference, percent, share, whole

from jaxnn import plots
from jaxnn.intervals import wilson
from jaxnn.landscape import basins, labels

STORES = ("attractors",)


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
    return {
        "scales": np.array(settings.scales),
        "sizes": np.array(settings.step_sizes),
        "changed": by_level(descent.labels) != by_level(flow.labels),
        "descent": by_level(descent.labels),
        "flow": by_level(flow.labels),
        "losses": levels,
        "p": [test.p_value for test in tests if test.degrees],
        "sharpest": float(np.nanmax(flow.runs["sharpness"])),
    }


def shown(found: dict[str, Any]) -> list[int]:
    """The levels that come up, from below."""
    return [int(k) for k in np.unique(found["flow"][found["flow"] >= 0])]


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Probabilities by scale under the flow, and what each step size changes."""
    found = read(stores["attractors"])
    scales, sizes, flow = found["scales"], found["sizes"], found["flow"][:, 0]
    n, best = flow.shape[1], shown(found)[0]
    families = shown(found)
    reach = {k: [wilson(int((row == k).sum()), n) for row in flow] for k in families}
    moved = [[wilson(int(cell.sum()), n) for cell in row] for row in found["changed"]]
    origin = families[-1]
    peak = int(np.argmax([part.share for part in reach[best]]))
    one = int(np.flatnonzero(scales == 1)[0])
    flat = labels.difference(flow[one], flow[-1], best)
    hopping = found["descent"] == basins.Nowhere.restless
    restless = [[wilson(int(cell.sum()), n) for cell in row] for row in hopping]
    spread = [row[1].share for row in restless]
    return {
        "n": whole(n),
        "families": str(len(families)),
        "rows": [
            [f"{s:g}", *(share(reach[k][i]) for k in families),
             *(share(moved[i][k]) for k in range(len(sizes)))]
            for i, s in enumerate(scales)
        ],
        "heads": [f"{found['losses'][k]:.4f}" for k in families],
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
        "sizes": [f"{size:g}" for size in sizes],
        "small-step": f"{sizes[0]:g}",
        "middle-step": f"{sizes[1]:g}",
        "large-step": f"{sizes[-1]:g}",
        "small-most": percent(max(row[0].share for row in moved)),
        "middle-least": percent(min(spread)),
        "middle-most": percent(max(spread)),
        "large-least": percent(min(row[-1].share for row in restless)),
        "bound": f"{2 / sizes[1]:g}",
        "least-p": f"{min(1.0, min(found['p']) * len(found['p'])):.2f}" if found["p"] else "\u2013",
        "tests": str(len(found["p"])),
        "sharpest": f"{found['sharpest']:.2f}",
        "small-ends-at-origin": bool(reach[origin][0].low > 0.5),
        "less-than-ninety": bool(max(reach[k][0].high for k in families) < 0.9),
        "peak-in-the-middle": bool(
            0 < peak < len(scales) - 1 and reach[best][peak].low > reach[best][-1].share
        ),
        "scale-nearly-forgotten": bool(max(-flat.low, flat.high) < 0.1),
        "small-step-is-flow": bool(max(row[0].share for row in moved) < 0.1),
        "middle-step-hops": bool(min(row[1].low for row in restless[1:]) > 0.02),
        "large-step-never-rests": bool(min(row[-1].low for row in restless) > 0.9),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Probabilities under the flow, and the share that each step size sends elsewhere."""
    found = read(stores["attractors"])
    figure, axes = plots.figure(1, 2, width=7.6, height=3.0)
    n, scales = found["flow"].shape[2], found["scales"].tolist()
    families = {
        f"error {found['losses'][k]:.4f}": np.array(
            [wilson(int((row == k).sum()), n) for row in found["flow"][:, 0]]
        )
        for k in shown(found)[:5]
    }
    sizes = {
        f"step size {size:g}": np.array([wilson(int(row[k].sum()), n) for row in found["changed"]])
        for k, size in enumerate(found["sizes"])
    }
    for ax, values, name in (
        (axes[0, 0], families, "initial weights that lead there (%)"),
        (axes[0, 1], sizes, "end elsewhere than by the flow (%)"),
    ):
        colours = dict(zip(values, plots.COLOURS, strict=False))
        plots.probability_lines(ax, scales, values, colours=colours, xlabel="scale")
        ax.set_ylabel(name)
        ax.legend(fontsize=7)
    return figure
