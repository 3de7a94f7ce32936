"""Digits, 64-32-10, mini-batches: test accuracy by the scale of the initial weights.

Expected before it was run: test accuracy falls from scale 0.3 to 3 under N(0, scale^2) by more than
a percentage point, and not under Nielsen's scheme, which divides by the inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from building import Store
from drawing import accuracies
from reading import mean_difference, settings_of
from words import difference, whole

from jaxnn import plots, results
from jaxnn.studies.settings import Study

STORES = ("digits",)


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Accuracies by scheme and scale, and paired differences."""
    dataset = results.load(stores["digits"].folder)
    settings = settings_of(stores["digits"].folder, Study)
    scales, right = dataset.scale.values, dataset.test_accuracy.values
    low = int(np.flatnonzero(np.isclose(scales, 0.3))[0])
    change = [mean_difference(row[low], row[-1]) for row in right]
    return {
        "n": whole(right.shape[2]),
        "epochs": str(settings.epochs),
        "cases": whole(right.shape[2]),
        "rows": [
            [str(scheme), f"{s:g}", f"{100 * right[i, k].mean():.1f} %",
             f"{100 * right[i, k].min():.1f} to {100 * right[i, k].max():.1f} %",
             f"{np.median(dataset.final_loss.values[i, k]):.4f}"]
            for i, scheme in enumerate(dataset.scheme.values) for k, s in enumerate(scales)
        ],
        "low": f"{scales[low]:g}",
        "high": f"{scales[-1]:g}",
        "normal-change": difference(change[0]),
        "nielsen-change": difference(change[1]),
        "falls": bool(change[0][2] < -0.01),
        "nielsen-stays": bool(change[1][1] <= 0 <= change[1][2]),
        "nielsen-falls": bool(change[1][2] < 0),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Test accuracy of each network against the scale."""
    dataset = results.load(stores["digits"].folder)
    figure, ((ax,),) = plots.figure(width=4.4, height=2.9)
    schemes, right = dataset.scheme.values, dataset.test_accuracy.values
    accuracies(ax, dataset.scale.values, schemes, right)
    return figure
