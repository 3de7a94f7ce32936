"""`jaxnn docs`: a page a module, from the docstrings, that loads nothing from elsewhere."""

import re
import sys

import pytest
from test_architecture import HOUSE

from jaxnn import api_pages, cli


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    other = tmp_path / "thesis.tex"
    other.write_text("mine")
    with pytest.raises(ValueError, match="not empty and holds no pages"):
        api_pages.write(tmp_path)
    assert [*tmp_path.iterdir()] == [other]
    with pytest.raises(ValueError, match="is a file"):
        api_pages.write(other)


def test_without_pdoc_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pdoc", None)
    with pytest.raises(SystemExit) as end:
        cli.main(["docs", "--out", str(tmp_path / "pages"), "--no-open"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install 'jaxnn[docs]'" in said


@pytest.mark.slow
def test_every_module_has_a_page_that_needs_no_network(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    folder = tmp_path / "pages"
    cli.main(["docs", "--out", str(folder)])
    first = folder / "jaxnn.html"
    assert opened == [first.as_uri()]
    assert str(first) in capsys.readouterr().out
    for name in HOUSE[:-1]:
        page = folder / "jaxnn" / f"{name.replace('.', '/')}.html"
        text = page.read_text()
        assert not re.search(r"<(script|link|img|iframe)\b[^>]*https?:", text), name
        assert not re.search(r"(@import|url\()\s*[\"']?https?:|import\([\"']https?:", text), name
    network = (folder / "jaxnn" / "network.html").read_text()
    assert "sigma(1 + 1 - 2)" in network  # an example
    losses = (folder / "jaxnn" / "losses.html").read_text()
    assert "sum_k (o_k - d_k)^2" in losses  # formulas stay as they are written
    cli.main(["docs", "--out", str(folder), "--no-open"])  # once more, over the pages
    assert len(opened) == 1
