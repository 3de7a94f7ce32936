"""Iris, 4-8-3: scales compared start by start.

Expected before it was run: the loss level is reached from nearly all starts at scale 1 and from
fewer at 10, for both schemes; and at scale 0.1 from fewer than at 1 within these steps.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from reading import settings_of
from words import difference, share, whole

from jaxnn import plots, results
from jaxnn.intervals import wilson
from jaxnn.landscape import labels
from jaxnn.stopping import Outcome
from jaxnn.studies.settings import Study

STORES = ("iris",)


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """Whether each network has reached the level, by (scheme, scale, member)."""
    dataset, settings = results.load(store.folder), settings_of(store.folder, Study)
    reached = (dataset.final_loss.values <= settings.level) & (
        dataset.outcome.values != Outcome.diverged
    )
    return {
        "reached": reached, "scales": dataset.scale.values, "steps": settings.steps,
        "schemes": [str(s) for s in dataset.scheme.values], "level": settings.level,
        "accuracy": dataset.test_accuracy.values,
    }  # fmt: skip


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Shares by scheme and scale, and paired differences from scale 1."""
    found = read(stores["iris"])
    reached, scales = found["reached"].astype(int), found["scales"]
    n, one = reached.shape[2], int(np.flatnonzero(scales == 1)[0])
    reach = [[wilson(int(cell.sum()), n) for cell in row] for row in reached]
    change = [
        [labels.difference(row[one], row[k], 1) for k in range(len(scales))] for row in reached
    ]
    rows = [
        [scheme, f"{s:g}", share(reach[i][k]),
         "\u2013" if k == one else difference(change[i][k]),
         f"{100 * found['accuracy'][i, k].mean():.1f} %"]
        for i, scheme in enumerate(found["schemes"]) for k, s in enumerate(scales)
    ]  # fmt: skip
    return {
        "n": whole(n),
        "rows": rows,
        "level": f"{found['level']:g}",
        "steps": whole(found["steps"]),
        "one": share(reach[0][one]),
        "low": share(reach[0][0]),
        "high": share(reach[0][-1]),
        "change-low": difference(change[0][0]),
        "change-high": difference(change[0][-1]),
        "nielsen-change-high": difference(change[1][-1]),
        "nielsen-change-low": difference(change[1][0]),
        "fewer-when-large": bool(all(row[-1].high < 0 for row in change)),
        "as-many-when-small": bool(all(row[0].low > -0.05 for row in change)),
        "tests-low": f"{100 * found['accuracy'][0, 0].mean():.1f} %",
        "tests-high": f"{100 * found['accuracy'][0, -1].mean():.1f} %",
    }


def draw(stores: dict[str, Store]) -> Any:
    """Shares that reach the level, by scheme and scale."""
    found = read(stores["iris"])
    n = found["reached"].shape[2]
    _, ((ax,),) = plots.figure(width=4.4, height=2.9)
    shares = {
        scheme: np.array([wilson(int(row.sum()), n) for row in rows])
        for scheme, rows in zip(found["schemes"], found["reached"], strict=True)
    }
    return plots.share_against_scale(
        ax, found["scales"].tolist(), shares, level=found["level"]
    ).figure
