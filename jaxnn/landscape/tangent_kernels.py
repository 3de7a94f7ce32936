"""The tangent kernel of a network, J J^T with J the derivative of its outputs by its parameters;
how far training moves it, and how far the network stays from its own linearisation: lazy or rich.

Rows and columns are case after case, the outputs of a case together. After Jacot et al. 2018 and
Chizat, Oyallon & Bach 2019.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import memory, summaries
from jaxnn.landscape.checks import check_alike, check_point
from jaxnn.losses import outputs_for
from jaxnn.sweeps import output_sweep

Activations = str | tuple[str, ...]


def jacobian(params: Any, inputs: Array, *, activation: Activations = "sigmoid") -> Array:
    """J, do_i/dp for each case and output, (cases * outputs, P), by hand from `output_sweep`; P in
    the order of `ravel_pytree`.

    Raises:
        ValueError: inputs that are not (cases, inputs); as `forward`; more memory than there is.
    """
    rows, inputs = _rows(params, inputs, activation)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    memory.check(2 * rows * size * inputs.dtype.itemsize, *_too_large(rows, size))
    columns = []
    for v, do_du, biases in output_sweep(params, inputs, activation=activation):
        weights = do_du[:, :, :, None] * v[:, None, None, :]
        columns += [weights.reshape(rows, -1), *([do_du.reshape(rows, -1)] if biases else [])]
    return jnp.concatenate(columns, axis=1)


def _rows(params: Any, inputs: Array, activation: Activations) -> tuple[int, Array]:
    """Cases times outputs, and the inputs as an array, checked."""
    shape = jax.eval_shape(lambda p, x: outputs_for(p, x, activation=activation), params, inputs)
    return shape.size, jnp.asarray(inputs)


def _too_large(rows: int, columns: int) -> tuple[str, str]:
    """What a matrix is called whose memory is checked, and what to do where there is too little."""
    return f"a matrix of {rows} x {columns}, a row for each case and output,", "give fewer cases"


def jacobian_of(outputs: Callable[[Any, Any], Array], point: Any, inputs: Any) -> Array:
    """J for any model, (cases * outputs, P), by reverse-mode differentiation: outputs(point, x) of
    any shape for one case x of inputs (leading cases axis).

    Raises:
        ValueError: as `checks.check_point`.
    """
    check_point(point)
    flat, unravel = ravel_pytree(point)

    def one(x: Any) -> Array:
        return jax.jacrev(lambda p: jnp.ravel(outputs(unravel(p), x)))(flat)

    rows = jax.vmap(one)(inputs)
    return rows.reshape(-1, flat.size)


def kernel(params: Any, inputs: Array, *, activation: Activations = "sigmoid") -> Array:
    """K = J J^T, (cases * outputs, cases * outputs), symmetric, of rank at most P, without J: for
    each layer the sum over its nodes of do_i/du_z do_j/du_z' times that over what they see of v_k
    v_k', so memory is that of K and of (cases, outputs, units).

    Under the loss (1/n) sum |o - d|^2 gradient flow moves the outputs by do/dt = -(2/n) K (o - d)
    (Jacot et al. 2018). Its eigenvalues are `jnp.linalg.eigvalsh`'s.

    Raises:
        ValueError: as `jacobian`.
    """
    rows, inputs = _rows(params, inputs, activation)
    memory.check(3 * rows**2 * inputs.dtype.itemsize, *_too_large(rows, rows))
    K, outputs = 0.0, rows // len(inputs)
    for v, do_du, biases in output_sweep(params, inputs, activation=activation):
        seen = v @ v.T + float(biases)  # sum over k of v_k v'_k, and 1 of the bias
        D = do_du.reshape(rows, -1)
        K = K + (D @ D.T) * jnp.repeat(jnp.repeat(seen, outputs, axis=0), outputs, axis=1)
    return _symmetric(jnp.asarray(K))


def gram(J: Array) -> Array:
    """J J^T for J (rows, P), symmetric to the bit."""
    return _symmetric(J @ J.T)


def _symmetric(K: Array) -> Array:
    return 0.5 * (K + K.T)


def drift(initial: Array, final: Array) -> Array:
    """|K_T - K_0| / |K_0| of two kernels of one shape, Frobenius norms; 0 where it stayed.

    Raises:
        ValueError: kernels of different shape.
    """
    check_alike(initial, final, what="kernels")
    size = jnp.max(jnp.abs(initial))
    return jnp.linalg.norm((final - initial) / size) / jnp.linalg.norm(initial / size)


def alignment(a: Array, b: Array) -> Array:
    """<a, b> / (|a| |b|) of two kernels of one shape, in [0, 1] as both are positive semidefinite
    (Cristianini et al. 2001).

    Raises:
        ValueError: kernels of different shape.
    """
    check_alike(a, b, what="kernels")
    return jnp.vdot(_unit(a), _unit(b))


def target_alignment(kernel: Array, targets: Array) -> Array:
    """The `alignment` of a kernel with that of the targets, y^T K y / (|K| |y|^2), y the targets
    (cases, outputs) as one vector; in [0, 1].

    Raises:
        ValueError: targets that do not fit the kernel.
    """
    y = jnp.ravel(targets)
    if kernel.shape != (y.size, y.size):
        raise ValueError(
            f"the kernel has shape {kernel.shape} and the targets {jnp.shape(targets)}: wanted "
            "one row a case and output"
        )
    return jnp.vdot(y, _unit(kernel) @ y) / jnp.vdot(y, y)


def promoted(point: Any, *others: Any) -> Any:
    """The point in the dtype that it and the leaves of the others promote to, as float64 for
    weights of float32 and data of float64.
    """
    dtype = jnp.result_type(*jax.tree.leaves((point, others)))
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), point)


def linearised(
    params: Any, initial: Any, inputs: Array, *, activation: Activations = "sigmoid"
) -> Array:
    """o(initial) + J (params - initial), (cases, outputs): what the network linearised at its
    initial weights gives at params, in the dtype that all promote to. One forward derivative, no J
    in memory.

    Raises:
        ValueError: params and initial of different structure; as `losses.outputs_for`.
    """
    check_alike(params, initial, what="params and initial")
    params, initial = promoted(params, initial, inputs), promoted(initial, params, inputs)
    moved = jax.tree.map(lambda p, q: p - q, params, initial)
    outputs, change = jax.jvp(
        lambda p: outputs_for(p, inputs, activation=activation), (initial,), (moved,)
    )
    return outputs + change


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Laziness:
    """How far training was from that of a model linear in its parameters; scalars, all 0 for one.

    richness: 1 - `alignment` of K_0 and K_T, in [0, 1]: 0 lazy, towards 1 rich; it does not see a
    kernel that only grows (Fort et al. 2020). kernel_drift: `drift`, which does.
    parameter_change: |p_T - p_0| / |p_0|; small in lazy training, but no proof of it.
    linear_error: |o(p_T) - linearised| / |o(p_T) - o(p_0)|, how much of what the outputs did the
    linearisation misses; NaN where they did nothing.
    """

    richness: Array
    kernel_drift: Array
    parameter_change: Array
    linear_error: Array

    _repr_html_ = summaries.html()


def laziness(
    initial: Any, final: Any, inputs: Array, *, activation: Activations = "sigmoid"
) -> Laziness:
    """From lazy to rich: what training from initial to final did to kernel, parameters and outputs
    on these inputs.

    Two `kernel`s' cost. With the outputs scaled by alpha, at one training time, all of it falls
    like 1 / alpha, richness like its square (Chizat, Oyallon & Bach 2019).

    Raises:
        ValueError: as `linearised`.
    """
    check_alike(initial, final, what="initial and final")
    settings: dict[str, Any] = {"activation": activation}
    before, after = (kernel(p, inputs, **settings) for p in (initial, final))
    start, end = (outputs_for(p, inputs, **settings) for p in (initial, final))
    missed = end - linearised(final, initial, inputs, **settings)
    p, q = ravel_pytree(initial)[0], ravel_pytree(final)[0]
    return Laziness(
        # 1 - cos a = |a/|a| - b/|b||^2 / 2, which keeps its digits where both are nearly alike
        richness=0.5 * jnp.sum(jnp.square(_unit(after) - _unit(before))),
        kernel_drift=drift(before, after),
        parameter_change=jnp.linalg.norm(q - p) / jnp.linalg.norm(p),
        linear_error=jnp.linalg.norm(missed) / jnp.linalg.norm(end - start),
    )


def _unit(a: Array) -> Array:
    """The matrix a / |a|, where a may be so small that its squares underflow, as at saturated
    starts in float32; NaN for 0.
    """
    scaled = a / jnp.max(jnp.abs(a))
    return scaled / jnp.linalg.norm(scaled)
