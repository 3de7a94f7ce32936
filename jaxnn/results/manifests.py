"""A store's manifest: what was asked, by which versions, in which format, as one JSON file."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnn import __version__

FORMAT = 1
"""The layout of a store on disk."""
READABLE_FROM = "0.1.0"
"""The first version of jaxnn that reads this format; raise it with FORMAT."""


def read_manifest(path: str | Path) -> dict[str, Any] | None:
    """The manifest of the store at this path, or None where there is nothing or an empty folder.

    Raises:
        ValueError: the folder holds something that is not a store, or a store of a later format.
    """
    path = Path(path)
    file = path / "manifest.json"
    if not file.is_file():
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(f"{path}: exists, is not empty and is no store; choose another folder")
        return None
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        there = manifest["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{file}: is no manifest of a store ({error!r})") from error
    if there != FORMAT:
        first, needs = manifest.get("readable_from"), "another version of jaxnn"
        if isinstance(there, int) and there > FORMAT and isinstance(first, str):
            needs = f"jaxnn {first:.20} or newer"
        raise ValueError(
            f"{path}: is a store of format {there!s:.20}, which needs {needs}; this is jaxnn "
            f"{__version__}, which reads format {FORMAT}"
        )
    return manifest


def refuse_foreign(folder: Path, *, ours: tuple[str, ...]) -> None:
    """Leave alone a folder that holds what is none of ours: names of these patterns, or a store's.

    Raises:
        ValueError: it is neither empty, nor a store, nor in one, and something else lies there.
    """
    for place in (folder, folder.parent):
        if (place / "manifest.json").is_file() and (place / "arrays.zarr").is_dir():
            return
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder}: is a file; choose another folder")
    for entry in sorted(folder.iterdir()):
        if not any(fnmatch.fnmatch(entry.name, pattern) for pattern in ours):
            raise ValueError(
                f"{folder}: exists, is not empty and is no store ({entry.name} lies there); choose "
                "another folder"
            )


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a store whose arrays have been made, with its format, the version and
    the time of writing, and the SHA-256 of each array's description and of itself.
    """
    described = {
        str(file.parent.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("arrays.zarr/**/zarr.json"))
    }
    full = {
        "format": FORMAT,
        "readable_from": READABLE_FROM,
        "written_by": __version__,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **manifest,
        "descriptions": described,
    }
    text = json.dumps({**full, "sha256": digest_of(full)}, indent=2)
    write_atomically(folder / "manifest.json", f"{text}\n")


def digest_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says, but for that digest itself."""
    said = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write_atomically(file: str | Path, content: str) -> None:
    """The whole content under this name, or nothing: temporary file, fsync, rename."""
    file = Path(file)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)
