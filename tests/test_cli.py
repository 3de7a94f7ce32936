"""The command line: fast to start, one line for a mistake, no traceback."""

import subprocess
import sys
import time

import pytest

from jaxnn import cli


def run(*args, cwd):
    return subprocess.run(
        [sys.executable, "-m", "jaxnn", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(cwd_root()), "COLUMNS": "100"},
    )


def cwd_root():
    from pathlib import Path

    return Path(cli.__file__).parents[1]


def test_help_answers_without_starting_jax(tmp_path):
    script = (
        "import sys\n"
        "from jaxnn import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "late = {'jax', 'numpy', 'matplotlib', 'xarray', 'zarr', 'sklearn'}\n"
        "assert not late & set(sys.modules)\n"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, cwd=cwd_root(), capture_output=True)
    assert time.perf_counter() - started < 10  # seconds are for benchmarks; this is for a hang
    printed = run("--help", cwd=tmp_path)
    assert printed.returncode == 0
    for name in (
        "study",
        "basins",
        "sensitivity",
        "train",
        "check",
        "slice",
        "spectrum",
        "path",
        "align",
    ):
        assert name in printed.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["study", "iri"], "did you mean 'iris'"),
        (["study", "mnist"], "mnist needs --data-dir"),
        (["study", "iris", "--out", "busy"], "is not empty and is no store"),
        (["study", "xor", "--steps", "-4"], "--steps is -4"),
        (["train", "none.csv"], "none.csv: no such file"),
        (["check", "iris", "--scheme", "glorot"], "did you mean 'glorot_normal'"),
        (["study", "xor", "--steps", "1", "--members", "1", "--out", "file/x"], "file"),
        (["basins", "xor", "--window", "-1:1,2:2"], "2:2 has zero area"),
        (["basins", "xor", "--zoom", "-1:1,2:3"], "no map there to zoom into"),
        (["slice", "none"], "none: no store there"),
        (["align", "busy"], "is not empty and is no store"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(args, message, tmp_path):
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "mine").write_text("precious")
    (tmp_path / "file").write_text("no folder")
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("jaxnn: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert (tmp_path / "busy" / "mine").read_text() == "precious"


def test_an_unknown_option_exits_2_and_suggests(tmp_path):
    done = run("study", "xor", "--memberz", "3", cwd=tmp_path)
    assert done.returncode == 2
    assert "--members" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_prints_the_certificate(tmp_path):
    done = run(
        "check", "xor", "--hidden", "3", "2", "--activation", "tanh", "--l2", "0.1", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "2-3-2-1 on xor" in done.stdout
    assert "reverse sweep = by cases" in done.stdout
    assert "the three exact ways agree to 1e-12" in done.stdout
