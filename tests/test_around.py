"""`jaxnn slice` and `jaxnn spectrum`, and which networks of a store are meant."""

import re
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn import Outcome, results
from jaxnn.landscape import curvature
from jaxnn.studies import around, initial_weights, members
from jaxnn.studies.settings import OfStore, Slice, Spectrum, Study


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    out = tmp_path_factory.mktemp("around") / "store"
    asked = Study("xor", schemes=("normal", "nielsen"), scales=(0.3, 5.0), members=6, steps=300)
    return initial_weights.run(replace(asked, out=out))


def settings_for(kind, store, tmp_path, **asked):
    return kind(store=store, out=tmp_path, **asked)


def test_the_best_network_is_the_one_with_the_lowest_final_loss(store, tmp_path):
    dataset = results.load(store)
    losses = np.where(dataset.outcome == Outcome.diverged, np.inf, dataset.final_loss)
    place = np.unravel_index(np.argmin(losses), losses.shape)
    posed, (best,) = members.taken(settings_for(OfStore, store, tmp_path), 1)
    assert best.place == tuple(place)
    np.testing.assert_allclose(posed.loss_fn(best.point), losses.min(), rtol=1e-4)
    np.testing.assert_array_equal(best.point[0].weights, dataset.final_weights_1.values[place])
    np.testing.assert_array_equal(best.start[1].biases, dataset.initial_biases_2.values[place])
    _, (one,) = members.taken(
        settings_for(
            OfStore, store, tmp_path, scheme="normal", scale=0.3, member=(4,), at="initial"
        ),
        1,
    )
    np.testing.assert_array_equal(one.point[0].weights, dataset.initial_weights_1.values[0, 0, 4])
    _, two = members.taken(settings_for(OfStore, store, tmp_path, scheme="normal"), 2)
    assert [network.place[0] for network in two] == [0, 0]
    assert two[0].final_loss <= two[1].final_loss


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"scheme": "norml"}, "--scheme norml: the store has normal, nielsen"),
        ({"scale": 1.0}, "--scale 1: the store has 0.3, 5"),
        ({"member": (1,)}, "and 4 are left: give --scheme and --scale"),
        ({"member": (1, 2), "scheme": "normal", "scale": 5.0}, "names 2 networks: give 1"),
        ({"member": (6,), "scheme": "normal", "scale": 5.0}, "--member 6: there are 6, 0 to 5"),
        ({"member": (1,), "best": True}, "both say which networks"),
        ({"seed": 2**40}, "--seed is 1099511627776"),
    ],
)
def test_networks_that_are_not_there_are_refused(asked, message, store, tmp_path):
    with pytest.raises(ValueError, match=message):
        members.taken(settings_for(OfStore, store, tmp_path, **asked), 1)


def test_other_data_than_the_studys_are_refused(store, tmp_path, tmp_path_factory):
    mine = tmp_path_factory.mktemp("data") / "mine.csv"
    mine.write_text("a,b,label\n0,1,x\n1,0,y\n1,1,x\n0,0,y\n0,2,x\n")
    with pytest.raises(ValueError, match=r"on other data than .*mine.csv holds"):
        members.taken(settings_for(OfStore, store, tmp_path, data=mine), 1)
    with pytest.raises(ValueError, match="no store there"):
        members.taken(OfStore(store=tmp_path / "none"), 1)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["slice-filter-loss", "lines-filter-loss"]),
        ({"along": "eigenvectors"}, ["slice-eigenvectors-loss"]),
        ({"along": "start", "value": "gradient_norm"}, ["slice-start-gradient_norm"]),
        ({"along": "unit", "value": "accuracy"}, ["slice-unit-accuracy", "lines-unit-accuracy"]),
    ],
)
def test_a_slice_is_drawn_and_checked(asked, names, store, tmp_path):
    asked = settings_for(Slice, store, tmp_path, points=81, lines=5, **asked)
    report = around.draw_slice(asked).spoken()
    posed, (network,) = members.taken(asked, 1)
    if asked.value == "loss":
        assert f"loss {float(posed.loss_fn(network.point)):.6g}" in report
        assert "the plane shows what is there" in report
        gradient = jax.grad(posed.loss_fn)(network.point)
        assert jnp.isfinite(gradient[0].weights).all()
    stems = {path.name.rsplit("-", 1)[0] for path in tmp_path.iterdir()}
    assert stems == set(names)
    for path in tmp_path.iterdir():
        assert path.stat().st_size > 2000
        assert f"wrote {path}" in report


