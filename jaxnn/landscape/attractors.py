"""Which units are at a limit of their activation, on which cases: what names an attractor at
infinity, where weights grow and only the outputs and this pattern settle.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxnn.activations import ACTIVATIONS
from jaxnn.losses import LossOn, fitted
from jaxnn.vocabulary import Landscape

BOUNDED = tuple(ACTIVATIONS[name] for name in ("sigmoid", "tanh", "erf"))
AT_LIMIT = 1e-12
"""A unit with less than this part of its steepest slope responds to nothing in float64."""


def limits(loss_fn: LossOn, point: Any, *, slope: float = AT_LIMIT) -> list[Array]:
    """For each layer (units, cases): 1 or -1 where a unit is at the upper or lower limit of its
    activation, 0 where it is not, or its activation has no limits.

    slope: at a limit is what has less than this part of the activation's steepest slope.

    Raises:
        ValueError: as `losses.fitted`.
    """
    layers, batch = fitted(point, loss_fn.counted, loss_fn.activation)
    v, found = batch.inputs.T, []
    for W, b, sigma in layers:
        u = W @ v if b is None else W @ v + b[:, None]
        flat = sigma.derivative(u) < slope * sigma.steepest
        found.append(jnp.where(flat, jnp.sign(u), 0.0) if sigma in BOUNDED else jnp.zeros_like(u))
        v = sigma.value(u)
    return found


def at_infinity(loss_fn: Landscape, point: Any) -> Array:
    """Whether a network's gradient vanishes because units are at their limits: some unit is on all
    cases, or all outputs are on some case. A bool; False for what is no `loss_on`.
    """
    if not isinstance(loss_fn, LossOn):
        return jnp.zeros((), bool)
    *hidden, outputs = (jnp.abs(found) for found in limits(loss_fn, point))
    dead = [jnp.any(jnp.all(layer > 0, axis=1)) for layer in hidden]
    return jnp.any(jnp.stack([jnp.any(jnp.all(outputs > 0, axis=0)), *dead]))
