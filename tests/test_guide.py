"""What examples/README.md shows is so: its table names what exists, its Python does as told."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn.cli.parsing import parse

EXAMPLES = Path(__file__).parents[1] / "examples"
GUIDE = (EXAMPLES / "README.md").read_text()
TABLE = [line.strip("|").split("|") for line in GUIDE.splitlines() if line.startswith("| ")]
ROOMS = ("jaxnn", "jaxnn.landscape")


def found(name):
    """Whether `module.function` is there, in the package or among the analyses."""
    module, function = name.split(".")
    if module == "jaxnn":
        return hasattr(jaxnn, function)
    for room in ROOMS:
        try:
            return hasattr(importlib.import_module(f"{room}.{module}"), function)
        except ModuleNotFoundError:
            continue
    return False


def test_the_table_names_functions_that_exist():
    text = "".join(row[2] for row in TABLE) + GUIDE[GUIDE.index("## How to read") :]
    names = set(re.findall(r"`([a-z_]+\.[a-z_]+)[(`]", text)) - {"run.outcome"}
    assert len(names) > 30
    assert {name for name in names if not found(name)} == set()
    assert not found("slices.nothing")
    assert not found("nowhere.nothing")


def test_the_table_names_examples_that_exist():
    there = {path.name[:2] for path in EXAMPLES.glob("[0-9]*.py")}
    named = set(re.findall(r"\b\d\d\b", " ".join(row[3] for row in TABLE[1:])))
    assert named <= there
    assert there - named == {"13", "14"}  # published training answers no question of the table


def test_the_table_names_commands_that_exist():
    commands = set(re.findall(r"`(jaxnn [^`]+)`", " ".join(row[1] for row in TABLE)))
    assert len(commands) > 10
    for command in commands:
        _, name, *words = command.replace("STORE", "store").split()
        parse(name, words)


def test_python_of_the_guide_compiles():
    for code in re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL):
        compile(code, "README.md", "exec")


@pytest.mark.slow
def test_the_guide_says_what_its_python_shows():
    space = {}
    for code in re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL):
        exec(code, space)
    assert bool(space["check"].resolved)
    assert not bool(space["blind"].resolved)
    lengths = [np.linalg.norm(ravel_pytree(space[k])[0]) for k in ("unit", "filtered")]
    assert lengths[0] == pytest.approx(1)
    assert lengths[1] > 2
    assert space["many"].low[-1] < space["many"].middle[-1] < space["many"].high[-1]
    assert bool(space["seen"].resolved)
    assert np.linalg.eigvalsh(space["seen"].curvature[0]).min() > 0.9  # a bowl, as the plane says
    assert float(space["least"].eigenvalues[0]) == pytest.approx(-1)
    assert float(space["found"].off_plane.max()) > 0.1
    assert float(np.abs(space["below"] - space["true"]).max()) > 0.01
    assert float(space["group"].distance(space["point"], space["other"])) < 1e-6
    assert space["straight"](space["point"], space["other"]) > 0.1
    assert space["straight"](space["point"], space["matched"]) < 1e-6
