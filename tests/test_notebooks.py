"""The examples open as notebooks: a title, prose in cells of its own, code that compiles."""

from pathlib import Path

import jupytext
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("[0-9]*.py"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_opens_as_a_notebook(file):
    title, *cells = jupytext.read(file).cells
    assert title.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert "\n\n" in title.source  # a sentence says what it shows
    assert [cell.cell_type for cell in cells[:2]].count("code") == 1
    for cell in cells:
        assert cell.source.strip()
        assert "# %%" not in cell.source
        if cell.cell_type == "code":
            compile(cell.source, file.name, "exec")
    assert sum(cell.cell_type == "code" for cell in cells) >= 2
