"""Which attractor does each initial weight lead to? Training from many starts, and the labels of
where it ends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.descent import as_pytree
from jaxnn.dynamics import Dynamics, full_batch
from jaxnn.landscape.censuses import Census, unfinished
from jaxnn.landscape.checks import check_point
from jaxnn.landscape.classes import distinct
from jaxnn.landscape.curvature import hessian
from jaxnn.landscape.families import equal_families as equal_families
from jaxnn.landscape.labels import Comparison as Comparison
from jaxnn.landscape.labels import Nowhere as Nowhere
from jaxnn.landscape.labels import Probabilities as Probabilities
from jaxnn.landscape.labels import compare as compare
from jaxnn.landscape.labels import difference as difference
from jaxnn.landscape.labels import probabilities as probabilities
from jaxnn.landscape.labels import spoken as spoken
from jaxnn.landscape.labels import within_families as within_families
from jaxnn.landscape.many import count_of, downhill_all, in_float64, mapped, polish_all
from jaxnn.landscape.modes import Barriers as Barriers
from jaxnn.landscape.modes import Modes as Modes
from jaxnn.landscape.modes import barriers as barriers
from jaxnn.landscape.modes import by_barriers as by_barriers
from jaxnn.landscape.modes import by_predictions as by_predictions
from jaxnn.landscape.polishing import Ending, Stationary
from jaxnn.landscape.resting import NEARLY, restless, unstable, wavers
from jaxnn.landscape.symmetries import Symmetry
from jaxnn.landscape.verification import check_run
from jaxnn.landscape.windows import on_line as on_line
from jaxnn.landscape.windows import on_plane as on_plane
from jaxnn.runs import Run
from jaxnn.stopping import Outcome
from jaxnn.vocabulary import Landscape

STEPS = 400
"""Of the path of steepest descent from where training ended: with that, of logistic networks on the
exclusive or after 5000 steps, 0.2 % have another label than after 20,000; by Newton's steps alone,
which leap from one saturation pattern to another, 13 %."""
ENDS = {
    Ending.unfinished: Nowhere.unfinished,
    Ending.kink: Nowhere.kink,
    Ending.diverged: Nowhere.diverged,
}


@dataclasses.dataclass(frozen=True)
class Basins:
    """Where starts lead; every array has their leading axis, on the host.

    labels: the attractor, a row of `attractors`: a minimum, a flat set or what lies at infinity; or
    a code of `Nowhere`. losses: where training left each, initial where it began; wavering: whether
    the loss was lower on the way (`resting.wavers`). levels: of the attractor, NaN where there is
    none. steps, outcome, gradient_norm: of the run (outcome: codes of `stopping.Outcome`).
    distance: |end - start|. sharpness: the largest eigenvalue of the Hessian at the end; gradient
    descent of a step size s cannot rest where it is above 2 / s. ends: where training left them, a
    stacked tree. found: what lies below (`Stationary`). attractors: its classes, with those that
    training does not rest at, such as saddles. dynamics: how they got there.
    """

    labels: np.ndarray
    losses: np.ndarray
    initial: np.ndarray
    wavering: np.ndarray
    levels: np.ndarray
    steps: np.ndarray
    outcome: np.ndarray
    gradient_norm: np.ndarray
    distance: np.ndarray
    sharpness: np.ndarray
    ends: Any
    found: Stationary
    attractors: Census
    dynamics: Dynamics | None

    _repr_html_ = summaries.html(also=("led_to",), labels=Nowhere, outcome=Outcome)

    def named(self, label: int) -> str:
        """The label in words: kind, number and loss of an attractor, or why there is none."""
        if label < 0:
            last = self.found.loss[self.labels == Nowhere.unfinished]
            return spoken(label) if label != Nowhere.unfinished else unfinished(last)
        return f"{self.attractors.kinds[label]} {label}, loss {self.attractors.losses[label]:.4g}"

    @property
    def led_to(self) -> tuple[str, ...]:
        """How many of the starts led where, in words, and whether images count as one attractor."""
        counts = zip(*np.unique(self.labels, return_counts=True), strict=True)
        ends = [f"{count} to {self.named(label)}" for label, count in counts]
        return (*ends, self.attractors.symmetries)


def find(
    loss_fn: Landscape,
    starts: Any,
    rule: Any,
    *,
    steps: int | None = None,
    symmetry: Symmetry | None = None,
    tolerance: float | None = None,
) -> Basins:
    """Which attractor each start leads to.

    Training takes a start as far as the dynamics does, in the starts' dtype; from there the path of
    steepest descent is followed in float64 to what lies below, and ends are one attractor
    where they are one modulo symmetry (`minima.distinct`): finite minima by distance over the
    group, those at infinity by limiting outputs and by the sides of the hidden units. An end near a
    saddle leads nowhere yet, a `plateau`, and one that hops about an attractor too sharp for its
    steps is `restless` (see `resting`). How much longer training would change, `unsettled` says.
    What the landscape does not tell apart is one: flat sets of one level, connected or not, and of
    what is no network all that lies at infinity at one level (see `minima.distinct`).

    Args:
        loss_fn: a point -> a scalar, with second derivatives.
        starts: a stacked tree, (starts, ...) each leaf.
        rule: an optax rule such as `sgd(step_size)`, with `steps`; or any dynamics
            (`dynamics.full_batch`, `minibatches`, `gradient_flow`).
        steps: updates by the rule.
        symmetry: default that of the loss.
        tolerance: as `minima.distinct`.

    Raises:
        ValueError: a rule without steps; as the dynamics, `minima.polish_all` and
            `minima.distinct`. Networks of more than spectra.EXACT parameters: see
            `by_predictions` and `by_barriers`.
    """
    check_point(starts, what="the starts")
    count_of(starts)
    way = moved_by(rule, steps)
    run = way(loss_fn, starts)
    return of_run(loss_fn, starts, run, way, symmetry=symmetry, tolerance=tolerance)


def moved_by(rule: Any, steps: int | None) -> Dynamics:
    """The dynamics itself, or descent by the rule for so many steps.

    Raises:
        ValueError: a rule without steps, steps with a dynamics.
    """
    if hasattr(rule, "update"):
        if steps is None:
            raise ValueError("steps is None: say how many updates the rule makes")
        return full_batch(rule, steps=steps)
    if steps is not None:
        raise ValueError(f"steps is {steps}, but the dynamics has its own: leave it out")
    return rule


def of_run(
    loss_fn: Landscape,
    starts: Any,
    run: Run,
    way: Dynamics | None = None,
    *,
    symmetry: Symmetry | None = None,
    tolerance: float | None = None,
) -> Basins:
    """Which attractor each start led to, for a run that was made already; as `find`.

    way: how it was made, which tells whether it can rest at what lies below; None: it is not asked.
    """
    made = [unlabelled(loss_fn, starts, run, way)]
    return together(loss_fn, made, symmetry=symmetry, tolerance=tolerance)[0]


def searched(loss_fn: Landscape, run: Run, *, steps: int = STEPS) -> Stationary:
    """What lies below where a run has ended: the path of steepest descent from there for at most so
    many steps, then `minima.polish_all`. Runs that diverged have ended so.
    """
    with jax.enable_x64(True):
        ends = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), run.params)
    least = NEARLY * np.asarray(run.losses, np.float64)[:, 0]
    below = least if hasattr(loss_fn, "residuals") else -np.inf  # a sum of squares ends at 0
    lower = downhill_all(loss_fn, ends, below=below, steps=steps)
    found = polish_all(loss_fn, lower, origins=ends)
    lost = np.asarray(run.outcome) == Outcome.diverged
    ending = np.where(lost, Ending.diverged, found.ending)
    return dataclasses.replace(found, ending=ending, level=np.where(lost, np.nan, found.level))


def labels_of(found: Stationary, classes: Census, numbers: np.ndarray) -> np.ndarray:
    """The labels of what was found, but for rest: the numbers of their classes where these are
    attractors, or codes of `Nowhere`.
    """
    rests = np.array([kind in ("minimum", "flat", "attractor") for kind in classes.kinds], bool)
    rests = np.append(rests, False)
    codes = np.array([ENDS.get(Ending(code), Nowhere.plateau) for code in found.ending], int)
    codes[(codes == Nowhere.plateau) & (numbers < 0)] = Nowhere.unfinished
    return np.where(rests[numbers], numbers, codes)


def _rested(loss_fn: Landscape, part: Basins, classes: Census, numbers: np.ndarray) -> Basins:
    """The basins with these classes as attractors, and labels that ask whether training rests."""
    labels = labels_of(part.found, classes, numbers)
    every = {"losses": part.losses, "initial": part.initial, "wavering": part.wavering}
    every["levels"] = _levels(classes, labels)
    # whether it could rest is tried only where some end is not at rest
    if part.dynamics is not None and np.any(restless(hopping=np.ones(len(labels), bool), **every)):
        left = np.append(unstable(loss_fn, classes, part.dynamics), False)  # the last: of no class
        lost = restless(hopping=left[np.maximum(labels, -1)], **every)
        labels = np.where(lost, Nowhere.restless, labels)
    levels = _levels(classes, labels)
    return dataclasses.replace(part, labels=labels, levels=levels, attractors=classes)


def together(
    loss_fn: Landscape,
    parts: Sequence[Basins],
    *,
    symmetry: Symmetry | None = None,
    tolerance: float | None = None,
) -> list[Basins]:
    """The same basins with attractors numbered alike in all, so that labels can be compared.

    All of one landscape: by other dynamics, from other starts, in another precision.

    Raises:
        ValueError: no parts.
    """
    if not parts:
        raise ValueError("no basins are given: give at least one")
    found = jax.tree.map(lambda *leaves: np.concatenate(leaves), *(part.found for part in parts))
    classes = distinct(loss_fn, found, symmetry=symmetry, tolerance=tolerance)
    cuts = np.cumsum([len(part.losses) for part in parts])[:-1]
    return [
        _rested(loss_fn, part, classes, numbers)
        for part, numbers in zip(parts, np.split(classes.labels, cuts), strict=True)
    ]


def unsettled(
    loss_fn: Landscape, basins: Basins, rule: Any, *, steps: int | None = None
) -> Comparison:
    """What share of the labels changes when training goes on from where it ended.

    Args:
        loss_fn: the landscape of the basins.
        basins: from `find`.
        rule: as in `find`: the dynamics to go on by, from a fresh start of its memory.
        steps: as in `find`.
    """
    later = find(loss_fn, basins.ends, rule, steps=steps)
    return compare(*(part.labels for part in together(loss_fn, [basins, later])))


def unlabelled(loss_fn: Landscape, starts: Any, run: Run, way: Dynamics | None = None) -> Basins:
    """What is known of each start alone, before `together` gathers all ends: no labels yet, and no
    attractors. As `of_run`.
    """
    found = searched(loss_fn, run)
    with jax.enable_x64(True):
        begun, ended = (jax.tree.map(np.asarray, in_float64(p)) for p in (starts, run.params))
        wide = in_float64(as_pytree(loss_fn))
        check_run(wide, begun, ended, run)
        distance, sharpness = mapped(_measured, (begun, ended), wide)
    none: Any = None
    return Basins(
        labels=np.full(len(distance), Nowhere.unfinished),
        losses=np.asarray(run.loss),
        initial=np.asarray(run.losses)[:, 0],
        wavering=wavers(run),
        levels=np.full(len(distance), np.nan),
        steps=np.asarray(run.steps),
        outcome=np.asarray(run.outcome),
        gradient_norm=np.asarray(run.gradient_norm),
        distance=distance,
        sharpness=sharpness,
        ends=jax.tree.map(np.asarray, run.params),
        found=found,
        attractors=none,
        dynamics=way,
    )


def _levels(classes: Census, labels: np.ndarray) -> np.ndarray:
    return np.append(classes.losses, np.nan)[np.where(labels >= 0, labels, -1)]


@jax.jit
def _measured(pairs: Any, loss_fn: Any) -> tuple[Array, Array]:
    """The distance from start to end, and the largest eigenvalue of the Hessian at the end."""

    def one(pair: Any) -> tuple[Array, Array]:
        start, end = (ravel_pytree(point)[0] for point in pair)
        return jnp.linalg.norm(end - start), jnp.linalg.eigvalsh(hessian(loss_fn, pair[1]))[-1]

    return jax.vmap(one)(pairs)
