"""The mean-field maps are the Gaussian integrals that they stand for, and their fixed points the
published ones.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxnn.landscape import gaussian_moments, propagation

pytestmark = pytest.mark.usefixtures("x64")

FUNCTIONS = {
    "tanh": (mpmath.tanh, lambda u: mpmath.sech(u) ** 2),
    "sigmoid": (lambda u: 1 / (1 + mpmath.exp(-u)), lambda u: mpmath.sech(u / 2) ** 2 / 4),
}
maps = jax.jit(
    lambda q, w, b, activation: (
        propagation.length_map(q, activation=activation, sigma_w=w, sigma_b=b),
        propagation.chi(q, activation=activation, sigma_w=w),
    ),
    static_argnums=3,
)
erf_products = jax.jit(gaussian_moments.MOMENTS["erf"].products)
correlation_map = jax.jit(propagation.correlation_map, static_argnames="activation")


@functools.cache
def grid_of(activation):
    """One compiled phase diagram for all tests: sigma_w and sigma_b of the same length."""

    def one(w, b):
        return propagation.phase(activation=activation, sigma_w=w, sigma_b=b)

    return jax.jit(jax.vmap(one))


def phases(activation, *pairs):
    """At most six (sigma_w, sigma_b), padded to six so that the shape stays."""
    padded = np.array([*pairs, *[pairs[0]] * (6 - len(pairs))])
    found = grid_of(activation)(*padded.T)
    return jax.tree.map(lambda a: np.asarray(a)[: len(pairs)], found)


def integral(f, q):
    """E f(u) by adaptive quadrature to 20 digits, u ~ N(0, q)."""
    with mpmath.workdps(20):
        sd = mpmath.sqrt(q)
        ends = sorted({-12 * sd, -3, 0, 3, 12 * sd} if sd > 1 else {-12 * sd, 0, 12 * sd})
        weight = 1 / (sd * mpmath.sqrt(2 * mpmath.pi))
        found: Any = mpmath.quad(lambda u: f(u) * mpmath.exp(-u * u / (2 * q)) * weight, ends)
        return float(found)


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("q", [1e-3, 1.0, 100.0])
def test_the_length_map_and_chi_are_their_integrals(activation, q):
    value, slope = FUNCTIONS[activation]
    length, chi = maps(q, 1.3, 0.4, activation)
    wanted = 1.69 * integral(lambda u: value(u) ** 2, q) + 0.16
    np.testing.assert_allclose(length, wanted, rtol=1e-12)
    np.testing.assert_allclose(chi, 1.69 * integral(lambda u: slope(u) ** 2, q), rtol=1e-12)


@pytest.mark.parametrize("q", [0.01, 2.0, 1e4])
def test_erf_has_williams_closed_forms(q):
    """E erf(u) erf(v) = (2 / pi) arcsin(2 q c / (1 + 2 q)), and its derivative by q c, which is E
    erf'(u) erf'(v) (Williams 1997; Price 1958).
    """
    length, chi = maps(q, 1.0, 0.0, "erf")
    np.testing.assert_allclose(length, 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)), rtol=1e-12)
    np.testing.assert_allclose(chi, 4 / np.pi / np.sqrt(1 + 4 * q), rtol=1e-12)
    for c in (-0.9, 0.0, 0.5, 0.999, 1 - 1e-9, 1.0):
        product, slopes = erf_products(q, c)
        arcsine = 2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q))
        np.testing.assert_allclose(product, arcsine, rtol=1e-12, atol=1e-15)
        root = np.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2)
        # at 1 - c = 1e-9 and q = 1e4 the nodes of v are eps |u| off in units of sqrt(2e-5)
        np.testing.assert_allclose(slopes, 4 / np.pi / root, rtol=1e-11)
        mapped = correlation_map(c, q, activation="erf", sigma_w=1.0)
        np.testing.assert_allclose(mapped * length, arcsine, rtol=1e-12, atol=1e-15)


def test_relu_and_identity_have_closed_forms():
    draws = np.random.default_rng(0).multivariate_normal([0, 0], [[2, 1.2], [1.2, 2]], 400_000)
    u, v = draws.T
    product, slopes = gaussian_moments.MOMENTS["relu"].products(2.0, 0.6)
    # means of 400,000: four standard errors
    for found, each in (
        (product, np.maximum(u, 0) * np.maximum(v, 0)),
        (slopes, 1.0 * (u > 0) * (v > 0)),
    ):
        assert abs(found - each.mean()) < 4 * each.std() / 400_000**0.5
    np.testing.assert_allclose(maps(2.0, 3.0, 1.0, "relu"), [9 * 2 / 2 + 1, 9 / 2], rtol=1e-12)
    np.testing.assert_allclose(maps(2.0, 3.0, 1.0, "identity"), [19, 9], rtol=1e-12)
    np.testing.assert_allclose(
        correlation_map(0.6, 2.0, activation="identity", sigma_w=1.0, sigma_b=1.0),
        (0.6 * 2 + 1) / 3,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        correlation_map(0.0, 2.0, activation="relu", sigma_w=1.0), 1 / np.pi, rtol=1e-12
    )


def test_tanh_without_bias_is_critical_exactly_at_sigma_w_1():
    """Poole et al. 2016; q* = sigma_w^2 - 1 + O(q^2) above it, as E tanh^2 = q - 2 q^2 + ..."""
    found = phases("tanh", (0.5, 0), (0.999999, 0), (1, 0), (1.000001, 0), (1.5, 0))
    np.testing.assert_array_equal(found.length[:3], 0.0)
    np.testing.assert_allclose(found.chi[:3], [0.25, 0.999999**2, 1.0], rtol=1e-14)
    np.testing.assert_allclose(found.length[3], 1e-6, rtol=1e-5)
    # E tanh^2 = q - 2 q^2 + 17 q^3 / 3, E sech^4 = 1 - 2 q + 7 q^2: chi_1 - 1 = 4 q^2 / 3
    assert 0 < found.chi[3] - 1 < 2e-12
    assert found.chi[4] > 1
    np.testing.assert_allclose(found.length_depth[0], -1 / np.log(0.25), rtol=1e-12)
    assert found.length_depth[2] > 1e12
    assert found.correlation_depth[2] > 1e12
    np.testing.assert_allclose(found.correlation[3:], 0.0, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_the_fixed_points_stay_where_they_are_and_the_depths_are_the_slopes_there(activation):
    pairs = [(0.7, 0.3), (1.5, 0.05), (2.5, 0.5), (8.0, 0.1), (30.0, 0.0)]
    found = phases(activation, *pairs)
    assert {True, False} == set((found.chi > 1).tolist())
    for k, (w, b) in enumerate(pairs):
        q, c = found.length[k], found.correlation[k]
        step = 1e-5 * q
        low, (here, chi), high = (maps(q + s, w, b, activation) for s in (-step, 0.0, step))
        np.testing.assert_allclose(here, q, rtol=1e-12)
        np.testing.assert_allclose(found.chi[k], chi, rtol=1e-12)
        assert (c == 1) == (chi <= 1)
        settings = {"activation": activation, "sigma_w": w, "sigma_b": b}
        np.testing.assert_allclose(correlation_map(c, q, **settings), c, rtol=1e-11, atol=1e-12)
        # difference quotients: V is smooth, so the central one errs by step^2, 1e-9 of it
        slope = (high[0] - low[0]) / (2 * step)
        np.testing.assert_allclose(found.length_depth[k], -1 / np.log(slope), rtol=1e-6)
        ends = (c - 1e-5, c if c == 1 else c + 1e-5)
        left, right = (correlation_map(end, q, **settings) for end in ends)
        np.testing.assert_allclose(
            found.correlation_depth[k], -1 / np.log((right - left) / (ends[1] - ends[0])), rtol=2e-3
        )


def test_what_layers_tend_to_is_the_fixed_point():
    """A hundred layers of both maps from elsewhere, in order and in chaos."""
    for pair in ((0.8, 0.5), (2.0, 0.3)):
        found = phases("tanh", pair)
        settings = {"activation": "tanh", "sigma_w": pair[0], "sigma_b": pair[1]}
        q, c = 5.0, 0.3
        for _ in range(100):
            q, c = maps(q, *pair, "tanh")[0], correlation_map(c, found.length[0], **settings)
        np.testing.assert_allclose(q, found.length[0], rtol=1e-12)
        np.testing.assert_allclose(c, found.correlation[0], rtol=1e-6)


def test_relu_is_critical_at_sigma_w_squared_2_and_grows_without_bound_above():
    found = phases("relu", (1.0, 0.1), (1.0, 0.0), (1.5, 0.1))
    np.testing.assert_allclose(found.length, [0.02, 0.0, np.inf], rtol=1e-12)
    np.testing.assert_allclose(found.chi, [0.5, 0.5, 1.125], rtol=1e-12)
    np.testing.assert_array_equal(found.correlation, [1.0, np.nan, np.nan])
    np.testing.assert_allclose(found.length_depth, [1 / np.log(2)] * 2 + [np.inf], rtol=1e-12)
    linear = phases("identity", (1.0, 0.0), (0.5, 1.0))
    np.testing.assert_allclose(linear.length, [np.nan, 4 / 3], rtol=1e-12)


def test_float32_gives_seven_digits():
    """Of the widest range of lengths; the rule's own error is below float32's rounding."""
    for q in (1e-6, 1.0, 1e4):
        length = maps(jnp.float32(q), jnp.float32(1.0), jnp.float32(0.0), "erf")[0]
        assert length.dtype == jnp.float32
        exact = 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
        np.testing.assert_allclose(length, exact, rtol=2e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: propagation.length_map(1.0, activation="tanhh", sigma_w=1.0),
            "unknown activation 'tanhh'.*did you mean 'tanh'",
        ),
        (
            lambda: propagation.phase(activation="tanh", sigma_w=-1.0),
            "sigma_w is -1.0: give a finite standard deviation",
        ),
        (
            lambda: propagation.chi(1.0, activation="tanh", sigma_w="x"),  # pyright: ignore[reportArgumentType]
            "sigma_w is x: give a finite standard deviation",
        ),
        (
            lambda: propagation.fixed_point(activation="tanh", sigma_w=1.0, sigma_b=np.nan),
            "sigma_b is nan",
        ),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
