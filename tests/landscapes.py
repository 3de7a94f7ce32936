"""Landscapes with known answers, for what works on any landscape."""

import jax.numpy as jnp


def quadratic(scales, minimum):
    """sum_k scales_k (p_k - minimum_k)^2 / 2: gradient scales (p - minimum), Hessian
    diag(scales).
    """

    def loss_fn(point):
        return 0.5 * jnp.sum(scales * jnp.square(point - minimum))

    return loss_fn


def himmelblau(point):
    """Four minima of value 0, at (3, 2) and three more."""
    return (point["x"] ** 2 + point["y"] - 11) ** 2 + (point["x"] + point["y"] ** 2 - 7) ** 2


def double_well(point):
    """(p^2 - 1)^2: minima at -1 and 1, maximum of 1 at 0."""
    return (point**2 - 1.0) ** 2
