"""Signals that end a command: one line, and status 128 + the signal's number, whenever they come.

Nothing is raised: an exception would be thrown into whatever runs, also into C++ that aborts on it.
Whatever is being written can be dropped at any moment, so the process just leaves.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import threading
from collections.abc import Sequence

NAMES = ("SIGINT", "SIGHUP", "SIGBREAK", "SIGTERM")
"""As far as the system has them."""
RESUMED = ("study", "census", "basins", "sensitivity")
"""The commands that go on where their stores are."""


class Interrupts:
    """What this process does at a signal, from `listen` on, which only a process that is ours alone
    may call.
    """

    def __init__(self, words: Sequence[str]) -> None:
        resumed = words[:1] and words[0] in RESUMED and "--dry-run" not in words
        self._line = f"stopped{'; the same command goes on from here' if resumed else ''}"
        self._status: int | None = None
        self._leaving = threading.Lock()

    def listen(self) -> None:
        """Leave at the first signal; one that is ignored, as SIGHUP is under nohup, stays so.

        Python runs handlers between two of its own instructions; XLA may keep it from them for
        minutes. So a thread hears of the signals too, and who is first ends the process.
        """
        there = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        heard = [number for number in there if signal.getsignal(number) != signal.SIG_IGN]
        for number in heard:
            signal.signal(number, lambda number, _: self._leave(number))
        atexit.register(_ignore, heard)  # first to come, so last to run
        reader, writer = os.pipe()
        if hasattr(os, "set_blocking"):
            os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reader, heard), daemon=True).start()

    def finished(self, status: int) -> None:
        """From now on there is nothing left to stop: a signal only shortens the way out."""
        self._status = status

    def _watch(self, reader: int, heard: Sequence[int]) -> None:
        while number := os.read(reader, 1):
            if number[0] in heard:
                self._leave(number[0])

    def _leave(self, number: int) -> None:
        if not self._leaving.acquire(blocking=False):
            return
        if self._status is None:
            _tell(self._line)
        os._exit(128 + number if self._status is None else self._status)


def _ignore(heard: Sequence[int]) -> None:
    for number in heard:
        signal.signal(number, signal.SIG_IGN)


def _tell(line: str) -> None:
    """The line on stderr, unless nobody takes it within a second."""
    with contextlib.suppress(OSError, ValueError):
        start = "\n" if os.isatty(2) else ""  # after what the terminal shows of the key, or a bar
        if os.name == "nt" or select.select([], [2], [], 1)[1]:
            os.write(2, f"{start}jaxnn: {line}\n".encode())
