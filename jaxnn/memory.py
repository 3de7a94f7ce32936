"""How much memory this process may take, and what asks for more refused before it is computed.

Imports the standard library alone; what a system does not tell does not limit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says what a container or a batch job may take, version 2 and version 1."""


def at_hand() -> int | None:
    """The bytes that this process may take: the least of the machine's memory, the limit of its
    container or batch job, and its own limit of addresses (ulimit -v); None where none is known.
    """
    return min(_limits(), default=None)


def check(needed: float, what: str, advice: str) -> None:
    """Refuse what takes more memory than is at hand.

    Args:
        needed: bytes.
        what: what takes them, as the first words of the error.
        advice: what to do, its last words.

    Raises:
        ValueError: more is needed than `at_hand`, with both.
    """
    held = at_hand()
    if held is not None and needed > held:
        raise ValueError(
            f"{what} takes about {in_bytes(needed)}, and there are {in_bytes(held)} of memory; "
            f"{advice}"
        )


def addresses() -> int | None:
    """The bytes of addresses that this process may have (ulimit -v); None without a limit."""
    try:
        import resource
    except ImportError:  # Unix alone has it
        return None
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if own == resource.RLIM_INFINITY else own


def check_addresses(cores: int) -> None:
    """Refuse to start jax where it would abort in the middle of a start that finds no addresses.

    On 2 cores it starts within 2.0 GB and not within 1.5; each core has threads with stacks.

    Raises:
        ValueError: a limit below that.
    """
    held, needed = addresses(), 1.6e9 + 0.2e9 * cores
    if held is not None and held < needed:
        raise ValueError(
            f"this process may have {in_bytes(held)} of addresses (ulimit -v), and jax wants about "
            f"{in_bytes(needed)} on {cores} cores: raise the limit"
        )


def in_bytes(count: float) -> str:
    """A number of bytes, in words.

    >>> in_bytes(51_200_000_000)
    '51.2 GB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def peak() -> int:
    """The most bytes that this process has held so far; 0 where no system tells."""
    try:
        import resource
    except ImportError:  # Unix alone has it
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _limits() -> Iterator[int]:
    if hasattr(os, "sysconf"):
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in CGROUPS:
        try:
            yield int(Path(file).read_text("ascii"))
        except (OSError, ValueError):  # no such system, or no limit: "max"
            continue
    own = addresses()
    if own is not None:
        yield own
