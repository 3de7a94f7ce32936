"""What memory there is, and what is refused for want of it."""

import subprocess
import sys

import pytest

from jaxnn import memory


def test_the_least_limit_counts(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUPS", (str(limit), str(tmp_path / "missing")))
    machine = memory.at_hand()
    assert machine is not None
    limit.write_text("max\n")
    assert memory.at_hand() == machine
    limit.write_text("12345678\n")
    assert memory.at_hand() == 12345678


def test_a_limit_of_the_process_counts():
    resource = pytest.importorskip("resource")
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (10**9, -1))\n"
        "from jaxnn import memory; print(memory.at_hand())"
    )
    assert resource.RLIMIT_AS is not None
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(said.stdout) == 10**9


def test_what_takes_more_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory, "at_hand", lambda: 6_000_000_000)
    memory.check(6e9, "the map", "give fewer --points")
    message = r"the map takes about 8 GB, and there are 6 GB of memory; give fewer --points"
    with pytest.raises(ValueError, match=message):
        memory.check(8e9, "the map", "give fewer --points")
    monkeypatch.setattr(memory, "at_hand", lambda: None)
    memory.check(1e30, "the map", "no system tells")


def test_too_few_addresses_for_jax_are_one_line():
    pytest.importorskip("resource")
    limited = ["sh", "-c", 'ulimit -v 976563 && exec "$@"', "sh"]  # in units of 1024 bytes
    done = subprocess.run(
        [*limited, sys.executable, "-m", "jaxnn", "check", "xor"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("jaxnn: this process may have 1 GB of addresses (ulimit -v)")
    assert done.stderr.count("\n") == 1
