"""What can be asked of the commands that take a data set: which, and how its file is read. Only the
standard library is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from jaxnn.studies.options import Checked


@dataclass(frozen=True)
class Data(Checked):
    """The data, and what decides how a table is read where that is doubtful."""

    data: str
    """xor, xor_signed, boolean_or, parity3, parity4, iris, wine, breast_cancer, digits, mnist,
    fashion_mnist, kmnist, emnist_letters (or _balanced, _byclass, _bymerge, _digits, _mnist), or a
    table of text: file.csv, .tsv, .data or .txt, gzipped too, with or without names above the
    columns; the last column is the target."""
    data_dir: Path | None = None
    """The folder with the four IDX files of mnist and its kin, or one above it."""
    target: str | None = None
    """Of a table: the column that is learned, by name or by number from 1; default the last."""
    header: bool | None = None
    """Of a table: --header, its first row holds names; --no-header, it is a case. Default: whether
    it differs from the rows below; where that does not tell, one of the two is asked for."""
    kind: Literal["classes", "numbers"] | None = None
    """Of a table: what the target holds. Default: classes where it holds texts, or whole numbers of
    at most 20 different values."""
    drop: tuple[str, ...] | None = None
    """Of a table: columns left out, by name or number; --drop with nothing keeps all of them, also
    one that seems only to number the cases."""
    na: tuple[str, ...] | None = None
    """Of a table: leave out the rows with a missing cell, which is empty or one of these marks;
    with none given, the usual ones (?, NA, NaN, null). Without --na they are refused."""


IMAGES = (
    "mnist", "fashion_mnist", "kmnist", "emnist_balanced", "emnist_byclass", "emnist_bymerge",
    "emnist_digits", "emnist_letters", "emnist_mnist",
)  # fmt: skip
"""Data sets that are read from a folder of IDX files."""
READING = tuple(field.name for field in fields(Data) if field.name not in ("data", "data_dir"))
"""The settings that decide how a table is read."""


def reading(settings: Data) -> dict[str, Any]:
    """The settings that decide how a table is read, as `jaxnn.data.load` takes them."""
    return {name: getattr(settings, name) for name in READING}


def stem(data: str) -> str:
    """What a data set is called in the names of folders: a file's name without its suffixes.

    >>> stem("iris"), stem("folder/my.csv.gz")
    ('iris', 'my')
    """
    return Path(data.removesuffix(".gz")).stem
