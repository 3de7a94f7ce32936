"""Regular files below a folder, read and written without following a link: what stores are made of.

A folder may come from a stranger. Its links would lead to somebody else's files, its pipes would
never end, its JSON may be deeper, larger or of other types than any that this program writes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST = 2**28
"""Bytes of the largest file that is read whole, where the reader names no other bound."""
DEEPEST = 32
"""How many objects and lists of JSON may lie in each other."""
LONGEST = 2**16
"""The longest text in JSON."""
_GUARDED = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
_BINARY = getattr(os, "O_BINARY", 0)  # Windows
_HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64]
_LEFT = re.compile(r"\.(?P<name>.+)\.(?P<process>\d{1,9})(?:@(?P<host>[A-Za-z0-9-]*))?")
_PARTIAL = re.compile(r".+\.[0-9a-f]{32}\.partial")
_DAY = 86400.0


def read(root: str | Path, name: str, *, limit: int = LARGEST) -> bytes:
    """The bytes of the regular file root/name; root may be reached through links, name not.

    Raises:
        ValueError: a link on the way, something else than a regular file, or more than `limit`
            bytes.
        OSError: no such file, or one that cannot be read; it names the file.
    """
    file = _plain(Path(root), name)
    with named(file):
        descriptor = os.open(file, os.O_RDONLY | _GUARDED | _BINARY)
        try:
            there = os.fstat(descriptor)
            if not stat.S_ISREG(there.st_mode):
                raise ValueError(f"{file}: is no regular file")
            if there.st_size > limit:
                raise ValueError(f"{file}: has {there.st_size:,} bytes, at most {limit:,} are read")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read(there.st_size)
        finally:
            os.close(descriptor)


def read_json(root: str | Path, name: str, *, limit: int = 2**24) -> dict[str, Any]:
    """The object that the JSON file root/name holds, of finite numbers and bounded depth.

    Raises:
        ValueError: as `read`; no JSON, no object, or one deeper than DEEPEST, with a number that
            no float64 or 64-bit integer is, or with text that cannot be printed.
        OSError: as `read`.
    """
    content = read(root, name, limit=limit)
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
        if not isinstance(value, dict):
            raise ValueError("holds no object")
        _check_values(value)
    except (ValueError, RecursionError) as error:
        said = "is too deep" if isinstance(error, RecursionError) else f"is damaged ({error})"
        raise ValueError(f"{Path(root) / name}: {said:.200}") from error
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _check_values(value: Any) -> None:
    """Refuse what no reader further on expects of a value of JSON."""
    left = [(value, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST:
                raise ValueError(f"more than {DEEPEST} objects and lists in each other")
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            left += [(part, depth + 1) for part in parts]
        elif isinstance(value, str):
            value.encode()  # half a pair of surrogates is no character
            if len(value) > LONGEST:
                raise ValueError(f"a text of {len(value):,} characters")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number that is not finite")
        elif isinstance(value, int) and abs(value) >= 2**64:
            raise ValueError("a number of more than 64 bits")


def write(root: str | Path, name: str, content: bytes | str, *, durable: bool = True) -> Path:
    """Put the whole content under root/name, or nothing: a temporary file beside it, renamed.

    Folders between root and the file are made. durable: the bytes are on the disk before the
    rename, as far as the system says so.

    Raises:
        ValueError: a link on the way, or something else than a regular file under this name.
        OSError: it cannot be written; it names the file.
    """
    root, file = Path(root), Path(root) / name
    if os.path.lexists(file):
        _plain(root, name)
    with named(file, instead=True):
        make_folder(root, str(Path(name).parent))
        temporary = file.with_name(temporary_name(file.name))
        try:
            with os.fdopen(_create(temporary), "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
            os.replace(temporary, file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return file


def _create(file: Path) -> int:
    """A new file, open for writing; what a process of the same number left there is removed."""
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _GUARDED | _BINARY
    with contextlib.suppress(FileExistsError):
        return os.open(file, how, 0o666)
    file.unlink()
    return os.open(file, how, 0o666)


def make_folder(root: Path, name: str) -> None:
    """Make root/name and what lies between, none of which is a link.

    Raises:
        ValueError: a link, or something else than a folder.
    """
    root.mkdir(parents=True, exist_ok=True)
    place = root
    for part in Path(name).parts:
        place = place / part
        with contextlib.suppress(FileExistsError):
            place.mkdir()
        _refuse_link(place)
        if not place.is_dir():
            raise ValueError(f"{place}: is no folder")


def _plain(root: Path, name: str) -> Path:
    """The file root/name, when nothing below root is a link and it is a regular file.

    Raises:
        ValueError: it is something else.
        OSError: it is not there; it names the file.
    """
    place, parts = root, Path(name).parts
    if Path(name).is_absolute() or ".." in parts:
        raise ValueError(f"{name}: leads out of {root}")
    for part in parts:
        place = place / part
        _refuse_link(place)
    if not stat.S_ISREG(os.lstat(place).st_mode):
        raise ValueError(f"{place}: is no regular file")
    return place


def _refuse_link(place: Path) -> None:
    if is_link(place):
        raise ValueError(f"{place}: is a link, which might lead anywhere; remove it")


def is_link(place: str | Path) -> bool:
    """Whether this is a link, or a junction of Windows."""
    return os.path.islink(place) or getattr(os.path, "isjunction", lambda _: False)(place)


@contextlib.contextmanager
def named(file: str | Path, *, instead: bool = False) -> Iterator[None]:
    """An OSError in here names this file: where it names none, or instead of what it names."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and not instead):
            raise
        raise OSError(error.errno, error.strerror, str(file)) from error


def below(root: Path) -> Iterator[os.DirEntry[str]]:
    """Everything in a folder and the folders in it, links as links; folders that another process
    removes meanwhile have nothing in them.
    """
    left = [str(root)]
    while left:
        with contextlib.suppress(FileNotFoundError), os.scandir(left.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                yield entry
                if entry.is_dir(follow_symlinks=False) and not is_link(entry.path):
                    left.append(entry.path)


def strange(root: Path) -> Iterator[str]:
    """What in a folder is neither a folder nor a regular file, each in words."""
    for entry in below(root):
        name = os.path.relpath(entry.path, root)
        if is_link(entry.path):
            yield f"{name} is a link"
        elif not (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)):
            yield f"{name} is no regular file"


def temporary_name(name: str) -> str:
    """What a file or folder is called until it is whole: its writer is known by it."""
    return f".{name}.{os.getpid()}@{_HOST}"


def is_left(place: str | Path) -> bool:
    """Whether this is what a process that is gone had not finished writing.

    Of a process of another machine, and of one whose number is not known, that is believed after a
    day.
    """
    name = os.path.basename(place)
    parts = _LEFT.fullmatch(name)
    if parts is None and not _PARTIAL.fullmatch(name):
        return False
    if parts is not None and parts["host"] in (None, _HOST) and os.name == "posix":
        return _is_gone(int(parts["process"]))
    try:
        return time.time() - os.lstat(place).st_mtime > _DAY
    except FileNotFoundError:
        return False


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):  # somebody else's; no number of a process
        return False
    return False
