"""From the settings of a command to what it found. jax is imported only where there is work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxnn import memory
from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.progress import timed
from jaxnn.studies.reports import Report
from jaxnn.studies.settings import (
    Align,
    Between,
    Census,
    Check,
    OfStore,
    Slice,
    Spectrum,
    Study,
    Train,
    Where,
)
from jaxnn.studies.store_settings import Compare, Completion, Docs, Export, List, Show, Verify

if TYPE_CHECKING:
    from jaxnn.data import Dataset


def answer(settings: Any, *, trial: bool = False) -> Report | None:
    """What the command found; None where another process reports it. A trial finds what it would
    cost.
    """
    if type(settings) in WITHOUT_JAX:
        return ANSWERS[type(settings)](settings)
    with timed("start jax"):
        _start(settings)
    from jaxnn import numerics

    with numerics.fixed():
        if trial:
            from jaxnn.studies import estimates

            return estimates.cost(settings)
        return ANSWERS[type(settings)](settings)


WITHOUT_JAX = {List, Show, Verify, Export, Docs, Completion}


def _start(settings: Any) -> None:
    memory.check_addresses(os.cpu_count() or 1)
    from jaxnn import devices, numerics

    os.environ["MPLBACKEND"] = "agg"  # figures are only written
    numerics.check_environment()
    try:
        devices.use_all_cores()
    except RuntimeError as error:
        raise ValueError(f"{error}; or give the command in a process of its own") from error
    if isinstance(settings, Where) and settings.distributed:
        devices.join_others(settings.coordinator, settings.processes, settings.process)
    numerics.check_platform()


def _unreported(path: Path, chunks: int, where: Where) -> Report | None:
    """How many chunks of a store are there, if not all are or no report is asked for."""
    from jaxnn import results

    there = len(results.finished(path) & {*range(chunks)})
    if there >= chunks and where.report:
        return None
    then = "with the last" if where.report else "with the same command without --no-report"
    text = f"{path}: {there} of {chunks} chunks are there; the figures come {then}"
    return Report(text, {"chunks": {"done": there, "all": chunks}}, path=path)


def _reported(make: Callable[[], Report]) -> Report | None:
    """What is made of a finished store, written into it, by the process that reports."""
    from jaxnn import devices

    if not devices.is_first_process():
        return None
    with timed("read the store, gather and draw"):
        report = make()
        report.write()
    return report


def _study(command: Study) -> Report | None:
    from jaxnn.studies import initial_weights, problem

    settings = problem.complete(command)
    source = problem.read(settings)
    with timed("train"):
        path = initial_weights.run(settings, source)
    return _unreported(path, initial_weights.chunks(settings), settings) or _reported(
        lambda: _study_with_page(settings, source, path)
    )


def _study_with_page(settings: Study, source: Dataset, path: Path) -> Report:
    from jaxnn import results
    from jaxnn.report.of_study import study_contents
    from jaxnn.report.page import write_page
    from jaxnn.studies import problem, study_findings

    posed, dataset = problem.pose(settings, source), results.load(path)
    report = study_findings.conclude(dataset, settings, posed, path)
    write_page(path, study_contents(dataset, settings, posed))
    return report


def _census(command: Census) -> Report | None:
    from jaxnn.studies import census_findings, problem, stationary_points

    settings = problem.complete(command)
    source = problem.read(settings)
    with timed("search"):
        path = stationary_points.run(settings, source)
    return _unreported(path, stationary_points.chunks(settings), settings) or _reported(
        lambda: census_findings.conclude(settings, path, source)
    )


def _basins(command: Basins) -> Report | None:
    from jaxnn.studies import basin_maps, map_variants, problem, width_findings

    asked, reports, done = problem.complete(command), list[Report | None](), []
    source = problem.read(asked)
    for settings in map_variants.by_width(asked, source):
        parts = map_variants.variants(settings, source)
        with timed("train, and search from where that ended"):
            paths = [basin_maps.run(part, source) for part in parts]
        missing = [
            unreported
            for path, part in zip(paths, parts, strict=True)
            if (unreported := _unreported(path, len(basin_maps.regions(part)), part))
        ]
        if not missing:
            done.append(parts[0])
        reports += missing or [
            _reported(lambda: _map_with_page(settings, parts, source))  # noqa: B023
        ]
    if asked.widths and len(done) == len(asked.widths):
        out = basin_maps.default_out(asked)
        reports.append(_reported(lambda: width_findings.width_report(done, out)))
    return _joined(reports)


def _map_with_page(settings: Basins, parts: list[Basins], source: Dataset) -> Report:
    from jaxnn import results
    from jaxnn.report.of_map import map_contents
    from jaxnn.report.page import write_page
    from jaxnn.studies import basin_findings, basin_maps

    report, labelled = basin_findings.conclude(settings, parts, source)
    path, posed = basin_maps.default_out(parts[0]), basin_maps.pose(parts[0], source)
    write_page(path, map_contents(results.load(path), parts[0], labelled, posed))
    return report


def _joined(reports: list[Report | None]) -> Report | None:
    """The last of the reports, with the others as its parts."""
    from dataclasses import replace

    ours = [report for report in reports if report is not None]
    return replace(ours[-1], parts=ours[:-1]) if ours else None


def _sensitivity(command: Sensitivity) -> Report | None:
    from jaxnn.studies import basin_maps, border_findings, border_measures, problem

    settings = problem.complete(command)
    source = problem.read(settings)
    whole, measured = border_measures.parts(settings, source)
    with timed("the map"):
        paths = [(basin_maps.run(whole, source), whole)]
    for kind, part in measured.items():
        with timed(kind):
            paths.append((border_measures.measure(part, kind, source), part))
    missing = [
        unreported
        for path, part in paths
        if (unreported := _unreported(path, len(basin_maps.regions(part)), part))
    ]
    if missing:
        return _joined([*missing])
    return _reported(lambda: border_findings.conclude(whole, measured, source))


def _train(command: Train) -> Report:
    from jaxnn.studies import one_network

    return one_network.run(command)


def _check(command: Check) -> Report:
    from jaxnn.studies import problem

    settings = problem.complete(command)
    posed = problem.pose(settings)
    check = problem.certificate(
        posed, scheme=settings.scheme, scale=settings.scale, seed=settings.seed
    )
    sizes, agree = "-".join(map(str, posed.sizes)), float(check.exact) <= 1e-12
    said = "the three exact ways agree to 1e-12" if agree else "the three exact ways DISAGREE"
    source = posed.source
    what = f"the gradient of {sizes} on {source.name}, four ways, in float64"
    head = f"{source.name}: {source.note}\n{what}"
    found = {"network": posed.sizes, "agree": agree, "differences": check}
    return Report(f"{head}\n{check}\n{said}", found, settings=vars(settings), status=int(not agree))


def _of_store(command: OfStore) -> Report:
    from jaxnn import plots
    from jaxnn.studies import around, connections
    from jaxnn.studies.bounds import check_points

    ways: dict[type, Callable[[Any], Report]] = {
        Slice: around.draw_slice,
        Spectrum: around.draw_spectrum,
        Between: connections.draw_path,
        Align: connections.draw_align,
    }
    check_points(command)
    with plots.house_style(), timed("measure and draw"):
        return ways[type(command)](command)


def _list(command: List) -> Report:
    from jaxnn.studies import stores

    return stores.listing(command)


def _show(command: Show) -> Report:
    from jaxnn.studies import stores

    return stores.shown(command)


def _compare(command: Compare) -> Report:
    from jaxnn.studies import study_comparisons

    return study_comparisons.compared(command)


def _verify(command: Verify) -> Report:
    from jaxnn.studies import upkeep

    return upkeep.verified(command)


def _export(command: Export) -> Report:
    from jaxnn.studies import upkeep

    return upkeep.exported(command)


def _docs(command: Docs) -> Report:
    from jaxnn import api_pages

    first = api_pages.write(command.out)
    if command.open:
        import webbrowser

        webbrowser.open(first.absolute().as_uri())
    return Report(f"the pages of the API begin at {first}", {"first": first})


def _completion(command: Completion) -> Report:
    from jaxnn.cli.parsing import completion

    script = completion(command.shell)
    return Report(script.rstrip("\n"), {"script": script})


ANSWERS: dict[type, Callable[[Any], Report | None]] = {
    Study: _study,
    Census: _census,
    Basins: _basins,
    Sensitivity: _sensitivity,
    Train: _train,
    Check: _check,
    **dict.fromkeys((Slice, Spectrum, Between, Align), _of_store),
    List: _list,
    Show: _show,
    Compare: _compare,
    Verify: _verify,
    Export: _export,
    Docs: _docs,
    Completion: _completion,
}
"""By the settings of the command."""
