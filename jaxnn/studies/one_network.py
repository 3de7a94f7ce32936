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
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Train

RECORDS = 100


def run(settings: Train) -> str:
    """Train one network, draw its learning curve, and give the report: losses and the confusion
    table.

    Raises:
        ValueError: a folder that holds something else; as `problem.pose`.
    """
    settings = problem.complete(settings)
    posed = problem.pose(settings)
    folder = settings.out or Path("results") / f"train-{Path(settings.data).stem}"
    results.refuse_foreign(folder, ours=("learning-curve.*", "report.html"))
    params = network.init(posed.init_key, posed.sizes, scheme=settings.scheme, scale=settings.scale)
    length = (settings.epochs if settings.batch_size else settings.steps) or 0
    every = max(1, -(-length // RECORDS))
    done = jax.jit(lambda start: _trained(settings, posed, start, length, every))(params)
    unit = "epoch" if settings.batch_size else "step"
    made, axes = plots.figure()
    plots.learning_curve(
        axes[0, 0], np.arange(len(done.losses)) * every, np.asarray(done.losses), xlabel=unit
    )
    files = plots.save(made, folder / "learning-curve")
    return "\n".join([*_report(posed, params, done), *(f"wrote {file}" for file in files)])


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


def _report(posed: Posed, start: Any, done: Run) -> list[str]:
    sizes = "-".join(str(size) for size in posed.sizes)
    lines = [
        f"{posed.source.name}: {posed.source.note}",
        f"network {sizes}, {', '.join(posed.activation)}; {len(posed.train.inputs)} training cases",
        f"loss {float(done.losses[0]):.5g} -> {float(done.loss):.5g} in {int(done.steps)} "
        f"updates, {Outcome(int(done.outcome)).name}; |gradient| {float(done.gradient_norm):.3g}",
    ]
    for name, batch in (("training", posed.train), ("test", posed.test)):
        if batch is None:
            continue
        if name == "test":
            test_loss = losses.loss(done.params, batch, activation=posed.activation)
            lines.append(f"loss on {len(batch.inputs)} test cases {float(test_loss):.5g}")
        if posed.classifies:
            share = losses.accuracy(done.params, batch, activation=posed.activation)
            lines.append(f"{float(share):.1%} of {len(batch.inputs)} {name} cases right")
    if posed.classifies:
        shown = ("test", posed.test) if posed.test is not None else ("training", posed.train)
        lines += _confusion(posed, done.params, *shown)
    del start
    return lines


def _confusion(posed: Posed, params: Any, name: str, batch: Any) -> list[str]:
    """A row for each true class, a column for each class that the network says."""
    outputs = losses.outputs_for(params, batch.inputs, activation=posed.activation)
    middle = 0.5 * float(np.min(batch.targets) + np.max(batch.targets))
    said, true = (_labels(np.asarray(part), middle) for part in (outputs, batch.targets))
    classes = posed.source.classes
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (true, said), 1)
    width = max(6, *(len(label) + 2 for label in classes))
    return [
        f"{name} cases: true class in rows, the network's in columns",
        " " * width + "".join(f"{label:>{width}}" for label in classes),
        *(
            f"{label:>{width}}" + "".join(f"{count:>{width}}" for count in row)
            for label, row in zip(classes, counts, strict=True)
        ),
    ]


def _labels(columns: np.ndarray, middle: float) -> np.ndarray:
    """The class that each row says: the side of the middle its one number is on, or the largest."""
    return (columns[:, 0] > middle).astype(int) if columns.shape[1] == 1 else columns.argmax(axis=1)
