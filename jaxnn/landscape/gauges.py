"""What one record of a run says of the landscape. `trajectories.track` takes them on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.lanczos import largest_eigenvalue
from jaxnn.landscape.curvature import flat_product
from jaxnn.landscape.traces import over_probes
from jaxnn.numerics import key_of
from jaxnn.runs import State
from jaxnn.vocabulary import Landscape


class Gauge(NamedTuple):
    """What every record is measured with."""

    loss_fn: Landscape
    rule: optax.GradientTransformationExtraArgs
    origin: Array  # (P,) the start
    first_step: Array  # (P,)
    draw: Array  # (P,) where Lanczos starts
    curvature_steps: int
    probes: Array  # (probes, P)
    exact: bool  # the probes are the unit vectors


def gauge_for(
    loss_fn: Landscape, rule: Any, state: State, curvature_steps: int, probes: int, key: Any
) -> Gauge:
    """Draw and work out, once, what all records of a run from this state share."""
    start_key, probe_key = jax.random.split(key_of(0) if key is None else key)
    origin, _ = ravel_pytree(state.point)
    exact = origin.size <= probes
    signs = jax.random.rademacher(probe_key, (probes, origin.size), origin.dtype)
    return Gauge(
        loss_fn=loss_fn,
        rule=rule,
        origin=origin,
        first_step=_next_step(loss_fn, rule, state),
        draw=jax.random.normal(start_key, origin.shape, origin.dtype),
        curvature_steps=curvature_steps,
        probes=jnp.eye(origin.size, dtype=origin.dtype) if exact else signs,
        exact=exact,
    )


def _next_step(loss_fn: Landscape, rule: Any, state: State) -> Array:
    """The step that the rule makes from here, (P,)."""
    extra = {"value": state.loss, "grad": state.gradient, "value_fn": loss_fn}
    updates, _ = rule.update(state.gradient, state.memory, state.point, **extra)
    return ravel_pytree(updates)[0]


def measure(gauge: Gauge, state: State) -> dict[str, Array]:
    """One record: the fields of Track at this state."""
    product, flat = flat_product(gauge.loss_fn, state.point)
    sharpness, error = largest_eigenvalue(product, gauge.draw, steps=gauge.curvature_steps)
    total, trace_error = over_probes(product, gauge.probes, exact=gauge.exact)
    return {
        "losses": state.loss,
        "steps": state.steps,
        "gradient_norms": optax.tree.norm(state.gradient),
        "sharpness": sharpness,
        "sharpness_errors": error,
        "traces": total,
        "trace_errors": trace_error,
        "distances": jnp.linalg.norm(flat - gauge.origin),
        "cosines": _cosine(_next_step(gauge.loss_fn, gauge.rule, state), gauge.first_step),
    }


def _cosine(a: Array, b: Array) -> Array:
    size = jnp.linalg.norm(a) * jnp.linalg.norm(b)
    return jnp.where(size > 0, jnp.vdot(a, b) / jnp.where(size > 0, size, 1.0), jnp.nan)
