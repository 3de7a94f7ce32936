"""Stores that are there: what they are, how far they are, and what was written of them. Nothing is
computed and no array is read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from jaxnn import regular_files, results
from jaxnn.memory import in_bytes
from jaxnn.studies.options import Checked
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import List, Show
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME

S = TypeVar("S", bound=Checked)

COMMANDS = {"initial weights": "study"}
"""Which command makes the stores of a study, where its name is another."""
PARTS = {"study": str, "settings": dict}
"""What every command's manifest has."""
MORE = ("network", "data", "versions", "numerics", "machine", "gradient_check")
"""What else it has, each a table where it is there."""


def listing(settings: List) -> Report:
    """A line for each store in the folder and below it.

    Raises:
        ValueError: no such folder.
    """
    folder = settings.folder
    if not folder.is_dir():
        raise ValueError(f"{folder}: no folder there; give the one that holds the stores")
    rows = [_row(path) for path in stores_in(folder)]
    if not rows:
        return Report(f"{folder}: no stores there", {"stores": []})
    width = max(len(str(row["path"])) for row in rows) + 2
    lines = [f"{'store':{width}}{'command':16}{'data':15}{'networks':>10}{'chunks':>12}{'size':>10}"
             "  made"]  # fmt: skip
    for row in rows:
        if "fault" in row:
            lines.append(f"{row['path']!s:{width}}{row['fault']}")
            continue
        done = f"{row['chunks']['done']}/{row['chunks']['all']}"
        lines.append(
            f"{row['path']!s:{width}}{row['command']:16}{row['data']:15}{row['networks']:>10}"
            f"{done:>12}{in_bytes(row['bytes']):>10}  {row['made']}"
        )
    return Report("\n".join(lines), {"stores": rows})


def stores_in(folder: Path) -> list[Path]:
    """The stores at this path and below it, in order, with what cannot be looked into."""
    found: list[Path] = []
    if not folder.is_dir():
        return found
    for place, folders, files in os.walk(folder, onerror=lambda e: found.append(Path(e.filename))):
        if "manifest.json" in files or {"manifest.json", "arrays.zarr"} & {*folders}:
            found.append(Path(place))
        folders[:] = sorted(
            name for name in folders if name not in ("arrays.zarr", "done") and name[0] != "."
        )
    return found


def _row(path: Path) -> dict[str, Any]:
    """What is known of a store at a glance."""
    try:
        manifest = manifest_of(path)
        networks, chunks = extent(path)
        files = [entry for entry in regular_files.below(path) if entry.is_file()]
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in files)
        made = (path / "manifest.json").stat().st_mtime
    except (ValueError, OSError) as error:
        return {"path": path, "fault": f"cannot be read: {' '.join(str(error).split())}"}
    return {
        "path": path,
        "command": command_of(manifest),
        "data": str(manifest["settings"].get("data", "")),
        "networks": networks,
        "chunks": {"done": len(results.finished(path)), "all": chunks},
        "bytes": size,
        "made": datetime.fromtimestamp(made).isoformat(" ", "minutes"),
    }


def manifest_of(path: Path, *, study: str | None = None) -> dict[str, Any]:
    """The manifest of the store that a command made: of this study, where one is named.

    Raises:
        ValueError: no store there, a manifest that no command writes, another study's, or as
            `results.trusted`.
    """
    manifest = results.read_manifest(path)
    if manifest is None:
        raise ValueError(f"{path}: no store there; jaxnn list says where there are some")
    for part, kind in PARTS.items():
        if not isinstance(manifest.get(part), kind):
            raise ValueError(f"{path}: its manifest has no {part}; no command makes such a store")
    for part in MORE:
        if not isinstance(manifest.setdefault(part, {}), dict):
            raise ValueError(
                f"{path}: {part} in its manifest is no table; every command writes one"
            )
    if study not in (None, manifest["study"]):
        wanted = COMMANDS.get(str(study), study)
        raise ValueError(
            f"{path}: is the store of a {manifest['study']}; give one of `jaxnn {wanted}`"
        )
    results.trusted(path)
    return manifest


