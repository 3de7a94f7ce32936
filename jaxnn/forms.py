"""The forms in which an ensemble's members train: unit by unit, as matrices, or as they are.

The mathematics is one. What differs is the layout: in the form of units the members lie side by
side in every number's place, and a step is arithmetic between vectors of members, which small
networks want; in the matrix form a layer is a matrix product, which wide networks want.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.activations import Activation, per_layer
from jaxnn.backpropagation import loss_and_backprop
from jaxnn.losses import LossOn, penalised
from jaxnn.network import weighted_sum
from jaxnn.runs import ValueAndGradient
from jaxnn.vocabulary import Batch, Landscape, Layer, lookup

FORMS = {
    "units": "arrays (units, units of the layer before, members), one training case after another",
    "matrices": "a layer is a matrix product",
    "landscape": "any function of a point, by jax.grad",
}

UNITS_UP_TO = 160
"""Parameters up to which the form of units runs: in CPU seconds of one busy core 13-8-3 with 139
was 1.5 times as fast in it as by matrices, 4-32-3 with 259 1.3 times, 30-8-1 with 257 a sixth
slower."""

VECTOR = 16
"""Columns of a matrix product that run as one: XLA's products of 1440 columns take three quarters
of the time of those of 1437 on one core with AVX-512."""

FILLED_FROM = 512
"""Cases from which empty rows up to the next multiple of VECTOR cost less than 3 %."""


def members_axis(form: str) -> int:
    """Where the members of a tile are while they train in this form: the axis of every leaf."""
    return -1 if form == "units" else 0


def _one_case(
    layers: Any, x: Array, d: Array, sigmas: tuple[Activation, ...]
) -> tuple[Array, list[Layer]]:
    """The error of one case, (members,), and its gradient by hand: the reverse sweep of
    `backpropagation`, each sum over units written out.

    x (inputs, members or 1); d (outputs, members or 1).
    """
    v, values, slopes = x, [], []
    for (W, b), sigma in zip(layers, sigmas, strict=True):
        values.append(v)
        u = weighted_sum(
            [W[:, z] for z in range(W.shape[1])], [v[z : z + 1] for z in range(len(v))], b
        )
        v, slope = sigma.both(u)
        slopes.append(slope)
    gaps = v - d
    dE_dv, gradient = 2.0 * gaps, []
    for (W, b), v, slope in zip(reversed(layers), reversed(values), reversed(slopes), strict=True):
        dE_du = dE_dv * slope
        gradient.append(Layer(dE_du[:, None] * v[None], None if b is None else dE_du))
        dE_dv = weighted_sum([*W], [dE_du[n : n + 1] for n in range(len(W))])
    return jnp.sum(jnp.square(gaps), axis=0), gradient[::-1]


def loss_and_gradient_by_units(
    params: Any, batch: Batch, *, activation: str | tuple[str, ...], l2: float | Array | None
) -> tuple[Array, Any]:
    """`loss_and_backprop` for many members at once, which are the last axis of every leaf of
    params: the losses, (members,), and the gradient like params.

    batch and l2 have that axis too, of length 1 where all members share them. A trip of the loop
    is one case, so that compiling takes no longer for more of them.
    """
    layers, sigmas = list(params), per_layer(activation, len(params))

    def case(part: Batch) -> tuple[Array, list[Layer]]:
        return _one_case(layers, part.inputs, part.targets, sigmas)

    def add(total: Any, part: Batch) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, case(part)), None

    shapes = jax.eval_shape(case, jax.tree.map(lambda leaf: leaf[0], batch))
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    (error, gradient), _ = jax.lax.scan(add, nothing, batch)
    share, leaves = 1.0 / len(batch.inputs), jax.tree.leaves(params)
    loss = error * share
    slopes = [total * share for total in jax.tree.leaves(gradient)]
    if penalised(l2):
        l2 = jnp.asarray(l2).ravel()
        loss = loss + 0.5 * l2 * sum(jnp.sum(jnp.square(p), range(p.ndim - 1)) for p in leaves)
        slopes = [
            g + l2.reshape(*[1] * (g.ndim - 1), -1) * p for g, p in zip(slopes, leaves, strict=True)
        ]
    slopes = [g.astype(p.dtype) for g, p in zip(slopes, leaves, strict=True)]
    return loss, jax.tree.unflatten(jax.tree.structure(params), slopes)


def value_and_gradient(form: str, loss_fn: Any) -> ValueAndGradient:
    """One member's loss and gradient in the form of matrices or of a landscape."""
    if form == "landscape":
        return jax.value_and_grad(loss_fn)
    settings = {"activation": loss_fn.activation, "l2": loss_fn.l2, "cases": loss_fn.cases}
    return lambda point: loss_and_backprop(point, loss_fn.batch, **settings)


def filled_up(loss_fn: LossOn) -> LossOn:
    """The landscape with rows behind the cases, up to a multiple of VECTOR, where there are many
    cases; the matrix form of it is the same loss.
    """
    cases = loss_fn.batch.inputs.shape[-2]
    fill = -cases % VECTOR
    if fill == 0 or cases < FILLED_FROM:
        return loss_fn

    def longer(leaf: Array) -> Array:
        return jnp.pad(leaf, [(0, 0)] * (leaf.ndim - 2) + [(0, fill), (0, 0)])

    return dataclasses.replace(loss_fn, batch=Batch(*map(longer, loss_fn.batch)), cases=cases)


def form_of(loss_fn: Landscape, starts: Any) -> str:
    """The form that an ensemble of these starts (members axis first) trains in: a name in FORMS.

    "units": loss_fn is a `loss_on` of a network with at most UNITS_UP_TO parameters. "matrices": of
    a larger one. Both take the gradient by hand. "landscape": any other function of a point; its
    gradient is taken by jax.grad, for a network about three times as slow.
    """
    if not isinstance(loss_fn, LossOn):
        return "landscape"
    return "units" if floats_of(starts) <= UNITS_UP_TO else "matrices"


def floats_of(starts: Any) -> int:
    """How many numbers a member of these (members axis first) has."""
    return sum(leaf.size // len(leaf) for leaf in jax.tree.leaves(starts))


def checked_form(name: str | None, loss_fn: Landscape, starts: Any) -> str:
    """The form of this name, or where None the one that `form_of` gives.

    Raises:
        ValueError: an unknown name; units or matrices for what is no `loss_on`.
    """
    name = form_of(loss_fn, starts) if name is None else name
    lookup(FORMS, name, what="form")
    if name != "landscape" and not isinstance(loss_fn, LossOn):
        raise ValueError(
            f"form {name!r} is for a landscape made by loss_on; a bare function trains as it is: "
            "leave form out"
        )
    return name
