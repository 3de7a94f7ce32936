"""All that a finished study of initial weights says: its tables, its sentence, its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxnn.studies import findings, study_minima
from jaxnn.studies.problem import Posed
from jaxnn.studies.reports import Part, Report, together
from jaxnn.studies.settings import Study, as_json


def conclude(dataset: Any, settings: Study, posed: Posed, path: Path) -> Report:
    """The report of the finished store of these settings, its figures drawn beside it."""
    level = settings.level or 0.0
    files = findings.draw(dataset, settings, posed, path / "figures")
    table = findings.table(dataset, level)
    sentence = findings.finding(dataset, level, name=posed.source.name)
    rows = {"level": level, "rows": findings.rows(dataset, level), "finding": sentence}
    said = together(
        Part([table], rows),
        Part([sentence], {}),
        study_minima.minima_table(dataset, settings, posed),
        Part([f"{posed.source.name}: {posed.source.note}"], {"data": posed.source.read}),
    )
    return Report("\n\n".join(said.lines), said.values, files, path, as_json(settings))
