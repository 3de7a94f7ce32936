"""The Hessian of a landscape: products with it, the whole of it, its blocks, and the Gauss-Newton
matrix.

Matrices are (P, P) in the order of `jax.flatten_util.ravel_pytree`: leaf after leaf, row by row.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.backpropagation import backprop, output_jacobian
from jaxnn.gradients import gradient_of
from jaxnn.landscape.checks import check_alike, check_loss, check_point
from jaxnn.landscape.directions import groups
from jaxnn.losses import checked_batch
from jaxnn.vocabulary import Landscape, lookup

COLUMNS = 16
"""Columns of a Hessian computed side by side: bounds memory at this many gradients' values. More
leave the second-level cache: 64 take half as long again."""


def hessian_product(loss_fn: Landscape, point: Any, v: Any) -> Any:
    """H v, in the structure of the point, at the cost of about two gradients (Pearlmutter 1994).

    >>> hessian_product(lambda p: p[0] * p[1], jnp.zeros(2), jnp.array([2.0, 3.0]))
    Array([3., 2.], dtype=float32)

    Raises:
        ValueError: v of another structure than the point; as `checks.check_loss`.
    """
    check_loss(loss_fn, point)
    check_alike(point, v, what="point and v")
    return jax.jvp(gradient_of(loss_fn), (point,), (v,))[1]


def flat_product(loss_fn: Landscape, point: Any) -> tuple[Callable[[Array], Array], Array]:
    """The map v -> H v on vectors (P,), and the point as such a vector.

    Raises:
        ValueError: as `checks.check_loss`.
    """
    check_loss(loss_fn, point)
    flat, unravel = ravel_pytree(point)
    gradient = gradient_of(loss_fn)
    _, product = jax.linearize(lambda p: ravel_pytree(gradient(unravel(p)))[0], flat)
    return product, flat


def hessian(loss_fn: Landscape, point: Any) -> Array:
    """The Hessian d^2 E / dp_i dp_j, (P, P), symmetric to the bit, in the point's dtype.

    P products and P x P numbers. In float64 (`with jax.enable_x64(True)` at the driver) exact to
    about 1e-14 of its largest entry; the curvatures of a plateau are lost in float32.

    Raises:
        ValueError: as `checks.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    return block(product, flat, jnp.arange(flat.size))


def block(product: Callable[[Array], Array], flat: Array, which: Array) -> Array:
    """The rows and columns of these numbers, (len(which), len(which))."""

    def column(k: Array) -> Array:
        return product(jnp.zeros_like(flat).at[k].set(1.0))[which]

    columns = jax.lax.map(column, which, batch_size=COLUMNS)
    return 0.5 * (columns + columns.T)


def eigenvalues(loss_fn: Landscape, point: Any) -> Array:
    """All eigenvalues of the Hessian, (P,) ascending, from the whole of it: P^3 operations.

    For P up to a few thousand; above, `spectra.extreme` and `spectra.density`.

    >>> eigenvalues(lambda p: p[0] ** 2 - p[1] ** 2, jnp.zeros(2))
    Array([-2.,  2.], dtype=float32)

    Raises:
        ValueError: as `checks.check_loss`.
    """
    return jnp.linalg.eigvalsh(hessian(loss_fn, point))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Inertia:
    """How many eigenvalues are below, within and above the tolerance around 0.

    negative is the index of a critical point: 0 at a minimum, 1 at a transition state.
    """

    negative: Array
    zero: Array
    positive: Array
    tolerance: Array

    _repr_html_ = summaries.html()


def inertia(eigenvalues: Array, *, tolerance: float | Array | None = None) -> Inertia:
    """The signs of eigenvalues (P,), those within the tolerance counted as 0.

    tolerance: in units of an eigenvalue; default P eps max |lambda|, what rounding in the matrix
    may do to any of them (Golub & Van Loan 2013, section 8.1).

    >>> found = inertia(jnp.array([-2.0, 0.0, 1.0, 3.0]))
    >>> int(found.negative), int(found.zero), int(found.positive)
    (1, 1, 2)
    """
    largest = jnp.max(jnp.abs(eigenvalues))
    if tolerance is None:
        tolerance = eigenvalues.size * jnp.finfo(eigenvalues.dtype).eps * largest
    tolerance = jnp.asarray(tolerance, eigenvalues.dtype)
    negative, positive = jnp.sum(eigenvalues < -tolerance), jnp.sum(eigenvalues > tolerance)
    return Inertia(negative, eigenvalues.size - negative - positive, positive, tolerance)


def gauss_newton(
    params: Any, batch: Any, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """The sum over cases of J^T J, (P, P), J the hand-derived `output_jacobian` of a case.

    The Hessian of the loss is (2/n) of it, plus the residual term (2/n) sum_n sum_i (o_i - d_i)
    d^2 o_i / dp^2, plus l2 I (Bishop 2006, section 5.4.2). One case after another: P x P memory.

    Raises:
        ValueError: as `output_jacobian`.
    """

    def jacobian(x: Array) -> Array:
        rows = output_jacobian(params, x, activation=activation)
        return jax.vmap(lambda row: ravel_pytree(row)[0])(rows)

    return _sum_of_squares(jacobian, checked_batch(batch).inputs, ravel_pytree(params)[0])


def gauss_newton_of(outputs: Callable[[Any, Any], Array], point: Any, inputs: Any) -> Array:
    """The sum over cases of J^T J, (P, P), for any model: outputs(point, x) of any shape for one
    case x of inputs (leading cases axis).

    J by reverse-mode differentiation, a row an output.

    Raises:
        ValueError: as `checks.check_point`.
    """
    check_point(point)
    flat, unravel = ravel_pytree(point)

    def jacobian(x: Any) -> Array:
        return jax.jacrev(lambda p: jnp.ravel(outputs(unravel(p), x)))(flat)

    return _sum_of_squares(jacobian, inputs, flat)


def _sum_of_squares(jacobian: Callable[[Any], Array], cases: Any, flat: Array) -> Array:
    def add(total: Array, x: Any) -> tuple[Array, None]:
        J = jacobian(x)
        return total + J.T @ J, None

    nothing = jnp.zeros((flat.size, flat.size), flat.dtype)
    return jax.lax.scan(add, nothing, cases)[0]


def fisher(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    variance: float | Array = 0.5,
) -> Array:
    """The Fisher information of a case, J^T J / variance averaged over cases, (P, P).

    For targets that are N(outputs, variance). At variance 1/2 a case's negative log-likelihood is
    its error plus a constant, and this is (2/n) of `gauss_newton` (Martens 2020, section 8).

    Raises:
        ValueError: as `gauss_newton`.
    """
    total = gauss_newton(params, batch, activation=activation)
    return total / (len(checked_batch(batch).inputs) * variance)


def empirical_fisher(
    params: Any, batch: Any, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """The mean over cases of g g^T, (P, P), with g the gradient of the case's error: not the Fisher
    information (Kunstner et al. 2019), though often so called.

    Raises:
        ValueError: as `backprop`.
    """
    batch = checked_batch(batch)

    def gradient(case: Any) -> Array:
        alone = jax.tree.map(lambda row: row[None], case)
        return ravel_pytree(backprop(params, alone, activation=activation))[0][None]

    return _sum_of_squares(gradient, batch, ravel_pytree(params)[0]) / len(batch.inputs)


def numbers_of(point: Any, by: str, *, unit_axis: int = 0) -> dict[str, Array]:
    """Which numbers of the flat point each "leaf", "layer" or "unit" holds, by its name.

    Layers and units as in `directions.normalised`.

    Raises:
        ValueError: an unknown way.
    """
    lookup({"leaf": 0, "layer": 0, "unit": 0}, by, what="kind of block")
    found_at = [path for path, _ in jax.tree_util.tree_leaves_with_path(point)]
    paths = [jax.tree_util.keystr(p, simple=True, separator=".") or "point" for p in found_at]
    if len(set(paths)) < len(paths):  # a key with a dot in it
        paths = [jax.tree_util.keystr(path) for path in found_at]
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(point)]
    ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))
    numbers = [
        jnp.arange(end - math.prod(shape), end).reshape(shape)
        for end, shape in zip(ends, shapes, strict=True)
    ]
    if by == "leaf":
        return {name: part.ravel() for name, part in zip(paths, numbers, strict=True)}
    found = {}
    for group in groups(point, unit_axis=unit_axis):
        steps = zip(*(paths[k].split(".") for k in group), strict=True)
        alike = itertools.takewhile(lambda names: len(set(names)) == 1, steps)
        name = ".".join(names[0] for names in alike) or "layer"
        parts = [jnp.atleast_1d(numbers[k]) for k in group]
        if by == "layer":
            found[name] = jnp.concatenate([part.ravel() for part in parts])
            continue
        first = [jnp.moveaxis(part, unit_axis, 0) if part.ndim > 1 else part for part in parts]
        for unit in range(len(first[0])):
            found[f"{name}[{unit}]"] = jnp.concatenate([part[unit].ravel() for part in first])
    return found


def blocks(
    loss_fn: Landscape, point: Any, *, by: str = "layer", unit_axis: int = 0
) -> dict[str, Array]:
    """The Hessian's block of each "leaf", "layer" or "unit" with itself, name -> (size, size).

    As many products as there are parameters; the whole Hessian is never held.

    Raises:
        ValueError: as `numbers_of` and `check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    parts = numbers_of(point, by, unit_axis=unit_axis)
    return {name: block(product, flat, which) for name, which in parts.items()}


def diagonal(loss_fn: Landscape, point: Any) -> Any:
    """d^2 E / dp_k^2 in the structure of the point, exact: P products, COLUMNS at a time.

    Raises:
        ValueError: as `checks.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    _, unravel = ravel_pytree(point)

    def entry(k: Array) -> Array:
        return product(jnp.zeros_like(flat).at[k].set(1.0))[k]

    return unravel(jax.lax.map(entry, jnp.arange(flat.size), batch_size=COLUMNS))
