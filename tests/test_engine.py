"""The chunks of a study by other processes: the same bits as by one, also when some are killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import jaxnn
from jaxnn import results
from jaxnn.studies import engine
from jaxnn.studies.settings import Where

ROOT = Path(jaxnn.__file__).parents[1]
STUDY = ["study", "xor", "--schemes", "normal", "--scales", "1", "4", "--members", "1200"]
STUDY += ["--chunk", "200", "--steps", "900", "--seed", "3"]
CHUNKS = 12


def begun(*args, out):
    return subprocess.Popen(
        [sys.executable, "-m", "jaxnn", *STUDY, *map(str, args), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def command(*args, out):
    return finish(begun(*args, out=out))


def finish(process):
    printed, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return printed


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    out = tmp_path_factory.mktemp("one") / "store"
    command("--no-report", out=out)
    return arrays(out)


def arrays(path):
    return {name: array.values for name, array in results.load(path).data_vars.items()}


def same(path, expected):
    found = arrays(path)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    assert results.verify(path) == []
    assert (path / "table.txt").is_file()


def wait_for(condition, process):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def children(pid):
    """Every process that descends from this one, by command line."""
    found, parents = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(") ")[-1].split()[1])
            found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue

    def descends(child):
        while child in parents:
            child = parents[child]
            if child == pid:
                return True
        return False

    return {child: line for child, line in found.items() if descends(child)}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_dask_workers_one_of_them_killed_in_mid_chunk_give_the_same_bits(
    workers, tmp_path, expected
):
    pytest.importorskip("distributed")
    out = tmp_path / "store"
    slow = ["--engine", "dask", "--workers", workers]
    process = begun(*slow, out=out)
    wait_for(lambda: len(results.finished(out)) >= 2 if out.exists() else False, process)
    # a nanny starts each worker by multiprocessing's spawn; the busiest is in mid-chunk
    spawned = [pid for pid, line in children(process.pid).items() if "spawn_main" in line]
    assert len(spawned) >= workers
    used = {
        pid: sum(map(int, Path(f"/proc/{pid}/stat").read_text().split()[13:15])) for pid in spawned
    }
    os.kill(max(used, key=lambda pid: used[pid]), signal.SIGKILL)
    assert len(results.finished(out)) < CHUNKS
    finish(process)
    same(out, expected)


def test_shards_one_killed_and_filled_in_later_give_the_same_bits(tmp_path, expected):
    out = tmp_path / "store"
    shards = [begun("--shard", f"{i}/3", out=out) for i in range(3)]
    wait_for(lambda: (out / "done" / "000001.json").exists(), shards[1])
    shards[1].kill()
    shards[1].communicate()
    for i in (0, 2):
        assert "the figures come with the last" in finish(shards[i])
    assert {n % 3 for n in range(CHUNKS) if n not in results.finished(out)} == {1}
    command(out=out)
    same(out, expected)


@pytest.mark.slow
def test_two_processes_under_jax_distributed_give_the_same_bits(tmp_path, expected):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out = tmp_path / "store"
    joined = ["--distributed", "--coordinator", f"127.0.0.1:{port}", "--processes", 2]
    both = [begun(*joined, "--process", i, out=out) for i in range(2)]
    printed = [finish(process) for process in both]
    assert ["wrote" in text for text in printed] == [True, False]
    same(out, expected)


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 3])
def test_the_number_of_devices_changes_no_bits(cores, tmp_path, expected):
    script = (
        "import sys, jax; from jaxnn import devices; own = devices.use_all_cores\n"
        f"devices.use_all_cores = lambda: own({cores})\n"
        "from jaxnn import cli; cli.main(sys.argv[1:])\n"
        f"assert jax.local_device_count() == {cores}"
    )
    out = tmp_path / "store"
    done = subprocess.run(
        [sys.executable, "-c", script, *STUDY, "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    same(out, expected)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Where(shard="3/3"), "give i/n with i from 0 to n - 1"),
        (Where(shard="half"), "--shard is half"),
        (Where(shard="0/2", engine="dask"), "share the chunks: give one"),
        (Where(workers=2), "are for --engine dask"),
        (Where(scheduler="tcp://a:1"), "are for --engine dask"),
        (Where(coordinator="a:1", processes=2), "are for --distributed"),
    ],
)
def test_ways_of_sharing_that_mean_nothing_are_refused(where, message):
    with pytest.raises(ValueError, match=message):
        engine.share_of(where)


def test_a_shard_is_every_nth_chunk():
    assert engine.share_of(Where()) == (0, 1)
    assert engine.share_of(Where(shard="2/5")) == (2, 5)


def limited(*args):
    """The command in a process whose files may not grow beyond 60 kB: a disk that runs full."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from jaxnn.studies import initial_weights as study; own = study.chunk\n"
        "def chunk(settings, posed, number):\n"
        "    if number == 3: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "    return own(settings, posed, number)\n"
        "study.chunk = chunk\n"
        "from jaxnn import cli; cli.main(sys.argv[1:])"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *STUDY, *args], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.slow
def test_a_full_disk_ends_with_one_line_and_a_store_that_resumes(tmp_path, expected):
    out = tmp_path / "store"
    done = limited("--out", str(out))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "jaxnn: " in done.stderr.splitlines()[-1]
    assert "File too large" in done.stderr.splitlines()[-1]
    assert results.finished(out) == {0, 1, 2}
    command(out=out)
    same(out, expected)


def test_a_folder_that_cannot_be_written_ends_with_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    done = limited("--out", str(tmp_path / "file" / "store"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "is no folder that can be written to" in done.stderr.splitlines()[-1]
