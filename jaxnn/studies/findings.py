"""What a finished study of initial weights says: its table, its one sentence and its pictures, from
the store alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxnn import plots
from jaxnn.intervals import Share, wilson
from jaxnn.landscape import directions, slices
from jaxnn.stopping import Outcome
from jaxnn.studies.members import params_of
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import SCALE, SCHEME

DRAWN_CASES = 2000
"""A slice is the loss on at most this many of the training cases, and says so."""
MEDIAN_OF = {"test_accuracy": "test accuracy", "train_accuracy": "accuracy"}
MOST_NAMED = 7
"""Schemes and scales that a sentence names."""
ENDED = {
    Outcome.converged: "the gradient's norm fell below --gradient",
    Outcome.plateau: "so it did, but at no minimum: saturated, or flat",
    Outcome.unfinished: "the steps ran out before the gradient's norm fell below --gradient",
    Outcome.diverged: "the loss became infinite or no number",
}
"""What is said of each outcome under a table."""


def shares(dataset: Any, level: float) -> np.ndarray:
    """Networks whose final loss is at most the level: (schemes, scales, 3), share and Wilson
    interval.

    A network that diverged has not reached the level, whatever it passed on the way.
    """
    found = (dataset.final_loss <= level) & (dataset.outcome != Outcome.diverged)
    trials = found.shape[-1]
    return np.array([[wilson(int(cell.sum()), trials) for cell in row] for row in found.values])


def rows(dataset: Any, level: float) -> list[dict[str, Any]]:
    """What each scheme and scale came to, by name: losses per case, quantiles over the members; the
    share that reached the level, a `Share`; how training ended; accuracy where there is one.
    """
    scored = score_of(dataset)
    reached, found = shares(dataset, level), []
    for i, scheme in enumerate(dataset[SCHEME].values):
        for j, scale in enumerate(dataset[SCALE].values):
            cell = dataset.isel({SCHEME: i, SCALE: j})
            quantiles = np.quantile(_finite(cell.final_loss), [0.05, 0.5, 0.95])
            row = {
                "scheme": str(scheme),
                "scale": float(scale),
                "networks": cell.final_loss.size,
                "initial_loss": float(np.median(_finite(cell.initial_loss))),
                "final_loss": dict(zip(("low", "median", "high"), quantiles, strict=True)),
                "reached": Share(*map(float, reached[i, j])),
                "outcomes": {code.name: int((cell.outcome == code).sum()) for code in Outcome},
            }
            score = {scored: float(cell[scored].median())} if scored else {}
            found.append({**row, **score})
    return found


def score_of(dataset: Any) -> str:
    """The accuracy that a study is judged by, empty where its targets are numbers."""
    names = ("test_accuracy", "train_accuracy")
    return next((name for name in names if name in dataset), "")


def table(dataset: Any, level: float) -> str:
    """One line for each scheme and scale, of `rows`; then what its words for outcomes mean."""
    scored, found = score_of(dataset), rows(dataset, level)
    ended = {code: sum(row["outcomes"][code.name] for row in found) for code in Outcome}
    seen = [code for code in Outcome if ended[code]]
    counted = seen if len(seen) > 1 else []  # of one outcome a line says all
    head = f"{'scheme':16}{'scale':>6}{'initial loss':>14}{'final loss: median':>20} [5 %, 95 %]"
    lines = [
        f"{head:<71}{f'<= {level:g}, 95 % interval':>25}"
        + (f"{f'median {MEDIAN_OF[scored]}':>22}" if scored else "")
        + "".join(f"{code.name:>12}" for code in counted)
    ]
    for row in found:
        final = row["final_loss"]
        losses = f"{final['median']:>20.4g} [{final['low']:.4g}, {final['high']:.4g}]"
        start = f"{row['scheme']:16}{row['scale']:>6g}{row['initial_loss']:>14.3g}{losses}"
        score = f"{row[scored]:>22.1%}" if scored else ""
        lines.append(
            f"{start:<71}{_percent(row['reached']):>25}{score}"
            + "".join(f"{row['outcomes'][code.name]:>12}" for code in counted)
        )
    said = "; ".join(f"{code.name}: {ENDED[code]}" for code in seen)
    every = "" if counted else f"all {sum(ended.values())} networks ended "
    return "\n".join([*lines, f"{every}{said}"])


def _finite(values: Any) -> np.ndarray:
    kept = np.asarray(values)[np.isfinite(values)]
    return kept if len(kept) else np.array([np.nan])


def finding(dataset: Any, level: float, *, name: str) -> str:
    """The study in one sentence: where training succeeds most and least often, with intervals; of
    one scheme and scale how often; where all succeed alike, the order of their median losses.
    """
    reached = shares(dataset, level)
    share = reached[..., 0]
    if share.size == 1:
        return (
            f"On {name}, training reaches a loss of {level:g} from "
            f"{_percent(Share(*reached[0, 0]))} of the initial weights drawn from "
            f"{_cell_name(dataset, 0, 0)}; the median final loss is {_medians(dataset)[0, 0]:.3g}."
        )
    if share.min() == share.max():
        return f"On {name}, {_alike(dataset, level, Share(*reached[0, 0]))}"
    # among the most successful the first with the lowest median loss, among the least the highest
    median = _medians(dataset)
    best = np.unravel_index(np.lexsort((median.ravel(), -share.ravel()))[0], share.shape)
    worst = np.unravel_index(np.lexsort((-median.ravel(), share.ravel()))[0], share.shape)
    high, low = Share(*reached[best]), Share(*reached[worst])
    alike = int((share == share.max()).sum()) - 1
    also = f" (and from {alike} more of the {share.size} starts compared)" if alike else ""
    apart = (
        "the intervals do not overlap: where training starts decides"
        if high.low > low.high
        else "the intervals overlap: this sample does not show that the start decides"
    )
    return (
        f"On {name}, training reaches a loss of {level:g} from {_percent(high)} of the initial "
        f"weights drawn from {_cell_name(dataset, *best)}{also}, but from {_percent(low)} drawn "
        f"from {_cell_name(dataset, *worst)}; {apart}."
    )


def _medians(dataset: Any) -> np.ndarray:
    """The median final loss of each cell, infinite where most of its networks have none."""
    return np.median(np.nan_to_num(dataset.final_loss.values, nan=np.inf), axis=-1)


def _alike(dataset: Any, level: float, share: Share) -> str:
    """What is said where the level does not tell the cells apart: their median losses, in order."""
    medians = _medians(dataset)
    many = f"{medians.size} schemes and scales"
    if share.share == 0:
        often = f"none of the {many} reaches a loss of {level:g} from any initial weight drawn"
    else:
        often = (
            f"all {many} reach a loss of {level:g} equally often, from {_percent(share)} of the "
            "initial weights"
        )
    order = [np.unravel_index(k, medians.shape) for k in np.argsort(medians, axis=None)]
    named = [f"{medians[cell]:.3g} from {_cell_name(dataset, *cell)}" for cell in order]
    if len(named) > MOST_NAMED:
        named = [*named[: MOST_NAMED - 1], f"... {named[-1]}"]
    return f"{often}: this level does not tell them apart. Median final losses: {', '.join(named)}."


def _cell_name(dataset: Any, scheme: int, scale: int) -> str:
    return f"{dataset[SCHEME].values[scheme]} at scale {dataset[SCALE].values[scale]:g}"


def _percent(share: Share) -> str:
    return f"{100 * share.share:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def draw(dataset: Any, settings: Study, posed: Posed, folder: Path) -> list[Path]:
    """The study's pictures, SVG and PNG: the files written."""
    with plots.house_style():
        return [
            file
            for name, made in _figures(dataset, settings, posed)
            for file in plots.save(made, folder / name)
        ]


