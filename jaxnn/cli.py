"""The command line: `jaxnn study`, `census`, `basins`, `sensitivity`, `train` and `check`, and of a
study's networks `slice`, `spectrum`, `path` and `align`. jax is imported only once there is work.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.settings import Align, Between, Census, Check, Slice, Spectrum, Study, Train

Command = (
    Annotated[Study, tyro.conf.subcommand("study")]
    | Annotated[Census, tyro.conf.subcommand("census")]
    | Annotated[Basins, tyro.conf.subcommand("basins")]
    | Annotated[Sensitivity, tyro.conf.subcommand("sensitivity")]
    | Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Slice, tyro.conf.subcommand("slice")]
    | Annotated[Spectrum, tyro.conf.subcommand("spectrum")]
    | Annotated[Between, tyro.conf.subcommand("path")]
    | Annotated[Align, tyro.conf.subcommand("align")]
)


def main(args: list[str] | None = None) -> None:
    """Run one command; a user's error is one line on stderr and exit status 2."""
    command = tyro.cli(
        Command,  # pyright: ignore[reportArgumentType]
        prog="jaxnn",
        args=args,
        description="From initial weights to what training finds there.",
        config=(tyro.conf.PositionalRequiredArgs, tyro.conf.OmitArgPrefixes),
    )
    try:
        _run(command)
    except (ValueError, OSError) as error:
        sys.exit(_complain(error))
    except KeyboardInterrupt:
        print("\njaxnn: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)


def _complain(error: Exception) -> int:
    """Say what is wrong in one line, and give the exit status."""
    print(f"jaxnn: {' '.join(str(error).split())}", file=sys.stderr)
    return 2


def _run(
    command: Study | Census | Basins | Train | Check | Slice | Spectrum | Between | Align,
) -> None:
    from jaxnn import devices

    try:
        devices.use_all_cores()
    except RuntimeError as error:
        raise ValueError(f"{error}; or give the command in a process of its own") from error
    if isinstance(command, Study | Census | Basins):
        if command.distributed:
            devices.join_others(command.coordinator, command.processes, command.process)
        {Study: _study, Census: _census, Basins: _basins, Sensitivity: _sensitivity}[type(command)](
            command
        )
    elif isinstance(command, Train):
        from jaxnn.studies import one_network

        print(one_network.run(command))
    elif isinstance(command, Check):
        _check(command)
    else:
        print(_of_store(command))


def _of_store(command: Slice | Spectrum | Between | Align) -> str:
    from jaxnn import plots
    from jaxnn.studies import around, connections

    with plots.house_style():
        if isinstance(command, Slice):
            return around.draw_slice(command)
        if isinstance(command, Spectrum):
            return around.draw_spectrum(command)
        if isinstance(command, Between):
            return connections.draw_path(command)
        return connections.draw_align(command)


def _is_ours_to_report(path: Path, chunks: int) -> bool:
    """Whether all chunks of a store are there, which is said if not, and this process reports."""
    from jaxnn import devices, results

    there = len(results.finished(path))
    if there < chunks:
        print(f"{path}: {there} of {chunks} chunks are there; the figures come with the last")
        return False
    return devices.is_first_process()


def _report(path: Path, table: str, files: list[Path], *, shown: str | None = None) -> None:
    """Write a store's table, and print it, or what is shown of it, and which files there are."""
    from jaxnn import results

    results.write_atomically(path / "table.txt", f"{table}\n")
    names = ("arrays.zarr", "manifest.json", "table.txt", "figures", "report.html")
    there = ", ".join(name for name in names if (path / name).exists())
    print(f"{shown or table}\n\nwrote {path}: {there}")
    print("  " + "\n  ".join(str(file.relative_to(path)) for file in files))


def _study(command: Study) -> None:
    from jaxnn import results
    from jaxnn.report.of_study import study_contents
    from jaxnn.report.page import write_page
    from jaxnn.studies import findings, initial_weights, problem, study_minima

    settings = problem.complete(command)
    path = initial_weights.run(settings)
    if not _is_ours_to_report(path, initial_weights.chunks(settings)):
        return
    posed, dataset = problem.pose(settings), results.load(path)
    files = findings.draw(dataset, settings, posed, path / "figures")
    level = settings.level or 0.0
    table = findings.table(dataset, level)
    sentence = findings.finding(dataset, level, name=posed.source.name)
    minima = study_minima.minima_table(dataset, settings, posed)
    write_page(path, study_contents(dataset, settings, posed))
    _report(path, "\n\n".join(part for part in (table, sentence, minima) if part), files)


def _census(command: Census) -> None:
    from jaxnn import results
    from jaxnn.studies import census_findings, problem, stationary_points

    settings = problem.complete(command)
    path = stationary_points.run(settings)
    if not _is_ours_to_report(path, stationary_points.chunks(settings)):
        return
    posed = stationary_points.pose(settings)
    report, files = census_findings.conclude(results.load(path), settings, posed, path / "figures")
    _report(path, report, files, shown=census_findings.shortened(report))


def _basins(command: Basins) -> None:
    from jaxnn import results
    from jaxnn.report.of_map import map_contents
    from jaxnn.report.page import write_page
    from jaxnn.studies import basin_findings, basin_maps, map_variants, problem, width_findings

    asked, done = problem.complete(command), []
    for settings in map_variants.by_width(asked):
        parts = map_variants.variants(settings)
        ours = [
            _is_ours_to_report(basin_maps.run(part), len(basin_maps.regions(part)))
            for part in parts
        ]
        if all(ours):
            done.append(parts[0])
            folder, text, files, labelled = basin_findings.conclude(settings, parts)
            path, posed = basin_maps.default_out(parts[0]), basin_maps.pose(parts[0])
            write_page(path, map_contents(results.load(path), parts[0], labelled, posed))
            _report(folder, text, files)
    if asked.widths and len(done) == len(asked.widths):
        print()
        _report(*width_findings.width_report(done, basin_maps.default_out(asked)))


def _sensitivity(command: Sensitivity) -> None:
    from jaxnn.studies import basin_maps, border_findings, border_measures, problem

    whole, measured = border_measures.parts(problem.complete(command))
    ours = [_is_ours_to_report(basin_maps.run(whole), len(basin_maps.regions(whole)))]
    for kind, part in measured.items():
        path = border_measures.measure(part, kind)
        ours.append(_is_ours_to_report(path, len(basin_maps.regions(part))))
    if all(ours):
        _report(*border_findings.conclude(whole, measured))


def _check(command: Check) -> None:
    from jaxnn.studies import problem

    settings = problem.complete(command)
    posed = problem.pose(settings)
    check = problem.certificate(
        posed, scheme=settings.scheme, scale=settings.scale, seed=settings.seed
    )
    sizes = "-".join(str(size) for size in posed.sizes)
    print(f"the gradient of {sizes} on {posed.source.name}, four ways, in float64\n{check}")
    agree = float(check.exact) <= 1e-12
    print("the three exact ways agree to 1e-12" if agree else "the three exact ways DISAGREE")
    if not agree:
        sys.exit(1)
