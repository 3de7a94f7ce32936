"""Each example runs, at small size, and says what it claims."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAYS = {
    "01_one_network.py": ["node 0.490", "error 1.11", "agree to 1e-12"],
    "02_many_starts.py": ["scale", "of 64"],
    "03_slices.py": ["converged", "resolved: True", "one network's length away"],
    "04_spectra.py": ["True", "by exact, 610 products", "2 / step size = 25", "step   500"],
    "05_anybodys_model.py": ["Equinox", "Flax NNX", "dict", "atoms      -2.9995"],
    "06_published_minima.py": ["with 6 classes twice", "agreed", "0.067359200066", "float64"],
    "07_growth_with_width.py": ["0.0125  2      11       38        10      321           1"],
    "08_landscape_or_step_size.py": ["at 0.1843", "elsewhere than by flow", "p = 0."],
    "09_how_sharp_are_the_borders.py": ["1111 becomes 1101 at most 0.32", "dimension by pairs 1.1"],
    "10_what_predicts_the_outcome.py": ["4 of 4 agreed", "all, out of fold", "batch order"],
    "11_published_basins.py": ["Fig. 5: solved", "by float64", "but w1 = +5", "xor-basins.png"],
    "12_published_failures.py": ["rho 2 to 4", "5% to 50%", "float64", "xor-failures.png"],
    "13_published_training.py": ["0.09           0.09", "1425", "1 : 2 : 4, the 4", "agreed"],
    "14_published_digits.py": ["784-30-10"],
    "15_published_symmetries.py": ["48             48", "a double", "= 0"],
}


def test_every_example_is_run_here():
    assert {path.name for path in (ROOT / "examples").glob("[0-9]*.py")} == set(SAYS)


LONG = {"04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15"}


@pytest.mark.parametrize(
    "name", [pytest.param(k, marks=[pytest.mark.slow] * (k[:2] in LONG)) for k in SAYS]
)
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


@pytest.mark.parametrize("library", ["equinox", "flax"])
def test_an_example_without_its_libraries_names_them_in_one_line(library, tmp_path):
    (tmp_path / library).mkdir()
    raising = f"raise ModuleNotFoundError('No module', name='{library}')"
    (tmp_path / library / "__init__.py").write_text(raising)
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "05_anybodys_model.py")], capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"{library} is missing: pip install equinox flax\n"


SCRIPTS = {"slurm_array.sh", "tpu_pod.sh"}


def test_every_script_is_run_here():
    assert {path.name for path in (ROOT / "examples").glob("*.sh")} == SCRIPTS


def started(script, folder, **environment):
    """The script, with a `jaxnn` on the path that is this interpreter's."""
    command = folder / "bin" / "jaxnn"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jaxnn "$@"\n')
    command.chmod(0o755)
    study = ["xor", "--members", "60", "--chunk", "20", "--steps", "50", "--scales", "1"]
    named = {**environment, "STORE": str(folder / "store"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        ["bash", str(ROOT / "examples" / script), *study, "--schemes", "normal"],
        env={**os.environ, **named, "PATH": f"{command.parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process):
    printed, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    return printed


@pytest.mark.slow
def test_tasks_of_a_job_array_fill_one_store(tmp_path):
    for task, chunks in ((1, 1), (0, 3)):
        names = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "2"}
        printed = ended(started("slurm_array.sh", tmp_path, **names))
        assert len(list((tmp_path / "store" / "done").glob("*.json"))) == chunks
    assert "wrote" in printed


def test_a_job_array_without_its_number_says_so(tmp_path):
    process = started("slurm_array.sh", tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "sbatch --array" in errors


@pytest.mark.slow
def test_two_hosts_of_a_pod_fill_one_store(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
    names = {"COORDINATOR": where, "PROCESSES": "2"}
    hosts = [started("tpu_pod.sh", tmp_path, PROCESS=str(i), **names) for i in range(2)]
    assert ["wrote" in ended(host) for host in hosts] == [True, False]
    assert len(list((tmp_path / "store" / "done").glob("*.json"))) == 3