def _figures(dataset: Any, settings: Study, posed: Posed) -> Iterator[tuple[str, Any]]:
    level, scales = settings.level or 0.0, dataset[SCALE].values
    schemes = [str(scheme) for scheme in dataset[SCHEME].values]
    per_cell = f"{dataset.sizes['member']} networks at each point, {plots.plain(posed.source.name)}"

    made, axes = plots.figure(width=6.5, height=4.2)
    final = dict(zip(schemes, dataset.final_loss.values, strict=True))
    plots.loss_against_scale(axes[0, 0], scales, final, level=level).set_title(per_cell)
    yield "loss-against-scale", made

    made, axes = plots.figure(width=6.5, height=4.2)
    reached = dict(zip(schemes, shares(dataset, level), strict=True))
    plots.share_against_scale(axes[0, 0], scales, reached, level=level).set_title(per_cell)
    yield "share-against-scale", made

    yield "loss-curves", _curves(dataset, "epoch" if settings.batch_size else "step")

    ends = best_ends(dataset, 3)
    slice_of = _slice(ends, posed) if len(ends) == 3 else None
    if slice_of is not None:
        yield "slice", slice_of
    if ends:
        yield "best-network", _best_network(ends[0], posed)


def _curves(dataset: Any, unit: str) -> Any:
    rows, columns = dataset.sizes[SCHEME], dataset.sizes[SCALE]
    made, axes = plots.figure(
        rows, columns, width=1.7 * columns + 0.5, height=1.5 * rows + 0.5, sharex=True, sharey=True
    )
    for i, scheme in enumerate(dataset[SCHEME].values):
        for j, scale in enumerate(dataset[SCALE].values):
            title = f"{scheme}, {scale:g}"
            losses = dataset.losses.values[i, j]
            ax = plots.loss_bands(
                axes[i, j], dataset["record"].values, losses, title=title, xlabel=""
            )
            if j == 0:
                ax.set_ylabel("loss")
            if i == rows - 1:
                ax.set_xlabel(unit)
    made.suptitle("median, middle half and middle 90 % of the networks", fontsize=9)
    return made


