"""The stores of `jaxnn basins` and what is said of them."""

import json
import re
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
import xarray

from jaxnn import results
from jaxnn.landscape import basins
from jaxnn.landscape.basins import Nowhere
from jaxnn.landscape.many import at, in_float64
from jaxnn.stopping import Outcome
from jaxnn.studies import (
    basin_findings,
    basin_labels,
    basin_maps,
    border_findings,
    border_measures,
    endings,
    map_starts,
    map_variants,
    map_windows,
    problem,
    sample_findings,
    study_minima,
    width_findings,
)
from jaxnn.studies.basin_maps import default_out
from jaxnn.studies.map_settings import Again, Basins, Sensitivity
from jaxnn.studies.settings import Study, as_json

STEPS = 60


def small(out, **changes: Any) -> Basins:
    """A plane of initial weights of 2-1-1 with tanh on signed exclusive or, in four chunks."""
    asked: dict[str, Any] = {
        "hidden": (1,), "activation": ("tanh",), "l2": 0.0125, "steps": STEPS, "points": 32,
        "chunk": 256, "window": "-3:3,-2:4", "parameters": ("w1[0,1]", "b2[0]"), "seed": 3,
        "level": 1.0,
    }  # fmt: skip
    return problem.complete(Basins("xor_signed", out=out, **{**asked, **changes}))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    settings = small(tmp_path_factory.mktemp("basins") / "store")
    parts = map_variants.variants(settings)
    for part in parts:
        basin_maps.run(part)
    return settings, parts


def arrays_of(path):
    return {name: array.values for name, array in results.load(path).data_vars.items()}


def loss_and_gradient(point, inputs, targets, l2):
    """Of a network 2-1-1 with tanh, by hand: point is w1 (2), b1, w2, b2."""
    u = np.tanh(inputs @ point[:2] + point[2])
    o = np.tanh(u * point[3] + point[4])
    gap = o - targets
    delta = 2 * gap * (1 - o**2) / len(targets)
    back = delta * point[3] * (1 - u**2)
    gradient = np.array([*(back @ inputs), back.sum(), delta @ u, delta.sum()])
    return np.mean(gap**2) + l2 / 2 * point @ point, gradient + l2 * point


def test_every_pixel_ends_where_descent_by_hand_ends(store):
    settings, (whole, _) = store
    dataset, posed = results.load(default_out(settings)), basin_maps.pose(whole)
    assert dict(dataset.sizes) == {"y": 32, "x": 32, "parameter": 5}
    np.testing.assert_allclose(dataset.x, -3 + 6 * (np.arange(32) + 0.5) / 32, rtol=1e-15)
    np.testing.assert_allclose(dataset.y, -2 + 6 * (np.arange(32) + 0.5) / 32, rtol=1e-15)
    assert results.verify(default_out(settings)) == []
    inputs, targets = (np.asarray(part, float) for part in posed.train)
    origin = endings.flat([leaf[None] for leaf in (
        x for layer in map_starts.cut(whole, posed).origin for x in layer)])[0]  # fmt: skip
    late = np.argwhere(dataset.reached.values > 1)
    assert len(late) > 1
    for i, j in [(0, 0), (3, 7), (31, 31), (5, 2), late[0], late[-1]]:
        point = origin.copy()
        point[1], point[4] = float(dataset.x[j]), float(dataset.y[i])
        start, reached = point.copy(), -1
        for step in range(STEPS):
            loss, gradient = loss_and_gradient(point, inputs, targets[:, 0], settings.l2)
            reached = step if reached < 0 and loss <= (settings.level or 0) else reached
            point = point - (settings.step_size or 0) * gradient
        loss, gradient = loss_and_gradient(point, inputs, targets[:, 0], settings.l2)
        reached = STEPS if reached < 0 and loss <= (settings.level or 0) else reached
        here = dataset.isel(y=i, x=j)
        # 60 steps amplify rounding, by at most |1 - step size * curvature| each
        np.testing.assert_allclose(here.end, point, rtol=1e-9)
        np.testing.assert_allclose(here.final_loss, loss, rtol=1e-9)
        np.testing.assert_allclose(here.final_gradient_norm, np.linalg.norm(gradient), rtol=1e-7)
        np.testing.assert_allclose(here.distance, np.linalg.norm(point - start), rtol=1e-9)
        assert int(here.updates) == STEPS
        assert int(here.reached) == reached


