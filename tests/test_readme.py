"""What the README shows is so: its Python runs, its tables name what exists, two commands."""

import importlib
import re
from pathlib import Path

import jax
import jax.numpy as jnp

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_ten_lines_run_and_are_about_ten():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 10
    space = {}
    exec(
        code.replace("members=1000", "members=40").replace("max_steps=2000", "max_steps=100"), space
    )
    assert space["run"].losses.shape == (40, 3)
    assert jax.tree.all(
        jax.tree.map(lambda leaf: bool(jnp.isfinite(leaf).all()), space["run"].params)
    )


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
