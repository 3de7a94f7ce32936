"""A kill at any file operation of a store, a figure or a page: no file is half written, the same
work goes on to the same bytes, and then nothing is left over.
"""

import os
import subprocess
import sys
from pathlib import Path

import killed
import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="what is synced is seen in Linux's /proc"
)


def run(folder, *numbers):
    """What it prints, from a process that has no threads to fork."""
    places = [Path(killed.__file__).parent, Path(killed.__file__).parents[1]]
    done = subprocess.run(
        [sys.executable, killed.__file__, str(folder), *map(str, numbers)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_kill_at_some_file_operations_loses_nothing(tmp_path):
    run(tmp_path, 160, 295)  # a mark, a figure


@pytest.mark.slow
def test_a_kill_at_every_file_operation_loses_nothing(tmp_path):
    assert int(run(tmp_path, 0)) > 300
