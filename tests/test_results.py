"""The store: what is written comes back labelled, damage is named, nothing else is touched."""

import json

import numpy as np
import pytest
from small_stores import fill, make

import jaxnn
from jaxnn import results


def test_what_is_written_comes_back_labelled_and_the_rest_is_blank(tmp_path):
    make(tmp_path / "s")
    fill(tmp_path / "s", 0, 0, 0, (0, 4))
    fill(tmp_path / "s", 7, 1, 1, (4, 6))
    dataset = results.load(tmp_path / "s")
    assert dataset.loss.dims == ("scheme", "scale", "member", "record")
    assert dataset.loss.attrs["units"] == "1"
    assert dataset.scheme.values.tolist() == ["a", "b"]
    chosen = dataset.sel(scheme="b", scale=1.0)
    assert chosen.loss.values[4:].tolist() == [[7.5] * 3] * 2
    assert np.isnan(chosen.loss.values[:4]).all()
    assert chosen.outcome.values.tolist() == [-1, -1, -1, -1, 7, 7]
    assert results.finished(tmp_path / "s") == {0, 7}
    assert results.verify(tmp_path / "s") == []


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


def test_a_store_of_another_format_says_which_version_it_needs(tmp_path):
    make(tmp_path / "s")
    file = tmp_path / "s" / "manifest.json"
    manifest = json.loads(file.read_text())
    assert (manifest["format"], manifest["readable_from"]) == (results.FORMAT, "0.1.0")
    assert manifest["written_by"] == jaxnn.__version__
    newer = {**manifest, "format": 99, "readable_from": "7.5.0"}
    for changed, needs in (
        (newer, "is a store of format 99, which needs jaxnn 7.5.0 or newer; this is jaxnn"),
        ({**manifest, "format": 99, "readable_from": None}, "needs another version of jaxnn"),
        ({**manifest, "format": 0}, "format 0, which needs another version of jaxnn"),
    ):
        file.write_text(json.dumps(changed))
        for read in (results.read_manifest, results.open, results.verify):
            with pytest.raises(ValueError, match=needs):
                read(tmp_path / "s")


def test_a_folder_of_others_is_refused_and_our_own_is_not(tmp_path):
    folder = tmp_path / "f"
    results.refuse_foreign(folder, ours=("a-*",))
    folder.mkdir()
    (folder / "a-1.png").write_text("")
    results.refuse_foreign(folder, ours=("a-*",))
    (folder / "letter.txt").write_text("")
    with pytest.raises(ValueError, match=r"is no store \(letter.txt lies there\)"):
        results.refuse_foreign(folder, ours=("a-*",))
    make(tmp_path / "s")
    results.refuse_foreign(tmp_path / "s" / "figures", ours=())
    with pytest.raises(ValueError, match="is a file"):
        results.refuse_foreign(folder / "letter.txt", ours=("*",))
