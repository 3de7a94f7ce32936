"""The attractor of each start in finished stores, numbered alike in all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn import results
from jaxnn.dynamics import Dynamics
from jaxnn.landscape import basins
from jaxnn.losses import accuracy
from jaxnn.runs import Run
from jaxnn.studies import endings
from jaxnn.studies.basin_maps import FOUND, VARIABLES, default_out, dynamics_of, searched
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import STEP_SIZE, like
from jaxnn.studies.problem import Posed

PREDICTIONS = "predictions"
"""The kind of what is one by what it predicts."""
BIASES_ALIKE = {"normal", "uniform", "sphere"}
"""Schemes that draw biases as they draw weights."""


@dataclasses.dataclass(frozen=True)
class Attractors:
    """Where starts of one problem lead, a row each, by loss (by predictions, by frequency).

    kinds: a word each. losses: their level; by predictions the lowest seen. right: share of the
    cases classified correctly, NaN where the targets are numbers. families: those with one number
    are images under the symmetries of the data; in a sample, under those of its draws too.
    """

    kinds: list[str]
    losses: np.ndarray
    right: np.ndarray
    families: np.ndarray

    def rows(self) -> list[dict[str, Any]]:
        """Each attractor by name, for scripts."""
        named = zip(self.kinds, self.losses, self.right, self.families, strict=True)
        return [
            {"attractor": k, "kind": kind, "loss": loss, "right": right, "family": family}
            for k, (kind, loss, right, family) in enumerate(named)
        ]

    def short(self, label: int) -> str:
        """Kind and number of an attractor, the first words of its `name`."""
        return f"{self.kinds[label]} {label}"

    def name(self, label: int) -> str:
        """A label in words, no two alike."""
        if label < 0:
            return basins.spoken(label)
        right = f", {self.right[label]:.0%} right" if np.isfinite(self.right[label]) else ""
        return f"{self.short(label)}: loss {self.losses[label]:.3g}{right}"


@dataclasses.dataclass(frozen=True)
class Labelled:
    """A finished map: the label of each start, (starts,), the attractors that the numbers mean, and
    what the store holds of the runs, by name (`basin_maps.VARIABLES`), each (starts,).
    """

    labels: np.ndarray
    attractors: Attractors
    runs: dict[str, np.ndarray]

    def ended_there(self, level: float) -> np.ndarray | None:
        """Whether training itself came to the attractor that its start leads to, (starts,): its
        final loss is at most the level above the attractor's. From the other ends steepest descent
        leads down to it, which training has not done. None by predictions, which are those of the
        end itself, and where no final losses are known.
        """
        if PREDICTIONS in self.attractors.kinds or "final_loss" not in self.runs:
            return None
        below = np.append(self.attractors.losses, np.nan)[np.maximum(self.labels, -1)]
        return self.runs["final_loss"] - below <= level


def labelled(parts: Sequence[Basins], posed: Posed) -> list[Labelled]:
    """The maps in the stores of these settings, all of one problem."""
    datasets = [results.load(default_out(part)) for part in parts]
    runs = [
        {name: dataset[name].values.ravel() for name in VARIABLES if name in dataset}
        for dataset in datasets
    ]
    if not searched(parts[0], posed):
        labels, attractors = _by_predictions(datasets, posed)
    else:
        labels, found = _by_attractors(parts, datasets, posed)
        attractors = attractors_of(found, posed)
    return [Labelled(part, attractors, run) for part, run in zip(labels, runs, strict=True)]


def attractors_of(found: Any, posed: Posed) -> Attractors:
    """The classes of a `Census` in words."""
    right = found.accuracy if posed.classifies else np.full(len(found.losses), np.nan)
    return Attractors(found.kinds, found.losses, right, found.families)


def _by_attractors(
    parts: Sequence[Basins], datasets: Sequence[Any], posed: Posed
) -> tuple[list[np.ndarray], Any]:
    """The labels of each part, (starts,), and the classes they number: every step size is a
    dynamics of its own.
    """
    stored, places = [], []
    for number, (part, dataset) in enumerate(zip(parts, datasets, strict=True)):
        shape = dataset["outcome"].shape
        order = np.arange(dataset["outcome"].size).reshape(shape)
        sizes = dataset.sizes.get(STEP_SIZE, 0)
        for k in range(max(1, sizes)):
            cut = dataset.isel({STEP_SIZE: slice(k, k + 1)}) if sizes else dataset
            axis = dataset["outcome"].dims.index(STEP_SIZE) if sizes else 0
            places.append((number, np.take(order, [k], axis=axis) if sizes else order))
            way = dynamics_of(part, posed, {STEP_SIZE: (k, k + 1)})
            stored.append(_stored(cut, posed, way))
    labels = [np.zeros(dataset["outcome"].size, int) for dataset in datasets]
    made = basins.together(posed.loss_fn, stored)
    for one, (number, where) in zip(made, places, strict=True):
        labels[number][where.ravel()] = one.labels
    return labels, made[0].attractors


def _stored(dataset: Any, posed: Posed, way: Dynamics) -> basins.Basins:
    """What a store holds, before labels are given: all are unfinished until `basins.together` says
    which ends are one attractor.
    """
    run, count = run_of(dataset, posed), dataset["outcome"].size
    nothing: Any = None
    return basins.Basins(
        labels=np.full(count, basins.Nowhere.unfinished),
        losses=np.asarray(run.loss),
        initial=dataset["initial_loss"].values.ravel(),
        wavering=dataset["wavering"].values.ravel() > 0,
        levels=np.full(count, np.nan),
        steps=np.asarray(run.steps),
        outcome=np.asarray(run.outcome),
        gradient_norm=np.asarray(run.gradient_norm),
        distance=dataset["distance"].values.ravel(),
        sharpness=dataset["sharpness"].values.ravel(),
        ends=run.params,
        found=endings.stationary(dataset, like(posed), prefix=FOUND),
        attractors=nothing,
        dynamics=way,
    )


def run_of(dataset: Any, posed: Posed) -> Run:
    """The runs of a finished store, starts axis first, with the losses at their two ends."""
    flat = {name: dataset[name].values.ravel() for name in VARIABLES if name in dataset}
    ends = dataset["end"].values.reshape(len(flat["outcome"]), -1)
    return Run(
        params=endings.unflat(ends, like(posed)),
        losses=flat["initial_loss"][:, None],
        loss=flat["final_loss"],
        steps=flat["updates"],
        outcome=flat["outcome"],
        gradient_norm=flat["final_gradient_norm"],
    )


def _by_predictions(datasets: Sequence[Any], posed: Posed) -> tuple[list[np.ndarray], Attractors]:
    """Labels by predictions on the training cases, numbered together."""
    runs = [run_of(dataset, posed) for dataset in datasets]
    whole: Run = jax.tree.map(lambda *leaves: np.concatenate(leaves), *runs)
    modes = basins.by_predictions(posed.loss_fn, whole)
    cuts = np.cumsum([len(run.loss) for run in runs])[:-1]
    right = np.array([_right(posed, whole.params, k) for k in modes.first])
    kinds = [PREDICTIONS] * len(modes.losses)
    made = Attractors(kinds, modes.losses, right, np.arange(len(kinds)))
    return np.split(modes.labels, cuts), made


def _right(posed: Posed, ends: Any, number: int) -> float:
    if not posed.classifies:
        return np.nan
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf[number]), ends)
    return float(accuracy(one, posed.train, activation=posed.activation))
