"""Where training stands and what lies below it are two things, in every table, legend and page;
what a study says of one cell, and of cells that succeed alike.
"""

import json

import numpy as np
import pytest
from made_stores import study_store
from reports import map_as_if

from jaxnn import plots, results
from jaxnn.intervals import wilson
from jaxnn.landscape.labels import IN_WORDS, Nowhere
from jaxnn.report.of_map import STANDS, map_contents
from jaxnn.stopping import Outcome
from jaxnn.studies import (
    basin_findings,
    basin_pictures,
    findings,
    initial_weights,
    problem,
    sample_findings,
    study_minima,
)
from jaxnn.studies.basin_labels import PREDICTIONS, Attractors, Labelled
from jaxnn.studies.map_settings import Basins, resolved
from jaxnn.studies.reports import plain
from jaxnn.studies.settings import Study

FLAT = Attractors(["flat", "flat"], np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0, 1]))
"""Two attractors that only their numbers tell apart."""


def sample(**settings):
    return resolved(Basins("xor_signed", over="sample", scales=(1.0,), members=10, **settings))


def stuck():
    """Ten starts: from six training came to attractor 0, from one to 1; two are stuck above 0."""
    labels = np.array([0] * 8 + [1, Nowhere.plateau])
    losses = np.array([0.0] * 6 + [0.32, 0.34, 1e-9, 0.9])
    return Labelled(labels, FLAT, {"final_loss": losses, "distance": np.ones(10)})


def test_a_table_of_probabilities_has_both_and_a_sentence_that_reconciles_them():
    part = sample_findings.probability_table(sample(), stuck())
    (row,) = part.values["probabilities"]
    assert row["attractors"] == {0: wilson(8, 10), 1: wilson(1, 10)}
    assert row["ended_there"] == {0: wilson(6, 10), 1: wilson(1, 10)}
    assert part.lines[2].split() == ["flat", "0", "flat", "1"]
    assert part.lines[3].count("ended there         leads there") == 2
    assert "      60.0     80.0 [49.0, 94.3]      10.0" in part.lines[4]
    said = sample_findings.standing(sample(), stuck())
    assert said.values == {"near_share": pytest.approx(7 / 9)}
    (line,) = said.lines
    assert "77.8 % of the 9 that lead to an attractor ended within 0.2 of its loss" in line
    assert "the other 2 above it, at losses from 0.32 to 0.34 (median 0.33)" in line


def test_of_a_map_each_attractor_has_both():
    part = basin_findings.found(stuck(), sample())
    assert part.lines[1].split()[:5] == ["leads", "to", "starts", "share,", "95"]
    rows = {row["label"]: row["ended_there"] for row in part.values["labels"]}
    assert rows == {0: 0.75, 1: 1.0, Nowhere.plateau: None}
    by_name = {line[:42].strip(): line for line in part.lines[2:]}
    assert " 75.0 % " in by_name["flat 0: loss 0, 100% right"]
    assert " - " in by_name["idles at a saddle"]


def test_where_labels_are_of_the_end_itself_nothing_lies_below():
    named = Attractors([PREDICTIONS] * 2, FLAT.losses, FLAT.right, FLAT.families)
    made = Labelled(stuck().labels, named, stuck().runs)
    assert made.ended_there(0.2) is None
    assert "ended there" not in "".join(sample_findings.probability_table(sample(), made).lines)
    assert sample_findings.standing(sample(), made) == ([], {})


def test_legends_have_both_and_no_two_names_are_alike():
    made = stuck()
    names = basin_pictures._legend(made, plots.label_colours(made.labels), 0.2)
    assert list(names) == [
        "idles at a saddle (10.0 %)",
        "flat 0: loss 0, 100% right (80.0 %; 60.0 %)",
        "flat 1: loss 0, 100% right (10.0 %; 10.0 %)",
    ]
    words = [made.attractors.name(label) for label in (0, 1, *Nowhere)]
    assert len({*words, *(code.name for code in Outcome if code != Outcome.diverged)}) == 2 + 5 + 3
    assert {*IN_WORDS} == {*Nowhere}


def test_the_picture_of_a_sample_draws_both():
    settings = sample()
    ((_, figure),) = basin_pictures._sample(settings, stuck(), "xor_signed")
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_ydata().tolist() for line in dashed] == [[60.0], [10.0]]
    legend = figure.axes[0].get_legend()
    assert "dashed: training ended there" in legend.get_title().get_text()


