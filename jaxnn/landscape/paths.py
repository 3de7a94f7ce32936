"""Paths between two points and the barrier on them: the straight line, trained curves, and the
nudged elastic band.

A straight line between two trained networks says little before their hidden units are matched:
align one to the other first, and draw both lines.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.core import Tracer
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike

from jaxnn import summaries
from jaxnn.descent import rule as rule_of
from jaxnn.landscape.bands import relax
from jaxnn.landscape.checks import check_alike, check_loss, check_points
from jaxnn.landscape.curves import KINDS, mixed, train_bends
from jaxnn.landscape.slices import TILE
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape, lookup


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Path:
    """A path from a to b. Under vmap every field has a leading axis more.

    points: a stacked tree, points axis first; the first and last are a and b. losses: (points,) the
    true loss there. positions: (points,) where on the path they lie, from 0 to 1. barrier: of
    `barrier`. saddle_height: of `saddle_height`. length: the Euclidean length of the polygon
    through the points.
    """

    points: Any
    losses: Array
    positions: Array
    barrier: Array
    saddle_height: Array
    length: Array

    _repr_html_ = summaries.html()

    @property
    def highest(self) -> Any:
        """The point with the highest loss."""
        return jax.tree.map(lambda leaf: leaf[jnp.argmax(self.losses)], self.points)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Curve(Path):
    """A trained path. positions: the curve's parameter t.

    control: a stacked tree of the bends + 2 control points, the fixed ends among them.
    expected_losses: (steps,) the estimates of the mean loss over t that training descended.
    """

    control: Any
    expected_losses: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Band(Path):
    """A nudged elastic band at rest. positions: shares of the length; equal gaps, but for the
    climbing image's.

    residuals: (images,) how far each image is from rest, in units of the gradient: the norm of the
    gradient's part across the path, at the climbing image of all of it; 0 at the fixed ends.
    """

    residuals: Array


def barrier(losses: ArrayLike, positions: ArrayLike | None = None) -> Array:
    """The most of E(s) - ((1 - s) E(0) + s E(1)) on the path: the loss above the straight line
    between the ends' losses.

    A scalar >= 0, in units of the loss, for losses (points,) (Frankle et al. 2020, section 2, with
    the ends' mean; Entezari et al. 2022, section 2). Any NaN gives NaN. Between the points
    nothing is seen.

    >>> float(barrier([0.0, 1.5, 1.0]))  # 1 above the line between the ends
    1.0

    Args:
        losses: (points,) along the path, ends included.
        positions: (points,) s from 0 to 1; default evenly spaced.

    Raises:
        ValueError: losses that are not one axis of 3 or more; positions of another shape.
    """
    losses = _checked_losses(losses)
    positions = jnp.linspace(0.0, 1.0, len(losses)) if positions is None else jnp.asarray(positions)
    if positions.shape != losses.shape:
        raise ValueError(
            f"positions have shape {positions.shape} and losses {losses.shape}: give one a loss"
        )
    return jnp.max(losses - ((1 - positions) * losses[0] + positions * losses[-1]))


def saddle_height(losses: ArrayLike) -> Array:
    """The most of E - max(E(0), E(1)) on the path: the highest loss above the higher end.

    A scalar >= 0 for losses (points,). It is the activation energy of chemistry seen from the
    higher end; at most `barrier`. Any NaN gives NaN.

    Raises:
        ValueError: losses that are not one axis of 3 or more.
    """
    losses = _checked_losses(losses)
    return jnp.max(losses) - jnp.maximum(losses[0], losses[-1])


def straight(loss_fn: Landscape, a: Any, b: Any, *, points: int = 25) -> Path:
    """The straight line (1 - t) a + t b at evenly spaced t, with the true loss at each.

    Memory: `points` copies of the point.

    >>> path = straight(lambda p: (p**2 - 1) ** 2, jnp.array(-1.0), jnp.array(1.0))
    >>> float(path.barrier)
    1.0

    Raises:
        ValueError: fewer than 3 points; ends that differ in structure, are not of floats or not
            finite; a loss that is not a scalar.
    """
    a, b = _ends(loss_fn, a, b)
    check_points(points=points)
    ts = jnp.linspace(0.0, 1.0, points)
    return Path(**_measured(loss_fn, mixed(jnp.stack([1 - ts, ts], axis=1), _stacked(a, b)), ts))


def curve(
    loss_fn: Landscape,
    a: Any,
    b: Any,
    key: Array,
    *,
    kind: str = "bezier",
    bends: int = 1,
    steps: int = 1000,
    rule: optax.GradientTransformation | None = None,
    draws: int = 1,
    start: Any = None,
    points: int = 25,
) -> Curve:
    """The curve phi from a to b with the least mean loss over t, by stochastic descent on its bends
    (Garipov et al. 2018, section 3).

    Each step draws t uniformly from [0, 1] and descends E(phi(t)), an unbiased estimate of the
    mean. The bends start evenly on the straight line, on which a landscape that is symmetric about
    it keeps them: give `start` there. Cost: `draws` gradients a step; memory: bends + 2 copies of
    the point, and `points` at the end.

    Args:
        loss_fn: a point -> a scalar.
        a: one end, fixed.
        b: the other end, fixed.
        key: draws the t; used up.
        kind: "bezier", sum_i C(n, i) t^i (1 - t)^(n - i) w_i, or
            "chain", the polygon through the w_i at t = i / n; n = bends + 1.
        bends: how many control points are trained.
        steps: how many updates.
        rule: any optax rule; default Adam at 0.01.
        draws: how many t a step.
        start: a stacked tree of the initial bends, (bends, ...) each leaf.
        points: evenly spaced t at which the end is measured.

    Raises:
        ValueError: as `straight`; an unknown kind; bends or draws below 1; steps below 0; a start
            of another shape.
    """
    a, b = _ends(loss_fn, a, b)
    check_points(points=points)
    check_counts(bends=bends, draws=draws, steps=steps)
    shares = lookup(KINDS, kind, what="kind of curve")
    chosen = rule_of(optax.adam, learning_rate=0.01) if rule is None else rule
    ends, on_line = _stacked(a, b), jnp.arange(1, bends + 1) / (bends + 1)
    inner = mixed(jnp.stack([1 - on_line, on_line], axis=1), ends)
    if start is not None:
        check_alike(start, inner, what="the bends given and wanted")
        inner = jax.tree.map(lambda given, like: jnp.asarray(given, like.dtype), start, inner)

    control, expected = train_bends(
        loss_fn, ends, inner, key, shares=shares, rule=chosen, steps=steps, draws=draws
    )
    ts = jnp.linspace(0.0, 1.0, points)
    measured = _measured(loss_fn, mixed(shares(ts, bends + 1), control), ts)
    return Curve(**measured, control=control, expected_losses=expected)


def band(
    loss_fn: Landscape,
    a: Any,
    b: Any,
    *,
    images: int = 12,
    steps: int = 2000,
    spring: float = 0.1,
    climbing: bool = True,
    start: Any = None,
) -> Band:
    """The path of steepest descent over the saddle between a and b, by a nudged elastic band
    (Henkelman & Jonsson 2000; for networks, Draxler et al. 2018).

    The images between the ends come to rest where the gradient lies along the path. The highest one
    climbs to the saddle itself (Henkelman, Uberuaga & Jonsson 2000), so `highest` and the barrier
    are the saddle's to rounding once `residuals` are small, however few the images. They say so:
    the band has not converged while they are not. It finds one path, the valley that `start` lies
    in. See `bands.relax` for how it moves. Cost: a Hessian-vector product an image a step, all
    at once; memory: about 10 copies of the point an image.

    Args:
        loss_fn: a point -> a scalar.
        a: one end, fixed; a minimum, where the path is to be one of steepest descent up to it.
        b: the other end, fixed.
        images: points on the path, ends included.
        steps: how many updates; 2000 bring few dimensions to 6 digits and more. Soft valleys
            want many more, or more images.
        spring: the spring constant as a share of the largest curvature met: how hard the gaps are
            held equal. It does not move the path at rest; above 1/4 the springs set the step.
        climbing: whether the highest image climbs, from a quarter of the steps on.
        start: a stacked tree of `images` points, such as another Path's; its ends are put to a and
            b. Default the straight line.

    Raises:
        ValueError: as `straight`; concrete ends that are one point; a start of another shape; a
            spring constant that is not positive and finite; steps below 0.
    """
    a, b = _ends(loss_fn, a, b)
    check_points(images=images)
    check_counts(steps=steps)
    if isinstance(spring, int | float) and not 0 < spring < math.inf:
        raise ValueError(f"spring is {spring}: give a finite number above 0")
    (flat_a, unravel), (flat_b, _) = ravel_pytree(a), ravel_pytree(b)
    apart = jnp.any(flat_a != flat_b)
    if not isinstance(apart, Tracer) and not apart:
        raise ValueError("both ends are the same point: give two between which a path can lie")
    ts = jnp.linspace(0.0, 1.0, images)
    line = mixed(jnp.stack([1 - ts, ts], axis=1), _stacked(a, b))
    if start is not None:
        check_alike(start, line, what="the start given and wanted")
        line = start
    rows = jax.vmap(lambda p: ravel_pytree(p)[0])(jax.tree.map(jnp.asarray, line))
    rows = rows.astype(flat_a.dtype).at[0].set(flat_a).at[-1].set(flat_b)
    along = jax.vmap(jax.value_and_grad(lambda p: loss_fn(unravel(p))))
    rows, losses, residuals = relax(along, rows, steps=steps, spring=spring, climbing=climbing)
    measured = _summary(jax.vmap(unravel)(rows), losses, None)
    return Band(**measured, residuals=residuals)


def _stacked(a: Any, b: Any) -> Any:
    return jax.tree.map(lambda p, q: jnp.stack([p, q]), a, b)


def _measured(loss_fn: Landscape, points: Any, positions: Array) -> dict[str, Any]:
    return _summary(points, jax.lax.map(loss_fn, points, batch_size=TILE), positions)


def _summary(points: Any, losses: Array, positions: Array | None) -> dict[str, Any]:
    """The fields of Path; positions default to shares of the length."""
    squares = [jnp.square(jnp.diff(leaf, axis=0)) for leaf in jax.tree.leaves(points)]
    gaps = jnp.sqrt(sum(jnp.sum(square.reshape(len(square), -1), axis=1) for square in squares))
    reached = jnp.concatenate([jnp.zeros_like(gaps[:1]), jnp.cumsum(gaps)])
    positions = reached / reached[-1] if positions is None else positions
    return {
        "points": points,
        "losses": losses,
        "positions": positions,
        "barrier": barrier(losses, positions),
        "saddle_height": saddle_height(losses),
        "length": reached[-1],
    }


def _ends(loss_fn: Landscape, a: Any, b: Any) -> tuple[Any, Any]:
    check_alike(a, b)
    check_loss(loss_fn, a, what="the first end")
    check_loss(loss_fn, b, what="the second end")
    return jax.tree.map(jnp.asarray, a), jax.tree.map(jnp.asarray, b)


def _checked_losses(losses: Any) -> Array:
    losses = jnp.asarray(losses)
    if losses.ndim != 1 or len(losses) < 3:
        raise ValueError(
            f"losses have shape {losses.shape}: wanted one axis of at least 3, the ends and "
            "one between: measure more points"
        )
    return losses
