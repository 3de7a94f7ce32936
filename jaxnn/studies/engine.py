"""Run the chunks of a study that its store does not have yet, with progress: here, in processes of
dask, or as one of several processes; take up what was broken off.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from jaxnn import results
from jaxnn.studies import sharing, stores, workers
from jaxnn.studies.progress import LOG, say
from jaxnn.studies.settings import Where
from jaxnn.studies.workers import Chunk, Written
from jaxnn.text import one_line

ASKED = ("study", "settings", "network", "data")
"""The parts of a manifest that must agree before a store is reported on."""

BITS = ("versions", "numerics", "machine")
"""And those that must besides, before chunks are added to others: what their bits depend on."""

ANY = ("devices", "python")
"""What may differ in them: no bit depends on how many devices there are, nor on Python."""


def open_store(path: Path, manifest: Mapping[str, Any], layout: Mapping[str, Any]) -> None:
    """Make the store, or find it there as `check_store` wants it.

    Raises:
        ValueError: the folder holds something else; as `check_store`.
    """
    results.tidy(path)
    if results.read_manifest(path, to_write=True) is None:
        results.create(path, manifest, **layout)
    check_store(path, manifest)


def check_call(path: Path, where: Where) -> None:
    """Refuse a folder that no store can be made in, and ways of sharing that mean nothing, before
    anything is computed.

    Raises:
        ValueError: something else is there, as `results.read_manifest`; or what should hold the
            folder is none, or may not be written to; as `share_of`.
    """
    share_of(where)
    if results.read_manifest(path, to_write=True) is None:
        above = next(parent for parent in path.absolute().parents if parent.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise ValueError(f"{path}: cannot be made, {above} is no folder that can be written to")


def check_store(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a store that was made otherwise, or whose finished chunks are damaged.

    A finished one may be of other versions, on another machine: nothing is added to its bits, and
    it is said.

    Raises:
        ValueError: with each difference, or with what is damaged.
    """
    there = results.trusted(path)
    asked, bits = (list(_differing(there, manifest, parts)) for parts in (ASKED, BITS))
    whole = not asked and len(results.finished(path)) == stores.extent(path)[1]
    differences = asked if whole else [*asked, *bits]
    if differences:
        listed = "; ".join(
            f"{name}: the store has {old!r}, you ask for {new!r}" for name, old, new in differences
        )
        raise ValueError(
            f"{path} was made otherwise and is left as it is ({listed}); choose another --out, or "
            "remove the folder"
        )
    results.refuse_damaged(path)
    if bits:
        listed = ", ".join(f"{name} {old!r} and not {new!r}" for name, old, new in bits)
        say(f"{path} was computed otherwise than it would be here ({listed})")


def _differing(
    there: Mapping[str, Any], manifest: Mapping[str, Any], parts: Sequence[str]
) -> Iterator[tuple[str, Any, Any]]:
    """The leaves of these parts in which a store's manifest is not this one, but for ANY."""
    for part in parts:
        found = _differences(part, there.get(part), manifest[part])
        yield from (difference for difference in found if difference[0] not in ANY)


def _differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """The leaves in which two values of JSON differ, by their names."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return [d for key in keys for d in _differences(key, old.get(key), new.get(key))]
    return [] if old == new else [(name, old, new)]


def run(path: Path, chunk: Chunk, count: int, *, what: str, where: Where) -> None:
    """Compute and write those of the chunks 0 .. count - 1 that are ours and not there yet.

    A chunk is a pure function of its number, so neither who computes it nor a run that was killed
    changes its bits. Other processes on the same store share the chunks with this one. This process
    alone writes what dask's workers compute.

    Raises:
        ValueError: where's settings contradict each other; as `workers.computed`.
        OSError: a chunk cannot be written; as `workers.computed`.
    """
    first, step = share_of(where)
    there = results.finished(path)
    ours = range(first, count, step)
    missing = [number for number in ours if number not in there]
    done = len(ours) - len(missing)
    if done and missing:
        say(f"{done} of {len(ours)} chunks are there; going on with the rest")
    bar = _bar(initial=done, total=len(ours), unit="chunk", desc=one_line(what))
    with results.Claims(path) as claims, bar:
        for numbers in sharing.turns(path, missing, claims):
            if where.engine == "dask":
                made = workers.computed(chunk, numbers, where, len(missing))
            else:
                made = _here(chunk, numbers)
            for number, region, arrays in made:
                results.write_chunk(path, number, region, arrays)
                claims.release(number)
                LOG.info("%s: chunk %d is written", path, number)
                bar.update()
        bar.update(len(ours) - bar.n)  # those that others wrote
    if where.distributed:
        from jax.experimental.multihost_utils import sync_global_devices

        sync_global_devices("all chunks are written")


def _bar(**options: Any) -> Any:
    """A progress bar: a widget in a notebook, or text there without ipywidgets; on the command line
    text on a terminal, and else nothing.
    """
    with warnings.catch_warnings():  # that there are no widgets
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return tqdm(disable=False if hasattr(shell, "kernel") else None, **options)


def share_of(where: Where) -> tuple[int, int]:
    """(i, n): this process takes the chunks i, i + n, ...

    Raises:
        ValueError: a shard that is not i/n with 0 <= i < n, or more than one way of sharing.
    """
    asked = [where.shard is not None, where.distributed, where.engine == "dask"]
    if sum(asked) > 1:
        raise ValueError("--shard, --distributed and --engine dask share the chunks: give one")
    if where.engine != "dask" and (where.scheduler or where.workers):
        raise ValueError("--scheduler and --workers are for --engine dask: give that too")
    if not where.distributed and (where.coordinator or where.processes or where.process):
        raise ValueError(
            "--coordinator, --processes and --process are for --distributed: give that too"
        )
    if where.distributed:
        return jax.process_index(), jax.process_count()
    if where.shard is None:
        return 0, 1
    parts = re.fullmatch(r"(\d+)/(\d+)", where.shard)
    if parts is None or int(parts[1]) >= int(parts[2]):
        raise ValueError(f"--shard is {where.shard}: give i/n with i from 0 to n - 1, such as 0/3")
    return int(parts[1]), int(parts[2])


def _here(chunk: Chunk, numbers: Iterator[int]) -> Iterator[Written]:
    for number in numbers:
        yield number, *chunk(number)
