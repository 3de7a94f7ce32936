"""How points move down a landscape: an update rule on all cases, mini-batches in a given order, or
the gradient flow that step sizes only approximate.

Each is a value that can be called, (loss_fn, starts) -> Run, starts and Run with a leading members
axis, so that an experiment takes its dynamics as an argument.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.tree_util import Partial

from jaxnn import ensembles
from jaxnn.descent import as_pytree
from jaxnn.devices import Placed, collect, count_of, place, spread
from jaxnn.gradients import gradient_of
from jaxnn.losses import LossOn
from jaxnn.runs import Run
from jaxnn.stopping import Outcome, Stop, is_plateau
from jaxnn.tiles import tile_of
from jaxnn.training import check_counts
from jaxnn.vocabulary import Landscape

CHECKS = 20
"""The loss is looked at about this often on the way, unless told otherwise."""


class Dynamics(Protocol):
    """What takes many points to where it leaves them."""

    def __call__(self, loss_fn: Landscape, starts: Any, /) -> Run:
        """The run of each start; members axis first."""
        ...


@dataclasses.dataclass(frozen=True)
class FullBatch:
    """An update rule on all cases. Made by `full_batch`."""

    rule: Any
    steps: int
    stop: Stop | None
    check_every: int

    def __call__(self, loss_fn: Landscape, starts: Any) -> Run:
        """The run of each start, its loss written down every check_every steps."""
        if self.stop is None:
            return ensembles.train(
                loss_fn, starts, self.rule, steps=self.steps, record_every=self.check_every
            )
        return ensembles.train_until(
            loss_fn,
            starts,
            self.rule,
            stop=self.stop,
            max_steps=self.steps,
            check_every=self.check_every,
        )


def full_batch(
    rule: optax.GradientTransformation,
    *,
    steps: int,
    stop: Stop | None = None,
    check_every: int | None = None,
) -> FullBatch:
    """An update rule on all cases: `sgd(step_size)` or any optax transformation.

    Args:
        rule: as in `ensembles.train`.
        steps: of each member, at most.
        stop: a stopping rule, as in `training.train_until`; None: all steps are made.
        check_every: steps between records of the loss and tests of the rule; default about a
            CHECKS-th of the steps, an odd number, so that a hop to and fro shows.

    Raises:
        ValueError: steps below 0, check_every below 1.
    """
    every = steps // CHECKS | 1 if check_every is None else check_every
    check_counts(steps=steps, check_every=every)
    return FullBatch(rule, steps, stop, every)


@dataclasses.dataclass(frozen=True)
class Minibatches:
    """An update rule on a part of the cases a step. Made by `minibatches`."""

    rule: Any
    key: Array
    epochs: int
    batch_size: int

    def __call__(self, loss_fn: Any, starts: Any) -> Run:
        """The run of each start; losses before and after.

        Raises:
            ValueError: a landscape that is no `loss_on`, and has no cases.
        """
        if not isinstance(loss_fn, LossOn):
            raise ValueError("mini-batches are of cases: give a landscape made by loss_on")
        count = count_of(starts)
        keys = self.key if jnp.shape(self.key) else jnp.broadcast_to(self.key, (count,))
        return ensembles.train_minibatch(
            loss_fn,
            starts,
            self.rule,
            keys,
            epochs=self.epochs,
            batch_size=self.batch_size,
            record_every=max(1, self.epochs),
        )


def minibatches(
    rule: optax.GradientTransformation, key: Array, *, epochs: int, batch_size: int
) -> Minibatches:
    """An update rule on batch_size cases a step, in an order drawn from the key.

    With one key all members see the same cases in the same order, so where a start leads is a
    function of the start; keys (members,) give each its own order.

    Raises:
        ValueError: epochs below 0, a batch_size below 1.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    return Minibatches(rule, key, epochs, batch_size)


@dataclasses.dataclass(frozen=True)
class GradientFlow:
    """The gradient flow. Made by `gradient_flow`."""

    time: float
    gradient: float
    rtol: float
    atol: float
    max_steps: int

    def __call__(self, loss_fn: Landscape, starts: Any) -> Run:
        """The run of each start: losses before and after; steps are those of the solver."""
        starts = jax.tree.map(jnp.asarray, starts)
        tile = tile_of(loss_fn, starts)
        numbers = jnp.asarray([self.time, self.gradient, self.rtol, self.atol])
        run = _flowed(place(starts, tile), as_pytree(loss_fn), numbers, max_steps=self.max_steps)
        return collect(run, count_of(starts), tile)


