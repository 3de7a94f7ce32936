"""The chunks of a study by the workers of dask.distributed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from jaxnn import devices, numerics, results
from jaxnn.studies.problem import versions
from jaxnn.studies.progress import LOG, say, tell
from jaxnn.studies.settings import Where

PATIENCE = 2.0
"""Seconds after which it is looked again how many workers there are."""
ANSWER = 10.0
"""Seconds within which a scheduler answers."""

Chunk = Callable[[int], tuple[results.Region, Mapping[str, np.ndarray]]]

Written = tuple[int, results.Region, Mapping[str, np.ndarray]]
"""A chunk's number, region and arrays, to be written."""


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
    _quieten()
    cluster = None
    if where.scheduler is None:
        count = where.workers or len(os.sched_getaffinity(0))
        tidied = "ignore::UserWarning:multiprocessing.resource_tracker"  # what a signal leaves
        os.environ["PYTHONWARNINGS"] = f"{os.environ.get('PYTHONWARNINGS', '')},{tidied}".strip(",")
        cluster = LocalCluster(n_workers=min(count, most), threads_per_worker=1)
    client = Client(cluster or where.scheduler)
    try:
        say(f"dask: {client.dashboard_link}")
        with _lost_in_one_line(client):
            task, held = functools.partial(_on_worker, _computed_by()), _held(client, chunk)
            submit = functools.partial(client.submit, task, held, pure=False)
            yield from _by(client, submit, first, numbers)
    finally:
        for opened in (client, cluster):
            if opened is not None:
                with contextlib.suppress(Exception, asyncio.CancelledError):  # it may be gone
                    opened.close(timeout=3)


def _quieten() -> None:
    """Without --verbose, no log of dask's: its tracebacks tell what is one line here."""
    if not LOG.isEnabledFor(logging.INFO):
        for name in [*logging.root.manager.loggerDict]:
            if name.partition(".")[0] in ("distributed", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def _lost_in_one_line(client: Any) -> Iterator[None]:
    """Say that the scheduler is gone, or that its workers die, as errors of the system.

    Raises:
        OSError: with what to do.
    """
    from distributed import KilledWorker

    address, stays = (
        client.scheduler.address,
        "what was written stays, and the same command goes on",
    )
    try:
        yield
    except KilledWorker as error:
        raise OSError(f"dask: the workers die, for want of memory perhaps; {stays}") from error
    except (Exception, asyncio.CancelledError) as error:
        lost = isinstance(error, asyncio.CancelledError | TimeoutError)
        if client.status == "running" and not lost:
            raise
        raise OSError(f"dask: the scheduler {address} is gone; {stays}") from error


def _held(client: Any, chunk: Chunk) -> Any:
    """The chunk's function with its data, sent to the scheduler once, as bytes: a worker unpacks
    them after its devices are chosen, and asks for them again where another one died.
    """
    from distributed.protocol.pickle import dumps

    with warnings.catch_warnings():  # that they are many
        warnings.simplefilter("ignore")
        return client.submit(bytes, dumps(chunk), pure=False)


@functools.lru_cache(maxsize=1)
def _unpacked(content: bytes) -> Chunk:
    from distributed.protocol.pickle import loads

    return loads(content)


def _by(
    client: Any, submit: Callable[[int], Any], first: int, rest: Iterator[int]
) -> Iterator[Written]:
    """The chunks as this client's workers finish them; what is not told of is waited for."""
    import distributed

    wait: Any = distributed.wait
    under_way, idle = {submit(first)}, False
    while under_way:
        workers = _count_workers(client)
        while len(under_way) < 2 * workers and (number := next(rest, None)) is not None:
            under_way.add(submit(number))
        if not (workers or idle):
            tell(f"dask: the scheduler {client.scheduler.address} has no workers; waiting for some")
        idle = not workers
        with contextlib.suppress(TimeoutError):
            done, under_way = wait(under_way, timeout=PATIENCE, return_when="FIRST_COMPLETED")
            for future in done:
                yield future.result()
                future.release()


def _count_workers(client: Any) -> int:
    """How many workers the scheduler has now.

    Raises:
        TimeoutError: it does not answer.
    """
    asked = client.scheduler.identity
    return len(client.sync(asked, n_workers=-1, callback_timeout=ANSWER)["workers"])


_ONE_AT_A_TIME = threading.Lock()


def _on_worker(wanted: Mapping[str, Any], content: bytes, number: int) -> Written:
    """One chunk, on a worker of dask: with all its threads as devices, by the same versions and
    flags, jax set as everywhere.
    """
    with _ONE_AT_A_TIME, numerics.fixed():
        _prepare_worker()
        there = _computed_by()
        for name, version in wanted.items():
            if name != "python" and there.get(name) != version:
                raise ValueError(
                    f"a worker has {name} {there.get(name)}, but {version} is wanted: give it the "
                    "same"
                )
        return number, *_unpacked(content)(number)


def _computed_by() -> dict[str, Any]:
    """What the bits of a command's chunks depend on in this process."""
    with numerics.fixed():
        return {**versions(), **numerics.in_force()}


@functools.cache
def _prepare_worker() -> None:
    from distributed import get_worker

    devices.use_all_cores(get_worker().state.nthreads)
