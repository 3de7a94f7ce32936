"""What a finished census says: its table, how often training ends at which minimum, and its
pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxnn import plots, results
from jaxnn.data import Dataset
from jaxnn.intervals import wilson
from jaxnn.landscape import minima, saddles, symmetries
from jaxnn.landscape.minima import Census as Found
from jaxnn.landscape.minima import Ending
from jaxnn.landscape.saddles import Graph
from jaxnn.studies.endings import stationary
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.settings import Census, as_json
from jaxnn.studies.stationary_points import like, pose

MOST_IN_TREE = 300
"""Minima between which saddles are looked for."""
MOST_LINES = 60
"""Classes in the printed table; the file has all."""


def conclude(settings: Census, path: Path, source: Dataset | None = None) -> Report:
    """The report of the finished store of these settings, its figures drawn."""
    posed = pose(settings, source)
    made = report_on(results.load(path), settings, posed, path / "figures")
    return replace(made, path=path, shown=shortened(made.text))


def report_on(dataset: Any, settings: Census, posed: Posed, folder: Path) -> Report:
    """The report of what a store holds, and the figures written into the folder."""
    ends = stationary(dataset, like(settings, posed))
    found = minima.distinct(posed.loss_fn, ends)
    trained = _kinds(settings) == 0
    reached, lost = (
        ended_at(found, settings),
        int(np.sum(ends.ending[trained] == Ending.unfinished)),
    )
    parts = [
        Part([_head(settings, posed)], {}),
        Part([found.table()], _classes(found)),
        _training(found, reached, lost),
    ]
    graph = _graph(found, settings, posed)
    if graph is not None:
        parts.append(_connected(graph))
    said = together(*parts)
    with plots.house_style():
        files = [
            file
            for name, made in _figures(found, reached, graph, settings, posed)
            for file in plots.save(made, folder / name)
        ]
    return Report("\n\n".join(said.lines), said.values, files, settings=as_json(settings))


def _classes(found: Found) -> dict[str, Any]:
    """What `found.table` states, by name."""
    names = ("losses", "index", "zero", "orbit_size", "families", "accuracy", "hits")
    rows = zip(found.kinds, *(getattr(found, name) for name in names), strict=True)
    keys = ("kind", "loss", "index", "zero", "orbit_size", "family", "right", "hits")
    endings = {Ending(code).name: count for code, count in enumerate(found.endings)}
    return {
        "classes": [dict(zip(keys, row, strict=True)) for row in rows],
        "searches": {"all": len(found.labels), **endings},
        "missing": found.missing,
        "unfinished_losses": found.last,
        "symmetries_known": found.known,
        "morse_sum": found.morse_sum,
        "spread": found.spread,
        "gap": found.gap,
        "tolerance": found.tolerance,
    }


def shortened(report: str) -> str:
    """The report with at most MOST_LINES lines of each part."""
    parts = []
    for part in report.split("\n\n"):
        lines = part.splitlines()
        cut = len(lines) - MOST_LINES
        kept = [*lines[: MOST_LINES - 10], f"... {cut} more lines", *lines[-10:]]
        parts.append("\n".join(lines if cut <= 0 else kept))
    return "\n\n".join(parts)


def _head(settings: Census, posed: Posed) -> str:
    sizes = "-".join(map(str, posed.sizes))
    biases = "" if settings.output_biases else ", last layer without biases"
    scales = ", ".join(f"{scale:g}" for scale in settings.scales)
    return (
        f"{posed.source.name}: {posed.source.note}\n"
        f"network {sizes}, {', '.join(posed.activation)}{biases}, l2 {settings.l2:g}; initial "
        f"weights {settings.scheme} at scales {scales}"
    )


def ended_at(found: Found, settings: Census) -> np.ndarray:
    """How many training runs ended at each class, (classes,), and in the last place at none."""
    return np.bincount(found.labels[_kinds(settings) == 0] % (len(found.losses) + 1),
                       minlength=len(found.losses) + 1)  # fmt: skip


def _kinds(settings: Census) -> np.ndarray:
    """The kind of each search (`minima.kinds_of`), which take turns within a chunk."""
    size = settings.chunk or 1
    parts = [
        minima.kinds_of(min(size, settings.starts - first), sampled=settings.sampled)
        for first in range(0, settings.starts, size)
    ]
    return np.concatenate(parts)


def _training(found: Found, reached: np.ndarray, lost: int) -> Part:
    """A line for each class that training ended at; lost: how many runs are unfinished."""
    runs, kinds = int(reached.sum()), found.kinds
    said = f"; the {lost} unfinished may lead to any class, and count in upper ends" if lost else ""
    lines, rows = [f"where {runs} training runs ended, with 95 % intervals{said}"], []
    for k in [*np.argsort(-reached[:-1], kind="stable"), len(kinds)]:
        if reached[k]:
            share, some = wilson(int(reached[k]), runs), k < len(kinds)
            share = share._replace(high=wilson(int(reached[k] + some * lost), runs).high)
            name = f"{kinds[k]} {k}, loss {found.losses[k]:.7g}" if some else "at no class"
            low, high = 100 * share.low, 100 * share.high
            lines.append(f"{100 * share.share:6.1f} % [{low:.1f}, {high:.1f}] {name}")
            rows.append({"class": int(k) if some else None, "runs": reached[k], "share": share})
    return Part(["\n".join(lines)], {"training_ends": rows})


def _isolated(found: Found) -> np.ndarray:
    return np.flatnonzero([kind == "minimum" for kind in found.kinds])


def _graph(found: Found, settings: Census, posed: Posed) -> Graph | None:
    """The transition states between the isolated minima, those of the census among the guesses."""
    which = _isolated(found)
    if not settings.tree or not 2 <= len(which) <= MOST_IN_TREE:
        return None
    first = np.flatnonzero([kind == "saddle" for kind in found.kinds] & (found.index == 1))
    points, guesses = (
        jax.tree.map(lambda leaf: leaf[rows], found.points)  # noqa: B023
        for rows in (which, first)
    )
    return saddles.graph(
        posed.loss_fn, points, symmetry=symmetries.of(posed.loss_fn),
        guesses=guesses if len(first) else None,
    )  # fmt: skip


def _connected(graph: Graph) -> Part:
    tree = graph.disconnectivity()
    roots = int(np.sum(tree.parents < 0))
    refused = ", ".join(f"{count} {why}" for why, count in graph.refused.items())
    said = (
        f"{len(graph.heights)} transition states between {len(graph.losses)} minima, each with "
        f"index 1, gradient 0 to {graph.relative_gradients.max(initial=0.0):.0e} of its terms, and "
        f"walked down from on both sides\nthey join the minima into {roots} "
        f"tree{'s' if roots > 1 else ''}" + (f"; refused: {refused}" if refused else "")
    )
    named = zip(graph.edges, graph.heights, strict=True)
    states = [{"minima": edge, "loss": height} for edge, height in named]
    return Part([said], {"minima": graph.losses, "transition_states": states, "trees": roots})


def _figures(
    found: Found, reached: np.ndarray, graph: Graph | None, settings: Census, posed: Posed
) -> Iterator[tuple[str, Any]]:
    names = ", ".join(dict.fromkeys(posed.activation))
    name, sizes = plots.plain(posed.source.name), "-".join(map(str, posed.sizes))
    title = f"{name}, {sizes} {names}, l2 {settings.l2:g}"
    if graph is not None:
        made, axes = plots.figure(width=7.0, height=4.6)
        widths = np.zeros(len(graph.losses))
        which = _isolated(found)
        widths[: len(which)] = reached[which] / max(1, reached.sum())
        kinds = [_right(found, k) for k in which] + ["found on the way"] * (
            len(graph.losses) - len(which)
        )
        tree = graph.disconnectivity(widths=widths)
        few = len(widths) <= 24
        labels = [str(k) for k in which] + ["new"] * (len(widths) - len(which)) if few else None
        plots.disconnectivity(axes[0, 0], tree, kinds=kinds, labels=labels)
        axes[0, 0].set_title(f"{title}\nwidth: share of training runs that end there", loc="left")
        yield "disconnectivity", made
    made, axes = plots.figure(width=6.0, height=4.0)
    plots.loss_against_index(axes[0, 0], found.losses, found.index, kinds=found.kinds)
    axes[0, 0].set_title(title, loc="left")
    yield "loss-against-index", made


def _right(found: Found, k: int) -> str:
    return f"{found.accuracy[k]:.0%} right" if np.isfinite(found.accuracy[k]) else "minimum"
