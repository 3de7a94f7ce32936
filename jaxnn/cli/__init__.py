"""The command line, `jaxnn` and `python -m jaxnn`: from the words typed to settings, from settings
to what is found, from what is found to text or JSON.
"""

from __future__ import annotations

import sys


def main(args: list[str] | None = None) -> None:
    """Run one command, that of these words; by default what was typed, in a process that is the
    command's alone: then signals end it in one line.

    Raises:
        SystemExit: with a status that is not 0; a user's mistake is one line on stderr and 2.
    """
    if args is not None:
        return _end(_run(args))
    from jaxnn.cli import streams
    from jaxnn.cli.interrupts import Interrupts

    streams.secure()
    interrupts = Interrupts(sys.argv[1:])
    interrupts.listen()
    status = _run(sys.argv[1:])
    interrupts.finished(status)
    return _end(status)


def _run(words: list[str]) -> int:
    from jaxnn.cli.entry import run  # 0.1 s and more: only when signals are listened to

    return run(words)


def _end(status: int) -> None:
    if status:
        sys.exit(status)
