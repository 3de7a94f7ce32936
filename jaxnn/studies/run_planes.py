"""The plane that holds most of a network's training run: `jaxnn slice --along run`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn import ensembles, plots, results
from jaxnn.devices import each
from jaxnn.landscape import slices, trajectories
from jaxnn.studies.members import Network, figures_in, label
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Report
from jaxnn.studies.settings import Slice

RECORDS = 60
"""Points of the run, about, that are drawn."""


def draw_run(settings: Slice, posed: Posed, network: Network) -> Report:
    """Train the network again from its start, draw its run over the loss on its principal plane,
    and give the report: how much of the run the plane holds, and how far it is off it.

    Raises:
        ValueError: another value than the loss, a network at its start, a run of fewer than 2
            updates or by mini-batches.
    """
    asked = {"--value": (settings.value, "loss"), "--at": (settings.at, "final")}
    for option, (given, wanted) in asked.items():
        if given != wanted:
            raise ValueError(f"--along run with {option} {given}: leave it at {wanted}")
    manifest = results.read_manifest(settings.store) or {}
    if manifest["settings"]["batch_size"]:
        raise ValueError(
            f"--along run: {settings.store} was trained by mini-batches, which are not replayed; "
            "choose another --along"
        )
    if network.steps < 2:
        raise ValueError(f"{network.name} made {network.steps} updates: a run needs at least 2")
    way = ensembles.replay(
        posed.loss_fn, network.start, posed.rule, steps=network.steps,
        every=max(1, network.steps // RECORDS),
    )  # fmt: skip
    found = jax.jit(trajectories.principal_plane)(way.points)
    plane, coordinates = found.plane, np.asarray(found.plane.coordinates)
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    margin = (0.25 if settings.reach is None else settings.reach) * (high - low).max()
    xs, ys = (
        jnp.linspace(a - margin, b + margin, settings.points)
        for a, b in zip(low, high, strict=True)
    )
    values = slices.plane(posed.loss_fn, plane.origin, plane.first, plane.second, xs, ys, over=each)
    made, axes = plots.figure(2, 1, width=6.5, height=6.2, gridspec_kw={"height_ratios": [5, 1]})
    ax = plots.contours(
        axes[0, 0], np.asarray(xs), np.asarray(ys), np.asarray(values),
        points=coordinates[[0, -1]], labels=["start", "end"],
    )  # fmt: skip
    off = np.asarray(found.off_plane)
    plots.run_in_plane(ax, coordinates, np.asarray(way.losses), off)
    plots.off_plane_distances(axes[1, 0], np.asarray(way.steps), off)
    held = float(found.explained.sum())
    ax.set_title(
        f"{plots.plain(posed.source.name)}, {network.name}: {held:.1%} of its run", loc="left"
    )
    files = plots.save(made, figures_in(settings) / f"slice-run-{label(settings, [network])}")
    gap = [
        np.abs(np.asarray(a)[-1] - np.asarray(b)).max()
        for a, b in zip(jax.tree.leaves(way.points), jax.tree.leaves(network.point), strict=True)
    ]
    first, second = (float(share) for share in found.explained)
    lines = [
        f"{posed.source.name}, {network.name}: {network.steps} updates, "
        f"loss {float(way.losses[0]):.5g} -> {float(way.losses[-1]):.5g}",
        f"trained again, it ends {max(gap):.1e} from the stored weights",
        f"the plane holds {first:.1%} + {second:.1%} of the run",
        f"off the plane: at most {off.max():.4g}, at the start {off[0]:.4g} (distance between "
        "parameters)",
    ]
    ran = {
        "network": network.name, "updates": network.steps, "losses": way.losses,
        "replay_gap": max(gap), "explained": found.explained, "off_plane": off,
    }  # fmt: skip
    return Report("\n".join(lines), ran, files, settings=vars(settings))
