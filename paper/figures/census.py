"""All stationary points of the signed exclusive or: what can be said exactly.

Expected before it was run: the 49 classes that the earlier count of 61 becomes when none is counted
twice, and a sum of (-1)^index of 1 over all points.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from reading import settings_of
from words import share

from jaxnn import plots, results
from jaxnn.intervals import wilson
from jaxnn.landscape import minima
from jaxnn.landscape.minima import Census as Found
from jaxnn.studies import census_findings, stationary_points
from jaxnn.studies.endings import stationary
from jaxnn.studies.settings import Census

STORES = ("census",)


@functools.cache
def read(store: Store) -> tuple[Census, Found, np.ndarray]:
    """The settings, the classes, and how many training runs ended at each."""
    settings = settings_of(store.folder, Census)
    posed = stationary_points.pose(settings)
    dataset = results.load(store.folder)
    found = minima.distinct(
        posed.loss_fn, stationary(dataset, stationary_points.like(settings, posed))
    )
    return settings, found, census_findings.ended_at(found, settings)


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Counts of classes and points, Morse's sum, and where training ends."""
    _, found, reached = read(stores["census"])
    kinds, runs = np.array(found.kinds), int(reached.sum())
    low = found.index == 0
    units = np.abs(np.asarray(found.points[0][0])[:, :, 0])
    tie = (np.abs(units[:, 0] - units[:, 1]) < 1e-6) & (found.orbit_size == 8)
    ends = [k for k in np.argsort(-reached[:-1], kind="stable") if reached[k]]
    good = found.accuracy == 1
    return {
        "classes": str(len(kinds)),
        "minima": str(int(low.sum())),
        "saddles": str(int((~low).sum())),
        "twice": str(int(len(kinds) + tie.sum())),
        "tied": str(int(tie.sum())),
        "points": str(int(np.nansum(found.orbit_size))),
        "morse": f"{found.morse_sum:.0f}",
        "right": str(int((low & good).sum())),
        "missing": f"{found.missing.high:.2f}",
        "zero": f"{float(np.max(np.abs(found.zero))):.0f}",
        "lowest": f"{found.losses.min():.4f}",
        "highest-minimum": f"{found.losses[low].max():.4f}",
        "runs": f"{runs}",
        "solves": share(wilson(int(reached[:-1][low & good].sum()), runs)),
        "rows": [
            [f"{found.losses[k]:.5f}", str(int(found.orbit_size[k])),
             f"{100 * found.accuracy[k]:.0f} %", share(wilson(int(reached[k]), runs))]
            for k in ends
        ],
        "whole": bool(found.morse_sum == 1),
        "agrees": bool(len(kinds) + tie.sum() == 61),
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """Each class by its index and loss."""
    _, found, _ = read(stores["census"])
    _, ((ax,),) = plots.figure(width=4.6, height=3.0)
    return plots.loss_against_index(ax, found.losses, found.index, kinds=found.kinds).figure
