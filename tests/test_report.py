"""The page: its mathematics is Python's, it shows what the store holds, nothing else gets in."""

import base64
import dataclasses
import html.parser
import json
import re
import shlex
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import oracles
import pytest
import reports

import jaxnn
from jaxnn import plots
from jaxnn.cli.parsing import parse
from jaxnn.data import Dataset
from jaxnn.intervals import wilson
from jaxnn.report import commands, page
from jaxnn.report.of_map import map_contents
from jaxnn.report.of_study import study_contents
from jaxnn.studies import basin_maps, endings, findings, problem
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import starts
from jaxnn.studies.settings import Study, as_json
from jaxnn.vocabulary import Batch, Layer


@pytest.fixture(scope="module")
def study():
    settings, posed, dataset = reports.study_as_if(reports.SMALL)
    return settings, posed, dataset, study_contents(dataset, settings, posed)


def contents_as_if(asked, **other):
    settings, posed, dataset = reports.study_as_if(asked, **other)
    return study_contents(dataset, settings, posed)


def unpacked(part) -> Any:
    array = np.frombuffer(base64.b64decode(part["data"]), part["dtype"])
    return array.reshape(part["shape"])


# the mathematics in JavaScript

NETWORKS = [
    ((3, 4, 2), ("sigmoid", "tanh"), (True, True), 0.0),
    ((2, 3, 3, 1), ("relu", "erf", "identity"), (False, True, False), 0.01),
    ((1, 2), ("erf",), (True,), 0.3),
]


def drawn(sizes, biases, seed, scale=2.0) -> Any:
    rng = np.random.default_rng(seed)
    layers: list[Any] = []
    for inputs, units, biased in zip(sizes, sizes[1:], biases, strict=False):
        weights: Any = scale * rng.normal(size=(units, inputs))
        layers.append(Layer(weights, scale * rng.normal(size=units) if biased else None))
    cases: Any = rng.normal(size=(7, sizes[0])), rng.uniform(size=(7, sizes[-1]))
    return tuple(layers), Batch(*cases)


def flat(params):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])


def given_to_node(sizes, activation, biases, l2, params, batch):
    return {
        "network": {"sizes": sizes, "activation": activation, "biases": biases, "l2": l2},
        "params": flat(params).tolist(),
        "inputs": np.ravel(batch.inputs).tolist(),
        "targets": np.ravel(batch.targets).tolist(),
        "count": len(batch.inputs),
    }


READ = """
const numbers = (list) => Float64Array.from(list);
const casesOf = (g) => ({ count: g.count, inputs: numbers(g.inputs), targets: numbers(g.targets) });
"""


def by_package(params, batch, activation, l2):
    def both(params, batch):
        return (
            jaxnn.loss(params, batch, activation=activation, l2=l2),
            jaxnn.backprop(params, batch, activation=activation, l2=l2),
        )

    with jax.enable_x64(True):
        loss, gradient = jax.jit(both)(*jax.tree.map(jnp.asarray, (params, batch)))
        return float(loss), flat(gradient)


def test_loss_and_gradient_in_the_page_are_those_of_the_package_and_of_loops():
    networks: list[Any] = [
        (*network, *drawn(network[0], network[2], k)) for k, network in enumerate(NETWORKS)
    ]
    code = (
        READ
        + """
    const made = given.map((g) => {
      const network = networkOf(g.network), gradient = new Float64Array(network.count);
      const params = numbers(g.params), cases = casesOf(g);
      const both = lossAndGradient(network, params, cases, gradient);
      return [loss(network, params, cases), both, Array.from(gradient)];
    });"""
    )
    made = reports.by_node(["network"], code, [given_to_node(*network) for network in networks])
    for (_, activation, _, l2, params, batch), got in zip(networks, made, strict=True):
        lists = oracles.as_lists(params), [np.asarray(part).tolist() for part in batch]
        np.testing.assert_allclose(got[:2], oracles.loss(*lists, activation, l2), rtol=1e-12)
        gradient = oracles.gradient(*lists, activation, l2)
        np.testing.assert_allclose(got[2], gradient, rtol=1e-10, atol=1e-13)
    _, activation, _, l2, params, batch = networks[1]
    loss, gradient = by_package(params, batch, activation, l2)
    np.testing.assert_allclose(made[1][0], loss, rtol=1e-12)
    np.testing.assert_allclose(made[1][2], gradient, rtol=1e-10, atol=1e-13)


