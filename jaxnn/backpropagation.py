"""The gradient by hand, twice: the reverse sweep, and the essay's recursion node by node; and the
check that they agree.

Nothing here but `check_gradients`, which compares, calls a transformation that differentiates. The
activations' derivatives are derived in `activations`.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.losses import fitted, loss_on, penalised, penalty
from jaxnn.network import layers_of, one_case
from jaxnn.numerics import key_of
from jaxnn.vocabulary import Batch, Layer


def loss_and_backprop(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array | None = 0.0,
    cases: int | None = None,
) -> tuple[Array, Any]:
    """The loss, a scalar, and its gradient in the structure of params, by one sweep forward and one
    in reverse.

    A column of v and u is one training case, so every formula of the essay stands for all cases at
    once: u = W v + b, v' = sigma(u), and from E = (1/n) sum_n sum_k (o_k - d_k)^2 by the
    chain rule, last layer first,

        dE/do = (2/n) (o - d)        dE/du = dE/dv' * sigma'(u)
        dE/dW = dE/du v^T            dE/db = dE/du summed over cases            dE/dv = W^T dE/du

    One pass over the layers gives the derivatives for all parameters, because dE/dv of a layer
    serves everything before it. The l2 penalty adds l2 p to each dE/dp. Memory: the values and
    slopes of all layers, (units, cases) each. Where `cases` is given, only so many rows of the
    batch are cases, the first ones, and the others add nothing.

    Raises:
        ValueError: as `loss`.
    """
    layers, batch = fitted(params, batch, activation)
    values, slopes = [batch.inputs.T], []
    for W, b, sigma in layers:
        u = W @ values[-1]
        value, slope = sigma.both(u if b is None else u + b[:, None])
        values.append(value)
        slopes.append(slope)

    gap, rows = values.pop() - batch.targets.T, len(batch.inputs)
    cases = rows if cases is None else cases
    if cases < rows:
        gap = jnp.where(jnp.arange(rows) < cases, gap, 0.0)
    error = jnp.sum(jnp.square(gap)) / cases + penalty(params, l2)
    dE_dv = (2.0 / cases) * gap
    gradient = []
    for (W, b, _), slope, v in zip(
        reversed(layers), reversed(slopes), reversed(values), strict=True
    ):
        dE_du = dE_dv * slope
        gradient.append(Layer(dE_du @ v.T, None if b is None else jnp.sum(dE_du, axis=1)))
        dE_dv = W.T @ dE_du
    return error, with_penalty(params, _like(params, gradient[::-1]), l2)


def backprop(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array | None = 0.0,
) -> Any:
    """dE/dp for every parameter, in the structure of params, by the reverse sweep of
    `loss_and_backprop`.

    >>> backprop([(jnp.zeros((1, 2)), jnp.zeros(1))], ([[1.0, 2.0]], [[1.0]]))[0][0]
    Array([[-0.25, -0.5 ]], dtype=float32)

    Raises:
        ValueError: as `loss`.
    """
    return loss_and_backprop(params, batch, activation=activation, l2=l2)[1]


def output_jacobian(params: Any, x: Array, *, activation: str | tuple[str, ...] = "sigmoid") -> Any:
    """do_i/dp for one case x (inputs,), in the structure of params, each leaf with a leading
    outputs axis.

    The essay's recursion (section 5, Cases 1 to 3 for weights and for biases). Cost: outputs x P
    memory, and the hidden layers' Jacobians on the way, (units, *leaf) each.

    Raises:
        ValueError: as `forward`.
    """
    layers = layers_of(params, activation)
    return _like(params, _node_derivatives(layers, one_case(layers, x))[1])


def _node_derivatives(layers: list, x: Array) -> tuple[Array, tuple[Layer, ...]]:
    """The values v (units,) of the last of these layers and dv_i/dp for every parameter p of all of
    them.

    The recursion of the essay: what a layer needs from the one before is the same problem, one
    layer shorter. It ends at the inputs, which no parameter moves.
    """
    if not layers:
        return x, ()
    *before, (W, b, sigma) = layers
    v, dv_dp = _node_derivatives(before, x)
    u = W @ v if b is None else W @ v + b
    slope = sigma.derivative(u)  # sigma'(u), the factor in front of every case

    # Case 3: p sits in a layer before. The weights are constants, so dv_i/dp = sigma'(u_i) sum_k
    # w_ik dv_k/dp
    earlier = jax.tree.map(lambda dv: _scale_rows(slope, jnp.tensordot(W, dv, axes=1)), dv_dp)
    # Case 1: p belongs to another node of this layer: 0, off the diagonal of `own`.
    # Case 2: p belongs to node i itself: sigma'(u_i) v_z for the weight from node z, sigma'(u_i)
    # for the bias.
    own = jnp.diag(slope)
    weights = own[:, :, None] * v[None, None, :]
    return sigma.value(u), (*earlier, Layer(weights, None if b is None else own))


def _scale_rows(factors: Array, rows: Array) -> Array:
    return factors.reshape(factors.shape + (1,) * (rows.ndim - 1)) * rows


def gradient_by_cases(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array | None = 0.0,
) -> Any:
    """dE/dp = (1/n) sum_n sum_i 2 (o_i - d_i) do_i/dp (essay, section 5), in the structure of
    params, plus l2 p.

    One case after another, so memory does not grow with the cases; time grows as cases x units x P.
    It is the definition, to check `backprop` against, which costs about the loss's own time.

    Raises:
        ValueError: as `loss`.
    """
    layers, batch = fitted(params, batch, activation)

    def add_case(total: Any, case: Batch) -> tuple[Any, None]:
        o, do_dp = _node_derivatives(layers, case.inputs)
        dE_do = 2.0 * (o - case.targets)
        return jax.tree.map(lambda t, do: t + jnp.tensordot(dE_do, do, axes=1), total, do_dp), None

    nothing = jax.tree.map(jnp.zeros_like, tuple(Layer(W, b) for W, b, _ in layers))
    total, _ = jax.lax.scan(add_case, nothing, batch)
    mean = jax.tree.map(lambda t: t / len(batch.inputs), total)
    return with_penalty(params, _like(params, mean), l2)


def _like(params: Any, layers: Any) -> Any:
    """The layers' leaves in the structure that params came in."""
    return jax.tree.unflatten(jax.tree.structure(params), jax.tree.leaves(layers))


