"""The trace of a Hessian, exact or estimated with a standard error."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from matfree import stochtrace

from jaxnn.landscape.curvature import diagonal, flat_product
from jaxnn.vocabulary import Landscape, lookup

EXACT = 2000
"""Parameters up to which "auto" computes the trace exactly."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Trace:
    """A trace, its standard error (0 where exact), and how many products with the Hessian it
    took.
    """

    value: Array
    standard_error: Array
    products: int = dataclasses.field(metadata={"static": True})


def trace(
    loss_fn: Landscape, point: Any, key: Array, *, method: str = "auto", products: int = 100
) -> Trace:
    """The sum of the Hessian's eigenvalues, in units of the loss per squared parameter.

    Args:
        loss_fn: a point -> a scalar.
        point: any pytree of float arrays.
        key: draws the probes; used up.
        method: "exact", P products; "hutchinson", the mean of v . H v over random signs v
            (Hutchinson 1990); "xtrace" (Epperly, Tropp & Webber 2024), which is far more accurate
            where few eigenvalues make up most of the spectrum, at `products` vectors of memory;
            "auto", exact up to EXACT parameters, else xtrace.
        products: products with the Hessian, for the two estimates; for xtrace half of them are
            probes.

    Raises:
        ValueError: an unknown method; fewer than 4 products; as `curvature.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    methods = {"exact": _exact, "hutchinson": _hutchinson, "xtrace": _xtrace}
    if method == "auto":
        method = "exact" if flat.size <= EXACT else "xtrace"
    estimate = lookup({**methods, "auto": _exact}, method, what="method")
    if products < 4:
        raise ValueError(f"products is {products}: give at least 4")
    if estimate is _exact:
        total = sum(jnp.sum(leaf) for leaf in jax.tree.leaves(diagonal(loss_fn, point)))
        return Trace(jnp.asarray(total), jnp.zeros_like(flat[0]), flat.size)
    return estimate(product, flat, key, products)


def _exact(*_: Any) -> Trace:
    raise NotImplementedError


def _hutchinson(product: Any, flat: Array, key: Array, products: int) -> Trace:
    estimate = stochtrace.estimator_monte_carlo_mean_and_sem(
        stochtrace.monte_carlo_trace(), stochtrace.sampler_signs(flat, num=products)
    )
    mean, error = estimate(product, key)
    return Trace(mean, error * (products / (products - 1)) ** 0.5, products)


def _xtrace(product: Any, flat: Array, key: Array, products: int) -> Trace:
    probes = min(products // 2, flat.size)
    estimate = stochtrace.estimator_leave_one_out_mean_and_sem(
        stochtrace.leave_one_out_xtrace(), stochtrace.sampler_sphere(flat, num=probes)
    )
    with jax.numpy_rank_promotion("allow"):  # matfree's xtrace broadcasts
        mean, error = estimate(product, key)
    return Trace(mean, error, 2 * probes)
