"""Exclusive or with 2 to 64 hidden units: how fast do failures become rare?

Expected before it was run: if H hidden units were H / 2 independent tries of a network of two, a
share f of failures at width 2 would become f^(H / 2). Interplay should make failures rarer than
that at scale 1. At scale 10 the output saturates more the wider the network is, and failures should
become rarer more slowly than by independence. Seen after a first run of 1000: at scale 1 four
units fail about as rarely as if each of their six pairs were a try, f^(H (H - 1) / 2). Expected of
more networks: at scale 1 the interval at four units goes on holding that.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from words import share, whole

from jaxnn import plots, results
from jaxnn.intervals import wilson
from jaxnn.stopping import Outcome

STORES = ("widths",)


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """How many of the networks fail, by (width, scale)."""
    widths = [int(width) for width in store.options["widths"]]
    stores = [results.load(store.folder / f"hidden-{width}") for width in widths]
    level = float(store.options["level"][0])
    failed = [
        ~((d.final_loss.values <= level) & (d.outcome.values != Outcome.diverged))[0, :, 0]
        for d in stores
    ]
    return {
        "widths": np.array(widths), "scales": stores[0].scale.values,
        "failed": np.array(failed).sum(axis=-1), "n": stores[0].sizes["member"],
    }  # fmt: skip


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Shares that fail, beside what independent halves would give."""
    found = read(stores["widths"])
    widths, scales, n = found["widths"], found["scales"], found["n"]
    reach = [[wilson(int(c), n) for c in row] for row in found["failed"]]
    four, last = int(np.flatnonzero(widths == 4)[0]), len(scales) - 1
    alone = [(part.low**2, part.share**2, part.high**2) for part in reach[0]]
    pairs = [(part.share**6, part.low**6, part.high**6) for part in reach[0]]
    best = [
        int(np.argmin([reach[w][s].share for w in range(len(widths))])) for s in range(len(scales))
    ]
    return {
        "n": whole(n),
        "heads": [f"{s:g}" for s in scales],
        "rows": [[str(w), *(share(part) for part in reach[i])] for i, w in enumerate(widths)],
        "independent": [share((v, low, high)) for low, v, high in alone],
        "two-one": share(reach[0][0]),
        "four-one": share(reach[four][0], 2),
        "square-one": share((alone[0][1], alone[0][0], alone[0][2])),
        "two-high": share(reach[0][last]),
        "four-high": share(reach[four][last]),
        "square-high": share((alone[last][1], alone[last][0], alone[last][2])),
        "pairs-one": share(pairs[0], 2),
        "pairs-middle": share(pairs[1]),
        "pairs-high": share(pairs[last]),
        "four-middle": share(reach[four][1]),
        "widest": str(widths[-1]),
        "widest-one": share(reach[-1][0]),
        "widest-high": share(reach[-1][last]),
        "high": f"{scales[last]:g}",
        "middle": f"{scales[1]:g}",
        "best-middle": str(widths[best[1]]),
        "at-best-middle": share(reach[best[1]][1]),
        "widest-middle": share(reach[-1][1]),
        "best-high": str(widths[best[last]]),
        "at-best-high": share(reach[best[last]][last]),
        "rarer-at-one": bool(reach[four][0].high < alone[0][0]),
        "pairs-do-not-hold-at-one": bool(reach[four][0].low > pairs[0][2]),
        "pairs-fail-when-large": bool(
            reach[four][1].low > pairs[1][2] and reach[four][last].low > pairs[last][2]
        ),
        "best-then-worse": all(
            reach[-1][s].low > reach[best[s]][s].high for s in range(len(scales))
        ),
        "wide-fails-when-large": bool(reach[-1][last].low > reach[best[last]][last].high),
    }


def draw(stores: dict[str, Store]) -> Any:
    """Shares that fail against the width, and independent halves as dashes."""
    found = read(stores["widths"])
    widths, n = found["widths"], found["n"]
    figure, ((ax,),) = plots.figure(width=6.4, height=3.2)
    for number, scale in enumerate(found["scales"]):
        shares = np.array([wilson(int(c), n) for c in found["failed"][:, number]])
        value, low, high = 100 * np.maximum(shares, 1e-5).T
        seen = found["failed"][:, number] > 0
        colour = plots.COLOURS[number]
        value = np.where(seen, value, np.nan)  # no line through widths where none failed
        reach = [np.abs(value - low), np.abs(high - value)]
        ax.errorbar(
            widths, value, reach, marker="o", ms=3.5, lw=1.2, capsize=2,
            color=colour, label=f"scale {scale:g}",
        )  # fmt: skip
        ax.plot(widths[~seen], high[~seen], "v", ms=4, mfc="white", color=colour)
        for tries, line in ((widths / 2, "--"), (widths * (widths - 1) / 2, ":")):
            ax.plot(widths, 100 * shares[0, 0] ** tries, line, lw=0.8, color=colour)
    ax.set(xscale="log", yscale="log", xlabel="hidden units", ylabel="not solved (%)")
    ax.set_ylim(100 * 0.3 / n, 120)
    ax.set_xticks(widths, [str(w) for w in widths])
    ax.minorticks_off()
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), title_fontsize=7,
              title="dashed: H/2 tries\ndotted: all pairs")  # fmt: skip
    return figure
