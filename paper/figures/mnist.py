"""MNIST, 784-30-10, mini-batches: test accuracy by the scale of the initial weights.

Expected before it was run: as on the digits, accuracy falls from scale 0.3 to 3 under N(0,
scale^2), here by more than five percentage points since 784 inputs add up; under Nielsen's scheme
it does not.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from building import Store
from drawing import accuracies
from reading import mean_difference
from words import difference, percent, whole

from jaxnn import plots

STORES = ("mnist",)


def read(store: Store) -> dict[str, Any]:
    """The networks and the manifest of the store."""
    networks = json.loads((store.folder / "networks.json").read_text())
    manifest = json.loads((store.folder / "manifest.json").read_text())
    return {
        "right": np.array(networks["test_accuracy"]), "scales": np.array(networks["scale"]),
        "schemes": networks["scheme"], "manifest": manifest,
    }  # fmt: skip


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Accuracies by scheme and scale, paired differences, and how the store was made."""
    found = read(stores["mnist"])
    right, scales, manifest = found["right"], found["scales"], found["manifest"]
    low = int(np.flatnonzero(np.isclose(scales, 0.3))[0])
    change = [mean_difference(row[low], row[-1]) for row in right]
    versions = manifest["versions"]
    return {
        "n": whole(right.shape[2]),
        "epochs": str(manifest["settings"]["epochs"]),
        "cases": whole(manifest["data"]["training_cases"]),
        "rows": [
            [scheme, f"{s:g}", percent(right[i, k].mean()),
             f"{100 * right[i, k].min():.1f} to {100 * right[i, k].max():.1f} %"]
            for i, scheme in enumerate(found["schemes"]) for k, s in enumerate(scales)
        ],
        "low": f"{scales[low]:g}",
        "high": f"{scales[-1]:g}",
        "normal-change": difference(change[0]),
        "nielsen-change": difference(change[1]),
        "made": manifest["date"],
        "versions": f"jaxnn {versions['jaxnn']}, jax {versions['jax']}",
        "falls": bool(change[0][2] < -0.05),
        "nielsen-stays": bool(change[1][1] <= 0 <= change[1][2]),
        "nielsen-falls": bool(change[1][2] < 0),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Test accuracy of each network against the scale."""
    found = read(stores["mnist"])
    figure, ((ax,),) = plots.figure(width=4.4, height=2.9)
    accuracies(ax, found["scales"], found["schemes"], found["right"])
    return figure