def test_labels_are_one_where_the_minimum_is(store):
    _, (whole, _) = store
    posed = basin_maps.pose(whole)
    (made,) = basin_labels.labelled([whole], posed)
    found = endings.stationary(
        results.load(default_out(whole)), map_starts.like(posed), prefix="found_"
    )
    assert (made.labels >= 0).mean() > 0.5
    for label in np.unique(made.labels[made.labels >= 0]):
        here = made.labels == label
        np.testing.assert_allclose(found.level[here], made.attractors.losses[label], rtol=1e-9)
        spectrum = found.eigenvalues[here]
        np.testing.assert_allclose(spectrum, np.broadcast_to(spectrum[:1], spectrum.shape),
                                   atol=1e-8)  # fmt: skip
    assert (made.runs["final_loss"] >= found.level - 1e-12)[made.labels >= 0].all()


def test_a_study_of_the_same_ends_gives_the_same_probabilities(store, monkeypatch):
    _, (whole, _) = store
    dataset, posed = results.load(default_out(whole)), basin_maps.pose(whole)
    (made,) = basin_labels.labelled([whole], posed)
    rows = dataset.end.values.reshape(1, 1, 1024, 5)
    cell = ("scheme", "scale", "member")
    parts = {
        "final_weights_1": ((*cell, "h", "i"), rows[..., None, :2]),
        "final_biases_1": ((*cell, "h"), rows[..., 2:3]),
        "final_weights_2": ((*cell, "o", "h"), rows[..., None, 3:4]),
        "final_biases_2": ((*cell, "o"), rows[..., 4:5]),
    }
    olds = {"steps": "updates", "gradient_norm": "final_gradient_norm"}
    olds |= {name: name for name in ("initial_loss", "final_loss", "outcome")}
    for name, old in olds.items():
        parts[name] = (cell, dataset[old].values.reshape(1, 1, 1024))
    study = Study("xor_signed", schemes=("normal",), scales=(1.0,), step_size=0.5)
    monkeypatch.setattr(study_minima, "MOST_MEMBERS", 1024)
    (table,) = study_minima.minima_table(type(dataset)(parts), study, posed).lines
    for label in sample_findings.most_frequent(made.labels, 5):
        share = 100 * np.mean(made.labels == label)
        assert f" {share:.1f} [" in table.splitlines()[4]
        assert made.attractors.name(label) in table.splitlines()[5]


def test_a_study_of_larger_networks_has_no_table_of_minima(tmp_path):
    settings = small(tmp_path, hidden=(5,))
    assert study_minima.minima_table(None, Study("xor"), basin_maps.pose(settings)) == ([], {})


def test_shards_fill_one_store_with_the_same_bits(store, tmp_path):
    _, (whole, _) = store
    shared = replace(whole, out=tmp_path / "shared")
    basin_maps.run(replace(shared, shard="1/2"))
    assert results.finished(tmp_path / "shared") == {1, 3}
    basin_maps.run(replace(shared, shard="0/2"))
    before = arrays_of(default_out(whole))
    for name, values in arrays_of(tmp_path / "shared").items():
        np.testing.assert_array_equal(values, before[name])


def test_a_second_run_computes_nothing_and_other_settings_are_refused(store):
    settings, parts = store
    files = [f for f in default_out(settings).rglob("*") if f.is_file()]
    before = [f.stat().st_mtime_ns for f in files]
    for part in parts:
        basin_maps.run(part)
    with pytest.raises(ValueError, match=r"scale: the store has 1\.0, you ask for 2\.0"):
        basin_maps.run(replace(settings, scale=2.0))
    assert before == [f.stat().st_mtime_ns for f in files]


