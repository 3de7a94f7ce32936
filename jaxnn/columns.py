"""Columns of a table as numbers: inputs, texts among them one-hot, and a target of classes or
numbers; faults by line.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnn.table_rows import LONGEST, NUMBER, is_like_number

MOST_CLASSES = 20
"""Whole numbers of more different values than this are numbers, not classes."""
MOST_TEXTS = 100
"""Different texts of an input column, each an input of its own."""
LARGEST = float(np.finfo(np.float32).max)


class Column(NamedTuple):
    """A column's name and its cells, with what their faults are told by: the file and the line of
    each.
    """

    path: Path
    name: str
    lines: Sequence[int]
    cells: list[str]

    def fault(self, place: int, wanted: str) -> ValueError:
        """What is wrong with one cell, by its line."""
        return ValueError(
            f"{self.path}: line {self.lines[place]}, column {self.name!r}: "
            f"{self.cells[place][:40]!r} {wanted}"
        )

    @property
    def out(self) -> str:
        """The option that leaves this column out."""
        return f"--drop {shlex.quote(self.name)}"


def _number(column: Column, place: int) -> float:
    """A cell's number, as float32 can hold it."""
    cell = column.cells[place]
    if not NUMBER.fullmatch(cell):
        raise column.fault(place, "is no finite number written plainly, such as 1234.5")
    if abs(value := float(cell)) > LARGEST:
        raise column.fault(place, f"is beyond {LARGEST:.3g}, the largest that float32 holds")
    return value


def _all_numbers(column: Column) -> np.ndarray:
    return np.array([_number(column, place) for place in range(len(column.cells))])


def as_input(column: Column) -> tuple[list[str], np.ndarray]:
    """The inputs that a column gives, by name (its own for numbers, name=text for each text), and
    their values (cases, inputs).

    Raises:
        ValueError: numbers and texts mixed; too many texts.
    """
    like = [is_like_number(cell) for cell in column.cells]
    if any(like):
        if not all(like):
            few = 2 * sum(like) < len(like)
            place = like.index(few)
            other = "text" if few else "numbers"
            raise column.fault(place, f"among {other}; mend the cell, or give {column.out}")
        return [column.name], _all_numbers(column)[:, None]
    texts = sorted(set(column.cells))
    if len(texts) > MOST_TEXTS or len(texts) == len(column.cells) > 2:
        raise ValueError(
            f"{column.path}: column {column.name!r} holds {len(texts)} different texts in "
            f"{len(column.cells)} cases, too many for an input each; give {column.out}"
        )
    at = {text: place for place, text in enumerate(texts)}
    names = [f"{column.name}={text}" for text in texts]
    return names, np.eye(len(texts))[[at[cell] for cell in column.cells]]


def as_target(column: Column, kind: str | None) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes' names and the place of each case's class, or () and the numbers.

    Raises:
        ValueError: numbers and texts mixed, classes of mostly one case, or apart in case alone,
            unless kind says what they are; one target everywhere.
    """
    if kind not in (None, "classes", "numbers"):
        raise ValueError(f"--kind is {kind!r}: give classes or numbers")
    cells, plain = column.cells, [bool(NUMBER.fullmatch(cell)) for cell in column.cells]
    if len(set(cells)) < 2:
        raise ValueError(f"{column.path}: column {column.name!r} is {cells[0]!r} everywhere")
    if kind is None and not all(plain) and any(map(is_like_number, cells)):
        place = plain.index(False)
        raise column.fault(place, f"is no plain number, and {sum(plain)} of {len(cells)} cells "
                           "are; mend it, or give --kind classes")  # fmt: skip
    if kind == "numbers" or (kind is None and all(plain)):
        values = _all_numbers(column)
        whole = all(value == round(value) for value in values)
        if kind == "numbers" or not whole or len(set(values)) > MOST_CLASSES:
            if np.ptp(values) == 0:
                raise ValueError(f"{column.path}: column {column.name!r} is {cells[0]} everywhere")
            return (), values
    names = _class_of(cells) if all(plain) else cells
    counts = Counter(names)
    if kind is None:
        _check_classes(column, counts)
    classes = sorted(counts, key=(lambda name: Decimal(name)) if all(plain) else None)
    if len(classes) < 2:
        raise ValueError(f"{column.path}: column {column.name!r} is {cells[0]!r} everywhere")
    at = {name: place for place, name in enumerate(classes)}
    return tuple(classes), np.array([at[name] for name in names])


def _class_of(cells: Sequence[str]) -> list[str]:
    """Numbers as names of classes, in full: 1, 1.0 and 1e0 are one class, 20240101 is its name."""
    return [_in_full(Decimal(cell), cell) for cell in cells]


def _in_full(number: Decimal, cell: str) -> str:
    """A number in all its digits; as it was written where they would be many."""
    if abs(number.adjusted()) > LONGEST:
        return cell
    if number == number.to_integral_value():
        return str(int(number))
    return f"{number:f}".rstrip("0")


def _check_classes(column: Column, counts: Counter[str]) -> None:
    """Refuse classes that may be none."""
    alone = sum(count == 1 for count in counts.values())
    if 2 * alone > len(counts):
        raise ValueError(
            f"{column.path}: {alone} of the {len(counts)} classes in column {column.name!r} have a "
            "single case; give --kind classes, --kind numbers, or another --target"
        )
    alike: dict[str, str] = {}
    for name in counts:
        other = alike.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(
                f"{column.path}: the classes {other!r} and {name!r} in column {column.name!r} "
                "differ in capitals alone; mend them, or give --kind classes"
            )
