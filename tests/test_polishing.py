"""An end point is taken to the stationary point that is there, known in closed form, to 40 digits
or from published tables; or told to be a plateau, a kink, or unfinished.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import mpmath
import numpy as np
import oracles
import pytest
import scipy.optimize
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import data
from jaxnn.landscape.polishing import Ending, polish
from jaxnn.landscape.quadratics import FLOOR

EPS = 2.0**-52


pytestmark = pytest.mark.usefixtures("x64")


def polished(loss_fn, point, **settings):
    """From a float64 start, on the host."""
    point = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), point)
    return jax.tree.map(np.asarray, jax.jit(lambda p: polish(loss_fn, p, **settings))(point))


def test_all_nine_points_of_himmelblau_are_found_from_beside_them_under_vmap():
    """Each from 0.01 beside it: nearer than any other, so it is what is there, saddles too."""
    known = np.array(landscapes.himmelblau_stationary())
    starts = {"x": jnp.asarray(known[:, 0] + 0.01), "y": jnp.asarray(known[:, 1] - 0.01)}
    found = jax.jit(jax.vmap(lambda p: polish(landscapes.himmelblau, p)))(starts)
    assert np.all(found.ending == Ending.stationary)
    # the roots of the polynomials are good to about 1e-14
    np.testing.assert_allclose(found.point["x"], known[:, 0], rtol=1e-11)
    np.testing.assert_allclose(found.point["y"], known[:, 1], rtol=1e-11)
    np.testing.assert_allclose(found.loss, known[:, 2], rtol=1e-12, atol=1e-20)
    np.testing.assert_array_equal(found.index, known[:, 3])
    np.testing.assert_array_equal(found.level, found.loss)
    np.testing.assert_array_equal(found.steps, 0)
    assert np.all(found.zero == 0)
    assert np.all(found.relative_gradient <= FLOOR * EPS)


def test_mueller_browns_points_have_the_published_energies():
    known = np.vstack([landscapes.MUELLER_BROWN_MINIMA, landscapes.MUELLER_BROWN_SADDLES])
    starts = jnp.asarray(known[:, :2] + 0.01)
    found = jax.jit(jax.vmap(lambda p: polish(landscapes.mueller_brown, p)))(starts)
    np.testing.assert_allclose(found.point, known[:, :2], rtol=1e-12)
    np.testing.assert_allclose(found.loss, known[:, 2], rtol=1e-12)
    np.testing.assert_array_equal(found.index, [0, 0, 0, 1, 1])


in_compiled = jax.jit(polish)


def polished_network(loss_fn, point):
    """The same for a landscape that is a tree: compiled once."""
    point = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), point)
    return jax.tree.map(np.asarray, in_compiled(loss_fn, point))


# (x, y) and certified parameters and residual sum of squares of NIST's Ratkowsky2 and Misra1a
NIST = {
    "ratkowsky2": (
        [9, 14, 21, 28, 42, 57, 63, 70, 79],
        [8.930, 10.800, 18.590, 22.330, 39.350, 56.110, 61.730, 64.620, 67.080],
        lambda b, x, m: b[0] / (1 + m.exp(b[1] - b[2] * x)),
        [75.0, 2.5, 0.07],
        [7.2462237576e01, 2.6180768402e00, 6.7359200066e-02],
        8.0565229338e00,
    ),
    "misra1a": (
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1,
         760.0],
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47,
         81.78],
        lambda b, x, m: b[0] * (1 - m.exp(-b[1] * x)),
        [250.0, 5e-4],
        [2.3894212918e02, 5.5015643181e-04],
        1.2455138894e-01,
    ),
}  # fmt: skip


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Fit:
    x: Any
    y: Any
    model: Any = dataclasses.field(metadata={"static": True})

    def residuals(self, point):
        return self.y - self.model(point, self.x, jnp)

    def __call__(self, point):
        return jnp.sum(self.residuals(point) ** 2)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.optimised] * (name == "misra1a")) for name in NIST],
)
def test_published_fits_come_out_to_the_digits_published(name):
    """NIST's statistical reference data sets, from their second start; eleven digits are given.

    In units of the start: misra1a's curvatures are 1e16 apart in those of the tables.
    """
    x, y, units, start, parameters, squares = NIST[name]

    def model(b, x, m):
        return units([unit * p for unit, p in zip(start, b, strict=True)], x, m)

    fit = Fit(jnp.array(x, float), jnp.array(y), model)
    found = polished(fit, jnp.ones(len(start)))
    assert found.ending == Ending.stationary
    assert found.index == 0
    np.testing.assert_allclose(found.point * start, parameters, rtol=2e-10)
    np.testing.assert_allclose(found.loss, squares, rtol=1e-10)
    theirs = scipy.optimize.least_squares(
        lambda b: np.array(y) - model(b, np.array(x), np), np.ones(len(start)),
        xtol=1e-15, ftol=1e-15, gtol=1e-15,
    )  # fmt: skip
    # theirs stops at the root of the precision
    np.testing.assert_allclose(found.point, theirs.x, rtol=1e-6)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_networks_stationary_point_agrees_with_40_digits(index):
    """A minimum and two saddles of XOR, by the essay's recursion and mpmath's findroot. The error
    is the floor of the gradient over the smallest eigenvalue.
    """
    found = polished_network(landscapes.xor_loss(), landscapes.XOR_POINTS[index])
    assert found.ending == Ending.stationary
    assert found.index == index
    flat = ravel_pytree(found.point)[0]
    batch = [np.asarray(part).tolist() for part in landscapes.XOR]

    def gradient(*p):
        layers = [
            ([list(p[0:2]), list(p[2:4])], list(p[4:6])),
            ([list(p[6:8])], None),
        ]
        return oracles.gradient(layers, batch, ("tanh", "tanh"), mpmath.mpf("0.0125"), mpmath)

    with mpmath.workdps(40):
        start = [mpmath.mpf(float(p)) for p in flat]
        exact = mpmath.findroot(gradient, start, tol=1e-60, maxsteps=20)
        assert max(abs(g) for g in gradient(*exact)) < mpmath.mpf(10) ** -35
    smallest = np.abs(found.eigenvalues).min()
    bound = FLOOR * EPS * np.abs(found.eigenvalues).max() * np.linalg.norm(flat) / smallest
    away = np.array([float(e - mpmath.mpf(float(p))) for e, p in zip(exact, flat, strict=True)])
    assert np.linalg.norm(away) <= bound < 1e-10


def test_eigenvalues_and_index_are_numpys_of_the_whole_hessian():
    loss_fn = landscapes.xor_loss()
    found = polished_network(loss_fn, landscapes.XOR_POINTS[2])
    flat, unravel = ravel_pytree(found.point)
    hessian = np.asarray(jax.jit(jax.hessian(lambda p: loss_fn(unravel(p))))(flat))
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(hessian), atol=1e-13)
    assert found.index == np.sum(np.linalg.eigvalsh(hessian) < -1e-10)
    gradient = np.asarray(jax.grad(lambda p: loss_fn(unravel(p)))(flat))
    np.testing.assert_allclose(found.gradient_norm, np.linalg.norm(gradient), atol=1e-15)
    assert found.gradient_norm < 1e-14


@pytest.mark.parametrize(
    ("loss_fn", "start", "level"),
    [
        (lambda p: jnp.exp(-p), 0.5, 0.0),
        (lambda p: 1.0 + jnp.exp(-p), 0.5, 1.0),
        (lambda p: 1.0 / (1.0 + p**2), 0.5, 0.0),
        (lambda p: 2.0 + 1.0 / (1.0 + p**2), -0.5, 2.0),
        (lambda p: jnp.exp(-p) * (p - 1.0) ** 2, 4.0, 0.0),
    ],
)
def test_a_loss_that_falls_for_ever_is_a_plateau_with_its_limit(loss_fn, start, level):
    """The level is reached to the rounding of the loss, 1e-16 of the first one."""
    found = polished(loss_fn, start)
    assert found.ending == Ending.plateau
    np.testing.assert_allclose(found.level, level, atol=1e-15)
    assert abs(found.point) > 20


def test_the_same_landscape_has_a_minimum_where_it_is_finite():
    """e^-x (x - 1)^2: a minimum at 1, a maximum at 3, and a plateau beyond."""

    def loss_fn(p):
        return jnp.exp(-p) * (p - 1.0) ** 2

    near = polished(loss_fn, 2.0)
    assert near.ending == Ending.stationary
    np.testing.assert_allclose(near.point, 1.0, rtol=1e-12)
    top = polished(loss_fn, 3.01)
    np.testing.assert_allclose(top.point, 3.0, rtol=1e-12)
    assert (top.ending, top.index) == (Ending.stationary, 1)


def test_logistic_outputs_on_0_and_1_have_no_finite_minimum():
    """OR is separable: descent ends on a plateau at 0, with all outputs at their targets."""
    loss_fn = jaxnn.loss_on(data.boolean_or(), activation="sigmoid")
    found = polished(loss_fn, jaxnn.init(jax.random.key(0), (2, 1)))
    assert found.ending == Ending.plateau
    assert found.level == 0.0
    # the minimum of 1/4 per case on average of constant outputs 1/2 is far above
    assert found.loss < 1e-15
    held = dataclasses.replace(loss_fn, l2=0.01)
    found = polished(held, jaxnn.init(jax.random.key(0), (2, 1)))
    assert (found.ending, found.index) == (Ending.stationary, 0)


@pytest.mark.slow
def test_units_that_respond_to_nothing_are_no_minimum():
    """All weights times 1000: the gradient is exactly 0 before the first step."""
    loss_fn = jaxnn.loss_on(data.xor(), activation="sigmoid")
    point = jax.tree.map(lambda w: 1e3 * w, jaxnn.init(jax.random.key(3), (2, 2, 1)))
    found = polished(loss_fn, point)
    assert found.gradient_norm < 1e-15
    assert found.ending == Ending.plateau
    assert found.level > 0.1


@pytest.mark.parametrize(
    ("loss_fn", "start"),
    [
        (lambda p: jnp.sum(jnp.abs(p)) + p[0] ** 2, [0.3, -0.7]),
        (lambda p: jnp.sqrt(jnp.sum(p**2)), [0.3, -0.7]),
        (lambda p: jnp.sqrt(jnp.sum(p**2)), [0.0, 0.0]),  # where the gradient is NaN
        (lambda p: jnp.where(p[0] > 0, p[0] ** 2, 3 * p[0] ** 2) + p[1] ** 2, [0.3, -0.7]),
        (lambda p: jnp.maximum(p[0], 0.0) + 0.5 * p[0] ** 2 - 0.5 * p[0] + p[1] ** 2, [0.3, 1.0]),
    ],
)
def test_a_minimum_without_second_derivative_is_a_kink(loss_fn, start):
    found = polished(loss_fn, jnp.array(start))
    assert found.ending == Ending.kink
    assert found.level == found.loss
    np.testing.assert_allclose(found.point, 0.0, atol=1e-6)


def test_a_relu_network_at_its_crease_is_a_kink():
    """One relu unit without bias on x = +-1 to 1: at w = 0 the slopes differ, and are of opposite
    signs with this penalty, so that the loss has its minimum on the crease.
    """
    batch = jaxnn.Batch(jnp.array([[1.0], [-1.0]]), jnp.array([[0.0], [1.0]]))

    def loss_fn(w):
        return jaxnn.loss([(w[None, None], None), (-jnp.ones((1, 1)), None)], batch,
                          activation=("relu", "identity")) + 0.0 * w  # fmt: skip

    found = polished(loss_fn, jnp.array(0.4))
    assert found.ending == Ending.kink
    np.testing.assert_allclose(found.point, 0.0, atol=1e-6)


def test_a_constant_is_stationary_and_flat():
    found = polished(lambda p: jnp.sum(0 * p) + 3.0, jnp.ones(4))
    assert (found.ending, found.index, found.zero, found.loss) == (0, 0, 4, 3.0)


def test_flat_and_degenerate_points_are_stationary():
    flat = polished(landscapes.ring, {"at": jnp.array([2.0, 1.0])})
    assert (flat.ending, flat.index, flat.zero) == (Ending.stationary, 0, 1)
    np.testing.assert_allclose(np.linalg.norm(flat.point["at"]), 1.0, rtol=1e-12)
    quartic = polished(lambda p: p[0] ** 4 + p[1] ** 2, jnp.array([1.0, 1.0]))
    assert (quartic.ending, quartic.index) == (Ending.stationary, 0)
    # the gradient 4 x^3 is at its floor, 32 eps times the terms of the other mode
    assert abs(quartic.point[0]) < (FLOOR * EPS) ** (1 / 3)


def test_where_the_loss_falls_without_end_no_maximum_is_reported():
    """From 0.1 of -x^2 the maximum at 0 is out of reach of the start, and not where it leads."""
    found = polished(lambda p: -(p**2), jnp.array(0.1))
    assert found.ending == Ending.unfinished
    assert found.loss < -1e6
    there = polished(lambda p: -(p**2), jnp.array(0.0))
    assert (there.ending, there.index) == (Ending.stationary, 1)
    near = polished(lambda p: -((p - 1.0) ** 2), jnp.array(1.01))
    assert (near.ending, near.index, near.point) == (Ending.stationary, 1, 1.0)


def test_no_further_than_the_reach_is_there():
    """From 0.5 of the double well Newton's steps lead to -1: with a reach of 3 of its lengths that
    is there.
    """
    assert polished(landscapes.double_well, 0.9).point == 1.0
    assert polished(landscapes.double_well, 0.5, reach=3.1).point == -1.0
    assert polished(landscapes.double_well, 0.5).point == 1.0


def test_without_steps_only_what_is_there_is_found():
    ends = [polished(landscapes.double_well, p, steps=0) for p in (0.0, 0.99, 0.1)]
    assert [int(end.ending) for end in ends] == [0, 0, Ending.unfinished]
    assert [int(end.index) for end in ends[:2]] == [1, 0]
    assert ends[2].point == 0.1
    assert ends[2].level == ends[2].loss  # last seen, no limit


def test_a_start_a_million_away_comes_back():
    found = polished(landscapes.quadratic(jnp.array([1.0, 3.0]), jnp.array([1.0, 2.0])),
                     jnp.array([1e6, -1e6]))  # fmt: skip
    assert found.ending == Ending.stationary
    np.testing.assert_allclose(found.point, [1.0, 2.0], rtol=1e-9)


def test_a_start_outside_the_landscapes_domain_diverged():
    found = polished(lambda p: jnp.log(p) ** 2, jnp.array(-1.0))
    assert found.ending == Ending.diverged
    inside = polished(lambda p: jnp.log(p) ** 2, jnp.array(3.0))
    assert inside.point == 1.0


def test_float32_has_a_floor_of_its_own():
    start = {"x": jnp.float32(2.5), "y": jnp.float32(2.5)}
    found = jax.jit(lambda p: polish(landscapes.himmelblau, p))(start)
    assert found.ending == Ending.stationary
    assert found.point["x"].dtype == jnp.float32
    assert found.relative_gradient <= FLOOR * np.finfo(np.float32).eps
    np.testing.assert_allclose([found.point["x"], found.point["y"]], [3.0, 2.0], rtol=1e-5)


def test_any_tree_keeps_its_structure():
    def loss_fn(p):
        return landscapes.double_well(p["a"][0]) + jnp.sum((p["b"]["c"] - 1.0) ** 2)

    point = {"a": [jnp.array(0.7)], "b": {"c": jnp.array([[3.0], [4.0]])}}
    found = polished(loss_fn, point)
    assert jax.tree.structure(found.point) == jax.tree.structure(point)
    np.testing.assert_allclose(found.point["a"][0], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.point["b"]["c"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.eigenvalues, [2.0, 2.0, 8.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polish(lambda p: jnp.sum(p**2), jnp.ones(2001)), "2001 parameters.*up to 2000"),
        (lambda: polish(landscapes.double_well, 0.5, steps=-1), "steps is -1: .* at least 0"),
        (lambda: polish(landscapes.double_well, 0.5, reach=0.0), "reach is 0.0: .* above 0"),
        (lambda: polish(landscapes.double_well, jnp.nan), "NaN or infinity: give a finite point"),
        (lambda: polish(landscapes.double_well, 1), "is of int64: wanted floats"),
        (lambda: polish(lambda p: p, jnp.ones(2)), r"the loss has shape \(2,\)"),
        (lambda: polish(lambda p: jnp.float32(0.0), ()), "no leaves"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
