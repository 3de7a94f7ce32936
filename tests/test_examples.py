"""Each example runs, at small size, and says what it claims."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAYS = {
    "01_one_network.py": ["node 0.490", "error 1.11", "agree to 1e-12"],
    "02_many_starts.py": ["scale", "of 64"],
}


def test_every_example_is_run_here():
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_the_example_runs_and_says_what_it_claims(name, tmp_path):
    file = ROOT / "examples" / name
    assert len(file.read_text().splitlines()) < 100
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAXNN_EXAMPLE_SIZE": "small"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in SAYS[name]:
        assert words in done.stdout
