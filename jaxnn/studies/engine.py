"""Run the chunks of a study that its store does not have yet, with progress; take up what was
broken off.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxnn import results

Chunk = Callable[[int], tuple[results.Region, Mapping[str, np.ndarray]]]

COMPARED = ("study", "settings", "network", "data", "versions", "machine")
"""The parts of a manifest that must agree before a store is gone on with."""


def open_store(path: Path, manifest: Mapping[str, Any], layout: Mapping[str, Any]) -> None:
    """Make the store, or find it there with this very manifest.

    Raises:
        ValueError: the folder holds something else, or a store made otherwise: with each
            difference.
    """
    there = results.read_manifest(path)
    if there is None:
        results.create(path, manifest, **layout)
        return
    differences = [
        f"{name}: the store has {old!r}, you ask for {new!r}"
        for part in COMPARED
        for name, old, new in _differences(part, there.get(part), manifest[part])
    ]
    if differences:
        raise ValueError(
            f"{path} was made otherwise and is left as it is ({'; '.join(differences)}); "
            "choose another --out, or remove the folder"
        )


def _differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """The leaves in which two values of JSON differ, by their names."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return [d for key in keys for d in _differences(key, old.get(key), new.get(key))]
    return [] if old == new else [(name, old, new)]


def run(path: Path, chunk: Chunk, count: int, *, what: str) -> None:
    """Compute and write the chunks 0 .. count - 1 that are not there yet, one after another.

    A chunk is a pure function of its number, so a run that was killed ends with the same bits.
    """
    there = results.finished(path)
    missing = [number for number in range(count) if number not in there]
    if there and missing:
        print(f"{len(there)} of {count} chunks are there; going on with the rest", file=sys.stderr)
    bar = tqdm(missing, initial=len(there), total=count, unit="chunk", desc=what, disable=None)
    for number in bar:
        region, arrays = chunk(number)
        results.write_chunk(path, number, region, arrays)
