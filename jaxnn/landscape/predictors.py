"""What can be measured at the initial weights, before any training: what an outcome may be
predicted from.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn.gradients import gradient_of
from jaxnn.landscape import signals, spectra, tangent_kernels
from jaxnn.landscape.checks import check_loss
from jaxnn.losses import LossOn
from jaxnn.vocabulary import Landscape


def quantities(
    loss_fn: Landscape, point: object, key: Array, *, steps: int = 50
) -> dict[str, Array]:
    """The scalars of a point by their names.

        loss              E
        norm              |p|, Euclidean, the baseline: it knows the scale of the draw alone
        gradient_norm     |dE/dp|
        sharpness         the largest eigenvalue of the Hessian, as `spectra.sharpness`

    and where loss_fn is a network's, a `loss_on`, of its cases also

        saturated         the share of `signals.saturated`
        kernel_largest    the largest eigenvalue of `tangent_kernels.kernel`
        kernel_trace      its trace, sum over cases and outputs of |do/dp|^2
        kernel_condition  log10 of the largest over the smallest eigenvalue, at most -log10(n eps),
                          what rounding leaves to tell of n x n entries
        kernel_alignment  `tangent_kernels.target_alignment`, of targets less their mean over
                          cases; 0 where the kernel is 0, and then the condition is that bound

    All in the dtype that point and loss promote to, as float64 for weights of float32 and data of
    float64.

    `jax.vmap` over starts, and keys, gives the features of `predictions.predict`. Cost: up to
    `spectra.EXACT` parameters the whole Hessian, P^2 and (cases * outputs)^2 memory a start;
    eigenvalues by LAPACK, so in tiles by `jax.lax.map` where starts are many.

    Raises:
        ValueError: as `checks.check_loss`.
    """
    check_loss(loss_fn, point)
    # the gradient by hand is of the data's dtype: products with the Hessian need the point's alike
    point = tangent_kernels.promoted(point, jax.eval_shape(loss_fn, point).dtype)
    found = {
        "loss": loss_fn(point),
        "norm": jnp.linalg.norm(ravel_pytree(point)[0]),
        "gradient_norm": jnp.linalg.norm(ravel_pytree(gradient_of(loss_fn)(point))[0]),
        "sharpness": spectra.sharpness(loss_fn, point, key, steps=steps),
    }
    return found | _of_kernel(loss_fn, point) if isinstance(loss_fn, LossOn) else found


def _of_kernel(loss_fn: LossOn, point: object) -> dict[str, Array]:
    """The quantities that only networks have."""
    batch, activation = loss_fn.counted, loss_fn.activation
    K = tangent_kernels.kernel(point, batch.inputs, activation=activation)
    values = jnp.linalg.eigvalsh(K)
    targets = batch.targets - jnp.mean(batch.targets, axis=0, keepdims=True)
    # where every unit is saturated K may be 0 to the last digit: then it tells nothing
    some, largest = values[-1] > 0, jnp.where(values[-1] > 0, values[-1], 1.0)
    ratio = jnp.maximum(values[0] / largest, len(K) * jnp.finfo(K.dtype).eps)
    alignment = tangent_kernels.target_alignment(jnp.where(some, K, 1.0), targets)
    return {
        "saturated": signals.saturated(point, batch.inputs, activation=activation),
        "kernel_largest": values[-1],
        "kernel_trace": jnp.trace(K),
        "kernel_condition": -jnp.log10(ratio),
        "kernel_alignment": jnp.where(some, alignment, 0.0),
    }