def test_some_pixels_once_more_start_at_the_same_bits_or_one_unit_up(store):
    _, (whole, longer) = store
    posed, (first, last) = basin_maps.pose(whole), (20, 40)
    assert isinstance(longer, Again)
    assert longer.steps == 2 * STEPS
    rows = map_variants.rows(longer, whole)
    assert len(rows) == len(set(rows.tolist())) == 1000
    everything = map_starts.starts(whole, posed, {"y": (0, 32), "x": (0, 32)})
    same = map_starts.starts(longer, posed, {"pixel": (first, last)})
    up = map_starts.starts(replace(longer, ulps=1), posed, {"pixel": (first, last)})
    for a, b, c in zip(everything, same, up, strict=True):
        for whole_leaf, leaf, moved in zip(a, b, c, strict=True):
            np.testing.assert_array_equal(whole_leaf[rows[first:last]], leaf)
            np.testing.assert_array_equal(moved, np.nextafter(leaf, np.inf))


def test_the_report_adds_up_and_has_its_pictures(store):
    settings, parts = store
    report = basin_findings.conclude(settings, parts).report
    folder, text, files = report.path, report.text, report.files
    assert folder == default_out(settings)
    assert "plane of 32 x 32 initial weights, -3:3,-2:4: x is w1[0,1], y is b2[0]" in text
    *table, absent = text[text.index("starts lead to") :].split("\n\n")[0].splitlines()[2:]
    none = re.fullmatch(
        r"no start here leads to (\d), (\d): images of these by the symmetries of the data, "
        "or found from other starts",
        absent,
    )
    assert none is not None
    there = {line.split(":")[0].split()[-1] for line in table if line.startswith("minimum")}
    assert not there & set(none.groups())
    shares = [float(line[50:].split("%")[0]) for line in table]
    assert sum(shares) == pytest.approx(100, abs=0.005 * len(shares))
    assert "2 / step size is 10: 0 of 1024 ends are sharper" in text
    assert "trained for 120 steps" in text
    (made,) = basin_labels.labelled(parts[:1], basin_maps.pose(settings))
    levels = np.append(made.attractors.losses, np.nan)[np.maximum(made.labels, -1)]
    near = 100 * np.mean((made.runs["final_loss"] - levels <= settings.level)[made.labels >= 0])
    assert f"{near:.3g} % of the " in text
    assert f"that lead to an attractor ended within {settings.level:g} of its loss" in text
    assert {file.name for file in files} == {
        f"{name}.{kind}" for name in ("basins", "steps", "loss") for kind in ("svg", "png")
    }


def test_a_zoom_is_a_map_of_its_window_in_float64_that_is_kept(store):
    settings, (whole, _) = store
    asked = replace(settings, zoom="0.5:1,-1:0.5")
    parts = map_variants.variants(asked)
    for part in parts:
        basin_maps.run(part)
    assert parts[0].out == default_out(whole) / "zooms" / "0.5_1,-1_0.5"
    dataset = results.load(default_out(parts[0]))
    np.testing.assert_allclose(dataset.x, 0.5 + 0.5 * (np.arange(32) + 0.5) / 32, rtol=1e-15)
    assert dataset.end.dtype == np.float64
    text = basin_findings.conclude(asked, parts).report.text
    assert "magnified 12 x 4 times" in text
    assert "of 1000 starts change their label: so much of what is seen is rounding" in text
    marks = list(default_out(parts[0]).joinpath("done").iterdir())
    before = [mark.stat().st_mtime_ns for mark in marks]
    basin_maps.run(parts[0])
    assert len(marks) == 4
    assert before == [mark.stat().st_mtime_ns for mark in marks]


def test_where_float64_ends_is_counted_in_units_in_the_last_place(store):
    _, (whole, _) = store
    posed = basin_maps.pose(whole)
    plane = map_starts.cut(whole, posed)
    # x from 1 to 1 + 2^-42 in 16 pixels: 2^-46 apart, and a unit from 1 to 2 is 2^-52
    window = ((1.0, 1.0 + 2.0**-42), (1.0, 1.0 + 2.0**-40))
    assert map_windows.ulps_between(plane, window, 16) == 2.0**6
    # of a weight near 8, a unit is 2^-49
    window = ((8.0, 8.0 + 2.0**-42), (1.0, 1.0 + 2.0**-40))
    assert map_windows.ulps_between(plane, window, 16) == 2.0**3


