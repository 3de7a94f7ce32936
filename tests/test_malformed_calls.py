"""Whatever is typed: one line that says what is wrong, exit status 2, and nothing touched."""

import os
import signal
from pathlib import Path

import pytest
from made_stores import study_store
from malformed_calls import calls

from jaxnn import cli
from jaxnn.cli import answers

CALLS = calls()
LIMIT = 20
"""Seconds after which a call hangs."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a store, and with files that are no data, no settings and no stores."""
    place = tmp_path_factory.mktemp("calls")
    study_store(place / "store", [[0.01, 0.02, 0.3, 0.3]], level=0.05)
    (place / "folder").mkdir()
    (place / "folder.csv").mkdir()
    for name in ("fifo", "fifo.csv"):
        os.mkfifo(place / name)
    (place / "file").write_text("precious")
    (place / "binary.toml").write_bytes(bytes(range(256)))
    (place / "deep.json").write_text('{"settings": ' + "[" * 100_000 + "]" * 100_000 + "}")
    (place / "nan.json").write_text('{"settings": {"steps": NaN, "l2": Infinity}}')
    return place


def content(folder):
    """Every file below the folder, with what it holds."""
    files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture
def refused(folder, monkeypatch, capsys):
    """A function that makes a call and gives what is wrong with how it is refused, or None."""
    monkeypatch.setattr(answers, "_start", lambda settings: None)  # the tests have started jax
    monkeypatch.chdir(folder)

    def over(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)

    def fault_of(words):
        there = content(folder)
        signal.alarm(LIMIT)
        try:
            cli.main(list(words))
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except TimeoutError:
            return f"hangs for {LIMIT} s"
        except BaseException as error:
            return f"a traceback: {error!r:.200}"
        finally:
            signal.alarm(0)
            out, err = capsys.readouterr()
        if status != 2:
            return f"exit status {status}"
        if out or not err.startswith("jaxnn: ") or err.count("\n") != 1 or not err.endswith("\n"):
            return f"not one line: {out + err!r:.200}"
        if not err.rstrip("\n").isprintable():
            return f"what was typed reaches the terminal raw: {err!r:.200}"
        if content(folder) != there:
            return "files were touched"
        return None

    yield fault_of
    signal.signal(signal.SIGALRM, before)


def test_there_are_enough_calls():
    assert len(CALLS) > 459
    assert len(set(CALLS)) == len(CALLS)


def faults(calls, refused):
    """What is wrong with how these calls are refused, a line each."""
    found = [(words, refused(words)) for words in calls]
    return "\n".join(f"{words!r:.200}: {fault}" for words, fault in found if fault)


@pytest.mark.parametrize("part", range(8))
@pytest.mark.slow
def test_every_malformed_call_is_refused_in_one_line(part, refused):
    assert faults(CALLS[part::8], refused) == ""


def test_some_malformed_calls_are_refused_in_one_line(refused):
    assert faults(CALLS[::29], refused) == ""
