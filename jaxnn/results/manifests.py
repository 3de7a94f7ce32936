"""A store's manifest: what was asked, by which versions, in which format, as one JSON file."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxnn import __version__, regular_files

FORMAT = 2
"""The layout of a store on disk: in 1, marks had no digest of themselves, and tables,
findings, pages and figures had none at all."""
READ = (1, FORMAT)
"""The formats that are read, and gone on with."""
MANIFEST = "manifest.json"
READABLE_FROM = "0.1.0"
"""The first version of jaxnn that reads this format; raise it with FORMAT."""


def read_manifest(path: str | Path, *, to_write: bool = False) -> dict[str, Any] | None:
    """The manifest of the store at this path, or None where there is nothing or an empty folder.

    to_write: whether a store is to be made there, which decides what an error advises.

    Raises:
        ValueError: the folder holds something that is not a store, or a store of a later format.
    """
    path = Path(path)
    file = path / MANIFEST
    if not (file.exists() or file.is_symlink()):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            do = "choose another folder" if to_write else "give the folder of a store"
            raise ValueError(f"{path}: exists, is not empty and is no store; {do}")
        return None
    try:
        manifest = regular_files.read_json(path, MANIFEST, limit=2**26)
    except ValueError as error:
        said = str(error).removeprefix(f"{file}: ")
        raise ValueError(f"{file}: is no manifest of a store, it {said}") from error
    there = manifest.get("format")
    if there is None:
        raise ValueError(f"{file}: is no manifest of a store, it names no format")
    if type(there) is not int or there not in READ:
        first, needs = manifest.get("readable_from"), "another version of jaxnn"
        if isinstance(there, int) and there > FORMAT and isinstance(first, str):
            needs = f"jaxnn {first:.20} or newer"
        raise ValueError(
            f"{path}: is a store of format {there!s:.20}, which needs {needs}; this is jaxnn "
            f"{__version__}, which reads formats {READ[0]} to {FORMAT}"
        )
    return manifest


def changed(path: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What of the manifest, and of what describes the arrays, is not what was written: the
    variable ("" for all) and what is wrong.

    Raises:
        ValueError: a description that is reached through a link.
    """
    unguarded = "sha256" not in manifest and manifest["format"] == 1
    if not unguarded and digest_of(manifest) != manifest.get("sha256"):
        yield "", f"{MANIFEST} is not what was written"
        return
    described = manifest.get("descriptions", {})
    if not isinstance(described, dict):
        yield "", f"{MANIFEST} describes no arrays"
        return
    for folder, digest in described.items():
        name = f"{folder}/zarr.json"
        try:
            content = regular_files.read(path, name, limit=2**20)
        except (FileNotFoundError, NotADirectoryError):
            yield Path(folder).name, f"{name} is missing"
            continue
        if hashlib.sha256(content).hexdigest() != digest:
            yield Path(folder).name, f"{name} is not what was written"


def refuse_foreign(folder: Path, *, ours: tuple[str, ...]) -> None:
    """Leave alone a folder that holds what is none of ours: names of these patterns, or a store's.

    Raises:
        ValueError: it is neither empty, nor a store, nor in one, and something else lies there.
    """
    for place in (folder, folder.parent):
        if is_store(place):
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


def is_store(folder: Path) -> bool:
    """Whether a manifest and arrays lie there; nothing is read."""
    return (folder / MANIFEST).is_file() and (folder / "arrays.zarr").is_dir()


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
    text = json.dumps({**full, "sha256": digest_of(full)}, indent=2, allow_nan=False)
    regular_files.write(folder, MANIFEST, f"{text}\n")


def digest_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says, but for that digest itself."""
    said = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
