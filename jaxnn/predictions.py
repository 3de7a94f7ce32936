"""Which quantity measured at the start predicts the outcome: rank statistics of each alone and of
all together, out of fold, with intervals and against chance.

Of numpy arrays on the host; `predict` needs scikit-learn, of the extra `study`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxnn import summaries
from jaxnn.intervals import Z95
from jaxnn.rank_statistics import Estimate, auc, check_numbers, is_binary, ranks, spearman
from jaxnn.vocabulary import lookup


@dataclasses.dataclass(frozen=True)
class Prediction:
    """How well quantities predict an outcome.

    measure: "AUC" where outcomes are of bool, or 0 and 1, else "Spearman". names: (quantities,).
    alone: an `Estimate` each. chance: (quantities,) the share of permuted outcomes that a quantity
    predicts at least as well, in either direction; chance_of_any: the same for the best of all
    quantities of a permutation, so that many quantities may be tried (Westfall & Young 1993).
    together: of the model of all quantities on members that it was not fitted to; together_chance:
    the share of permuted outcomes for which it does at least as well, fitted anew. out_of_fold:
    (members,) what it said of each. Shares count the outcomes themselves as one permutation.
    """

    measure: str
    names: tuple[str, ...]
    alone: tuple[Estimate, ...]
    chance: np.ndarray
    chance_of_any: np.ndarray
    together: Estimate
    together_chance: float
    out_of_fold: np.ndarray

    _repr_html_ = summaries.as_printed

    def __str__(self) -> str:
        """A table, a line a quantity, the best first, and all of them together."""
        none = 0.5 if self.measure == "AUC" else 0.0
        order = np.argsort([-abs(found.value - none) for found in self.alone])
        rows = [f"{'':18} {self.measure:>8} {'95 % interval':>18} {'chance':>8} {'of any':>8}"]
        rows += [
            f"{self.names[k]:18} {_shown(self.alone[k])} {self.chance[k]:8.3f} "
            f"{self.chance_of_any[k]:8.3f}"
            for k in order
        ]
        together = f"{'all, out of fold':18} {_shown(self.together)} {self.together_chance:8.3f}"
        return "\n".join([*rows, together])


def _shown(found: Estimate) -> str:
    return f"{found.value:8.3f}   [{found.low:6.3f}, {found.high:6.3f}]"


MODELS = {name: name for name in ("linear", "boosting")}


def predict(
    features: Mapping[str, Any],
    outcomes: Any,
    *,
    seed: int,
    folds: int = 5,
    permutations: int = 200,
    model: str = "linear",
) -> Prediction:
    """How well each quantity alone, and all together, predict the outcomes.

    Alone: the rank statistic, which no monotone scale changes and nothing is fitted for. Together:
    of the ranks, the model is fitted to all but one of `folds` parts of the members and says the
    members of that part, for each part; the statistic is of all that it said. Parts said by fits
    that share members are not independent: without dependence to find, a 95 % interval that takes
    them so (LeDell, Petersen & van der Laan 2015) held the truth in 80 to 85 % of samples. So it is
    widened by as much as the statistics of permuted outcomes spread wider than theirs say.

    Args:
        features: name -> (members,) numbers, as `landscape.predictors.quantities` gives under vmap.
        outcomes: (members,) of bool or of 0 and 1, such as converged or not, or of numbers, such as
            a loss.
        seed: draws folds and permutations.
        folds: parts, at least 2.
        permutations: of the outcomes, each with `folds` fits of its own; 0 leaves chances NaN and
            the interval as it is.
        model: "linear", logistic or ridge regression, for monotone dependence; "boosting", trees,
            for any, at a hundred times the cost.

    Raises:
        ValueError: no features; features or outcomes that are not (members,) or not finite;
            outcomes all alike, or fewer of a kind than folds; permutations below 0; an unknown
            model.
        ImportError: scikit-learn is missing.
    """
    table, outcomes = _table(features, outcomes)
    binary = is_binary(outcomes)
    outcomes = outcomes.astype(bool) if binary else outcomes
    least = int(min(np.sum(outcomes), np.sum(~outcomes))) if binary else len(outcomes)
    if len(np.unique(outcomes)) < 2:
        raise ValueError("the outcomes are all alike: there is nothing to predict")
    if folds not in range(2, least + 1):
        raise ValueError(f"folds is {folds}: give 2 to {least}, the members of the rarer outcome")
    if not isinstance(permutations, int | np.integer) or permutations < 0:
        raise ValueError(f"permutations is {permutations}: give a whole number, at least 0")
    estimate = auc if binary else spearman
    rows = _standard_ranks(table)
    said = _out_of_fold(lookup(MODELS, model, what="model"), binary, folds, seed)
    rng = np.random.default_rng(seed)
    permuted = [rng.permutation(outcomes) for _ in range(permutations)]

    chance, chance_of_any = _chances(rows, [outcomes, *permuted])
    out_of_fold, *others = said(rows, [outcomes, *permuted])
    by_chance = [estimate(o, other) for o, other in zip(others, permuted, strict=True)]
    together = estimate(out_of_fold, outcomes, widen=_widening(by_chance, binary))
    better = sum(not other.value < together.value for other in by_chance)
    return Prediction(
        measure="AUC" if binary else "Spearman",
        names=tuple(features),
        alone=tuple(estimate(column, outcomes) for column in table.T),
        chance=chance,
        chance_of_any=chance_of_any,
        together=together,
        together_chance=(1 + better) / (1 + permutations) if permutations else math.nan,
        out_of_fold=out_of_fold,
    )


def _widening(by_chance: list[Estimate], binary: bool) -> float:
    """The root mean square of how far statistics are from telling nothing, in their own standard
    errors; at least 1.
    """

    def scale(t: float) -> float:
        t = min(max(t, 1e-12), 1 - 1e-12) if binary else min(max(t, -1 + 1e-12), 1 - 1e-12)
        return math.log(t / (1 - t)) if binary else math.atanh(t)

    squares = [
        (scale(found.value) * 2 * Z95 / (scale(found.high) - scale(found.low))) ** 2
        for found in by_chance
        if math.isfinite(found.value)
    ]
    return max(1.0, math.sqrt(sum(squares) / len(squares))) if squares else 1.0


def _table(features: Mapping[str, Any], outcomes: Any) -> tuple[np.ndarray, np.ndarray]:
    """(members, quantities) and the outcomes (members,), checked."""
    outcomes = np.asarray(outcomes)
    if not features or outcomes.ndim != 1:
        raise ValueError(
            f"{len(features)} features and outcomes of shape {outcomes.shape}: give at least one, "
            "and (members,)"
        )
    for name, values in features.items():
        values = np.asarray(values)
        if values.shape != outcomes.shape:
            raise ValueError(f"{name!r} has shape {values.shape}, the outcomes {outcomes.shape}")
        check_numbers(values, f"the values of {name!r}")
        bad = int(np.sum(~np.isfinite(values)))
        if bad:
            raise ValueError(f"{bad} of {len(values)} values of {name!r} are not finite: "
                             "leave those members out")  # fmt: skip
    check_numbers(outcomes, "outcomes")
    if not np.all(np.isfinite(outcomes)):
        raise ValueError("some outcomes are not finite: leave those members out, or name them")
    return np.stack([np.asarray(v, float) for v in features.values()], axis=1), outcomes


def _standard_ranks(table: np.ndarray) -> np.ndarray:
    """The ranks of each column, of mean 0 and variance 1, or 0 where it is constant."""
    rows = ranks(table.T).T
    rows = rows - rows.mean(axis=0, keepdims=True)
    spread = rows.std(axis=0, keepdims=True)
    return rows / np.where(spread == 0, 1.0, spread)


def _chances(rows: np.ndarray, outcomes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of each quantity, how often permuted outcomes do as well with it and with the best of all;
    the first outcomes are the true ones. The rank correlation orders permutations as AUC does.
    """
    if len(outcomes) == 1:
        return np.full(rows.shape[1], np.nan), np.full(rows.shape[1], np.nan)
    columns = _standard_ranks(np.stack(outcomes, axis=1))
    found = np.abs(rows.T @ columns) / len(rows)  # (quantities, permutations)
    own = found[:, :1] - 1e-9  # rounding must not tell ties apart
    any_alike = np.max(found, axis=0)[None, 1:] >= own
    return np.mean(found >= own, axis=1), (1 + np.sum(any_alike, axis=1)) / len(outcomes)


