"""Two studies side by side: settings that differ; pairs where the starts are the same."""

import numpy as np
import pytest
from made_stores import study_store

from jaxnn.intervals import difference, paired_difference, wilson
from jaxnn.stopping import Outcome
from jaxnn.studies.store_settings import Compare
from jaxnn.studies.study_comparisons import compared

LOW, HIGH = 0.01, 0.3


def losses(*successes):
    return [[LOW] * k + [HIGH] * (40 - k) for k in successes]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    study_store(folder / "a", losses(10, 20), level=0.05)
    study_store(folder / "b", losses(12, 38), level=0.2, steps=61)
    study_store(folder / "c", losses(12, 38, 40), level=0.05, draw=1)
    study_store(folder / "d", losses(12), level=0.05, outcome=Outcome.diverged)
    return folder


def test_the_same_starts_are_compared_pair_by_pair(stores):
    report = compared(Compare(stores / "a", stores / "b"))
    first, second = report.findings["rows"]
    assert first["paired"]
    assert second["paired"]
    assert first["first"] == wilson(10, 40)
    assert second["second"] == wilson(38, 40)
    assert first["difference"] == paired_difference(both=10, first=0, second=2, neither=28)
    assert second["difference"] == paired_difference(both=20, first=0, second=18, neither=2)
    assert report.findings["settings_that_differ"] == {"steps": [60, 61], "level": [0.05, 0.2]}
    assert report.findings["level"] == 0.05
    *_, same, apart, blank, many, paired = report.text.splitlines()
    assert "+5.0 [" in same
    assert "+45.0 [" in apart
    assert same.endswith("paired, 0 and 2 alone")
    assert apart.endswith("paired, 0 and 18 alone  *")
    assert blank == ""
    assert "1 of 2 differences exclude 0" in many
    assert paired.startswith("paired: the same initial weights were trained twice")


def test_the_same_runs_do_not_differ_and_the_report_says_which_interval_it_used(stores, tmp_path):
    """Not +0.0 [-17.1, +17.1]: what is alike for every initial weight is no sample."""
    study_store(tmp_path / "again", losses(10, 20), level=0.05, steps=61)
    report = compared(Compare(stores / "a", tmp_path / "again"))
    for row in report.findings["rows"]:
        assert row["same_runs"]
        assert row["difference"] == (0.0, 0.0, 0.0)
    assert report.text.count("+0.0 [+0.0, +0.0]  the same runs\n") == 2
    assert "the same runs: every network ended on the same loss, to the bit" in report.text
    # as often, but from other losses: a sample of a difference that may be there
    study_store(tmp_path / "other", np.array(losses(10, 20)) * 1.01, level=0.05)
    report = compared(Compare(stores / "a", tmp_path / "other"))
    for row in report.findings["rows"]:
        assert not row["same_runs"]
        assert row["difference"].low < 0 < row["difference"].high
    assert report.text.count("paired, 0 and 0 alone") == 2


def test_other_starts_are_compared_as_two_samples(stores):
    report = compared(Compare(stores / "a", stores / "c"))
    assert len(report.findings["rows"]) == 2  # the scale that one study alone has is left out
    for row, (a, c) in zip(report.findings["rows"], [(10, 12), (20, 38)], strict=True):
        assert not row["paired"]
        assert row["difference"] == difference(a, 40, c, 40)
    assert report.text.count("]  unpaired") == 2
    assert "unpaired: other initial weights, compared as two independent samples" in report.text
    assert "\npaired" not in report.text


def test_a_level_of_ones_own_and_networks_that_diverged(stores):
    report = compared(Compare(stores / "a", stores / "d", level=0.5))
    (row,) = report.findings["rows"]
    assert row["first"].share == 1.0
    assert row["second"].share == 0.0  # a loss of 0.01, and diverged
    with pytest.raises(ValueError, match="--level is nan"):
        compared(Compare(stores / "a", stores / "d", level=np.nan))


def test_studies_without_a_common_cell_are_refused(stores, tmp_path):
    study_store(tmp_path / "e", losses(1), schemes=("uniform",), level=0.05)
    with pytest.raises(ValueError, match="no scheme and scale in common"):
        compared(Compare(stores / "a", tmp_path / "e"))
