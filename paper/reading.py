"""What the figures share in reading stores."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from building import Store
from scipy import stats

from jaxnn import results
from jaxnn.studies import map_variants, problem
from jaxnn.studies.basin_labels import Labelled, labelled
from jaxnn.studies.basin_maps import pose
from jaxnn.studies.map_settings import Basins
from jaxnn.vocabulary import Layer

LEVEL = 0.05
"""Exclusive or is solved where the loss is at most this: every output then is on its side."""


@functools.cache
def dataset(store: Store) -> Any:
    """A store as one labelled Dataset."""
    return results.load(store.folder)


def params_of(found: Any, when: str, members: slice = slice(None)) -> Any:
    """The "initial" or "final" weights of a study's store, (networks, ...) each leaf: the first
    dimensions of its losses (scale, member) made one, of each scale these members.
    """
    layers = sum(name.startswith(f"{when}_weights_") for name in found)
    part = found.isel(member=members)
    cells = part.final_loss.ndim

    def leaf(kind: str, number: int) -> Any:
        values = part[f"{when}_{kind}_{number}"].values
        return values.reshape(-1, *values.shape[cells:])

    return tuple(Layer(leaf("weights", k), leaf("biases", k)) for k in range(1, layers + 1))


def settings_of(folder: Path, kind: Any, **changes: Any) -> Any:
    """The settings that a store of the command line was made with, such as a `Basins`."""
    manifest = results.read_manifest(folder) or {}
    known = {field.name for field in dataclasses.fields(kind)}
    asked = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in manifest["settings"].items()
        if name in known
    }
    return problem.complete(kind(**{**asked, "out": folder, **changes}))


def basins_and_flow(folder: Path) -> tuple[Any, list[Labelled]]:
    """The settings of a store of `jaxnn basins --against flow`, and both maps, attractors numbered
    alike.
    """
    settings = settings_of(folder, Basins, against="flow")
    parts = map_variants.variants(settings)
    return parts[0], labelled(parts, pose(parts[0]))


def mean_difference(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """The mean of second - first over pairs (n,), with Student's 95 % interval; infinitely wide for
    one pair.
    """
    gap = np.asarray(second, float) - np.asarray(first, float)
    mean, n = float(gap.mean()), len(gap)
    if n < 2:
        return mean, -np.inf, np.inf
    half = float(stats.t.ppf(0.975, n - 1) * gap.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half
