"""How the variance of an outcome splits into what it was varied over: initial weights, batch order,
step size, and what they do together.

Of numpy arrays on the host.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from jaxnn import summaries

ROUNDING = 1e-13
"""Shares this near to 0 or 1 are so: what is left is rounding."""
NAMES = ("initial weights", "batch order", "step size")
Factors = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Shares:
    """The variance of an outcome and the shares of it, each with a 95 % interval.

    names: (factors,). mean, variance: of one outcome whose factors are all drawn anew. first:
    (factors,) Var E[Y | factor] / Var Y, what a factor does alone. total: (factors,) 1 - Var E[Y |
    all others] / Var Y, with all its interactions. low, high: (2, factors), of first and of total.
    parts: the share of every set of factors, each interaction apart; they sum to 1. Estimates may
    fall below 0 where the truth is near.
    """

    names: tuple[str, ...]
    mean: float
    variance: float
    first: np.ndarray
    total: np.ndarray
    low: np.ndarray
    high: np.ndarray
    parts: dict[tuple[str, ...], float]

    _repr_html_ = summaries.as_printed

    def __str__(self) -> str:
        """A table, a line a factor, and the interactions."""
        rows = [f"{'':18} {'alone':>7} {'95 % interval':>18} {'in all':>8} {'95 % interval':>18}"]
        for k, name in enumerate(self.names):
            spans = [f"[{self.low[i, k]:6.3f}, {self.high[i, k]:6.3f}]" for i in range(2)]
            rows.append(
                f"{name:18} {self.first[k]:7.3f} {spans[0]:>18} {self.total[k]:8.3f} {spans[1]:>18}"
            )
        joint = [f"{' x '.join(s)} {v:.3f}" for s, v in self.parts.items() if len(s) > 1]
        return "\n".join([*rows, "together: " + ", ".join(joint)])


def variance_shares(
    outcomes: Any,
    *,
    names: Sequence[str] = NAMES,
    fixed: Sequence[str] = (),
) -> Shares:
    """First-order and total shares of the variance of outcomes (levels of the first factor, of the
    second, ...), one run for each combination of levels.

    With Y and Y' two outcomes that have the levels of the factors V in common and all others drawn
    anew, Var E[Y | V] = E[Y Y'] - (E Y)^2 (Sobol 1993; Saltelli et al. 2010). E[Y Y'] is
    the mean over all pairs of runs alike in V and of different levels elsewhere: numerators and
    denominators of the shares have no bias, while squares of means would hold a part of what they
    average over.

    The intervals are the jackknife's: shares with one level left out give a variance a random
    factor, the sum of them that of a share, with Satterthwaite's degrees of freedom for Student's
    quantile, fewer where a few levels make up most of a variance, on the logit scale. Of products
    and sums of two random factors, normal, exponential, gamma, lognormal or Pareto, at 8 to 30
    levels, 88 to 99 % held the truth; least of lognormal
    factors of variance e - 1, most of which is in levels that are seldom drawn.

    Args:
        outcomes: one axis a factor, at least 3 levels each (2 if fixed). A level must be the same
            thing throughout, as one key for a batch order under all initial weights.
        names: of the axes.
        fixed: the names of factors whose levels are all that there are, as three step sizes; the
            others' are draws from more.

    Raises:
        ValueError: names that do not fit the axes; too few levels; outcomes that are not
            finite, or all alike.
    """
    y = _checked(outcomes, names, fixed)
    random = tuple(name not in fixed for name in names)
    centred = y - np.mean(y)  # shares do not change, and fewer digits are lost
    explained = _explained(centred, [np.ones((1, n)) for n in y.shape], random)
    shares = _rounded(np.stack(_first_and_total(explained, y.ndim))[..., 0])
    low, high = _interval(shares, *_jackknife(centred, random))
    return Shares(
        names=tuple(names),
        mean=float(np.mean(y)),
        variance=float(explained[tuple(range(y.ndim))][0]),
        first=shares[0],
        total=shares[1],
        low=low,
        high=high,
        parts=_parts({v: e[0] for v, e in explained.items()}, tuple(names)),
    )


def _jackknife(y: np.ndarray, random: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The variance of shares, first and total, and its degrees of freedom, (2, factors) each."""
    variance = weight = np.zeros((2, y.ndim))
    for k, n in enumerate(y.shape):
        if not random[k]:
            continue
        weights = [np.ones((n, m)) for m in y.shape]
        weights[k] = 1.0 - np.eye(n)
        without = np.stack(_first_and_total(_explained(y, weights, random), y.ndim))
        own = (n - 1) * np.var(without, axis=-1)
        variance, weight = variance + own, weight + own**2 / _freedom(without)
    return variance, variance**2 / np.where(weight > 0, weight, 1.0)


def _freedom(without: np.ndarray) -> np.ndarray:
    """The degrees of freedom of the variance of these, (..., levels): n - 1 of normal ones, fewer
    where a few levels make up most of it, 2 n / (kurtosis - 1), by the kurtosis without bias.
    """
    n, gaps = without.shape[-1], without - np.mean(without, axis=-1, keepdims=True)
    square = np.mean(gaps**2, axis=-1)
    fourth = np.mean(gaps**4, axis=-1) / np.where(square > 0, square, 1.0) ** 2
    if n < 4:  # three numbers have no kurtosis
        return np.full_like(square, n - 1.0)
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth - 3) + 6)
    return np.minimum(n - 1.0, 2 * n / np.maximum(excess + 2, 1.0))


def _rounded(shares: np.ndarray) -> np.ndarray:
    """The shares, 0 and 1 where they are so but for rounding."""
    near = np.round(np.clip(shares, 0.0, 1.0))
    return np.where(np.abs(shares - near) <= ROUNDING, near, shares)


