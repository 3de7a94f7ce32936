"""All stationary points of a small network: the store of `jaxnn census`, chunk by chunk."""

from __future__ import annotations

import functools
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnn import ensembles, results
from jaxnn.data import Dataset
from jaxnn.landscape import minima
from jaxnn.stopping import gradient_below
from jaxnn.studies import endings, engine, problem
from jaxnn.studies.data_settings import stem
from jaxnn.studies.endings import PARAMETER
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Census, Where
from jaxnn.vocabulary import SEARCH

CHECKS = 20
"""Training may stop at this many places on its way."""


def default_out(settings: Census) -> Path:
    """The folder of the store where the user names none."""
    return settings.out or Path("results") / f"census-{stem(settings.data)}"


def run(settings: Census, source: Dataset | None = None) -> Path:
    """Make every search of the census that is ours and not in its store yet, and give the store's
    path. The data are those that `problem.read` gave, or else read now.

    Raises:
        ValueError: as `pose`, or a store there that was made otherwise.
    """
    settings = problem.complete(settings)
    posed, path = pose(settings, source), default_out(settings)
    engine.check_call(path, settings)
    manifest = problem.manifest(settings, posed, study="census", scheme=settings.scheme)
    engine.open_store(path, manifest, layout(settings, posed))
    task = functools.partial(chunk, replace(settings, **asdict(Where())), posed)
    engine.run(path, task, chunks(settings), what=posed.source.name, where=settings)
    return path


def pose(settings: Census, source: Dataset | None = None) -> Posed:
    """The problem of resolved settings.

    Raises:
        ValueError: training by mini-batches; a network too large for its Hessian, or, unless
            `sampled`, for all its stationary points; a chunk that four kinds of search do not
            divide; as `problem.pose`.
    """
    if settings.batch_size:
        raise ValueError(
            "a census is of the loss on all cases: give --steps, not --batch-size or --epochs"
        )
    if (settings.chunk or 0) % len(minima.KINDS):
        raise ValueError(
            f"--chunk is {settings.chunk}: give a multiple of {len(minima.KINDS)}, the kinds of "
            "search that take turns"
        )
    posed = problem.pose(settings, source)
    size = endings.size_of(like(settings, posed))
    most = minima.MOST_SAMPLED if settings.sampled else minima.MOST_PARAMETERS
    if size > most:
        offer = "" if settings.sampled else "; --sampled counts what training and descent find, "
        bound = "" if settings.sampled else f"for up to {minima.MOST_SAMPLED}"
        raise ValueError(
            f"the network {'-'.join(map(str, posed.sizes))} has {size} parameters: this census is "
            f"for up to {most}{offer}{bound}"
        )
    return posed


def like(settings: Census, posed: Posed) -> Any:
    """Shapes and dtypes of one network."""
    return endings.shapes_of(functools.partial(_starts, settings, posed, 0, 1))


def _starts(settings: Census, posed: Posed, first: int, count: int, scale: float = 1.0) -> Any:
    layers = len(posed.sizes) - 1
    return ensembles.init(
        posed.init_key, posed.sizes, members=count, first=first, scheme=settings.scheme,
        scale=scale, biases=(True,) * (layers - 1) + (settings.output_biases,),
    )  # fmt: skip


def chunks(settings: Census) -> int:
    """How many chunks the census has."""
    return -(-settings.starts // (settings.chunk or 1))


def scale_of(settings: Census, numbers: np.ndarray) -> np.ndarray:
    """The scale of the initial weights of these searches: in turn, each for all kinds."""
    return np.asarray(settings.scales)[numbers // len(minima.KINDS) % len(settings.scales)]


def chunk(
    settings: Census, posed: Posed, number: int
) -> tuple[results.Region, dict[str, np.ndarray]]:
    """The region and the arrays of one chunk: a pure function of the resolved settings, their
    problem and the number.
    """
    size = settings.chunk or 1
    first, last = number * size, min((number + 1) * size, settings.starts)
    drawn = [
        jax.tree.map(np.asarray, _starts(settings, posed, first, last - first, scale))
        for scale in settings.scales
    ]
    scales = scale_of(settings, np.arange(first, last))
    starts = jax.tree.map(lambda *leaves: _chosen(settings.scales, scales, leaves), *drawn)
    trained = minima.kinds_of(last - first, sampled=settings.sampled) == 0
    starts = _trained(settings, posed, starts, trained)
    if settings.sampled:
        found = minima.polish_all(posed.loss_fn, starts, steps=settings.search_steps)
    else:
        found = minima.searched(posed.loss_fn, starts, steps=settings.search_steps)
    return {SEARCH: (first, last)}, endings.arrays(found)


def _chosen(names: tuple[float, ...], scales: np.ndarray, leaves: tuple) -> np.ndarray:
    """From the draws at each scale, that of each search."""
    result = np.array(leaves[0])
    for name, leaf in zip(names, leaves, strict=True):
        result[scales == name] = leaf[scales == name]
    return result


def _trained(settings: Census, posed: Posed, starts: Any, which: np.ndarray) -> Any:
    """The starts, with these ones (a mask) where training leaves them."""
    run = ensembles.train_until(
        posed.loss_fn,
        jax.tree.map(lambda leaf: leaf[which], starts),
        posed.rule,
        stop=gradient_below(1e-6),
        max_steps=settings.steps or 0,
        check_every=max(1, (settings.steps or 0) // CHECKS),
    )

    def put(leaf: np.ndarray, end: Any) -> np.ndarray:
        result = np.array(leaf)
        result[which] = np.asarray(end)
        return result

    return jax.tree.map(put, starts, run.params)


def layout(settings: Census, posed: Posed) -> dict[str, Any]:
    """Dimensions, labels and variables of the store, as `results.create` takes them."""
    size = endings.size_of(like(settings, posed))
    return {
        "coordinates": {},
        "lengths": {SEARCH: settings.starts, PARAMETER: size},
        "chunks": {SEARCH: settings.chunk or 1},
        "variables": endings.variables((SEARCH,)),
    }
