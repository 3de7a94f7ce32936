"""A store as an xarray.Dataset: named dimensions, labels, units and long names (CF style)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn.results.axes import axis_attributes
from jaxnn.results.trust import ARRAYS, trusted


def open(path: str | Path) -> Any:  # noqa: A001  (results.open is what users look for)
    """The store as an xarray.Dataset, read from the disk when a value is first asked for.

    Every dimension has labels, and everything has `long_name` and `units` (CF conventions). What is
    not yet written is NaN (floats) or -1 (codes and counts). `.attrs` say what it is and how it was
    made; the whole manifest is `.attrs["manifest"]`, as JSON.

    Raises:
        ValueError: no store there; a store that holds what no store holds; a later format.
    """
    import xarray as xr

    manifest = trusted(path)
    arrays = xr.open_zarr(
        Path(path) / ARRAYS, consolidated=False, zarr_format=3, chunks=None, decode_cf=False
    )[list(manifest["variables"])]
    labels = {
        dim: manifest["coordinates"].get(dim, np.arange(length))
        for dim, length in arrays.sizes.items()
    }
    named = {
        str(dim): (dim, values, axis_attributes(str(dim), manifest))
        for dim, values in labels.items()
    }
    return arrays.assign_coords(named).assign_attrs(_said_of(manifest))


def load(path: str | Path) -> Any:
    """As `open`, with every array in memory."""
    return open(path).load()


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
