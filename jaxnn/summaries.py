"""Results as small HTML tables, which a notebook shows in the place of their text."""

from __future__ import annotations

import dataclasses
import enum
import html as markup
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

MOST_ROWS = 10
"""Of a longer column the first and the last half as many are shown."""
FEW = 6
"""Arrays of at most so many numbers are written out."""

# no colour of its own: the notebook's text and ground, dark or light
_TABLE = '<table style="border-collapse: collapse; font-variant-numeric: tabular-nums">'
_CELL = "text-align: left; padding: 0.1em 0.8em 0.1em 0; white-space: pre-wrap"

Codes = Mapping[str, type[enum.IntEnum]]


def html(*, also: Sequence[str] = (), **codes: type[enum.IntEnum]) -> Callable[[Any], str]:
    """A method `_repr_html_` for a dataclass or NamedTuple: what each field holds, and fields that
    are columns of one length side by side.

    A field whose values are not known, as under jit, is shown by its shape.

    Args:
        also: properties shown beside the fields.
        codes: field -> the IntEnum whose names stand for its numbers.
    """

    def _repr_html_(self: Any) -> str:
        shown = dict(_fields(self))
        if all(_is_known(value) for value in shown.values()):
            shown |= {name: getattr(self, name) for name in also}
        columns = _columns(shown)
        length = len(next(iter(columns.values()), ()))
        whole = columns if length <= MOST_ROWS else {}
        rows = [
            (name, said(value, codes.get(name)))
            for name, value in shown.items()
            if name not in whole
        ]
        parts = [table((), rows)] if rows else []
        if columns:
            parts.append(_side_by_side(columns, length, codes))
        return titled(type(self).__name__, _first_sentence(self), *parts)

    return _repr_html_


def as_printed(result: Any) -> str:
    """`_repr_html_` of a result whose text is a table already."""
    text = f'<pre style="background: none">{markup.escape(str(result))}</pre>'
    return titled(type(result).__name__, _first_sentence(result), text)


def titled(name: str, sentence: str, *parts: str) -> str:
    """HTML parts under a name and a sentence, which are text and are escaped."""
    head = f"<strong>{markup.escape(name)}</strong> <small>{markup.escape(sentence)}</small>"
    return f'<div class="jaxnn">{head}{"".join(parts)}</div>'


