"""The standard streams: always open, never at a loss for a character, and their faults named."""

from __future__ import annotations

import contextlib
import os
import sys

from jaxnn.text import for_terminal


def secure() -> None:
    """Open what was closed, so that no file gets its number and our messages in it; and write what
    the encoding lacks as its escape.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _discard(number)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # what a host put there
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore


def put(text: str = "") -> None:
    """Print it as a line, whatever it quotes without power over the terminal, and hand on all that
    was printed.

    Raises:
        BrokenPipeError: nobody reads it.
        OSError: it cannot be written, such as to a full disk.
    """
    try:
        print(for_terminal(text), end="\n" if text else "", flush=True)
    except OSError as error:
        _discard(1)  # else Python fails once more on its way out
        raise type(error)(error.errno, error.strerror, "stdout") from error


def discard() -> None:
    """Let all that is printed from here on, and what was not handed on, go nowhere."""
    _discard(1)
    _discard(2)


def _discard(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
