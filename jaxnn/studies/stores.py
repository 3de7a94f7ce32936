"""Stores that are there: what they are, how far they are, and what was written of them. Nothing is
computed and no array is read.
"""

from __future__ import annotations

import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from jaxnn import results
from jaxnn.memory import in_bytes
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import List, Show

COMMANDS = {"initial weights": "study"}
"""Which command makes the stores of a study, where its name is another."""
PARTS = {"study": str, "settings": dict}
"""What every command's manifest has."""
MORE = ("network", "data", "versions", "machine", "gradient_check")
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
    """The stores at this path and below it, in order."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in ("arrays.zarr", "done"))
        if "manifest.json" in files:
            found.append(Path(place))
    return found


def _row(path: Path) -> dict[str, Any]:
    """What is known of a store at a glance."""
    try:
        manifest = manifest_of(path)
        networks, chunks = extent(path, manifest)
    except (ValueError, OSError) as error:
        return {"path": path, "fault": f"cannot be read: {' '.join(str(error).split())}"}
    files = [file.stat() for file in path.rglob("*") if file.is_file()]
    made = (path / "manifest.json").stat().st_mtime
    return {
        "path": path,
        "command": command_of(manifest),
        "data": str(manifest["settings"].get("data", "")),
        "networks": networks,
        "chunks": {"done": len(results.finished(path)), "all": chunks},
        "bytes": sum(stat.st_size for stat in files),
        "made": datetime.fromtimestamp(made).isoformat(" ", "minutes"),
    }


def manifest_of(path: Path) -> dict[str, Any]:
    """The manifest of the store that a command made.

    Raises:
        ValueError: no store there, a manifest that no command writes, or as
            `results.read_manifest`.
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
    return manifest


def command_of(manifest: dict[str, Any]) -> str:
    """The command that made the store."""
    study = str(manifest["study"])
    return COMMANDS.get(study, study)


def extent(path: Path, manifest: dict[str, Any]) -> tuple[int, int]:
    """How many networks a store has room for, and in how many chunks they are written.

    Raises:
        ValueError: arrays that are missing or cannot be read.
    """
    file = path / "manifest.json"
    try:
        name = min(manifest["variables"].items(), key=lambda entry: len(entry[1]))[0]
        file = path / "arrays.zarr" / name / "zarr.json"
        array = json.loads(file.read_text("utf-8"))
        shape, cut = array["shape"], array["chunk_grid"]["configuration"]["chunk_shape"]
        return math.prod(shape), math.prod(-(-n // c) for n, c in zip(shape, cut, strict=True))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{file}: does not describe the arrays of a store ({error})") from error


def shown(settings: Show) -> Report:
    """The settings, versions, certificate and table of a store, as they were written.

    Raises:
        ValueError: as `manifest_of`.
    """
    path = settings.store
    manifest = manifest_of(path)
    networks, chunks = extent(path, manifest)
    done = len(results.finished(path))
    check = manifest.get("gradient_check", {})
    parts = [
        f"{path}: {command_of(manifest)} of {networks} networks, {done} of {chunks} chunks done\n"
        f"{manifest['data'].get('note', '')}".rstrip(),
        *(_named(manifest, part) for part in ("settings", "network", "versions", "machine")),
        "\n".join(["gradient check, float64", *(f"  {line}" for line in check.get("table", ()))]),
        _text(path / "table.txt") or "no table yet: it is written with the last chunk",
    ]
    found = _findings(path / "findings.json")
    named = {"manifest": manifest, "chunks": {"done": done, "all": chunks}, "findings": found}
    return Report("\n\n".join(parts), named, settings=manifest["settings"])


def _text(file: Path) -> str:
    return file.read_text("utf-8").rstrip("\n") if file.is_file() else ""


def _findings(file: Path) -> Any:
    try:
        return json.loads(_text(file) or "null")
    except ValueError as error:
        raise ValueError(f"{file}: cannot be read ({error})") from error


def _named(manifest: dict[str, Any], part: str) -> str:
    """A part of the manifest, a line each; what was not set is left out."""
    named = {n: v for n, v in manifest.get(part, {}).items() if v not in (None, [], "")}
    width = max(map(len, named), default=0) + 2
    return "\n".join([part, *(f"  {n:{width}}{_said(v)}" for n, v in named.items())])


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
