"""Where each point of a plane of initial weights leads, by descent and by the gradient flow.

Expected before it was run: the flow's borders are smooth curves, descent's at a step size near the
stability limit of the minima are frayed, and away from borders the two maps agree.
A first map, at a step size of 4, came before: there nothing comes to rest.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from building import Store
from reading import basins_and_flow
from words import percent

from jaxnn import plots
from jaxnn.landscape import basins, sensitivity
from jaxnn.studies.map_starts import window

STORES = ("plane",)


@functools.cache
def read(store: Store) -> dict[str, Any]:
    """Both maps, (points, points), and what their numbers mean."""
    settings, (descent, flow) = basins_and_flow(store.folder)
    square = settings.points, settings.points
    return {
        "window": window(settings), "descent": descent.labels.reshape(square),
        "flow": flow.labels.reshape(square), "losses": flow.attractors.losses,
        "right": flow.attractors.right, "step_size": settings.step_size,
    }  # fmt: skip


def borders(labels: np.ndarray) -> np.ndarray:
    """The pixels with a neighbour of another label."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differs = np.diff(labels, axis=axis) != 0
        first = [slice(None)] * 2
        second = [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        edge[tuple(first)] |= differs
        edge[tuple(second)] |= differs
    return edge


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """Shares of the grid, of what changes, and the entropies of both maps. A grid is no random
    sample: shares have no interval.
    """
    found = read(stores["plane"])
    descent, flow = found["descent"], found["flow"]
    changed = descent != flow
    near, hopping = borders(flow), descent == basins.Nowhere.restless
    mixed = {name: sensitivity.entropy(found[name]) for name in ("descent", "flow")}
    values, counts = np.unique(flow[flow >= 0], return_counts=True)
    top = values[counts.argmax()]
    return {
        "points": str(len(flow)),
        "attractors": str(len(values)),
        "top": percent(counts.max() / flow.size),
        "top-loss": f"{found['losses'][top]:.4f}",
        "changed": percent(changed.mean()),
        "border": percent(near.mean()),
        "border-descent": percent(borders(descent).mean()),
        "entropy-flow": f"{mixed['flow'].basin:.3f}",
        "entropy-descent": f"{mixed['descent'].basin:.3f}",
        "restless": percent(hopping.mean()),
        "changed-resting": percent(changed[~hopping].mean()),
        "bound": f"{2 / found['step_size']:g}",
        "fewer-borders": bool(borders(descent).mean() < near.mean()),
        "rest-agrees": bool(changed[~hopping].mean() < 0.1),
    }


def draw(stores: dict[str, Store]) -> Any:
    """The two maps, and where they differ."""
    found = read(stores["plane"])
    both = np.stack([found["flow"], found["descent"]])
    colours = plots.label_colours(both)
    figure, axes = plots.figure(1, 3, width=8.6, height=3.1, sharex=True, sharey=True)
    for ax, name in zip(axes[0], ("flow", "descent"), strict=False):
        plots.label_map(ax, found[name], found["window"], colours=colours)
        ax.set_title({"flow": "gradient flow", "descent": "descent"}[name])
    plots.changed_map(axes[0, 2], both[0] != both[1], found["window"])
    axes[0, 2].set_title("where they differ")
    names = {
        (f"{k}: error {found['losses'][k]:.4f}" if k >= 0 else basins.spoken(k)): colour
        for k, colour in sorted(colours.items(), reverse=True)
    }
    plots.label_legend(axes[0, 2], names, title="leads to")
    for ax in axes[0]:
        ax.set_xlabel("first weight of a hidden unit")
    axes[0, 0].set_ylabel("its second weight")
    return figure
