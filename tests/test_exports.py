"""What a store is exported to reads back equal, by other libraries."""

import errno
import json
import os
import shutil

import h5py
import numpy as np
import pandas
import pytest
import xarray
from safetensors import safe_open
from safetensors.numpy import load_file
from small_stores import fill, make, signed, whole

from jaxnn import cli, results
from jaxnn.results import exports


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("exports") / "s")


def test_netcdf_reads_back_identical(store, tmp_path):
    written = results.save_as(store, tmp_path / "a.nc")
    read = xarray.load_dataset(tmp_path / "a.nc", engine="h5netcdf")
    xarray.testing.assert_equal(read, results.load(store))
    assert {str(read[name].dtype) for name in read.data_vars} == {"float32", "int32"}
    assert read.attrs == written.attrs
    assert json.loads(read.attrs["manifest"]) == results.read_manifest(store)
    assert read.scale.attrs == {"long_name": "factor on the initial weights", "units": "1"}
    with h5py.File(tmp_path / "a.nc") as file:  # no xarray, no netCDF library
        np.testing.assert_array_equal(file["loss"][1, 1, 5], [7.5] * 3)  # pyright: ignore
        assert file["outcome"].attrs["flag_values"].dtype == np.int32
        assert file["loss"].attrs["units"] == "1"


def test_csv_has_a_row_for_each_network_and_every_number_of_it(store, tmp_path):
    results.save_as(store, tmp_path / "a.csv")
    table, dataset = pandas.read_csv(tmp_path / "a.csv"), results.load(store)
    assert list(table) == [
        "scheme", "scale", "member", "loss[0]", "loss[1]", "loss[2]", "outcome"
    ]  # fmt: skip
    assert len(table) == 2 * 2 * 6
    words = np.array(["zero", "one", "two", "three", "four", "5", "6", "7"])
    for row in table.to_dict("records"):
        cell = dataset.sel({dim: row[dim] for dim in ("scheme", "scale", "member")})
        losses = [row[f"loss[{k}]"] for k in range(3)]
        np.testing.assert_array_equal(np.array(losses, np.float32), cell.loss)
        assert row["outcome"] == words[int(cell.outcome)]


def test_csv_keeps_every_bit_and_leaves_out_what_is_not_computed(tmp_path):
    make(tmp_path / "s")
    loss = np.random.default_rng(0).normal(size=(1, 1, 4, 3)).astype(np.float32)
    loss[0, 0, 1, 1] = np.nan
    region = {"scheme": (1, 2), "scale": (0, 1), "member": (0, 4)}
    outcome = np.full((1, 1, 4), -1, np.int32)  # a code that has no word
    results.write_chunk(tmp_path / "s", 4, region, {"loss": loss, "outcome": outcome})
    results.save_as(tmp_path / "s", tmp_path / "a.csv")
    table = pandas.read_csv(tmp_path / "a.csv")
    assert table[["scheme", "scale", "member"]].to_numpy().tolist() == [
        ["b", 0.1, k] for k in range(4)
    ]
    read = table[["loss[0]", "loss[1]", "loss[2]"]].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(read, loss[0, 0])
    assert set(table.outcome) == {-1}


def test_csv_holds_no_label_that_a_spreadsheet_would_run(tmp_path):
    make(tmp_path / "s")
    signed(tmp_path / "s", coordinates={"scheme": ["=HYPERLINK(1)", "b"], "scale": [0.1, 1.0]})
    fill(tmp_path / "s", 0, 0, 0, (0, 4))
    results.save_as(tmp_path / "s", tmp_path / "a.csv")
    assert set(pandas.read_csv(tmp_path / "a.csv").scheme) == {"'=HYPERLINK(1)"}


def test_safetensors_holds_every_array_by_its_name(store, tmp_path):
    results.save_as(store, tmp_path / "a.safetensors")
    arrays, dataset = load_file(tmp_path / "a.safetensors"), results.load(store)
    assert set(arrays) == {"loss", "outcome", "scale", "member", "record"}
    for name, values in arrays.items():
        assert values.dtype == dataset[name].dtype
        np.testing.assert_array_equal(values, dataset[name])
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        said = file.metadata()
    assert json.loads(said["dimensions"])["outcome"] == ["scheme", "scale", "member"]
    assert json.loads(said["labels of scheme"]) == ["a", "b"]
    assert json.loads(said["manifest"]) == results.read_manifest(store)


def command(*args):
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *map(str, args)])
    return end.value.code


def test_the_command_writes_once_and_nothing_over_what_is_there(store, tmp_path, capsys):
    file = tmp_path / "a.csv"
    cli.main(["export", str(store), "--to", str(file)])
    assert capsys.readouterr().out.startswith(
        "2 variables over scheme 2, scale 2, member 6, record 3; "
    )
    file.write_text("precious")
    own = shutil.copytree(store, tmp_path / "own")
    cli.main(["export", str(own)])
    assert (tmp_path / "own.nc").is_file()
    busy = tmp_path / "busy"
    busy.mkdir()
    (busy / "mine").write_text("precious")
    (tmp_path / "link.nc").symlink_to(busy / "mine")
    (tmp_path / "folder.nc").mkdir()
    capsys.readouterr()
    there = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    for args, message in (
        ([store, "--to", file], "a.csv: is there already and is left as it is"),
        ([own], "own.nc: is there already"),
        ([store, "--to", tmp_path / "link.nc"], "link.nc: is there already"),
        ([store, "--to", tmp_path / "folder.nc"], "folder.nc: is there already"),
        ([store, "--to", tmp_path / "none" / "a.nc"], "there is no folder"),
        ([store, "--to", tmp_path / "a.cvs"], "unknown kind of file '.cvs'"),
        ([busy, "--to", tmp_path / "b.nc"], "is not empty and is no store"),
    ):
        assert command(*args) == 2
        printed = capsys.readouterr().err
        assert message in printed
        assert printed.count("\n") == 1
    assert there == {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}


@pytest.mark.parametrize("kind", ["csv", "nc", "safetensors"])
def test_a_drive_without_hard_links_takes_exports_and_nothing_is_written_over(
    store, tmp_path, monkeypatch, kind
):
    def refused(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    file = tmp_path / "new" / f"a.{kind}"
    file.parent.mkdir()
    results.save_as(store, file)
    content = file.read_bytes()
    assert len(content) > 100
    with pytest.raises(ValueError, match="is there already"):
        results.save_as(store, file)
    meanwhile, own = tmp_path / "new" / f"b.{kind}", exports._put_under

    def late(temporary, target):
        meanwhile.write_text("precious")
        own(temporary, target)

    monkeypatch.setattr(exports, "_put_under", late)
    with pytest.raises(ValueError, match="has come into being meanwhile"):
        results.save_as(store, meanwhile)
    assert meanwhile.read_text() == "precious"
    assert sorted(file.parent.iterdir()) == [file, meanwhile]


def test_a_drive_that_refuses_names_the_file(store, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(exports, "_put_under", refused)
    with pytest.raises(OSError, match=r"Input/output error: '.*a.csv'"):
        results.save_as(store, tmp_path / "a.csv")
