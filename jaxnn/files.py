"""Files as bytes, text and IDX arrays: what lies at a path, unpacked, in its encoding; faults by
place.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np

MOST_IMAGES = 2**31
"""Bytes of one IDX file, unpacked: EMNIST's largest has 547 MB."""
MOST_TEXT = 2**28
"""Bytes of one table, unpacked: a quarter of a gibibyte is some millions of cases."""

_NO_FILE = (
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISSOCK, "a socket"),
)
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or a spreadsheet", b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz", b"\x28\xb5\x2f\xfd": "packed by zstd", b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "an array of numpy", b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture", b"%PDF": "a PDF document", b"SQLite format 3": "a database",
}  # fmt: skip
"""What other files begin with."""


def check_file(path: Path) -> None:
    """Refuse a path at which no regular file lies.

    Raises:
        ValueError: with what lies there.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    if stat.S_ISDIR(mode):
        raise ValueError(f"{path}: is a folder; give a file")
    for is_kind, kind in _NO_FILE:
        if is_kind(mode):
            raise ValueError(f"{path}: is {kind}; give a regular file")


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The file, open and unpacked where its bytes are gzip's, whatever its name ends in.

    Raises:
        ValueError: no regular file, one that may not be read, or a damaged one.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast(IO[bytes], gzip.GzipFile(fileobj=file) if packed else file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: cannot be unpacked ({error}); the file is damaged") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error


def _at_most(file: IO[bytes], most: int) -> bytes:
    """The next bytes, at most so many; asked for piece by piece, since gzip may have few."""
    pieces, left = [], most
    while left and (piece := file.read(min(left, 2**20))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def read_idx(path: Path, *, axes: int) -> np.ndarray:
    """The array of one IDX file of unsigned bytes with this many axes, gzipped or not.

    No more is read than its header claims.

    Raises:
        ValueError: as `unpacked`; a truncated or overlong file, one that claims more than
            MOST_IMAGES bytes, a wrong magic number.
    """
    length = 4 + 4 * axes
    with unpacked(path) as file:
        header = _at_most(file, length)
        if len(header) < length:
            raise ValueError(f"{path}: ends at byte {len(header)}, inside its header of {length}")
        magic, *shape = struct.unpack(f">{1 + axes}I", header)
        if magic != 0x0800 + axes:
            raise ValueError(f"{path}: magic number {magic} at byte 0, wanted {0x0800 + axes}")
        size = math.prod(shape)
        if size > MOST_IMAGES:
            raise ValueError(
                f"{path}: claims {size} bytes for shape {shape}; at most {MOST_IMAGES}"
            )
        content = _at_most(file, size + 1)
    if len(content) < size:
        end = length + len(content)
        raise ValueError(f"{path}: ends at byte {end}, wanted {length + size} for shape {shape}")
    if len(content) > size:
        raise ValueError(f"{path}: goes on after byte {length + size}, where shape {shape} ends")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_text(path: Path) -> tuple[str, str]:
    """The text of a file, gzipped or not, and the name of its encoding: UTF-8, UTF-16 or Latin-1.

    Raises:
        ValueError: as `unpacked`; more than MOST_TEXT bytes; bytes that are no text.
    """
    with unpacked(path) as file:
        content = _at_most(file, MOST_TEXT + 1)
    if len(content) > MOST_TEXT:
        raise ValueError(f"{path}: holds more than {MOST_TEXT} bytes unpacked; give fewer cases")
    for start, kind in _NO_TEXT.items():
        if content.startswith(start):
            raise ValueError(f"{path}: is {kind}, wanted text; unpack it or save it as .csv")
    text, name = _decoded(path, content)
    odd = re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise ValueError(f"{path}: is no text: line {line} holds the byte {ord(odd[0]):#04x}")
    return text, name


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    """The text and its encoding, by the mark that it begins with, by its zeros, or as UTF-8;
    Latin-1 is what is left, in its usual extension by Windows.
    """
    sample = content[:4096]
    few = len(sample) // 4
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding, name = "utf-16", "UTF-16"
    elif few and sample[1::2].count(0) > few and not sample[::2].count(0):
        encoding, name = "utf-16-le", "UTF-16"
    elif few and sample[::2].count(0) > few and not sample[1::2].count(0):
        encoding, name = "utf-16-be", "UTF-16"
    else:
        encoding, name = "utf-8-sig", "UTF-8"
    try:
        return content.decode(encoding), name
    except UnicodeDecodeError as error:
        fault = f"{path}: is no {name} text (byte {error.start})"
    if name != "UTF-8" or not content.decode("utf-8", errors="ignore").isascii():
        raise ValueError(f"{fault}; save it as UTF-8")
    try:
        return content.decode("cp1252"), "Latin-1"
    except UnicodeDecodeError:
        raise ValueError(f"{fault}, nor is it UTF-16 or Latin-1; save it as UTF-8") from None
