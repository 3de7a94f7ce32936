"""Tables of text as inputs and a target: which column is which, which rows are left out. What is
doubtful is refused with the option that decides it.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, Unpack

import numpy as np

from jaxnn.columns import Column, as_input, as_target
from jaxnn.table_rows import Rows, is_missing, read_rows, unnamed
from jaxnn.vocabulary import did_you_mean

ENOUGH = 10
"""A first column that counts up so far numbers the cases; without a name above it, twice as many
different whole numbers do.
"""
TARGETS = {"target", "class", "label", "outcome"}
COUNTERS = {"id", "index", "idx", "#", "no", "no.", "nr", "row", "unnamed: 0"}


class Table(NamedTuple):
    """A table as numbers.

    features: the inputs' names. inputs: (cases, inputs).
    classes: the classes' names, or () where the target holds numbers.
    last: (cases,) the place of each case's class in `classes`, or its number.
    read: how the file was read, as JSON.
    """

    features: tuple[str, ...]
    inputs: np.ndarray
    classes: tuple[str, ...]
    last: np.ndarray
    read: dict[str, Any]


class Reading(TypedDict, total=False):
    """What decides how a table is read, where it is doubtful; each may be left out or None.

    target: the column of the target, by name or by number from 1; default the last.
    header: whether the first row holds names; default whether it differs from those below it.
    kind: what the target holds; default classes where it holds texts, or whole numbers of at most
        20 different values.
    drop: columns that are left out, by name or number; () for none, whatever they look like.
    na: marks of a missing cell besides the empty one, () for the usual ones. Rows with a missing
        cell are left out; by default they are refused.
    """

    target: str | None
    header: bool | None
    kind: Literal["classes", "numbers"] | None
    drop: Sequence[str] | None
    na: Sequence[str] | None


def read_table(path: Path, **reading: Unpack[Reading]) -> Table:
    """The table of a text file, gzipped or not.

    Raises:
        ValueError: as `table_rows.read_rows`, `columns.as_input` and `columns.as_target`; a missing
            cell; a column of an option that is not there; and what is doubtful.
    """
    rows = read_rows(path, header=reading.get("header"))
    last = _target(path, rows.names, reading.get("target"))
    left_out = _left_out(path, rows, last, reading.get("drop"))
    columns = [k for k in range(len(rows.names)) if k not in left_out]
    if last not in columns or len(columns) < 2:
        raise ValueError(f"{path}: --drop leaves no inputs or no target; keep some")
    na = reading.get("na")
    whole = _without_missing(path, rows, columns, na)
    named = {k: _column(path, whole, k) for k in columns}
    target = named.pop(last)
    inputs = [as_input(column) for column in named.values()]
    classes, values = as_target(target, reading.get("kind"))
    features = tuple(itertools.chain(*(names for names, _ in inputs)))
    read = {
        **rows.read, "target": target.name, "kind": "classes" if classes else "numbers",
        "classes": len(classes), "inputs": len(features), "cases": len(values),
        "rows_left_out": len(rows.cells) - len(whole.cells),
        "columns_left_out": [rows.names[k] for k in left_out],
        "one_hot": [column.name for column in named.values() if column.name not in features],
    }  # fmt: skip
    block = np.concatenate([block for _, block in inputs], axis=1)
    return Table(features, block, classes, values, read)


def in_words(read: Mapping[str, Any]) -> str:
    """How a file was read, in one line."""
    also = {
        f"{read['encoding']} text": read["encoding"] != "UTF-8",
        "decimal commas": read["decimal"] == ",",
        f"{_count(read['comments'], 'line')} of comment": read["comments"],
        f"{_count(read['rows_left_out'], 'row')} with a missing cell left out": read[
            "rows_left_out"
        ],
        f"left out: {', '.join(read['columns_left_out'])}": read["columns_left_out"],
        f"one-hot: {', '.join(read['one_hot'])}": read["one_hot"],
    }
    said = [
        f"columns by {read['separator']}", "a header" if read["header"] else "no header",
        f"target {read['target']}: {f'{n} classes' if (n := read['classes']) else 'numbers'}",
        _count(read["inputs"], "input"), _count(read["cases"], "case"),
        *(words for words, holds in also.items() if holds),
    ]  # fmt: skip
    return ", ".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _column(path: Path, rows: Rows, place: int) -> Column:
    return Column(path, rows.names[place], rows.lines, [row[place] for row in rows.cells])


def _place(path: Path, names: Sequence[str], asked: str, option: str) -> int:
    """The place of the column of this name, or of this number from 1."""
    if asked in names:
        return names.index(asked)
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    hint = did_you_mean(asked, names, said=repr)
    there = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
    raise ValueError(f"{path}: {option} {asked}: its columns are {there}{hint}")


def _target(path: Path, names: Sequence[str], asked: str | None) -> int:
    """The place of the target: as asked, else the last column's."""
    if asked is not None:
        return _place(path, names, asked, "--target")
    called = [name for name in names if name.casefold() in TARGETS]
    if called and names[-1] not in called:
        raise ValueError(
            f"{path}: the last column, {names[-1]!r}, would be the target, but there is "
            f"{called[0]!r}; give --target {shlex.quote(called[0])} or "
            f"--target {shlex.quote(names[-1])}"
        )
    return len(names) - 1


