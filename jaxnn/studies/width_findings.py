"""How often training reaches the level at each width: what the samples of all widths say side by
side.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxnn import plots, results
from jaxnn.intervals import Share, wilson
from jaxnn.stopping import Outcome
from jaxnn.studies.basin_maps import default_out
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_words import percent
from jaxnn.studies.reports import Report
from jaxnn.studies.sample_findings import by_cell, cells
from jaxnn.studies.settings import as_json


def width_report(widths: Sequence[Basins], folder: Path) -> Report:
    """The report, with its figure, of the finished samples of several widths.

    Networks of different widths are different draws, so their shares are not paired.
    """
    units = [(settings.hidden or (0,))[0] for settings in widths]
    shares = np.array([_reached(settings) for settings in widths])  # (widths, cells, 3)
    names = [f"{scheme}, scale {scale:g}, step size {size:g}"
             for scheme, scale, size in cells(widths[0])]  # fmt: skip
    level = widths[0].level or 0.0
    lines = [f"final loss {level:g} or less, with 95 % intervals, by units in each hidden layer"]
    lines.append(f"{'':42}" + "".join(f"{unit:>28}" for unit in units))
    for cell, name in enumerate(names):
        said = "".join(f"{percent(Share(*row)):>28}" for row in shares[:, cell])
        lines.append(f"{name:42}{said}")
    with plots.house_style():
        figure, axes = plots.figure(width=7.6, height=4.0)
        some = {name: shares[:, cell] for cell, name in enumerate(names[: len(plots.COLOURS)])}
        colours = dict(zip(some, plots.COLOURS, strict=False))
        ax = plots.probability_lines(
            axes[0, 0], units, some, colours=colours, xlabel="units in each hidden layer"
        )
        ax.set_ylabel(f"reach a loss of {level:g} or less (%)")
        ax.legend(
            loc="upper left", bbox_to_anchor=(1.01, 1.0), title="Wilson 95 % intervals",
            fontsize=8, title_fontsize=8, alignment="left",
        )  # fmt: skip
        files = plots.save(figure, folder / "figures" / "level-against-width")
    rows = [
        {"scheme": scheme, "scale": scale, "step_size": size,
         "reached": {str(unit): Share(*row) for unit, row in zip(units, shares[:, k], strict=True)}}
        for k, (scheme, scale, size) in enumerate(cells(widths[0]))
    ]  # fmt: skip
    found = {"level": level, "by_width": rows}
    return Report("\n".join(lines), found, files, folder, as_json(widths[0]))


def _reached(settings: Basins) -> list[Share]:
    """The share of each cell whose final loss is at most the level; none that diverged."""
    dataset = results.load(default_out(settings))
    below = dataset.final_loss.values.ravel() <= (settings.level or 0.0)
    found = below & (dataset.outcome.values.ravel() != Outcome.diverged)
    return [wilson(int(row.sum()), len(row)) for row in by_cell(settings, found)]
