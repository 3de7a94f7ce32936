"""A chunk is computed by one process at a time, and a process that dies leaves it to the others."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxnn
from jaxnn import results
from jaxnn.results import claims

ROOT = Path(jaxnn.__file__).parents[1]


def child(script, *args):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


HOLDS = """
import sys, time; from jaxnn import results
assert results.Claims(sys.argv[1]).take(int(sys.argv[2]))
print("held", flush=True); time.sleep(60)
"""


def ended(process):
    """Its exit status, once it is gone."""
    process.communicate(timeout=120)
    return process.returncode


def killed(process):
    process.kill()
    ended(process)


def holding(path, number):
    """A process that has this chunk under way."""
    process = child(HOLDS, path, number)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_chunk_that_one_has_under_way_no_other_takes(tmp_path):
    with results.Claims(tmp_path) as ours, results.Claims(tmp_path) as theirs:
        assert ours.take(3)
        assert not theirs.take(3)
        assert theirs.take(4)
        ours.release(3)
        assert theirs.take(3)
    assert list(tmp_path.iterdir()) == []


def test_who_has_a_chunk_under_way_is_named(tmp_path):
    with results.Claims(tmp_path) as ours:
        assert ours.take(3)
        assert f"process {os.getpid()} on " in results.Claims(tmp_path).holder(3)
        assert ours.holder(4) == "another process"
    (tmp_path / "claims").mkdir()
    for content in (b"", b"\x1b[2J", b"process 3 on \xff", b"process 3 on a; rm", b"." * 10**6):
        (tmp_path / "claims" / "000007").write_bytes(content)
        assert ours.holder(7) == "another process"


def test_the_claims_of_a_killed_process_are_free_and_removed(tmp_path):
    dead, alive = holding(tmp_path, 3), holding(tmp_path, 4)
    killed(dead)
    with results.Claims(tmp_path) as ours:
        assert ours.take(3)
        assert not ours.take(4)
    assert [file.name for file in (tmp_path / "claims").iterdir()] == ["000004"]
    killed(alive)
    with results.Claims(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


RUSHES = """
import os, sys; from pathlib import Path; from jaxnn import results
path, taken = Path(sys.argv[1]), 0
while taken < 80:
    with results.Claims(path / "store") as claims:
        number = taken % 3
        if claims.take(number):
            mine = path / f"alone{number}"
            os.close(os.open(mine, os.O_CREAT | os.O_EXCL)); mine.unlink()
            taken += 1
"""


def test_processes_that_rush_for_the_same_chunks_never_have_one_together(tmp_path):
    (tmp_path / "store").mkdir()
    together = [child(RUSHES, tmp_path) for _ in range(3)]
    assert [*map(ended, together)] == [0, 0, 0]


def test_a_claim_that_is_removed_before_it_is_locked_is_none(tmp_path, monkeypatch):
    ours, theirs, third = (results.Claims(tmp_path) for _ in range(3))
    lock = claims._lock

    def late(descriptor):  # the file that `theirs` has opened is gone by now, and a new one taken
        monkeypatch.setattr(claims, "_lock", lock)
        ours.release(3)
        assert third.take(3)
        lock(descriptor)

    with ours, theirs, third:
        assert ours.take(3)
        monkeypatch.setattr(claims, "_lock", late)
        assert not theirs.take(3)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_every_claim_is_granted_and_none_is_left(
    number, tmp_path, monkeypatch
):
    def no_lock(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(claims, "_lock", no_lock)
    with results.Claims(tmp_path) as ours, results.Claims(tmp_path) as theirs:
        assert ours.take(3)
        assert theirs.take(3)
        assert ours.lockless == os.strerror(number)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_fault_of_the_disk_is_no_missing_lock(tmp_path, monkeypatch):
    def broken(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(claims, "_lock", broken)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        results.Claims(tmp_path).take(3)


def test_a_file_that_has_another_name_too_is_no_claim(tmp_path):
    store, mine = tmp_path / "s", tmp_path / "mine"
    (store / claims.FOLDER).mkdir(parents=True)
    mine.write_text("precious")
    os.link(mine, store / claims.FOLDER / "000000")
    with pytest.raises(ValueError, match="000000: is another file too"):
        results.Claims(store).take(0)
    assert mine.read_text() == "precious"
