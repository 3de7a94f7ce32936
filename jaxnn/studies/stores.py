"""Stores that are there: what they are, how far they are, and what was written of them. Nothing is
computed and no array is read.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

from jaxnn import results
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import List, Show

COMMANDS = {"initial weights": "study"}
"""Which command makes the stores of a study, where its name is another."""


def listing(settings: List) -> Report:
    """A line for each store in the folder and below it.

    Raises:
        ValueError: no such folder.
    """
    folder = settings.folder
    if not folder.is_dir():
        raise ValueError(f"{folder}: no folder there; give the one that holds the stores")
    rows = [_row(file.parent) for file in sorted(folder.rglob("manifest.json"))]
    rows = [row for row in rows if row]
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


def _row(path: Path) -> dict[str, Any] | None:
    """What is known of a store at a glance; None where the folder is none."""
    try:
        manifest = results.read_manifest(path) or {}
        networks, chunks = extent(path, manifest)
    except (ValueError, OSError) as error:
        return {"path": path, "fault": f"cannot be read: {' '.join(str(error).split())}"}
    files = [file.stat() for file in path.rglob("*") if file.is_file()]
    made = (path / "manifest.json").stat().st_mtime
    return {
        "path": path,
        "command": command_of(manifest),
        "data": manifest["settings"]["data"],
        "networks": networks,
        "chunks": {"done": len(results.finished(path)), "all": chunks},
        "bytes": sum(stat.st_size for stat in files),
        "made": datetime.fromtimestamp(made).isoformat(" ", "minutes"),
    }


def command_of(manifest: dict[str, Any]) -> str:
    """The command that made the store."""
    study = str(manifest["study"])
    return COMMANDS.get(study, study)


def extent(path: Path, manifest: dict[str, Any]) -> tuple[int, int]:
    """How many networks a store has room for, and in how many chunks they are written.

    Raises:
        ValueError: arrays that are missing or cannot be read.
    """
    name, dims = min(manifest["variables"].items(), key=lambda entry: len(entry[1]))
    file = path / "arrays.zarr" / name / "zarr.json"
    try:
        array = json.loads(file.read_text("utf-8"))
        shape, cut = array["shape"], array["chunk_grid"]["configuration"]["chunk_shape"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: is no array of a store of {len(dims)} axes ({error})") from error
    return math.prod(shape), math.prod(-(-n // c) for n, c in zip(shape, cut, strict=True))


def shown(settings: Show) -> Report:
    """The settings, versions, certificate and table of a store, as they were written.

    Raises:
        ValueError: no store there, or as `results.read_manifest`.
    """
    path = settings.store
    manifest = results.read_manifest(path)
    if manifest is None:
        raise ValueError(f"{path}: no store there; jaxnn list says where there are some")
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
    found = json.loads(_text(path / "findings.json") or "null")
    named = {"manifest": manifest, "chunks": {"done": done, "all": chunks}, "findings": found}
    return Report("\n\n".join(parts), named, settings=manifest["settings"])


def _text(file: Path) -> str:
    return file.read_text("utf-8").rstrip("\n") if file.is_file() else ""


def _named(manifest: dict[str, Any], part: str) -> str:
    """A part of the manifest, a line each; what was not set is left out."""
    named = {n: v for n, v in manifest.get(part, {}).items() if v not in (None, [], "")}
    width = max(map(len, named), default=0) + 2
    return "\n".join([part, *(f"  {n:{width}}{_said(v)}" for n, v in named.items())])


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def in_bytes(count: float) -> str:
    """A number of bytes, in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
