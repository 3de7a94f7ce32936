"""The network of the essay: a node's value, the error of a case, and what they look like.

Nothing is expected: the essay prints both numbers.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from building import Store

from jaxnn import activations, losses, network, plots

STORES = ()
INPUTS, WEIGHTS, BIAS = (0.7, 0.1, 0.4), (0.6, 1.2, -0.2), -0.5
OUTPUTS, TARGETS = (0.3, 0.5, 0.6, 0.1), (1.0, 0.0, 0.0, 0.0)


def told(values: tuple[float, ...]) -> str:
    """(0.7, 0.1, 0.4)."""
    return f"({', '.join(f'{value:g}' for value in values)})".replace("-", "\u2212")


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """The essay's worked examples, computed."""
    del stores
    w, u = np.array(WEIGHTS), np.array(INPUTS)
    value = network.node(WEIGHTS, INPUTS, BIAS)
    error = losses.sum_of_squares(jnp.array(OUTPUTS), jnp.array(TARGETS))
    return {
        "inputs": told(INPUTS), "weights": told(WEIGHTS),
        "bias": f"{BIAS:g}".replace("-", "\u2212"),
        "sum": f"{w @ u + BIAS:.2f}".replace("-", "\u2212"), "value": f"{float(value):.3f}",
        "outputs": told(OUTPUTS), "targets": told(TARGETS), "error": f"{float(error):.2f}",
    }  # fmt: skip


def draw(stores: dict[str, Store]) -> Any:
    """A network of three layers with the values of its nodes, the sigmoid with its derivative, and
    the worked node.
    """
    del stores
    rng = np.random.default_rng(4)
    figure, axes = plots.figure(1, 3, width=8.4, height=2.6)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))]
    biases = [rng.normal(size=4), rng.normal(size=2)]
    values = [np.array(INPUTS)]
    for layer in zip(weights, biases, strict=True):
        values.append(np.asarray(network.forward((layer,), jnp.array(values[-1]))))
    plots.network_diagram(axes[0, 0], weights, biases, in_nodes=values, legend=False)
    x = jnp.linspace(-8, 8, 201)
    curve, slopes = activations.sigmoid(x), activations.sigmoid_derivative(x)
    plots.activation_curve(axes[0, 1], np.asarray(x), np.asarray(curve), slopes=np.asarray(slopes))
    plots.network_diagram(
        axes[0, 2], [np.array([WEIGHTS])], [np.array([BIAS])],
        in_nodes=[INPUTS, [numbers({})["value"]]], under_nodes=[[""] * len(INPUTS), [BIAS]],
        on_lines=[[WEIGHTS]], legend=False,
    )  # fmt: skip
    return figure
