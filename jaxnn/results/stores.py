"""The arrays of a store: made whole, written chunk by chunk, each chunk marked when it is done."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxnn import regular_files
from jaxnn.results import digests
from jaxnn.results.manifests import write_manifest
from jaxnn.results.marks import DONE, Array, Region, cell_of, lies_at, whole, write_mark
from jaxnn.results.trust import ARRAYS, described


class Variable(NamedTuple):
    """An array of the store: its dimensions' names, dtype, and attributes (CF style: units,
    long_name).
    """

    dims: tuple[str, ...]
    dtype: str
    attributes: Mapping[str, Any]


def open_arrays(
    path: str | Path, mode: Literal["r", "r+", "w"], arrays: Mapping[str, Array] | None
) -> Any:
    """The group of a store's arrays, Zarr's format 3 and as each array describes itself: no older
    format, whose filters can run code, and no second description.

    arrays: as `trust.described` gives them; None while the store is made.
    """
    import zarr  # 0.6 s with xarray: only when a store is touched

    files = array_files(path, arrays, read_only=mode == "r")
    return zarr.open_group(files, mode=mode, zarr_format=3, use_consolidated=False)


def array_files(path: str | Path, arrays: Mapping[str, Array] | None, *, read_only: bool) -> Any:
    """The folder of a store's arrays, as Zarr reads and writes it."""
    from jaxnn.results.zarr_files import ArrayFiles  # as above

    return ArrayFiles(Path(path) / ARRAYS, arrays=arrays, read_only=read_only)


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
    making = path.with_name(regular_files.temporary_name(path.name))
    shutil.rmtree(making, ignore_errors=True)
    try:
        (making / DONE).mkdir(parents=True)
    except OSError as error:
        reason = f"the store cannot be made ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from error
    from zarr.codecs import Crc32cCodec, ZstdCodec

    group = open_arrays(making, "w", None)
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
    digests.begin(making)
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
        ValueError: an array that does not have its region's shape, a variable left out, or a region
            that is not the chunk's: they are counted row by row of the grid that the store is cut
            into.
    """
    path = Path(path)
    _, kinds = described(path, everywhere=False)
    if set(arrays) != set(kinds):
        wanted = sorted(kinds)
        raise ValueError(f"chunk {number} has {sorted(arrays)}, the store wants {wanted}")
    cell = cell_of(kinds, number)
    if cell is None or not lies_at(region, cell, whole(kinds)):
        raise ValueError(f"chunk {number} lies at {cell}, not at {dict(region)}")
    with regular_files.named(path):
        group = open_arrays(path, "r+", kinds)
        for name, values in arrays.items():
            where = where_of(kinds[name], cell)
            shape = tuple(s.stop - s.start for s in where)
            if values.shape != shape:
                raise ValueError(
                    f"chunk {number}: {name} has shape {values.shape}, its region {shape}"
                )
            group[name][where] = values
        found = {
            name: digest_of(group[name][where_of(kinds[name], cell)]) for name in sorted(arrays)
        }
    write_mark(path, number, region, found)


def where_of(array: Array, region: Region) -> tuple[slice, ...]:
    """Where the region lies in an array, as its index."""
    return tuple(slice(*region[dim]) for dim in array.dims)


def digest_of(values: Any) -> str:
    """SHA-256 of the bytes of an array."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
