"""The store: what is written comes back labelled, damage is named, nothing else is touched."""

import json

import numpy as np
import pytest

from jaxnn import results
from jaxnn.results import Variable


def make(path):
    results.create(
        path,
        {"study": "test"},
        coordinates={"scheme": ["a", "b"], "scale": [0.1, 1.0]},
        lengths={"scheme": 2, "scale": 2, "member": 6, "record": 3},
        chunks={"scheme": 1, "scale": 1, "member": 4},
        variables={
            "loss": Variable(("scheme", "scale", "member", "record"), "float32", {"units": "1"}),
            "outcome": Variable(("scheme", "scale", "member"), "int32", {"long_name": "end"}),
        },
    )


def fill(path, number, scheme, scale, span):
    region = {"scheme": (scheme, scheme + 1), "scale": (scale, scale + 1), "member": span}
    width = span[1] - span[0]
    arrays = {
        "loss": np.full((1, 1, width, 3), number + 0.5, np.float32),
        "outcome": np.full((1, 1, width), number, np.int32),
    }
    results.write_chunk(path, number, region, arrays)


def test_what_is_written_comes_back_labelled_and_the_rest_is_blank(tmp_path):
    make(tmp_path / "s")
    fill(tmp_path / "s", 0, 0, 0, (0, 4))
    fill(tmp_path / "s", 3, 1, 1, (4, 6))
    dataset = results.load(tmp_path / "s")
    assert dataset.loss.dims == ("scheme", "scale", "member", "record")
    assert dataset.loss.attrs["units"] == "1"
    assert dataset.scheme.values.tolist() == ["a", "b"]
    chosen = dataset.sel(scheme="b", scale=1.0)
    assert chosen.loss.values[4:].tolist() == [[3.5] * 3] * 2
    assert np.isnan(chosen.loss.values[:4]).all()
    assert chosen.outcome.values.tolist() == [-1, -1, -1, -1, 3, 3]
    assert results.finished(tmp_path / "s") == {0, 3}
    assert results.verify(tmp_path / "s") == []


def test_verify_names_the_chunk_and_the_variable_of_a_flipped_byte(tmp_path):
    make(tmp_path / "s")
    fill(tmp_path / "s", 0, 0, 0, (0, 4))
    fill(tmp_path / "s", 1, 1, 0, (0, 4))
    file = next((tmp_path / "s" / "arrays.zarr" / "loss" / "c" / "1").rglob("0"))
    while file.is_dir():
        file = next(f for f in file.iterdir())
    content = bytearray(file.read_bytes())
    content[-1] ^= 0xFF
    file.write_bytes(content)
    findings = results.verify(tmp_path / "s")
    assert len(findings) == 1
    assert findings[0][:3] == (1, "loss", {"scheme": (1, 2), "scale": (0, 1), "member": (0, 4)})
    assert str(findings[0]) == (
        "chunk 1 (scheme 1:2, scale 0:1, member 0:4): loss is not what was written: "
        "arrays.zarr/loss/c/1/0/0/0 is damaged or half written"
    )
    (tmp_path / "s" / "done" / "000000.json").write_text("{")
    assert "chunk 0: its mark is damaged" in str(results.verify(tmp_path / "s")[0])


def test_a_chunk_of_another_shape_or_with_missing_arrays_is_refused(tmp_path):
    make(tmp_path / "s")
    region = {"scheme": (0, 1), "scale": (0, 1), "member": (0, 4)}
    with pytest.raises(ValueError, match="the store wants"):
        results.write_chunk(tmp_path / "s", 0, region, {"loss": np.zeros((1, 1, 4, 3))})
    wrong = {"loss": np.zeros((1, 1, 1, 3), np.float32), "outcome": np.zeros((1, 1, 4), np.int32)}
    with pytest.raises(
        ValueError, match=r"loss has shape \(1, 1, 1, 3\), its region \(1, 1, 4, 3\)"
    ):
        results.write_chunk(tmp_path / "s", 0, region, wrong)
    assert results.finished(tmp_path / "s") == set()


def test_what_is_no_store_is_never_touched(tmp_path):
    assert results.read_manifest(tmp_path / "none") is None
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ValueError, match="is not empty and is no store"):
        results.read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ValueError, match="is no manifest of a store"):
        results.read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(
        ValueError, match="format 99, which needs another version of jaxnn; this is jaxnn"
    ):
        results.read_manifest(tmp_path)
    with pytest.raises(ValueError, match="no store there"):
        results.load(tmp_path / "none")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "f"
    results.write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        results.write_atomically(file, "new \ud800")
    assert file.read_text() == "old"
