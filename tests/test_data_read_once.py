"""Data are read once where a command begins: an edited file is never vouched for by its old
cases.
"""

import json

import numpy as np
import pytest
from test_images import write

from jaxnn import cli
from jaxnn.studies import basin_maps, initial_weights, problem, stationary_points
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.settings import Census, Study, Train

TABLE = "a,b,kind\n1,2,yes\n3,2,no\n5,3,yes\n7,1,no\n2,2,yes\n"


def digest(settings):
    """What a manifest would vouch for."""
    return problem.digest(problem.pose(problem.complete(settings)))


@pytest.mark.parametrize("kind", [Study, Census, Basins, Train])
def test_an_edited_table_gives_other_cases_in_the_same_process(kind, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(TABLE)
    settings = kind(str(file), hidden=(2,), steps=10)
    pose = {Census: stationary_points.pose, Basins: basin_maps.pose}.get(kind, problem.pose)
    before = pose(problem.complete(settings))
    file.write_text(TABLE.replace("5,3", "9,9"))
    after = pose(problem.complete(settings))
    assert not np.array_equal(before.source.batch.inputs, after.source.batch.inputs)
    assert problem.digest(before) != problem.digest(after)


def test_an_edited_folder_of_images_gives_other_cases_in_the_same_process(tmp_path):
    write(tmp_path)
    before = digest(Study("mnist", data_dir=tmp_path, steps=5))
    write(tmp_path, labels=[1, 1, 2, 3])
    assert digest(Study("mnist", data_dir=tmp_path, steps=5)) != before


def test_what_is_handed_on_is_computed_with_whatever_becomes_of_the_file(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(TABLE)
    settings = problem.complete(
        Study(str(file), hidden=(2,), steps=10, members=2, schemes=("normal",), scales=(1.0, 2.0),
              out=tmp_path / "out")
    )  # fmt: skip
    source = problem.read(settings)
    posed = problem.pose(settings, source)
    expected = initial_weights.chunk(settings, posed, 0)[1]
    file.write_text(TABLE.replace("5,3", "9,9"))
    path = initial_weights.run(settings, source)
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["data"]["sha256"] == problem.digest(posed)
    found = initial_weights.chunk(settings, problem.pose(settings, source), 0)[1]
    np.testing.assert_array_equal(found["final_loss"], expected["final_loss"])
    file.unlink()
    assert initial_weights.run(settings, source) == path


def test_a_command_refuses_the_store_of_the_file_before_it_was_edited(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("jaxnn.devices.use_all_cores", lambda: None)
    words = ["study", "t.csv", "--hidden", "2", "--steps", "5", "--members", "2", "--scales", "1",
             "--no-report", "--config", "all.toml"]  # fmt: skip
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "all.toml").write_text("seed = 1\nschemes = ['normal']\n")
    cli.main(words)
    manifest = json.loads((tmp_path / "results/study-t/manifest.json").read_text())
    assert manifest["data"]["read"]["target"] == "kind"
    assert manifest["settings"]["seed"] == 1
    (tmp_path / "t.csv").write_text(TABLE.replace("5,3", "9,9"))
    for edited, message in (
        ("t.csv", "sha256: the store has"),
        ("all.toml", "seed: the store has"),
    ):
        if edited == "all.toml":
            (tmp_path / "t.csv").write_text(TABLE)
            (tmp_path / edited).write_text("seed = 2\nschemes = ['normal']\n")
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err
