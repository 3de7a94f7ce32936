"""Which of its chunks a process computes next: those that no other process has under way, and in
the end those that others have not finished.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from jaxnn import results
from jaxnn.studies.progress import tell

PAUSE = 0.25
"""Seconds between two looks at what others have under way."""


def turns(path: Path, numbers: Sequence[int], claims: results.Claims) -> Iterator[Iterator[int]]:
    """The chunks that are missing, round after round until all are there.

    A chunk is claimed when it comes, to be released when it is written. What others have under way
    is passed over; when a round has come to its end, that is waited for.
    """
    said: set[str] = set()
    left = [*numbers]
    while left:
        passed: list[int] = []
        yield _free(path, left, claims, passed, said)
        there = results.finished(path)
        left = [number for number in passed if number not in there]
        if left:
            _wait(path, left, claims, said)


def _free(
    path: Path, numbers: Sequence[int], claims: results.Claims, passed: list[int], said: set[str]
) -> Iterator[int]:
    """Those of the chunks that nobody has under way; the others are `passed`."""
    for number in numbers:
        if not claims.take(number):
            passed.append(number)
            _tell(said, f"{claims.holder(number)} works on {path} too: the chunks are shared")
        elif number in results.finished(path):
            claims.release(number)
        else:
            yield number
        if claims.lockless:
            _tell(
                said,
                f"{path}: this file system has no locks ({claims.lockless}), so another process "
                "on the same store would compute the same chunks again",
            )


def _wait(path: Path, numbers: Sequence[int], claims: results.Claims, said: set[str]) -> None:
    """Until one of the chunks is there, or nobody has it under way any more."""
    who = ", ".join(sorted({claims.holder(number) for number in numbers}))
    _tell(said, f"waiting for {who} to finish what is under way there")
    while True:
        time.sleep(PAUSE)
        there = results.finished(path)
        for number in numbers:
            if number in there:
                return
            if claims.take(number):
                claims.release(number)
                if number not in results.finished(path):
                    tell(f"nobody computes chunk {number} any more: taken over")
                return


def _tell(said: set[str], line: str) -> None:
    """Once a line."""
    if line not in said:
        said.add(line)
        tell(line)
