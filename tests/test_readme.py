"""What the README shows is so: its Python runs, its tables name what exists, two commands."""

import importlib
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.optimised
def test_the_ten_lines_run_and_what_follows_them_too():
    ten, *rest = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in ten.splitlines() if line.strip()]) <= 10
    space = {}
    for code in (ten, *rest):
        code = re.sub(r"\b1000\b", "40", code).replace("max_steps=2000", "max_steps=100")
        exec(code, space)
        if code.startswith(ten[:20]):
            assert space["run"].losses.shape == (40, 3)
            leaves = jax.tree.leaves(space["run"].params)
            assert all(bool(jnp.isfinite(leaf).all()) for leaf in leaves)
    assert len(rest) == 5
    assert bool(jnp.isfinite(space["plane"]).all())
    assert space["group"].orbit_size(space["best"]) == 2**8 * 40320
    assert int(space["way"].steps[-1]) == 100
    assert space["run"].losses.shape == (40, 11)
    assert space["here"].ending[0] in (0, 1)
    assert space["found"].kinds.count("minimum") == 4
    assert len(space["graph"].losses) >= 4
    assert len(space["graph"].heights) >= 3
    changed = space["basins"].compare(space["flow"].labels, space["steps"].labels).share
    assert round(changed.share, 2) == 0.58


def test_every_name_in_the_tables_exists():
    table = README[README.index("## From formula") : README.index("## Map")]
    names = re.findall(r"`(?!jax\.)([a-z_]+)\.([a-z_]+)`", table)
    assert len(names) >= 12
    for module, name in names:
        assert hasattr(importlib.import_module(f"jaxnn.{module}"), name), f"{module}.{name}"


def test_every_file_is_on_the_map():
    package = Path(importlib.import_module("jaxnn.vocabulary").__file__ or "").parent
    for path in package.iterdir():
        if path.suffix == ".py" and not path.stem.startswith("__"):
            assert f"`{path.stem}`" in README


def test_the_commands_and_pictures_are_there():
    assert "pip install '.[study]' && jaxnn study iris\n" in README
    assert "pip install '.[dev]' && pytest\n" in README
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parents[1] / picture).is_file()
