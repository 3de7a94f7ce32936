"""Files of data as plain arrays: IDX images and labels, comma-separated tables; faults by place."""

from __future__ import annotations

import csv
import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


def read_idx(folder: Path, name: str, *, axes: int) -> tuple[Path, np.ndarray]:
    """The path and the array of one IDX file of unsigned bytes with this many axes, gzipped or not.

    Raises:
        ValueError: no such file, a damaged, truncated or overlong one, a wrong magic number.
    """
    candidates = [folder / name, folder / f"{name}.gz"]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise ValueError(f"{folder}: holds neither {name} nor {name}.gz; give the folder that does")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path}: cannot be unpacked ({error}); the file is damaged") from error
    header = 4 + 4 * axes
    if len(content) < header:
        raise ValueError(
            f"{path}: ends at byte {len(content)}, inside its header of {header} bytes"
        )
    magic, *shape = struct.unpack(f">{1 + axes}i", content[:header])
    if magic != 0x0800 + axes:
        raise ValueError(f"{path}: magic number {magic} at byte 0, wanted {0x0800 + axes}")
    if len(content) != header + math.prod(shape):
        raise ValueError(
            f"{path}: ends at byte {len(content)}, wanted {header + math.prod(shape)} "
            f"for shape {shape}"
        )
    return path, np.frombuffer(content, np.uint8, offset=header).reshape(shape)


class Table(NamedTuple):
    """A table of numbers and its last column, either classes or numbers.

    features: the inputs' names. inputs: (cases, inputs).
    classes: the classes' names, or () where the last column holds numbers.
    last: (cases,) the place of each case's class in `classes`, or its number.
    """

    features: tuple[str, ...]
    inputs: np.ndarray
    classes: tuple[str, ...]
    last: np.ndarray


MOST_CLASSES = 20
"""Whole numbers of more different values than this are numbers, not classes."""


def read_table(path: Path) -> Table:
    """A comma-separated table: a header, columns of numbers, and classes or numbers in the last.

    The last column holds classes if any cell is no number, or if all are whole numbers of at most
    MOST_CLASSES different values; classes are in the order of their names, or of their numbers.

    Raises:
        ValueError: see `data.csv`.
    """
    header, cases = _rows(path)
    inputs = [
        [_number(path, line, name, cell) for name, cell in zip(header[:-1], row[:-1], strict=True)]
        for line, row in cases
    ]
    cells = [row[-1].strip() for _, row in cases]
    numbers = [_as_number(cell) for cell in cells]
    for (line, _), cell, number in zip(cases, cells, numbers, strict=True):
        if not cell or (number is not None and not math.isfinite(number)):
            raise ValueError(f"{path}: line {line}, column {header[-1]!r}: {cell!r} is no target")
    found = [number for number in numbers if number is not None]
    if len(found) == len(cells):
        values, whole = np.array(found), all(number == round(number) for number in found)
        kinds = sorted(set(found))
        classes = (
            tuple(f"{kind:g}" for kind in kinds) if whole and len(kinds) <= MOST_CLASSES else ()
        )
        last = np.searchsorted(kinds, values) if classes else values
    else:
        classes = tuple(kinds := sorted(set(cells)))
        last = np.array([kinds.index(cell) for cell in cells])
    if len(kinds) < 2:
        raise ValueError(f"{path}: column {header[-1]!r} is {cells[0]!r} everywhere")
    return Table(tuple(header[:-1]), np.array(inputs), classes, last)


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the (line, cells) of each case, all of the header's length."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise ValueError(f"{path}: is no comma-separated table ({error})") from error
    if not rows:
        raise ValueError(f"{path}: the file is empty")
    (_, header), *cases = rows
    if len(header) < 2:
        raise ValueError(f"{path}: line 1 has 1 column, wanted inputs and a last column")
    if all(_as_number(cell) is not None for cell in header):
        raise ValueError(f"{path}: line 1 holds numbers, wanted a header with the columns' names")
    if not cases:
        raise ValueError(f"{path}: no cases after the header")
    for line, row in cases:
        if len(row) != len(header):
            raise ValueError(
                f"{path}: line {line} has {len(row)} columns, the header {len(header)}"
            )
    return header, cases


def _as_number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _number(path: Path, line: int, column: str, cell: str) -> float:
    value = _as_number(cell)
    if value is None or not math.isfinite(value):
        raise ValueError(f"{path}: line {line}, column {column!r}: {cell!r} is not a finite number")
    return value
