"""How fast neighbouring starts part, and how small a change leads elsewhere: the stores of `jaxnn
sensitivity` beside its map's, chunk by chunk.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array

from jaxnn import descent, results
from jaxnn.data import Dataset
from jaxnn.landscape import basins, sensitivity
from jaxnn.landscape.borders import SMALLEST_SIDE
from jaxnn.landscape.many import at, in_float64
from jaxnn.landscape.minima import Stationary, distinct
from jaxnn.studies import endings, engine, map_variants
from jaxnn.studies.basin_maps import (
    default_out,
    dynamics_of,
    looked_at,
    manifest,
    pose,
    regions,
    run,
    searched,
)
from jaxnn.studies.endings import PARAMETER
from jaxnn.studies.map_settings import Again, Basins, Sensitivity
from jaxnn.studies.map_starts import PIXEL, like, pixels, starts
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Where
from jaxnn.vocabulary import LOSS_UNIT, NO_UNIT

EFFORT: dict[str, Any] = {"rays": 32, "fronts": 1, "rounds": 4, "precision": 1e-3, "batch": 256}
"""Of each search for the smallest change."""
LYAPUNOV, CHANGES, NUDGED = "lyapunov", "changes", "nudged"


def parts(settings: Sensitivity, source: Dataset | None = None) -> tuple[Basins, dict[str, Again]]:
    """The map that is measured, and the pixels of it that are measured one by one, by what is.

    Raises:
        ValueError: a sample, a map too small, --against; as `map_variants.variants`.
    """
    if settings.over == "sample":
        raise ValueError("--over sample has no borders: give plane or line")
    if settings.against is not None:
        raise ValueError("--against is of jaxnn basins: leave it out")
    if (settings.points or SMALLEST_SIDE) < SMALLEST_SIDE:
        raise ValueError(
            f"--points is {settings.points}: borders are measured on at least {SMALLEST_SIDE} "
            "pixels a side"
        )
    whole = map_variants.variants(map_variants.as_basins(settings), source)[0]
    asked = {LYAPUNOV: (settings.lyapunov, 16), CHANGES: (settings.changes, 1)}
    if not looked_at(whole):
        del asked[LYAPUNOV]
    if not searched(whole, pose(whole, source)):
        del asked[CHANGES]
    nudged = {NUDGED: map_variants.again(whole, NUDGED, ulps=1)}
    return whole, nudged | {
        kind: map_variants.again(whole, kind, pixels=count, chunk=size)
        for kind, (count, size) in asked.items()
        if count
    }


def measure(part: Again, kind: str, source: Dataset | None = None) -> Path:
    """Compute every chunk of these pixels that is ours and not in its store yet, and give the
    store's path.

    Raises:
        ValueError: a store there that was made otherwise.
    """
    if kind == NUDGED:
        return run(part, source)
    posed, path = pose(part, source), default_out(part)
    made = {**manifest(part, posed), "study": kind}
    engine.open_store(path, made, _layout(part, posed, kind))
    chunk = {LYAPUNOV: exponents_of, CHANGES: change_of}[kind]
    task = functools.partial(chunk, replace(part, **asdict(Where())), posed)
    engine.run(path, task, len(regions(part)), what=kind, where=part)
    return path


def _begun(part: Again, posed: Posed, number: int) -> tuple[results.Region, Any, Any]:
    """The region, the starts and the landscape of a chunk, in float64; call it where that is
    enabled.
    """
    region = regions(part)[number]
    begun = starts(replace(part, precision="float64"), posed, region)
    return region, begun, in_float64(posed.loss_fn)


def exponents_of(
    part: Again, posed: Posed, number: int
) -> tuple[results.Region, dict[str, np.ndarray]]:
    """The largest Lyapunov exponent of training from each pixel of the chunk."""
    with jax.enable_x64(True):
        region, begun, loss_fn = _begun(part, posed, number)
        rule = descent.named(part.rule, part.step_size or 0.0)
        numbers = pixels(part)[slice(*region[PIXEL])]
        keys = jax.vmap(functools.partial(jax.random.fold_in, posed.order_key))(numbers)
        found = _exponents(loss_fn, rule, begun, keys, steps=part.steps or 1)
    return region, {"exponent": np.asarray(found)}


@functools.partial(jax.jit, static_argnames="steps")
def _exponents(loss_fn: Any, rule: Any, begun: Any, keys: Array, *, steps: int) -> Array:
    def one(start: Any, key: Array) -> Array:
        return sensitivity.lyapunov(loss_fn, rule, start, key, steps=steps).exponents[0]

    return jax.vmap(one)(begun, keys)


def change_of(
    part: Again, posed: Posed, number: int
) -> tuple[results.Region, dict[str, np.ndarray]]:
    """The smallest change found that leads elsewhere from the pixel of this chunk."""
    with jax.enable_x64(True):
        region, begun, loss_fn = _begun(part, posed, number)
        labels_of = LabelsOf(loss_fn, dynamics_of(part, posed, {}))
        start = at(begun, 0)
        if labels_of(begun)[0] < 0:  # there is nothing to change yet
            found = sensitivity.Change(np.nan, start, -1, -1, np.nan, False, 1)
        else:
            found = sensitivity.smallest_change(
                labels_of, start, ignore=(basins.Nowhere.unfinished,),
                seed=part.seed + int(pixels(part)[region[PIXEL][0]]), **EFFORT,
            )  # fmt: skip
    named = {
        "length": np.linalg.norm(endings.flat(begun)),
        "distance": found.distance,
        "precision": found.precision,
        "start_level": labels_of.level(found.start_label),
        "level": labels_of.level(found.label),
        "evaluations": found.evaluations,
    }
    arrays = {name: np.asarray([value]) for name, value in named.items()}
    point = jax.tree.map(lambda leaf: np.asarray(leaf)[None], found.point)
    return region, {**arrays, "changed": endings.flat(point)}


class LabelsOf:
    """Stacked points -> the attractor that each leads to, numbered alike in every call: those seen
    so far keep their numbers.
    """

    def __init__(self, loss_fn: Any, move: Any):
        self.loss_fn, self.move = loss_fn, move
        self.seen: Stationary | None = None

    def __call__(self, points: Any) -> np.ndarray:
        """The labels of the points, (points,)."""
        found = basins.searched(self.loss_fn, self.move(self.loss_fn, points))
        known = 0 if self.seen is None else len(self.seen.loss)
        whole = found if self.seen is None else _joined(self.seen, found)
        classes = distinct(self.loss_fn, whole)
        labels = basins.labels_of(whole, classes, classes.labels)
        numbers: dict[int, int] = {}
        for number, label in enumerate(labels[:known].tolist()):
            numbers.setdefault(label, number)
        new = [int(n) for n in np.unique(labels[known:]) if n >= 0 and n not in numbers]
        for number, label in enumerate(new, start=known):
            numbers[label] = number
        if new:
            first = [int(np.flatnonzero(labels == label)[0]) for label in new]
            self.seen = at(whole, np.array([*range(known), *first]))
        return np.array([numbers[n] if n >= 0 else n for n in labels[known:].tolist()])

    def level(self, label: int) -> float:
        """The loss of an attractor, NaN where there is none."""
        return np.nan if label < 0 or self.seen is None else float(self.seen.level[label])


def _joined(first: Stationary, second: Stationary) -> Stationary:
    return jax.tree.map(lambda a, b: np.concatenate([a, b]), first, second)


VARIABLES = {
    LYAPUNOV: {"exponent": ("nats per step", "largest Lyapunov exponent of the training map")},
    CHANGES: {
        "length": (NO_UNIT, "length of the initial weights"),
        "distance": (
            NO_UNIT,
            "length of the smallest change found that leads elsewhere, an upper bound",
        ),
        "precision": (NO_UNIT, "of the distance along its ray, relative"),
        "start_level": (LOSS_UNIT, "loss of the attractor that the initial weights lead to"),
        "level": (LOSS_UNIT, "loss of the attractor that the changed ones lead to"),
        "evaluations": (NO_UNIT, "networks trained for it"),
    },
}


def _layout(part: Again, posed: Posed, kind: str) -> dict[str, Any]:
    variables = {
        name: results.Variable((PIXEL,), "float64", {"long_name": meaning, "units": units})
        for name, (units, meaning) in VARIABLES[kind].items()
    }
    lengths, numbers = {PIXEL: len(pixels(part))}, [int(number) for number in pixels(part)]
    if kind == CHANGES:
        named = {"long_name": "changed initial weights, layer after layer", "units": NO_UNIT}
        variables["changed"] = results.Variable((PIXEL, PARAMETER), "float64", named)
        lengths[PARAMETER] = endings.size_of(like(posed))
    return {
        "coordinates": {PIXEL: numbers},
        "lengths": lengths,
        "chunks": {PIXEL: min(part.chunk or 1, len(numbers))},
        "variables": variables,
    }
