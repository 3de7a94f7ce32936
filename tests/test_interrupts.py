"""A signal ends a command in one line and with its status, whenever and however often it comes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jaxnn
from jaxnn.cli import interrupts
from jaxnn.cli.commands import COMMANDS
from jaxnn.studies.settings import Where

ROOT = Path(jaxnn.__file__).parents[1]
STUDY = ["study", "xor", "--schemes", "normal", "--scales", "1", "--members", "1000000"]
RESUMED = "jaxnn: stopped; the same command goes on from here\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM]
SIGNALS += [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="who listens is seen in Linux's /proc"
)


def begun(*words, script=None, ignored=()):
    """The command in a process of its own, once it listens to signals: before, it is Python's."""
    start = ["-c", script] if script else ["-m", "jaxnn"]
    names = " ".join(number.name[3:] for number in ignored)
    ignoring = ["sh", "-c", f"trap '' {names}; exec \"$@\"", "sh"] if ignored else []
    process = subprocess.Popen(
        [*ignoring, sys.executable, *start, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    while not listens(process):
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    return process


def listens(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    # SIGTERM is the last one that a command begins to listen to
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
    return caught >> (signal.SIGTERM - 1) & 1


def stopped(process, after, number, times=1, apart=0.0):
    time.sleep(after)
    for _ in range(times):
        process.send_signal(number)
        time.sleep(apart)
    try:
        out, errors = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
    return process.returncode, out, errors


@pytest.mark.parametrize(
    ("after", "number", "times", "apart"),
    [
        (0.0, SIGNALS[0], 1, 0),
        (0.05, SIGNALS[1], 3, 0),
        (0.6, SIGNALS[-1], 2, 0),
        (2.5, SIGNALS[0], 3, 0.01),
    ],
)
def test_a_signal_is_one_line_and_its_status(after, number, times, apart, tmp_path):
    process = begun(*STUDY, "--out", tmp_path / "store")
    assert stopped(process, after, number, times, apart) == (128 + number, "", RESUMED)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("tenths", range(61))
def test_a_signal_is_one_line_at_every_tenth_of_a_second(tenths, times, tmp_path):
    process = begun(*STUDY, "--out", tmp_path / "store")
    number = SIGNALS[tenths % len(SIGNALS)]
    apart = 0.005 * (tenths % 2)
    assert stopped(process, tenths / 10, number, times, apart) == (128 + number, "", RESUMED)


BLOCKED = """
import ctypes, sys; from jaxnn.cli.interrupts import Interrupts
Interrupts(sys.argv[1:]).listen()
mutex = ctypes.create_string_buffer(64); lock = ctypes.CDLL(None).pthread_mutex_lock
lock(mutex); lock(mutex)
"""


def test_what_never_returns_to_python_is_stopped_too():
    process = begun("slice", script=BLOCKED)
    assert stopped(process, 0.2, signal.SIGINT) == (130, "", "jaxnn: stopped\n")


SLOW_TO_END = """
import atexit, time; from jaxnn import cli; own = cli._run
def run(words): atexit.register(time.sleep, 60); return own(words)
cli._run = run; cli.main()
"""


@pytest.mark.parametrize(("word", "status"), [("--version", 0), ("stduy", 2)])
def test_a_command_that_is_done_keeps_its_status(word, status):
    process = begun(word, script=SLOW_TO_END)
    stream = process.stderr if status else process.stdout
    assert stream is not None
    assert stream.readline()
    started = time.monotonic()
    assert stopped(process, 0.1, signal.SIGTERM) == (status, "", "")
    assert time.monotonic() - started < 30


def test_a_signal_that_was_ignored_stays_so(tmp_path):  # as SIGHUP is under nohup
    process = begun(*STUDY, "--out", tmp_path / "store", ignored=[signal.SIGHUP])
    process.send_signal(signal.SIGHUP)
    assert stopped(process, 0.2, signal.SIGTERM) == (143, "", RESUMED)


def test_a_reader_that_takes_nothing_does_not_keep_the_process():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"." * 4096):
            pass
    os.set_blocking(writer, True)
    script = "import sys, time; from jaxnn.cli.interrupts import Interrupts\n"
    script += "Interrupts([]).listen(); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=writer, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while not listens(process):
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    os.close(reader)
    os.close(writer)


def test_the_commands_that_go_on_are_those_that_make_stores_in_chunks():
    making = {name for name, command in COMMANDS.items() if issubclass(command.settings, Where)}
    assert set(interrupts.RESUMED) == making


def test_a_trial_does_not_claim_to_go_on(tmp_path):
    process = begun(*STUDY, "--dry-run", "--out", tmp_path / "store")
    assert stopped(process, 0.1, signal.SIGINT) == (130, "", "jaxnn: stopped\n")
