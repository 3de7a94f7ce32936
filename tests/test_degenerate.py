"""Where the Hessian vanishes, as a whole or along a direction, its own largest eigenvalue is no
scale: what counts as 0 there, at every factor of the loss.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn.landscape import curvature, minima, quadratics, symmetries
from jaxnn.landscape.null_directions import nulls
from jaxnn.landscape.polishing import Ending


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Times:
    """A factor times a function."""

    factor: Any
    of: Any = dataclasses.field(metadata={"static": True})

    def __call__(self, p):
        return self.factor * self.of(p)


def monkey(p):
    """Re (x + i y)^3."""
    return p[0] ** 3 - 3 * p[0] * p[1] ** 2


def monkey_of_four(p):
    """Re (x + i y)^4."""
    return p[0] ** 4 - 6 * p[0] ** 2 * p[1] ** 2 + p[1] ** 4


def quartics(p):
    return p[0] ** 4 + p[1] ** 4


def quartic_saddle(p):
    return p[0] ** 4 - p[1] ** 2


def fold(p):
    return p[0] ** 3 - p[1] ** 2


def cubic_beside_a_minimum(p):
    return p[0] ** 2 + p[1] ** 3


def constant(p):
    return 7.0 + 0.0 * p[0]


# landscape -> negative and zero eigenvalues at its one stationary point, or anywhere
KNOWN = {
    monkey: (0, 2), monkey_of_four: (0, 2), quartics: (0, 2), quartic_saddle: (1, 1), fold: (1, 1),
    cubic_beside_a_minimum: (0, 1), constant: (0, 2),
}  # fmt: skip
STARTS = np.array([[1e-3, 0.0], [1e-3, 3e-4], [0.5, 0.3], [0.0, 0.0]])


@functools.cache
def ends(of, factor, way):
    return minima.polish_all(Times(factor, of), STARTS, way=way)


@pytest.mark.parametrize(
    "of",
    [pytest.param(of, marks=[pytest.mark.slow] * (of not in (monkey, constant))) for of in KNOWN],
)
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_a_degenerate_point_is_no_proper_one(of, factor):
    found = ends(of, factor, "nearest")
    assert np.all(found.ending == Ending.stationary)
    negative, zero = KNOWN[of]
    np.testing.assert_array_equal(found.index, negative)
    np.testing.assert_array_equal(found.zero, zero)
    census = minima.distinct(Times(factor, of), found)
    assert set(census.kinds) == {"flat saddle" if negative else "flat"}
    np.testing.assert_array_equal(census.nulls.sum(axis=1), zero)
    assert np.isnan(census.morse_sum)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_descent_that_ends_at_one_says_so_too(factor):
    """Along x the monkey saddle's gradient leads straight to it."""
    found = ends(monkey, factor, "polish")
    assert (found.index[0], found.zero[0]) == (0, 2)
    done = minima.polish(Times(factor, quartics), jnp.array([0.5, 0.3]))
    assert (int(done.index), int(done.zero)) == (0, 2)


@pytest.mark.usefixtures("x64")
def test_null_directions_and_inertia_take_the_same_scale():
    point = jnp.array([1e-9, 0.0])
    group = symmetries.of(monkey)
    assert sum(nulls(monkey, point, group)) == 2
    local = quadratics.local_of(monkey, lambda flat: flat)
    values, close = quadratics.spectrum(local, point, local(point), jnp.asarray(1e-3))
    signs = curvature.inertia(values, tolerance=close)
    assert (int(signs.negative), int(signs.zero), int(signs.positive)) == (0, 2, 0)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("ratio", [1e-2, 1e-4, 1e-6])
def test_a_small_eigenvalue_that_is_the_points_own_keeps_its_sign(ratio):
    """x^2 - ratio y^2, bent by x y^2, and turned: no degenerate point."""

    def loss_fn(q):
        x, y = q[0] + 0.3 * q[1], q[1] - 0.3 * q[0]
        return x**2 - ratio * y**2 + x * y**2

    found = minima.polish_all(loss_fn, np.array([[1e-3, 1e-3], [0.0, 0.0]]) * ratio, way="nearest")
    np.testing.assert_array_equal(found.ending, Ending.stationary)
    np.testing.assert_array_equal(found.index, 1)
    np.testing.assert_array_equal(found.zero, 0)
