"""When training stops, and what may be said of the place: stopping rules, outcomes, and the test
for plateaus.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.gradients import gradient_of
from jaxnn.lanczos import largest_of, reach, tridiagonalise
from jaxnn.losses import checked_batch, correct
from jaxnn.numerics import key_of
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
    """Stop where the Euclidean norm of the gradient is below the threshold. Made by
    `gradient_below`.
    """

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
    """Stop when |dE/dp| < threshold; where that is no minimum, the outcome is `plateau` (see
    `train_until`).
    """
    return GradientBelow(threshold)


def loss_below(threshold: float | Array) -> LossBelow:
    """Stop when the loss is below the threshold.

    >>> bool(loss_below(0.1)(None, 0.05, None))
    True
    """
    return LossBelow(threshold)


def all_correct(batch: Any, *, activation: str | tuple[str, ...] = "sigmoid") -> AllCorrect:
    """Stop when every case is on the right side (see `losses.correct`): Kolen & Pollack's rule for
    XOR.
    """
    return AllCorrect(
        checked_batch(batch), activation if isinstance(activation, str) else tuple(activation)
    )


# 1 - sigma'/max sigma' of 0.99 is |u| = 6 for the sigmoid: an output within 0.0025 of its limit on
# every case
SATURATED = 0.99
# after a Newton step, a quadratic keeps 0 of the slope, e^-u keeps 0.37, u^4 keeps 0.30, 1/u keeps
# 0.44
SLOPE_LEFT = 0.2


# Hessian-vector products spent on the extreme curvatures; exact for that many parameters
KRYLOV = 16


def is_plateau(loss_fn: Landscape, point: Any) -> Array:
    """Whether a point with a small gradient is not, for all one can see from there, near a minimum.

    A bool, True where any of these holds.

    - The landscape offers `saturation(point)` and it is above SATURATED: a unit responds to no
      case.
    - The Hessian is flat to precision: moving by the point's own size would change the loss by less
      than its rounding.
    - The Hessian has a negative eigenvalue, as seen by KRYLOV Lanczos steps, that three Newton
      steps along the gradient do not halve: a saddle. (Near a set of zero loss, what is left of the
      residuals gives negative eigenvalues that vanish with them.)
    - The curvature along the gradient is not positive, or one Newton step along it leaves more than
      SLOPE_LEFT of the slope: the loss falls like an exponential or a power towards a limit far
      away, not like a quadratic towards a minimum. This needs no scale of weights or losses, and is
      waived where that step is below 8 eps times the point's size, since there the slope is
      rounding.

    What a bare function hides, such as saturated units, is not seen: give `loss_on`. Costs about
    4 KRYLOV gradients and KRYLOV copies of the point.
    """
    flat, unravel = ravel_pytree(point)
    gradient = gradient_of(loss_fn)

    def gradient_at(p: Array) -> Array:
        return ravel_pytree(gradient(unravel(p)))[0]

    def hessian_product(p: Array, v: Array) -> Array:
        return jax.jvp(gradient_at, (p,), (v,))[1]

    def newton_step(p: Array) -> tuple[Array, Array, Array, Array]:
        """The unit gradient at p, its size, the curvature along it, and where the step leads."""
        slope = gradient_at(p)
        size = jnp.linalg.norm(slope)
        unit = slope / jnp.where(size > 0, size, 1.0)
        curvature = jnp.vdot(unit, hessian_product(p, unit))
        newton = jnp.where(curvature > 0, size / jnp.where(curvature > 0, curvature, 1.0), 0.0)
        return unit, size, curvature, p - newton * unit

    eps, length = jnp.finfo(flat.dtype).eps, jnp.linalg.norm(flat)
    unit, size, curvature, ahead = newton_step(flat)
    left = jnp.abs(jnp.vdot(unit, gradient_at(ahead)))
    rounding = (curvature > 0) & (size <= curvature * 8 * eps * length)
    falling = (size > 0) & ~rounding & ((curvature <= 0) | (left > SLOPE_LEFT * size))

    here, widest = _extreme_curvatures(lambda v: hessian_product(flat, v), flat)
    settled = newton_step(newton_step(ahead)[-1])[-1]
    there, _ = _extreme_curvatures(lambda v: hessian_product(settled, v), flat)
    featureless = widest * length**2 <= eps * jnp.abs(loss_fn(point))
    saddle = (here < -64 * eps * widest) & (there < 0.5 * here)
    saturation = getattr(loss_fn, "saturation", None)
    saturated = False if saturation is None else saturation(point) > SATURATED
    return featureless | saddle | falling | saturated


def _extreme_curvatures(product: Callable[[Array], Array], like: Array) -> tuple[Array, Array]:
    """The lowest Ritz value of a symmetric matrix, and a bound on its largest in absolute value.

    Lanczos from a fixed draw. A Ritz value is never below the lowest eigenvalue, so
    a negative one proves a negative one (Saad 2011, section 6.4).
    """
    start = jax.random.normal(key_of(0), like.shape, like.dtype)
    _, diagonal, off, *_ = tridiagonalise(product, start, min(KRYLOV, like.size))
    off = off.at[-1].set(0.0)
    widest = reach(diagonal, off)
    return -largest_of(-diagonal, off, widest), widest
