"""How the outputs of a network answer every node, for all cases at once: one sweep in reverse."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxnn.network import layers_of


def output_sweep(
    params: Any, inputs: Array, *, activation: str | tuple[str, ...] = "sigmoid"
) -> list[tuple[Array, Array, bool]]:
    """For each layer v, what its nodes see, (cases, units before); do_i/du_z, how the outputs
    answer its nodes, (cases, outputs, units); and whether it has biases.

    Their products are all of do/dp: do_i/dw_zk = do_i/du_z v_k, do_i/db_z = do_i/du_z. One sweep in
    reverse from do/dv = 1, as in `backpropagation.backprop`, without the hidden layers'
    Jacobians that `output_jacobian` carries: memory cases x outputs x units.

    Raises:
        ValueError: as `forward`.
    """
    layers = layers_of(params, activation)
    values, slopes = [inputs], []
    for W, b, sigma in layers:
        u = values[-1] @ W.T
        value, slope = sigma.both(u if b is None else u + b[None, :])
        values.append(value)
        slopes.append(slope)
    outputs, found = values.pop(), []
    do_dv = jnp.eye(outputs.shape[1], dtype=outputs.dtype)[None]
    for (W, b, _), slope, v in zip(
        reversed(layers), reversed(slopes), reversed(values), strict=True
    ):
        do_du = do_dv * slope[:, None, :]
        found.append((v, do_du, b is not None))
        do_dv = do_du @ W
    return found[::-1]
