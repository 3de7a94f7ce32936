"""Results as HTML: it parses, it holds their numbers, and nothing in it is taken for markup."""

import dataclasses
import importlib
import inspect
from html.parser import HTMLParser
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_architecture import HOUSE

import jaxnn
from jaxnn import data, intervals, summaries
from jaxnn.landscape import basins, censuses, polishing, spectra, traces
from jaxnn.landscape.labels import Nowhere
from jaxnn.runs import Run
from jaxnn.stopping import Outcome

# what is a step of some other result, an option, or held by a caller for a moment only
INNER = {
    "Placed", "Lanes", "State", "Own", "Common", "Shared", "Tridiagonal", "Activation", "Scheme",
    "Layer", "Batch", "Table", "Variable", "GradientBelow", "LossBelow",
    "AllCorrect", "FullBatch", "Minibatches", "GradientFlow", "Effort", "Columns", "DataSymmetry",
    "Order", "Pairs", "Walk", "Seen", "Gauge", "Moments", "Search", "Local", "Euclidean", "Outside",
    "Tried", "Rows", "Column", "Kind", "PowerLaw", "Counted",
}  # fmt: skip


class Cells(HTMLParser):
    """The texts of all table cells, row by row, of HTML whose tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.text, self.tags = [], [], "", set()

    def handle_starttag(self, tag, attrs):
        del attrs
        self.open.append(tag)
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def parsed(html):
    """The cells of this HTML."""
    cells = Cells()
    cells.feed(html)
    cells.close()
    assert cells.open == []
    return cells


def shown(result):
    """The rows of a result's table: name -> the other cells."""
    return {row[0]: row[1:] for row in parsed(result._repr_html_()).rows}


def test_every_result_has_a_summary():
    for name in HOUSE[: HOUSE.index("results.manifests")]:
        module = importlib.import_module(f"jaxnn.{name}")
        for kind in vars(module).values():
            ours = inspect.isclass(kind) and kind.__module__ == module.__name__
            fields = ours and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))
            if fields and not kind.__name__.startswith("_"):
                assert hasattr(kind, "_repr_html_") != (kind.__name__ in INNER), kind


def test_a_share_shows_its_three_numbers():
    rows = shown(intervals.wilson(3, 10))
    assert rows == {"share": ["0.3"], "low": ["0.107791"], "high": ["0.603222"]}


def a_run(members=()):
    """A run as training gives it, of one network or of many."""
    full, run = np.full, cast(Any, Run)
    return run(
        params={"w": np.ones((*members, 3)), "b": np.ones((*members, 1))},
        losses=full((*members, 5), 0.25),
        loss=full(members, 0.125),
        steps=full(members, 40),
        outcome=full(members, int(Outcome.plateau)),
        gradient_norm=full(members, 2.0**-10),
    )


def test_a_run_shows_its_loss_and_its_outcome_by_name():
    rows = shown(a_run())
    assert rows["params"] == ["2 arrays, 4 numbers: float64, 1; float64, 3"]
    assert rows["losses"] == ["0.25, 0.25, 0.25, 0.25, 0.25"]
    assert (rows["loss"], rows["steps"], rows["outcome"]) == (["0.125"], ["40"], ["plateau"])
    assert rows["gradient_norm"] == ["0.000976562"]


def test_an_ensemble_counts_its_outcomes_and_shows_its_two_ends():
    run = a_run((1000,))
    outcome = np.where(np.arange(1000) < 600, Outcome.converged, Outcome.diverged)
    loss = np.where(np.arange(1000) == 999, np.nan, np.linspace(1, 2, 1000))
    run = dataclasses.replace(run, outcome=outcome, loss=loss)
    html = run._repr_html_()
    rows = shown(run)
    assert rows["outcome"] == ["converged 600, diverged 400"]
    assert rows["loss"] == ["float64, 1000: 1 to 1.999, median 1.4995, 1 not finite"]
    assert rows["0"] == ["1", "40", "converged", "0.000976562"]
    assert rows["999"] == ["nan", "40", "diverged", "0.000976562"]
    assert rows["..."] == ["..."] * 4
    assert "500" not in rows
    assert len(html) < 10_000


def test_columns_of_one_length_stand_side_by_side():
    labels = np.array([0, 0, 1, Nowhere.diverged])
    rows = shown(basins.probabilities(labels))
    assert rows[""] == ["labels", "counts", "share", "low", "high"]
    assert rows["0"] == ["diverged", "1", "0.25", "0.0455873", "0.699358"]
    assert rows["1"][:3] == ["0", "2", "0.5"]
    made = cast(Any, spectra.Eigenpairs)
    converged = np.array([True, False])
    pairs = made(
        np.array([2.5, -1]), {"x": np.ones((2, 3))}, np.array([1e-9, 0]), converged, np.int32(7)
    )
    rows = shown(pairs)
    assert rows["0"] == ["2.5", "1e-09", "True"]
    assert rows["products"] == ["7"]


