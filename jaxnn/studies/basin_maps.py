"""Where does each initial weight lead? The stores of `jaxnn basins`, chunk by chunk: maps over a
plane or a line of initial weights, and samples of them.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnn import descent, dynamics, results
from jaxnn.data import Dataset
from jaxnn.landscape import basins, minima
from jaxnn.landscape.many import in_float64
from jaxnn.landscape.resting import wavers
from jaxnn.runs import Run
from jaxnn.stopping import Outcome, gradient_below
from jaxnn.studies import endings, engine, map_windows, problem, ranges
from jaxnn.studies.data_settings import stem
from jaxnn.studies.endings import PARAMETER
from jaxnn.studies.map_settings import Again, Basins
from jaxnn.studies.map_starts import (
    AXES,
    PIXEL,
    STEP_SIZE,
    X,
    Y,
    like,
    pixels,
    shape,
    starts,
    swept,
    window,
)
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Where
from jaxnn.vocabulary import LOSS_UNIT, MEMBER, NO_UNIT, SCALE, SCHEME

CHECKS = 100
"""Descent may stop at this many places on its way, and its loss is looked at there."""
FOUND = "found_"
"""Before the names of what the search from the end of training found."""
MEMORY = {"momentum": 10.0, "nesterov": 10.0}
"""What a rule multiplies its step size by in the long run: 1 / (1 - 0.9)."""


def default_out(settings: Basins) -> Path:
    """The folder of the store where the user names none."""
    return settings.out or Path("results") / f"basins-{stem(settings.data)}"


def run(settings: Basins, source: Dataset | None = None) -> Path:
    """Compute every chunk of the map that is ours and not in its store yet, and give the store's
    path. The data are those that `problem.read` gave, or else read now.

    Raises:
        ValueError: as `pose`, or a store there that was made otherwise.
    """
    settings = problem.complete(settings)
    posed, path = pose(settings, source), default_out(settings)
    engine.check_call(path, settings)
    engine.open_store(path, manifest(settings, posed), layout(settings, posed))
    task = functools.partial(chunk, replace(settings, **asdict(Where())), posed)
    engine.run(path, task, len(regions(settings)), what=path.name, where=settings)
    return path


def manifest(settings: Basins, posed: Posed) -> dict[str, Any]:
    """All that the numbers follow from, and the check of the gradient on these data."""
    scheme = (settings.schemes or (settings.scheme or "normal",))[0]
    made = problem.manifest(settings, posed, study="basins", scheme=scheme)
    form = problem.training_form(settings, posed)
    return {**made, "machine": {**made["machine"], **form}}


def pose(settings: Basins, source: Dataset | None = None) -> Posed:
    """The problem of resolved settings.

    Raises:
        ValueError: options that do nothing over what is asked for; a window, parameters or numbers
            out of range; attractors of a network too large for its Hessian; as `problem.pose`.
    """
    _check(settings)
    posed = problem.pose(settings, source)
    size = endings.size_of(like(posed))
    if settings.labels == "attractors" and size > minima.MOST_SAMPLED:
        raise ValueError(
            f"the network {'-'.join(map(str, posed.sizes))} has {size} parameters: --labels "
            f"attractors is for up to {minima.MOST_SAMPLED}; give --labels predictions"
        )
    if settings.parameters:
        map_windows.parameter_numbers(settings.parameters, like(posed))
    return posed


MOST_PARAMETERS = 50
"""Of networks whose ends are searched unless asked otherwise: milliseconds each."""


def searched(settings: Basins, posed: Posed) -> bool:
    """Whether the attractor is searched for from every end of training; else ends are told apart by
    their predictions.
    """
    small = endings.size_of(like(posed)) <= MOST_PARAMETERS
    return small if settings.labels is None else settings.labels == "attractors"


APART = {
    "sample": ("scheme", "scale", "parameters", "window", "points", "zoom"),
    "plane": ("schemes", "scales", "step_sizes", "widths", "members"),
    "line": ("schemes", "scales", "step_sizes", "widths", "members"),
}
"""Options that do nothing over a sample, a plane or a line."""


def _check(settings: Basins) -> None:
    ranges.check(settings)  # before the window, whose default follows from the scale
    for name in APART[settings.over]:
        if getattr(settings, name) not in (None, ()):
            raise ValueError(
                f"{ranges.option(name)} does nothing with --over {settings.over}: leave it out"
            )
    axes = len(AXES[settings.over])
    if settings.window is not None:
        map_windows.window_of(settings.window, axes=axes, option="--window")
    if settings.parameters and len(settings.parameters) != axes:
        raise ValueError(
            f"--parameters names {len(settings.parameters)}: a {settings.over} has {axes}"
        )
    if settings.points is not None and settings.points < 2:
        raise ValueError(f"--points is {settings.points}: give at least 2")
    if settings.dynamics == "flow" and settings.batch_size:
        raise ValueError("--dynamics flow is of the loss on all cases: give --steps, no batches")


def _span(settings: Basins) -> tuple[str, int]:
    """The dimension that chunks cut, and how long a piece is."""
    lengths = shape(settings)
    dim = Y if Y in lengths else list(lengths)[-1]
    size = settings.chunk or 1
    return dim, max(1, size // lengths[X]) if dim == Y else min(size, lengths[dim])


@functools.lru_cache(maxsize=4)
def regions(settings: Basins) -> list[results.Region]:
    """Where each chunk lies: rows of a plane, a piece of a line, some members of a cell."""
    lengths, (cut, size) = shape(settings), _span(settings)
    pieces = [(k, min(k + size, lengths[cut])) for k in range(0, lengths[cut], size)]
    if cut == MEMBER:
        cells = itertools.product(*([(k, k + 1) for k in range(lengths[d])]
                                    for d in (SCHEME, SCALE, STEP_SIZE)))  # fmt: skip
        keys = (SCHEME, SCALE, STEP_SIZE, MEMBER)
        return [dict(zip(keys, (*c, p), strict=True)) for c in cells for p in pieces]
    return [{**{dim: (0, length) for dim, length in lengths.items()}, cut: p} for p in pieces]


def chunk(
    settings: Basins, posed: Posed, number: int
) -> tuple[results.Region, dict[str, np.ndarray]]:
    """The region and the arrays of one chunk: a pure function of the resolved settings, their
    problem and the number.
    """
    region = regions(settings)[number]
    with jax.enable_x64(settings.precision == "float64"):
        loss_fn = in_float64(posed.loss_fn) if settings.precision == "float64" else posed.loss_fn
        begun = starts(settings, posed, region)
        run = dynamics_of(settings, posed, region)(loss_fn, begun)
        found = _found(loss_fn, begun, run) if searched(settings, posed) else {}
    block = tuple(last - first for first, last in region.values())
    named = {**_arrays(settings, begun, run), **found}.items()
    return region, {name: array.reshape(*block, *array.shape[1:]) for name, array in named}


def dynamics_of(settings: Basins, posed: Posed, region: results.Region) -> dynamics.Dynamics:
    """How the starts of this region move."""
    size = settings.step_size or 0.0
    if settings.over == "sample":
        size = swept(settings)[2][region[STEP_SIZE][0]]
    if settings.dynamics == "flow":
        time = (settings.steps or 0) * size * MEMORY.get(settings.rule, 1.0)
        return dynamics.gradient_flow(time, gradient=settings.gradient)
    rule = descent.named(settings.rule, size)
    if settings.batch_size:
        return dynamics.minibatches(
            rule, posed.order_key, epochs=settings.epochs or 0, batch_size=settings.batch_size
        )
    steps = settings.steps or 0
    return dynamics.full_batch(
        rule, steps=steps, stop=gradient_below(settings.gradient),
        check_every=steps // CHECKS | 1,
    )  # fmt: skip


def _found(loss_fn: Any, begun: Any, run: Run) -> dict[str, np.ndarray]:
    """What lies where training ended, and how sharp it is there."""
    made = basins.unlabelled(loss_fn, begun, run)
    return {"sharpness": made.sharpness, **endings.arrays(made.found, prefix=FOUND)}


def _arrays(settings: Basins, begun: Any, run: Run) -> dict[str, np.ndarray]:
    """Every array of the runs, starts axis first."""
    end = endings.flat(run.params)
    way = end.astype(np.float64) - endings.flat(begun)
    named = {
        "initial_loss": np.asarray(run.losses)[:, 0],
        "final_loss": np.asarray(run.loss),
        "wavering": wavers(run).astype(np.int32),
        "final_gradient_norm": np.asarray(run.gradient_norm),
        "updates": np.asarray(run.steps),
        "outcome": np.asarray(run.outcome),
        "distance": np.linalg.norm(way, axis=1),
        "end": end,
    }
    if looked_at(settings):
        below = np.asarray(run.losses) <= (settings.level or 0.0)
        every = (settings.steps or 0) // CHECKS | 1
        first = np.where(below.any(axis=1), every * np.argmax(below, axis=1), -1)
        named["reached"] = np.minimum(first, settings.steps or 0)
    return named


def looked_at(settings: Basins) -> bool:
    """Whether the loss is looked at on the way: where training is by descent on all cases."""
    return settings.dynamics == "descent" and not settings.batch_size


def layout(settings: Basins, posed: Posed) -> dict[str, Any]:
    """Dimensions, labels and variables of the store, as `results.create` takes them."""
    lengths, (cut, size) = shape(settings), _span(settings)
    dims, kind = tuple(lengths), settings.precision or "float32"
    apart = {} if looked_at(settings) else {"reached"}
    apart = apart if searched(settings, posed) else {*apart, "sharpness"}
    variables = {
        name: results.Variable(
            dims, {"": kind}.get(dtype, dtype), {"long_name": meaning, "units": units}
        )
        for name, (dtype, units, meaning) in VARIABLES.items()
        if name not in apart
    }
    outcomes = {
        **variables["outcome"].attributes,
        "flag_values": [code.value for code in Outcome],
        "flag_meanings": " ".join(code.name for code in Outcome),
    }
    variables["outcome"] = variables["outcome"]._replace(attributes=outcomes)
    meaning = "weights and biases at the end of training, layer after layer"
    ends = {"long_name": meaning, "units": NO_UNIT}
    variables["end"] = results.Variable((*dims, PARAMETER), kind, ends)
    found = endings.variables(dims, prefix=FOUND) if searched(settings, posed) else {}
    pieces = dict.fromkeys(dims, 1) if settings.over == "sample" else lengths
    return {
        "coordinates": _coordinates(settings),
        "lengths": {**lengths, PARAMETER: endings.size_of(like(posed))},
        "chunks": {**pieces, cut: size},
        "variables": {**variables, **found},
    }


VARIABLES = {
    "initial_loss": ("", LOSS_UNIT, "loss at the initial weights"),
    "final_loss": ("", LOSS_UNIT, "loss where training ended"),
    "wavering": ("int32", NO_UNIT, "1 where the loss was lower in the second half of training"),
    "final_gradient_norm": ("", LOSS_UNIT, "Euclidean norm of the gradient there"),
    "updates": ("int32", NO_UNIT, "updates made, or steps of the flow's solver"),
    "outcome": ("int32", NO_UNIT, "how training ended"),
    "distance": ("float64", NO_UNIT, "Euclidean distance from start to end"),
    "sharpness": ("float64", LOSS_UNIT, "largest eigenvalue of the Hessian where training ended"),
    "reached": (
        "int32",
        NO_UNIT,
        "steps until the loss was seen at the level or below, -1 for never",
    ),
}
"""dtype, "" for that of training, unit and meaning of what a run gives, besides its end."""


def _coordinates(settings: Basins) -> dict[str, Any]:
    if isinstance(settings, Again):
        return {PIXEL: [int(number) for number in pixels(settings)]}
    if settings.over == "sample":
        return dict(zip((SCHEME, SCALE, STEP_SIZE), swept(settings), strict=True))
    axes = map_windows.centres(window(settings), settings.points or 2)
    named = dict(zip(AXES[settings.over], axes, strict=True))
    return {name: named[name].tolist() for name in shape(settings)}
