"""The files of a store besides its arrays: tables, findings, pages and figures, each written whole
or not at all, with its SHA-256 in one small file that also guards itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxnn import regular_files
from jaxnn.results.manifests import is_store

DIGESTS = "digests.json"
WRITTEN = ("table.txt", "findings.json", "report.html")
"""What is written into the folder itself; figures are in a folder of their own."""
FIGURES = "figures"
_FIGURE = re.compile(rf"{FIGURES}/[A-Za-z0-9_+-][A-Za-z0-9_.,+-]*")


def write_files(folder: str | Path, contents: Mapping[str, bytes | str]) -> list[Path]:
    """Write files into a folder, each whole or not at all; where it is a store's, or its figures',
    their digests too.

    Both the old and the new file of a name are known by their digests until all are written: a
    process that is killed meanwhile leaves nothing that counts as damaged.

    Raises:
        ValueError: a link on the way, or something else than a file under one of the names.
        OSError: one that cannot be written, named.
    """
    folder = Path(folder)
    root = next((place for place in (folder, folder.parent) if is_store(place)), None)
    if root is None:
        return [regular_files.write(folder, name, content) for name, content in contents.items()]
    prefix = "" if root == folder else f"{folder.name}/"
    new = {f"{prefix}{name}": _bytes(content) for name, content in contents.items()}
    recorded = {name: hashlib.sha256(content).hexdigest() for name, content in new.items()}
    regular_files.make_folder(root, prefix)
    with _alone(root):
        known = recorded_in(root) or {}
        before = {name: [digest, _digest_of(root, name)] for name, digest in recorded.items()}
        _record(root, {**known, **before})
        files = [regular_files.write(root, name, content) for name, content in new.items()]
        _record(root, {**known, **{name: [digest] for name, digest in recorded.items()}})
    return files


def begin(root: Path) -> None:
    """Say of a new store that none of these files is written yet."""
    _record(root, {})


def recorded_in(root: Path) -> dict[str, list[str | None]] | None:
    """Name -> the digests that its file may have (None: it may be missing); None where no such
    file was ever written.

    Raises:
        ValueError: it is not what was written.
    """
    try:
        said = regular_files.read_json(root, DIGESTS)
    except FileNotFoundError:
        return None
    files = said.get("files")
    if said.get("sha256") != _own(files) or not isinstance(files, dict):
        raise ValueError(f"{root / DIGESTS}: is not what was written; jaxnn verify --repair")
    for name, digests in files.items():
        if not (_is_ours(name) and isinstance(digests, list)):
            raise ValueError(f"{root / DIGESTS}: {name!r:.60} is none of this program's files")
    return files


def unlike(root: Path, known: Mapping[str, list[str | None]]) -> Iterator[tuple[str, str]]:
    """The files that are not what was written: the name, and what is wrong."""
    for name, digests in known.items():
        there = _digest_of(root, name)
        if there not in digests:
            yield name, "is missing" if there is None else "is not what was written"


def without(root: Path, known: Mapping[str, Any]) -> list[str]:
    """The tables, findings, pages and figures of a store that have no digest."""
    figures = root / FIGURES
    there = [name for name in WRITTEN if (root / name).is_file()]
    there += (
        sorted(f"{FIGURES}/{file.name}" for file in figures.iterdir()) if figures.is_dir() else []
    )
    left = regular_files.is_left
    return [name for name in there if name not in known and not left(root / name)]


def forget(root: Path, names: list[str]) -> None:
    """Remove these files, which are not what was written, and their digests."""
    with _alone(root):
        try:
            known = recorded_in(root) or {}
        except ValueError:  # it is what is damaged
            known = {}
        for name in names:
            if _is_ours(name) and os.path.lexists(root / name):
                regular_files.read(root, name, limit=2**60)  # no link leads there
                (root / name).unlink()
        _record(root, {name: digests for name, digests in known.items() if name not in names})


def _is_ours(name: str) -> bool:
    return name in WRITTEN or bool(_FIGURE.fullmatch(name))


def _record(root: Path, files: Mapping[str, list[str | None]]) -> None:
    said = {"files": dict(files), "sha256": _own(files)}
    regular_files.write(root, DIGESTS, json.dumps(said, indent=1) + "\n")


def _own(files: Any) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _digest_of(root: Path, name: str) -> str | None:
    """SHA-256 of a file, None where it is missing."""
    try:
        return hashlib.sha256(regular_files.read(root, name)).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One process after the other records digests, where the system can lock a folder."""
    try:
        import fcntl
    except ImportError:  # Unix alone has it
        yield
        return
    descriptor = os.open(root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network drives lock nothing
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
