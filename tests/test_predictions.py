"""What is known to predict is found, out of fold, and what predicts nothing is told as such."""

import sys
from statistics import NormalDist

import numpy as np
import pytest

from jaxnn import predictions

rng = np.random.default_rng(0)
OUTCOMES = rng.random(400) < 0.4


def gaussians(distance, outcomes=OUTCOMES, seed=1):
    return np.random.default_rng(seed).normal(size=len(outcomes)) + distance * outcomes


def test_two_gaussians_are_told_apart_as_well_as_they_can_be():
    """AUC Phi(d / sqrt 2) for one; for two independent ones d is sqrt(1 + 1), by the likelihood
    ratio (Neyman & Pearson 1933), from which a fit to 320 members loses little.
    """
    distances = {"first": 1.0, "second": 1.0, "none": 0.0}
    features = {name: gaussians(d, seed=k) for k, (name, d) in enumerate(distances.items(), 1)}
    found = predictions.predict(features, OUTCOMES, seed=0, permutations=30)
    assert (found.measure, found.names) == ("AUC", ("first", "second", "none"))
    one, both = (NormalDist().cdf(d / 2**0.5) for d in (1.0, 2**0.5))
    for estimate in found.alone[:2]:
        assert estimate.low < one < estimate.high
    assert found.alone[2].low < 0.5 < found.alone[2].high
    assert found.together.low < both < found.together.high
    assert found.together.value > max(estimate.value for estimate in found.alone)
    np.testing.assert_allclose(found.chance[:2], 1 / 31)
    assert found.chance[2] > 0.05
    assert np.all(found.chance_of_any >= found.chance)
    assert found.together_chance == 1 / 31
    assert "all, out of fold" in str(found)
    again = predictions.predict(features, OUTCOMES, seed=0, permutations=0)
    np.testing.assert_array_equal(again.out_of_fold, found.out_of_fold)
    assert np.isnan(again.together_chance)


def test_noise_predicts_nothing():
    """Of 12 samples of noise, the 95 % interval holds 0.5 in all but 0.6 +- 0.8, at most 3; a
    chance is uniform, at most 0.1 in 1.2 +- 1 of them, at most 5. The mean AUC is 0.5 to 0.025;
    were members scored by fits that have seen them, it would be above 0.6.
    """
    draw, missed, low, values = np.random.default_rng(5), 0, 0, []
    for seed in range(12):
        outcomes = draw.random(80) < 0.5
        features = {name: draw.normal(size=80) for name in "abcd"}
        found = predictions.predict(features, outcomes, seed=seed, permutations=9)
        missed += not found.together.low <= 0.5 <= found.together.high
        low += found.together_chance <= 0.1
        values.append(found.together.value)
    assert missed <= 3
    assert low <= 5
    assert abs(np.mean(values) - 0.5) < 0.075


def test_a_number_is_predicted_by_rank():
    x, noise = gaussians(0.0, seed=4), gaussians(0.0, seed=5)
    found = predictions.predict({"x": x, "noise": noise}, np.exp(3 * x), seed=1, permutations=20)
    assert found.measure == "Spearman"
    np.testing.assert_allclose(found.alone[0].value, 1.0)
    assert found.together.value > 0.99  # whatever the scale, by ranks
    assert abs(found.alone[1].value) < 0.15
    assert found.chance[0] == found.chance_of_any[0] == 1 / 21


def test_outcomes_of_0_and_1_are_told_apart_as_those_of_bool_are():
    features = {"a": gaussians(1.0)}
    found, wanted = (
        predictions.predict(features, outcomes, seed=0, permutations=3)
        for outcomes in (OUTCOMES.astype(int), OUTCOMES)
    )
    assert found.measure == "AUC"
    assert found.together == wanted.together


def test_what_is_constant_tells_nothing_and_disturbs_nothing():
    constant, varied = {"same": np.ones(400)}, {"a": gaussians(1.0)}
    alone = predictions.predict(constant, OUTCOMES, seed=0, permutations=3)
    assert alone.together.value == alone.alone[0].value == 0.5
    assert alone.together_chance == 1.0
    assert alone.together.low < 0.5 < alone.together.high
    both, one = (
        predictions.predict(features, OUTCOMES, seed=0, permutations=3)
        for features in (constant | varied, varied)
    )
    np.testing.assert_array_equal(both.out_of_fold, one.out_of_fold)
    ranked = predictions.predict(constant, np.arange(400.0), seed=0, permutations=3)
    assert np.isnan(ranked.together.value)


def test_trees_see_what_no_line_does():
    x, y = gaussians(0.0, seed=6), gaussians(0.0, seed=7)
    outcomes = x * y > 0
    line, trees = (
        predictions.predict({"x": x, "y": y}, outcomes, seed=0, permutations=0, model=model)
        for model in ("linear", "boosting")
    )
    assert line.together.value < 0.65
    assert trees.together.value > 0.9
    boosted = predictions.predict({"x": x}, x**2, seed=0, permutations=0, model="boosting")
    assert boosted.together.value > 0.9


def test_the_chance_of_the_best_of_many_is_higher_than_of_one():
    """Of 30 quantities of noise the best looks like something: by itself, not among 30."""
    draw = np.random.default_rng(8)
    features = {f"noise {k}": draw.normal(size=60) for k in range(30)}
    found = predictions.predict(features, draw.random(60) < 0.5, seed=0, permutations=39)
    best = np.argmin(found.chance)
    assert found.chance[best] < 0.1
    assert found.chance_of_any[best] > 0.2


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxnn\[study\]'"):
        predictions.predict({"a": np.arange(10.0)}, np.arange(10) > 4, seed=0)


@pytest.mark.parametrize(
    ("features", "outcomes", "settings", "message"),
    [
        ({}, OUTCOMES, {}, "0 features and outcomes of shape"),
        ({"a": np.ones(3)}, OUTCOMES, {}, r"'a' has shape \(3,\), the outcomes \(400,\)"),
        ({"a": np.array([1, np.inf, 2])}, np.ones(3), {}, "1 of 3 values of 'a' are not finite"),
        ({"a": np.ones(3)}, np.array([1, np.nan, 2]), {}, "some outcomes are not finite"),
        ({"a": np.ones(400)}, OUTCOMES | True, {}, "outcomes are all alike"),
        ({"a": np.ones(2)}, np.array(["y", "n"]), {}, "outcomes are of type <U1: give numbers"),
        ({"a": np.array(["y", "n"])}, np.ones(2), {}, "the values of 'a' are of type <U1"),
        ({"a": np.ones(400)}, OUTCOMES, {"folds": 2.5}, "folds is 2.5: give 2 to"),
        (
            {"a": np.ones(400)},
            OUTCOMES,
            {"permutations": -1},
            "permutations is -1: give a whole number, at least 0",
        ),
        ({"a": np.ones(400)}, np.arange(400) < 3, {}, "folds is 5: give 2 to 3"),
        ({"a": np.ones(400)}, OUTCOMES, {"model": "linar"}, "unknown model.*did you mean 'linear'"),
    ],
)
def test_a_wrong_call_is_refused(features, outcomes, settings, message):
    with pytest.raises(ValueError, match=message):
        predictions.predict(features, outcomes, seed=0, **settings)
