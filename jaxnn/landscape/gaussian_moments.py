"""Gaussian moments of the activations, by a quadrature that no variance spoils and in closed form
for relu and identity: what mean-field theory is made of.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from jaxnn.activations import ACTIVATIONS, Activation
from jaxnn.vocabulary import lookup

Number = float | Array
Function = Callable[[Array], Array]

POINTS = 97
"""Of a quadrature, in each direction."""
REACH = 8.5
"""Standard deviations that it covers: beyond them lies 2e-17 of a Gaussian."""


def gaussian_rule(mean: Number, variance: Number) -> tuple[Array, Array]:
    """Nodes u and weights, (POINTS,) each, with E f(u) = sum weights f(nodes) for u ~ N(mean,
    variance), in float64 to about 1e-14 for smooth activations f, however large the variance.

    The trapezoidal rule in t, where u = sinh t. It converges like e^(-2 pi a / h) at step h, a the
    distance of the nearest singularity (Trefethen & Weideman 2014, theorem 5.1). In t that distance
    does not shrink with the variance, as it does in u / sd, where tanh has poles at pi i / (2 sd):
    Gauss-Hermite fails there. The weights are scaled to sum to 1.
    """
    mean, variance = jnp.asarray(mean), jnp.asarray(variance)
    kind = jnp.finfo(jnp.result_type(mean, variance, 0.0))
    # narrower than the mean's rounding a Gaussian is as good as a point; u^2 must not underflow
    narrowest = jnp.maximum(kind.eps * jnp.square(mean), math.sqrt(kind.tiny))
    sd = jnp.sqrt(jnp.maximum(variance, narrowest))
    low, high = jnp.arcsinh(mean - REACH * sd), jnp.arcsinh(mean + REACH * sd)
    t = low + (high - low) * jnp.linspace(0.0, 1.0, POINTS, dtype=kind.dtype)
    nodes = jnp.sinh(t)
    weights = jnp.cosh(t) * jnp.exp(-0.5 * jnp.square((nodes - mean) / sd))
    return nodes, weights / jnp.sum(weights)


def _expected(f: Function, q: Number) -> Array:
    """E f(u), u ~ N(0, q)."""
    nodes, weights = gaussian_rule(0.0, q)
    return jnp.sum(weights * f(nodes))


@dataclasses.dataclass(frozen=True)
class Moments:
    """What of an activation s the theory needs, for u, v ~ N(0, q) with correlation c.

    square: q -> E s(u)^2. slope: q -> E s'(u)^2. growth: q -> d/dq E s(u)^2. products: (q, c) -> E
    s(u) s(v) and E s'(u) s'(v). most: the supremum of s^2.
    """

    square: Callable[[Number], Array]
    slope: Callable[[Number], Array]
    growth: Callable[[Number], Array]
    products: Callable[[Number, Number], tuple[Array, Array]]
    most: float


def _by_quadrature(sigma: Activation, most: float) -> Moments:
    def growth(q: Number) -> Array:
        # d/dq E s(sqrt(q) z)^2 = E s(u) s'(u) z / sqrt(q), and z / sqrt(q) = u / q
        nodes, weights = gaussian_rule(0.0, q)
        value, slope = sigma.both(nodes)
        return jnp.sum(weights * value * slope * nodes) / jnp.sum(weights * jnp.square(nodes))

    def products(q: Number, c: Number) -> tuple[Array, Array]:
        # given u, v is N(c u, q (1 - c^2))
        nodes, weights = gaussian_rule(0.0, q)
        rest = q * (1.0 - c) * (1.0 + c)

        def given(u: Array) -> tuple[Array, Array]:
            inner, inner_weights = gaussian_rule(c * u, rest)
            value, slope = sigma.both(inner)
            return jnp.sum(inner_weights * value), jnp.sum(inner_weights * slope)

        value, slope = sigma.both(nodes)
        inner_value, inner_slope = jax.vmap(given)(nodes)
        return jnp.sum(weights * value * inner_value), jnp.sum(weights * slope * inner_slope)

    return Moments(
        square=lambda q: _expected(lambda u: jnp.square(sigma.value(u)), q),
        slope=lambda q: _expected(lambda u: jnp.square(sigma.derivative(u)), q),
        growth=growth,
        products=products,
        most=most,
    )


def _relu_products(q: Number, c: Number) -> tuple[Array, Array]:
    """E s s = q (sin t + (pi - t) cos t) / (2 pi) and E s' s' = (pi - t) / (2 pi), with t =
    arccos c (Cho & Saul 2009).
    """
    t = jnp.arccos(c)
    value = q * (jnp.sin(t) + (jnp.pi - t) * c) / (2.0 * jnp.pi)
    return value, (jnp.pi - t) / (2.0 * jnp.pi) * _ones(q)


def _ones(q: Number) -> Array:
    return jnp.ones_like(jnp.asarray(q, jnp.result_type(q, 0.0)))


MOMENTS = {
    "sigmoid": _by_quadrature(ACTIVATIONS["sigmoid"], 1.0),
    "tanh": _by_quadrature(ACTIVATIONS["tanh"], 1.0),
    "erf": _by_quadrature(ACTIVATIONS["erf"], 1.0),
    # a kink has no strip of analyticity, and needs none: these are exact
    "relu": Moments(
        square=lambda q: 0.5 * _ones(q) * q,
        slope=lambda q: 0.5 * _ones(q),
        growth=lambda q: 0.5 * _ones(q),
        products=_relu_products,
        most=np.inf,
    ),
    "identity": Moments(
        square=lambda q: _ones(q) * q,
        slope=_ones,
        growth=_ones,
        products=lambda q, c: (c * q * _ones(q), _ones(q) * _ones(c)),
        most=np.inf,
    ),
}


def moments_of(activation: str, **sigmas: Number) -> Moments:
    """The activation's Moments; the sigmas are checked by name.

    Raises:
        ValueError: an unknown activation; a concrete sigma that is no real number, negative
            or not finite.
    """
    for name, value in sigmas.items():
        if isinstance(value, Tracer):
            continue
        number = np.asarray(value)
        real = any(jnp.issubdtype(number.dtype, kind) for kind in (jnp.floating, jnp.integer))
        if not real or not np.all(np.isfinite(number) & (number >= 0)):
            raise ValueError(f"{name} is {value}: give a finite standard deviation, at least 0")
    return lookup(MOMENTS, activation, what="activation")
