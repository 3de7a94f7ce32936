"""Which pair is tried next, against paths by hand and by enumeration."""

import itertools

import numpy as np
import pytest

from jaxnn.landscape.connectivity import Effort, Found, cheapest
from jaxnn.landscape.transitions import Euclidean


def minima_at(*places):
    """What is found of minima on a line, nothing yet between them."""
    found = Found(lambda p: 0.0 * p, Euclidean(), Effort(3, 1, 1, 1, 1e-5))
    for number, place in enumerate(places):
        assert found.minimum(np.float32(place), 0.0) == number
    return found


def test_a_minimum_is_taken_in_once():
    found = minima_at(0.0, 1.0, 2.0)
    assert found.minimum(np.float32(1.000001), 0.0) == 1
    assert found.minimum(np.float32(1.0), 0.5) == 3  # the same place, at another loss


def test_what_is_missing_is_the_untried_part_of_the_cheapest_way():
    """Costs are squared distances: many short steps before one long one."""
    found = minima_at(0.0, 1.0, 2.5, 3.0)
    assert found.missing([(0, 3)]) == [(0, 1), (1, 2), (2, 3)]
    found.tried.add((1, 2))
    assert found.missing([(0, 3)]) == [(0, 1), (1, 3)]  # 1 + 4 against 6.25 + 0.25
    found.tried.add((0, 1))
    found.transitions.append({"edge": (1, 0)})
    assert found.missing([(0, 3)]) == [(1, 3)]
    found.tried.add((1, 3))
    found.transitions.append({"edge": (3, 1)})
    assert found.missing([(0, 3)]) == []
    assert found.missing([(0, 2), (2, 3)]) == [(2, 3)]


@pytest.mark.parametrize("seed", range(3))
def test_cheapest_is_the_least_of_all_paths(seed):
    rng = np.random.default_rng(seed)
    costs = np.where(rng.random((6, 6)) < 0.4, np.inf, np.round(rng.random((6, 6)), 2))
    costs = np.minimum(costs, costs.T)
    for together, total in ((np.add, sum), (np.maximum, max)):
        way = cheapest(costs, 0, 5, together=together)
        every = [
            (0, *middle, 5)
            for k in range(5)
            for middle in itertools.permutations(range(1, 5), k)
        ]  # fmt: skip
        best = min(total(costs[i, j] for i, j in itertools.pairwise(path)) for path in every)
        if np.isinf(best):
            assert way == [0]
        else:
            found = total(costs[i, j] for i, j in itertools.pairwise(way))
            np.testing.assert_allclose(found, best, rtol=1e-12)