def _left_out(path: Path, rows: Rows, last: int, drop: Sequence[str] | None) -> list[int]:
    """The places of the columns that are left out: those asked for, and one without a name that
    numbers the cases. Unless `drop` is given, none of the others may look like that.
    """
    asked = {_place(path, rows.names, name, "--drop") for name in drop or ()}
    inputs = [k for k in range(len(rows.names)) if k != last and k not in asked]
    for k in inputs if drop != () else ():
        column = _column(path, rows, k)
        if not _numbers_cases(column, first=k == 0 and len(inputs) > 1):
            continue
        if column.name in (unnamed(k), "Unnamed: 0"):
            asked.add(k)
        elif drop is None:
            raise ValueError(
                f"{path}: column {column.name!r} may only number the cases; give {column.out}, or "
                "--drop with nothing to keep it as an input"
            )
    return sorted(asked)


def _numbers_cases(column: Column, *, first: bool) -> bool:
    """Whether a column looks like the number or the key of each case: all different, and called
    so, or the first one and counting up, or whole numbers where nothing has a name.
    """
    cells, called = column.cells, column.name.casefold() in COUNTERS
    if len(set(cells)) < max(3, len(cells)) or not (first or called):
        return False
    if called or not all(cell.isdecimal() and len(cell) < 19 for cell in cells):
        return called
    up = all(int(b) - int(a) == 1 for a, b in itertools.pairwise(cells))
    nameless = column.name == "1" and len(cells) >= 2 * ENOUGH
    return column.name == unnamed(0) or nameless or (up and len(cells) >= ENOUGH)


def _without_missing(
    path: Path, rows: Rows, columns: Sequence[int], na: Sequence[str] | None
) -> Rows:
    """The rows that have all their cells.

    Raises:
        ValueError: a missing cell where `na` is None; fewer than two rows are left.
    """

    def missing(cell: str) -> bool:
        return cell == "" or cell in na if na else is_missing(cell)

    gone = [any(missing(row[k]) for k in columns) for row in rows.cells]
    if na is None and any(gone):
        at = gone.index(True)
        k = next(k for k in columns if missing(rows.cells[at][k]))
        column = _column(path, rows, k)
        raise column.fault(at, f"is missing; --na leaves out the {sum(gone)} of {len(gone)} rows "
                           "with such cells, --na MARK those with this mark alone")  # fmt: skip
    if len(gone) < 2:
        raise ValueError(f"{path}: holds a single case, on line {rows.lines[0]}; give two or more")
    kept = [k for k, is_gone in enumerate(gone) if not is_gone]
    if len(kept) < 2:
        raise ValueError(
            f"{path}: {len(kept)} of {len(gone)} rows have no missing cell; --drop columns without "
            "values"
        )
    return rows._replace(lines=[rows.lines[k] for k in kept], cells=[rows.cells[k] for k in kept])
