"""Which chunks of a store are under way, and by whom, so that several processes share them.

Each is a file on which the process that computes the chunk holds a lock of the operating system.
That drops it when the process ends, however it ends: what a killed one leaves is an empty claim.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
from pathlib import Path
from types import TracebackType

FOLDER = "claims"
HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""What a lock says that somebody else has."""
LOCKLESS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
"""What it says on a file system that has none."""
_SIGNED = re.compile(r"process \d{1,9} on [A-Za-z0-9._-]{1,64}")
_OPENED = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Claims:
    """The chunks of the store at `path` that this process has under way; given up on leaving.

    lockless: what the system says where the file system has no locks; then every claim is granted.
    """

    def __init__(self, path: str | Path) -> None:
        self.lockless: str | None = None
        self._folder = Path(path) / FOLDER
        self._held: dict[int, int] = {}

    def __enter__(self) -> Claims:
        """The claims."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Give up what is held, and remove what processes that are gone have left."""
        for number in [*self._held]:
            self.release(number)
        left: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            left = [] if self.lockless else os.listdir(self._folder)
        for name in left:
            if name.isdecimal() and self.take(int(name)):
                self.release(int(name))
        with contextlib.suppress(OSError):  # not there, or somebody else is at work
            self._folder.rmdir()

    def take(self, number: int) -> bool:
        """Whether the chunk is ours now: no other process has it under way.

        Raises:
            ValueError: what lies there as the claim is a file of another name too.
            OSError: the claim cannot be written.
        """
        while (descriptor := self._open(number)) is None:
            pass  # who was last has just removed the folder
        if os.fstat(descriptor).st_nlink > 1:
            os.close(descriptor)
            raise ValueError(f"{self._file(number)}: is another file too (a hard link); remove it")
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in HELD:
                return False
            if error.errno not in LOCKLESS:
                raise
            self.lockless = error.strerror
            self._file(number).unlink(missing_ok=True)
            return True
        if not self._is_there(number, descriptor):  # who held it has just removed it
            os.close(descriptor)
            return self.take(number)
        _sign(descriptor)
        self._held[number] = descriptor
        return True

    def release(self, number: int) -> None:
        """Give the chunk up: it is written, or left to others."""
        descriptor = self._held.pop(number, None)
        if descriptor is None:
            return
        if sys.platform == "win32":  # an open file cannot be removed
            os.close(descriptor)
        with contextlib.suppress(OSError):
            self._file(number).unlink()
        if sys.platform != "win32":  # removed first: who opens it now sees that it is gone
            os.close(descriptor)

    def holder(self, number: int) -> str:
        """Who has the chunk under way, in words."""
        try:
            signed = self._file(number).read_bytes()[:100].decode("ascii")
        except (OSError, UnicodeDecodeError):
            signed = ""
        return signed if _SIGNED.fullmatch(signed) else "another process"

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}"

    def _open(self, number: int) -> int | None:
        with contextlib.suppress(FileExistsError):
            self._folder.mkdir()
        with contextlib.suppress(FileNotFoundError):
            return os.open(self._file(number), _OPENED, 0o666)
        return None

    def _is_there(self, number: int, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._file(number)))
        except FileNotFoundError:
            return False


def _lock(descriptor: int) -> None:
    """Lock the file for as long as it is open here, or fail at once."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 2**20, os.SEEK_SET)  # behind the text, which others read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sign(descriptor: int) -> None:
    """Write into the claim whose it is, as far as the disk has room for that."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64]
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"process {os.getpid()} on {host or 'localhost'}".encode())
