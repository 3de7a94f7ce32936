"""The small files that say which chunks of a store are done, and what each of them holds."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnn import regular_files

Region = Mapping[str, tuple[int, int]]
"""Where a chunk lies: dimension -> (start, stop); the whole of every dimension that is not
named."""
DONE = "done"
_NAME = re.compile(r"(\d{6,12})\.json")


class Array(NamedTuple):
    """What an array of a store is: its dimensions' names, their lengths, into which lengths each
    is cut, its type, and what it holds where nothing was written.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    cuts: tuple[int, ...]
    dtype: np.dtype
    fill: float

    @property
    def piece(self) -> int:
        """The bytes of one chunk, unpacked."""
        return math.prod(self.cuts) * self.dtype.itemsize


class Mark(NamedTuple):
    """What a mark says: where its chunk lies, in the words of who wrote it and along every
    dimension, and the SHA-256 of each variable there.
    """

    region: Region
    cell: Region
    digests: Mapping[str, str]


def mark_of(path: Path, number: int) -> Path:
    """The file that says that this chunk is done."""
    return path / DONE / f"{number:06d}.json"


def finished(path: str | Path) -> set[int]:
    """The numbers of the chunks that are marked as done."""
    names = (file.name for file in (Path(path) / DONE).glob("*.json"))
    return {int(mark[1]) for mark in map(_NAME.fullmatch, names) if mark}


def write_mark(path: Path, number: int, region: Region, digests: Mapping[str, str]) -> None:
    """Say that this chunk is done, in a file that is there whole or not at all."""
    said = {
        "region": {dim: list(span) for dim, span in region.items()},
        "sha256": dict(digests),
    }
    content = json.dumps({**said, "mark": _digest(said)})
    regular_files.write(path, f"{DONE}/{number:06d}.json", f"{content}\n")


def read_mark(path: Path, number: int, arrays: Mapping[str, Array], *, guarded: bool) -> Mark:
    """What the mark of this chunk says, held against the store's arrays.

    guarded: it must have a digest of itself, as from format 2 on.

    Raises:
        ValueError: it says what no mark of this chunk says.
        OSError: it cannot be read.
    """
    said = regular_files.read_json(path, f"{DONE}/{number:06d}.json", limit=2**22)
    own = said.pop("mark", None)
    if (guarded or own is not None) and own != _digest(said):
        raise ValueError("it is not what was written")
    region, digests = said.get("region"), said.get("sha256")
    if not isinstance(digests, dict) or set(digests) != set(arrays):
        raise ValueError("it names other variables")
    cell = cell_of(arrays, number)
    if cell is None or not isinstance(region, dict) or not lies_at(region, cell, whole(arrays)):
        raise ValueError("its region is not that of this chunk")
    return Mark({dim: tuple(span) for dim, span in region.items()}, cell, digests)


def lies_at(region: Mapping[str, Any], cell: Region, all_of: Region) -> bool:
    """Whether a region, as JSON has it too, is this cell: the whole of what it does not name."""
    spans = {dim: tuple(span) for dim, span in region.items() if isinstance(span, list | tuple)}
    return set(spans) == set(region) and {**all_of, **spans} == dict(cell)


def whole(arrays: Mapping[str, Array]) -> dict[str, tuple[int, int]]:
    """All of every dimension, in the order in which the variables have them."""
    return {
        dim: (0, length)
        for array in arrays.values()
        for dim, length in zip(array.dims, array.shape, strict=True)
    }


def cells(arrays: Mapping[str, Array]) -> int:
    """How many chunks the store is cut into."""
    return math.prod(count for _, _, count in _grid(arrays))


def cell_of(arrays: Mapping[str, Array], number: int) -> dict[str, tuple[int, int]] | None:
    """Where the chunk of this number lies: chunks are counted row by row; None beyond the last."""
    grid = _grid(arrays)
    if not 0 <= number < math.prod(count for _, _, count in grid):
        return None
    lengths, spans = whole(arrays), {}
    for dim, cut, count in reversed(grid):
        number, at = divmod(number, count)
        spans[dim] = (at * cut, min((at + 1) * cut, lengths[dim][1]))
    return {**lengths, **spans}


def _grid(arrays: Mapping[str, Array]) -> list[tuple[str, int, int]]:
    """Each dimension, the length that it is cut into, and into how many."""
    cuts = {
        dim: (cut, -(-length // cut))
        for array in arrays.values()
        for dim, length, cut in zip(array.dims, array.shape, array.cuts, strict=True)
    }
    return [(dim, cut, count) for dim, (cut, count) in cuts.items()]


def file_of(name: str, array: Array, region: Region) -> str:
    """The file that a chunk of an array is written in, below the arrays' folder."""
    places = zip(array.dims, array.cuts, strict=True)
    return "/".join([name, "c", *(str(region[dim][0] // cut) for dim, cut in places)])


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
