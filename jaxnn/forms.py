"""The forms in which an ensemble's members are held while they train: as nodes, as matrices, or as
they are.

The mathematics is one. What differs is the layout: in the node form each weight is a number of its
own, so that under vmap the members lie side by side in it and a step is arithmetic between vectors
of members, which small networks want; in the matrix form a layer is a matrix product, which wide
networks want.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.activations import Activation, per_layer
from jaxnn.backpropagation import loss_and_backprop, with_penalty
from jaxnn.losses import LossOn, penalty
from jaxnn.network import node, weighted_sum
from jaxnn.runs import ValueAndGradient
from jaxnn.vocabulary import Batch, Landscape, lookup

NODES_UP_TO = 60
"""Parameters up to which the node form runs: by tests/benchmarks/bench_ensembles.py, 4-8-1 with 49
is 2.6 times as fast as nodes; 4-8-3 with 67 is as fast in both and compiles longer as nodes; 4-16-3
with 131 is a tenth slower."""

UNROLLED = 100
"""Cases times parameters that the node form writes out in one piece; more are looped over, so that
compiling stays within seconds."""


VECTOR = 16
"""Columns of a matrix product that run as one: XLA's products of 1440 columns take three quarters
of the time of those of 1437 on one core with AVX-512."""

FILLED_FROM = 512
"""Cases from which empty rows up to the next multiple of VECTOR cost less than 3 %."""


class Node(NamedTuple):
    """One node: as many weights as the layer before has nodes, each a scalar; a bias or None."""

    weights: tuple[Array, ...]
    bias: Array | None


Nodes = tuple[tuple[Node, ...], ...]
"""A network, layer by layer, node by node."""


def as_nodes(params: Any) -> Nodes:
    """The network node by node; leading axes of params become the axes of every number."""
    return tuple(
        tuple(
            Node(
                tuple(W[..., unit, z] for z in range(W.shape[-1])),
                None if b is None else b[..., unit],
            )
            for unit in range(W.shape[-2])
        )
        for W, b in params
    )


def from_nodes(nodes: Nodes, structure: Any) -> Any:
    """The network as layers again, in this tree structure (`jax.tree.structure` of its params)."""
    leaves = []
    for layer in nodes:
        leaves.append(jnp.stack([jnp.stack(unit.weights, axis=-1) for unit in layer], axis=-2))
        biases = [unit.bias for unit in layer if unit.bias is not None]
        if biases:
            leaves.append(jnp.stack(biases, axis=-1))
    return jax.tree.unflatten(structure, leaves)


def forward_by_nodes(nodes: Nodes, x: Any, names: tuple[str, ...]) -> list[Array]:
    """The outputs for one case, each node by `network.node`."""
    values = list(x)
    for layer, name in zip(nodes, names, strict=True):
        values = [node(unit.weights, values, unit.bias, activation=name) for unit in layer]
    return values


def _one_case(
    nodes: Nodes, x: list[Array], d: list[Array], sigmas: tuple[Activation, ...]
) -> tuple[Any, Nodes]:
    """The error of one case and its gradient by hand: the reverse sweep of `backpropagation`,
    number by number.
    """
    v, values, slopes = x, [], []
    for layer, sigma in zip(nodes, sigmas, strict=True):
        values.append(v)
        pairs = [sigma.both(weighted_sum(unit.weights, v, unit.bias)) for unit in layer]
        v, slope = [value for value, _ in pairs], [slope for _, slope in pairs]
        slopes.append(slope)
    gaps = [o - wanted for o, wanted in zip(v, d, strict=True)]
    dE_dv, gradient = [2.0 * gap for gap in gaps], []
    for layer, v, slope in zip(reversed(nodes), reversed(values), reversed(slopes), strict=True):
        dE_du = [of_v * s for of_v, s in zip(dE_dv, slope, strict=True)]
        gradient.append(
            tuple(
                Node(tuple(of_u * value for value in v), None if unit.bias is None else of_u)
                for unit, of_u in zip(layer, dE_du, strict=True)
            )
        )
        dE_dv = [
            weighted_sum([unit.weights[z] for unit in layer], dE_du, None) for z in range(len(v))
        ]
    return sum(gap * gap for gap in gaps), tuple(reversed(gradient))


def loss_and_gradient_by_nodes(
    nodes: Nodes, batch: Batch, *, activation: str | tuple[str, ...], l2: float | Array | None
) -> tuple[Array, Nodes]:
    """`loss_and_backprop` for a network held as nodes: the same loss, a scalar, and gradient.

    Up to UNROLLED cases times parameters are written out in one piece, the rest in a loop over
    pieces of equal length.
    """
    sigmas, cases = per_layer(activation, len(nodes)), len(batch.inputs)
    at_once = max(1, UNROLLED // len(jax.tree.leaves(nodes)))
    at_once = next(k for k in range(min(at_once, cases), 0, -1) if cases % k == 0)

    def piece(part: Batch) -> tuple[Any, Nodes]:
        each = [
            _one_case(nodes, list(part.inputs[c]), list(part.targets[c]), sigmas)
            for c in range(at_once)
        ]
        return jax.tree.map(lambda *terms: sum(terms[1:], start=terms[0]), *each)

    def add(total: Any, part: Batch) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, piece(part)), None

    parts = jax.tree.map(lambda leaf: leaf.reshape(-1, at_once, leaf.shape[-1]), batch)
    if cases == at_once:
        error, gradient = piece(jax.tree.map(lambda leaf: leaf[0], parts))
    else:
        nothing = jax.tree.map(jnp.zeros_like, nodes)
        zero = jnp.zeros_like(jax.tree.leaves(nodes)[0])
        (error, gradient), _ = jax.lax.scan(add, (zero, nothing), parts)
    mean = jax.tree.map(lambda total: total * (1.0 / cases), gradient)
    return error * (1.0 / cases) + penalty(nodes, l2), with_penalty(nodes, mean, l2)


class Form(NamedTuple):
    """How members are held, and how a landscape is taken there.

    hold(point) and give(held, structure) go there and back, leading axes kept; on(loss_fn,
    structure) gives the landscape over what is held, and its value and gradient. structure: the
    point's tree structure.
    """

    hold: Callable[[Any], Any]
    give: Callable[[Any, Any], Any]
    on: Callable[[Any, Any], tuple[Landscape, ValueAndGradient]]


def _as_it_is(point: Any, structure: Any = None) -> Any:
    del structure
    return point


def _nodes_on(loss_fn: LossOn, structure: Any) -> tuple[Landscape, ValueAndGradient]:
    settings = {"activation": loss_fn.activation, "l2": loss_fn.l2}
    return (
        lambda nodes: loss_fn(from_nodes(nodes, structure)),
        lambda nodes: loss_and_gradient_by_nodes(nodes, loss_fn.batch, **settings),
    )


def _matrices_on(loss_fn: LossOn, structure: Any) -> tuple[Landscape, ValueAndGradient]:
    del structure
    settings = {"activation": loss_fn.activation, "l2": loss_fn.l2, "cases": loss_fn.cases}
    return loss_fn, lambda point: loss_and_backprop(point, loss_fn.batch, **settings)


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


def _landscape_on(loss_fn: Landscape, structure: Any) -> tuple[Landscape, ValueAndGradient]:
    del structure
    return loss_fn, jax.value_and_grad(loss_fn)


FORMS = {
    "nodes": Form(as_nodes, from_nodes, _nodes_on),
    "matrices": Form(_as_it_is, _as_it_is, _matrices_on),
    "landscape": Form(_as_it_is, _as_it_is, _landscape_on),
}


def form_of(loss_fn: Landscape, starts: Any) -> str:
    """The form that an ensemble of these starts (members axis first) trains in: a name in FORMS.

    "nodes": loss_fn is a `loss_on` of a network with at most NODES_UP_TO parameters. "matrices": of
    a larger one. Both take the gradient by hand. "landscape": any other function of a point; its
    gradient is taken by jax.grad, for a network about three times as slow.
    """
    if not isinstance(loss_fn, LossOn):
        return "landscape"
    return "nodes" if floats_of(starts) <= NODES_UP_TO else "matrices"


def floats_of(starts: Any) -> int:
    """How many numbers a member of these (members axis first) has."""
    return sum(leaf.size // len(leaf) for leaf in jax.tree.leaves(starts))


def checked_form(name: str | None, loss_fn: Landscape, starts: Any) -> str:
    """The form of this name, or where None the one that `form_of` gives.

    Raises:
        ValueError: an unknown name; nodes or matrices for what is no `loss_on`.
    """
    name = form_of(loss_fn, starts) if name is None else name
    lookup(FORMS, name, what="form")
    if name != "landscape" and not isinstance(loss_fn, LossOn):
        raise ValueError(
            f"form {name!r} is for a landscape made by loss_on; a bare function trains as it is: "
            "leave form out"
        )
    return name
