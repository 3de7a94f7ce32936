"""Wilson's interval against scipy's, and at its ends."""

import math

import pytest
from scipy.stats import binomtest

from jaxnn.intervals import wilson


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
