"""Activation functions, each with its derivative derived by hand beside it.

Every pair is (sigma(u), sigma'(u)) on arrays of any shape. The derivatives are written so that they
keep their leading digits in the tails, where the textbook forms o (1 - o) and 1 - o^2 lose them
all: sigma' of the sigmoid is finite and positive in float32 for |u| <= 87, and those of tanh and
erf for as long as their true values are float32 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import erf as _erf

from jaxnn.vocabulary import lookup


class Activation(NamedTuple):
    """sigma, its derivative sigma', both at once where they share work, and the largest value that
    the derivative takes.
    """

    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    both: Callable[[Array], tuple[Array, Array]]
    steepest: float


def sigmoid(u: Array) -> Array:
    """sigma(u) = 1 / (1 + e^-u), the essay's activation (section 2), of any shape.

    Evaluated with the exponential of -|u|, which cannot overflow: 1 / (1 + e) for u >= 0 and e / (1
    + e) below. In this form automatic differentiation, too, keeps its digits where the output
    rounds to 1.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (Array(0.5, dtype=float32, weak_type=True), Array(0., dtype=float32, weak_type=True))
    """
    e = jnp.exp(jnp.where(u >= 0, -u, u))
    return jnp.where(u >= 0, 1.0, e) / (1.0 + e)


def sigmoid_derivative(u: Array) -> Array:
    """sigma'(u) = e^-u / (1 + e^-u)^2 (essay, section 5).

    sigma = (1 + e^-u)^-1, so by the chain rule sigma' = -(1 + e^-u)^-2 (-e^-u). The quotient is
    even in u (multiply both sides of the bar by e^2u), so -|u| may stand for -u: e^-|u| <= 1
    neither overflows nor cancels.
    """
    e = jnp.exp(-jnp.abs(u))
    return e / ((1.0 + e) * (1.0 + e))


def sigmoid_both(u: Array) -> tuple[Array, Array]:
    """(sigma(u), sigma'(u)) from one exponential and one division, for the reverse sweep.

    With t = e^-u: sigma = 1 / (1 + t), 1 - sigma = t sigma without cancellation, and sigma' = (t
    sigma) sigma. Below about -87 (float32; -708 in float64), where e^-u would overflow, u is taken
    as that.
    """
    most = math.log(float(jnp.finfo(u.dtype).max)) - 1.0
    t = jnp.exp(jnp.minimum(-u, most))
    value = 1.0 / (1.0 + t)
    return value, (t * value) * value


def tanh(u: Array) -> Array:
    """The hyperbolic tangent of u = 2 sigma(2u) - 1."""
    return jnp.tanh(u)


def tanh_derivative(u: Array) -> Array:
    """tanh'(u) = 1 / cosh(u)^2 = 4 e^-2u / (1 + e^-2u)^2.

    tanh(u) = 2 sigma(2u) - 1, so tanh'(u) = 4 sigma'(2u).
    """
    return 4.0 * sigmoid_derivative(2.0 * u)


def relu(u: Array) -> Array:
    """The positive part of u; its derivative at 0 is taken as 0, by hand and by automatic
    differentiation alike.
    """
    return jnp.where(u <= 0, 0.0, u)


def relu_derivative(u: Array) -> Array:
    """relu'(u) = 1 where u > 0, else 0."""
    return jnp.where(u > 0, jnp.ones_like(u), 0.0)


def erf(u: Array) -> Array:
    """The error function, (2 / sqrt(pi)) times the integral of e^(-t^2) from 0 to u."""
    return _erf(u)


def erf_derivative(u: Array) -> Array:
    """erf'(u) = (2 / sqrt(pi)) e^(-u^2), by the fundamental theorem of calculus."""
    return (2.0 / math.sqrt(math.pi)) * jnp.exp(-u * u)


def identity(u: Array) -> Array:
    """The value u itself: a linear layer."""
    return u


def identity_derivative(u: Array) -> Array:
    """identity'(u) = 1."""
    return jnp.ones_like(u)


Function = Callable[[Array], Array]


def _apart(value: Function, derivative: Function, steepest: float) -> Activation:
    """An activation whose value and derivative share no work."""
    return Activation(value, derivative, lambda u: (value(u), derivative(u)), steepest)


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_derivative, sigmoid_both, 0.25),
    "tanh": _apart(tanh, tanh_derivative, 1.0),
    "relu": _apart(relu, relu_derivative, 1.0),
    "erf": _apart(erf, erf_derivative, 2.0 / math.sqrt(math.pi)),
    "identity": _apart(identity, identity_derivative, 1.0),
}


def per_layer(activation: str | tuple[str, ...], layers: int) -> tuple[Activation, ...]:
    """One Activation per layer, from one name for all of them or a tuple of one name per layer.

    Raises:
        ValueError: an unknown name, or a tuple whose length is not the number of layers.
    """
    names = (activation,) * layers if isinstance(activation, str) else tuple(activation)
    if len(names) != layers:
        raise ValueError(
            f"activation has {len(names)} names {names} but the network has {layers} layers: "
            "give one name, or one per layer"
        )
    return tuple(lookup(ACTIVATIONS, name, what="activation") for name in names)
