"""What of a store is no longer what was written, by name; and forgetting just that, so that it is
computed or written again.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnn import regular_files
from jaxnn.results import digests
from jaxnn.results.manifests import changed, read_manifest
from jaxnn.results.marks import (
    DONE,
    Array,
    Region,
    file_of,
    finished,
    mark_of,
    read_mark,
)
from jaxnn.results.stores import digest_of, open_arrays, where_of
from jaxnn.results.trust import ARRAYS, described, refuse_strange


class Damage(NamedTuple):
    """One thing that is not what was written: the chunk's number (None for what no chunk is), the
    variable ("" for all), the chunk's region, what is wrong, and the file that is written again
    once it is removed ("" where there is none).
    """

    chunk: int | None
    variable: str
    region: Region
    what: str
    file: str = ""

    def __str__(self) -> str:
        """Everything in one line."""
        if self.chunk is None:
            return self.what
        spans = ", ".join(f"{dim} {first}:{stop}" for dim, (first, stop) in self.region.items())
        place = f" ({spans})" if spans else ""
        return f"chunk {self.chunk}{place}: {self.what}"


def verify(path: str | Path) -> list[Damage]:
    """What is wrong with the store, an empty list where every finished chunk is whole, and so is
    every table, page and figure.

    Reads every array again and compares it with the digest written when the chunk was finished.
    Unfinished chunks are no fault: see `finished`; nor is what has no digest: see `unguarded`.

    Raises:
        ValueError: no store there; as `trusted`.
    """
    return _damages(Path(path))


def refuse_damaged(path: str | Path) -> None:
    """Go on with no store in which a finished chunk has lost its mark's sense or its files, as far
    as can be seen without reading arrays.

    Raises:
        ValueError: the first of what is damaged, and what mends it; as `trusted`.
    """
    path = Path(path)
    for damage in _of_chunks(path, None):
        raise damaged(path, damage)


def damaged(path: Path, damage: Damage) -> ValueError:
    """The error that says what is damaged, and what mends it."""
    return ValueError(
        f"{path}: is damaged: {damage}; jaxnn verify {path} --repair forgets what is damaged, so "
        "that it is computed again"
    )


def repair(path: str | Path, found: Sequence[Damage]) -> list[Damage]:
    """Forget that the damaged chunks were finished, so that a rerun computes just these, to the
    same bits, and remove the damaged tables and figures and what killed processes left; what none
    of this can bring back is given.

    Raises:
        ValueError: no store there; as `trusted`.
    """
    path = Path(path)
    lost = [damage for damage in found if damage.chunk is None and not damage.file]
    if lost:
        return lost
    refuse_strange(path)
    (path / DONE).mkdir(exist_ok=True)
    described(path)
    chunks = [damage for damage in found if damage.chunk is not None]
    for place in [mark_of(path, damage.chunk) for damage in chunks if damage.chunk is not None]:
        _remove(place)
    for damage in chunks:
        if damage.file:
            _remove(path / damage.file)
    files = [damage.file for damage in found if damage.chunk is None and damage.file != DONE]
    if files:
        digests.forget(path, files)
    tidy(path)
    return []


def tidy(path: str | Path) -> list[Path]:
    """Remove what processes that are gone had not finished writing, in the store and beside it."""
    gone = leftovers(path)
    for place in gone:
        _remove(place)
    return gone


def _remove(place: Path) -> None:
    """Remove a file, or a folder with all that is in it; links are not followed."""
    with regular_files.named(place), contextlib.suppress(FileNotFoundError):
        if place.is_dir() and not regular_files.is_link(place):
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def leftovers(path: str | Path) -> list[Path]:
    """What processes that are gone had not finished writing: of this store alone, not of those in
    its folder.
    """
    path = Path(path)
    beside = path.parent.glob(f".{_plain(path.name)}.*") if path.parent.is_dir() else ()
    inside = _left_in(path) if path.is_dir() else ()
    return [place for place in (*sorted(beside), *inside) if regular_files.is_left(place)]


def unguarded(path: str | Path) -> list[str]:
    """The tables, pages and figures of a store that have no digest, as before format 2."""
    path = Path(path)
    return digests.without(path, digests.recorded_in(path) or {})


def _plain(name: str) -> str:
    """The name as a pattern that fits it alone."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _left_in(path: Path) -> Iterator[Path]:
    for place in (path, path / DONE, path / digests.FIGURES):
        if place.is_dir() and not regular_files.is_link(place):
            yield from sorted(place.iterdir())
    if (path / ARRAYS).is_dir() and not regular_files.is_link(path / ARRAYS):
        yield from (Path(entry.path) for entry in regular_files.below(path / ARRAYS))


