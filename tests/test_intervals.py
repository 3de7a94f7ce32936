"""Wilson's interval against scipy's, and at its ends; differences, also paired; what is unseen, by
hand and by draws.
"""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from jaxnn.intervals import difference, paired_difference, unseen, wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (173, 200), (1, 1)])
def test_wilson_equals_scipys(successes, trials):
    share = wilson(successes, trials)
    theirs = binomtest(successes, trials).proportion_ci(method="wilson")
    assert share.share == successes / trials
    assert share.low == pytest.approx(theirs.low, abs=1e-12)
    assert share.high == pytest.approx(theirs.high, abs=1e-12)


def test_without_trials_nothing_is_known():
    share = wilson(0, 0)
    assert math.isnan(share.share)
    assert (share.low, share.high) == (0.0, 1.0)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        wilson(3, 2)


def test_the_unseen_share_is_that_of_classes_seen_once():
    """Hits 1, 1, 2, 6: f1 = 2 of n = 10, f2 = 1; Chao's bound is 2 * 1 / (2 * 2)."""
    found = unseen([1, 1, 2, 6])
    slack = (2 * math.sqrt(2) + math.sqrt(3)) * math.sqrt(math.log(60) / 10)
    assert found.share == 0.2
    assert found.classes == 0.5
    assert found.high == min(1.0, 0.2 + slack) == 1.0
    many = unseen([1, 1, 1, 2, 2, 9990])  # 3 of 9997
    slack = (2 * math.sqrt(2) + math.sqrt(3)) * math.sqrt(math.log(3 / 0.1) / 9997)
    assert many.share == 3 / 9997
    assert many.classes == 3 * 2 / (2 * 3)
    high = unseen([1, 1, 1, 2, 2, 9990], confidence=0.9).high
    assert high == pytest.approx(3 / 9997 + slack, rel=1e-12)
    assert high < many.high


def test_when_every_class_was_seen_often_none_is_missing():
    assert unseen([7, 8, 9])[::2] == (0.0, 0.0)


def test_without_draws_nothing_is_known_of_the_unseen():
    found = unseen([])
    assert found[:2] == (1.0, 1.0)
    assert math.isnan(found.classes)


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_on_the_unseen_share_covers_in_95_of_100_draws(seed):
    """1000 samples of 2000 draws of 400 classes with probabilities like 1 / k: the true share of
    what a sample lacks is below `high` in at least 95 %, and `share` is right on average.
    """
    rng = np.random.default_rng(seed)
    p = 1.0 / np.arange(1, 401)
    p /= p.sum()
    draws = rng.multinomial(2000, p, size=1000)
    missing = ((draws == 0) * p[None, :]).sum(axis=1)
    found = [unseen(row[row > 0]) for row in draws]
    assert np.mean(missing <= [each.high for each in found]) >= 0.95
    # the mean of 1000 with deviation below sqrt(f1) / n = 0.005
    share = np.mean([each.share for each in found])
    assert share == pytest.approx(missing.mean(), abs=5 * 0.005 / math.sqrt(1000))
    # Chao's is a lower bound on average
    lacking = (draws == 0).sum(axis=1)
    assert np.mean([each.classes for each in found]) <= lacking.mean()


def test_hits_below_one_are_refused():
    with pytest.raises(ValueError, match=r"hits are \[3, 0\]: .* at least 1"):
        unseen([3, 0])


def test_a_paired_difference_equals_a_published_one():
    """Airway hyper-responsiveness before and after transplantation, 1, 1, 7, 12 of 21 children:
    -0.286, 95 % interval by Newcombe's squares -0.507 to -0.026 (Fagerland, Lydersen & Laake 2014).
    """
    found = paired_difference(both=1, first=7, second=1, neither=12)
    np.testing.assert_allclose(found, [-0.286, -0.507, -0.026], atol=5e-4)
    back = paired_difference(both=1, first=1, second=7, neither=12)
    np.testing.assert_allclose(back, [-found[0], -found[2], -found[1]], rtol=1e-14)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # both, second, first, neither: Newcombe 1998, Statistics in Medicine 17, 2635, and after it
        ((36, 12, 2, 0), 0.0569, 0.3404),  # a correlation below 0
        ((18, 12, 2, 18), 0.0562, 0.3290),  # above 0, with its correction for continuity
        ((53, 0, 0, 1), -0.0729, 0.0729),
        ((0, 30, 0, 0), 0.8395, 1.0),  # an empty margin, no correlation
        ((80, 16, 6, 59), 0.0046, 0.1186),  # Fagerland, Lydersen & Laake 2014
    ],
)
def test_a_paired_difference_has_the_published_interval(counts, low, high):
    both, second, first, neither = counts
    found = paired_difference(both=both, first=first, second=second, neither=neither)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


def test_the_interval_of_a_paired_difference_covers_and_uses_the_pairs():
    rng = np.random.default_rng(0)
    shares = np.array([0.25, 0.05, 0.15, 0.55])  # both, first, second, neither: a difference of 0.1
    covered, widths = 0, []
    for both, first, second, neither in rng.multinomial(200, shares, size=2000):
        found = paired_difference(
            both=int(both), first=int(first), second=int(second), neither=int(neither)
        )
        covered += found.low <= 0.1 <= found.high
        widths.append(found.high - found.low)
    assert 0.93 <= covered / 2000 <= 0.98  # 0.95, with 3 standard errors of 0.005 and a half
    independent = 2 * 1.96 * np.sqrt((0.3 * 0.7 + 0.4 * 0.6) / 200)
    assert np.mean(widths) < 0.75 * independent


def test_pairs_that_never_differ_have_no_difference():
    found = paired_difference(both=200, first=0, second=0, neither=0)
    assert found.difference == 0.0
    assert found.low == -found.high
    assert found.high < 0.03
    with pytest.raises(ValueError, match=r"counts are \(0, 0, 0, 0\): give none below 0"):
        paired_difference(both=0, first=0, second=0, neither=0)


@pytest.mark.parametrize(
    ("first", "trials", "second", "others", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10
        (48, 80, 56, 70, 0.0524, 0.3339),
        (3, 10, 9, 10, 0.1705, 0.8090),
        (0, 10, 10, 10, 0.6075, 1.0),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (0, 20, 0, 10, -0.1611, 0.2775),
    ],
)
def test_the_difference_of_two_samples_has_newcombes_published_interval(
    first, trials, second, others, low, high
):
    found = difference(first, trials, second, others)
    assert found.difference == pytest.approx(second / others - first / trials, abs=1e-15)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_a_sample_without_trials_has_no_difference():
    with pytest.raises(ValueError, match="trials are 3 and 0: give at least one each"):
        difference(1, 3, 0, 0)