def test_directions_through_a_network_are_orthonormal_and_drawn_by_the_seed(tmp_path):
    settings = small(tmp_path, parameters=())
    posed = basin_maps.pose(settings)
    plane = map_starts.cut(settings, posed)
    rows = np.stack([
        np.concatenate([np.ravel(leaf) for layer in tree for leaf in layer])
        for tree in plane.directions
    ])  # fmt: skip
    np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-14)
    line = small(tmp_path, parameters=(), over="line", window="0:1")
    (along,) = map_starts.cut(line, basin_maps.pose(line)).directions
    np.testing.assert_array_equal(along[0].weights, plane.directions[0][0].weights)


def test_a_sample_has_the_same_unit_draws_in_every_cell(tmp_path):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = small(
        tmp_path, **sample, members=7, scales=(0.5, 2.0), step_sizes=(0.1, 0.2), chunk=4
    )
    assert map_starts.shape(settings) == {"scheme": 1, "scale": 2, "step_size": 2, "member": 7}
    assert len(basin_maps.regions(settings)) == 8
    posed, region = basin_maps.pose(settings), basin_maps.regions(settings)
    draws = [map_starts.starts(settings, posed, where)[0].weights for where in region]
    assert [len(draw) for draw in draws] == [4, 3] * 4
    np.testing.assert_array_equal(draws[0], draws[2])  # another step size
    np.testing.assert_array_equal(4 * draws[1], draws[5])  # another scale
    longer = map_variants.longer(replace(settings, members=600))
    assert (longer.members, longer.steps) == (250, 2 * STEPS)
    rows = map_variants.rows(longer, replace(settings, members=600))
    assert rows.tolist() == [*range(250), *range(600, 850), *range(1200, 1450), *range(1800, 2050)]


def test_the_table_of_a_sample_has_shares_and_paired_differences(tmp_path):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = small(tmp_path, **sample, members=100, scales=(0.5, 2.0))
    first = np.repeat([0, 1, Nowhere.unfinished], [60, 30, 10])
    second = np.repeat([0, 1], [50, 50])
    attractors = basin_labels.Attractors(
        ["minimum"] * 2, np.array([0.1, 0.2]), np.array([1.0, 0.5]), np.array([0, 1])
    )
    made = basin_labels.Labelled(np.concatenate([first, second]), attractors, {})
    lines = sample_findings.sample_tables(settings, made).lines
    assert lines[2].split()[:3] == ["normal", "0.5", f"{settings.step_size:g}"]
    # Wilson's intervals: the lower end of 60 of 100, the upper of 70, as 10 are unfinished
    assert "60.0 [50.2, 78.1]" in lines[2]
    assert lines[2].split()[-2:] == ["0.0", "10.0"]
    (scale,) = (k for k, line in enumerate(lines) if line.startswith("differences from scale 0.5"))
    assert "-10.0 [" in lines[scale + 2]
    assert "+20.0 [" in lines[scale + 2]
    assert attractors.name(1) == "minimum 1: loss 0.2, 50% right"
    assert attractors.name(-3) == "diverged"


