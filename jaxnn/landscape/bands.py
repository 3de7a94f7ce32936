"""The nudged elastic band on arrays of images (images, P): tangents, forces, and how the band comes
to rest. `paths.band` puts it on any pytree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn.numerics import key_of

ValuesAndGradients = Callable[[Array], tuple[Array, Array]]  # (images, P) -> (images,), (images, P)

# a mode of curvature c is stable up to a step of 2 / sqrt(c) (leapfrog)
LONGEST = 1.0
# power iterations on the Hessians before the first step; one more at every step follows the band
WARM_UP = 10


def tangents(points: Array, losses: Array) -> Array:
    """The unit tangent at each inner image, (images - 2, P).

    Towards the neighbour with the higher loss; at an extremum both neighbours count, weighted by
    the differences of loss (Henkelman & Jonsson 2000, eqs. 8 to 11).
    """
    ahead, behind = points[2:] - points[1:-1], points[1:-1] - points[:-2]
    rise_ahead, rise_behind = losses[2:] - losses[1:-1], losses[1:-1] - losses[:-2]
    large = jnp.maximum(jnp.abs(rise_ahead), jnp.abs(rise_behind))
    small = jnp.minimum(jnp.abs(rise_ahead), jnp.abs(rise_behind))
    rising = (rise_ahead > 0) & (rise_behind > 0)
    falling = (rise_ahead < 0) & (rise_behind < 0)
    flat = large == 0  # no slope says where to look: the chord between the neighbours
    next_higher = losses[2:] > losses[:-2]
    weight_ahead = jnp.where(next_higher, large, small)
    weight_behind = jnp.where(next_higher, small, large)
    weight_ahead = jnp.where(rising | flat, 1.0, jnp.where(falling, 0.0, weight_ahead))
    weight_behind = jnp.where(falling | flat, 1.0, jnp.where(rising, 0.0, weight_behind))
    return _unit(weight_ahead[:, None] * ahead + weight_behind[:, None] * behind)


class _Forces(NamedTuple):
    """What acts on the inner images, (images - 2, P), and what is left of the gradient there."""

    forces: Array
    residuals: Array  # (images - 2,) norm of the gradient across the path; all of it at the climber


def _forces(
    points: Array, losses: Array, gradients: Array, spring: Array, climb: Array | bool
) -> _Forces:
    """-grad E across the path plus spring (|next| - |last|) along it (Henkelman & Jonsson 2000,
    eq. 12 for the springs).

    Where `climb` holds, the highest image has no springs and goes up along the path, -grad E + 2
    (grad E . t) t (Henkelman, Uberuaga & Jonsson 2000), if it is above both ends.
    """
    t, gradients = tangents(points, losses), gradients[1:-1]
    along = jnp.sum(gradients * t, axis=1, keepdims=True)
    gaps = _norms(points[1:] - points[:-1])
    inner = losses[1:-1]
    highest = jnp.arange(len(inner)) == jnp.argmax(inner)
    climber = climb & highest & (inner > jnp.maximum(losses[0], losses[-1]))
    across = gradients - along * t
    pull = jnp.where(climber[:, None], along, spring * (gaps[1:] - gaps[:-1])[:, None])
    left = jnp.where(climber[:, None], gradients, across)
    return _Forces(pull * t - across, _norms(left))


def relax(
    values_and_gradients: ValuesAndGradients,
    start: Array,
    *,
    steps: int,
    spring: float | Array,
    climbing: bool,
) -> tuple[Array, Array, Array]:
    """The band at rest: points (images, P), losses (images,), residuals (images,), 0 at the ends.

    Moves by Newton's law with every image's velocity projected on its force, and 0 where the two
    are opposed (Jonsson, Mills & Jacobsen 1998): forces are enough, since those of a
    band have no potential. What keeps more of its velocity, such as FIRE, was tried and is faster
    on the surfaces of chemistry, but on networks, whose valleys are a thousand times softer than
    their walls, the part of the forces that has no potential pumped it up without end.

    The step is 1 / sqrt(c) for the largest curvature c of any image, in absolute value, by one
    power iteration on each Hessian a step; the spring constant is `spring` c, and no image moves
    further than half the first mean gap. Where the band rests depends on none of them. The highest
    image climbs from a quarter of the steps on.
    """
    reach = 0.5 * jnp.mean(_norms(start[1:] - start[:-1]))
    draw = _unit(jax.random.normal(key_of(0), start.shape, start.dtype))

    def seen(points: Array, directions: Array) -> tuple[Array, Array, Array, Array]:
        """Losses and gradients, the largest curvature, and the directions one iteration on."""
        (losses, gradients), (_, bent) = jax.jvp(values_and_gradients, (points,), (directions,))
        sizes = _norms(bent)
        directions = jnp.where((sizes > 0)[:, None], _unit(bent), directions)
        return losses, gradients, jnp.max(sizes), directions

    def step(carry: tuple, number: Array) -> tuple[tuple, None]:
        points, velocity, steepest = carry
        losses, gradients, curvature, steepest = seen(points, steepest)
        climb = climbing & (number >= steps // 4)
        forces = _forces(points, losses, gradients, spring * curvature, climb).forces
        step_size = _ratio(LONGEST, jnp.sqrt(curvature), otherwise=1.0)
        moves, velocity = _moves(forces, velocity, step_size, reach)
        return (points.at[1:-1].add(moves), velocity, steepest), None

    steepest, _ = jax.lax.scan(lambda v, _: (seen(start, v)[3], None), draw, length=WARM_UP)
    carry = (start, jnp.zeros_like(start[1:-1]), steepest)
    (points, _, steepest), _ = jax.lax.scan(step, carry, jnp.arange(steps))
    losses, gradients, curvature, _ = seen(points, steepest)
    left = _forces(points, losses, gradients, spring * curvature, climbing).residuals
    return points, losses, jnp.pad(left, 1)


def _moves(forces: Array, velocity: Array, step_size: Array, reach: Array) -> tuple[Array, Array]:
    """How far each inner image goes in one step, and the velocity it does so with."""
    directions = _unit(forces)
    speeds = jnp.maximum(0.0, jnp.sum(velocity * directions, axis=1, keepdims=True))
    velocity = speeds * directions + step_size * forces
    moves = step_size * velocity
    return moves * jnp.minimum(1.0, _ratio(reach, _norms(moves), otherwise=1.0))[:, None], velocity


def _norms(rows: Array) -> Array:
    return jnp.linalg.norm(rows, axis=-1)


def _unit(rows: Array) -> Array:
    sizes = _norms(rows)[:, None]
    return rows / jnp.where(sizes > 0, sizes, 1.0)


def _ratio(top: Array | float, bottom: Array, otherwise: float = 0.0) -> Array:
    """The ratio, or `otherwise` where the bottom is 0."""
    whole = bottom == 0
    return jnp.where(whole, otherwise, top / jnp.where(whole, 1.0, bottom))
