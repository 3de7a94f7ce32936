"""Where a training run goes: the plane that holds most of it, and the curvature that it meets.

What is drawn in a plane is a projection, and the loss of a projection is not the loss of the run:
`principal_plane` says how far each point lies from the plane, and `along` gives the true losses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.descent import ready
from jaxnn.landscape.checks import check_loss
from jaxnn.landscape.components import principal
from jaxnn.landscape.directions import Plane
from jaxnn.landscape.gauges import gauge_for, measure
from jaxnn.landscape.slices import TILE
from jaxnn.runs import Run, State, advance, finish, start
from jaxnn.stopping import Outcome
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape, lookup


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class PrincipalPlane:
    """The plane that lies closest to a run's points.

    plane: as slices.plane takes it; its coordinates (records, 2) are the points' projections.
    explained: (2,) the shares of the sum of squared distances from the origin that lie along the
    first and the second direction; 1 together where the plane holds the run. off_plane: (records,)
    the Euclidean distance of each point from the plane.
    """

    plane: Plane
    explained: Array
    off_plane: Array

    _repr_html_ = summaries.html()


def principal_plane(run: Any, *, origin: str = "last") -> PrincipalPlane:
    """The plane through the origin along the two leading right singular vectors of the matrix of
    differences, point - origin (Li et al. 2018, section 7.2).

    With origin "last", the last point, the run ends in the plane. With "mean" it is the principal
    component analysis of the points. Each direction points to the side of the run's farthest
    projection. A run along a line has an arbitrary second direction, which explains 0. Cost as
    `components.principal`.

    Args:
        run: a stacked tree of points, records axis first, or what has one as `.points`: a Replay, a
            Track, a Path.
        origin: "last" or "mean".

    Raises:
        ValueError: fewer than 3 records, or different numbers of them; fewer than 2 parameters; a
            Run, or a Track without points; an unknown origin; concrete points that are not finite
            or all the same.
    """
    points = _points(run)
    records = _records(points)
    flat, unravel = jax.vmap(lambda p: ravel_pytree(p)[0])(points), _unravel(points)
    if flat.shape[1] < 2:
        raise ValueError("the points have 1 parameter: a plane needs at least 2")
    origins = {"last": lambda rows: rows[-1], "mean": lambda rows: jnp.mean(rows, axis=0)}
    centre = lookup(origins, origin, what="origin")(flat)
    size = jnp.max(jnp.abs(flat - centre[None, :]))
    if not isinstance(size, Tracer) and not 0 < size < jnp.inf:
        raise ValueError(
            f"the {records} points have a largest difference of {float(size)} from the origin: "
            "give a run that moves and stays finite"
        )
    found = principal(points, k=2, centre=unravel(centre))
    first, second = (jax.tree.map(lambda leaf, i=i: leaf[i], found.directions) for i in range(2))
    return PrincipalPlane(
        plane=Plane(found.centre, first, second, found.coordinates),
        explained=found.explained,
        off_plane=found.residuals,
    )


def along(loss_fn: Landscape, run: Any) -> Array:
    """The true loss at each point of a run, (records,): at the points themselves, not at their
    projections.

    run: as in `principal_plane`.

    Raises:
        ValueError: different numbers of records; a Run, or a Track without points.
    """
    points = _points(run)
    _records(points, least=1)
    return jax.lax.map(loss_fn, points, batch_size=TILE)


def _points(run: Any) -> Any:
    if isinstance(run, Run):
        raise ValueError(
            "a Run holds only its end: record the points by track(..., keep_points=True), or by "
            "ensembles.replay"
        )
    return jax.tree.map(jnp.asarray, getattr(run, "points", run))


def _records(points: Any, least: int = 3) -> int:
    leaves = jax.tree.leaves(points)
    if not leaves:
        raise ValueError("the run has no points: record them, as track(..., keep_points=True) does")
    lengths = sorted({jnp.shape(leaf)[0] if jnp.ndim(leaf) else 0 for leaf in leaves})
    if len(lengths) > 1 or lengths[0] < least:
        raise ValueError(
            f"the leaves have {' and '.join(map(str, lengths))} records: "
            f"give a stacked tree, records axis first, of at least {least}"
        )
    return lengths[0]


def _unravel(points: Any) -> Callable[[Array], Any]:
    return ravel_pytree(jax.tree.map(lambda leaf: leaf[0], points))[1]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Track:
    """A training run and the landscape on its way. Under vmap every field has a leading axis more.

    Each record describes the point reached after so many steps; (records,) where not said
    otherwise, the first at the start. A run that diverges repeats its last finite point.

    run: what `training.train` gives with record_every=every; its losses are the records'.
    steps: how many updates had been made.
    gradient_norms: the Euclidean norm of dE/dp.
    sharpness: the largest eigenvalue of the Hessian, a lower bound from Lanczos's method.
    sharpness_errors: an eigenvalue of the Hessian lies within so much of `sharpness`.
    traces: of the Hessian, its estimate where there are more parameters than probes.
    trace_errors: the standard error of that estimate; 0 where the trace is exact.
    distances: the Euclidean distance from the start.
    cosines: of the angle between the step made from here and the first step; NaN where either is 0.
    edge: 2 / step_size, a scalar, or None: on a quadratic, gradient descent diverges where the
        sharpness is above it.
    points: a stacked tree, records axis first, or None.
    """

    run: Run
    steps: Array
    gradient_norms: Array
    sharpness: Array
    sharpness_errors: Array
    traces: Array
    trace_errors: Array
    distances: Array
    cosines: Array
    edge: Array | None
    points: Any

    _repr_html_ = summaries.html()

    @property
    def losses(self) -> Array:
        """(records,) the loss."""
        return self.run.losses


def track(
    loss_fn: Landscape,
    point: Any,
    rule: optax.GradientTransformation,
    *,
    steps: int,
    every: int = 1,
    step_size: float | Array | None = None,
    curvature_steps: int = 20,
    probes: int = 64,
    keep_points: bool = False,
    key: Array | None = None,
) -> Track:
    """Gradient descent exactly as `training.train`, with the landscape measured at the start and
    every `every` steps.

    With gradient descent on many networks the sharpness rises to the edge, 2 / step_size, and stays
    about there (Cohen et al. 2021, sections 3.1 and 3.2). With heavy-ball momentum m the edge
    is (2 + 2 m) / step_size. Cost of a record, in gradients: about 2 `curvature_steps`, and 2 for
    each probe; memory: `curvature_steps` copies of the point.

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        point: the initial point.
        rule: `sgd`, or any optax transformation.
        steps: how many updates.
        every: updates between records.
        step_size: of plain gradient descent, for the edge.
        curvature_steps: Hessian-vector products for the sharpness; exact from the number of
            parameters on.
        probes: Hessian-vector products for the trace: exact where there are no more parameters than
            that, else Hutchinson's estimate with random signs, the same at every record.
        keep_points: whether to record the points.
        key: draws Lanczos's start and the probes, once for all records; default that of seed 0.

    Raises:
        ValueError: a point that is not of finite floats; a loss that is not a scalar; counts
            below 1, or steps below 0; a step size that is a number but not finite and positive.
    """
    check_loss(loss_fn, point)
    point = jax.tree.map(jnp.asarray, point)
    check_counts(steps=steps, every=every, curvature_steps=curvature_steps, probes=probes)
    if isinstance(step_size, int | float) and not 0 < step_size < float("inf"):
        raise ValueError(f"step_size is {step_size}: give a finite number above 0")
    rule = ready(rule)
    value_and_gradient = jax.value_and_grad(loss_fn)
    state = start(value_and_gradient, point, rule)
    gauge = gauge_for(loss_fn, rule, state, curvature_steps, probes, key)

    def record(state: State, count: Array) -> tuple[State, tuple]:
        state = advance(loss_fn, value_and_gradient, rule, state, count)
        return state, (measure(gauge, state), state.point if keep_points else None)

    # the start is a record after 0 steps, so that measuring is compiled once
    counts = jnp.full(steps // every + 1, every, jnp.int32).at[0].set(0)
    state, (records, points) = jax.lax.scan(record, state, counts)
    state = advance(loss_fn, value_and_gradient, rule, state, steps % every)
    outcome = jnp.where(state.diverged, Outcome.diverged, Outcome.unfinished)
    run = finish(state, records.pop("losses"), outcome)
    edge = None if step_size is None else 2.0 / jnp.asarray(step_size)
    return Track(run=run, edge=edge, points=points, **records)
