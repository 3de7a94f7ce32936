"""Hidden units and what moves them without changing the network: coordinates in which every such
motion is an isometry.

A network is here a list of (weights, biases or None), one pair a layer; `kinds` has one word a
hidden layer, from `kinds_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

SIGNED = ("signs", "logistic")
ROTATED = ("linear", "orthogonal")
MOST_SWEEPS = 1000
"""Of balancing, where neighbouring layers wait for one another: six relu layers of 20 units took
fewer than 200 in float64."""

Element = Any  # (order, signs) of a layer whose units are permuted, or an orthogonal matrix


def kinds_of(names: Sequence[str], biases: Sequence[bool], penalised: bool) -> tuple[str, ...]:
    """What moves the units of each hidden layer and leaves the loss alone, a word a layer.

        activation   l2 = 0                                     l2 > 0
        tanh, erf    signs: permutations and sign flips         signs
        sigmoid      logistic: the same about the value 1/2,    permutations
                     if the next layer has biases; otherwise
                     permutations
        relu         scaling: permutations and positive scales  permutations
        identity     linear: GL(units), and translations if     orthogonal: O(units)
                     the layer and the next have biases

    `names` and `biases` (whether it has them) are of all layers, the last included.
    """
    free = {"relu": "scaling", "identity": "linear"}
    held = {"relu": "permutations", "identity": "orthogonal", "sigmoid": "permutations"}
    kinds = []
    for name, next_has_biases in zip(names[:-1], biases[1:], strict=True):
        if name in ("tanh", "erf"):
            kinds.append("signs")
        elif name == "sigmoid" and not penalised:
            kinds.append("logistic" if next_has_biases else "permutations")
        else:
            kinds.append((held if penalised else free)[name])
    return tuple(kinds)


def incoming(layer: tuple) -> Array:
    """Weights and biases side by side, (units, inputs + 1), or the weights alone."""
    W, b = layer
    return W if b is None else jnp.concatenate([W, b[:, None]], axis=1)


def _split(layer: tuple, joined: Array) -> tuple:
    """The inverse of `incoming`, in the shape of this layer."""
    return (joined, None) if layer[1] is None else (joined[:, :-1], joined[:, -1])


def centred(layers: list, kinds: Sequence[str], *, back: bool = False) -> list:
    """The network with c = b + sum_j v_j / 2 in place of the biases b that follow logistic units;
    `back` undoes it.

    sigma(u) = 1/2 + tanh(u / 2) / 2. The halves of a layer's units, carried by the outgoing weights
    v_j, are a constant, which c collects. What is left is odd, so the flip of a unit, (w, b, v_j)
    -> (-w, -b, -v_j) with next bias + v_j, changes signs and leaves c alone.
    """
    result = list(layers)
    for number, kind in enumerate(kinds):
        if kind == "logistic":
            W, b = result[number + 1]
            half = 0.5 * jnp.sum(W, axis=1)
            result[number + 1] = (W, b - half if back else b + half)
    return result


def moved(layers: list, number: int, element: Element) -> list:
    """The network whose hidden layer `number` is moved: unit i becomes signs_i times unit order_i,
    or sum_j Q_ij times unit j; what comes out of the units moves along.

    In centred coordinates this keeps all lengths, and as a function the network is the same.
    """
    (W, b), (after, c) = layers[number], layers[number + 1]
    if isinstance(element, tuple):
        order, signs = element
        W, b = signs[:, None] * W[order], None if b is None else signs * b[order]
        after = after[:, order] * signs[None, :]
    else:
        W, b, after = element @ W, None if b is None else element @ b, after @ element.T
    return [*layers[:number], (W, b), (after, c), *layers[number + 2 :]]


def scaled(layers: list, number: int, factors: Array) -> list:
    """The network with the incoming side of each unit of a hidden layer times its factor, and the
    outgoing side divided by it.
    """
    (W, b), (after, c) = layers[number], layers[number + 1]
    here = (factors[:, None] * W, None if b is None else factors * b)
    return [*layers[:number], here, (after / factors[None, :], c), *layers[number + 2 :]]


def balanced(layers: list, kinds: Sequence[str]) -> tuple[list, list]:
    """The network in which every unit that may be scaled has |incoming, bias| = |outgoing|, and the
    factors (units,) that did it, a layer each (None where nothing is scaled).

    That is the point of the orbit with the smallest sum of squares (Du, Hu & Lee 2018 for the
    balance that gradient flow keeps). A unit with one side zero gets length 1 on the other: its
    infimum is not attained. Linear layers: with M = outgoing @ incoming = U S V^T, incoming
    sqrt(S) V^T and outgoing U sqrt(S), which is the smallest again, up to a rotation; their own
    biases move into the next layer's where it has some. It is a limit of images where M has a lower
    rank than a side, and the same function always.

    One layer is done at once, several by sweeps until nothing changes: accurate to rounding
    divided by 1 - rate.
    """
    free = [n for n, kind in enumerate(kinds) if kind in ("scaling", "linear")]
    layers = list(layers)
    for n in (n for n in free if kinds[n] == "linear"):
        (W, b), (after, c) = layers[n], layers[n + 1]
        if b is not None and c is not None:
            layers[n], layers[n + 1] = (W, jnp.zeros_like(b)), (after, c + after @ b)
    factors = [jnp.ones_like(layers[n][0][:, 0]) if k == "scaling" else None
               for n, k in enumerate(kinds)]  # fmt: skip
    if not free:
        return layers, factors

    def sweep(state: tuple) -> tuple:
        layers, factors, _, sweeps = state
        factors, change = list(factors), jnp.zeros((), layers[0][0].dtype)
        for n in free:
            if kinds[n] == "scaling":
                factor = _balancing(layers[n], layers[n + 1])
                layers, factors[n] = scaled(layers, n, factor), factors[n] * factor
                gap = jnp.max(jnp.abs(jnp.log(factor)))
            else:
                layers, gap = _balanced_linear(layers, n)
            change = jnp.maximum(change, gap)
        return layers, factors, change, sweeps + 1

    state: Any = sweep((layers, factors, jnp.inf, 0))
    if len(free) > 1:
        close = 16.0 * jnp.finfo(layers[0][0].dtype).eps

        def going(state: tuple) -> Array:
            return (state[2] > close) & (state[3] < MOST_SWEEPS)

        state = jax.lax.while_loop(going, sweep, (*state[:3], jnp.asarray(state[3])))
    return state[0], state[1]


def _balancing(layer: tuple, after: tuple) -> Array:
    """The factor of each unit: sqrt(|outgoing| / |incoming|)."""
    before = jnp.linalg.norm(incoming(layer), axis=1)
    behind = jnp.linalg.norm(after[0], axis=0)
    inside = jnp.where(before > 0, before, 1.0)
    outside = jnp.where(behind > 0, behind, 1.0)
    both = (before > 0) & (behind > 0)
    return jnp.where(both, jnp.sqrt(outside / inside), outside / inside)


def _balanced_linear(layers: list, n: int) -> tuple[list, Array]:
    """The network with linear layer n balanced, and how far from it it was, in its own size."""
    rows, (after, c) = incoming(layers[n]), layers[n + 1]
    gap = jnp.linalg.norm(rows @ rows.T - after.T @ after)
    size = jnp.sum(rows * rows) + jnp.sum(after * after)
    U, S, V = jnp.linalg.svd(after @ rows, full_matrices=False)
    kept, root = min(len(rows), len(S)), jnp.sqrt(S)
    padding = len(rows) - kept
    new_rows = jnp.pad(root[:kept, None] * V[:kept], ((0, padding), (0, 0)))
    new_after = jnp.pad(U[:, :kept] * root[None, :kept], ((0, 0), (0, padding)))
    here, behind = _split(layers[n], new_rows), (new_after, c)
    changed = [*layers[:n], here, behind, *layers[n + 2 :]]
    return changed, gap / jnp.where(size > 0, size, 1.0)
