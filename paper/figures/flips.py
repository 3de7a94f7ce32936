"""How often a small change of the initial weights changes where training ends.

Expected before it was run: at a change of a given share of the weights' length, flips grow with the
scale, since large weights lie among more borders; and the share of flips is proportional to the
change (exponent 1, smooth borders) at every scale. A first run of 8000 steps had its least share at
scale 0.3. Expected before 80,000 steps were run: at scale 0.1 most of the flips were
networks on their way, so that the least share moves to scale 0.1; and relative to what two
independent starts differ by, flips grow with the scale. The cure of failures was looked at after
that run.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from words import estimate, figures, percent, share, whole

from jaxnn import plots, results
from jaxnn.intervals import wilson

STORES = ("flips",)
SOLVED = 15  # all four cases right


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """Which starts flip, by (scale, step, change, member), how often two independent starts differ,
    by (scale, step), and by scale how many fail and of these how many the largest change cures.
    """
    dataset = results.load(store.folder)
    ends, changed = dataset.label.values, dataset.changed_label.values
    failed = ends[:, -1] != SOLVED
    return {
        "scales": dataset.scale.values, "changes": dataset.change.values,
        "steps": dataset.step.values, "flips": changed != ends[:, :, None],
        "chance": np.apply_along_axis(two_differ, -1, ends),
        "failed": failed.sum(axis=1),
        "cured": (failed & (changed[:, -1, -1] == SOLVED)).sum(axis=1),
    }  # fmt: skip


def two_differ(ends: np.ndarray) -> float:
    """The share of the pairs of these starts that end differently."""
    counts, n = np.unique(ends, return_counts=True)[1], len(ends)
    return 1.0 - float(np.sum(counts * (counts - 1.0))) / (n * (n - 1.0))


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
    flips, n = found["flips"][:, -1], found["flips"].shape[3]
    counts, chance = flips.sum(axis=2), found["chance"][:, -1]
    slopes = [exponent(found["changes"], row, n) for row in counts]
    rng = np.random.default_rng(0)
    spread = []
    for rows in flips:  # starts are drawn again, changes stay paired
        again = [rows[:, rng.integers(0, n, n)].sum(axis=1) for _ in range(400)]
        spread.append(
            np.nanquantile([exponent(found["changes"], c, n) for c in again], [0.025, 0.975])
        )
    reach = [[wilson(int(c), n) for c in row] for row in counts]
    early = [wilson(int(c), n) for c in found["flips"][:, 0, -1].sum(axis=1)]
    middle = int(np.argmin([row[-1].share for row in reach]))
    cured = [wilson(int(c), int(f)) for c, f in zip(found["cured"], found["failed"], strict=True)]
    # of what two independent starts differ by; its own error is small beside that of the flips
    relative = [
        tuple(float(part) / c for part in row[-1]) for row, c in zip(reach, chance, strict=True)
    ]
    return {
        "n": whole(n),
        "early-steps": whole(found["steps"][0]),
        "late-steps": whole(found["steps"][-1]),
        "early-low": share(early[0]),
        "cured-low": share(cured[0], 0),
        "cured-high": share(cured[-1], 0),
        "failed-low": whole(found["failed"][0]),
        "failed-high": whole(found["failed"][-1]),
        "relative-low": estimate(relative[0]),
        "relative-high": estimate(relative[-1]),
        "relative-least": estimate(min(relative)),
        "relative-least-at": f"{found['scales'][int(np.argmin([r[0] for r in relative]))]:g}",
        "changes": [f"{c:g}" for c in found["changes"]],
        "rows": [
            [f"{s:g}", *(share(part, 2) for part in reach[i]),
             f"{slopes[i]:.2f} [{spread[i][0]:.2f}, {spread[i][1]:.2f}]",
             percent(chance[i]), estimate(relative[i]), share(cured[i], 0)]
            for i, s in enumerate(found["scales"])
        ],
        "change": figures(100 * found["changes"][-1]),
        "steadiest": f"{found['scales'][middle]:g}",
        "at-steadiest": share(reach[middle][-1]),
        "low": f"{found['scales'][0]:g}",
        "high": f"{found['scales'][-1]:g}",
        "at-low": share(reach[0][-1]),
        "at-high": share(reach[-1][-1]),
        "slope-low": estimate((slopes[0], *spread[0])),
        "slope-high": estimate((slopes[-1], *spread[-1])),
        "small-is-not-smooth": bool(spread[0][1] < 1),
        "steadiest-in-the-middle": bool(
            0 < middle < len(reach) - 1
            and reach[middle][-1].high < min(reach[0][-1].low, reach[-1][-1].low)
        ),
        "smallest-is-steadiest": bool(
            middle == 0 and reach[0][-1].high < min(row[-1].low for row in reach[2:])
        ),
        "was-on-the-way": bool(reach[0][-1].high < early[0].low),
        "thin-when-small": bool(cured[0].low > max(part.high for part in cured[2:])),
        "relative-grows": bool(relative[0][2] < relative[-1][1]),
        "relative-falls": bool(relative[0][1] > relative[-1][2]),
        "all-slopes-below-one": bool(max(high for _, high in spread) < 1),
        "slopes-hold-one": bool(all(low <= 1 <= high for low, high in spread)),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Shares that flip against the change, a line a scale; and against the scale."""
    found = read(stores["flips"])
    n = found["flips"].shape[3]
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

    for number, (scale, rows) in enumerate(zip(scales, found["flips"][:, -1], strict=True)):
        bars(left, changes, rows, number, f"scale {scale:g}")
    for number, steps in enumerate(found["steps"]):
        rows, name = found["flips"][:, number, -1], f"change {changes[-1]:g}, {steps:,} steps"
        bars(right, scales, rows, number, name)
    right.plot(scales, 100 * found["chance"][:, -1], "k--", lw=0.8, label="two independent starts")
    pairs = zip(found["cured"], found["failed"], strict=True)
    value, low, high = 100 * np.array([wilson(int(c), int(f)) for c, f in pairs]).T
    right.errorbar(scales, value, [value - low, high - value], fmt="D:", ms=3.5, lw=1, capsize=2,
                   color=plots.COLOURS[3], label="failures that it cures")  # fmt: skip
    left.set_xlabel("|change| / |initial weights|")
    right.set_xlabel("scale")
    right.set_xticks(scales, [f"{s:g}" for s in scales])
    right.minorticks_off()
    for ax in (left, right):
        ax.legend(fontsize=7)
    return figure