@pytest.mark.slow
def test_a_plane_too_coarse_for_its_centre_says_so(store, tmp_path):
    report = around.draw_slice(
        settings_for(Slice, store, tmp_path, points=3, lines=1, reach=40.0, along="weight")
    ).spoken()
    assert "does NOT resolve its centre" in report


def test_without_a_reach_the_plane_is_as_large_as_its_mesh_resolves(store, tmp_path, monkeypatch):
    coarse = {"points": 9, "lines": 1, "along": "filter"}
    directions_of = around._directions

    def far(*args):
        pair, reaches, unit = directions_of(*args)
        return pair, [16 * reach for reach in reaches], unit

    monkeypatch.setattr(around, "_directions", far)
    found = around.draw_slice(settings_for(Slice, store, tmp_path / "a", **coarse))
    reach = found.findings["reach"]
    assert found.findings["resolved"]
    assert reach in [16 / 2**k for k in range(1, 1 + around.HALVINGS)]
    assert f"it goes {reach:g} each way" in found.text
    monkeypatch.undo()
    asked = settings_for(Slice, store, tmp_path / "b", reach=2 * reach, **coarse)
    beyond = around.draw_slice(asked)
    assert not beyond.findings["resolved"]
    assert "does NOT resolve its centre: more --points, or a shorter --reach" in beyond.text
    assert beyond.findings["reach"] == 2 * reach


@pytest.mark.slow
def test_the_spectrum_of_a_small_network_is_dense_and_in_float64(store, tmp_path):
    asked = settings_for(Spectrum, store, tmp_path, k=9)
    report = around.draw_spectrum(asked).spoken()
    posed, (network,) = members.taken(asked, 1)
    with jax.enable_x64(True):
        exact = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), (posed.loss_fn, network.point)
        )
        values = np.asarray(curvature.eigenvalues(*exact))
    printed = [float(line.split()[1]) for line in report.splitlines()[3:12]]
    np.testing.assert_allclose(printed, values[np.argsort(-np.abs(values))], rtol=1e-6, atol=1e-16)
    assert f"{int((values < -1e-14).sum())} negative" in report
    assert "not converged" not in report
    assert len(list(tmp_path.glob("spectrum-*"))) == 2


@pytest.mark.slow
def test_the_spectrum_of_a_large_network_has_bounds_and_standard_errors(tmp_path):
    out = tmp_path / "store"
    study = Study("digits", schemes=("glorot_normal",), scales=(1.0,), members=1, epochs=1, out=out)
    initial_weights.run(study)
    report = around.draw_spectrum(settings_for(Spectrum, out, tmp_path, k=3, starts=2)).spoken()
    assert "2410 parameters" in report
    with pytest.raises(ValueError, match="was trained by mini-batches"):
        around.draw_slice(settings_for(Slice, out, tmp_path, along="run"))
    assert "(standard error)" in report
    assert "index" not in report
    assert len(report.splitlines()) == 3 + 3 + 2


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        (Slice, {"points": 2}, "--points is 2"),
        (Slice, {"reach": 0.0}, "--reach is 0"),
        (Slice, {"along": "start", "at": "initial"}, "the network is at its start"),
        (Spectrum, {"k": 10}, "k is 10: the point has 9 parameters"),
        (Spectrum, {"starts": 1}, "--starts is 1"),
    ],
)
def test_wrong_settings_are_refused(kind, asked, message, store, tmp_path):
    draw: Any = around.draw_slice if kind is Slice else around.draw_spectrum
    with pytest.raises(ValueError, match=message):
        draw(settings_for(kind, store, tmp_path, **asked))


@pytest.mark.optimised
def test_a_run_is_drawn_on_its_principal_plane(store, tmp_path):
    asked = settings_for(Slice, store, tmp_path, along="run", points=15)
    report = around.draw_slice(asked).spoken()
    _, (network,) = members.taken(asked, 1)
    assert f"{network.steps} updates" in report
    assert "trained again, it ends 0.0e+00 from the stored weights" in report
    shares = re.search(r"the plane holds ([\d.]+)% \+ ([\d.]+)%", report)
    assert shares is not None
    assert 60 < sum(map(float, shares.groups())) <= 100.1
    assert len(list(tmp_path.glob("slice-run-*"))) == 2
    for wrong, message in (
        ({"value": "accuracy"}, "--along run with --value accuracy"),
        ({"at": "initial"}, "--along run with --at initial"),
    ):
        with pytest.raises(ValueError, match=message):
            around.draw_slice(settings_for(Slice, store, tmp_path, along="run", **wrong))
