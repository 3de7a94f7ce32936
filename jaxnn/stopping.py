"""When training stops, and what may be said of the place: stopping rules, outcomes, and the test for plateaus."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxnn.losses import checked_batch, correct
from jaxnn.vocabulary import Batch, Landscape


class Outcome(enum.IntEnum):
    """How training ended."""

    converged = 0  # the stopping rule held
    plateau = 1  # the gradient is small, but this is no minimum: saturated, or flat
    unfinished = 2  # the steps ran out
    diverged = 3  # the loss became infinite or NaN; the point is the last one before that


Stop = Callable[[Any, Array, Any], Array]  # (point, loss, gradient) -> bool


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class GradientBelow:
    """Stop where the Euclidean norm of the gradient is below the threshold. Made by `gradient_below`."""

    threshold: float | Array

    def __call__(self, point: Any, loss: Array, gradient: Any) -> Array:
        """Whether to stop, a bool."""
        del point, loss
        return optax.tree.norm(gradient) < self.threshold


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LossBelow:
    """Stop where the loss is below the threshold. Made by `loss_below`."""

    threshold: float | Array

    def __call__(self, point: Any, loss: Array, gradient: Any) -> Array:
        """Whether to stop, a bool."""
        del point, gradient
        return loss < self.threshold


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class AllCorrect:
    """Stop where every case of the batch is classified correctly. Made by `all_correct`."""

    batch: Batch
    activation: str | tuple[str, ...] = dataclasses.field(metadata={"static": True})

    def __call__(self, point: Any, loss: Array, gradient: Any) -> Array:
        """Whether to stop, a bool."""
        del loss, gradient
        return jnp.all(correct(point, self.batch, activation=self.activation))


def gradient_below(threshold: float | Array) -> GradientBelow:
    """Stop when |dE/dp| < threshold; where that is no minimum, the outcome is `plateau` (see `train_until`)."""
    return GradientBelow(threshold)


def loss_below(threshold: float | Array) -> LossBelow:
    """Stop when the loss is below the threshold."""
    return LossBelow(threshold)


def all_correct(batch: Any, *, activation: str | tuple[str, ...] = "sigmoid") -> AllCorrect:
    """Stop when every case is on the right side (see `losses.correct`): Kolen & Pollack's rule for XOR."""
    return AllCorrect(
        checked_batch(batch), activation if isinstance(activation, str) else tuple(activation)
    )


# 1 - sigma'/max sigma' of 0.99 is |u| = 6 for the sigmoid: an output within 0.0025 of its limit on every case
SATURATED = 0.99
# after a Newton step, a quadratic keeps 0 of the slope, e^-u keeps 0.37, u^4 keeps 0.30, 1/u keeps 0.44
SLOPE_LEFT = 0.2


def is_plateau(loss_fn: Landscape, point: Any, gradient: Any) -> Array:
    """Whether a point with a small gradient is not, for all one can see from there, near a minimum: a bool.

    Yes where any of these holds.
    - The landscape offers `saturation(point)` and it is above SATURATED: some unit responds to no case.
    - The curvature along the gradient (where that is exactly 0, along a fixed random direction) is not positive, or flat
      to precision: moving by the point's own size would change the loss by less than its rounding.
    - One Newton step along the gradient leaves more than SLOPE_LEFT of the slope: the loss falls like an exponential or
      a power towards a limit far away, not like a quadratic towards a minimum. This needs no scale of weights or losses.
      It is waived where that step is below 8 eps times the point's size, where the slope is rounding.

    What a bare function hides, such as units saturated where the gradient does not look, is not seen: give `loss_on`.
    Costs about three gradients.
    """
    size = optax.tree.norm(gradient)
    keys = jax.random.split(jax.random.key(0), len(jax.tree.leaves(point)))
    probe = jax.tree.unflatten(
        jax.tree.structure(point),
        [
            jax.random.normal(k, p.shape, p.dtype)
            for k, p in zip(keys, jax.tree.leaves(point), strict=True)
        ],
    )
    away = jax.tree.map(lambda g, v: jnp.where(size > 0, g, v), gradient, probe)
    unit = jax.tree.map(lambda v: v / optax.tree.norm(away), away)
    gradient_fn = jax.grad(loss_fn)
    _, along = jax.jvp(gradient_fn, (point,), (unit,))
    curvature = optax.tree.vdot(unit, along)
    newton = size / jnp.where(curvature > 0, curvature, 1.0)
    ahead = gradient_fn(jax.tree.map(lambda p, v: p - newton * v, point, unit))
    left = jnp.abs(optax.tree.vdot(unit, ahead))
    eps = jnp.finfo(size.dtype).eps
    rounding = newton <= 8 * eps * optax.tree.norm(point)
    flat = curvature * optax.tree.norm(point, squared=True) <= eps * jnp.abs(loss_fn(point))
    minimum = (curvature > 0) & ~flat & (rounding | (left <= SLOPE_LEFT * size))
    saturation = getattr(loss_fn, "saturation", None)
    return ~minimum if saturation is None else ~minimum | (saturation(point) > SATURATED)
