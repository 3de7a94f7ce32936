"""Where training stands and what lies below it, modulo symmetry, in a study of small networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxnn.dynamics import full_batch
from jaxnn.landscape import basins
from jaxnn.landscape.censuses import unfinished
from jaxnn.landscape.resting import restless, unstable
from jaxnn.runs import Run
from jaxnn.studies import endings
from jaxnn.studies.basin_labels import Labelled, attractors_of
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import like
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Part
from jaxnn.studies.sample_findings import (
    MOST_COLUMNS,
    most_frequent,
    probability_table,
    standing,
)
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import MEMBER, Layer

MOST_PARAMETERS = 20
"""Of networks whose ends are searched: seconds for thousands of them."""
MOST_MEMBERS = 500
"""Of each scheme and scale, the first ones."""


def minima_table(dataset: Any, settings: Study, posed: Posed) -> Part:
    """For each scheme and scale the probability of each attractor, modulo the symmetries of the
    loss: that training ended there, and that the loss leads there from where it ended. Empty for
    networks of more than MOST_PARAMETERS.
    """
    if endings.size_of(like(posed)) > MOST_PARAMETERS:
        return Part([], {})
    there, dataset = dataset.sizes[MEMBER], dataset.isel({MEMBER: slice(MOST_MEMBERS)})
    run = _run(dataset, len(posed.sizes) - 1)
    found = basins.searched(posed.loss_fn, run)
    classes = basins.distinct(posed.loss_fn, found)
    labels = _rested(
        settings, posed, run, classes, basins.labels_of(found, classes, classes.labels)
    )
    made = Labelled(labels, attractors_of(classes, posed), {"final_loss": np.asarray(run.loss)})
    sample = Basins(
        settings.data, over="sample", schemes=settings.schemes, scales=settings.scales,
        step_sizes=(settings.step_size or 0.0,), members=dataset.sizes[MEMBER],
        level=settings.level,
    )  # fmt: skip
    names = [made.attractors.name(label) for label in most_frequent(labels, MOST_COLUMNS)]
    cut = dataset.sizes[MEMBER]
    first = (
        f"of the first {cut} of {there} networks of each scheme and scale: " if cut < there else ""
    )
    table, stands = probability_table(sample, made), standing(sample, made)
    last = np.asarray(found.loss)[labels == basins.Nowhere.unfinished]
    lost = [unfinished(last)] if len(last) else []
    said = "\n".join(
        [first + table.lines[0], *table.lines[1:], "; ".join(names), *stands.lines, *lost]
    )
    values = {**table.values, **stands.values, "attractors": made.attractors.rows()}
    return Part([said], {**values, "networks_of_each_searched": cut})


def _rested(
    settings: Study, posed: Posed, run: Run, classes: Any, labels: np.ndarray
) -> np.ndarray:
    """The labels, but for ends that hop about what is too sharp for the step size."""
    if settings.batch_size:
        return labels
    way = full_batch(posed.rule, steps=settings.steps or 0)
    hopping = np.append(unstable(posed.loss_fn, classes, way), False)[np.maximum(labels, -1)]
    levels = np.append(classes.losses, np.nan)[np.where(labels >= 0, labels, -1)]
    lost = restless(run.loss, levels, run.losses[:, 0], hopping, np.zeros(len(labels), bool))
    return np.where(lost, basins.Nowhere.restless, labels)


def _run(dataset: Any, layers: int) -> Run:
    """The ends of all networks, in one axis."""
    named = [f"final_{kind}_{k}" for k in range(1, layers + 1) for kind in ("weights", "biases")]
    leaves = [dataset[name].values for name in named]
    flat: list[Any] = [leaf.reshape(-1, *leaf.shape[3:]) for leaf in leaves]
    loss = dataset.final_loss.values.ravel()
    return Run(
        params=tuple(Layer(w, b) for w, b in zip(flat[::2], flat[1::2], strict=True)),
        losses=dataset.initial_loss.values.ravel()[:, None],
        loss=loss,
        steps=dataset.steps.values.ravel(),
        outcome=dataset.outcome.values.ravel(),
        gradient_norm=dataset.gradient_norm.values.ravel(),
    )
