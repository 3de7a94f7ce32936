"""The pictures of finished maps: attractors, how fast, how low; of samples: probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn import plots
from jaxnn.landscape import basins
from jaxnn.studies.basin_labels import Labelled
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import shape, swept, window
from jaxnn.studies.problem import Posed
from jaxnn.studies.sample_findings import by_cell, cells, most_frequent


def draw(settings: Basins, made: Labelled, posed: Posed, folder: Path) -> list[Path]:
    """The pictures of one map, SVG and PNG: the files written."""
    title = f"{plots.plain(posed.source.name)}, {'-'.join(map(str, posed.sizes))}"
    ways = {"plane": _plane, "line": _line, "sample": _sample}
    return [
        file
        for name, figure in ways[settings.over](settings, made, title)
        for file in plots.save(figure, folder / name)
    ]


def name_axes(ax: Any, settings: Basins) -> None:
    """Say what x and y of a map are."""
    random = settings.parameters == ()
    names = [f"along random direction {k}" for k in (1, 2)] if random else settings.parameters
    ax.set_xlabel(names[0])
    if settings.over == "plane":
        ax.set_ylabel(names[1])


def _legend(made: Labelled, colours: dict[int, str], level: float) -> dict[str, str]:
    """Name -> colour with the share that leads there, and of the whole what training itself ended
    at, in order of label; those without a colour of their own once.
    """
    chances, names, others = basins.probabilities(made.labels), {}, 0.0
    there = made.ended_there(level)
    for label, share in zip(chances.labels.tolist(), chances.share.tolist(), strict=True):
        if colours[label] == plots.OTHER:
            others += share
        else:
            said = f"{100 * share:.1f} %"
            if there is not None and label >= 0:
                said += f"; {100 * np.mean(there & (made.labels == label)):.1f} %"
            names[f"{made.attractors.name(label)} ({said})"] = colours[label]
    return {**names, f"others ({100 * others:.1f} %)": plots.OTHER} if others else names


def _named_colours(ax: Any, made: Labelled, colours: dict[int, str], settings: Basins) -> None:
    what = {"plane": "map"}.get(settings.over, settings.over)
    also = "; ended there" if made.ended_there(0.0) is not None else ""
    names = _legend(made, colours, settings.level or 0.0)
    plots.label_legend(ax, names, title=f"leads to (share of the {what}{also})")


def _steps(made: Labelled, settings: Basins) -> tuple[np.ndarray, str]:
    if "reached" in made.runs:
        values = np.where(made.runs["reached"] >= 0, made.runs["reached"], np.nan)
        return values, f"steps until the loss is {settings.level:g} or less (grey: never)"
    named = "steps of the solver" if settings.dynamics == "flow" else "updates"
    return made.runs["updates"].astype(float), named


def _plane(settings: Basins, made: Labelled, title: str) -> Iterator[tuple[str, Any]]:
    sides, box = tuple(shape(settings).values()), window(settings)
    colours = plots.label_colours(made.labels)
    figure, axes = plots.figure(width=8.4, height=4.4)
    ax = plots.label_map(axes[0, 0], made.labels.reshape(sides), box, colours=colours)
    _named_colours(ax, made, colours, settings)
    ax.set_title(f"{title}: where each initial weight leads", loc="left")
    name_axes(ax, settings)
    yield "basins", figure
    steps, said = _steps(made, settings)
    for name, values, meaning in (
        ("steps", steps, said),
        ("loss", made.runs["final_loss"], "loss where training ended"),
    ):
        figure, axes = plots.figure(width=5.6, height=4.4)
        ax = plots.value_map(axes[0, 0], values.reshape(sides), box, name=meaning)
        ax.set_title(title, loc="left")
        name_axes(ax, settings)
        yield name, figure


def _line(settings: Basins, made: Labelled, title: str) -> Iterator[tuple[str, Any]]:
    box, colours = window(settings), plots.label_colours(made.labels)
    figure, axes = plots.figure(
        3, 1, width=8.4, height=4.6, sharex=True, gridspec_kw={"height_ratios": [1, 2, 2]}
    )
    plots.label_map(axes[0, 0], made.labels, box, colours=colours)
    _named_colours(axes[0, 0], made, colours, settings)
    axes[0, 0].set_title(f"{title}: where each initial weight leads", loc="left")
    (low, high), count = box[0], len(made.labels)
    at = low + (np.arange(count) + 0.5) / count * (high - low)
    steps, said = _steps(made, settings)
    plots.values_along(axes[1, 0], at, steps, name=said.split(" (")[0].replace(" until", "\nuntil"))
    plots.values_along(axes[2, 0], at, made.runs["final_loss"], name="final loss")
    name_axes(axes[2, 0], settings)
    yield "basins", figure


def _sample(settings: Basins, made: Labelled, title: str) -> Iterator[tuple[str, Any]]:
    """Probabilities along the scales, or the step sizes where there is one scale; a panel for each
    of the other cells, six at most.
    """
    rows, names = by_cell(settings, made.labels), cells(settings)
    axis = 1 if len(settings.scales or ()) > 1 else 2
    at = [float(value) for value in swept(settings)[axis]]
    rest = list(dict.fromkeys(c[:axis] + c[axis + 1 :] for c in names))[:6]
    shown, colours = most_frequent(made.labels, 7), plots.label_colours(made.labels)
    columns = min(3, len(rest))
    figure, axes = plots.figure(
        -(-len(rest) // columns), columns, width=2.8 + 3.0 * columns,
        height=0.6 + 3.2 * -(-len(rest) // columns), sharex=True, sharey=True,
    )  # fmt: skip
    for ax in axes.ravel()[len(rest) :]:
        ax.set_visible(False)
    said = {label: made.attractors.name(label) for label in shown}
    there = made.ended_there(settings.level or 0.0)
    there = None if there is None else by_cell(settings, there)
    for ax, other in zip(axes.ravel(), rest, strict=False):
        here = [k for k, c in enumerate(names) if c[:axis] + c[axis + 1 :] == other]
        shares = {said[label]: _shares(rows[here], label) for label in shown}
        shares["no attractor yet"] = _shares(np.where(rows[here] < 0, -1, 0), -1)
        ended = {} if there is None else {
            said[label]: np.mean(there[here] & (rows[here] == label), axis=1) for label in shown
        }  # fmt: skip
        plots.probability_lines(
            ax, at, shares,
            colours={**{said[k]: colours[k] for k in shown}, "no attractor yet": "0.6"},
            ended=ended, xlabel="scale of the initial weights" if axis == 1 else "step size",
        )  # fmt: skip
        ax.set_title(f"{other[0]}, {'step size' if axis == 1 else 'scale'} {other[1]:g}",
                     loc="left")  # fmt: skip
    for ax in axes[:, 1:].ravel():
        ax.set_ylabel("")
    axes[0, columns - 1].legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), title=f"{title}\nWilson 95 % intervals"
        + ("" if there is None else "\nsolid: leads there; dashed: training ended there"),
        alignment="left", fontsize=8, title_fontsize=8,
    )  # fmt: skip
    yield "probabilities", figure


def _shares(rows: np.ndarray, label: int) -> np.ndarray:
    return np.array([basins.probabilities(row, among=[label]).of(label) for row in rows])


def draw_change(
    settings: Basins, made: Labelled, other: Labelled, names: tuple[str, str], folder: Path
) -> list[Path]:
    """Both maps and where they differ; nothing for samples."""
    if settings.over == "sample":
        return []
    lengths, box = tuple(shape(settings).values()), window(settings)
    both = Labelled(np.concatenate([made.labels, other.labels]), made.attractors, {})
    colours, plane = plots.label_colours(both.labels), settings.over == "plane"
    rows, columns = (1, 3) if plane else (3, 1)
    figure, axes = plots.figure(
        rows, columns, width=11.0 if plane else 7.2, height=3.6 if plane else 3.2,
        sharex=True, sharey=True,
    )  # fmt: skip
    first, second, third = axes.ravel()
    for ax, part, name in ((first, made, names[0]), (second, other, names[1])):
        plots.label_map(ax, part.labels.reshape(lengths), box, colours=colours)
        ax.set_title(name, loc="left")
    plots.changed_map(third, (made.labels != other.labels).reshape(lengths), box)
    third.set_title("black: leads elsewhere", loc="left")
    for ax in (first, second, third):
        name_axes(ax, settings)
        ax.label_outer()
    legend = {made.attractors.name(k): c for k, c in colours.items() if c != plots.OTHER}
    plots.label_legend(third if plane else first, legend, title="leads to")
    return plots.save(figure, folder / "change")
