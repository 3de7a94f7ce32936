"""The store: labelled arrays on disk, written chunk by chunk, that a killed run can be taken up
from.

A store is a folder: `manifest.json` (what was asked, by which versions), `arrays.zarr` (every array
with named dimensions, NaN where nothing was written yet), `done/` (one small file per finished
chunk, written last and by rename, with the SHA-256 of what the chunk holds). Nothing in it is ever
unpickled.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FORMAT = 1
"""The layout of a store on disk."""


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


def _zarr() -> Any:
    import zarr  # 0.6 s with xarray: only when a store is touched

    return zarr


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
        manifest = json.loads(file.read_text())
        version = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: is no manifest of a store ({error!r})") from error
    if version != FORMAT:
        raise ValueError(f"{path}: is a store of format {version}; this version reads {FORMAT}")
    return manifest


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
        manifest: what JSON can hold; `format`, `coordinates` and `variables` are added.
        coordinates: dimension -> its labels, numbers or strings.
        lengths: dimension -> its length, for every dimension.
        chunks: dimension -> the length of a chunk along it; the whole where not named.
        variables: name -> Variable.
    """
    zarr, path = _zarr(), Path(path)
    making = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        (making / "done").mkdir(parents=True)
    except OSError as error:
        reason = f"the store cannot be made ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from error
    group = zarr.open_group(making / "arrays.zarr", mode="w")
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
            fill_value=np.nan if np.dtype(variable.dtype).kind == "f" else -1,
            dimension_names=variable.dims,
            attributes=dict(variable.attributes),
        )
    full = {
        "format": FORMAT,
        **manifest,
        "coordinates": {dim: list(labels) for dim, labels in coordinates.items()},
        "variables": {name: list(variable.dims) for name, variable in variables.items()},
    }
    write_atomically(making / "manifest.json", json.dumps(full, indent=2) + "\n")
    try:
        os.rename(making, path)  # onto nothing or an empty folder, else it fails
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def write_atomically(file: str | Path, content: str) -> None:
    """The whole content under this name, or nothing: temporary file, fsync, rename."""
    file = Path(file)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)


def write_chunk(
    path: str | Path, number: int, region: Region, arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a chunk's arrays into their region, then mark the chunk as done.

    Raises:
        ValueError: an array that does not have its region's shape, or a variable left out.
    """
    path, zarr = Path(path), _zarr()
    group = zarr.open_group(path / "arrays.zarr", mode="r+")
    wanted = set(group.array_keys())
    if set(arrays) != wanted:
        raise ValueError(f"chunk {number} has {sorted(arrays)}, the store wants {sorted(wanted)}")
    for name, values in arrays.items():
        where = _where(group[name], region)
        shape = tuple(s.stop - s.start for s in where)
        if values.shape != shape:
            raise ValueError(f"chunk {number}: {name} has shape {values.shape}, its region {shape}")
        group[name][where] = values
    mark = {
        "region": {dim: list(span) for dim, span in region.items()},
        "sha256": {name: _digest(group, name, region) for name in sorted(arrays)},
    }
    write_atomically(_mark(path, number), json.dumps(mark) + "\n")


def _mark(path: Path, number: int) -> Path:
    return path / "done" / f"{number:06d}.json"


def _where(array: Any, region: Region) -> tuple[slice, ...]:
    spans = zip(array.metadata.dimension_names, array.shape, strict=True)
    return tuple(slice(*region.get(dim, (0, length))) for dim, length in spans)


def _digest(group: Any, name: str, region: Region) -> str:
    """SHA-256 of the bytes as they are read back from the disk."""
    values = np.ascontiguousarray(group[name][_where(group[name], region)])
    return hashlib.sha256(values.tobytes()).hexdigest()


def finished(path: str | Path) -> set[int]:
    """The numbers of the chunks that are marked as done."""
    return {int(mark.stem) for mark in (Path(path) / "done").glob("[0-9]*.json")}


def verify(path: str | Path) -> list[str]:
    """What is wrong with the store, one line a finding; an empty list where every chunk is whole.

    Reads every array again and compares it with the digest written when the chunk was finished.
    Unfinished chunks are no fault: see `finished`.

    Raises:
        ValueError: no store there, or as `read_manifest`.
    """
    path = Path(path)
    if read_manifest(path) is None:
        raise ValueError(f"{path}: no store there")
    group, findings = _zarr().open_group(path / "arrays.zarr", mode="r"), []
    for number in sorted(finished(path)):
        try:
            mark = json.loads(_mark(path, number).read_text())
            digests = mark["sha256"].items()
            region = {dim: tuple(span) for dim, span in mark["region"].items()}
        except (ValueError, KeyError, AttributeError) as error:
            findings.append(f"chunk {number}: its mark is damaged ({error!r})")
            continue
        for name, digest in digests:
            try:
                whole = _digest(group, name, region) == digest
            except Exception as error:
                whole, reason = False, f" ({type(error).__name__})"
            else:
                reason = ""
            if not whole:
                findings.append(f"chunk {number}: {name} is not what was written{reason}")
    return findings


def load(path: str | Path) -> Any:
    """The store as an xarray.Dataset with named dimensions, labels, units and long names, in
    memory.

    What is not yet written is NaN (floats) or -1 (codes and counts). The manifest is
    `.attrs["manifest"]`, as JSON.

    Raises:
        ValueError: no store there, or as `read_manifest`.
    """
    import xarray as xr

    path = Path(path)
    manifest = read_manifest(path)
    if manifest is None:
        raise ValueError(f"{path}: no store there")
    group = _zarr().open_group(path / "arrays.zarr", mode="r")
    arrays = {
        name: (group[name].metadata.dimension_names, group[name][...], dict(group[name].attrs))
        for name in manifest["variables"]
    }
    return xr.Dataset(
        arrays, coords=manifest["coordinates"], attrs={"manifest": json.dumps(manifest)}
    )
