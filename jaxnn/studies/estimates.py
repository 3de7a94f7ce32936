"""What a command would cost, measured on a piece of one chunk; nothing is written."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnn import results
from jaxnn.data import Dataset
from jaxnn.landscape import basins
from jaxnn.landscape.many import in_float64
from jaxnn.memory import in_bytes, peak
from jaxnn.studies import (
    basin_maps,
    border_measures,
    engine,
    initial_weights,
    map_variants,
    problem,
    schema,
    stationary_points,
)
from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.map_starts import shape, starts
from jaxnn.studies.reports import Report, in_words
from jaxnn.studies.settings import Census, Problem, Study, as_json

PIECE = 128
"""Starts of the piece that is measured of a map or a census; of a study, a chunk for 20 steps."""
STEPS = 200
"""At most so many steps of the piece of a map; the others cost as much each."""
CHANGE = 32 * 12 + 4 * 15 * 256
"""Trainings of a search for the smallest change, about, as `landscape.changes` counts them."""


@dataclass(frozen=True)
class Cost:
    """What one store costs: networks and chunks in all, chunks that are there, bytes of its arrays
    before they are compressed, and about how long what is missing takes, in seconds.
    """

    path: Path
    networks: int
    chunks: int
    done: int
    bytes: int
    seconds: float


def cost(settings: Problem) -> Report:
    """How many networks, chunks and bytes, how much memory and about how long; measured after the
    piece has compiled, in a time of its own.

    Raises:
        ValueError: as the command itself would for these settings.
    """
    settings = problem.complete(settings)
    compiled = list[float]()
    ways: list[tuple[type, Callable[..., list[Cost]]]] = [
        (Study, _study), (Census, _census), (Sensitivity, _sensitivity), (Basins, _basins),
    ]  # fmt: skip
    way = next(way for kind, way in ways if isinstance(settings, kind))
    costs = way(settings, problem.read(settings), compiled)
    chunk = max(cost.bytes / max(1, cost.chunks) for cost in costs)
    memory = peak() + 2 * chunk  # a chunk's arrays, and once more while they are written
    seconds = sum(cost.seconds for cost in costs)
    where = f"{jax.local_device_count()} {problem.machine()['platform']}"
    width = max(len(str(cost.path)) for cost in costs) + 2
    lines = [
        "dry run: nothing is written",
        f"{'store':{width}}{'networks':>10}{'chunks':>8}{'done':>6}{'on disk, at most':>19}"
        f"{'about':>10}",
        *(
            f"{cost.path!s:{width}}{cost.networks:>10} {cost.chunks:>7} {cost.done:>5}"
            f" {in_bytes(cost.bytes):>18} {in_words(cost.seconds):>9}"
            for cost in costs
        ),
        f"in all about {in_words(seconds)} on {where}, without what is compiled "
        f"({in_words(sum(compiled))} for the piece measured), and gathered and drawn at the end",
        f"memory about {in_bytes(memory)}: the peak while the piece ran, and a chunk's arrays",
    ]
    found = {
        "stores": costs,
        "networks": sum(cost.networks for cost in costs),
        "bytes": sum(cost.bytes for cost in costs),
        "memory_bytes": memory,
        "seconds": seconds,
        "compile_seconds": sum(compiled),
        "device": where,
    }
    return Report("\n".join(lines), found, settings=as_json(settings))


def _cost(
    path: Path, networks: int, chunks: int, layout: Mapping[str, Any], seconds: float
) -> Cost:
    """The cost of a store of this layout whose every chunk takes as long."""
    done = 0 if results.read_manifest(path, to_write=True) is None else len(results.finished(path))
    left = seconds * (1 - min(1.0, done / chunks))
    return Cost(path, networks, chunks, done, _bytes(layout), left)


def _bytes(layout: Mapping[str, Any]) -> int:
    lengths = layout["lengths"]
    return sum(
        np.dtype(variable.dtype).itemsize * math.prod(lengths[dim] for dim in variable.dims)
        for variable in layout["variables"].values()
    )


def _timed(work: Callable[[], Any], compiled: list[float]) -> tuple[Any, float]:
    """What the work gives, and the seconds of its second run; those of the first, which compiles,
    beyond that go to `compiled`.
    """
    took = []
    for _ in range(2):
        began = time.perf_counter()
        made = jax.block_until_ready(work())
        took.append(time.perf_counter() - began)
    compiled.append(max(0.0, took[0] - took[1]))
    return made, took[1]


def _study(settings: Study, source: Dataset, compiled: list[float]) -> list[Cost]:
    posed, path = problem.pose(settings, source), initial_weights.default_out(settings)
    if results.read_manifest(path, to_write=True) is not None:
        engine.check_store(path, initial_weights.manifest(settings, posed))
    trial, share, count = initial_weights.trial_of(settings, posed)
    _, took = _timed(trial, compiled)
    networks = len(settings.schemes) * len(settings.scales) * (settings.members or 1)
    layout = schema.layout(settings, posed, initial_weights.records(settings))
    chunks, seconds = initial_weights.chunks(settings), took * share * networks / count
    return [_cost(path, networks, chunks, layout, seconds)]


def _census(settings: Census, source: Dataset, compiled: list[float]) -> list[Cost]:
    posed, path = stationary_points.pose(settings, source), stationary_points.default_out(settings)
    count = min(PIECE, settings.chunk or 1, settings.starts)
    piece = replace(settings, starts=count, chunk=max(4, count - count % 4))
    _, took = _timed(lambda: stationary_points.chunk(piece, posed, 0)[1], compiled)
    chunks, layout = stationary_points.chunks(settings), stationary_points.layout(settings, posed)
    return [_cost(path, settings.starts, chunks, layout, took * settings.starts / count)]


def _basins(settings: Basins, source: Dataset, compiled: list[float]) -> list[Cost]:
    costs = []
    for one in map_variants.by_width(settings, source):
        parts = map_variants.variants(one, source)
        each = _each(parts[0], source, compiled)
        rounds = max(1, _rounds(parts[0]))
        costs += [_map(part, source, _rounds(part) / rounds, each) for part in parts]
    return costs


def _rounds(settings: Basins) -> int:
    return (settings.epochs if settings.batch_size else settings.steps) or 1


def _map(part: Basins, source: Dataset, longer: float, each: tuple[float, float]) -> Cost:
    """The cost of a map whose starts take this much longer to train than those measured."""
    posed, path = basin_maps.pose(part, source), basin_maps.default_out(part)
    networks, (train, search) = math.prod(shape(part).values()), each
    seconds = networks * (train * longer + search)
    layout = basin_maps.layout(part, posed)
    return _cost(path, networks, len(basin_maps.regions(part)), layout, seconds)


def _each(settings: Basins, source: Dataset, compiled: list[float]) -> tuple[float, float]:
    """Seconds that a start takes to be trained, and to be searched from where that ended."""
    short = {"epochs": 1} if settings.batch_size else {"steps": min(STEPS, settings.steps or 1)}
    piece = replace(settings, chunk=min(PIECE, settings.chunk or 1), **short)
    regions, posed = basin_maps.regions(piece), basin_maps.pose(piece, source)
    region, double = regions[len(regions) // 2], settings.precision == "float64"
    with jax.enable_x64(double):
        loss_fn = in_float64(posed.loss_fn) if double else posed.loss_fn
        begun = starts(piece, posed, region)
        move, search = basin_maps.dynamics_of(piece, posed, region), 0.0
        run, train = _timed(lambda: move(loss_fn, begun), compiled)
        if basin_maps.searched(piece, posed):
            _, search = _timed(lambda: basins.searched(loss_fn, run), compiled)
    count = math.prod(last - first for first, last in region.values())
    return train / count * _rounds(settings) / _rounds(piece), search / count


def _sensitivity(settings: Sensitivity, source: Dataset, compiled: list[float]) -> list[Cost]:
    whole, measured = border_measures.parts(settings, source)
    each = _each(whole, source, compiled)
    costs = [_map(whole, source, 1.0, each)]
    for kind, part in measured.items():
        made = _map(part, source, 1.0, each)
        if kind == border_measures.CHANGES:
            made = replace(made, seconds=made.seconds * CHANGE, networks=made.networks * CHANGE)
        elif kind == border_measures.LYAPUNOV:
            one = replace(part, chunk=1, steps=min(STEPS, part.steps or 1))
            posed = basin_maps.pose(one, source)
            work = functools.partial(border_measures.exponents_of, one, posed, 0)
            _, took = _timed(lambda: work()[1], compiled)  # noqa: B023
            seconds = took * len(basin_maps.regions(part)) * _rounds(part) / _rounds(one)
            made = replace(made, seconds=seconds)
        costs.append(made)
    return costs