def _damages(path: Path) -> list[Damage]:
    if (path / ARRAYS).is_dir() and not _is_json(path):
        return [Damage(None, "", {}, "manifest.json is not what was written")]
    manifest = read_manifest(path) or {}
    if manifest:
        refuse_strange(path)
        found = [Damage(None, name, {}, what) for name, what in changed(path, manifest)]
        if found:
            return found
        if not (path / DONE).exists():
            what = f"{DONE} is missing, which says what chunks are finished"
            return [Damage(None, "", {}, what, DONE), *_of_files(path, manifest)]
    return [*_of_chunks(path, _read_from), *_of_files(path, manifest)]


def _is_json(path: Path) -> bool:
    try:
        regular_files.read_json(path, "manifest.json", limit=2**26)
    except FileNotFoundError:
        return True  # no store, rather
    except ValueError:
        return False
    return True


def _of_files(path: Path, manifest: Mapping[str, Any]) -> Iterator[Damage]:
    """The tables, pages and figures that are not what was written."""
    try:
        known = digests.recorded_in(path)
    except ValueError:
        what = f"{digests.DIGESTS} is not what was written"
        yield Damage(None, "", {}, what, digests.DIGESTS)
        return
    if known is None and manifest.get("format") != 1:
        yield Damage(None, "", {}, f"{digests.DIGESTS} is missing", digests.DIGESTS)
    for name, what in digests.unlike(path, known or {}):
        yield Damage(None, "", {}, f"{name} {what}", name)


Look = Callable[[Path, Mapping[str, Array]], Mapping[str, Any]]
"""From a store and what its arrays are to what their values are read from."""


def _read_from(path: Path, arrays: Mapping[str, Array]) -> Mapping[str, Any]:
    group = open_arrays(path, "r", arrays)
    return {name: group[name] for name in arrays}


def unlike(path: Path, values: Mapping[str, np.ndarray]) -> Iterator[Damage]:
    """What of the finished chunks is not what was written, when these are the arrays as read."""
    return _of_chunks(path, lambda *_: values)


def _of_chunks(path: Path, look: Look | None) -> Iterator[Damage]:
    """What is wrong with the finished chunks; with None no values are looked at."""
    manifest, arrays = described(path)
    stored = {} if look is None else look(path, arrays)
    for number in sorted(finished(path)):
        try:
            mark = read_mark(path, number, arrays, guarded=manifest["format"] > 1)
        except (OSError, ValueError) as error:
            yield Damage(number, "", {}, f"its mark is damaged ({error!s:.200})")
            continue
        for name, array in arrays.items():
            file = f"{ARRAYS}/{file_of(name, array, mark.cell)}"
            there = (path / file).is_file()
            if there and look is None:
                continue
            where = where_of(array, mark.cell)
            values, part = (stored[name], where) if there else (_blank(array, where), ...)
            what = _unlike(values, part, mark.digests[name])
            if what is not None:
                said = f"{name} is not what was written: {file} {what if there else 'is missing'}"
                yield Damage(number, name, mark.region, said, file)


def _blank(array: Array, where: tuple[slice, ...]) -> np.ndarray:
    """What stands there where no file is: of what is all like this, none is written."""
    return np.full([one.stop - one.start for one in where], array.fill, array.dtype)


def _unlike(values: Any, where: Any, digest: str) -> str | None:
    """What is wrong with a part of an array, None where it is what was written."""
    try:
        part = values[where]
    except Exception:  # whatever a codec says of bytes that it did not write
        return "is damaged or half written"
    return None if digest_of(part) == digest else "holds other values"
