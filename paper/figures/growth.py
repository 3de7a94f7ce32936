"""What the gradient costs by the recursion and by the reverse sweep, and whether they agree.

Expected before it was run: the reverse sweep costs two to three times the loss whatever the width;
the recursion costs more than the loss once for each parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from building import Store
from reading import dataset
from words import figures, whole

from jaxnn import plots, results
from jaxnn.backpropagation import WAYS

STORES = ("gradient",)


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Ratios to the loss, their growth, and the certificate."""
    found = dataset(stores["gradient"])
    count = found.parameter_count.values
    loss, sweep, recursion = found.operations.values.T
    exact = [k for k, pair in enumerate(found.pair.values) if WAYS[3] not in pair]
    apart = found.apart.values
    slope = np.polyfit(np.log(count), np.log(recursion / loss), 1)[0]
    return {
        "cases": str((results.read_manifest(stores["gradient"].folder) or {})["settings"]["cases"]),
        "rows": [
            [str(w), whole(p), f"{b / a:.2f}", whole(c / a), f"{c / a / p:.2f}",
             figures(t[1] / t[0], 2), whole(t[2] / t[0])]
            for w, p, a, b, c, t in zip(
                found.width.values, count, loss, sweep, recursion, found.seconds.values, strict=True
            )
        ],
        "exact": figures(max(apart[:, exact].max(), found.one_apart.values.max()), 2),
        "differences": figures(np.delete(apart, exact, axis=1).max(), 2),
        "sweep-least": f"{(sweep / loss).min():.1f}",
        "sweep-most": f"{(sweep / loss).max():.1f}",
        "slope": f"{slope:.3f}",
        "most-parameters": whole(count[-1]),
        "recursion-most": whole(recursion[-1] / loss[-1]),
        "agree": bool(max(apart[:, exact].max(), found.one_apart.values.max()) < 1e-12),
        "sweep-is-one-pass": bool((sweep / loss).max() < 3.5),
        "recursion-is-one-each": bool(abs(slope - 1) < 0.05),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Operations for the whole gradient, as multiples of the loss's, against the parameters."""
    found = dataset(stores["gradient"])
    count = found.parameter_count.values
    loss, sweep, recursion = found.operations.values.T
    figure, ((ax,),) = plots.figure(width=4.2, height=2.8)
    ax.plot(count, recursion / loss, "o-", ms=4, color=plots.COLOURS[1], label="recursion")
    ax.plot(count, sweep / loss, "s-", ms=4, color=plots.COLOURS[0], label="reverse sweep")
    ax.plot(count, count, "--", lw=0.8, color="0.5", label="number of parameters")
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="operations / those of the loss")
    ax.legend(fontsize=7)
    return figure