def settings_of(path: Path, manifest: Mapping[str, Any], kind: type[S], **changes: Any) -> S:
    """The settings of this kind that a manifest holds, each of its type, with these changes.

    Raises:
        ValueError: one that no command writes, or one that is missing.
    """
    known = {field.name for field in fields(kind)}
    asked = {name: value for name, value in manifest["settings"].items() if name in known}
    try:
        return kind(**{**asked, **changes})
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path}: no command writes the settings in its manifest: {error}"
        ) from error


OF_NETWORKS = {"final_loss": "f", "outcome": "i", "steps": "i"}
"""What every study of initial weights has of each network, and of which kind of numbers."""


def check_networks(path: Path, dataset: Any) -> None:
    """Refuse a store that has not what every study of initial weights has.

    Raises:
        ValueError: with the variable or dimension.
    """
    cell = (SCHEME, SCALE, MEMBER)
    for name, kind in OF_NETWORKS.items():
        there = dataset.get(name)
        if there is None or there.dims != cell or there.dtype.kind != kind:
            raise ValueError(f"{path}: {name} is not what jaxnn study writes for each network")
    for dim, kinds in ((SCHEME, "U"), (SCALE, "if")):
        labels = dataset[dim].values
        if labels.dtype.kind not in kinds or len(set(labels.tolist())) < len(labels):
            raise ValueError(f"{path}: the labels of {dim} are not what jaxnn study writes")


def command_of(manifest: dict[str, Any]) -> str:
    """The command that made the store."""
    study = str(manifest["study"])
    return COMMANDS.get(study, study)


def extent(path: Path) -> tuple[int, int]:
    """How many networks a store has room for, and in how many chunks they are written.

    Raises:
        ValueError: as `results.trusted`.
    """
    arrays = results.arrays_of(path)
    smallest = min(arrays.values(), key=lambda array: len(array.dims))
    return math.prod(smallest.shape), results.cells(arrays)


def shown(settings: Show) -> Report:
    """The settings, versions, certificate and table of a store, as they were written.

    Raises:
        ValueError: as `manifest_of`.
    """
    path = settings.store
    manifest = manifest_of(path)
    networks, chunks = extent(path)
    done = len(results.finished(path))
    table = manifest["gradient_check"].get("table", ())
    parts = [
        f"{path}: {command_of(manifest)} of {networks} networks, {done} of {chunks} chunks done\n"
        f"{manifest['data'].get('note', '')}".rstrip(),
        *(
            _named(manifest, part)
            for part in ("settings", "network", "versions", "numerics", "machine")
        ),
        "\n".join(["gradient check, float64", *_lines(table)]),
        _text(path, "table.txt") or "no table yet: it is written with the last chunk",
    ]
    there = os.path.lexists(path / "findings.json")
    found = regular_files.read_json(path, "findings.json", limit=2**28) if there else None
    named = {"manifest": manifest, "chunks": {"done": done, "all": chunks}, "findings": found}
    return Report("\n\n".join(parts), named, settings=manifest["settings"])


def _lines(table: Any) -> list[str]:
    return [f"  {line}" for line in table] if isinstance(table, list) else []


def _text(path: Path, name: str) -> str:
    """The text of a file of the store, "" where there is none, without what moves a cursor."""
    if not os.path.lexists(path / name):
        return ""
    try:
        text = regular_files.read(path, name).decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path / name}: is not UTF-8 text (byte {error.start})") from error
    return text


def _named(manifest: dict[str, Any], part: str) -> str:
    """A part of the manifest, a line each; what was not set is left out."""
    named = {n: v for n, v in manifest.get(part, {}).items() if v not in (None, [], "")}
    width = max(map(len, named), default=0) + 2
    return "\n".join([part, *(f"  {n:{width}}{_said(v)}" for n, v in named.items())])


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
