"""Tables of text as rows of cells: what parts the cells, whether the first row holds names."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxnn.files import read_text
from jaxnn.text import one_line

SEPARATORS = {"tabs": "\t", "semicolons": ";", "bars": "|", "commas": ",", "spaces": " "}
"""What may part cells; of several that part all rows alike, the first. Spaces: any white space."""
TRIED = 200
"""Rows that each separator is tried on."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""A number as a table writes it; Python's own reader would take 1_000, and digits of any script."""
NEARLY = re.compile(
    r"[-+\u2212(]?\s*[$€£¥]?\s*[-+\u2212]?\s*[\d.,'\u2019_\s]*\d[\d.,'\u2019_\s]*([ed][-+]?\d+)?\s*[%$€£¥)]*"
    r"|[-+]?inf(inity)?", re.IGNORECASE,
)  # fmt: skip
"""What somebody meant as a number: 1,234 and $5 and 12 % and inf."""
DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d+)([eE][+-]?\d+)?", re.ASCII)
LONGEST = 60
"""Letters of a number."""
MISSING = ("", "?", "na", "n/a", "nan", "null", "<na>", "#n/a")
"""The usual marks of a missing cell, in small letters."""


class Rows(NamedTuple):
    """A table: its columns' names, numbered from 1 where no row holds them, and its cases.

    lines: of the file, of each case. cells: (cases, columns) texts without white space around them.
    read: how it was read, as JSON.
    """

    names: list[str]
    lines: list[int]
    cells: list[list[str]]
    read: dict[str, object]


def is_missing(cell: str) -> bool:
    """Whether a cell holds one of the usual marks of what is missing."""
    return cell.casefold() in MISSING


def is_like_number(cell: str) -> bool:
    """Whether a cell holds a number, or what somebody meant as one."""
    return len(cell) <= LONGEST and bool(NUMBER.fullmatch(cell) or NEARLY.fullmatch(cell))


def read_rows(path: Path, *, header: bool | None = None) -> Rows:
    """The rows of a table of text, gzipped or not, whatever parts its cells.

    Blank lines and lines that begin with # or % are passed over; empty cells behind all others are
    cut. Without `header` the first row holds names where it differs in kind from what is below it.

    Raises:
        ValueError: as `files.read_text`; no rows, rows of different lengths, a single column, a
            quote that is not closed; the same name twice; a first row that may be both.
    """
    text, encoding = read_text(path)
    separator, comments = _separator(text), [0]
    try:
        numbered = list(_rows(text, SEPARATORS[separator], comments))
    except csv.Error as error:
        raise ValueError(f"{path}: {error}; is a quote not closed?") from error
    if not numbered:
        raise ValueError(f"{path}: the file is empty")
    lines, cells = [line for line, _ in numbered], _of_one_length(path, numbered)
    commas = separator != "commas" and _points_for_commas(cells)
    named = _has_header(path, cells) if header is None else header
    names = (
        _named(path, lines[0], cells[0]) if named else [str(k + 1) for k in range(len(cells[0]))]
    )
    if len(cells) == named:
        raise ValueError(f"{path}: no cases after the header")
    read = {"separator": separator, "encoding": encoding, "header": named, "comments": comments[0],
            "decimal": "," if commas else "."}  # fmt: skip
    return Rows(names, lines[named:], cells[named:], read)


