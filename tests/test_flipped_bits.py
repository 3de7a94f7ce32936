"""One flipped bit in any file of a store is named by `jaxnn verify`."""

import random
import shutil

import pytest
from small_stores import whole

from jaxnn import plots, results
from jaxnn.report.page import write_page
from jaxnn.studies.reports import Report
from jaxnn.studies.store_settings import Verify
from jaxnn.studies.upkeep import verified


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with a table, findings, a page and figures."""
    store = whole(tmp_path_factory.mktemp("flipped") / "s")
    Report("the table", {"a": [1.5, None]}, path=store).write()
    write_page(store, {"title": "the page"})
    drawn, axes = plots.figure(width=1, height=1)
    axes[0, 0].set_axis_off()
    plots.save(drawn, store / "figures" / "one")
    assert verified(Verify(store)).status == 0
    return store


def flip(file, bit):
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def unnamed(store, bits):
    """The files in which a flip of one of these bits of each is not named, with the bit."""
    found = []
    for file in sorted(store.rglob("*")):
        if not file.is_file():
            continue
        name, content = str(file.relative_to(store)), file.read_bytes()
        for bit in bits(name, 8 * len(content)):
            flip(file, bit)
            report = verified(Verify(store))
            named = name if name[:4] != "done" else f"chunk {int(file.stem)}"
            if report.status == 0 or named not in report.text:
                found.append((name, bit, report.text))
            file.write_bytes(content)
    assert results.verify(store) == []
    return found


def test_a_flipped_bit_in_every_file_is_named(made, tmp_path):
    store = shutil.copytree(made, tmp_path / "s")
    assert unnamed(store, lambda name, count: [random.Random(name).randrange(count)]) == []


@pytest.mark.slow
def test_every_flipped_bit_of_small_files_and_many_of_large_ones_are_named(made, tmp_path):
    store = shutil.copytree(made, tmp_path / "s")
    assert unnamed(store, lambda _, count: range(0, count, max(1, count // 1000))) == []