def test_a_page_has_both():
    asked = Basins("xor_signed", points=4, window="-1:1,-1:1", level=0.2)
    dataset, settings, made, posed = map_as_if(asked, 2)
    made.runs["final_loss"][:] = np.where(np.arange(16) < 5, 1.5, 0.1)
    contents = map_contents(dataset, settings, made, posed)
    (facet,) = [part for part in contents["facets"] if part["name"] == STANDS]
    assert facet["labels"][:2] == ["there, within 0.2", "above what lies below"]
    assert contents["table"]["more"][1] == "of these, training ended there"
    ended = sum(row["more"][1] for row in contents["table"]["rows"])
    assert ended == 16 - 5


def test_a_study_whose_networks_idle_above_a_solution_says_so(tmp_path):
    """The table of shares and that of attractors are of the same networks, and a sentence says how
    they go together.
    """
    asked = Study(
        "xor_signed", activation=("tanh",), schemes=("glorot_normal",), scales=(1.0,), members=24,
        steps=300, record_every=300, out=tmp_path / "s",
    )  # fmt: skip
    settings = problem.complete(asked)
    dataset = results.load(initial_weights.run(settings))
    part = study_minima.minima_table(dataset, settings, problem.pose(settings))
    (row,) = part.values["probabilities"]
    reached = findings.shares(dataset, settings.level or 0.0)[0, 0, 0]
    leads = sum(share.share for share in row["attractors"].values())
    ended = sum(share.share for share in row["ended_there"].values())
    assert ended < leads  # after 300 steps some are on their way
    stands = dataset.final_loss.values.ravel()
    (text,) = part.lines
    assert part.values["near_share"] == pytest.approx(ended / (leads + row["others"]), abs=1e-9)
    assert f"at losses from {stands[stands > 0.2].min():.4g} to" in text
    assert reached == pytest.approx(row["ended_there"][0].share)
    assert json.loads(json.dumps(plain(part.values)))["attractors"][0]["loss"] < 1e-12
    assert "ended there" in text
    assert text.splitlines()[-1].endswith("from where the loss leads down to it")


def test_of_many_networks_the_table_says_how_many_were_searched(tmp_path, monkeypatch):
    study_store(tmp_path / "s", [[0.01] * 6], hidden=(2,))
    monkeypatch.setattr(study_minima, "MOST_MEMBERS", 4)
    settings = problem.complete(
        Study("xor", hidden=(2,), schemes=("normal",), scales=(1.0,), members=6)
    )
    dataset = results.load(tmp_path / "s")
    part = study_minima.minima_table(dataset, settings, problem.pose(settings))
    assert part.lines[0].startswith("of the first 4 of 6 networks of each scheme and scale: prob")
    assert part.values["networks_of_each_searched"] == 4


def said(tmp_path, losses, level=0.2, **settings):
    study_store(tmp_path / "s", losses, **settings)
    dataset = results.load(tmp_path / "s")
    return findings.finding(dataset, level, name="xor"), findings.table(dataset, level)


def test_one_scheme_and_scale_is_not_said_to_be_equal_to_itself(tmp_path):
    sentence, _ = said(tmp_path, [[0.1, 0.1, 0.1, 0.7]])
    assert sentence == (
        "On xor, training reaches a loss of 0.2 from 75.0 % [30.1, 95.4] of the initial weights "
        "drawn from normal at scale 1; the median final loss is 0.1."
    )


def test_a_level_that_nobody_reaches_is_no_finding_but_the_medians_in_order_are(tmp_path):
    sentence, _ = said(tmp_path, [[0.91, 0.93], [0.22, 0.24], [0.5, np.nan]])
    assert sentence == (
        "On xor, none of the 3 schemes and scales reaches a loss of 0.2 from any initial weight "
        "drawn: this level does not tell them apart. Median final losses: 0.23 from normal at "
        "scale 2, 0.92 from normal at scale 1, inf from normal at scale 3."
    )


def test_a_level_that_all_reach_alike_is_followed_by_the_first_and_last_medians(tmp_path):
    sentence, _ = said(tmp_path, [[0.01 * (k + 1)] for k in range(9)])
    assert "all 9 schemes and scales reach a loss of 0.2 equally often, from 100.0 % [" in sentence
    assert "losses: 0.01 from normal at scale 1, 0.02 from" in sentence
    assert sentence.endswith("0.06 from normal at scale 6, ... 0.09 from normal at scale 9.")


def test_outcomes_are_whole_words_with_what_they_mean(tmp_path):
    _, table = said(tmp_path, [[0.1, 0.3]], outcome=Outcome.plateau)
    assert table.splitlines()[-1].startswith("all 2 networks ended plateau: ")
    dataset = results.load(tmp_path / "s")
    dataset["outcome"].values[0, 0, 0] = Outcome.converged
    head, *_, legend = findings.table(dataset, 0.2).splitlines()
    assert head.split()[-2:] == ["converged", "plateau"]
    assert legend.startswith("converged: the gradient's norm fell below --gradient; plateau: ")
    assert {*findings.ENDED} == {*Outcome}
