"""Finite-time Lyapunov exponents of training: how fast nearby initial weights part."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.descent import ready
from jaxnn.gradients import gradient_of
from jaxnn.landscape.checks import check_loss
from jaxnn.vocabulary import Landscape, whole


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Lyapunov:
    """Lyapunov exponents of a stretch of training, and where it led.

    exponents: (k,) nats a step, largest first where the stretch is long enough. history: (k, steps)
        the logarithms of the growth at each step, whose mean they are.
    point: after all steps. loss: there.
    """

    exponents: Array
    history: Array
    point: Any
    loss: Array

    _repr_html_ = summaries.html()


def lyapunov(
    loss_fn: Landscape,
    rule: optax.GradientTransformation,
    point: Any,
    key: Array,
    *,
    steps: int,
    k: int = 1,
    settle: int = 0,
) -> Lyapunov:
    """lambda_i = (1 / steps) sum_t ln r_ii(t), r of the QR decomposition of the training map's
    derivative times the frame of the step before (Benettin et al. 1980; Eckmann & Ruelle 1985,
    section V).

    The training map takes the point and the rule's memory (momentum) to those after one step; its
    derivative is taken forward, exactly. Above 0 small changes of the initial weights grow as
    exp(lambda steps), below 0 they are forgotten. The frame is drawn at random, so over few steps
    an exponent is short by about ln(numbers moved) / (2 steps); with `settle` steps first, which
    are not counted, the frame has turned to what grows most. The QR decomposition is by
    Gram-Schmidt, twice, without LAPACK. A rule's whole numbers, such as counts of steps, are
    carried and not differentiated. If training diverges the exponents are NaN or infinite. Cost:
    1 + k gradients and their derivatives a step; memory: k points.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        rule: `sgd`, or any optax transformation that is a function of the gradient, its memory and
            the point.
        point: the initial point, any pytree of float arrays.
        key: draws the frame; used up.
        steps: that the exponents are the mean of.
        k: how many exponents, up to the numbers in the point and the memory.
        settle: steps before these.

    Raises:
        ValueError: steps or k below 1, a negative settle; k above the numbers that move; a point
            that is not finite or not of floats; a loss that is not one number.
    """
    steps, k, settle = whole(steps=(steps, 1), k=(k, 1), settle=(settle, 0))
    check_loss(loss_fn, point)
    point = jax.tree.map(jnp.asarray, point)
    rule = ready(rule)
    moving, still, join = _parted((point, rule.init(point)))
    if k > moving.size:
        raise ValueError(f"k is {k}, but the point and its memory hold {moving.size} numbers")
    step = _training_map(loss_fn, rule, join)

    def advance(state: tuple, _: None) -> tuple[tuple, Array]:
        moving, still, frame = state

        def along(tangent: Array) -> tuple[Array, Array, Any]:
            return jax.jvp(lambda z: step(z, still), (moving,), (tangent,), has_aux=True)

        new, pushed, rest = jax.vmap(along, out_axes=(None, 0, None))(frame)
        frame, lengths = orthonormalised(pushed)
        return (new, rest, frame), jnp.log(lengths)

    drawn = jax.random.normal(key, (k, moving.size), moving.dtype)
    state = (moving, still, orthonormalised(drawn)[0])
    state, _ = jax.lax.scan(advance, state, None, length=settle)
    state, history = jax.lax.scan(advance, state, None, length=steps)
    end, _ = join(state[0], state[1])
    return Lyapunov(
        exponents=jnp.mean(history, axis=0), history=history.T, point=end, loss=loss_fn(end)
    )


def _training_map(loss_fn: Landscape, rule: Any, join: Any) -> Any:
    """One step of training on what moves, with what does not as it is after the step."""
    gradient_at = gradient_of(loss_fn)

    def step(moving: Array, still: Any) -> tuple[Array, Any]:
        point, memory = join(moving, still)
        gradient = gradient_at(point)
        updates, memory = rule.update(
            gradient, memory, point, value=loss_fn(point), grad=gradient, value_fn=loss_fn
        )
        moved, rest, _ = _parted((optax.apply_updates(point, updates), memory))
        return moved, rest

    return step


def _parted(tree: Any) -> tuple[Array, list, Any]:
    """The tree's floats as one vector, its other leaves, and the function that joins them."""
    leaves, structure = jax.tree.flatten(tree)
    floats = [jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in leaves]
    moving, unravel = ravel_pytree(
        [leaf for leaf, moves in zip(leaves, floats, strict=True) if moves]
    )
    still = [leaf for leaf, moves in zip(leaves, floats, strict=True) if not moves]

    def join(moving: Array, still: list) -> Any:
        moved, rest = iter(unravel(moving)), iter(still)
        return jax.tree.unflatten(structure, [next(moved if m else rest) for m in floats])

    return moving, still, join


def orthonormalised(rows: Array) -> tuple[Array, Array]:
    """Q and the diagonal of R of the rows (k, n): orthonormal rows, and the length of each row
    across those before it (k,).

    Gram-Schmidt done twice, which is orthonormal to rounding (Giraud et al. 2005).
    """

    def add(frame: Array, row_and_place: tuple[Array, Array]) -> tuple[Array, Array]:
        row, place = row_and_place
        for _ in range(2):
            row = row - (frame @ row) @ frame  # rows still to come are 0
        length = jnp.linalg.norm(row)
        return frame.at[place].set(row / jnp.where(length > 0, length, 1.0)), length

    return jax.lax.scan(add, jnp.zeros_like(rows), (rows, jnp.arange(len(rows))))