def test_the_activations_keep_their_digits_in_the_tails():
    at = [-700.0, -100.0, -20.0, -3.2, -3.0, -2.9, -0.4, 0.0, 1e-9, 2.5, 6.1, 40.0, 100.0]
    code = """
    const made = given.map((u) => Object.values(ACTIVATIONS).map((write) => {
      const [values, slopes] = [[0], [0]];
      write(u, 0, values, slopes);
      return [values[0], slopes[0]];
    }));"""
    made = np.array(reports.by_node(["network"], code, at))
    for k, name in enumerate(("sigmoid", "tanh", "relu", "erf", "identity")):
        value = [reports.exactly(name, u)[0] for u in at]
        slope = [reports.exactly(name, u)[1] for u in at]
        np.testing.assert_allclose(made[:, k, 0], value, rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(made[:, k, 1], slope, rtol=1e-12, atol=1e-300)


def test_training_in_the_page_is_descent_and_its_records_are_of_its_path():
    sizes, activation, biases, l2 = NETWORKS[0]
    params, batch = drawn(sizes, biases, 3)
    code = (
        READ
        + """
    const g = given, run = begin(networkOf(g.network), casesOf(g), numbers(g.params));
    advance(run, 700, 0.5);
    record(run);
    const far = begin(networkOf(g.network), casesOf(g), numbers(g.params).map(() => 1e200));
    advance(far, 5, 1);
    const made = [Array.from(run.params), run.at, run.losses, run.path.map((p) => Array.from(p)),
      far.diverged, far.params.every(Number.isFinite)];"""
    )
    given = given_to_node(sizes, activation, biases, l2, params, batch)
    given["network"]["activation"] = ["sigmoid", "identity"]
    end, at, losses, path, diverged, finite = reports.by_node(["network", "training"], code, given)
    activation = ("sigmoid", "identity")
    losses_here, points = reports.descended(params, batch, activation, 0.5, 700)
    np.testing.assert_allclose(end, points[-1], rtol=1e-9)
    np.testing.assert_allclose(losses, losses_here[at], rtol=1e-9)
    np.testing.assert_allclose(path, points[at], rtol=1e-9)
    assert at[:9] == list(range(9))
    assert at[-1] == 700
    assert 40 < len(at) < 250
    assert diverged
    assert finite


def test_spectrum_and_principal_plane_are_numpys():
    rng = np.random.default_rng(5)
    square = rng.normal(size=(12, 12))
    matrix = square + square.T
    points = rng.normal(size=(9, 12)) * np.geomspace(3, 0.01, 12)
    code = """
    const rows = given.matrix.map((row) => Float64Array.from(row));
    const ascent = (p) => Float64Array.from(rows, (row) => dot(row, p));
    const plane = principalPlane(given.points.map((p) => Float64Array.from(p)));
    const line = principalPlane([[0, 0], [1, 1], [2, 2]].map((p) => Float64Array.from(p)));
    const made = { values: eigen(hessian(ascent, new Float64Array(12))).values, off: plane.off,
      explained: plane.explained, coordinates: plane.coordinates,
      line: line.coordinates,
      still: principalPlane([[1, 2], [1, 2]].map((p) => Float64Array.from(p))) };
    """
    given = {"matrix": matrix.tolist(), "points": points.tolist()}
    made = reports.by_node(["numerics"], code, given)
    np.testing.assert_allclose(made["values"], np.linalg.eigvalsh(matrix), rtol=1e-8)
    ways = points - points[-1]
    u, s, vt = np.linalg.svd(ways, full_matrices=False)
    np.testing.assert_allclose(made["explained"], (s**2 / (s**2).sum())[:2], rtol=1e-10)
    np.testing.assert_allclose(np.abs(made["coordinates"]), np.abs((u * s)[:, :2]), atol=1e-9)
    off = np.linalg.norm(ways - ways @ vt[:2].T @ vt[:2], axis=1)
    np.testing.assert_allclose(made["off"], off, atol=1e-7)
    assert np.abs(np.array(made["line"])[:, 1]).max() < 1e-12
    assert made["still"] is None


def test_the_address_tells_the_view_again():
    code = """
    const model = { count: 16, names: ["w1[0,0]", "b1[0]"], hasStarts: true,
      network: { sizes: [3, 1], count: 2 }, facets: [{ name: "scheme", labels: ["a", "b"] }],
      values: [{ name: "final_loss" }],
      raw: { picture: { kind: "strips", within: "scheme", value: "final_loss" }, training: { step_size: 4 } } };
    const view = fromAddress("", model);
    Object.assign(view, { start: 7, x: "w1[0,0]", stepSize: 0.25, theme: "dark", features: [0, 2] });
    view.hidden.scheme.add(1);
    view.edits[1] = -1 / 3;
    const text = toAddress(view, model), again = fromAddress(text, model);
    const plain = toAddress(fromAddress("start=99&x=nothing&step-size=-1&initial=b9[0]:1&features=0.8", model), model);
    const own = { ...model, stepSizes: [1, 2, 3] };
    const made = [text, toAddress(again, model), again.edits[1], [...again.hidden.scheme], plain,
      fromAddress("start=2", own).stepSize, toAddress(fromAddress("start=2", own), own)];
    """  # noqa: E501
    text, again, edit, hidden, plain, step_size, own = reports.by_node(["address"], code, None)
    assert text == again
    assert "start=7" in text
    assert edit == -1 / 3
    assert hidden == [1]
    assert plain == ""
    assert (step_size, own) == (3, "start=2")


# what the page holds


def test_the_page_holds_what_the_store_does(study):
    settings, posed, dataset, made = study
    stored = dataset.stack(start=("scheme", "scale", "member"))
    assert unpacked(made["starts"]).shape == (16, 9)
    for k, when in (("starts", "initial"), ("ends", "final")):
        rows = unpacked(made[k])
        w, b = (stored[f"{when}_{kind}_1"].values for kind in ("weights", "biases"))
        np.testing.assert_array_equal(rows[:, 2], w[1, 0])
        np.testing.assert_array_equal(rows[:, 4:6], b.T)
    np.testing.assert_array_equal(unpacked(made["curves"]["losses"]), stored["losses"].values.T)
    facets = {part["name"]: part for part in made["facets"]}
    named = [facets["scheme"]["labels"][code] for code in unpacked(facets["scheme"]["codes"])]
    assert named == stored["scheme"].values.tolist()
    np.testing.assert_array_equal(unpacked(facets["outcome"]["codes"]), stored["outcome"])
    np.testing.assert_array_equal(unpacked(made["steps"]), stored["steps"])
    values = {part["name"]: unpacked(part["data"]) for part in made["values"]}
    np.testing.assert_array_equal(values["final_loss"], stored["final_loss"])
    shares = findings.shares(dataset, settings.level)
    assert made["table"]["rows"][3]["names"] == ["nielsen", "5"]
    np.testing.assert_array_equal(made["table"]["rows"][3]["share"], shares[1, 1])
    np.testing.assert_array_equal(unpacked(made["cases"]["inputs"]), posed.train.inputs)
    assert made["certificate"]["exact"] < 1e-12
    assert made["left_out"] == []


@pytest.mark.parametrize(
    "asked",
    [
        Study("iris"),
        Study("xor", scales=(0.5,), members=7, chunk=3, hidden=(3, 2), activation=("erf",), l2=0.1),
        Study("digits", batch_size=5, epochs=2, seed=3),
        Study("my data.csv", hidden=(), rule="adam"),
        Basins("xor_signed", parameters=("w1[0,0]", "w1[0,1]"), window="-5:5,-5:5", points=8),
        Basins("xor", over="sample", schemes=("normal",), scales=(1.0, 2.0), members=5),
    ],
)  # fmt: skip
def test_the_command_on_the_page_asks_for_the_same_study(asked):
    settings = problem.complete(asked)
    line = commands.command_line(settings)
    program, name, *words = shlex.split(line)
    again: Any = parse(name, words).settings
    assert program == "jaxnn"
    assert (line == "jaxnn study iris") == (asked == Study("iris"))
    assert as_json(problem.complete(again)) == as_json(settings)


def test_the_default_study_stays_below_8_megabytes():
    text = page.rendered(contents_as_if(Study("iris"), sizes=(4, 8, 3), cases=120))
    assert 4_000_000 < len(text.encode()) < 8_000_000


EVERYTHING = {"starts", "ends", "cases"}


@pytest.mark.parametrize(
    ("sizes", "cases", "members", "held", "said"),
    [
        ((2, 2, 1), 4, 5000, EVERYTHING, "of each scheme and scale the first"),
        ((64, 32, 10), 1437, 80, EVERYTHING, "of each scheme and scale the first"),
        ((784, 30, 10), 400, 8, {"starts"}, "the weights at the end"),
        ((784, 100, 10), 400, 8, set(), "the weights of its networks"),
    ],
)
def test_what_does_not_fit_is_left_out_and_said(sizes, cases, members, held, said):
    asked = Study("xor", members=members, schemes=("normal",), steps=60, record_every=1)
    made = contents_as_if(asked, sizes=sizes, cases=cases)
    assert {name for name in EVERYTHING if made[name]} == held
    assert any(said in line for line in made["left_out"])
    assert any("training cases" in line for line in made["left_out"]) == ("cases" not in held)
    assert made["table"]["trials"] == members
    assert len(page.rendered(made).encode()) < 8_000_000


LINE = Basins("xor", over="line", parameters=("b2[0]",), window="-3:3.5", points=50)


@pytest.mark.parametrize("asked", [LINE, Basins("xor", points=6, scale=2.0)])
def test_the_page_makes_the_starts_of_a_map_to_the_bit(asked):
    dataset, settings, made, posed = reports.map_as_if(asked, labels=9)
    contents = map_contents(dataset, settings, made, posed)
    code = """
    const model = modelOf(given), made = { names: nameOf(model, 3), facts: factsOf(model, 3),
      starts: [...Array(model.count).keys()].map((i) => Array.from(model.startOf(i))) };"""
    got = reports.by_node(["network", "contents"], code, contents)
    (region,) = basin_maps.regions(settings)
    np.testing.assert_array_equal(got["starts"], endings.flat(starts(settings, posed, region)))
    numbers = np.bincount(made.labels)
    labels = next(part for part in contents["facets"] if part["name"] == "leads to")
    frequent = np.argsort(-numbers, kind="stable")
    shown = [made.attractors.name(int(k)) for k in frequent if numbers[k]]
    assert labels["labels"][:7] == shown[:7]
    assert labels["labels"][7:] == ([f"others ({len(shown) - 7})"] if len(shown) > 7 else [])
    words: Any = np.array(labels["labels"])
    names = words[unpacked(labels["codes"])]
    assert names[made.labels == frequent[0]].tolist() == [shown[0]] * numbers[frequent[0]]
    row = contents["table"]["rows"][0]
    assert row["names"] == shown[:1]
    assert row["share"] == list(wilson(int(numbers[frequent[0]]), len(made.labels)))
    assert got["facts"][0] == ["leads to", names[3]]
    if settings.parameters:
        assert got["names"] == "initial b2[0] -2.545"  # the middle of the fourth of 50


def test_the_page_of_a_sample_has_the_starts_and_step_size_of_each_cell():
    asked = Basins("xor", over="sample", scales=(1.0, 2.0), step_sizes=(1.0, 4.0), members=3)
    dataset, settings, made, posed = reports.map_as_if(asked, labels=2)
    contents = map_contents(dataset, settings, made, posed)
    rows = unpacked(contents["starts"]).reshape(1, 2, 2, 3, 9)
    np.testing.assert_array_equal(rows[:, :, 0], rows[:, :, 1])
    np.testing.assert_array_equal(2 * rows[0, 0, 0], rows[0, 1, 0])
    assert (
        unpacked(contents["step_sizes"]).tolist() == [1.0] * 3 + [4.0] * 3 + [1.0] * 3 + [4.0] * 3
    )
    facets = {part["name"]: unpacked(part["codes"]).tolist() for part in contents["facets"]}
    assert facets["scale"] == [0] * 6 + [1] * 6
    assert facets["step_size"] == ([0] * 3 + [1] * 3) * 2
    cell = made.labels.reshape(4, 3)[2]
    mine = [row for row in contents["table"]["rows"] if row["names"][:3] == ["normal", "2", "1"]]
    assert [row["more"][0] for row in mine] == sorted(np.bincount(cell)[np.unique(cell)])[::-1]


# nothing else gets in


class Elements(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the text of the contents."""

    def __init__(self):
        super().__init__()
        self.found, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][1].get("id") == "contents":
            self.text += data


NASTY = "</script><img src=x onerror=alert(1)><!--&amp;\u2028"


def nasty_contents(study):
    settings, posed, dataset, _ = study
    source: Dataset = posed.source._replace(name=NASTY, features=(NASTY, "b"), classes=(NASTY,))
    return study_contents(dataset, settings, dataclasses.replace(posed, source=source))


def test_what_users_named_is_text(study):
    plain, nasty = Elements(), Elements()
    made = nasty_contents(study)
    plain.feed(page.rendered(study[3]))
    nasty.feed(page.rendered(made))
    assert [tag for tag, _ in nasty.found] == [tag for tag, _ in plain.found]
    assert json.loads(nasty.text) == json.loads(json.dumps(made))
    assert json.loads(nasty.text)["features"][0] == NASTY


def test_the_page_loads_nothing_and_runs_only_its_own_script(study):
    text = page.rendered(study[3])
    assert not re.search(
        r"(?:src|href)=\"(?!#)|url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket", text
    )
    places = set(re.findall(r"https?://[\w./]+", text))
    assert places == {"http://www.w3.org/2000/svg"}  # a name, which nothing loads
    policy = re.search(r"Content-Security-Policy\" content=\"([^\"]*)", text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    assert page.digest(scripts[0]) in policy[1]


def test_the_page_is_written_whole_into_the_store(study, tmp_path):
    file = page.write_page(tmp_path, study[3])
    assert file == tmp_path / "report.html"
    assert file.read_text(encoding="utf-8") == page.rendered(study[3])
    assert [f.name for f in tmp_path.iterdir()] == ["report.html"]


def test_attractors_have_the_colours_of_the_figure():
    dataset, settings, made, posed = reports.map_as_if(Basins("xor", points=8, steps=10), 12)
    rng = np.random.default_rng(0)
    labels = rng.choice([-1, *range(11)], len(made.labels), p=[0.1, 0.4, *[0.05] * 10])
    labels[:12] = range(-1, 11)
    made = dataclasses.replace(made, labels=labels)
    contents = map_contents(dataset, settings, made, posed)
    (leads,) = [part for part in contents["facets"] if part["name"] == "leads to"]
    wanted, codes = plots.label_colours(labels), unpacked(leads["codes"])
    assert [leads["colours"][code] for code in codes] == [wanted[label] for label in labels]
    assert leads["labels"][-1] == "others (2)"
