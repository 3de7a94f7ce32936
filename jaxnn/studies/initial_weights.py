"""From which initial weights does training find what? The store of `jaxnn study`, chunk by
chunk.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnn import ensembles, results
from jaxnn.data import Dataset
from jaxnn.devices import Placed, collect, place, side_by_side, spread
from jaxnn.losses import accuracy, loss
from jaxnn.runs import Run
from jaxnn.stopping import gradient_below
from jaxnn.studies import engine, problem
from jaxnn.studies.bounds import RECORDS
from jaxnn.studies.data_settings import stem
from jaxnn.studies.problem import Posed
from jaxnn.studies.progress import is_watched, say
from jaxnn.studies.reports import in_words
from jaxnn.studies.schema import layout
from jaxnn.studies.settings import Study, Where
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME, Batch


def default_out(settings: Study) -> Path:
    """The folder of the store where the user names none."""
    return settings.out or Path("results") / f"study-{stem(settings.data)}"


def run(settings: Study, source: Dataset | None = None) -> Path:
    """Train every network of the study that is ours and not in its store yet, and give the store's
    path. The data are those that `problem.read` gave, or else read now.

    Raises:
        ValueError: as `problem.pose`, or a store there that was made otherwise.
    """
    settings = problem.complete(settings)
    posed, path = problem.pose(settings, source), default_out(settings)
    engine.check_call(path, settings)
    engine.open_store(path, manifest(settings, posed), layout(settings, posed, records(settings)))
    count = chunks(settings)
    alone = engine.share_of(settings)[1] == 1 and settings.engine == "local"
    if alone and len(results.finished(path)) < count and is_watched():
        say(estimate(settings, posed))
    pure = replace(settings, **asdict(Where()))  # what a chunk depends on
    task = functools.partial(chunk, pure, posed)
    engine.run(path, task, count, what=posed.source.name, where=settings)
    return path


def manifest(settings: Study, posed: Posed) -> dict[str, Any]:
    """All that the study's numbers follow from, and the check of its gradients on its own data."""
    made = problem.manifest(settings, posed, study="initial weights", scheme=settings.schemes[0])
    return {**made, "machine": {**made["machine"], **problem.training_form(settings, posed)}}


