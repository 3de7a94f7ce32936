"""Several processes on one store: each chunk is computed once, and those of a dead one too."""

import errno
import os
import threading
import time

import pytest
import small_stores
from test_claims import child, ended, holding, killed

from jaxnn import results
from jaxnn.results import claims
from jaxnn.studies import engine
from jaxnn.studies.settings import Where

CELLS = small_stores.CELLS


class Chunks:
    """The chunks of the small store, slowly, and how often each was computed."""

    def __init__(self):
        self.computed = []

    def __call__(self, number):
        self.computed.append(number)
        time.sleep(0.05)
        return small_stores.cell(number, *CELLS[number])


@pytest.fixture
def store(tmp_path):
    small_stores.make(tmp_path / "store")
    return tmp_path / "store"


def run(store, chunk, where=None):
    engine.run(store, chunk, len(CELLS), what="test", where=where or Where())


def same(store, tmp_path):
    expected = results.load(small_stores.whole(tmp_path / "whole"))
    assert results.load(store).equals(expected)
    assert not (store / "claims").exists()


@pytest.mark.parametrize("shards", [[None, None, None], ["0/2", "1/2", "0/2"], [None, "1/2", None]])
def test_each_chunk_is_computed_once_and_the_later_ones_say_so(shards, store, tmp_path, capsys):
    chunk = Chunks()
    threads = [threading.Thread(target=run, args=(store, chunk, Where(shard=s))) for s in shards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(chunk.computed) == list(range(len(CELLS)))
    same(store, tmp_path)
    said = capsys.readouterr().err
    assert f"process {os.getpid()} on " in said
    assert f"works on {store} too: the chunks are shared\n" in said


def test_a_process_waits_for_another_and_takes_over_when_that_dies(store, tmp_path, capsys):
    other = holding(store, 5)
    chunk = Chunks()
    thread = threading.Thread(target=run, args=(store, chunk))
    thread.start()
    said, deadline = "", time.monotonic() + 60
    while "waiting for" not in said:
        assert time.monotonic() < deadline
        said += capsys.readouterr().err
        time.sleep(0.01)
    assert f"waiting for process {other.pid} on " in said
    assert sorted(chunk.computed) == [n for n in range(len(CELLS)) if n != 5]
    time.sleep(0.6)  # it does wait
    assert chunk.computed[-1] != 5
    killed(other)
    thread.join(timeout=60)
    assert chunk.computed[-1] == 5
    assert capsys.readouterr().err == "jaxnn: nobody computes chunk 5 any more: taken over\n"
    same(store, tmp_path)


def test_a_store_without_locks_is_computed_as_by_one_and_says_so_once(
    store, tmp_path, capsys, monkeypatch
):
    def no_lock(_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(claims, "_lock", no_lock)
    chunk = Chunks()
    run(store, chunk)
    assert chunk.computed == list(range(len(CELLS)))
    (line,) = capsys.readouterr().err.splitlines()
    assert "this file system has no locks (Function not implemented)" in line
    assert results.load(store).equals(results.load(small_stores.whole(tmp_path / "whole")))


def test_one_process_alone_says_nothing(store, tmp_path, capsys):
    run(store, Chunks())
    assert capsys.readouterr() == ("", "")
    same(store, tmp_path)


CREATES = """
import sys, time; sys.path.insert(0, sys.argv[1]); import small_stores
import zarr; from pathlib import Path
while time.time() < float(sys.argv[3]): pass
small_stores.make(Path(sys.argv[2])); small_stores.fill(Path(sys.argv[2]), 0, 0, 0, (0, 4))
"""


def test_processes_that_make_the_same_store_at_the_same_moment_have_one(tmp_path):
    store, moment = tmp_path / "store", time.time() + 4
    tests = os.path.dirname(small_stores.__file__)
    together = [child(CREATES, tests, store, moment) for _ in range(3)]
    assert [*map(ended, together)] == [0, 0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["store"]
    assert results.finished(store) == {0}
    assert results.verify(store) == []