def with_penalty(params: Any, gradient: Any, l2: float | Array | None) -> Any:
    """The gradient plus that of (l2/2) |p|^2, which is l2 p."""
    if not penalised(l2):
        return gradient
    return jax.tree.map(lambda g, p: g + l2 * p, gradient, params)


WAYS = ("reverse sweep", "by cases", "autodiff", "central differences")
PAIRS = [" = ".join(pair) for pair in itertools.combinations(WAYS, 2)]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class GradientCheck:
    """How far four ways to the gradient are apart, for each of the pairs in PAIRS.

    `exact` is the largest relative difference of the pairs without central differences.
    `absolute` (6,) is the largest difference of any entry; `relative` (6,) is, over the leaves, the
    largest difference divided by the leaf's largest entry. Pairs with central differences look at
    the sampled parameters alone.
    """

    exact: Array
    absolute: Array
    relative: Array
    cases: int = dataclasses.field(metadata={"static": True})
    of_cases: int = dataclasses.field(metadata={"static": True})
    parameters: int = dataclasses.field(metadata={"static": True})
    of_parameters: int = dataclasses.field(metadata={"static": True})

    pairs = PAIRS
    _repr_html_ = summaries.html(also=("pairs",))

    def __str__(self) -> str:
        """A table, a line a pair, and what was sampled."""
        rows = [
            f"{pair:42} {float(a):9.1e} {float(r):9.1e}"
            for pair, a, r in zip(PAIRS, self.absolute, self.relative, strict=True)
        ]
        sampled = (
            f"on {self.cases} of {self.of_cases} cases; "
            f"central differences for {self.parameters} of {self.of_parameters} parameters"
        )
        head = f"{'largest difference':42} {'absolute':>9} {'relative':>9}"
        return "\n".join([head, *rows, sampled])


