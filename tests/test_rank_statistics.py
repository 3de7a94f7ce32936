"""Rank statistics are what loops over pairs and other libraries give, and their intervals hold the
truth as often as they say.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from jaxnn import rank_statistics


def test_ranks_share_ties():
    rows = np.random.default_rng(0).integers(0, 5, (3, 20))
    np.testing.assert_array_equal(rank_statistics.ranks(rows), scipy.stats.rankdata(rows, axis=1))


def test_auc_is_sklearns_and_its_variance_delongs_by_pairs():
    rng = np.random.default_rng(1)
    outcomes = rng.random(40) < 0.4
    scores = np.round(rng.normal(size=40) + outcomes, 1)  # with ties
    found = rank_statistics.auc(scores, outcomes)
    np.testing.assert_allclose(found.value, sklearn.metrics.roc_auc_score(outcomes, scores))
    wins = [[(p > n) + 0.5 * (p == n) for n in scores[~outcomes]] for p in scores[outcomes]]
    wins = np.array(wins)
    m, n = wins.shape
    error = np.sqrt(np.var(wins.mean(1), ddof=1) / m + np.var(wins.mean(0), ddof=1) / n)
    middle = math.log(found.value / (1 - found.value))
    half = 1.959963984540054 * error / (found.value * (1 - found.value))
    ends = [1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1)]
    np.testing.assert_allclose(found[1:], ends, rtol=1e-12)


@pytest.mark.parametrize(("distance", "positive", "negative"), [(0.0, 30, 30), (1.0, 15, 60)])
def test_auc_of_two_gaussians_is_known_and_the_interval_holds_it(distance, positive, negative):
    """Phi(d / sqrt 2). Of 400 intervals of 95 %, 380 +- 4.4: those of DeLong may fall 2 % short at
    sizes as these, so 370 - 4 standard errors are asked for.
    """
    truth = NormalDist().cdf(distance / 2**0.5)
    rng = np.random.default_rng(2)
    outcomes = np.arange(positive + negative) < positive
    found = [
        rank_statistics.auc(rng.normal(size=len(outcomes)) + distance * outcomes, outcomes)
        for _ in range(400)
    ]
    np.testing.assert_allclose(np.mean([f.value for f in found]), truth, atol=0.02)
    held = sum(f.low <= truth <= f.high for f in found)
    assert 352 <= held <= 396


@pytest.mark.parametrize("kind", [int, float, np.uint8])
def test_outcomes_of_0_and_1_are_those_of_bool(kind):
    scores, outcomes = np.array([1.0, 2.0, 3.0, 4.0, 2.5]), np.array([0, 1, 0, 1, 1])
    wanted = rank_statistics.auc(scores, outcomes > 0)
    assert rank_statistics.auc(scores, outcomes.astype(kind)) == wanted


def test_a_perfect_order_still_has_an_interval():
    """Newcombe's method 5: |t - 1| = z sqrt(V(t)) at its end."""
    found = rank_statistics.auc(np.arange(20.0), np.arange(20) >= 12)
    assert (found.value, found.high) == (1.0, 1.0)
    t, size = found.low, 20 / 2 - 1
    variance = t * (1 - t) * (1 + size * (1 - t) / (2 - t) + size * t / (1 + t)) / (8 * 12)
    np.testing.assert_allclose(1 - t, 1.959963984540054 * np.sqrt(variance), rtol=1e-9)
    ties = rank_statistics.auc(np.zeros(20), np.arange(20) >= 12)
    assert ties.low < ties.value == 0.5 < ties.high


def test_spearman_is_scipys_and_its_interval_holds_the_truth():
    """A Gaussian pair of correlation r has Spearman (6 / pi) arcsin(r / 2) (Kruskal 1958); 400
    intervals hold it 380 +- 4.4 times.
    """
    rng = np.random.default_rng(3)
    truth, held = 6 / np.pi * math.asin(0.6 / 2), 0
    for k in range(400):
        a = rng.normal(size=40)
        b = 0.6 * a + 0.8 * rng.normal(size=40)
        found = rank_statistics.spearman(a, b)
        held += found.low <= truth <= found.high
        if k == 0:
            known = np.asarray(scipy.stats.spearmanr(a, b))[0]
            np.testing.assert_allclose(found.value, known)
    assert 362 <= held <= 398
    constant = rank_statistics.spearman(np.ones(9), np.arange(9.0))
    assert math.isnan(constant.value)
    assert constant[1:] == (-1.0, 1.0)


def test_few_members_in_one_order_leave_their_correlation_open():
    """Four numbers are in order by chance in 1 of 24: that is no correlation of 1 for sure. Of 5
    independent ones, intervals hold 0 in 95 of 100.
    """
    found = rank_statistics.spearman(np.arange(4.0), np.arange(4.0))
    assert found.value == found.high == 1
    assert found.low < 0
    back = rank_statistics.spearman(np.arange(4.0), -np.arange(4.0))
    np.testing.assert_allclose(back, [-1, -1, -found.low], rtol=1e-12)
    rng = np.random.default_rng(0)
    held = [
        found.low <= 0 <= found.high
        for found in (
            rank_statistics.spearman(np.arange(5.0), rng.permutation(5.0 * np.arange(5)))
            for _ in range(400)
        )
    ]
    assert np.mean(held) >= 0.95 - 3 * 0.011


def test_widening_is_on_the_half_width():
    rng = np.random.default_rng(4)
    scores, outcomes = rng.normal(size=50), rng.random(50) < 0.5
    for statistic, scale in (
        (rank_statistics.auc, lambda t: math.log(t / (1 - t))),
        (rank_statistics.spearman, math.atanh),
    ):
        one, two = (statistic(scores, outcomes, widen=k) for k in (1.0, 2.0))
        assert one.value == two.value
        np.testing.assert_allclose(
            scale(two.high) - scale(two.low), 2 * (scale(one.high) - scale(one.low)), rtol=1e-9
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank_statistics.auc(np.ones(3), np.ones(3, bool)), "outcomes are all alike"),
        (
            lambda: rank_statistics.auc(np.ones(3), np.ones(4, bool)),
            r"scores have shape \(3,\) and outcomes \(4,\)",
        ),
        (
            lambda: rank_statistics.spearman([1.0, np.nan, 2.0], [1.0, 2.0, 3.0]),
            "1 of 3 scores are not finite",
        ),
        (
            lambda: rank_statistics.auc([1.0, 2.0, 3.0], [1, 2, 1]),
            "outcomes are 1, 2 and so on: give bool, or 0 and 1",
        ),
        (
            lambda: rank_statistics.auc([1.0, 2.0], ["yes", "no"]),
            "outcomes are of type <U3: give numbers, or bool",
        ),
        (lambda: rank_statistics.spearman(["a", "b"], [1, 2]), "scores are of type <U1"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
