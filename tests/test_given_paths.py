"""What is given as a path means the same place to all who read and write there."""

from pathlib import Path

import pytest
import small_stores

from jaxnn import results
from jaxnn.cli import parsing
from jaxnn.studies.options import path_of
from jaxnn.studies.settings import Study
from jaxnn.studies.store_settings import Show


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    return tmp_path


def test_the_home_folder_is_one_place_however_it_is_given(home, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('out = "~/runs/one"\n')
    wanted = home / "runs" / "one"
    assert parsing.parse("study", ["iris", "--config", str(file)]).settings.out == wanted
    assert parsing.parse("study", ["iris", "--out", "~/runs/one"]).settings.out == wanted
    assert Study("iris", out="~/runs/one").out == wanted  # pyright: ignore[reportArgumentType]
    assert Show(Path("~/runs/one")).store == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [("", "is no path"), ("a\0b", "is no path"), ("~nobody-here/x", "no such home")],
)
def test_what_is_no_path_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        path_of(given)


@pytest.mark.parametrize("name", ["run::2", "~", "a b#c?d", "file:x", "100%", "-", "s3:bucket"])
def test_a_store_of_any_name_is_one_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = small_stores.whole(Path(name))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert not results.verify(place)
    assert results.load(place).sizes["member"] == 6
    results.save_as(place, tmp_path / "out.nc")
