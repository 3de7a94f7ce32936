"""Shares of labels, two sets of labels compared, and the test by the symmetries of the data."""

import numpy as np
import pytest
from scipy.stats import binomtest

from jaxnn.intervals import paired_difference
from jaxnn.landscape.labels import (
    Nowhere,
    compare,
    difference,
    probabilities,
    spoken,
    within_families,
)


def test_probabilities_are_counts_with_scipys_wilson_intervals():
    found = probabilities(np.array([[0, 0, 2], [-3, 0, 2]]))
    assert found.labels.tolist() == [-3, 0, 2]
    assert found.counts.tolist() == [1, 3, 2]
    for count, share, low, high in zip(
        found.counts, found.share, found.low, found.high, strict=True
    ):
        theirs = binomtest(int(count), 6).proportion_ci(method="wilson")
        np.testing.assert_allclose([share, low, high], [count / 6, theirs.low, theirs.high])
    assert found.of(0).share == 0.5


def test_labels_that_did_not_come_up_have_an_interval_too():
    found = probabilities([0, 0, 0], among=[0, 1])
    assert found.of(1).share == 0.0
    assert found.of(1).high > 0.5
    with pytest.raises(ValueError, match=r"label 7 is not among \[0, 1\]"):
        found.of(7)


@pytest.mark.parametrize("labels", [[], [0.5, 1.0]])
def test_labels_are_whole_numbers(labels):
    with pytest.raises(ValueError, match="give at least one whole number"):
        probabilities(labels)


def test_compare_counts_what_changed_and_into_what():
    found = compare([[0, 0, 1], [1, -1, 0]], [[0, 1, 1], [1, 1, 0]])
    assert found.changed.tolist() == [[False, True, False], [False, True, False]]
    assert found.share.share == 2 / 6
    assert found.labels.tolist() == [-1, 0, 1]
    assert found.table.tolist() == [[0, 0, 1], [0, 2, 1], [0, 0, 2]]
    with pytest.raises(ValueError, match="give the same starts twice"):
        compare([0, 1], [0])


def test_a_difference_along_a_sweep_is_that_of_pairs():
    first, second = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 1])
    found = difference(first, second, 1)
    assert found == paired_difference(both=2, first=1, second=2, neither=1)
    assert found.difference == pytest.approx(1 / 6)
    with pytest.raises(ValueError, match="give the same starts twice"):
        difference([0, 1], [0], 0)


def test_equal_families_pass_and_unequal_ones_do_not():
    """Under equal probabilities p-values are uniform; a label that is preferred shows."""
    rng, families = np.random.default_rng(0), np.array([0, 0, 0, 0, 1, 1, 2])
    values = [within_families(rng.integers(0, 7, size=700), families).p_value for _ in range(400)]
    assert abs(np.mean(values) - 0.5) < 3 / np.sqrt(12 * 400)
    labels = rng.integers(0, 7, size=700)
    fair = within_families(labels, families)
    assert fair.degrees == 4  # 3 of the four, 1 of the two, none of the one
    labels[labels == 3] = np.where(rng.random(np.sum(labels == 3)) < 0.5, 0, 3)
    assert within_families(labels, families).p_value < 1e-4 < fair.p_value


def test_families_that_came_up_too_seldom_are_left_out():
    families = np.array([0, 0, 1, 1])
    labels = np.array([0] * 20 + [1] * 20 + [2] * 3 + [-1] * 50)
    assert within_families(labels, families).degrees == 1
    alone = within_families(labels, np.arange(4))
    assert alone.degrees == 0
    assert np.isnan(alone.p_value)
    with pytest.raises(ValueError, match="label 2 of 2 attractors"):
        within_families(labels, [0, 0])


def test_codes_are_spoken():
    assert spoken(Nowhere.diverged) == "diverged"
    assert spoken(3) == "3"


def test_masked_labels_are_refused_in_one_line():
    masked = np.ma.masked_array([0, 1, 5], [False, False, True])
    for call in (
        lambda: probabilities(masked),
        lambda: compare(masked, np.array([0, 1, 1])),
        lambda: within_families(masked, np.arange(6)),
    ):
        with pytest.raises(ValueError, match="1 of the labels are masked: leave these starts out"):
            call()
    assert probabilities(masked.compressed()).counts.tolist() == [1, 1]
    assert probabilities(np.ma.masked_array([0, 1])).counts.tolist() == [1, 1]