def test_another_dynamics_has_as_much_time(tmp_path):
    settings = small(tmp_path, step_size=0.5)
    other = map_variants.by_another(settings, "0.1")
    assert (other.step_size, other.steps) == (0.1, 5 * STEPS)
    flow = map_variants.by_another(settings, "flow")
    assert flow.out == tmp_path / "against" / "flow"
    for rule, factor in (("sgd", 1.0), ("momentum", 10.0)):
        moves: Any = basin_maps.dynamics_of(replace(flow, rule=rule), basin_maps.pose(flow), {})
        assert moves.time == factor * 0.5 * STEPS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": "1:1,0:2"}, "--window is 1:1,0:2, and 1:1 has zero area: give the lower"),
        ({"window": "0:1"}, "--window is 0:1: give x0:x1,y0:y1, finite numbers"),
        ({"window": "0:1,a:b"}, "--window is 0:1,a:b: give x0:x1,y0:y1"),
        ({"window": "0:inf,0:1"}, "finite numbers"),
        ({"parameters": ("w1[0,0]", "0")}, "one parameter twice spans a plane of zero area"),
        ({"parameters": ("w1[0,0]",)}, "--parameters names 1: a plane has 2"),
        ({"parameters": ("w1[0,0]", "w1[0,9]")}, "unknown parameter 'w1.0,9.'.*did you mean"),
        ({"parameters": ("0", "5")}, "--parameters 5: the network has 5, 0 to 4"),
        ({"zoom": "2:4,0:1"}, "--zoom is 2:4,0:1, outside the map's window -3:3,-2:4"),
        ({"zoom": "1:2,0:1"}, "no map there to zoom into"),
        ({"zoom": "1:2,0:1", "against": "flow"}, "--zoom and --against both"),
        ({"against": "adam"}, "--against is adam: give flow, or a step size above 0"),
        ({"against": "0.5"}, "--against 0.5: that is the map's own step size"),
        ({"against": "flow", "dynamics": "flow"}, "the map is the flow's already"),
        ({"members": 5}, "--members does nothing with --over plane"),
        ({"scales": (1.0,)}, "--scales does nothing with --over plane"),
        ({"over": "sample"}, "--scheme does nothing with --over sample"),
        ({"dynamics": "flow", "steps": 0, "batch_size": 2, "epochs": 3}, "loss on all cases"),
        ({"points": 1}, "--points is 1: give at least 2"),
        ({"scale": -1.0}, "--scale is -1.0"),
        ({"hidden": (200,), "labels": "attractors", "parameters": ()}, "up to 500; give --labels"),
        ({"data": "iri"}, "did you mean 'iris'"),
        ({"scheme": "norma"}, "did you mean 'normal'"),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_is_refused(changes, message, tmp_path):
    settings = replace(small(tmp_path / "none", step_size=0.5), **changes)
    with pytest.raises(ValueError, match=message):
        map_variants.variants(settings)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (0,)}, "--widths is"),
        ({"hidden": (), "widths": (2,)}, "--hidden names none"),
        ({"step_sizes": (0.1, 0.1)}, "name each once"),
        ({"step_sizes": (0.1, -0.1)}, "--step-sizes is 0.1 -0.1"),
        ({"scheme": "normal"}, "--scheme does nothing with --over sample"),
        ({"against": "0.3", "step_sizes": (0.1, 0.2)}, "the sample has several"),
    ],
)
def test_a_sample_that_means_nothing_is_refused(changes, message, tmp_path):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = replace(small(tmp_path / "none", **sample), **changes)
    with pytest.raises(ValueError, match=message):
        [map_variants.variants(width) for width in map_variants.by_width(settings)]


def test_widths_are_stores_of_their_own(tmp_path):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = small(tmp_path, **sample, widths=(1, 3))
    made = map_variants.by_width(settings)
    assert [one.hidden for one in made] == [(1,), (3,)]
    assert [one.out for one in made] == [tmp_path / "hidden-1", tmp_path / "hidden-3"]


def test_widths_are_compared_by_how_often_they_reach_the_level(tmp_path, monkeypatch):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = small(tmp_path, **sample, widths=(1, 3), members=4, scales=(0.5, 2.0), level=0.1)
    made = map_variants.by_width(settings)
    losses = {1: [0.01, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], 3: [0.01, 0.1, 0.2, 0.01] * 2}

    def loaded(path):
        outcome = np.full(8, Outcome.unfinished)
        outcome[3] = Outcome.diverged  # its last finite loss does not count
        loss = np.array(losses[int(path.name.split("-")[1])])
        return xarray.Dataset({"final_loss": ("m", loss), "outcome": ("m", outcome)})

    monkeypatch.setattr(width_findings.results, "load", loaded)
    report = width_findings.width_report(made, tmp_path)
    folder, text, files = report.path, report.text, report.files
    assert folder == tmp_path
    assert text.splitlines()[1].split() == ["1", "3"]
    assert [line.count("25.00 %") for line in text.splitlines()[2:]] == [1, 0]
    assert [line.count("50.00 %") for line in text.splitlines()[2:]] == [1, 0]
    assert [line.count("75.00 %") for line in text.splitlines()[2:]] == [0, 1]
    assert {file.name for file in files} == {"level-against-width.svg", "level-against-width.png"}


