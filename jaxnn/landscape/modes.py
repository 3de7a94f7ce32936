"""Where training ends in wide networks, whose minima no census counts: ends are alike by what they
predict, or by the barrier between them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial

from jaxnn import summaries
from jaxnn.descent import as_pytree
from jaxnn.devices import each
from jaxnn.landscape.checks import check_network
from jaxnn.landscape.labels import Nowhere
from jaxnn.landscape.many import at, count_of, mapped
from jaxnn.landscape.paths import straight
from jaxnn.landscape.symmetries import of as symmetries_of
from jaxnn.losses import LossOn, outputs_for
from jaxnn.runs import Run
from jaxnn.stopping import Outcome
from jaxnn.vocabulary import Landscape

TILE = 128
"""Networks whose predictions are made side by side."""
HEIGHT = 0.01
"""Of the targets' variance, the loss of predicting their mean: ends with a lower barrier between
them are in one valley."""


@dataclasses.dataclass(frozen=True)
class Modes:
    """Ends that are alike, a row a mode, the most frequent first; on the host.

    labels: (ends,) the mode of each, or a code of `Nowhere`. counts: ends in each. losses: the
    lowest loss in each. first: the end that the others were compared with.
    """

    labels: np.ndarray
    counts: np.ndarray
    losses: np.ndarray
    first: np.ndarray

    _repr_html_ = summaries.html()


def by_predictions(loss_fn: LossOn, run: Run, inputs: Any = None, *, within: float = 0.0) -> Modes:
    """Ends that predict the same classes on a fixed set of inputs are one mode.

    A class is the largest output, of one output its side of the middle between the smallest and
    largest target, as in `losses.correct`. Cheap at any width, and the same for all images of a
    network; different minima may predict alike.

    Args:
        loss_fn: made by `loss_on`.
        run: members axis first.
        inputs: (cases, inputs), default those of the loss.
        within: the share of the inputs on which ends of one mode may differ from its first.

    Raises:
        ValueError: a landscape that is no `loss_on`; within outside [0, 1).
    """
    if not isinstance(loss_fn, LossOn):
        raise ValueError("predictions are a network's: give a landscape made by loss_on")
    if not 0 <= within < 1:
        raise ValueError(f"within is {within}: give a share of the inputs, from 0 to below 1")
    inputs = loss_fn.counted.inputs if inputs is None else jnp.asarray(inputs)
    predicted = np.asarray(each(Partial(_predicted, loss_fn, inputs), run.params, tile=TILE))
    labels = _nowhere(run)
    somewhere = np.flatnonzero(labels >= 0)
    if not len(somewhere):
        return Modes(labels, np.zeros(0, int), np.zeros(0), np.zeros(0, int))
    rows, first, numbers, counts = np.unique(
        predicted[somewhere], axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    groups = _within(rows[order], within)
    mode = np.empty(len(rows), int)
    mode[order] = groups
    labels[somewhere] = mode[numbers.ravel()]
    return _modes(labels, np.asarray(run.loss), somewhere)


def _within(rows: np.ndarray, within: float) -> np.ndarray:
    """The group of each row: that of the first one that it differs from in no larger share."""
    if within == 0:
        return np.arange(len(rows))
    groups, heads = np.empty(len(rows), int), []
    for k, row in enumerate(rows):
        apart = [float(np.mean(row != rows[head])) for head in heads]
        near = int(np.argmin(apart)) if apart and min(apart) <= within else len(heads)
        if near == len(heads):
            heads.append(k)
        groups[k] = near
    return groups


def by_barriers(loss_fn: Landscape, run: Run, *, height: float | None = None) -> Modes:
    """Ends between which the loss stays low on the straight line, after their hidden units are
    matched, are one mode: linearly connected (Frankle et al. 2020; Entezari et al. 2022).

    Each is compared with the first of each mode, those of the lowest loss first, since barriers
    need not be transitive. Matching is exact for one small hidden layer (`Symmetry.align`), so a
    mode may come out as two but never two as one. Ends times modes lines of 25 losses.

    Args:
        loss_fn: made by `loss_on`, or any landscape, without matching.
        run: members axis first.
        height: the largest barrier within a mode, in units of the loss; default HEIGHT of the
            targets' variance.

    Raises:
        ValueError: no height for a landscape that has no targets, or one below 0.
    """
    if height is None:
        if not isinstance(loss_fn, LossOn):
            raise ValueError("height is None: say how high a barrier may be within a mode")
        height = HEIGHT * float(jnp.sum(jnp.var(loss_fn.counted.targets, axis=0)))
    if not height >= 0:
        raise ValueError(f"height is {height}: give a barrier within a mode, at least 0")
    labels, losses = _nowhere(run), np.asarray(run.loss)
    somewhere = np.flatnonzero(labels >= 0)
    left, found = somewhere[np.argsort(losses[somewhere], kind="stable")], 0
    ends, group = jax.tree.map(np.asarray, run.params), symmetries_of(as_pytree(loss_fn))
    while len(left):
        first = jax.tree.map(jnp.asarray, at(ends, left[0]))
        barriers = mapped(_barriers_from, at(ends, left), group, first)
        joined = barriers <= height
        joined[0] = True
        labels[left[joined]] = found
        left, found = left[~joined], found + 1
    return _modes(labels, losses, somewhere)


def _nowhere(run: Run) -> np.ndarray:
    """0 for ends that are somewhere; those at a plateau, and those that diverged, are not."""
    outcome = np.asarray(run.outcome)
    labels = np.where(outcome == Outcome.diverged, Nowhere.diverged, 0)
    return np.where(outcome == Outcome.plateau, Nowhere.plateau, labels).astype(int)


def _modes(labels: np.ndarray, losses: np.ndarray, somewhere: np.ndarray) -> Modes:
    """The modes in order of their counts, then of their losses."""
    groups = [somewhere[labels[somewhere] == k] for k in range(labels.max() + 1)]
    lowest = [float(losses[group].min()) for group in groups]
    order = sorted(range(len(groups)), key=lambda k: (-len(groups[k]), lowest[k]))
    labels[somewhere] = np.argsort(order)[labels[somewhere]]
    return Modes(
        labels=labels,
        counts=np.array([len(groups[k]) for k in order], int),
        losses=np.array([lowest[k] for k in order]),
        first=np.array([groups[k][np.argmin(losses[groups[k]])] for k in order], int),
    )


def _predicted(loss_fn: LossOn, inputs: Array, point: Any) -> Array:
    outputs = outputs_for(point, inputs, activation=loss_fn.activation)
    if outputs.shape[1] > 1:
        return jnp.argmax(outputs, axis=1).astype(jnp.int32)
    targets = loss_fn.counted.targets
    return (outputs[:, 0] > 0.5 * (jnp.min(targets) + jnp.max(targets))).astype(jnp.int32)


@jax.jit
def _barriers_from(points: Any, group: Any, first: Any) -> Array:
    def one(point: Any) -> Array:
        return straight(group.loss_fn, first, group.align(first, point)).barrier

    return jax.vmap(one)(points)


@dataclasses.dataclass(frozen=True)
class Barriers:
    """Pairs of networks: how far apart they start and end, and what lies between their ends.

    pairs: (pairs, 2) members. starts, ends: the distance between the two over the group of
    symmetries (`Symmetry.distance`). straight: the barrier on the straight line between the ends;
    aligned: after their hidden units are matched, in units of the loss.
    """

    pairs: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    straight: np.ndarray
    aligned: np.ndarray

    _repr_html_ = summaries.html()


def barriers(loss_fn: Landscape, starts: Any, ends: Any, key: Array, *, pairs: int) -> Barriers:
    """The barrier between two ends against the distance of their starts, for pairs drawn at random.

    Args:
        loss_fn: made by `loss_on`, or any landscape, without matching.
        starts: a stacked tree, members axis first.
        ends: where training left them.
        key: draws the pairs, members with replacement, never one with itself.
        pairs: how many.

    Raises:
        ValueError: fewer than two members, or pairs below 1.
    """
    count = count_of(starts)
    if count < 2 or pairs < 1:
        raise ValueError(f"{pairs} pairs of {count} members: give at least 1 of at least 2")
    group = symmetries_of(as_pytree(loss_fn))
    if isinstance(loss_fn, LossOn):
        check_network(ends)
    one, two = jax.random.split(key)
    a = np.asarray(jax.random.randint(one, (pairs,), 0, count))
    b = (a + np.asarray(jax.random.randint(two, (pairs,), 1, count))) % count
    begun, ended = (jax.tree.map(np.asarray, tree) for tree in (starts, ends))
    both = (at(begun, a), at(begun, b), at(ended, a), at(ended, b))
    return Barriers(np.stack([a, b], axis=1), *mapped(_compared, both, group))


@jax.jit
def _compared(four: Any, group: Any) -> tuple[Array, Array, Array, Array]:
    def one(four: Any) -> tuple[Array, Array, Array, Array]:
        start, other_start, end, other = four
        near = group.align(end, other)
        return (
            jnp.asarray(group.distance(start, other_start)),
            jnp.asarray(group.distance(end, other)),
            straight(group.loss_fn, end, other).barrier,
            straight(group.loss_fn, end, near).barrier,
        )

    return jax.vmap(one)(four)
