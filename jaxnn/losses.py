"""The error of a network: sum of squares per case, averaged over cases; and the loss as a
landscape.

This file is the hinge: after it, an analysis knows a point and a landscape, not layers.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from jaxnn import summaries
from jaxnn.network import forward_columns, layers_of
from jaxnn.vocabulary import Batch


def sum_of_squares(outputs: Array, targets: Array) -> Array:
    """sum_k (o_k - d_k)^2 over the last axis, without 1/2 (essay, section 3).

    >>> print(f"{sum_of_squares([0.3, 0.5, 0.6, 0.1], [1.0, 0.0, 0.0, 0.0]):.2f}")  # the essay's
    1.11

    Raises:
        ValueError: different shapes, which would broadcast to a wrong error in silence.
    """
    outputs, targets = jnp.asarray(outputs), jnp.asarray(targets)
    if outputs.shape != targets.shape:
        raise ValueError(
            f"outputs have shape {outputs.shape} but targets {targets.shape}: give both one shape"
        )
    return jnp.sum(jnp.square(outputs - targets), axis=-1)


def checked_batch(batch: Any) -> Batch:
    """The batch as arrays, inputs (cases, inputs) and targets (cases, outputs).

    Raises:
        ValueError: other numbers of axes, different numbers of cases, or no cases.
    """
    inputs, targets = jnp.asarray(batch[0]), jnp.asarray(batch[1])
    if inputs.ndim != 2 or targets.ndim != 2 or inputs.shape[0] != targets.shape[0]:
        raise ValueError(
            f"inputs have shape {inputs.shape} and targets {targets.shape}: "
            "wanted (cases, inputs) and (cases, outputs)"
        )
    if inputs.shape[0] == 0:
        raise ValueError("the batch has no cases: give at least one")
    return Batch(inputs, targets)


def fitted(params: Any, batch: Any, activation: str | tuple[str, ...]) -> tuple[list, Batch]:
    """The network's layers (as `layers_of`) and the batch (as `checked_batch`), held against each
    other.

    Raises:
        ValueError: a batch with more or fewer columns than the network has inputs and outputs, or
            as those two.
    """
    layers, batch = layers_of(params, activation), checked_batch(batch)
    came = (batch.inputs.shape[1], batch.targets.shape[1])
    wanted = (layers[0][0].shape[1], layers[-1][0].shape[0])
    if came != wanted:
        raise ValueError(
            f"the batch has {came[0]} inputs and {came[1]} targets a case, "
            f"but the network {wanted[0]} inputs and {wanted[1]} outputs"
        )
    return layers, batch


def outputs_for(
    params: Any, inputs: Array, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """The outputs (cases, outputs) of `forward` for each row of inputs (cases, inputs).

    Raises:
        ValueError: inputs of another shape, or as `layers_of`.
    """
    layers, inputs = layers_of(params, activation), jnp.asarray(inputs)
    wanted = layers[0][0].shape[1]
    if inputs.ndim != 2 or inputs.shape[1] != wanted:
        raise ValueError(f"inputs have shape {inputs.shape}, wanted (cases, {wanted})")
    return forward_columns(layers, inputs.T).T


def penalised(l2: float | Array | None) -> TypeGuard[float | Array]:
    """Whether there is an l2 penalty at all, as far as can be told before tracing; None means no.

    Inside a compiled ensemble a zero that is a number would cost a twelfth of a small step.
    """
    return not (l2 is None or (isinstance(l2, int | float) and l2 == 0))


def penalty(params: Any, l2: float | Array | None) -> Any:
    """(l2 / 2) times the sum of all squared parameters, weights and biases."""
    if not penalised(l2):
        return 0.0
    return 0.5 * l2 * sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(params))


def loss(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array | None = 0.0,
) -> Array:
    """E = (1/n) sum over the n cases of sum_k (o_k - d_k)^2 (essay, section 3), plus (l2 / 2)
    |params|^2.

    A scalar: squared output units per case.

    >>> from jaxnn import data
    >>> float(loss([(jnp.zeros((1, 2)), jnp.zeros(1))], data.xor()))  # each output is 1/2
    0.25

    Raises:
        ValueError: shapes of batch and network that do not fit (see `fitted`), an unknown
            activation.
    """
    layers, batch = fitted(params, batch, activation)
    gaps = forward_columns(layers, batch.inputs.T) - batch.targets.T
    return jnp.mean(jnp.sum(jnp.square(gaps), axis=0)) + penalty(params, l2)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LossOn:
    """The landscape `point -> loss(point, batch)`; a pytree whose leaves are the batch and l2. Made
    by `loss_on`.

    cases: how many rows of the batch are cases, the first ones; None, all of them.
    """

    batch: Batch
    l2: float | Array | None  # None is 0, known before tracing
    activation: str | tuple[str, ...] = dataclasses.field(metadata={"static": True})
    cases: int | None = dataclasses.field(default=None, metadata={"static": True})

    _repr_html_ = summaries.html()

    def __call__(self, point: Any) -> Array:
        """The loss at the point, a scalar."""
        return loss(point, self.counted, activation=self.activation, l2=self.l2)

    @property
    def counted(self) -> Batch:
        """The batch without the rows that are no cases."""
        return self.batch if self.cases is None else Batch(*(a[: self.cases] for a in self.batch))

    def residuals(self, point: Any) -> Array:
        """A vector (cases * outputs + parameters,) whose squares sum to the loss: what
        Levenberg-Marquardt wants.
        """
        _, batch = fitted(point, self.counted, self.activation)
        errors = outputs_for(point, batch.inputs, activation=self.activation) - batch.targets
        l2 = 0.0 if self.l2 is None else self.l2
        weights = [
            jnp.sqrt(0.5 * jnp.asarray(l2, leaf.dtype)) * leaf.ravel()
            for leaf in jax.tree.leaves(point)
        ]
        return jnp.concatenate(
            [errors.ravel() / jnp.sqrt(jnp.asarray(len(errors), errors.dtype)), *weights]
        )

    def saturation(self, point: Any) -> Array:
        """How saturated the most saturated unit is, in [0, 1]: 1 - min over units of max over cases
        of sigma' / max sigma'.

        0: every unit is at its steepest on some case. 1: some unit responds on no case, so no
        gradient flows through it.
        """
        layers, batch = fitted(point, self.counted, self.activation)
        v, least = batch.inputs.T, jnp.inf
        for W, b, sigma in layers:
            u = W @ v if b is None else W @ v + b[:, None]
            least = jnp.minimum(
                least, jnp.min(jnp.max(sigma.derivative(u), axis=1)) / sigma.steepest
            )
            v = sigma.value(u)
        return jnp.asarray(1.0 - least)


def loss_on(
    batch: Any, *, activation: str | tuple[str, ...] = "sigmoid", l2: float | Array = 0.0
) -> LossOn:
    """The loss as a landscape over the parameters, for this batch: a callable pytree, so it
    compiles once per shape.

    >>> from jaxnn import data
    >>> loss_fn = loss_on(data.xor())
    >>> float(loss_fn([(jnp.zeros((1, 2)), jnp.zeros(1))]))
    0.25

    Raises:
        ValueError: inputs that are not (cases, inputs), targets that are not (cases, outputs), a
            negative l2.
    """
    if l2 is not None and not isinstance(l2, Tracer) and not np.all(np.asarray(l2) >= 0):
        raise ValueError(f"l2 is {l2}: give a number >= 0")
    return LossOn(
        checked_batch(batch), l2, activation if isinstance(activation, str) else tuple(activation)
    )


def correct(params: Any, batch: Any, *, activation: str | tuple[str, ...] = "sigmoid") -> Array:
    """Whether each case is classified correctly, (cases,) of bool.

    With several outputs the largest must be the largest target's; with one output it must be on the
    same side as the target of the middle between the batch's smallest and largest target (0.5 for
    targets 0 and 1).
    """
    _, batch = fitted(params, batch, activation)
    outputs = outputs_for(params, batch.inputs, activation=activation)
    if batch.targets.shape[1] > 1:
        return jnp.argmax(outputs, axis=1) == jnp.argmax(batch.targets, axis=1)
    middle = 0.5 * (jnp.min(batch.targets) + jnp.max(batch.targets))
    return ((outputs > middle) == (batch.targets > middle))[:, 0]


def accuracy(params: Any, batch: Any, *, activation: str | tuple[str, ...] = "sigmoid") -> Array:
    """The share of cases classified correctly, in [0, 1], by the rule of `correct`.

    >>> from jaxnn import data
    >>> float(accuracy([(jnp.array([[20.0, 20.0]]), jnp.array([-10.0]))], data.xor()))  # an or
    0.75
    """
    return jnp.mean(correct(params, batch, activation=activation))