def test_what_is_drawn_or_compared_is_no_part_of_the_manifest(tmp_path):
    settings = small(tmp_path)
    assert as_json(settings) == as_json(replace(settings, zoom="0:1,0:1", against="flow"))
    assert as_json(settings) != as_json(replace(settings, window="0:1,0:1"))


@pytest.fixture(scope="module")
def measured(store):
    """The sensitivity of the same map, from few pixels."""
    settings, _ = store
    asked = Sensitivity(**{**vars(settings), "lyapunov": 6, "changes": 1})
    whole, parts = border_measures.parts(asked)
    for kind, part in parts.items():
        border_measures.measure(part, kind)
    return whole, parts


def test_sensitivity_is_of_the_map_that_is_there(store, measured):
    _, (plain, _) = store
    assert measured[0] == plain
    report = border_findings.conclude(*measured)
    folder, text, files = report.path, report.text, report.files
    assert folder == default_out(plain) / "sensitivity"
    for part in ("basin entropy", "dimension of the borders by boxes", "uncertainty exponent",
                 "of as many straight borders", "share", "Lyapunov exponent over 60",
                 "smallest change found that leads elsewhere, from 1 pixels",
                 "one unit in the last place up: so much is rounding"):  # fmt: skip
        assert part in text
    assert {file.name for file in files} == {"borders.svg", "borders.png"}


def test_exponents_lie_between_the_singular_values_of_descent_by_hand(measured):
    whole, parts = measured
    dataset, posed = results.load(default_out(parts["lyapunov"])), basin_maps.pose(whole)
    inputs, targets = (np.asarray(part, float) for part in posed.train)
    begun = map_starts.starts(parts["lyapunov"], posed, {"pixel": (0, 6)})
    for start, exponent in zip(endings.flat(begun), dataset.exponent.values, strict=True):

        def end(point):
            for _ in range(STEPS):
                step = loss_and_gradient(point, inputs, targets[:, 0], whole.l2)[1]
                point = point - (whole.step_size or 0) * step
            return point

        columns = [(end(start + 1e-6 * e) - end(start - 1e-6 * e)) / 2e-6 for e in np.eye(5)]
        values = np.linalg.svd(np.stack(columns), compute_uv=False)
        # difference quotients have an error of about 1e-9 of the largest
        assert values[-1] * (1 - 1e-3) - 1e-8 <= np.exp(STEPS * exponent) <= values[0] * (1 + 1e-6)


def test_the_smallest_change_leads_elsewhere(measured):
    whole, parts = measured
    dataset, posed = results.load(default_out(parts["changes"])), basin_maps.pose(whole)
    begun = map_starts.starts(parts["changes"], posed, {"pixel": (0, 1)})
    start, changed = endings.flat(begun)[0], dataset.changed.values[0]
    np.testing.assert_allclose(np.linalg.norm(changed - start), dataset.distance[0], rtol=1e-9)
    with jax.enable_x64(True):
        both = endings.unflat(np.stack([start, changed]), map_starts.like(posed))
        moves = basin_maps.dynamics_of(whole, posed, {})
        made = basins.find(in_float64(posed.loss_fn), both, moves)
    assert made.labels[0] != made.labels[1]
    np.testing.assert_allclose(made.levels, [dataset.start_level[0], dataset.level[0]], rtol=1e-9)
    assert 0 < float(dataset.precision[0]) <= 1e-3


