"""How far a command is, on stderr: for who looks on at a terminal, or asked by --verbose."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator

from jaxnn.text import for_terminal

LOG = logging.getLogger("jaxnn")
"""What is done and how long it took, at the level INFO."""


def is_watched() -> bool:
    """Whether anybody sees what is said on the way."""
    return sys.stderr.isatty() or LOG.isEnabledFor(logging.INFO)


def say(line: str) -> None:
    """A line on stderr, if that is a terminal or --verbose asks for it."""
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("%s", line)
    elif sys.stderr.isatty():
        print(for_terminal(line), file=sys.stderr, flush=True)


def tell(line: str) -> None:
    """A line on stderr that nobody should miss, also in a file of a batch job."""
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("%s", line)
    else:
        print(f"jaxnn: {for_terminal(line)}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def timed(name: str) -> Iterator[None]:
    """Log how long this part took, also where it fails."""
    started = time.perf_counter()
    LOG.info("%s ...", name)
    try:
        yield
    finally:
        LOG.info("%s: %.2f s", name, time.perf_counter() - started)
