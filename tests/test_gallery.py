"""The README's gallery is what its script writes, every picture is there, and each is drawn."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def gallery():
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        yield importlib.import_module("gallery")
    finally:
        sys.path.remove(str(ROOT / "examples"))


def test_the_readme_shows_the_gallery_that_its_script_writes(gallery):
    text = (ROOT / "README.md").read_text()
    assert gallery.with_section(text) == text
    assert gallery.section() in text
    assert gallery.with_section(text.replace(gallery.section(), "old")) == text


def test_every_picture_is_there_no_other_and_all_are_small(gallery):
    files = {path.name: path.stat().st_size for path in gallery.PICTURES.iterdir()}
    assert set(files) == {f"{name}.png" for name in gallery.GALLERY}
    assert sum(files.values()) < 1_000_000
    for name in files:
        assert gallery.PICTURES.joinpath(name).read_bytes().startswith(b"\x89PNG")


def test_each_picture_has_a_caption_of_one_line_without_a_cell_border(gallery):
    for name, caption in gallery.captions().items():
        assert 10 < len(caption) < 90, name
        assert "|" not in caption


def test_every_kind_of_plot_is_in_the_gallery_or_says_nothing_new():
    from jaxnn import plots

    drawn = re.findall(r"plots\.([a-z_]+)\(", (ROOT / "examples" / "pictures.py").read_text())
    alike = {"density", "changed_map", "local_slopes", "values_along", "learning_curve",
             "loss_bands"}  # fmt: skip
    helpers = {"figure", "save", "label_colours", "label_legend", "house_style", "plain"}
    public = {name for name, value in vars(plots).items() if callable(value)} - {"plt"}
    assert public - helpers - alike == set(drawn) - helpers


def test_a_picture_that_is_not_there_is_answered_by_the_nearest_name():
    done = run("--only", "spectrums")
    assert done.returncode == 2
    assert "did you mean 'spectrum'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_gallery_is_drawn(gallery, tmp_path):
    done = run(str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{kind}" for name in gallery.GALLERY for kind in ("pdf", "svg", "png")
    }


def run(*args):
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "gallery.py"), *args],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAXNN_EXAMPLE_SIZE": "small"},
    )  # fmt: skip
