"""Order and chaos: the correlation of two inputs, layer by layer, in wide tanh networks at their
initial weights, by sigma_w; measured in draws of the network, and as mean-field theory expects.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from keeping import keep, options

import jaxnn
from jaxnn.landscape import propagation, signals


def main() -> None:
    """One chunk a sigma_w."""
    asked = options(
        __doc__, sigmas=(0.5, 1.0, 1.5, 2.0, 3.0), bias=0.1, width=400, layers=25, members=20,
        correlation=0.6, seed=0,
    )  # fmt: skip
    sizes = (asked.width,) * (asked.layers + 1)

    def inputs(key):
        """Two cases of length sqrt(width) with this correlation, (2, width)."""
        first, other = jax.random.normal(key, (2, asked.width))
        first = first / jnp.linalg.norm(first)
        other = other - (other @ first) * first
        other = other / jnp.linalg.norm(other)
        c = asked.correlation
        return jnp.sqrt(asked.width) * jnp.stack([first, c * first + jnp.sqrt(1 - c**2) * other])

    @functools.partial(jax.jit, static_argnames="sigma")
    def measured(keys, cases, *, sigma):
        def one(pair):
            scale = float(sigma / np.sqrt(asked.width))
            params = jaxnn.init(pair[0], sizes, scheme="normal", scale=scale, bias_scale=asked.bias)
            return signals.measured_correlations(params, pair[1], activation="tanh")[:, 0, 1]

        return jax.lax.map(one, (keys, cases))

    def expected(sigma):
        theory = {"activation": "tanh", "sigma_w": sigma, "sigma_b": asked.bias}
        q = sigma**2 + asked.bias**2
        c = (sigma**2 * asked.correlation + asked.bias**2) / q
        found = [c]
        for _ in range(asked.layers - 1):
            c = float(propagation.correlation_map(c, q, **theory))
            q = float(propagation.length_map(q, **theory))
            found.append(c)
        return np.array(found)

    def one_sigma(number):
        sigma = asked.sigmas[number]
        keys = jax.random.split(jax.random.fold_in(jax.random.key(asked.seed), number), 2)
        cases = jax.vmap(inputs)(jax.random.split(keys[1], asked.members))
        drawn = measured(jax.random.split(keys[0], asked.members), cases, sigma=sigma)
        phase = propagation.phase(activation="tanh", sigma_w=sigma, sigma_b=asked.bias)
        return {
            "correlation": np.asarray(drawn).T, "expected": expected(sigma),
            "chi": np.asarray(phase.chi), "fixed": np.asarray(phase.correlation),
        }  # fmt: skip

    keep(
        asked, study="chaos", along="sigma", chunk=one_sigma,
        coordinates={"sigma": list(asked.sigmas), "layer": list(range(1, asked.layers + 1)),
                     "member": list(range(asked.members))},
        variables={"correlation": ("sigma", "layer", "member"), "expected": ("sigma", "layer"),
                   "chi": ("sigma",), "fixed": ("sigma",)},
    )  # fmt: skip


if __name__ == "__main__":
    main()
