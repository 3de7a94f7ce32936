"""The store of a census and what is said of it: `jaxnn census`."""

from dataclasses import replace

import numpy as np
import pytest

from jaxnn import results
from jaxnn.landscape.minima import Ending
from jaxnn.studies import census_findings, endings, engine, problem, stationary_points
from jaxnn.studies.members import taken
from jaxnn.studies.settings import Census, Slice


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A census of 2-1-1 with tanh on signed exclusive or, in three chunks."""
    settings = problem.complete(
        Census(
            "xor_signed", hidden=(1,), activation=("tanh",), l2=0.0125, output_biases=False,
            starts=240, chunk=80, steps=400, out=tmp_path_factory.mktemp("census") / "store",
        )
    )  # fmt: skip
    return settings, stationary_points.run(settings)


def arrays_of(path):
    return {name: array.values for name, array in results.load(path).data_vars.items()}


def test_the_store_holds_every_search_in_float64(store):
    settings, path = store
    dataset = results.load(path)
    assert dict(dataset.sizes) == {"search": 240, "parameter": 4}
    assert dataset.point.dtype == dataset.eigenvalues.dtype == np.float64
    assert (dataset.ending >= 0).all()
    rested = dataset.ending == Ending.stationary
    assert float(dataset.relative_gradient.where(rested).max()) < 1e-14
    assert results.verify(path) == []
    posed = stationary_points.pose(settings)
    found = endings.stationary(dataset, stationary_points.like(settings, posed))
    assert [leaf.shape for leaf in (found.point[0].weights, found.point[1].weights)] == [
        (240, 1, 2),
        (240, 1, 1),
    ]
    assert found.point[1].biases is None
    with np.errstate(all="ignore"):
        hidden = np.tanh(
            np.einsum("cx,nhx->nch", np.asarray(posed.train.inputs, float), found.point[0].weights)
            + found.point[0].biases[:, None, :]
        )
        outputs = np.tanh(np.einsum("nch,noh->nco", hidden, found.point[1].weights))
    gaps = outputs - np.asarray(posed.train.targets, float)[None]
    penalty = 0.5 * settings.l2 * (found.point[0].weights ** 2).sum(axis=(1, 2))
    penalty += 0.5 * settings.l2 * (found.point[0].biases ** 2).sum(axis=1)
    penalty += 0.5 * settings.l2 * (found.point[1].weights ** 2).sum(axis=(1, 2))
    expected = (gaps**2).sum(axis=2).mean(axis=1) + penalty
    np.testing.assert_allclose(found.loss[rested], expected[rested], rtol=1e-12)


def test_shards_fill_one_store_with_the_same_bits(store, tmp_path):
    settings, path = store
    shared = replace(settings, out=tmp_path / "shared")
    stationary_points.run(replace(shared, shard="1/2"))
    assert results.finished(tmp_path / "shared") == {1}
    stationary_points.run(replace(shared, shard="0/2"))
    whole = arrays_of(path)
    for name, values in arrays_of(tmp_path / "shared").items():
        np.testing.assert_array_equal(values, whole[name])


def test_a_second_run_computes_nothing_and_other_settings_are_refused(store):
    settings, path = store
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    stationary_points.run(replace(settings, tree=False))
    with pytest.raises(ValueError, match=r"l2: the store has 0\.0125, you ask for 0\.1"):
        stationary_points.run(replace(settings, l2=0.1))
    assert before == {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    assert engine.share_of(settings) == (0, 1)


def test_the_report_adds_up_and_has_its_pictures(store, tmp_path):
    settings, path = store
    posed = stationary_points.pose(settings)
    text, files = census_findings.conclude(results.load(path), settings, posed, tmp_path)
    assert "network 2-1-1, tanh, tanh, last layer without biases, l2 0.0125" in text
    assert "their sum of (-1)^index is 1 (1 where none is missing)" in text
    assert "where 60 training runs ended" in text
    ended = text[text.index("where 60 training runs") :]
    shares = [float(line.split("%")[0]) for line in ended.splitlines()[1:] if " % [" in line]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    assert "transition states between" in text
    assert {file.name for file in files} == {
        "disconnectivity.svg", "disconnectivity.png", "loss-against-index.svg",
        "loss-against-index.png",
    }  # fmt: skip
    assert all(file.stat().st_size > 5000 for file in files)


def test_long_tables_are_cut_on_the_screen_only():
    long = "\n".join(map(str, range(100)))
    short = census_findings.shortened(f"head\n\n{long}")
    assert short.startswith("head\n\n0\n1\n")
    assert "... 40 more lines" in short
    assert short.endswith("\n99")
    assert census_findings.shortened("a\nb") == "a\nb"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "iris"}, "4-8-3 has 67 parameters.*up to 64; --sampled counts.*up to 500"),
        ({"data": "digits", "sampled": True, "steps": 5}, "has 2410 parameters.*up to 500$"),
        ({"batch_size": 2, "epochs": 3}, "give --steps, not --batch-size"),
        ({"chunk": 6}, "--chunk is 6: give a multiple of 4"),
        ({"starts": 0}, "--starts is 0"),
        ({"scales": (0.0,)}, "--scales"),
        ({"scheme": "norma"}, "did you mean 'normal'"),
    ],
)
def test_what_cannot_be_counted_is_refused(changes, message, tmp_path):
    settings = replace(Census("xor", out=tmp_path / "none"), **changes)
    with pytest.raises(ValueError, match=message):
        stationary_points.run(settings)
    assert not (tmp_path / "none").exists()


def test_the_store_of_a_census_is_no_study(store):
    _, path = store
    with pytest.raises(ValueError, match="is the store of a census; give one of `jaxnn study`"):
        taken(Slice(path), 1)


@pytest.mark.slow
def test_a_sampled_census_only_trains_and_polishes(tmp_path):
    settings = Census("xor", starts=12, chunk=8, steps=200, sampled=True, out=tmp_path / "s")
    settings = problem.complete(settings)
    dataset = results.load(stationary_points.run(settings))
    assert int((dataset.ending == Ending.plateau).sum()) >= 10
    posed = stationary_points.pose(settings)
    text, _ = census_findings.conclude(dataset, settings, posed, tmp_path / "figures")
    assert "where 12 training runs ended" in text
    assert "attractor" in text
