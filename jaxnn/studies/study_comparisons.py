"""Two studies of initial weights side by side: `jaxnn compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn import results
from jaxnn.intervals import Difference, difference, paired_difference, wilson
from jaxnn.stopping import Outcome
from jaxnn.studies.reports import Report
from jaxnn.studies.settings import Study
from jaxnn.studies.store_settings import Compare
from jaxnn.studies.stores import check_networks, manifest_of, settings_of
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME


def compared(settings: Compare) -> Report:
    """The settings that differ, and a line for each scheme and scale that both studies have.

    Raises:
        ValueError: no store of a study there; studies without a common scheme and scale; a level
            that is no number above 0.
    """
    pair = [_study(path) for path in (settings.first, settings.second)]
    manifests = [json.loads(dataset.attrs["manifest"]) for dataset in pair]
    level = settings.level
    if level is None:
        level = settings_of(settings.first, manifests[0], Study).level
    if level is None:
        raise ValueError(f"{settings.first}: its manifest has no level; give one by --level")
    if not 0 <= level < float("inf"):
        raise ValueError(f"--level is {level}: give a finite number, at least 0")
    rows = _rows(pair, level)
    if not rows:
        raise ValueError(
            f"{settings.first} and {settings.second} have no scheme and scale in common"
        )
    apart = _settings_apart(*manifests)
    lines = [f"first:  {settings.first}", f"second: {settings.second}", "", *_said(apart), ""]
    lines += [
        f"final loss {level:g} or less (%), with 95 % intervals; the difference is the second's "
        "share minus the first's",
        f"{'scheme':16}{'scale':>7}{'first':>22}{'second':>22}{'difference':>24}",
        *(_line(row) for row in rows),
        "",
        *_sum(rows),
    ]
    found = {"level": level, "settings_that_differ": apart, "rows": rows}
    return Report("\n".join(lines), found, settings=vars(settings))


def _study(path: Path) -> Any:
    manifest_of(path, study="initial weights")
    dataset = results.load(path)
    check_networks(path, dataset)
    return dataset


def _settings_apart(first: dict[str, Any], second: dict[str, Any]) -> dict[str, list[Any]]:
    """What was asked or measured otherwise, by name, in both."""
    apart = {
        name: [first["settings"].get(name), second["settings"].get(name)]
        for name in {**first["settings"], **second["settings"]}
    }
    apart["cases"] = [str(one["data"].get("sha256"))[:8] for one in (first, second)]
    apart |= {
        name: [first["versions"].get(name), second["versions"].get(name)]
        for name in {**first["versions"], **second["versions"]}
    }
    return {name: both for name, both in apart.items() if both[0] != both[1]}


def _said(apart: dict[str, list[Any]]) -> list[str]:
    if not apart:
        return ["the same settings, cases and versions"]
    width = max(map(len, apart)) + 2
    return [f"{name:{width}}{one}  ->  {two}" for name, (one, two) in apart.items()]


def _rows(pair: list[Any], level: float) -> list[dict[str, Any]]:
    """Each scheme and scale that both have: their shares and the difference."""
    schemes, scales = (
        [value for value in pair[0][dim].values if value in pair[1][dim].values]
        for dim in (SCHEME, SCALE)
    )
    return [
        {"scheme": str(scheme), "scale": float(scale)}
        | _compared([dataset.sel({SCHEME: scheme, SCALE: scale}) for dataset in pair], level)
        for scheme in schemes
        for scale in scales
    ]


def _compared(cells: list[Any], level: float) -> dict[str, Any]:
    done = [cell.isel({MEMBER: np.flatnonzero(cell.outcome.values >= 0)}) for cell in cells]
    found = [
        ((cell.final_loss <= level) & (cell.outcome != Outcome.diverged)).values for cell in done
    ]
    counts = [(int(part.sum()), len(part)) for part in found]
    if not all(trials for _, trials in counts):
        return {"first": None, "second": None, "difference": None, "paired": False}
    shares = {name: wilson(*n) for name, n in zip(("first", "second"), counts, strict=True)}
    if not _same_starts(*done):
        return {**shares, "difference": difference(*counts[0], *counts[1]), "paired": False}
    apart = [int(np.sum(one & ~two)) for one, two in (found, found[::-1])]
    pairs = {"only_first": apart[0], "only_second": apart[1], "same_runs": _same_ends(*done)}
    # what is the same for every initial weight drawn is no sample of a difference
    gap = Difference(0.0, 0.0, 0.0) if pairs["same_runs"] else _paired(*found)
    return {**shares, "difference": gap, "paired": True, **pairs}


def _paired(first: np.ndarray, second: np.ndarray) -> Difference:
    return paired_difference(
        both=int(np.sum(first & second)),
        first=int(np.sum(first & ~second)),
        second=int(np.sum(~first & second)),
        neither=int(np.sum(~first & ~second)),
    )


def _same_starts(first: Any, second: Any) -> bool:
    """Whether the same initial weights were trained twice, to the bit."""
    drawn = ("initial_weights", "initial_biases")
    names = [str(name) for name in first.data_vars if str(name).startswith(drawn)]
    return all(
        name in second and np.array_equal(first[name].values, second[name].values) for name in names
    )


def _same_ends(first: Any, second: Any) -> bool:
    """Whether both ended alike, every network, to the bit."""
    return all(
        np.array_equal(first[name].values, second[name].values, equal_nan=True)
        for name in ("final_loss", "outcome")
    )


def excludes_zero(gap: Difference | None) -> bool:
    """Whether the interval of a difference lies on one side of 0."""
    return gap is not None and (gap.low > 0 or gap.high < 0)


def _line(row: dict[str, Any]) -> str:
    name = f"{row['scheme']:16}{row['scale']:>7g}"
    if row["difference"] is None:
        return f"{name}   not trained yet in both"
    first, second = (_interval(*row[part]) for part in ("first", "second"))
    gap = _interval(*row["difference"], sign="+")
    mark = "  *" if excludes_zero(row["difference"]) else ""
    return f"{name}{first:>22}{second:>22}{gap:>24}  {_made_of(row)}{mark}"


def _made_of(row: dict[str, Any]) -> str:
    """Which interval it is."""
    if not row["paired"]:
        return "unpaired"
    if row["same_runs"]:
        return "the same runs"
    return f"paired, {row['only_first']} and {row['only_second']} alone"


def _interval(value: float, low: float, high: float, *, sign: str = "") -> str:
    return f"{100 * value:{sign}.1f} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def _sum(rows: list[dict[str, Any]]) -> list[str]:
    apart = [row for row in rows if excludes_zero(row["difference"])]
    lines = [
        f"{len(apart)} of {len(rows)} differences exclude 0 (*); where nothing differs, about "
        f"{0.05 * len(rows):.2g} of so many would"
    ]
    if any(row["paired"] for row in rows):
        lines.append(
            "paired: the same initial weights were trained twice; so many reached the level in the "
            "first study alone, and in the second alone"
        )
    if any(row.get("same_runs") for row in rows):
        lines.append("the same runs: every network ended on the same loss, to the bit")
    if not all(row["paired"] for row in rows if row["difference"] is not None):
        lines.append("unpaired: other initial weights, compared as two independent samples")
    return lines
