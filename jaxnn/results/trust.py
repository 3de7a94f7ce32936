"""What a store may hold. A store may come from a stranger, so whatever this program never writes is
refused before any of it is decoded: other codecs (some unpickle), links, names that are paths.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn.results.manifests import read_manifest

CODECS = {"bytes", "zstd", "crc32c"}
"""What arrays are written with; none of them can run anything."""
DTYPES = {
    "bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "float16", "float32", "float64",
}  # fmt: skip
ARRAYS = "arrays.zarr"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def trusted(path: str | Path) -> dict[str, Any]:
    """The manifest of the store at this path, which holds nothing that a store never holds.

    Raises:
        ValueError: no store there; something in it that this program never writes, named; as
            `read_manifest`.
    """
    path = Path(path)
    manifest = read_manifest(path)
    if manifest is None:
        raise ValueError(f"{path}: no store there")
    for fault in _faults(path, manifest):
        raise ValueError(f"{path}: {fault}; no store that jaxnn writes has that, left unread")
    return manifest


def _faults(path: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What this program never writes, found without decoding anything."""
    yield from (f"{link} is a link" for link in _links(path))
    labels, variables = manifest.get("coordinates"), manifest.get("variables")
    if not isinstance(labels, dict) or not isinstance(variables, dict):
        yield "its manifest names no coordinates and variables"
        return
    dims = [dim for own in variables.values() for dim in (own if isinstance(own, list) else [own])]
    for name in (*labels, *variables, *dims):
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            yield f"{name!r:.60} is no name of a variable or dimension"
            return
    yield from (f"the labels of {dim} are damaged" for dim in labels if not _plain(labels[dim]))
    settings = manifest.get("settings") or {}
    data = settings.get("data", "") if isinstance(settings, dict) else None
    if not isinstance(data, str) or data != os.path.basename(data):
        yield f"the data set {data!r:.60} is a path"
    there = {entry.name for entry in os.scandir(path / ARRAYS) if entry.is_dir()}
    if there != set(variables):
        odd = sorted(there ^ set(variables))
        yield f"{ARRAYS} and the manifest name different variables ({', '.join(odd):.80})"
        return
    lengths = {dim: len(labels[dim]) for dim in labels}
    for name, own in variables.items():
        yield from _array_faults(path / ARRAYS / name / "zarr.json", name, own, lengths)


def _array_faults(file: Path, name: str, dims: list[str], lengths: dict[str, int]) -> Iterator[str]:
    """What is strange in the description of one array; `lengths` learns those of its dimensions."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        codecs = [codec["name"] for codec in said["codecs"]]
        kind, shape, named = said["data_type"], said["shape"], said["dimension_names"]
        plain = (said["zarr_format"], said["node_type"], said["chunk_grid"]["name"])
        attributes = list(said["attributes"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield f"{file.name} of {name} does not describe an array ({type(error).__name__})"
        return
    if plain != (3, "array", "regular") or said.get("storage_transformers"):
        yield f"{name} is no regular array of Zarr's format 3"
    if not (isinstance(kind, str) and kind in DTYPES):
        yield f"{name} has the data type {kind!r:.60}"
    for codec in codecs:
        if not (isinstance(codec, str) and codec in CODECS):
            yield f"{name} is written by the codec {codec!r:.60}"
    fits = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if named != dims or not fits or len(shape) != len(dims):
        yield f"{name} has other dimensions than the manifest says"
    elif any(lengths.setdefault(dim, n) != n for dim, n in zip(dims, shape, strict=True)):
        yield f"{name} has other lengths than its labels or another variable"
    if not all(_plain(value if isinstance(value, list) else [value]) for value in attributes):
        yield f"{name} has an attribute that is neither text nor numbers"


def _plain(labels: Any) -> bool:
    """Whether these are numbers, or text that can be printed."""
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of unequal lengths
        return False
    if array.ndim != 1 or array.dtype.kind not in "iufUb":
        return False
    return array.dtype.kind != "U" or all(str(label).isprintable() for label in array)


def _links(path: Path) -> Iterator[str]:
    """The links among the files of a store, which would lead out of it."""
    for part in (path / "manifest.json", path / "done", path / ARRAYS):
        if part.is_symlink():
            yield part.name
        for folder, folders, files in os.walk(part):
            for name in (*folders, *files):
                if os.path.islink(os.path.join(folder, name)):
                    yield os.path.relpath(os.path.join(folder, name), path)
