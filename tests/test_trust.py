"""A store from a stranger: what this program never writes is refused before it is decoded."""

import json
import pickle
import shutil
from pathlib import Path

import numcodecs.pickles
import pytest
import zarr
from small_stores import signed, whole

from jaxnn import results

READERS = {
    "open": results.open,
    "load": results.load,
    "verify": results.verify,
    "trusted": results.trusted,
    "export": lambda path: results.save_as(path, path.parent / "x.csv"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("trust") / "s")


@pytest.fixture
def store(made, tmp_path):
    return shutil.copytree(made, tmp_path / "s")


def refused(store, match, *, readers=READERS):
    for name in readers:
        with pytest.raises(ValueError, match=match):
            READERS[name](store)
    assert not (store.parent / "x.csv").exists()


def change(file, **changes):
    """A JSON file said otherwise, and the manifest's digests made to fit by who did it."""
    store = Path(*file.parts[: file.parts.index("s") + 1])
    if file.name != "manifest.json":
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    signed(store, **(changes if file.name == "manifest.json" else {}))


class Harmful:
    """What runs when it is unpickled: it leaves a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_pickle_in_the_place_of_an_array_is_not_unpickled(store, tmp_path, monkeypatch):
    monkeypatch.setattr(numcodecs.pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True)
    marker, array = tmp_path / "it ran", store / "arrays.zarr" / "loss"
    shutil.rmtree(array)
    array.mkdir()
    codecs = {"compressor": {"id": "pickle"}, "filters": [{"id": "vlen-utf8"}]}
    layout = {"zarr_format": 2, "shape": [1], "chunks": [1], "order": "C"}
    (array / ".zarray").write_text(
        json.dumps({**layout, **codecs, "dtype": "|O", "fill_value": ""})
    )
    (array / "0").write_bytes(pickle.dumps(Harmful(marker)))
    with pytest.raises(TypeError, match="not 'NoneType'"):  # what it gives is no array, but
        zarr.open_array(array, mode="r", zarr_format=2)[:]
    assert marker.exists()  # whoever opens the array alone has run it
    marker.unlink()
    change(store / "manifest.json")
    refused(store, "loss does not describe an array")
    (array / "zarr.json").write_text((store / "arrays.zarr/outcome/zarr.json").read_text())
    refused(store, "loss has other dimensions than the manifest says")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"codecs": [{"name": "numcodecs.pickle"}]},
            "loss is written by the codec 'numcodecs.pick",
        ),
        ({"codecs": [{"name": {"a": 1}}]}, "loss is written by the codec"),
        ({"codecs": "bytes"}, "loss does not describe an array"),
        ({"data_type": "variable_length_utf8"}, "loss has the data type 'variable_length_utf8'"),
        ({"data_type": {"name": "numpy.void"}}, "loss has the data type"),
        ({"zarr_format": 2}, "loss is no regular array"),
        ({"node_type": "group"}, "loss is no regular array"),
        ({"storage_transformers": [{"name": "x"}]}, "loss is no regular array"),
        ({"shape": [2, 2, 7, 3]}, "other lengths than its labels or another variable"),
        ({"shape": [2, 2, "6", 3]}, "other dimensions"),
        ({"dimension_names": ["scheme", "scale", "member", "../x"]}, "other dimensions"),
        ({"attributes": {"units": {"a": 1}}}, "an attribute that is neither text nor numbers"),
        ({"attributes": {"units": "\x1b[2J"}}, "an attribute that is neither text nor numbers"),
    ],
)
def test_an_array_described_otherwise_is_refused(store, changes, match):
    change(store / "arrays.zarr" / "loss" / "zarr.json", **changes)
    refused(store, match, readers=["open", "verify"])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"variables": {"../../loss": []}}, "'../../loss' is no name"),
        ({"variables": {"loss": ["a/b"]}}, "'a/b' is no name"),
        ({"variables": {"loss": [["x"]]}}, "is no name"),
        ({"variables": {"loss": []}}, r"name different variables \(outcome\)"),
        ({"variables": 3}, "names no coordinates and variables"),
        ({"coordinates": {"scheme": [{"a": 1}, 2]}}, "the labels of scheme are damaged"),
        ({"coordinates": {"scheme": ["a", "\x1b]0;b"]}}, "the labels of scheme are damaged"),
        ({"coordinates": {"scheme": [[1], [2, 3]]}}, "the labels of scheme are damaged"),
        ({"settings": {"data": "/etc/passwd.csv"}}, "the data set '/etc/passwd.csv' is a path"),
        ({"settings": {"data": "../a.csv"}}, "is a path"),
        ({"settings": {"data": ["a.csv"]}}, "is a path"),
    ],
)
def test_a_manifest_that_says_what_none_says_is_refused(store, changes, match):
    change(store / "manifest.json", **changes)
    refused(store, match, readers=["open", "verify"])


@pytest.mark.parametrize("where", ["done", "arrays.zarr/loss", "arrays.zarr/loss/c/0/0/0/0"])
def test_a_link_out_of_the_store_is_refused_and_what_it_leads_to_is_left(store, tmp_path, where):
    outside = tmp_path / "mine"
    shutil.move(store / where, outside)
    (store / where).symlink_to(outside)
    before = sorted(outside.rglob("*")) if outside.is_dir() else outside.read_bytes()
    refused(store, f"{where} is a link")
    with pytest.raises(ValueError, match="is a link"):
        results.repair(store, [results.Damage(1, "loss", {}, "")])
    assert before == (sorted(outside.rglob("*")) if outside.is_dir() else outside.read_bytes())


def test_labels_with_html_in_them_are_shown_as_text(store):
    name = "<script>alert(1)</script>"
    change(store / "manifest.json", coordinates={"scheme": ["a", name], "scale": [0.1, 1.0]})
    dataset = results.open(store)
    assert dataset.scheme.values[1] == name
    assert "alert" in dataset._repr_html_()
    assert "<script>" not in dataset._repr_html_()
