"""Which unit of one network is which unit of another: linear assignment, layer by layer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from optax.assignment import hungarian_algorithm

from jaxnn.landscape.units import ROTATED, SIGNED, Element, incoming, moved
from jaxnn.numerics import key_of

MOST_ENUMERATED = 4096
"""Elements of all hidden layers but one that are tried one after another, for an exact match."""

RANDOM_STARTS = 5
"""Beside the three starts that look at the weights, where the match is not exact."""

MOST_SWEEPS = 100
TILE = 64


def assign(similarity: Array, *, signed: bool) -> tuple[Array, Array]:
    """The (order, signs), each (units,), that maximise sum_i signs_i similarity_i,order_i.

    Without `signed` all signs are 1. Exact, by the Hungarian algorithm, units^3 operations. An
    entry that is not finite counts as 0, so that it spoils no other match.
    """
    similarity = jnp.where(jnp.isfinite(similarity), similarity, 0.0)
    gain = jnp.abs(similarity) if signed else similarity
    rows, columns = hungarian_algorithm(-gain)
    order = jnp.zeros(len(similarity), columns.dtype).at[rows].set(columns)
    chosen = jnp.take_along_axis(similarity, order[:, None], axis=1)[:, 0]
    return order, jnp.where((chosen < 0) & signed, -1.0, 1.0).astype(similarity.dtype)


def nearest_element(similarity: Array, kind: str) -> Element:
    """The element of the layer's group that maximises its inner product with the similarity.

    For rotated layers the orthogonal Procrustes solution U V^T (Schoenemann 1966).
    """
    if kind in ROTATED:
        U, _, V = jnp.linalg.svd(similarity)
        return U @ V
    return assign(similarity, signed=kind in SIGNED)


def match(a: list, b: list, kinds: Sequence[str]) -> list:
    """The image of b nearest to a, both in centred and balanced coordinates.

    Every motion keeps lengths there, so |a - g b|^2 = |a|^2 + |b|^2 - 2 <a, g b>, and given the
    other layers the best motion of one is an assignment. Exact for one hidden layer, and where the
    elements of all but one are at most MOST_ENUMERATED. Otherwise the assignments are repeated
    layer by layer until none improves (Ainsworth et al. 2023, algorithm 1, here with signs) from
    eight starts: the nearest found, so its distance is an upper bound.
    """
    if not kinds:
        return b
    rotated = [n for n, kind in enumerate(kinds) if kind in ROTATED]
    widths = [len(W) for W, _ in b[:-1]]
    free = rotated[0] if rotated else int(np.argmax(widths))
    others = [n for n in range(len(kinds)) if n != free]
    sizes = [group_order(widths[n], kinds[n]) for n in others]
    if len(rotated) < 2 and math.prod(sizes) <= MOST_ENUMERATED:
        return _by_enumeration(a, b, kinds, free)
    starts = _starts(a, b, kinds)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    ends = jax.vmap(lambda start: _descend(a, start, kinds))(stacked)
    best = jnp.argmax(jax.vmap(lambda end: _overlap(a, end))(ends))
    return jax.tree.map(lambda leaf: leaf[best], ends)


def group_order(units: int, kind: str) -> int:
    """The number of elements of a layer's discrete group: 2^H H!, H!, or 1 where it is rotated."""
    if kind in ROTATED:
        return 1
    return math.factorial(units) * (2**units if kind in SIGNED else 1)