def _out_of_fold(
    model: str, binary: bool, folds: int, seed: int
) -> Callable[[np.ndarray, list[np.ndarray]], list[np.ndarray]]:
    """The function (rows, outcomes) -> what the model says of each member unseen, (members,), for
    each of the outcomes.
    """
    try:
        from sklearn import ensemble, linear_model, model_selection
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ImportError("predict needs scikit-learn: pip install 'jaxnn[study]'") from error
    splitter = model_selection.StratifiedKFold if binary else model_selection.KFold
    parts = splitter(folds, shuffle=True, random_state=seed)
    trees: dict[str, Any] = {"random_state": seed, "max_iter": 100, "max_depth": 3}
    make = {
        ("linear", True): lambda: linear_model.LogisticRegression(solver="newton-cholesky"),
        ("linear", False): lambda: linear_model.Ridge(),
        ("boosting", True): lambda: ensemble.HistGradientBoostingClassifier(**trees),
        ("boosting", False): lambda: ensemble.HistGradientBoostingRegressor(**trees),
    }[model, binary]

    def one(rows: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
        values = outcomes if binary else ranks(outcomes)
        said = np.full(len(outcomes), np.mean(values))
        for train, test in parts.split(rows, outcomes):
            varied = np.ptp(rows[train], axis=0) > 0
            if not np.any(varied):  # nothing to fit, and the mean of a part would tell on the rest
                continue
            fitted = make().fit(rows[train][:, varied], values[train])
            new = rows[test][:, varied]
            said[test] = fitted.predict_proba(new)[:, 1] if binary else fitted.predict(new)
        return said

    def all_of_them(rows: np.ndarray, outcomes: list[np.ndarray]) -> list[np.ndarray]:
        with threadpool_limits(1):  # these fits are too small to share
            return [one(rows, each) for each in outcomes]

    return all_of_them
