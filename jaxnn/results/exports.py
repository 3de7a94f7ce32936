"""A store as one file of another kind: netCDF, CSV or safetensors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn import regular_files
from jaxnn.results.datasets import load
from jaxnn.results.marks import finished, read_mark
from jaxnn.results.trust import described
from jaxnn.text import for_table
from jaxnn.vocabulary import lookup


def save_as(path: str | Path, file: str | Path) -> Any:
    """Write the store at this path as file.nc, file.csv or file.safetensors, and give what was
    written, an xarray.Dataset.

    - .nc: netCDF 4, everything with its names, labels, units and long names.
    - .csv: a row for each network, search or pixel that was computed, its labels first; codes as
      words; arrays as columns such as final_weights_1[0,2] and losses[500].
    - .safetensors: every array by its name; dimensions, text labels and the manifest as metadata.

    Raises:
        ValueError: no store there; another suffix; a file or folder that is there already; as
            `open`; a library that is not installed.
    """
    file = Path(file)
    write = lookup(_WRITERS, file.suffix, what="kind of file")
    if file.exists() or file.is_symlink():
        raise ValueError(f"{file}: is there already and is left as it is; choose another name")
    if not file.parent.is_dir():
        raise ValueError(f"{file}: there is no folder {file.parent}; make it first")
    dataset = load(path)
    for place in file.parent.iterdir():
        if place.name.startswith(f".{file.name}.") and regular_files.is_left(place):
            place.unlink()
    temporary = file.with_name(regular_files.temporary_name(file.name))
    try:
        with regular_files.named(file, instead=True):
            write(dataset, temporary, Path(path))
            _put_under(temporary, file)
    except FileExistsError as error:
        raise ValueError(f"{file}: has come into being meanwhile and is left as it is") from error
    finally:
        temporary.unlink(missing_ok=True)
    return dataset


def _put_under(temporary: Path, file: Path) -> None:
    """Give the file its name, which nothing has so far.

    Raises:
        FileExistsError: something has come in between.
    """
    try:
        os.link(temporary, file)  # unlike a rename it fails where there is a file
        return
    except FileExistsError:
        raise
    except (OSError, AttributeError):  # a drive, or a system, without hard links
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        os.replace(temporary, file)  # onto the empty file that is ours
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _netcdf(dataset: Any, file: Path, path: Path) -> None:
    del path
    packed = {name: {"zlib": True, "complevel": 4} for name in dataset.data_vars}
    for variable in dataset.data_vars.values():
        if "flag_values" in variable.attrs:  # CF: of the variable's own type
            flags = np.asarray(variable.attrs["flag_values"], variable.dtype)
            variable.attrs["flag_values"] = flags
    dataset.to_netcdf(file, engine="h5netcdf", encoding=packed)


def _safetensors(dataset: Any, file: Path, path: Path) -> None:
    del path
    from safetensors.numpy import save_file

    text = [name for name, values in dataset.coords.items() if values.dtype.kind == "U"]
    said = {
        "manifest": dataset.attrs["manifest"],
        "dimensions": json.dumps({name: list(dataset[name].dims) for name in dataset.variables}),
        **{f"labels of {name}": json.dumps(dataset[name].values.tolist()) for name in text},
    }
    arrays = {
        str(name): np.ascontiguousarray(dataset[name].values)
        for name in dataset.variables
        if name not in text
    }
    save_file(arrays, file, metadata=said)


def _csv(dataset: Any, file: Path, path: Path) -> None:
    _rows(dataset, path).to_csv(file, index=False)


def _rows(dataset: Any, path: Path) -> Any:
    """A table with a row for each point of the dimensions that all variables share."""
    import pandas as pd

    variables = dataset.data_vars.values()
    shared = [dim for dim in dataset.dims if all(dim in variable.dims for variable in variables)]
    rest = [dim for dim in dataset.dims if dim not in shared]
    lengths = [dataset.sizes[dim] for dim in shared]
    columns: dict[str, Any] = {}
    for dim, where in zip(shared, np.indices(lengths).reshape(len(shared), -1), strict=True):
        columns[dim] = dataset[dim].values[where]
    for name, variable in dataset.data_vars.items():
        own = [dim for dim in rest if dim in variable.dims]
        values = variable.transpose(*shared, *own).values
        flat = values.reshape(int(np.prod(lengths)), -1)
        labels = [dataset[dim].values for dim in own]
        for k, at in enumerate(np.ndindex(*values.shape[len(shared) :])):
            place = ",".join(str(label[i]) for label, i in zip(labels, at, strict=True))
            columns[f"{name}[{place}]" if own else name] = _words(variable, flat[:, k])
    cells = {for_table(name): _safe(values) for name, values in columns.items()}
    return pd.DataFrame(cells)[_computed(path, shared, lengths)]


def _words(variable: Any, codes: np.ndarray) -> np.ndarray:
    """Codes as the words that the variable's flags say."""
    if "flag_values" not in variable.attrs:
        return codes
    words = variable.attrs["flag_meanings"].split()
    meaning = dict(zip(variable.attrs["flag_values"], words, strict=True))
    return np.array([meaning.get(code, str(code)) for code in codes.tolist()])


def _safe(values: np.ndarray) -> np.ndarray:
    """Values of which no text is taken for a formula by a spreadsheet."""
    text = values.dtype.kind == "U"
    return np.array([for_table(value) for value in values.tolist()]) if text else values


def _computed(path: Path, shared: list[str], lengths: list[int]) -> np.ndarray:
    """Which rows lie in a finished chunk."""
    there = np.zeros(lengths, bool)
    manifest, kinds = described(path, everywhere=False)
    for number in finished(path):
        cell = read_mark(path, number, kinds, guarded=manifest["format"] > 1).cell
        there[tuple(slice(*cell[dim]) for dim in shared)] = True
    return there.ravel()


_WRITERS: dict[str, Callable[[Any, Path, Path], None]] = {
    ".nc": _netcdf,
    ".csv": _csv,
    ".safetensors": _safetensors,
}
