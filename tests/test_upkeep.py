"""Commands of whole stores; and of every command, that folders of others are left alone."""

import numpy as np
import pytest
from small_stores import whole

from jaxnn import cli, devices, results
from jaxnn.studies import initial_weights, problem, schema, upkeep
from jaxnn.studies.settings import Study
from jaxnn.studies.store_settings import Export


def contents(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_study_travels_as_every_kind_of_file(tmp_path):
    settings = problem.complete(Study("xor", schemes=("normal",), scales=(0.5, 4.0), members=3))
    layout = schema.layout(settings, problem.pose(settings), initial_weights.records(settings))
    results.create(tmp_path / "s", {"study": "initial weights"}, **layout)
    for number in range(initial_weights.chunks(settings)):
        region = initial_weights._region(settings, number)
        lengths = {**layout["lengths"], **{dim: stop - at for dim, (at, stop) in region.items()}}
        arrays = {
            name: np.full([lengths[dim] for dim in variable.dims], 1, variable.dtype)
            for name, variable in layout["variables"].items()
        }
        results.write_chunk(tmp_path / "s", number, region, arrays)
    for kind in ("nc", "csv", "safetensors"):
        said = upkeep.exported(Export(tmp_path / "s", tmp_path / f"a.{kind}")).spoken()
        assert "variables over scheme 1, scale 2, member 3, record 60" in said
    table = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert len(table) == 1 + 2 * 3
    assert table[0][:5] == ["scheme", "scale", "member", "initial_loss", "final_loss"]
    assert table[1][:5] == ["normal", "0.5", "0", "1.0", "1.0"]
    assert table[1][table[0].index("outcome")] == "plateau"
    assert "final_biases_2[0]" in table[0]


SMALL = ["--steps", "2", "--out"]
SAMPLE = ["basins", "xor", "--over", "sample", "--members", "2"]


@pytest.mark.parametrize(
    "args",
    [
        ["study", "xor", *SMALL, "busy"],
        ["basins", "xor", *SMALL, "busy"],
        [*SAMPLE, *SMALL, "busy"],
        [*SAMPLE, "--widths", "2", "3", *SMALL, "busy"],
        ["census", "xor", *SMALL, "busy"],
        ["sensitivity", "xor", *SMALL, "busy"],
        ["train", "xor", *SMALL, "busy"],
        ["export", "busy", "--to", "new.nc"],
        ["export", "store", "--to", "busy/mine.csv"],
        ["verify", "busy/deeper", "--repair"],
        *([name, "store", "--out", "busy"] for name in ("slice", "spectrum", "path", "align")),
    ],
)
def test_a_folder_that_is_not_empty_and_no_store_is_never_touched(
    args, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(devices, "use_all_cores", lambda: None)
    monkeypatch.chdir(tmp_path)
    whole(tmp_path / "store")
    (tmp_path / "busy" / "deeper").mkdir(parents=True)
    (tmp_path / "busy" / "mine.csv").write_text("precious")
    (tmp_path / "busy" / "deeper" / "done").write_text("precious too")
    before = contents(tmp_path), sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as end:
        cli.main(args)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert any(
        part in printed.err for part in ("is no store", "is there already", "no store there")
    )
    assert printed.err.count("\n") == 1
    assert (contents(tmp_path), sorted(tmp_path.rglob("*"))) == before
