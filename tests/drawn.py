"""Random networks and batches in float64 (float32 without x64), drawn by numpy: jax would compile
a draw for each shape.
"""

import itertools
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from jaxnn import Batch, Layer


def network(sizes, seed=0, *, scale=1.0, biases: bool | Sequence[bool] = True):
    """Weights and biases N(0, scale^2); `biases` is a bool, or one bool a layer."""
    rng = np.random.default_rng(seed)
    each = [biases] * (len(sizes) - 1) if isinstance(biases, bool) else biases
    return tuple(
        Layer(
            jnp.asarray(scale * rng.normal(size=(n, m))),
            jnp.asarray(scale * rng.normal(size=n)) if biased else None,
        )
        for (m, n), biased in zip(itertools.pairwise(sizes), each, strict=True)
    )


def batch(inputs, outputs, cases=7, seed=11):
    """Normal inputs (cases, inputs) and uniform targets (cases, outputs)."""
    rng = np.random.default_rng(seed)
    return Batch(
        jnp.asarray(rng.normal(size=(cases, inputs))),
        jnp.asarray(rng.uniform(size=(cases, outputs))),
    )
