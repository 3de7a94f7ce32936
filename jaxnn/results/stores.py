"""The arrays of a store: made whole, written chunk by chunk, each chunk marked when it is done."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxnn.results.manifests import write_atomically, write_manifest
from jaxnn.results.trust import ARRAYS


class Variable(NamedTuple):
    """An array of the store: its dimensions' names, dtype, and attributes (CF style: units,
    long_name).
    """

    dims: tuple[str, ...]
    dtype: str
    attributes: Mapping[str, Any]


Region = Mapping[str, tuple[int, int]]
"""Where a chunk lies: dimension -> (start, stop); the whole of every dimension that is not
named."""


_MARK = re.compile(r"(\d{6,12})\.json")


def open_arrays(path: str | Path, mode: Literal["r", "r+", "w"]) -> Any:
    """The group of a store's arrays, Zarr's format 3 and as each array describes itself: no older
    format, whose filters can run code, and no second description.
    """
    import zarr  # 0.6 s with xarray: only when a store is touched

    return zarr.open_group(Path(path) / ARRAYS, mode=mode, zarr_format=3, use_consolidated=False)


def create(
    path: str | Path,
    manifest: Mapping[str, Any],
    *,
    coordinates: Mapping[str, Any],
    lengths: Mapping[str, int],
    chunks: Mapping[str, int],
    variables: Mapping[str, Variable],
) -> None:
    """Make an empty store, whole and at once; where another process was first, its store is left.

    Args:
        path: a folder that is not there or is empty.
        manifest: what JSON can hold; `coordinates`, `variables` and what `write_manifest` says of
            the writing are added.
        coordinates: dimension -> its labels, numbers or strings.
        lengths: dimension -> its length, for every dimension.
        chunks: dimension -> the length of a chunk along it; the whole where not named.
        variables: name -> Variable.
    """
    path = Path(path)
    making = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        (making / "done").mkdir(parents=True)
    except OSError as error:
        reason = f"the store cannot be made ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from error
    from zarr.codecs import Crc32cCodec, ZstdCodec

    group = open_arrays(making, "w")
    for name, variable in variables.items():
        shape = tuple(lengths[dim] for dim in variable.dims)
        group.create_array(
            name,
            shape=shape,
            chunks=tuple(
                max(1, min(chunks.get(dim, n), n))
                for dim, n in zip(variable.dims, shape, strict=True)
            ),
            dtype=variable.dtype,
            compressors=[ZstdCodec(), Crc32cCodec()],  # any flipped byte of a file is noticed
            fill_value=np.nan if np.dtype(variable.dtype).kind == "f" else -1,
            dimension_names=variable.dims,
            attributes=dict(variable.attributes),
        )
    full = {
        **manifest,
        "coordinates": {dim: list(labels) for dim, labels in coordinates.items()},
        "variables": {name: list(variable.dims) for name, variable in variables.items()},
    }
    write_manifest(making, full)
    try:
        os.rename(making, path)  # onto nothing or an empty folder, else it fails
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def write_chunk(
    path: str | Path, number: int, region: Region, arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a chunk's arrays into their region, then mark the chunk as done.

    Raises:
        ValueError: an array that does not have its region's shape, or a variable left out.
    """
    path = Path(path)
    group = open_arrays(path, "r+")
    wanted = set(group.array_keys())
    if set(arrays) != wanted:
        raise ValueError(f"chunk {number} has {sorted(arrays)}, the store wants {sorted(wanted)}")
    for name, values in arrays.items():
        where = where_of(group[name], region)
        shape = tuple(s.stop - s.start for s in where)
        if values.shape != shape:
            raise ValueError(f"chunk {number}: {name} has shape {values.shape}, its region {shape}")
        group[name][where] = values
    mark = {
        "region": {dim: list(span) for dim, span in region.items()},
        "sha256": {name: digest_at(group, name, region) for name in sorted(arrays)},
    }
    write_atomically(mark_of(path, number), json.dumps(mark) + "\n")


def mark_of(path: Path, number: int) -> Path:
    """The file that says that this chunk is done."""
    return path / "done" / f"{number:06d}.json"


def where_of(array: Any, region: Region) -> tuple[slice, ...]:
    """Where the region lies in an array, as its index."""
    spans = zip(array.metadata.dimension_names, array.shape, strict=True)
    return tuple(slice(*region.get(dim, (0, length))) for dim, length in spans)


def digest_at(group: Any, name: str, region: Region) -> str:
    """SHA-256 of the bytes as they are read back from the disk."""
    values = np.ascontiguousarray(group[name][where_of(group[name], region)])
    return hashlib.sha256(values.tobytes()).hexdigest()


def finished(path: str | Path) -> set[int]:
    """The numbers of the chunks that are marked as done."""
    names = (file.name for file in (Path(path) / "done").glob("*.json"))
    return {int(mark[1]) for mark in map(_MARK.fullmatch, names) if mark}
