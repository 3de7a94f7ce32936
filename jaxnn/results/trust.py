"""What a store may hold. A store may come from a stranger, so whatever this program never writes is
refused before any of it is decoded: other codecs (some unpickle), links, names that are paths,
lengths that no array has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn import regular_files
from jaxnn.results.manifests import changed, read_manifest
from jaxnn.results.marks import DONE, Array

CODECS = ("bytes", "zstd", "crc32c")
"""What arrays are written with, in this order; none of them can run anything."""
DTYPES = {
    "bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    "float16", "float32", "float64",
}  # fmt: skip
ARRAYS = "arrays.zarr"
LARGEST_PIECE = 2**31 - 1
"""Bytes of the largest chunk of an array, which is what the codec zstd can write."""
LONGEST_AXIS = 2**40
_UNREAD = "no store that jaxnn writes has that, left unread"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def trusted(path: str | Path) -> dict[str, Any]:
    """The manifest of the store at this path, which is what was written and describes nothing that
    a store never holds.

    Raises:
        ValueError: no store there; something in it that this program never writes, named; as
            `read_manifest`.
    """
    return described(path)[0]


def arrays_of(path: str | Path) -> dict[str, Array]:
    """What each array of a store is, in the manifest's order.

    Raises:
        ValueError: as `trusted`.
    """
    return described(path, everywhere=False)[1]


def described(
    path: str | Path, *, everywhere: bool = True
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest, and what each array is, in the manifest's order.

    everywhere: look at every file's kind, not only at those that describe the store.

    Raises:
        ValueError: as `trusted`.
    """
    path = Path(path)
    manifest = read_manifest(path)
    if manifest is None:
        raise ValueError(f"{path}: no store there")
    arrays: dict[str, Array] = {}
    if everywhere:
        refuse_strange(path)
    for fault in _faults(path, manifest, arrays):
        raise ValueError(f"{path}: {fault}; {_UNREAD}")
    for _, fault in changed(path, manifest):
        raise ValueError(f"{path}: {fault}; jaxnn verify {path} says what is damaged")
    return manifest, arrays


def refuse_strange(path: Path) -> None:
    """Leave alone a store in which something is neither a folder nor a regular file.

    Raises:
        ValueError: with the first such thing; links would lead to somebody else's files.
    """
    for fault in regular_files.strange(path):
        raise ValueError(f"{path}: {fault}; {_UNREAD}")


def _faults(path: Path, manifest: Mapping[str, Any], arrays: dict[str, Array]) -> Iterator[str]:
    """What this program never writes, found without decoding anything; `arrays` learns the rest."""
    labels, variables = manifest.get("coordinates"), manifest.get("variables")
    if not isinstance(labels, dict) or not isinstance(variables, dict) or not variables:
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
    if not (path / ARRAYS).is_dir():
        yield f"{ARRAYS} is missing"
        return
    there = {entry.name for entry in os.scandir(path / ARRAYS) if entry.is_dir()}
    if there != set(variables):
        odd = sorted(there ^ set(variables))
        yield f"{ARRAYS} and the manifest name different variables ({', '.join(odd):.80})"
        return
    yield from _group_faults(path)
    lengths = {dim: (len(own), 0) for dim, own in labels.items()}
    for name, own in variables.items():
        yield from _array_faults(path, name, own, arrays)
        array = arrays[name]
        for dim, length, cut in zip(array.dims, array.shape, array.cuts, strict=True):
            known = lengths.get(dim, (length, 0))
            if known[0] != length or known[1] not in (0, cut):
                yield f"{name} has other lengths than its labels or another variable"
            lengths[dim] = (length, cut)
    if not (path / DONE).is_dir():
        yield f"{DONE} is missing"


def _group_faults(path: Path) -> Iterator[str]:
    """What is strange in the description of the arrays' folder."""
    try:
        said = regular_files.read_json(path, f"{ARRAYS}/zarr.json", limit=2**20)
    except (OSError, ValueError) as error:
        yield f"{ARRAYS}/zarr.json does not describe a group ({type(error).__name__})"
        return
    plain = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    if said != plain:
        yield f"{ARRAYS} is no plain group of Zarr's format 3"


