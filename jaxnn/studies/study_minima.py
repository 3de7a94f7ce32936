"""How probable each minimum is, modulo symmetry, in a study of small networks."""

from __future__ import annotations

from typing import Any

from jaxnn.landscape import basins
from jaxnn.runs import Run
from jaxnn.studies import endings
from jaxnn.studies.basin_labels import Labelled, attractors_of
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import like
from jaxnn.studies.problem import Posed
from jaxnn.studies.sample_findings import MOST_COLUMNS, most_frequent, probability_table
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import MEMBER, Layer

MOST_PARAMETERS = 20
"""Of networks whose ends are searched: seconds for thousands of them."""
MOST_MEMBERS = 500
"""Of each scheme and scale, the first ones."""


def minima_table(dataset: Any, settings: Study, posed: Posed) -> str:
    """The probability of each attractor for each scheme and scale: where the ends of training lead,
    modulo the symmetries of the loss. Empty for networks of more than MOST_PARAMETERS.
    """
    if endings.size_of(like(posed)) > MOST_PARAMETERS:
        return ""
    dataset = dataset.isel({MEMBER: slice(MOST_MEMBERS)})
    run = _run(dataset, len(posed.sizes) - 1)
    found = basins.searched(posed.loss_fn, run)
    classes = basins.distinct(posed.loss_fn, found)
    labels = basins.labels_of(found, classes, classes.labels)
    made = Labelled(labels, attractors_of(classes, posed), {})
    sample = Basins(
        settings.data, over="sample", schemes=settings.schemes, scales=settings.scales,
        step_sizes=(settings.step_size or 0.0,), members=dataset.sizes[MEMBER],
    )  # fmt: skip
    names = [made.attractors.name(label) for label in most_frequent(labels, MOST_COLUMNS)]
    return f"{probability_table(sample, made)}\n{'; '.join(names)}"


def _run(dataset: Any, layers: int) -> Run:
    """The ends of all networks, in one axis."""
    named = [f"final_{kind}_{k}" for k in range(1, layers + 1) for kind in ("weights", "biases")]
    leaves = [dataset[name].values for name in named]
    flat: list[Any] = [leaf.reshape(-1, *leaf.shape[3:]) for leaf in leaves]
    loss = dataset.final_loss.values.ravel()
    return Run(
        params=tuple(Layer(w, b) for w, b in zip(flat[::2], flat[1::2], strict=True)),
        losses=loss[:, None],
        loss=loss,
        steps=dataset.steps.values.ravel(),
        outcome=dataset.outcome.values.ravel(),
        gradient_norm=dataset.gradient_norm.values.ravel(),
    )
