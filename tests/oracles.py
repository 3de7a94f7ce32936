"""The essay by loops over plain numbers, without jax: what the package's numbers are held against.

Works with floats and, where `mp` is given, with mpmath numbers of any precision.
"""

import math
from typing import Any

import mpmath
import numpy as np

SLOPES = {
    "sigmoid": lambda u, m: m.exp(-u) / (1 + m.exp(-u)) ** 2,
    "tanh": lambda u, m: 1 / m.cosh(u) ** 2,
    "relu": lambda u, m: u * 0 + (1 if u > 0 else 0),
    "erf": lambda u, m: 2 / m.sqrt(m.pi) * m.exp(-u * u),
    "identity": lambda u, m: u * 0 + 1,
}
VALUES = {
    "sigmoid": lambda u, m: 1 / (1 + m.exp(-u)),
    "tanh": lambda u, m: m.tanh(u),
    "relu": lambda u, m: u if u > 0 else u * 0,
    "erf": lambda u, m: m.erf(u),
    "identity": lambda u, m: u,
}


def forward(params, x, activations, m=math):
    """The values and the sums u of every layer, lists of lists; the inputs are values[0]."""
    values, sums = [list(x)], []
    for (weights, biases), name in zip(params, activations, strict=True):
        us = []
        for j, row in enumerate(weights):
            u = 0 if biases is None else biases[j]
            for w, v in zip(row, values[-1], strict=True):
                u = u + w * v
            us.append(u)
        sums.append(us)
        values.append([VALUES[name](u, m) for u in us])
    return values, sums


def loss(params, batch, activations, l2=0.0, m=math):
    total = 0
    for x, d in zip(*batch, strict=True):
        outputs = forward(params, x, activations, m)[0][-1]
        for o, t in zip(outputs, d, strict=True):
            total = total + (o - t) ** 2
    squares = sum(p * p for _, _, p in entries(params))
    return total / len(batch[0]) + l2 / 2 * squares


def entries(params):
    """Every parameter: (layer, ("w", j, k) or ("b", j), value)."""
    for layer, (weights, biases) in enumerate(params):
        for j, row in enumerate(weights):
            for k, w in enumerate(row):
                yield layer, ("w", j, k), w
        for j, b in enumerate(biases if biases is not None else []):
            yield layer, ("b", j), b


def node_derivative(params, x, activations, p_layer, p_name, layer, i, m=math):
    """dv_i/dp for node i of a layer, by the essay's recursion, one parameter and one node at a
    time.
    """
    values, sums = forward(params, x, activations, m)
    slope = SLOPES[activations[layer]](sums[layer][i], m)
    if p_layer == layer:
        if p_name[1] != i:
            return 0 * slope
        return slope * (values[layer][p_name[2]] if p_name[0] == "w" else 1)
    before = sum(
        params[layer][0][i][k]
        * node_derivative(params, x, activations, p_layer, p_name, layer - 1, k, m)
        for k in range(len(values[layer]))
    )
    return slope * before


def gradient(params, batch, activations, l2: Any = 0.0, m: Any = math):
    """dE/dp for every parameter in the order of the leaves (weights row by row, then biases)."""
    result = []
    for p_layer, p_name, p in entries(params):
        total = 0
        for x, d in zip(*batch, strict=True):
            outputs = forward(params, x, activations, m)[0][-1]
            for i, (o, t) in enumerate(zip(outputs, d, strict=True)):
                do_dp = node_derivative(
                    params, x, activations, p_layer, p_name, len(params) - 1, i, m
                )
                total = total + 2 * (o - t) * do_dp
        result.append(total / len(batch[0]) + l2 * p)
    return result


def as_lists(params):
    return [
        (np.asarray(W).tolist(), None if b is None else np.asarray(b).tolist()) for W, b in params
    ]


def as_mpmath(tree):
    """The same nested lists with every float as an exact mpmath number."""
    if isinstance(tree, (list, tuple)):
        return [as_mpmath(item) for item in tree]
    return tree if tree is None else mpmath.mpf(tree)
