"""Which units are at a limit of their activation, on which cases: what names an attractor at
infinity, where weights grow and only the outputs and this pattern settle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn.activations import ACTIVATIONS
from jaxnn.landscape.units import SIGNED
from jaxnn.losses import LossOn, fitted, outputs_for
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


def signature(loss_fn: LossOn, point: Any) -> tuple[Array, list[Array]]:
    """What settles while weights grow without end: the outputs (cases, outputs), and for each
    hidden layer (units, cases) the side, 1 or -1, on which each unit is on each case.

    Units whose weights go on growing saturate on that side. Equal signatures, up to
    `canonical_sides`, are one attractor, as far as its weights at the end tell.

    Raises:
        ValueError: as `losses.fitted`.
    """
    outputs = outputs_for(point, loss_fn.counted.inputs, activation=loss_fn.activation)
    return outputs, limits(loss_fn, point, slope=2.0)[:-1]


def canonical_sides(sides: list[np.ndarray], kinds: Sequence[str]) -> tuple:
    """The same for all images of a network: units in order of their sides, and where units may be
    flipped with 1 on the first case that has a side.
    """
    layers = []
    for layer, kind in zip(sides, kinds, strict=True):
        rows = []
        for row in np.asarray(layer, int):
            leading = row[np.flatnonzero(row)[:1]]
            flips = kind in SIGNED and len(leading) and leading[0] < 0
            rows.append(tuple((-row if flips else row).tolist()))
        layers.append(tuple(sorted(rows)))
    return tuple(layers)
