"""The files of Zarr's arrays: read and written below the store without following a link, and held
against the size that the arrays' descriptions give them before they are unpacked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.storage import LocalStore

from jaxnn import regular_files
from jaxnn.results.marks import Array

CHECKSUM = 4
"""Bytes of CRC-32C at the end of a chunk's file."""
ZSTD = b"\x28\xb5\x2f\xfd"


class ArrayFiles(LocalStore):
    """The folder of a store's arrays.

    arrays: what each array is; files that belong to none of them are not read. None while the store
    is made.
    """

    def __init__(
        self, root: Path | str, *, read_only: bool = False, arrays: Mapping[str, Array] | None
    ) -> None:
        super().__init__(root, read_only=read_only)
        self.arrays = arrays

    def with_read_only(self, read_only: bool = False) -> ArrayFiles:
        """The same folder, writable or not."""
        return ArrayFiles(self.root, read_only=read_only, arrays=self.arrays)

    async def get(
        self, key: str, prototype: Any = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """The bytes of a file, None where there is none."""
        return await asyncio.to_thread(
            self.get_sync, key, prototype=prototype, byte_range=byte_range
        )

    def get_sync(
        self, key: str, *, prototype: Any = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """As `get`.

        Raises:
            ValueError: no regular file; one that unpacks to another size than that of a chunk.
        """
        if byte_range is not None:
            raise ValueError(f"{self.root / key}: parts of files are not read")
        try:
            content = regular_files.read(self.root.parent, f"{self.root.name}/{key}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._check_size(key, content)
        return (prototype or default_buffer_prototype()).buffer.from_bytes(content)

    def _check_size(self, key: str, content: bytes) -> None:
        name, _, inside = key.partition("/")
        if self.arrays is None or inside == "zarr.json" or name not in self.arrays:
            return
        size = unpacked(content[:-CHECKSUM])
        if size != self.arrays[name].piece:
            raise ValueError(
                f"{self.root / key}: unpacks to {'no known size' if size is None else f'{size:,}'}"
                f", wanted {self.arrays[name].piece:,} bytes: damaged or half written"
            )

    async def _set(self, key: str, value: Buffer, exclusive: bool = False) -> None:
        del exclusive  # nobody else makes this file
        await asyncio.to_thread(self.set_sync, key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write a file whole or not at all."""
        self._check_writable()
        name = f"{self.root.name}/{key}"
        regular_files.write(self.root.parent, name, value.to_bytes(), durable=False)


def unpacked(frame: bytes) -> int | None:
    """The size that a frame of Zstandard says it unpacks to; None where it says none, or is none.

    Source: RFC 8878, section 3.1.1.1.
    """
    if frame[:4] != ZSTD or len(frame) < 6:
        return None
    descriptor = frame[4]
    alone, dictionary = bool(descriptor & 0x20), (0, 1, 2, 4)[descriptor & 3]
    width = (int(alone), 2, 4, 8)[descriptor >> 6]
    start = 5 + (not alone) + dictionary
    if not width or len(frame) < start + width:
        return None
    return int.from_bytes(frame[start : start + width], "little") + (256 if width == 2 else 0)
