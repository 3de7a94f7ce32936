"""How often a small change of the initial weights changes where training ends.

Expected before it was run: at a change of a given share of the weights' length, flips grow with the
scale, since large weights lie among more borders; and the share of flips is proportional to the
change (exponent 1, smooth borders) at every scale.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from words import figures, share, whole

from jaxnn import plots, results
from jaxnn.intervals import wilson

STORES = ("flips",)


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """How many starts flip, by (scale, change)."""
    dataset = results.load(store.folder)
    flips = dataset.changed_label.values != dataset.label.values[:, None]
    solved = dataset.label.values == 15
    return {
        "scales": dataset.scale.values, "changes": dataset.change.values,
        "flips": flips, "solved": solved,
    }  # fmt: skip


def exponent(changes: np.ndarray, counts: np.ndarray, n: int) -> float:
    """The slope of log share against log change, each weighed by its count."""
    kept = counts > 0
    if kept.sum() < 2:
        return float("nan")
    x, y = np.log(changes[kept]), np.log(counts[kept] / n)
    return float(np.polyfit(x, y, 1, w=np.sqrt(counts[kept]))[0])


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Shares that flip, and their growth with the change."""
    found = read(stores["flips"])
    flips, n = found["flips"], found["flips"].shape[2]
    counts = flips.sum(axis=2)
    slopes = [exponent(found["changes"], row, n) for row in counts]
    rng = np.random.default_rng(0)
    spread = []
    for rows in flips:  # starts are drawn again, changes stay paired
        again = [rows[:, rng.integers(0, n, n)].sum(axis=1) for _ in range(400)]
        spread.append(
            np.nanquantile([exponent(found["changes"], c, n) for c in again], [0.025, 0.975])
        )
    reach = [[wilson(int(c), n) for c in row] for row in counts]
    middle = int(np.argmin([row[-1].share for row in reach]))
    return {
        "n": whole(n),
        "changes": [f"{c:g}" for c in found["changes"]],
        "rows": [
            [f"{s:g}", *(share(part, 2) for part in reach[i]),
             f"{slopes[i]:.2f} [{spread[i][0]:.2f}, {spread[i][1]:.2f}]"]
            for i, s in enumerate(found["scales"])
        ],
        "change": figures(100 * found["changes"][-1]),
        "steadiest": f"{found['scales'][middle]:g}",
        "at-steadiest": share(reach[middle][-1]),
        "low": f"{found['scales'][0]:g}",
        "high": f"{found['scales'][-1]:g}",
        "at-low": share(reach[0][-1]),
        "at-high": share(reach[-1][-1]),
        "least-slope": f"{min(slopes):.2f}",
        "most-slope": f"{max(slopes):.2f}",
        "steadiest-in-the-middle": bool(
            0 < middle < len(reach) - 1
            and reach[middle][-1].high < min(reach[0][-1].low, reach[-1][-1].low)
        ),
        "all-slopes-below-one": bool(max(high for _, high in spread) < 1),
        "slopes-hold-one": bool(all(low <= 1 <= high for low, high in spread)),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Shares that flip against the change, a line a scale."""
    found = read(stores["flips"])
    n = found["flips"].shape[2]
    figure, ((left, right),) = plots.figure(1, 2, width=7.6, height=2.9)
    scales, changes = found["scales"], found["changes"]

    def bars(ax: Any, at: np.ndarray, rows: np.ndarray, number: int, name: str) -> None:
        value, low, high = 100 * np.array([wilson(int(row.sum()), n) for row in rows]).T
        seen = value > 0
        reach = [(value - low)[seen], (high - value)[seen]]
        ax.errorbar(
            at[seen], value[seen], reach, marker="os^Dv"[number], ms=3.5, lw=1, capsize=2,
            color=plots.COLOURS[number], label=name,
        )  # fmt: skip
        ax.set(xscale="log", yscale="log", ylabel="end elsewhere (%)")

    for number, (scale, rows) in enumerate(zip(scales, found["flips"], strict=True)):
        bars(left, changes, rows, number, f"scale {scale:g}")
    for number, change in enumerate(changes[::-1]):
        rows = found["flips"][:, len(changes) - 1 - number]
        bars(right, scales, rows, number, f"change {change:g}")
    left.set_xlabel("|change| / |initial weights|")
    right.set_xlabel("scale")
    right.set_xticks(scales, [f"{s:g}" for s in scales])
    right.minorticks_off()
    for ax in (left, right):
        ax.legend(fontsize=7)
    return figure
