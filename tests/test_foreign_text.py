"""Text from strangers has no power: not over the terminal, nor in a spreadsheet."""

import json
import logging
import sys

import pytest
import small_stores
from hypothesis import example, given
from hypothesis import strategies as st

from jaxnn import results
from jaxnn.cli import answers
from jaxnn.cli.entry import run
from jaxnn.studies import progress
from jaxnn.text import for_table, for_terminal

CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
"""What makes a terminal write its clipboard."""
FORMULA = "=cmd|'/C_calc'!A0"


@given(st.text())
@example(f"iris{CLIPBOARD}\x9b31m\u202e\u2028\r\x00")
def test_nothing_that_controls_a_terminal_is_left(given_text):
    safe = for_terminal(given_text)
    controls = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202e\u2066\u2028\u2029"}
    assert not {*safe} & controls - {"\n", "\t"}
    if given_text.isprintable():
        assert safe == given_text


@given(st.text(min_size=1))
@example(FORMULA)
@example("\t=1+1")
@example("-1e-5")
def test_no_cell_is_a_formula(given_text):
    cell = for_table(given_text)
    assert cell.lstrip()[:1] not in (*"=+-@",) or float(cell) == float(given_text)
    assert "\n" not in cell


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A folder with a store whose manifest, table and code names are a stranger's."""
    monkeypatch.setattr(answers, "_start", lambda settings: None)
    monkeypatch.chdir(tmp_path)
    place = small_stores.whole(tmp_path / "store")
    hostile = {
        "study": f"study{CLIPBOARD}",
        "settings": {"data": f"iris{CLIPBOARD}", "level": 0.1},
        "data": {"note": f"a note{CLIPBOARD}"},
        **{part: {"a": f"1{CLIPBOARD}"} for part in ("network", "versions", "machine")},
        "gradient_check": {"table": [f"by hand{CLIPBOARD}"]},
    }
    small_stores.signed(place, **hostile)
    (place / "table.txt").write_text(f"a table{CLIPBOARD}\n", "utf-8")
    return place


@pytest.mark.parametrize(
    "words",
    [
        ["list", "."],
        ["list", ".", "-v"],
        ["show", "store"],
        ["show", "store", "--json"],
        ["verify", "store"],
        ["compare", "store", "store"],
        ["slice", "store"],
        ["export", "store", "--to", f"a{CLIPBOARD}.csv"],
        ["study", f"{CLIPBOARD}.csv"],
        [CLIPBOARD],
        ["study", "iris", f"--{CLIPBOARD}"],
        ["study", "iris", "--steps", CLIPBOARD],
        ["study", "iris", "--config", f"{CLIPBOARD}.toml"],
    ],
)
def test_no_command_hands_on_what_controls_a_terminal(words, hostile, capsys):
    del hostile
    try:
        run(words)
    finally:
        logging.getLogger("jaxnn").setLevel(logging.NOTSET)
    out, err = capsys.readouterr()
    assert out + err
    assert "\x1b" not in out + err
    assert "\x07" not in out + err


def test_show_and_list_say_what_stands_there_as_escapes(hostile, capsys):
    run(["list", "."])
    assert r"iris\x1b]52;c;ZXZpbA==\x07" in capsys.readouterr().out
    run(["show", str(hostile)])
    out = capsys.readouterr().out
    for part in ("a note", "by hand", "a table"):
        assert rf"{part}\x1b]52" in out


def test_progress_is_as_harmless(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress.say(f"data{CLIPBOARD}")
    assert capsys.readouterr().err == "data\\x1b]52;c;ZXZpbA==\\x07\n"


def test_an_exported_table_has_no_formulas(tmp_path):
    place = small_stores.whole(tmp_path / "store")
    array = place / "arrays.zarr" / "outcome" / "zarr.json"
    described = json.loads(array.read_text("utf-8"))
    described["attributes"]["flag_meanings"] = f"{FORMULA} one two three @four"
    array.write_text(json.dumps(described), "utf-8")
    small_stores.signed(place)  # a stranger can do so
    results.save_as(place, tmp_path / "out.csv")
    cells = [cell for row in (tmp_path / "out.csv").read_text().split() for cell in row.split(",")]
    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell[:1] in (*"=+-@",)]