@pytest.mark.slow
def test_labels_keep_their_numbers_from_call_to_call(store):
    _, (whole, _) = store
    posed = basin_maps.pose(whole)
    with jax.enable_x64(True):
        begun = map_starts.starts(whole, posed, {"y": (0, 32), "x": (0, 32)})
        labels_of = border_measures.LabelsOf(
            in_float64(posed.loss_fn), basin_maps.dynamics_of(whole, posed, {})
        )
        first, again = labels_of(at(begun, slice(512, 1024))), labels_of(at(begun, slice(0, 768)))
    np.testing.assert_array_equal(first[:256], again[512:])
    (made,) = basin_labels.labelled([whole], posed)
    pairs = set(zip(again.tolist(), made.labels[:768].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 8}, "--points is 8: borders are measured on at least 16"),
        ({"against": "flow"}, "--against is of jaxnn basins"),
        ({"over": "sample"}, "--over sample has no borders: give plane or line"),
    ],
)
def test_what_has_no_borders_is_refused(changes, message, tmp_path):
    asked = Sensitivity(**{**vars(small(tmp_path / "none")), **changes})
    with pytest.raises(ValueError, match=message):
        border_measures.parts(asked)
    assert not (tmp_path / "none").exists()


def test_what_a_map_cannot_tell_is_said_in_text_and_findings(measured, monkeypatch):
    """A strip one pixel wide: a line to boxes, noise to pairs."""
    nothing: Any = None
    strip = np.zeros((32, 32), int)
    strip[:, 9] = 1
    one, some = (
        basin_labels.Labelled(part, nothing, {}) for part in (strip.ravel(), np.zeros(1000, int))
    )
    monkeypatch.setattr(border_findings, "labelled", lambda *_: [one, some])
    report = border_findings.conclude(*measured)
    assert report.text.count("cannot tell: by boxes") == 3
    said = json.loads(report.as_json("sensitivity"))["findings"]
    assert said["fractal_test"]["verdict"] == "cannot tell"
    for name in ("dimension_by_boxes", "dimension_by_pairs", "fractal_test"):
        assert said[name]["doubt"].startswith("cannot tell: by boxes")
    assert (said["dimension_by_boxes"]["low"], said["dimension_by_boxes"]["high"]) == (1, 2)


def test_a_map_of_one_label_has_no_dimension(measured, monkeypatch):
    nothing: Any = None
    one, some = (basin_labels.Labelled(np.zeros(n, int), nothing, {}) for n in (1024, 1000))
    monkeypatch.setattr(border_findings, "labelled", lambda *_: [one, some])
    with pytest.raises(ValueError, match=r"the map has 1 labels, \[0\]: a dimension needs"):
        border_findings.conclude(*measured)


@pytest.mark.slow
@pytest.mark.parametrize("against", ["flow", "0.05"])
def test_a_small_step_size_and_the_flow_change_little(against, tmp_path):
    settings = small(tmp_path / "s", step_size=0.1, steps=400, points=12, chunk=48, against=against)
    parts = map_variants.variants(settings)
    for part in parts:
        basin_maps.run(part)
    report = basin_findings.conclude(settings, parts).report
    text, files = report.text, report.files
    share = float(text.split(" % [")[0].split()[-1])
    assert share < 10
    assert {file.name for file in files} == {"change.svg", "change.png"}


@pytest.mark.slow
def test_a_wide_network_is_told_apart_by_its_predictions(tmp_path):
    sample = {"over": "sample", "points": None, "window": None, "parameters": ()}
    settings = small(
        tmp_path / "w", **sample, hidden=(20,), members=6, scales=(0.1, 1.0), step_size=0.01
    )
    parts = map_variants.variants(settings)
    for part in parts:
        basin_maps.run(part)
    assert "found_loss" not in results.load(default_out(parts[0]))
    text = basin_findings.conclude(settings, parts).report.text
    assert "predictions 0: loss" in text
    assert "labels: ends that classify all training cases alike are one" in text


@pytest.mark.slow
def test_a_line_has_one_row_and_its_strip(tmp_path):
    settings = small(tmp_path / "l", over="line", window="-3:3", parameters=("w1[0,1]",), points=20)
    parts = map_variants.variants(settings)
    for part in parts:
        basin_maps.run(part)
    assert dict(results.load(default_out(parts[0])).sizes) == {"x": 20, "parameter": 5}
    report = basin_findings.conclude(settings, parts).report
    text, files = report.text, report.files
    assert "line of 20 initial weights, -3:3: x is w1[0,1]" in text
    assert {file.name for file in files} == {"basins.svg", "basins.png"}