def _rows(text: str, separator: str, comments: list[int]) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of its last line; the comments passed over are counted."""
    at = 0

    def lines() -> Iterator[str]:
        nonlocal at
        for number, line in enumerate(io.StringIO(text, newline=""), 1):
            at, bare = number, line.strip()
            if bare[:1] in ("#", "%") and (separator == " " or bare[1:2] != separator):
                comments[0] += 1
            elif bare:
                yield " ".join(line.split()) if separator == " " else line

    try:
        for row in csv.reader(lines(), delimiter=separator, skipinitialspace=True, strict=True):
            stripped = [cell.strip() for cell in row]
            yield at, [cell if cell.isprintable() else one_line(cell) for cell in stripped]
    except csv.Error as error:
        raise csv.Error(f"line {at}: {error}") from error


def _separator(text: str) -> str:
    """The name of what parts the cells: the first of SEPARATORS that cuts all rows into as many,
    two or more; else the one that does so most often, white space only where nothing else cuts.
    """
    shares = dict.fromkeys(SEPARATORS, 0.0)
    for name, separator in SEPARATORS.items():
        rows: list[list[str]] = []
        try:
            for _, row in itertools.islice(_rows(text, separator, [0]), TRIED):
                rows.append(row)  # those before a fault count too
        except csv.Error:
            pass
        usual, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        shares[name] = count / len(rows) if usual > 1 else 0.0
    cut = {name: share for name, share in shares.items() if name != "spaces"}
    if shares["spaces"] == 1.0 and max(cut["semicolons"], cut["bars"], cut["commas"]) <= 0.5:
        return "tabs" if cut["tabs"] == 1.0 else "spaces"
    best = max(cut, key=lambda name: cut[name])
    return best if cut[best] > 0.5 or not shares["spaces"] else "spaces"


def _of_one_length(path: Path, numbered: Sequence[tuple[int, list[str]]]) -> list[list[str]]:
    """The cells, all rows of the usual length; empty cells behind it are cut."""
    cells = [row for _, row in numbered]
    (usual, _), *_ = Counter(map(len, cells[1:] or cells)).most_common(1)
    whole = [row for row in cells if len(row) == usual]
    while usual > 1 and not any(row[usual - 1] for row in whole):
        usual -= 1
    for (line, row), cut in zip(numbered, (row[:usual] for row in cells), strict=True):
        if len(cut) != usual or any(row[usual:]):
            raise ValueError(
                f"{path}: line {line} has {len(row)} columns, most lines {usual}; mend it"
            )
    if usual < 2:
        raise ValueError(
            f"{path}: line {numbered[0][0]} has 1 column, wanted inputs and a target, parted by "
            "commas, semicolons, tabs, bars or spaces"
        )
    return [row[:usual] for row in cells]


def _points_for_commas(cells: list[list[str]]) -> bool:
    """Write 1,5 as 1.5 in place, where that is how the whole table writes its numbers.

    It is not where a number has a point, or where all have three digits behind their comma, as
    thousands have.
    """
    found = [match for row in cells for cell in row if (match := DECIMAL_COMMA.fullmatch(cell))]
    pointed = any("." in cell and NUMBER.fullmatch(cell) for row in cells for cell in row)
    if pointed or all(len(match[1]) == 3 for match in found):
        return False
    for row in cells:
        row[:] = [c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in row]
    return True


def _has_header(path: Path, cells: list[list[str]]) -> bool:
    """Whether the first row holds names: text above numbers is a name, a number above numbers or a
    text that comes again below is a value; 50% above numbers may be either.
    """
    first, *others = cells
    names, values, either = 0, 0, 0
    for cell, *below in zip(first, *others, strict=True):
        there = [c for c in below if not is_missing(c)]
        if 2 * sum(map(is_like_number, there)) > len(there):
            values += (plain := NUMBER.fullmatch(cell) is not None)
            either += (near := not plain and is_like_number(cell))
            names += not plain and not near and not is_missing(cell)
        else:
            values += cell in there
    if not others:
        return not any(map(is_like_number, first))
    if (values if names else either and not values) or (not names and _counts_up(first)):
        raise ValueError(
            f"{path}: its first row, {', '.join(first)[:60]}, may be names or a case; give "
            "--header or --no-header"
        )
    return bool(names) or not (values or len(set(first)) < len(first))


def unnamed(place: int) -> str:
    """What a column without a name is called in a table that has names."""
    return f"column {place + 1}"


def _counts_up(row: Sequence[str]) -> bool:
    """Whether a row holds whole numbers one after the other, as numbered columns do."""
    if not all(cell.isdecimal() and len(cell) < 10 for cell in row):
        return False
    return all(int(b) - int(a) == 1 for a, b in itertools.pairwise(row))


def _named(path: Path, line: int, row: list[str]) -> list[str]:
    """The columns' names."""
    names = [name or unnamed(k) for k, name in enumerate(row)]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{path}: line {line}: two columns are named {twice!r}; rename one")
    return names
