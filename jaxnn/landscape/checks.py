"""What analyses ask of points, directions and landscapes before they compute."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxnn.vocabulary import Landscape


def check_alike(a: Any, b: Any, *, what: str = "points") -> None:
    """Refuse two trees that differ in structure or in the shapes of their leaves.

    Raises:
        ValueError: such trees; `what` names them, and both are described.
    """
    described = [
        (jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)])
        for tree in (a, b)
    ]
    if described[0] != described[1]:
        raise ValueError(f"{what} differ in structure: {described[0]} against {described[1]}")


def check_point(point: Any, *, what: str = "the point") -> None:
    """Refuse what no landscape can be differentiated at.

    Raises:
        ValueError: a point without leaves, with leaves that are no floats, or, where it is
            concrete, with NaN or infinity in it.
    """
    leaves = jax.tree_util.tree_leaves_with_path(point)
    if not leaves:
        raise ValueError(f"{what} has no leaves: give a pytree of float arrays")
    for path, leaf in leaves:
        where = f"{what}'s leaf {jax.tree_util.keystr(path) or '(itself)'}"
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ValueError(f"{where} is of {jnp.result_type(leaf)}: wanted floats; convert it")
        if not isinstance(leaf, Tracer) and not np.isfinite(np.asarray(leaf)).all():
            raise ValueError(f"{where} holds NaN or infinity: give a finite point")


def check_loss(loss_fn: Landscape, point: Any, *, what: str = "the point") -> None:
    """Refuse a point that cannot be differentiated at, and a loss that is not a number there.

    Raises:
        ValueError: as `check_point`; a loss that is not one number.
    """
    check_point(point, what=what)
    given = jax.eval_shape(loss_fn, point)
    shape = getattr(given, "shape", given)
    if shape != ():
        raise ValueError(f"the loss has shape {shape}: a landscape gives one number, of shape ()")


def check_direction(point: Any, direction: Any) -> None:
    """Refuse a direction that does not fit the point, or that is concrete and zero or not finite.

    Raises:
        ValueError: such a direction.
    """
    check_alike(point, direction, what="point and direction")
    check_point(direction, what="the direction")
    if is_zero(direction):
        raise ValueError("the direction is zero: give one that leads somewhere")


def is_zero(tree: Any) -> bool:
    """Whether a tree is concrete and holds zeros alone."""
    leaves = jax.tree.leaves(tree)
    traced = any(isinstance(leaf, Tracer) for leaf in leaves)
    return not traced and not any(np.any(np.asarray(leaf)) for leaf in leaves)


def check_points(**counts: int) -> None:
    """Refuse numbers of points on a path that leave none between its ends.

    Raises:
        ValueError: such a number, or one that is not whole.
    """
    for name, count in counts.items():
        if not isinstance(count, Integral) or count < 3:
            raise ValueError(
                f"{name} is {count!r}: give a whole number, at least 3, the ends and one between"
            )


def check_network(point: Any) -> None:
    """Refuse what is not a sequence of (weights, biases) pairs of finite floating-point arrays.

    Raises:
        ValueError: such a point.
    """
    layers = isinstance(point, list | tuple) and all(
        isinstance(layer, list | tuple) and len(layer) == 2 for layer in point
    )
    if not layers:
        raise ValueError(
            f"the point is {jax.tree.structure(point)}, but this loss is a network's: "
            "give one (weights, biases) pair a layer"
        )
    for number, layer in enumerate(point):
        for leaf in jax.tree.leaves(layer):
            if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
                raise ValueError(
                    f"layer {number} has numbers of type {jnp.result_type(leaf)}: give floating "
                    "point, as float32 or float64"
                )
            if not isinstance(leaf, Tracer) and not np.isfinite(np.asarray(leaf)).all():
                raise ValueError(f"layer {number} holds NaN or infinity: give a finite point")
