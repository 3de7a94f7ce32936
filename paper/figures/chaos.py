"""Order and chaos in wide tanh networks at their initial weights.

Expected before it was run: the correlation of two inputs follows mean-field theory layer by layer,
to within what a finite width leaves; it goes to 1 where chi_1 is below 1, and to a value well below
1 where it is above.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from building import Store
from reading import dataset
from words import whole

from jaxnn import plots, results

STORES = ("chaos",)


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Where correlations tend to by sigma_w, measured and expected, and how far apart they are."""
    found = dataset(stores["chaos"])
    drawn, expected = found.correlation.values, found.expected.values
    mean, n = drawn.mean(axis=2), drawn.shape[2]
    spread = drawn.std(axis=2, ddof=1) / np.sqrt(n)
    ordered = found.chi.values < 1
    settings = (results.read_manifest(stores["chaos"].folder) or {})["settings"]
    return {
        "width": whole(settings["width"]),
        "bias": f"{settings['bias']:g}",
        "correlation": f"{settings['correlation']:g}",
        "layers": str(found.layer.size),
        "n": str(n),
        "apart": f"{np.abs(mean - expected).max():.2f}",
        "last-ordered": f"{float(found.sigma.values[ordered].max()):g}",
        "first-chaotic": f"{float(found.sigma.values[~ordered].min()):g}",
        "rows": [
            [f"{s:g}", f"{chi:.2f}", f"{fixed:.3f}", f"{e[-1]:.3f}",
             f"{m[-1]:.3f} \u00b1 {d[-1]:.3f}"]
            for s, chi, fixed, e, m, d in zip(
                found.sigma.values, found.chi.values, found.fixed.values, expected, mean, spread,
                strict=True,
            )
        ],
        "order-forgets": bool(mean[ordered, -1].min() > 0.95),
        "chaos-separates": bool(mean[~ordered, -1].max() < 0.9),
        "theory-holds": bool(np.abs(mean - expected).max() < 0.1),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """The correlation of two inputs against the layer, a line a sigma_w: theory, and draws."""
    found = dataset(stores["chaos"])
    figure, ((ax,),) = plots.figure(width=5.2, height=2.9)
    rows = zip(found.sigma.values, found.correlation.values, found.expected.values, strict=True)
    for number, (sigma, drawn, expected) in enumerate(rows):
        colour = plots.COLOURS[number]
        low, high = np.quantile(drawn, [0.25, 0.75], axis=1)
        ax.fill_between(found.layer.values, low, high, color=colour, alpha=0.25, lw=0)
        ax.plot(found.layer.values, drawn.mean(axis=1), "o", ms=2.5, color=colour)
        ax.plot(found.layer.values, expected, "-", lw=1, color=colour, label=f"{sigma:g}")
    ax.set(xlabel="layer", ylabel="correlation of two inputs", ylim=(-0.1, 1.05))
    ax.legend(fontsize=7, title="sigma_w", title_fontsize=7, loc="center left",
              bbox_to_anchor=(1.0, 0.5))  # fmt: skip
    return figure