def table(head: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """An HTML table of texts, all escaped; without a head the first of each row is its name."""

    def row(cells: Sequence[Any], tags: Sequence[str]) -> str:
        made = (
            f'<{tag} style="{_CELL}">{markup.escape(str(cell))}</{tag}>'
            for cell, tag in zip(cells, tags, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    lines = [row(head, ["th"] * len(head))] if head else []
    lines += [row(r, ["td" if head or k else "th" for k in range(len(r))]) for r in rows]
    return f"{_TABLE}{''.join(lines)}</table>"


def said(value: Any, code: type[enum.IntEnum] | None = None) -> str:
    """A value in a line: a number to 6 digits, a short array written out, a long one by its least,
    median and most, a tree by its size; with a code, names and how often each is there.

    >>> said(np.array([0.5, 2.0])), said(np.arange(9))
    ('0.5, 2', 'int64, 9: 0 to 8, median 4')
    """
    if value is None or isinstance(value, str):
        return value if value else "none" if value is None else ""
    if not _is_known(value):
        return _shape(value)
    if isinstance(value, enum.Enum):
        return value.name
    if hasattr(value, "dtype") or isinstance(value, bool | int | float):
        return _numbers(np.asarray(value), code)
    if hasattr(value, "_repr_html_"):
        return _nested(value)
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        more = f" and {len(value) - MOST_ROWS} more" if len(value) > MOST_ROWS else ""
        return (", ".join(value[:MOST_ROWS]) or "none") + more
    return _tree(value)


def _nested(result: Any) -> str:
    """A result within a result: its numbers where it has nothing else, or its name."""
    fields = dict(_fields(result))
    if all(np.ndim(value) == 0 and _is_known(value) for value in fields.values()):
        return ", ".join(f"{name} {said(value)}" for name, value in fields.items())
    return type(result).__name__


def _fields(result: Any) -> Iterator[tuple[str, Any]]:
    names = getattr(result, "_fields", None) or [f.name for f in dataclasses.fields(result)]
    return ((name, getattr(result, name)) for name in names)


def _first_sentence(result: Any) -> str:
    text = " ".join((type(result).__doc__ or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".:")


def _is_known(value: Any) -> bool:
    """Whether an array's numbers can be looked at: not where it is traced, abstract or deleted."""
    if not hasattr(value, "dtype") or isinstance(value, np.ndarray | np.generic):
        return True
    try:
        return np.asarray(value).dtype != object
    except (TypeError, RuntimeError):
        return False


def _shape(value: Any) -> str:
    by = " x ".join(str(n) for n in value.shape)
    return f"{value.dtype}, {by}" if by else str(value.dtype)


def _numbers(array: np.ndarray, code: type[enum.IntEnum] | None) -> str:
    if code is not None and array.size:
        if array.ndim == 0:
            return _one(array[()], code)
        values, counts = np.unique(array, return_counts=True)
        return ", ".join(f"{_one(v, code)} {n}" for v, n in zip(values, counts, strict=True))
    if array.size <= FEW and array.ndim <= 1:
        return ", ".join(_one(value) for value in array.ravel()) or "empty"
    if array.dtype == bool:
        return f"{_shape(array)}: {np.sum(array)} of {array.size} True"
    if not np.issubdtype(array.dtype, np.number):
        return _shape(array)
    finite = array[np.isfinite(array)]
    lost = f", {array.size - finite.size} not finite" if finite.size < array.size else ""
    if not finite.size:
        return f"{_shape(array)}{lost}"
    least, median, most = (_one(f(finite)) for f in (np.min, np.median, np.max))
    return f"{_shape(array)}: {least} to {most}, median {median}{lost}"


def _one(value: Any, code: type[enum.IntEnum] | None = None) -> str:
    if code is not None and int(value) in {int(c) for c in code}:
        return code(int(value)).name
    if isinstance(value, np.floating | float):
        return f"{value:.6g}"
    return str(value)


def _tree(value: Any) -> str:
    import jax  # most results are shown where it is loaded; an interval needs none

    leaves = [leaf for leaf in jax.tree.leaves(value) if hasattr(leaf, "dtype")]
    if not leaves:
        plain = value if isinstance(value, list | tuple | dict) else None
        return type(value).__name__ if plain is None else str(plain)[:200]
    size = sum(int(np.prod(leaf.shape)) for leaf in leaves)
    arrays = f"{len(leaves)} array{'s' if len(leaves) > 1 else ''}"
    return f"{arrays}, {size} number{'s' if size > 1 else ''}: {_shapes(leaves)}"


def _shapes(leaves: Sequence[Any]) -> str:
    more = ", ..." if len(leaves) > FEW else ""
    return "; ".join(_shape(leaf) for leaf in leaves[:FEW]) + more


def _columns(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are columns of one length, the length that most of them have; two or more."""
    flat = {
        name: value
        for name, value in shown.items()
        if (isinstance(value, list) or getattr(value, "ndim", 0) == 1)
        and len(value) > 1
        and _is_known(value)
    }
    lengths = [len(value) for value in flat.values()]
    length = max(lengths, key=lengths.count, default=0)
    found = {name: value for name, value in flat.items() if len(value) == length}
    return found if len(found) > 1 else {}


def _side_by_side(columns: Mapping[str, Any], length: int, codes: Codes) -> str:
    """The columns as a table; of a long one the two ends."""
    half = MOST_ROWS // 2
    numbers = range(length)
    kept = [*numbers] if length <= MOST_ROWS else [*numbers[:half], None, *numbers[-half:]]
    values = {
        name: column if isinstance(column, list) else np.asarray(column)
        for name, column in columns.items()
    }

    def cells(k: int | None) -> list[str]:
        if k is None:
            return ["..."] * (len(values) + 1)
        return [str(k), *(_one(column[k], codes.get(name)) for name, column in values.items())]

    return table(["", *values], [cells(k) for k in kept])
