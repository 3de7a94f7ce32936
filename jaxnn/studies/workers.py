"""The chunks of a study by the workers of dask.distributed."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from jaxnn import devices, results
from jaxnn.studies.problem import versions
from jaxnn.studies.progress import LOG, say, tell
from jaxnn.studies.settings import Where

Chunk = Callable[[int], tuple[results.Region, Mapping[str, np.ndarray]]]

Written = tuple[int, results.Region, Mapping[str, np.ndarray]]

PATIENCE = 2.0
"""Seconds without a chunk or a worker after which that is looked into."""


def computed(chunk: Chunk, numbers: Iterator[int], where: Where, most: int) -> Iterator[Written]:
    """The chunks as dask's workers finish them, at most two a worker under way; there are no more
    than `most`.

    What a worker that died had under way, dask gives to another one.

    Raises:
        ValueError: dask is not installed, or a worker has other versions.
        OSError: the scheduler is not there, or not any more.
    """
    first = next(numbers, None)
    if first is None:
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ValueError(
            "--engine dask needs dask.distributed: pip install 'jaxnn[cluster]'"
        ) from error
    if not LOG.isEnabledFor(logging.INFO):  # its tracebacks tell what one line here says
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
    cluster = None
    if where.scheduler is None:
        count = where.workers or len(os.sched_getaffinity(0))
        cluster = LocalCluster(n_workers=min(count, most), threads_per_worker=1)
    client = Client(cluster or where.scheduler)
    try:
        say(f"dask: {client.dashboard_link}")
        yield from _by(client, functools.partial(_on_worker, chunk, versions()), first, numbers)
    finally:
        for opened in (client, cluster):
            if opened is not None:
                with contextlib.suppress(Exception):  # of a scheduler that is gone
                    opened.close(timeout=5)


def _by(
    client: Any, task: Callable[[int], Written], first: int, rest: Iterator[int]
) -> Iterator[Written]:
    """The chunks as this client's workers finish them."""
    import distributed

    wait: Any = distributed.wait
    address = client.scheduler.address
    under_way = {client.submit(task, first, pure=False)}
    said = False
    while under_way:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        while len(under_way) < 2 * workers and (number := next(rest, None)) is not None:
            under_way.add(client.submit(task, number, pure=False))
        try:
            done, under_way = wait(under_way, timeout=PATIENCE, return_when="FIRST_COMPLETED")
        except TimeoutError:
            if not workers and not said:
                tell(f"dask: the scheduler {address} has no workers; waiting for the first")
            said = not workers
            continue
        for future in done:
            yield future.result()
            future.release()


_ONE_AT_A_TIME = threading.Lock()


def _on_worker(chunk: Chunk, wanted: Mapping[str, str], number: int) -> Written:
    """One chunk, on a worker of dask: with all its threads as devices, by the same versions."""
    with _ONE_AT_A_TIME:
        _prepare_worker()
        there = versions()
        for name, version in wanted.items():
            if name != "python" and there.get(name) != version:
                raise ValueError(
                    f"a worker has {name} {there.get(name)}, but {version} is wanted: install the "
                    "same"
                )
        return number, *chunk(number)


@functools.cache
def _prepare_worker() -> None:
    from distributed import get_worker

    devices.use_all_cores(get_worker().state.nthreads)
