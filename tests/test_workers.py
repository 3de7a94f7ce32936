"""dask's schedulers and workers: what is not there is told in one line and waited for, or ends the
command with what was written.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_engine import CHUNKS, STUDY, begun, children, command, expected, same, wait_for

from jaxnn import results
from jaxnn.studies import workers

distributed = pytest.importorskip("distributed")
__all__ = ["expected"]  # a fixture


def client(status):
    return SimpleNamespace(scheduler=SimpleNamespace(address="tcp://a:1"), status=status)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("running", asyncio.CancelledError(), "the scheduler tcp://a:1 is gone; what was written"),
        ("running", TimeoutError(), "is gone"),
        ("connecting", RuntimeError("whatever"), "is gone"),
        ("closed", OSError("whatever"), "is gone"),
        ("running", distributed.KilledWorker("task", "worker", 3), "the workers die"),
    ],
)
def test_what_dask_raises_where_it_is_lost_is_one_line(status, error, said):
    with pytest.raises(OSError, match=said), workers._lost_in_one_line(client(status)):
        raise error


def test_an_error_of_a_chunk_is_its_own():
    with pytest.raises(ValueError, match="wanted"), workers._lost_in_one_line(client("running")):
        raise ValueError("a worker has jax 1, but 2 is wanted")


def daemon(name, *words):
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{name}", *words, "--no-dashboard"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def scheduler():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = daemon("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-show")
    yield process, f"tcp://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told_and_one_that_is_killed_ends_in_one_line(
    scheduler, tmp_path, expected
):
    process, address = scheduler
    out = tmp_path / "store"
    asking = begun("--engine", "dask", "--scheduler", address, out=out)
    assert asking.stderr is not None
    line = asking.stderr.readline()
    assert line == f"jaxnn: dask: the scheduler {address} has no workers; waiting for some\n"
    worker = daemon("worker", address, "--nthreads", "1")
    wait_for(lambda: len(results.finished(out)) >= 2, asking)
    process.kill()
    printed, errors = asking.communicate(timeout=60)
    assert (asking.returncode, printed) == (2, "")
    assert errors.startswith(f"jaxnn: dask: the scheduler {address} is gone; what was written")
    assert errors.count("\n") == 1
    assert 2 <= len(results.finished(out)) < CHUNKS
    worker.terminate()
    worker.wait(timeout=60)
    command(out=out)
    same(out, expected)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_the_processes_is_one_line_and_leaves_none(number, tmp_path):
    out = tmp_path / "store"
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxnn", *STUDY, "--engine", "dask", "--workers", "2",
         "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(results.__file__).parents[2])},
    )  # fmt: skip
    wait_for(lambda: len(results.finished(out)) >= 1 if out.exists() else False, process)
    theirs = children(process.pid)
    os.killpg(process.pid, number)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (128 + number, "")
    assert errors == "jaxnn: stopped; the same command goes on from here\n"
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in theirs):
        assert time.monotonic() < deadline
        time.sleep(0.1)