def elements(units: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """All orders and signs of a layer, (elements, units) each, the identity first."""
    orders = np.array(list(itertools.permutations(range(units))))
    if kind in ROTATED:
        orders = orders[:1]
    patterns = [1.0, -1.0] if kind in SIGNED else [1.0]
    signs = np.array(list(itertools.product(patterns, repeat=units)))
    return np.repeat(orders, len(signs), axis=0), np.tile(signs, (len(orders), 1))


def products(widths: Sequence[int], kinds: Sequence[str], dtype: Any) -> list[Element]:
    """All elements of several layers' groups together: an (orders, signs) a layer, each with the
    leading axis of the product.
    """
    tables = [elements(units, kind) for units, kind in zip(widths, kinds, strict=True)]
    grid = np.indices([len(orders) for orders, _ in tables]).reshape(len(tables), -1)
    return [
        (jnp.asarray(orders[rows]), jnp.asarray(signs[rows], dtype))
        for (orders, signs), rows in zip(tables, grid, strict=True)
    ]


def _similarity(a: list, b: list, n: int, *, inside: bool = True, outside: bool = True) -> Array:
    """<incoming_i, incoming_j> + <outgoing_i, outgoing_j> between units i of a and j of b."""
    total = jnp.zeros((len(a[n][0]), len(b[n][0])), a[n][0].dtype)
    if inside:
        total = total + incoming(a[n]) @ incoming(b[n]).T
    return total + a[n + 1][0].T @ b[n + 1][0] if outside else total


def _overlap(a: list, b: list) -> Array:
    """The inner product of two networks as vectors."""
    return sum(
        (jnp.vdot(p, q) for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)),
        start=jnp.zeros((), a[0][0].dtype),
    )


def _improved(a: list, b: list, kinds: Sequence[str], n: int) -> list:
    """Network b with layer n moved as near to a as the others allow."""
    return moved(b, n, nearest_element(_similarity(a, b, n), kinds[n]))


def _by_enumeration(a: list, b: list, kinds: Sequence[str], free: int) -> list:
    others = [n for n in range(len(kinds)) if n != free]
    if not others:
        return _improved(a, b, kinds, free)

    def image(parts: list) -> list:
        acted = b
        for n, part in zip(others, parts, strict=True):
            acted = moved(acted, n, part)
        return _improved(a, acted, kinds, free)

    every = products([len(b[n][0]) for n in others], [kinds[n] for n in others], b[0][0].dtype)
    overlaps = jax.lax.map(lambda parts: _overlap(a, image(parts)), every, batch_size=TILE)
    best = jnp.argmax(overlaps)
    return image(jax.tree.map(lambda leaf: leaf[best], every))


def _descend(a: list, b: list, kinds: Sequence[str]) -> list:
    """Assignments layer by layer until a sweep no longer brings b nearer to a."""
    slack = 16.0 * jnp.finfo(a[0][0].dtype).eps * (_overlap(a, a) + _overlap(b, b))

    def sweep(state: tuple) -> tuple:
        b, now, _, sweeps = state
        for n in range(len(kinds)):
            b = _improved(a, b, kinds, n)
        return b, _overlap(a, b), now, sweeps + 1

    def going(state: tuple) -> Array:
        _, now, before, sweeps = state
        return (now > before + slack) & (sweeps < MOST_SWEEPS)

    start = (b, _overlap(a, b), jnp.full_like(slack, -jnp.inf), jnp.asarray(0))
    return jax.lax.while_loop(going, sweep, start)[0]


def _starts(a: list, b: list, kinds: Sequence[str]) -> list[list]:
    """Network b as it is; matched from the inputs on by incoming weights alone, and from the
    outputs back by outgoing ones, which both find b if it is an image of a; and at random, by
    a fixed key.
    """
    forwards, backwards = b, b
    for n in range(len(kinds)):
        element = nearest_element(_similarity(a, forwards, n, outside=False), kinds[n])
        forwards = moved(forwards, n, element)
    for n in reversed(range(len(kinds))):
        element = nearest_element(_similarity(a, backwards, n, inside=False), kinds[n])
        backwards = moved(backwards, n, element)
    starts = [b, forwards, backwards]
    for key in jax.random.split(key_of(0), RANDOM_STARTS):
        start = b
        for n, layer_key in enumerate(jax.random.split(key, len(kinds))):
            start = (
                start if kinds[n] in ROTATED else moved(start, n, _drawn(b, kinds, n, layer_key))
            )
        starts.append(start)
    return starts


def _drawn(b: list, kinds: Sequence[str], n: int, key: Array) -> Element:
    """A random element of layer n's group."""
    order_key, sign_key = jax.random.split(key)
    W = b[n][0]
    signs = jax.random.rademacher(sign_key, (len(W),), W.dtype)
    order = jax.random.permutation(order_key, len(W))
    return order, signs if kinds[n] in SIGNED else jnp.ones_like(signs)
