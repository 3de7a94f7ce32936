"""One representative for all images of a network: the signs and the order of its hidden units."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn.landscape.units import ROTATED, SIGNED, incoming, moved

TIES = 1000.0
"""Keys nearer than this many rounding errors of the layer's longest row are one key."""


def representative(layers: list, kinds: Sequence[str]) -> list:
    """The same network for all images of this one, from centred and balanced coordinates to the
    same.

    From the first layer to the last: each unit gets the sign that makes its key positive, and units
    are ordered by their keys, which nothing later in the network moves. Rotated layers are turned
    to the principal axes of their units' incoming and outgoing weights.
    """
    for n, kind in enumerate(kinds):
        last = n + 1 == len(kinds)
        if kind in ROTATED:
            layers = moved(layers, n, _principal_axes(layers, n))
        first, second = _keys(layers, n, last)
        close = _rounding(layers, n)
        signs = jnp.ones_like(first)
        if kind in SIGNED or kind in ROTATED:
            leaning = jnp.where(jnp.abs(first) > close, first, second if last else 1.0)
            signs = jnp.where(leaning < 0, -1.0, 1.0).astype(first.dtype)
        if kind in ROTATED:  # already in order, of their lengths
            order = jnp.arange(len(first))
        else:
            second = signs * second if last else second
            order = jnp.lexsort((second, _ranks(signs * first, close)))
        layers = moved(layers, n, (order, signs[order]))
    return layers


def combination(rows: Array) -> Array:
    """sum_k cos(k) rows_ik, k = 1, 2, ...: one number for each row (units, entries).

    cos 1, cos 2, ... are linearly independent over the algebraic numbers (Lindemann and
    Weierstrass), so but for rounding two different rows of floating-point numbers never have the
    same one, and only a row of zeros has 0.
    """
    factors = np.cos(np.arange(1, rows.shape[1] + 1))
    return jnp.sum(rows * jnp.asarray(factors, rows.dtype)[None, :], axis=1)


def _keys(layers: list, n: int, last: bool) -> tuple[Array, Array]:
    """Two numbers a unit that the later layers' groups leave alone: the combination of its incoming
    side; and that of its outgoing side, or before another hidden layer only its length.
    """
    outgoing = layers[n + 1][0].T
    behind = combination(outgoing) if last else jnp.linalg.norm(outgoing, axis=1)
    return combination(incoming(layers[n])), behind


def _rounding(layers: list, n: int) -> Array:
    rows = incoming(layers[n])
    longest = jnp.max(jnp.linalg.norm(rows, axis=1))
    return TIES * jnp.finfo(rows.dtype).eps * longest


def _ranks(keys: Array, close: Array) -> Array:
    """The place of each key among all, with keys that are close in one place."""
    order = jnp.argsort(keys)
    steps = jnp.diff(keys[order]) > close
    places = jnp.concatenate([jnp.zeros(1, int), jnp.cumsum(steps)])
    return jnp.zeros(len(keys), places.dtype).at[order].set(places)


def _principal_axes(layers: list, n: int) -> Array:
    """U^T of [incoming, outgoing^T] = U S V^T, (units, units)."""
    rows = jnp.concatenate([incoming(layers[n]), layers[n + 1][0].T], axis=1)
    return jnp.linalg.svd(rows, full_matrices=rows.shape[0] > rows.shape[1])[0].T