def gradient_flow(
    time: float,
    *,
    gradient: float = 0.0,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    max_steps: int = 100_000,
) -> GradientFlow:
    """dp/dt = -dE/dp, which gradient descent is Euler's method for: `steps` steps of size s are
    about time steps * s, and the same where s is small against 2 / sharpness.

    Adaptive steps by Tsitouras' pairs of orders 5 and 4 (diffrax, of the extra `study`), whose
    error each step is below rtol |p| + atol, parameter by parameter. What is stiff costs steps,
    about time * sharpness / 3; the tolerances mean little in float32 below 1e-5.

    Args:
        time: how long, in units of step sizes.
        gradient: a member whose gradient's norm falls below this has converged, or is at a plateau
            (`stopping.is_plateau`). At rest the solver's own errors leave a gradient of about the
            tolerance times the sharpness: ask for more than that.
        rtol: relative error of a step.
        atol: absolute error of a step, in the parameters' unit.
        max_steps: of the solver; a member that needs more is unfinished.

    Raises:
        ValueError: a time, a tolerance or a number of steps that is not positive.
    """
    for name, value in {"time": time, "rtol": rtol, "atol": atol, "max_steps": max_steps}.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} is {value}: give a finite number above 0")
    if not gradient >= 0:
        raise ValueError(f"gradient is {gradient}: give a number, at least 0")
    return GradientFlow(float(time), float(gradient), float(rtol), float(atol), int(max_steps))


@functools.partial(jax.jit, static_argnames="max_steps")
def _flowed(placed: Placed, loss_fn: Any, numbers: Array, *, max_steps: int) -> Run:
    solve = functools.partial(_flowed_from, loss_fn, numbers, _solver(), max_steps)
    return spread(jax.vmap(solve), placed)


def _flowed_from(
    loss_fn: Any, numbers: Array, solve: Callable[..., Any], max_steps: int, start: Any
) -> Run:
    gradient = gradient_of(loss_fn)
    end, steps = solve(gradient, start, numbers, max_steps)
    ends_well = jnp.isfinite(loss_fn(end))
    end = jax.tree.map(lambda new, old: jnp.where(ends_well, new, old), end, start)
    loss, norm = loss_fn(end), optax.tree.norm(gradient(end))
    rests = norm < numbers[1]
    flat = rests & is_plateau(loss_fn, end)
    outcome = jnp.where(rests, Outcome.converged, Outcome.unfinished)
    outcome = jnp.where(flat, Outcome.plateau, outcome)
    outcome = jnp.where(ends_well, outcome, Outcome.diverged)
    return Run(
        params=end,
        losses=jnp.stack([loss_fn(start), loss]),
        loss=loss,
        steps=steps.astype(jnp.int32),
        outcome=outcome.astype(jnp.int32),
        gradient_norm=norm,
    )


def _solver() -> Callable[..., Any]:
    """(gradient, start, numbers, max_steps) -> where the flow is after the time, and the steps.

    Raises:
        ValueError: diffrax is not installed.
    """
    try:
        import diffrax
    except ImportError as error:
        raise ValueError("gradient flow needs diffrax: pip install 'jaxnn[study]'") from error

    def falls(_: Any, point: Any, gradient: Any) -> Any:
        return jax.tree.map(jnp.negative, gradient(point))

    def solve(gradient: Any, start: Any, numbers: Array, max_steps: int) -> tuple[Any, Array]:
        time, least, rtol, atol = numbers.astype(jnp.result_type(*jax.tree.leaves(start)))

        def rests(t: Any, y: Any, args: Any, **_: Any) -> Array:
            del t
            return optax.tree.norm(args(y)) < least

        made = diffrax.diffeqsolve(
            diffrax.ODETerm(falls),  # pyright: ignore[reportArgumentType]
            diffrax.Tsit5(),
            t0=jnp.zeros_like(time),
            t1=time,
            dt0=None,
            y0=start,
            args=Partial(gradient),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            event=diffrax.Event(rests),
            adjoint=diffrax.ForwardMode(),
            max_steps=max_steps,
            throw=False,
        )
        assert made.ys is not None
        return jax.tree.map(lambda leaf: leaf[-1], made.ys), made.stats["num_steps"]

    return solve
