"""Train one network and show how it went: `jaxnn train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnn import backpropagation, losses, network, plots, results, training
from jaxnn.runs import Run
from jaxnn.stopping import Outcome, gradient_below
from jaxnn.studies import problem
from jaxnn.studies.data_settings import stem
from jaxnn.studies.problem import Posed
from jaxnn.studies.progress import timed
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.settings import Train, as_json
from jaxnn.text import shortened, told_apart

RECORDS = 100
LETTERS = 24
"""Of a class's name in the table."""


def run(settings: Train) -> Report:
    """Train one network, draw its learning curve, and give the report: losses and the confusion
    table.

    Raises:
        ValueError: a folder that holds something else; as `problem.pose`.
    """
    settings = problem.complete(settings)
    posed = problem.pose(settings)
    folder = settings.out or Path("results") / f"train-{stem(settings.data)}"
    results.refuse_foreign(folder, ours=("learning-curve.*",))
    params = network.init(posed.init_key, posed.sizes, scheme=settings.scheme, scale=settings.scale)
    length = (settings.epochs if settings.batch_size else settings.steps) or 0
    every = max(1, -(-length // RECORDS))
    with timed("train"):
        done = jax.jit(lambda start: _trained(settings, posed, start, length, every))(params)
        jax.block_until_ready(done)
    unit = "epoch" if settings.batch_size else "step"
    made, axes = plots.figure()
    plots.learning_curve(
        axes[0, 0], np.arange(len(done.losses)) * every, np.asarray(done.losses), xlabel=unit
    )
    files = plots.save(made, folder / "learning-curve")
    said = together(*_report(posed, done))
    curve = {"every": every, "losses": done.losses}
    found = {**said.values, "curve": curve}
    return Report("\n".join(said.lines), found, files, settings=as_json(settings))


def _trained(settings: Train, posed: Posed, params: Any, length: int, every: int) -> Run:
    options: dict[str, Any] = {"activation": posed.activation, "l2": float(settings.l2)}
    if settings.batch_size:
        return training.train_minibatch(
            lambda p, batch: losses.loss(p, batch, **options),
            params,
            posed.train,
            posed.rule,
            posed.order_key,
            epochs=length,
            batch_size=settings.batch_size,
            record_every=every,
            gradient=lambda p, batch: backpropagation.backprop(p, batch, **options),
        )
    return training.train_until(
        posed.loss_fn,
        params,
        posed.rule,
        stop=gradient_below(1e-6),
        max_steps=length,
        check_every=every,
        value_and_gradient=lambda p: backpropagation.loss_and_backprop(p, posed.train, **options),
    )


def _report(posed: Posed, done: Run) -> list[Part]:
    sizes = "-".join(str(size) for size in posed.sizes)
    ended = {
        "network": posed.sizes,
        "initial_loss": float(done.losses[0]),
        "final_loss": float(done.loss),
        "updates": int(done.steps),
        "outcome": Outcome(int(done.outcome)).name,
        "gradient_norm": float(done.gradient_norm),
    }
    head = [
        f"{posed.source.name}: {posed.source.note}",
        f"network {sizes}, {', '.join(posed.activation)}; {len(posed.train.inputs)} training cases",
        f"loss {ended['initial_loss']:.5g} -> {ended['final_loss']:.5g} in {ended['updates']} "
        f"updates, {ended['outcome']}; |gradient| {ended['gradient_norm']:.3g}",
    ]
    parts = [Part(head, ended)]
    for name, batch in (("training", posed.train), ("test", posed.test)):
        if batch is None:
            continue
        if name == "test":
            test_loss = float(losses.loss(done.params, batch, activation=posed.activation))
            line = f"loss on {len(batch.inputs)} test cases {test_loss:.5g}"
            parts.append(Part([line], {"test_loss": test_loss}))
        if posed.classifies:
            share = float(losses.accuracy(done.params, batch, activation=posed.activation))
            line = f"{share:.1%} of {len(batch.inputs)} {name} cases right"
            parts.append(Part([line], {f"{name}_accuracy": share}))
    if posed.classifies:
        shown = ("test", posed.test) if posed.test is not None else ("training", posed.train)
        parts.append(_confusion(posed, done.params, *shown))
    return parts


def _confusion(posed: Posed, params: Any, name: str, batch: Any) -> Part:
    """A row for each true class, a column for each class that the network says."""
    outputs = losses.outputs_for(params, batch.inputs, activation=posed.activation)
    middle = 0.5 * float(np.min(batch.targets) + np.max(batch.targets))
    said, true = (_labels(np.asarray(part), middle) for part in (outputs, batch.targets))
    classes = told_apart([shortened(name, LETTERS) for name in posed.source.classes])
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (true, said), 1)
    width = max(6, *(len(label) + 2 for label in classes))
    lines = [
        f"{name} cases: true class in rows, the network's in columns",
        " " * width + "".join(f"{label:>{width}}" for label in classes),
        *(
            f"{label:>{width}}" + "".join(f"{count:>{width}}" for count in row)
            for label, row in zip(classes, counts, strict=True)
        ),
    ]
    return Part(lines, {"confusion": {"cases": name, "classes": classes, "counts": counts}})


def _labels(columns: np.ndarray, middle: float) -> np.ndarray:
    """The class that each row says: the side of the middle its one number is on, or the largest."""
    return (columns[:, 0] > middle).astype(int) if columns.shape[1] == 1 else columns.argmax(axis=1)
