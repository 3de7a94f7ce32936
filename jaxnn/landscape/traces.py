"""The trace of a Hessian, exact or estimated with a standard error."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from matfree import stochtrace

from jaxnn import summaries
from jaxnn.landscape.curvature import diagonal, flat_product
from jaxnn.vocabulary import Landscape, lookup

EXACT = 2000
"""Parameters up to which "auto" computes the trace exactly."""
ENOUGH = 11
"""Random probes whose agreement is no chance: one of two values each, below 2^-9 that all agree."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Trace:
    """A trace, its standard error (0 where exact, NaN where unknown), and how many products with
    the Hessian it took.
    """

    value: Array
    standard_error: Array
    products: int = dataclasses.field(metadata={"static": True})

    _repr_html_ = summaries.html()


def trace(
    loss_fn: Landscape, point: Any, key: Array, *, method: str = "auto", products: int = 100
) -> Trace:
    """The sum of the Hessian's eigenvalues, in units of the loss per squared parameter.

    >>> float(trace(lambda p: jnp.sum(p**2), jnp.zeros(3), jax.random.key(0)).value)
    6.0

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
        ValueError: an unknown method; fewer than 4 products; as `checks.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    automatic = None if flat.size <= EXACT else _xtrace
    methods = {"exact": None, "hutchinson": _hutchinson, "xtrace": _xtrace, "auto": automatic}
    estimate = lookup(methods, method, what="method")
    if products < 4:
        raise ValueError(f"products is {products}: give at least 4")
    if estimate is None:
        total = sum(jnp.sum(leaf) for leaf in jax.tree.leaves(diagonal(loss_fn, point)))
        return Trace(jnp.asarray(total), jnp.zeros_like(flat[0]), flat.size)
    return estimate(product, flat, key, products)


def _hutchinson(product: Any, flat: Array, key: Array, products: int) -> Trace:
    signs = jax.random.rademacher(key, (products, flat.size), flat.dtype)
    return Trace(*over_probes(product, signs, exact=False), products)


def over_probes(
    product: Callable[[Array], Array], probes: Array, *, exact: bool
) -> tuple[Array, Array]:
    """The sum of z . H z over the unit vectors, or its mean over random signs (Hutchinson 1990)
    with the standard error of that mean, for probes z (probes, P).

    exact: whether the probes are the unit vectors; the error is then 0. One random probe tells no
    error, nor do fewer than ENOUGH that agree to rounding, which signs of a pair of entries may do
    by chance: NaN. One product after another.
    """
    forms = jax.lax.map(lambda z: jnp.vdot(z, product(z)), probes)
    if exact:
        return jnp.sum(forms), jnp.zeros_like(forms[0])
    spread = jnp.std(forms, ddof=1) if len(forms) > 1 else jnp.full_like(forms[0], jnp.nan)
    if len(forms) < ENOUGH:
        rounding = 8 * jnp.finfo(forms.dtype).eps * jnp.max(jnp.abs(forms))
        spread = jnp.where(spread <= rounding, jnp.nan, spread)
    return jnp.mean(forms), spread / len(forms) ** 0.5


def _xtrace(product: Any, flat: Array, key: Array, products: int) -> Trace:
    probes = min(products // 2, flat.size)
    estimate = stochtrace.estimator_leave_one_out_mean_and_sem(
        stochtrace.leave_one_out_xtrace(), stochtrace.sampler_sphere(flat, num=probes)
    )
    with jax.numpy_rank_promotion("allow"):  # matfree's xtrace broadcasts
        mean, error = estimate(product, key)
    return Trace(mean, error, 2 * probes)
