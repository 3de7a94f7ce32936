"""A store as an xarray.Dataset: named dimensions, labels, units and long names (CF style)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnn import memory
from jaxnn.results.axes import axis_attributes
from jaxnn.results.damage import damaged, unlike, verify
from jaxnn.results.stores import array_files
from jaxnn.results.trust import described


def open(path: str | Path) -> Any:  # noqa: A001  (results.open is what users look for)
    """The store as an xarray.Dataset, read from the disk when a value is first asked for.

    Every dimension has labels, and everything has `long_name` and `units` (CF conventions). What is
    not yet written is NaN (floats) or -1 (codes and counts). `.attrs` say what it is and how it was
    made; the whole manifest is `.attrs["manifest"]`, as JSON.

    Raises:
        ValueError: no store there; a store that holds what no store holds; a later format.
    """
    import xarray as xr
    from pandas import RangeIndex

    manifest, kinds = described(path)
    arrays = xr.open_zarr(
        array_files(path, kinds, read_only=True),
        consolidated=False,
        zarr_format=3,
        chunks=None,
        decode_cf=False,
    )[list(kinds)]
    labels = {
        dim: manifest["coordinates"].get(dim, RangeIndex(length))  # whole numbers in no memory
        for dim, length in arrays.sizes.items()
    }
    named = {
        str(dim): (dim, values, axis_attributes(str(dim), manifest))
        for dim, values in labels.items()
    }
    return arrays.assign_coords(named).assign_attrs(_said_of(manifest))


def load(path: str | Path) -> Any:
    """As `open`, with every array in memory, and every finished chunk what was written.

    Raises:
        ValueError: as `open`; a finished chunk that is damaged; arrays that no memory here holds.
    """
    path, dataset = Path(path), open(path)
    memory.check(dataset.nbytes, f"{path}: the store", "read parts of it: jaxnn.results.open")
    try:
        dataset = dataset.load()
    except Exception as error:  # whatever a codec says of bytes that it did not write
        for damage in verify(path):
            raise damaged(path, damage) from error
        raise ValueError(f"{path}: its arrays cannot be read ({error!s:.200})") from error
    for damage in unlike(path, {str(name): dataset[name].values for name in dataset}):
        raise damaged(path, damage)
    return dataset


def _said_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that the CF conventions ask of a file, from the manifest."""
    settings, versions = manifest.get("settings") or {}, manifest.get("versions") or {}
    written = f"jaxnn {manifest.get('written_by', '')}".strip()
    about = f" of {settings['data']}" if "data" in settings else ""
    others = [f"{name} {number}" for name, number in versions.items() if name != "jaxnn"]
    return {
        "Conventions": "CF-1.11",
        "title": f"{manifest.get('study', 'arrays')}{about}",
        "history": f"{manifest.get('created', '')} written by {written}".strip(),
        "source": ", ".join([written, *others]),
        "comment": str((manifest.get("data") or {}).get("note", "")),
        "manifest": json.dumps(manifest),
    }
