"""The standard streams of a command: closed, full, unread, or with few characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxnn

ROOT = Path(jaxnn.__file__).parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="by Unix's shell")


def shell(line, **environment):
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("jaxnn", f"{sys.executable} -m jaxnn", 1)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **environment},
    )  # fmt: skip


@posix
@pytest.mark.parametrize("words", ["--help", "study --help"])
def test_who_stops_reading_ends_the_command_without_a_word(words):
    done = shell(f"jaxnn {words} | true")
    assert (done.returncode, done.stderr) == (141, "")


@posix
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("jaxnn --help >&-", 0),
        ("jaxnn --help <&- >&- 2>&-", 0),
        ("jaxnn stduy 2>&-", 2),
        ("jaxnn stduy 2>/dev/full", 2),
    ],
)
def test_a_closed_or_full_stream_changes_no_status(line, status):
    done = shell(line)
    assert (done.returncode, done.stderr) == (status, "")


@posix
def test_a_file_opened_with_a_stream_closed_does_not_get_our_messages(tmp_path):
    script = (
        "import sys; from jaxnn.cli import streams; streams.secure()\n"
        "with open('mine', 'w') as file:\n"
        "    print('said', file=sys.stderr); print('printed'); file.write('written')"
    )
    subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "$0" >&- 2>&- <&-', script],
        check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (tmp_path / "mine").read_text() == "written"


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line_that_says_where(unbuffered):
    done = shell("jaxnn --help > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 2
    assert done.stderr == "jaxnn: [Errno 28] No space left on device: 'stdout'\n"


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_output_never_fails_on_its_encoding(environment, tmp_path):
    (tmp_path / "π 数").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "jaxnn", "list", "π 数"], capture_output=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    undecoded = os.fsencode("π 数").decode("ascii", "surrogateescape")  # as LC_ALL=C reads it
    escaped = [name.encode("ascii", "backslashreplace") for name in ("π 数", undecoded)]
    said = done.stdout.removesuffix(b": no stores there" + os.linesep.encode())
    assert said in [*escaped, os.fsencode("π 数")]
