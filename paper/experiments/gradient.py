"""What the gradient costs by the recursion, one parameter at a time, and by the reverse sweep; and
whether code and formula agree. Networks of three layers of equal width; operations are those that
the compiler counts, seconds the least of several repeats.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
from keeping import keep, options

import jaxnn
from jaxnn import Batch, network
from jaxnn.activations import sigmoid, sigmoid_derivative
from jaxnn.backpropagation import PAIRS, WAYS, check_gradients


def by_one_parameter(params, batch, layer):
    """dE/dw of the weight from node 0 to node 0 of a layer: the recursion in its own direction,
    from that layer up to the outputs.
    """

    def case(x, d):
        v, dv = x, None
        for number, (W, b) in enumerate(params):
            u = W @ v + b
            slope = sigmoid_derivative(u)
            if number == layer:  # Case 2 for node 0, Case 1 for the others
                dv = jnp.zeros_like(u).at[0].set(slope[0] * v[0])
            elif dv is not None:  # Case 3
                dv = slope * (W @ dv)
            v = sigmoid(u)
        return jnp.sum(2.0 * (v - d) * dv)

    return jnp.mean(jax.vmap(case)(*batch))


def main() -> None:
    """One chunk a width."""
    asked = options(__doc__, widths=(2, 4, 8, 16, 32, 64), cases=32, repeats=7, seed=0)
    jax.config.update("jax_enable_x64", True)

    def problem(width):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(asked.seed), width), 3)
        inputs = jax.random.normal(keys[0], (asked.cases, width))
        targets = jax.random.uniform(keys[1], (asked.cases, width))
        params = network.init(keys[2], (width,) * 4, scheme="nielsen", dtype=jnp.float64)
        return params, Batch(inputs, targets)

    def cost(function, *args):
        compiled = jax.jit(function).lower(*args).compile()
        analysis = compiled.cost_analysis() or {}
        seconds = []
        for _ in range(asked.repeats):
            before = time.perf_counter()
            for _ in range(20):
                done = compiled(*args)
            jax.block_until_ready(done)
            seconds.append((time.perf_counter() - before) / 20)
        return analysis["flops"], min(seconds)

    def one_width(number):
        params, batch = problem(asked.widths[number])
        count = sum(leaf.size for leaf in jax.tree.leaves(params))
        layers = [
            cost(lambda p, b, at=at: by_one_parameter(p, b, at), params, batch)
            for at in range(len(params))
        ]
        # every parameter of a layer costs what its first weight costs
        sizes = [len(W) * (len(W) + 1) for W, _ in params]
        recursion = [
            sum(n * part[k] for n, part in zip(sizes, layers, strict=True)) for k in (0, 1)
        ]
        ways = [cost(jaxnn.loss, params, batch), cost(jaxnn.backprop, params, batch), recursion]
        gradient = jaxnn.backprop(params, batch)
        apart = max(
            abs(by_one_parameter(params, batch, at) - gradient[at].weights[0, 0])
            / abs(gradient[at].weights[0, 0])
            for at in range(len(params))
        )
        check = jax.jit(check_gradients)(params, batch)
        return {
            "parameter_count": np.array(count),
            "operations": np.array([way[0] for way in ways]),
            "seconds": np.array([way[1] for way in ways]),
            "apart": np.asarray(check.relative),
            "one_apart": np.asarray(apart),
        }

    keep(
        asked, study="gradient", along="width", chunk=one_width,
        coordinates={
            "width": list(asked.widths), "pair": list(PAIRS),
            "way": ["loss", WAYS[0], "recursion"],
        },
        variables={
            "parameter_count": ("width",), "operations": ("width", "way"),
            "seconds": ("width", "way"), "apart": ("width", "pair"), "one_apart": ("width",),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