def _interval(
    shares: np.ndarray, variance: np.ndarray, freedom: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """On the logit scale, but an edge, 0 or 1, that the plain interval reaches is in it."""
    error = np.sqrt(variance)
    few = np.maximum(freedom, 3.0)
    # Student's quantile, and as much wider as its distribution is wider than a normal: what few
    # levels say of tails is too little rather than too much
    half = stats.t.ppf(0.975, few) * np.sqrt(few / (few - 2)) * error
    inside = np.clip(shares, 1e-9, 1 - 1e-9)
    middle = np.log(inside / (1 - inside))
    slope = half / (inside * (1 - inside))
    with np.errstate(over="ignore"):
        low, high = (1 / (1 + np.exp(-(middle + side * slope))) for side in (-1, 1))
    plain_low, plain_high = shares - half, shares + half
    high = np.where(shares < error, plain_high, high)
    low = np.where(shares > 1 - error, plain_low, low)
    low = np.where(plain_low <= 0, np.minimum(shares, 0.0), low)
    high = np.where(plain_high >= 1, np.maximum(shares, 1.0), high)
    fixed = error <= 1e-12
    return np.where(fixed, shares, low), np.where(fixed, shares, high)


def _checked(outcomes: Any, names: Sequence[str], fixed: Sequence[str]) -> np.ndarray:
    if np.ma.is_masked(outcomes):
        outcomes = np.ma.filled(np.ma.asarray(outcomes).astype(float), np.nan)
    y = np.asarray(outcomes, float)
    if y.ndim != len(names) or len(set(names)) < len(names):
        raise ValueError(
            f"outcomes have shape {y.shape} and names are {tuple(names)}: give one name an axis"
        )
    if not set(fixed) <= set(names):
        raise ValueError(f"fixed is {tuple(fixed)}: choose from {tuple(names)}")
    least = [2 if name in fixed else 3 for name in names]
    if any(n < wanted for n, wanted in zip(y.shape, least, strict=True)):
        raise ValueError(
            f"outcomes have shape {y.shape}: give at least 3 levels a factor, 2 if it is fixed"
        )
    bad = int(np.sum(~np.isfinite(y)))
    if bad:
        raise ValueError(
            f"{bad} of {y.size} outcomes are not finite: give one that runs that diverged have "
            "too, as whether they converged"
        )
    if np.ptp(y) == 0:
        raise ValueError("the outcomes are all alike: there is no variance to share")
    return y


def _explained(
    y: np.ndarray, weights: list[np.ndarray], random: tuple[bool, ...]
) -> dict[Factors, np.ndarray]:
    """Var E[Y | V] for every set V of axes, under weights (resamples, levels) of each axis;
    (resamples,) each.
    """
    axes = range(y.ndim)
    subsets = [v for size in range(y.ndim + 1) for v in itertools.combinations(axes, size)]
    shared = {v: _shared(y, weights, random, v) for v in subsets}
    return {v: value - shared[()] for v, value in shared.items()}


def _shared(
    y: np.ndarray, weights: list[np.ndarray], random: tuple[bool, ...], common: Factors
) -> np.ndarray:
    """E[Y Y'] over pairs of runs alike in the axes `common`, (resamples,).

    Elsewhere the two levels are independent: of a random factor they are different ones, the sum
    over all pairs less that over equal ones; of a fixed factor any two.
    """
    free = [k for k in range(y.ndim) if k not in common and random[k]]
    total: Any = 0.0
    for size in range(len(free) + 1):
        for equal in itertools.combinations(free, size):
            total = total + (-1) ** size * _alike(y, weights, common, equal)
    scale = 1.0
    for k, w in enumerate(weights):
        one = np.sum(w, axis=1)
        pairs = one**2 - np.sum(w**2, axis=1) if k in free else one**2
        scale = scale * (one if k in common else pairs)
    return total / scale


def _alike(y: np.ndarray, weights: list[np.ndarray], common: Factors, equal: Factors) -> np.ndarray:
    """The sum over pairs of runs alike in the axes `common` and `equal`, any elsewhere, of w Y Y':
    w once for an axis in common, else twice.
    """
    both = {*common, *equal}
    rows = np.broadcast_to(y, (len(weights[0]), *y.shape))
    for k in reversed(range(y.ndim)):  # from the last on, so that axis numbers stay
        if k not in both:
            rows = np.einsum("r...a,ra->r...", np.moveaxis(rows, k + 1, -1), weights[k])
    rows = np.square(rows)
    for k in sorted(both, reverse=True):
        w = weights[k] if k in common else weights[k] ** 2
        rows = np.einsum("r...a,ra->r...", rows, w)
    return rows


def _first_and_total(
    explained: dict[Factors, np.ndarray], factors: int
) -> tuple[np.ndarray, np.ndarray]:
    """(factors, resamples) each, or (factors,) of numbers."""
    everything = tuple(range(factors))
    variance = explained[everything]
    first = np.stack([explained[(k,)] / variance for k in everything])
    others = [tuple(j for j in everything if j != k) for k in everything]
    return first, np.stack([1.0 - explained[v] / variance for v in others])


def _parts(explained: dict[Factors, np.ndarray], names: tuple[str, ...]) -> dict:
    """What each set of factors adds to those in it, as a share (Hoeffding's decomposition)."""
    variance = explained[tuple(range(len(names)))]
    parts = {}
    for v in explained:
        inside = itertools.chain.from_iterable(
            itertools.combinations(v, size) for size in range(len(v) + 1)
        )
        value = sum((-1) ** (len(v) - len(u)) * explained[u] for u in inside)
        parts[tuple(names[k] for k in v)] = float(_rounded(value / variance))
    return {v: share for v, share in parts.items() if v}
