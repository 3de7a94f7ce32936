"""Every kind of store opens with names, labels, units and long names."""

from typing import Any

import numpy as np
import pytest
from small_stores import whole

from jaxnn import results
from jaxnn.studies import basin_maps, border_measures, initial_weights, problem, schema
from jaxnn.studies import stationary_points as census
from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.settings import Census, Study, as_json

PLANE: dict[str, Any] = {"points": 32, "parameters": ("w1[0,1]", "0"), "steps": 40}
SAMPLE: dict[str, Any] = {"over": "sample", "members": 3, "batch_size": 2, "epochs": 4}


CASES = "".join(f"{k},{k % 2},{'ab'[k % 2]}\n" for k in range(20))


def layouts(file):
    """Settings and layout of each kind of store; the file has cases to train on and to test."""
    file.write_text(f"size,side,kind\n{CASES}")
    batches = Study(str(file), drop=(), members=3, epochs=5, batch_size=4)
    for asked in (Study("xor", members=3), batches):
        settings = problem.complete(asked)
        made = schema.layout(settings, problem.pose(settings), initial_weights.records(settings))
        yield settings, made
    counted = problem.complete(Census("xor_signed", starts=8))
    yield counted, census.layout(counted, census.pose(counted))
    line = {"over": "line", "points": 16, "labels": "predictions"}
    for options in (PLANE, line, SAMPLE):
        mapped = problem.complete(Basins("xor", **options))
        yield mapped, basin_maps.layout(mapped, basin_maps.pose(mapped))
    _, parts = border_measures.parts(problem.complete(Sensitivity("xor", **PLANE)))
    assert set(parts) == {"lyapunov", "changes", "nudged"}
    for kind, part in parts.items():
        posed = basin_maps.pose(part)
        if kind == "nudged":
            yield part, basin_maps.layout(part, posed)
        else:
            yield part, border_measures._layout(part, posed, kind)


def test_everything_in_every_kind_of_store_says_what_it_is(tmp_path):
    meanings = {}
    for number, (settings, layout) in enumerate(layouts(tmp_path / "cases.csv")):
        path = tmp_path / str(number)
        results.create(path, {"study": "any", "settings": as_json(settings)}, **layout)
        dataset = results.open(path)
        assert set(dataset.data_vars) == set(layout["variables"])
        assert (
            set(dataset.coords)
            == set(dataset.dims)
            == {dim for variable in layout["variables"].values() for dim in variable.dims}
        )
        for name, array in dataset.variables.items():
            assert array.attrs["long_name"].strip(), name
            assert array.attrs["units"].strip(), name
            meanings.setdefault(name, set()).add(array.attrs["long_name"])
    assert {"test_loss", "test_accuracy", "sharpness", "found_eigenvalues", "exponent"} < {
        *meanings
    }
    assert meanings["record"] == {"updates made until then", "epochs made until then"}
    assert meanings["x"] == {
        "initial value of w1[0,1]", "length along direction 1 from the network in the middle",
    }  # fmt: skip
    assert meanings["y"] == {"initial value of parameter 0"}
    assert meanings["hidden_1"] == {"unit of hidden layer 1, by its number"}
    assert not {name for name, said in meanings.items() if said == {name}}


def test_a_dataset_says_how_it_was_made_and_reads_only_what_is_asked_for(tmp_path):
    dataset = results.open(whole(tmp_path / "s"))
    assert dataset.attrs["Conventions"] == "CF-1.11"
    assert dataset.attrs["title"] == "test"
    assert dataset.attrs["history"].endswith("Z written by jaxnn 0.1.0")
    assert '"study": "test"' in dataset.attrs["manifest"]
    assert not dataset.loss.variable._in_memory
    (tmp_path / "s" / "arrays.zarr/loss/c/0/0/0/0").write_bytes(b"nothing")
    assert float(dataset.loss.sel(scheme="b", scale=1.0, member=5, record=2)) == 7.5
    with pytest.raises(
        ValueError, match=r"loss/c/0/0/0/0: unpacks to no known size, wanted 48 bytes"
    ):
        dataset.loss.load()
    assert dataset.member.values.tolist() == list(range(6))


def test_load_is_open_in_memory(tmp_path):
    path = whole(tmp_path / "s")
    opened, loaded = results.open(path), results.load(path)
    assert loaded.loss.variable._in_memory
    assert loaded.identical(opened)
    assert loaded.outcome.dtype == np.int32