def best_ends(dataset: Any, count: int) -> list[tuple[str, float, Any]]:
    """The (name, final loss, params) of the members with the lowest final losses, best first."""
    losses = np.where(dataset.outcome == Outcome.diverged, np.nan, dataset.final_loss)
    order = np.argsort(losses, axis=None, kind="stable")[: int(np.isfinite(losses).sum())][:count]
    ends = []
    for index in order:
        scheme, scale, member = np.unravel_index(index, losses.shape)
        name = f"{_cell_name(dataset, scheme, scale)}, network {member}"
        end = params_of(dataset, (int(scheme), int(scale), int(member)), "final")
        ends.append((name, float(losses[scheme, scale, member]), end))
    return ends


def _slice(ends: list[tuple[str, float, Any]], posed: Posed) -> Any:
    """The plane through three end points, each labelled with its true loss; None where they lie on
    a line.
    """
    try:
        plane = directions.through(*(params for _, _, params in ends))
    except ValueError:
        return None
    inputs, targets = (part[:DRAWN_CASES] for part in posed.train)
    loss_fn = type(posed.loss_fn)(
        type(posed.train)(inputs, targets), posed.loss_fn.l2, posed.activation
    )
    low, high = (np.asarray(f(plane.coordinates, axis=0)) for f in (np.min, np.max))
    margin = 0.25 * max(high - low)
    fine = 61 if posed.loss_fn.batch.inputs.size < 1_000_000 else 31
    xs, ys = (jnp.linspace(a - margin, b + margin, fine) for a, b in zip(low, high, strict=True))
    losses = slices.plane(loss_fn, plane.origin, plane.first, plane.second, xs, ys)
    made, axes = plots.figure(width=6.5, height=5.0)
    ax = plots.contours(
        axes[0, 0], np.asarray(xs), np.asarray(ys), np.asarray(losses),
        points=np.asarray(plane.coordinates), labels=list("123"),
    )  # fmt: skip
    named = "\n".join(
        f"{rank}: loss {float(loss_fn(end)):.4g}, {name}"
        for rank, (name, _, end) in enumerate(ends, 1)
    )
    part = f", first {len(inputs)} cases" if len(inputs) < len(posed.train.inputs) else ""
    ax.set_title(f"the plane through the three best end points{part}\n{named}", loc="left")
    return made


def _best_network(end: tuple[str, float, Any], posed: Posed) -> Any:
    name, final_loss, params = end
    made, axes = plots.figure(width=6.5, height=4.8)
    plots.network_diagram(
        axes[0, 0],
        [np.asarray(layer.weights) for layer in params],
        [np.asarray(layer.biases) for layer in params],
        inputs=posed.source.features,
        outputs=posed.source.classes if len(posed.source.classes) == posed.sizes[-1] else (),
    )
    axes[0, 0].set_title(f"the best network, loss {final_loss:.4g}: {name}")
    return made
