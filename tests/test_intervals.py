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
    assert found.share == 0.2
    assert found.classes == 0.5
    many = unseen([1, 1, 1, 2, 2, 9990])  # 3 of 9997
    assert many.share == 3 / 9997
    assert many.classes == 3 * 2 / (2 * 3)
    assert 0.0 == many.low < many.share < many.high < 15 / 9997


def test_where_nothing_was_seen_once_the_unseen_is_below_four_in_the_number_of_draws():
    """One more class of probability q is missed with (1 - q)^n: e^-3.84 = 0.021 at q = 3.84 / n."""
    assert unseen([30, 30]).high == pytest.approx(3.8415 / 60, rel=1e-4)  # not 1


def test_unfinished_draws_may_be_of_classes_not_seen():
    """20 of one class and 44 unfinished: from none to all of these new."""
    found = unseen([20], unfinished=44)
    assert (found.share, found.low) == (44 / 64, 0.0)
    assert 44 / 64 < found.high < 1.0
    assert unseen([], unfinished=5)[:3] == (1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="unfinished is -1"):
        unseen([3], unfinished=-1)


def test_when_every_class_was_seen_often_none_is_missing():
    assert unseen([7, 8, 9])[:2] == (0.0, 0.0)


def test_without_draws_nothing_is_known_of_the_unseen():
    found = unseen([])
    assert found[:3] == (1.0, 0.0, 1.0)
    assert math.isnan(found.classes)


def distributions():
    """Name -> probabilities of the classes: alike, falling, and with few that are rare."""
    ranks = np.arange(1, 3001.0)
    made = {f"uniform {k}": np.ones(k) for k in (1, 2, 5, 20, 60, 200, 1000, 5000)}
    made |= {f"geometric {q}": q**ranks for q in (0.5, 0.9, 0.99)}
    made |= {f"Zipf {a}": ranks**-a for a in (1.0, 1.5, 2.0)}
    made |= {f"{c} of {n} rare": np.array([n - c, c]) for c in (1, 2, 4) for n in (20, 60, 200)}
    return {name: p / p.sum() for name, p in made.items()}


@pytest.mark.parametrize(
    ("draws", "samples"),
    [(20, 200), (60, 200)]
    + [pytest.param(n, 4000, marks=pytest.mark.slow) for n in (20, 60, 200, 1000)],
)
def test_the_interval_of_the_unseen_covers_in_95_of_100_samples(draws, samples):
    """The probability of what a sample lacks is within, for each distribution; `share` is right on
    average, and Chao's a lower bound. Of so few samples coverage may err by three deviations.
    """
    rng = np.random.default_rng(draws)
    for name, p in distributions().items():
        hits = rng.multinomial(draws, p, size=samples)
        missing = ((hits == 0) * p[None, :]).sum(axis=1)
        found = np.array([unseen(row[row > 0]) for row in hits])
        inside = np.mean((found[:, 1] <= missing + 1e-12) & (missing <= found[:, 2] + 1e-12))
        assert inside >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / samples), name
        # Good-Turing's is that of one draw fewer; f1 / n deviates by less than 1 / sqrt(n)
        fewer = np.sum(p * (1 - p) ** (draws - 1))
        assert np.mean(found[:, 0]) == pytest.approx(fewer, abs=5 / math.sqrt(draws * samples)), (
            name
        )
        lacking = (hits == 0).sum(axis=1).mean()
        assert np.mean(found[:, 3]) <= lacking * (1 + 15 / math.sqrt(samples)) + 0.1, name


def test_the_interval_of_the_unseen_says_something_where_draws_allow():
    """60 draws of 5 classes alike: none is missing, and more than a tenth is excluded."""
    rng = np.random.default_rng(0)
    highs = [unseen(row[row > 0]).high for row in rng.multinomial(60, np.ones(5) / 5, size=50)]
    assert max(highs) < 0.2
    assert np.median(highs) < 0.1


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
