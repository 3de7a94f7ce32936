"""All that a finished study of initial weights says: its tables, its sentence, its pictures."""

from __future__ import annotations

from pathlib import Path

from jaxnn import results
from jaxnn.studies import findings, problem, study_minima
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.settings import Study, as_json


def conclude(settings: Study, path: Path) -> Report:
    """The report of the finished store of these settings, its figures drawn."""
    posed, dataset, level = problem.pose(settings), results.load(path), settings.level or 0.0
    files = findings.draw(dataset, settings, posed, path / "figures")
    table, sentence = findings.table(dataset, level), findings.finding(
        dataset, level, name=posed.source.name
    )  # fmt: skip
    rows = {"level": level, "rows": findings.rows(dataset, level), "finding": sentence}
    said = together(
        Part([table], rows),
        Part([sentence], {}),
        study_minima.minima_table(dataset, settings, posed),
    )
    return Report("\n\n".join(said.lines), said.values, files, path, as_json(settings))