def check_gradients(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array = 0.0,
    key: Array | None = None,
    most_cases: int = 64,
    most_parameters: int = 200,
) -> GradientCheck:
    """The gradient four ways: `backprop` = `gradient_by_cases` = `jax.grad` = central differences,
    in params' dtype.

    At most `most_cases` cases and `most_parameters` parameters for the differences are drawn by
    `key` (default that of seed 0), and the result says so. Central differences err by O(h^2) +
    eps |E| / h with h the cube root of the dtype's eps times max(1, |p|): about 1e-9 in float64,
    1e-3 in float32 (Nocedal & Wright 2006, section 8.1).

    Raises:
        ValueError: as `loss`.
    """
    _, batch = fitted(params, batch, activation)
    case_key, parameter_key = jax.random.split(key_of(0) if key is None else key)
    of_cases = len(batch.inputs)
    if of_cases > most_cases:
        drawn = jax.random.choice(case_key, of_cases, (most_cases,), replace=False)
        batch = Batch(batch.inputs[drawn], batch.targets[drawn])
    loss_fn = loss_on(batch, activation=activation, l2=l2)
    options = {"activation": activation, "l2": l2}
    flat, unravel = ravel_pytree(params)
    of_parameters = flat.size
    sample = jnp.arange(of_parameters)
    if of_parameters > most_parameters:
        sample = jax.random.choice(parameter_key, of_parameters, (most_parameters,), replace=False)

    ways = [
        ravel_pytree(backprop(params, batch, **options))[0],
        ravel_pytree(gradient_by_cases(params, batch, **options))[0],
        ravel_pytree(jax.grad(loss_fn)(params))[0],
    ]
    differences = _central_differences(lambda p: loss_fn(unravel(p)), flat, sample)
    ways.append(ways[2].at[sample].set(differences))  # where not sampled, never looked at
    sizes = [leaf.size for leaf in jax.tree.leaves(params)]
    ends = list(itertools.accumulate(sizes))

    def largest_by_leaf(values: Array) -> Array:
        return jnp.stack([jnp.max(part) for part in jnp.split(values, ends[:-1])])

    sampled = jnp.zeros(of_parameters, bool).at[sample].set(True)

    absolute, relative = [], []
    for (a, first), (b, second) in itertools.combinations(zip(WAYS, ways, strict=True), 2):
        seen = sampled if WAYS[3] in (a, b) else jnp.ones_like(sampled)
        gap = jnp.where(seen, jnp.abs(first - second), 0.0)
        size = jnp.maximum(jnp.abs(first), jnp.abs(second))
        gaps = largest_by_leaf(gap)
        largest = largest_by_leaf(size)
        absolute.append(jnp.max(gap))
        relative.append(
            jnp.max(jnp.where(gaps == 0, 0.0, gaps / jnp.where(largest == 0, 1.0, largest)))
        )
    exact = [r for r, pair in zip(relative, PAIRS, strict=True) if WAYS[3] not in pair]
    return GradientCheck(
        exact=jnp.max(jnp.stack(exact)),
        absolute=jnp.stack(absolute),
        relative=jnp.stack(relative),
        cases=len(batch.inputs),
        of_cases=of_cases,
        parameters=len(sample),
        of_parameters=of_parameters,
    )


def _central_differences(loss_fn: Any, flat: Array, sample: Array) -> Array:
    """(E(p + h) - E(p - h)) / 2h along each sampled parameter, one after another: (sampled,)."""
    steps = jnp.finfo(flat.dtype).eps ** (1 / 3) * jnp.maximum(1.0, jnp.abs(flat))

    def along(index: Array) -> Array:
        up, down = flat.at[index].add(steps[index]), flat.at[index].add(-steps[index])
        return (loss_fn(up) - loss_fn(down)) / (up[index] - down[index])

    return jax.lax.map(along, sample)
