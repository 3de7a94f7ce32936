"""In a notebook: the examples open there, commands run there, and results show themselves."""

from pathlib import Path

import jupytext
import nbformat
import pytest

from jaxnn import notebooks
from jaxnn.studies.reports import Report
from jaxnn.studies.settings import Check, Study

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))


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


def test_a_command_runs_where_jax_is_in_use_and_shows_its_report():
    import jax

    assert jax.local_device_count()  # in use from here on
    report = notebooks.run(Check("xor"))
    assert report is not None
    assert "agree to 1e-12" in report._repr_html_()


def test_what_is_no_settings_is_refused():
    with pytest.raises(ValueError, match="give one of Study"):
        notebooks.run("iris")
    with pytest.raises(ValueError, match="--distributed: start those processes"):
        notebooks.run(Study("iris", distributed=True))


def test_a_report_is_text_with_its_picture_and_no_markup_of_the_user(tmp_path):
    folder = tmp_path / "a <b>"
    folder.mkdir()
    (folder / "x.png").write_bytes(b"pixels")
    report = Report("<script>alert(1)</script>", {}, [folder / "x.svg", folder / "x.png"], folder)
    html = report._repr_html_()
    assert "<script" not in html
    assert "a <b>" not in html
    assert "a &lt;b&gt;" in html
    assert 'src="data:image/png;base64,cGl4ZWxz"' in html
    assert "<img" not in Report("text", {})._repr_html_()


CELLS = [
    "import jax\nfrom jaxnn import notebooks\nfrom jaxnn.studies.settings import Study\n"
    "print(jax.numpy.ones(3).sum())",
    "report = notebooks.run(Study('xor', hidden=(20,), schemes=('normal',), scales=(1.0,), "
    "members=8, steps=20, chunk=4))\nreport",
    "from jaxnn import results, intervals\nintervals.wilson(3, 10)",
]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the kernel's client warns of its own transport
@pytest.mark.parametrize("widgets", [True, False])
def test_a_study_runs_in_a_notebook_with_its_progress_bar(tmp_path, monkeypatch, widgets):
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    hide = "import sys; sys.modules['ipywidgets'] = None\n" * (not widgets)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (hide + CELLS[0], *CELLS[1:])]
    )
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    study, share = (cell.outputs for cell in notebook.cells[1:])
    said = "".join(output.get("text", "") for output in study)
    shown = [output.data for output in study if "data" in output]
    if widgets:
        assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    else:
        assert "2/2" in said  # the bar, as text
    assert "Warning" not in said
    page = shown[-1]["text/html"]
    assert "study-xor" in page
    assert "data:image/png;base64," in page
    assert (tmp_path / "results" / "study-xor" / "manifest.json").is_file()
    assert "<th" in share[-1].data["text/html"]
    assert "0.107791" in share[-1].data["text/html"]