def _record_every(settings: Study) -> int:
    """Steps, or epochs, between records: by default the whole study has about RECORDS of them."""
    length = (settings.epochs if settings.batch_size else settings.steps) or 0
    return settings.record_every or max(1, -(-length // RECORDS))


def records(settings: Study) -> np.ndarray:
    """The steps (full batch) or epochs (mini-batches) at which the loss is written down,
    (records,).
    """
    length = (settings.epochs if settings.batch_size else settings.steps) or 0
    every = _record_every(settings)
    return np.arange(length // every + 1) * every


def _blocks(settings: Study) -> int:
    members, size = settings.members or 1, settings.chunk or 1
    return -(-members // size)


def chunks(settings: Study) -> int:
    """How many chunks the study has: every scheme and scale, cut into blocks of members."""
    return len(settings.schemes) * len(settings.scales) * _blocks(settings)


def _region(settings: Study, number: int) -> results.Region:
    cell, block = divmod(number, _blocks(settings))
    scheme, scale = divmod(cell, len(settings.scales))
    size, members = settings.chunk or 1, settings.members or 1
    span = (block * size, min((block + 1) * size, members))
    return {SCHEME: (scheme, scheme + 1), SCALE: (scale, scale + 1), MEMBER: span}


def chunk(
    settings: Study, posed: Posed, number: int
) -> tuple[results.Region, dict[str, np.ndarray]]:
    """The region and the arrays of one chunk: a pure function of the resolved settings, their
    problem and the number.

    Member i starts from the same unit draws at every scheme of one kind and every scale, so that
    the columns of the study are paired.
    """
    region = _region(settings, number)
    first, last = region[MEMBER]
    starts = ensembles.init(
        posed.init_key,
        posed.sizes,
        members=last - first,
        first=first,
        scheme=settings.schemes[region[SCHEME][0]],
        scale=settings.scales[region[SCALE][0]],
    )
    run = _train(settings, posed, starts, first)
    arrays = _arrays(posed, starts, run)
    return region, {name: np.asarray(values)[None, None] for name, values in arrays.items()}


def _train(settings: Study, posed: Posed, starts: Any, first: int) -> Run:
    every = _record_every(settings)
    if settings.batch_size:
        members = jnp.arange(first, first + len(starts[0].weights))
        return ensembles.train_minibatch(
            posed.loss_fn,
            starts,
            posed.rule,
            jax.vmap(functools.partial(jax.random.fold_in, posed.order_key))(members),
            epochs=settings.epochs or 0,
            batch_size=settings.batch_size,
            record_every=every,
        )
    return ensembles.train_until(
        posed.loss_fn,
        starts,
        posed.rule,
        stop=gradient_below(settings.gradient),
        max_steps=settings.steps or 0,
        check_every=every,
    )


def trial_of(settings: Study, posed: Posed) -> tuple[Callable[[], Run], float, int]:
    """A trial of one chunk to be timed: 20 steps, or one epoch on at most 1000 cases; how many
    times as long the whole of its training is; and how many networks it has.
    """
    if settings.batch_size:
        train = posed.train
        cases = min(len(posed.train.inputs), max(1000, settings.batch_size))
        part = Batch(*(array[:cases] for array in posed.train))
        posed = replace(posed, loss_fn=replace(posed.loss_fn, batch=part))
        trial = replace(settings, epochs=1)
        whole = (settings.epochs or 0) * len(train.inputs) / cases
    else:
        trial, whole = replace(settings, steps=20), (settings.steps or 0) / 20
    count = min(settings.chunk or 1, settings.members or 1)
    starts = ensembles.init(posed.init_key, posed.sizes, members=count)
    return functools.partial(_train, trial, posed, starts, 0), whole, count


def estimate(settings: Study, posed: Posed) -> str:
    """A line on how much there is to do and about how long it takes, from a trial of one chunk,
    timed after it has compiled.
    """
    networks = len(settings.schemes) * len(settings.scales) * (settings.members or 1)
    by_batch = bool(settings.batch_size)
    work = f"{settings.epochs} epochs" if by_batch else f"at most {settings.steps} steps"
    trial, whole, count = trial_of(settings, posed)
    jax.block_until_ready(trial())
    before = time.perf_counter()
    jax.block_until_ready(trial())
    seconds = (time.perf_counter() - before) * networks / count * whole
    return (
        f"{networks} networks {'-'.join(map(str, posed.sizes))} on "
        f"{len(posed.loss_fn.batch.inputs)} cases, {work} each: about {in_words(seconds)} of "
        f"training on {jax.local_device_count()} {problem.machine()['platform']}"
    )


def _arrays(posed: Posed, starts: Any, run: Run) -> dict[str, Any]:
    """Every array of the chunk, members axis first."""
    measured = _measure(posed, starts, run.params)
    if not posed.classifies:
        measured = {n: v for n, v in measured.items() if not n.endswith("accuracy")}
    weights = {
        name: leaf
        for when, params in (("initial", starts), ("final", run.params))
        for name, leaf in _named_leaves(when, params)
    }
    return {
        "initial_loss": run.losses[:, 0],
        "final_loss": run.loss,
        "gradient_norm": run.gradient_norm,
        "steps": run.steps,
        "outcome": run.outcome,
        "losses": run.losses,
        **measured,
        **weights,
    }


def _named_leaves(when: str, params: Any) -> list[tuple[str, Any]]:
    return [
        (f"{when}_{kind}_{number}", leaf)
        for number, layer in enumerate(params, start=1)
        for kind, leaf in zip(("weights", "biases"), layer, strict=True)
    ]


def _measure(posed: Posed, starts: Any, ends: Any) -> dict[str, Any]:
    """Accuracy and test loss of each end, and the Euclidean distance from start to end."""
    cases = max(len(batch.inputs) for batch in (posed.train, posed.test) if batch is not None)
    tile = side_by_side("matrices", cases * sum(posed.sizes[1:]))
    pairs = place((starts, ends), tile)
    measured = _measured(pairs, posed.train, posed.test, activation=posed.activation)
    return collect(measured, len(starts[0].weights), tile)


@functools.partial(jax.jit, static_argnames="activation")
def _measured(pairs: Placed, train: Any, test: Any, *, activation: Any) -> dict[str, Any]:
    def one(pair: tuple[Any, Any]) -> dict[str, Any]:
        start, end = pair
        measured = {
            "distance": optax.tree.norm(optax.tree.sub(end, start)),
            "train_accuracy": accuracy(end, train, activation=activation),
        }
        if test is not None:
            measured["test_accuracy"] = accuracy(end, test, activation=activation)
            measured["test_loss"] = loss(end, test, activation=activation)
        return measured

    return spread(jax.vmap(one), pairs)