def _array_faults(
    path: Path, name: str, dims: list[str], arrays: dict[str, Array]
) -> Iterator[str]:
    """What is strange in the description of one array; `arrays` learns what it is."""
    try:
        said = regular_files.read_json(path, f"{ARRAYS}/{name}/zarr.json", limit=2**20)
        codecs = [codec["name"] for codec in said["codecs"]]
        kind, shape, named = said["data_type"], said["shape"], said["dimension_names"]
        plain = (said["zarr_format"], said["node_type"], said["chunk_grid"]["name"])
        cuts = said["chunk_grid"]["configuration"]["chunk_shape"]
        attributes = list(said["attributes"].values())
        keys, fill = said["chunk_key_encoding"], said["fill_value"]
        settings = [codec.get("configuration", {}) for codec in said["codecs"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"zarr.json of {name} does not describe an array ({type(error).__name__})"
        return
    keyed = {"name": "default", "configuration": {"separator": "/"}}
    if plain != (3, "array", "regular") or said.get("storage_transformers") or keys != keyed:
        yield f"{name} is no regular array of Zarr's format 3"
    if not (isinstance(kind, str) and kind in DTYPES):
        yield f"{name} has the data type {kind!r:.60}"
    for codec in codecs:
        if not (isinstance(codec, str) and codec in CODECS):
            yield f"{name} is written by the codec {codec!r:.60}"
    if codecs != list(CODECS) or not _codecs_fit(*settings):
        yield f"{name} is not written by the codecs {', '.join(CODECS)} alone, as they are set here"
    if named != dims or not _whole(shape) or len(shape) != len(dims):
        yield f"{name} has other dimensions than the manifest says"
    if not _whole(cuts) or len(cuts) != len(shape) or not _cut(shape, cuts):
        yield f"{name} is cut into chunks that do not fit it"
    array = Array(tuple(dims), tuple(shape), tuple(cuts), np.dtype(kind), np.nan)
    if max(shape, default=0) > LONGEST_AXIS or array.piece > LARGEST_PIECE:
        yield f"{name} is larger than any that is written here"
    if not _fills(fill, array.dtype):
        yield f"{name} is filled with {fill!r:.60} where nothing is written"
    if not all(_plain(value if isinstance(value, list) else [value]) for value in attributes):
        yield f"{name} has an attribute that is neither text nor numbers"
    arrays[name] = array if fill == "NaN" else array._replace(fill=fill)


def _whole(lengths: Any) -> bool:
    return isinstance(lengths, list) and all(type(n) is int and n >= 0 for n in lengths)


def _cut(shape: list[int], cuts: list[int]) -> bool:
    return all(1 <= cut <= max(1, n) for n, cut in zip(shape, cuts, strict=True))


def _codecs_fit(order: Any, packing: Any, check: Any) -> bool:
    """Whether codecs are set as arrays here are, or otherwise without harm."""
    if not (isinstance(order, dict) and isinstance(packing, dict) and check in ({}, None)):
        return False
    level = packing.get("level", 0)
    return (
        order.get("endian", "little") in ("little", "big")
        and set(order) <= {"endian"}
        and set(packing) <= {"level", "checksum"}
        and type(level) is int
        and -100 <= level <= 22
        and type(packing.get("checksum", False)) is bool
    )


def _fills(fill: Any, kind: np.dtype) -> bool:
    """Whether this is what an array of this type has where nothing is written."""
    if kind.kind == "f":
        return fill == "NaN"
    return type(fill) is {"b": bool}.get(kind.kind, int) and (
        kind.kind == "b" or np.iinfo(kind).min <= fill <= np.iinfo(kind).max
    )


def _plain(labels: Any) -> bool:
    """Whether these are numbers, or text that can be printed."""
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of unequal lengths
        return False
    if array.ndim != 1 or array.dtype.kind not in "iufUb":
        return False
    return array.dtype.kind != "U" or all(str(label).isprintable() for label in array)