def a_census():
    """Two classes of a landscape of one coordinate: a minimum and a maximum."""
    ones = np.ones(2, int)
    return censuses.Census(
        points={"x": np.array([-1.0, 0.0])}, losses=np.array([0.5, 1.0]), index=np.array([0, 1]),
        zero=0 * ones, nulls=np.zeros((2, 3), int), ending=0 * ones, orbit_size=1.0 * ones,
        hits=np.array([6, 4]), accuracy=np.nan * ones, families=np.array([0, 1]),
        eigenvalues=np.array([[8.0], [-4.0]]), labels=np.array([0] * 6 + [1] * 4),
        endings=np.array([10, 0, 0, 0, 0]), spread=0.0, gap=1.0, tolerance=1e-6, grows=True,
        converted=False,
    )  # fmt: skip


def test_a_census_shows_a_row_a_class_with_its_kind():
    rows = shown(a_census())
    kinds = dict(zip(rows[""], zip(rows["0"], rows["1"], strict=True), strict=True))
    assert kinds["kinds"] == ("minimum", "maximum")
    assert kinds["hits"] == ("6", "4")
    assert kinds["ending"] == ("stationary", "stationary")
    assert rows["morse_sum"] == ["0"]
    assert rows["missing"][0].startswith("share 0, low 0, high ")


def test_the_check_of_a_gradient_shows_each_pair_of_ways():
    params = [(np.ones((1, 2), np.float32), np.zeros(1, np.float32))]
    rows = shown(jaxnn.check_gradients(params, data.xor()))
    assert rows["0"][2] == "reverse sweep = by cases"
    assert len([name for name in rows if name.isdigit()]) == 6
    assert float(rows["exact"][0]) < 1e-5


def test_text_in_a_result_is_never_markup():
    named = "<script>alert('&')</script>"
    batch = data.xor()
    source = data.Dataset(named, batch, None, (named, "b"), (named,), True, named)
    cells = parsed(source._repr_html_())
    assert "script" not in cells.tags
    assert ["name", named] in cells.rows
    assert ["features", f"{named}, b"] in cells.rows
    assert "<script" not in summaries.titled(named, named)
    assert "<script" not in summaries.table([named], [[named]])


def test_a_printed_table_is_shown_as_it_is_printed():
    class Printed:
        """A <b> table."""

        def __str__(self):
            return "a < b\n1   2"

    cells = parsed(summaries.as_printed(Printed()))
    assert cells.tags == {"div", "strong", "small", "pre"}
    assert "a < b\n1   2" in cells.text


@pytest.mark.parametrize("transform", [jax.make_jaxpr, jax.eval_shape])
def test_what_is_traced_is_shown_by_its_shape(transform):
    seen = []

    def trained(run):
        seen.append(shown(run))
        return run

    run = jax.tree.map(jnp.float32, a_run((7,)))
    given = transform(trained, run) if transform is jax.eval_shape else transform(trained)(run)
    assert seen[0]["loss"] == ["float32, 7"]
    assert seen[0]["params"] == ["2 arrays, 28 numbers: float32, 7 x 1; float32, 7 x 3"]
    if transform is jax.eval_shape:
        assert shown(given)["losses"] == ["float32, 7 x 5"]


def test_a_traced_census_is_shown_without_what_follows_from_its_numbers():
    rows = []
    jax.make_jaxpr(lambda c: rows.append(shown(c)))(a_census())
    assert "kinds" not in rows[0]
    assert rows[0]["hits"] == ["int32, 2"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        (3, "3"),
        (True, "True"),
        (1 / 3, "0.333333"),
        (np.array([]), "empty"),
        (np.array([True] * 3 + [False] * 7), "bool, 10: 3 of 10 True"),
        (np.full(9, np.inf), "float64, 9, 9 not finite"),
        (("a",) * 12, ", ".join("a" * 10) + " and 2 more"),
        (Outcome.diverged, "diverged"),
        ({"x": 1, "y": ()}, "{'x': 1, 'y': ()}"),
        (traces.Trace(jnp.float32(2), jnp.float32(0), 4), "value 2, standard_error 0, products 4"),
        (jax.random.key(0), "key<fry>"),
    ],
)
def test_a_value_is_said_in_a_line(value, words):
    assert summaries.said(value) == words


def test_codes_without_a_name_stay_numbers():
    assert summaries.said(np.array([0, 3, 3, 9]), polishing.Ending) == "stationary 1, " + (
        f"{polishing.Ending(3).name} 2, 9 1"
    )
