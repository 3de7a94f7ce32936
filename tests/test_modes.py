"""Ends of networks by predictions and by barriers: images, known wells, and pairs."""

from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn import data, ensembles
from jaxnn.landscape import modes, paths, symmetries
from jaxnn.landscape.labels import Nowhere
from jaxnn.losses import outputs_for
from jaxnn.runs import Run
from jaxnn.stopping import Outcome

LOSS = jaxnn.loss_on(data.xor())


def ended(params, losses, outcome: Any = Outcome.unfinished):
    """A run that ended there."""
    losses = jnp.asarray(losses)
    return Run(
        params=params, losses=losses[:, None], loss=losses, steps=jnp.zeros(len(losses), int),
        outcome=jnp.broadcast_to(jnp.asarray(outcome), losses.shape), gradient_norm=losses,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=200, scale=3.0)
    return starts, ensembles.train(LOSS, starts, jaxnn.sgd(4.0), steps=500, record_every=500)


def test_modes_by_predictions_are_the_rounded_outputs(trained):
    _, run = trained
    found = modes.by_predictions(LOSS, run)
    outputs = jax.vmap(lambda p: outputs_for(p, LOSS.batch.inputs))(run.params)
    rounded = [tuple(row) for row in (np.asarray(outputs)[..., 0] > 0.5).tolist()]
    assert len(found.counts) == len(set(rounded))
    for k, label in enumerate(found.labels):
        assert rounded[k] == rounded[found.first[label]]
    np.testing.assert_array_equal(found.counts, np.bincount(found.labels))
    assert np.all(np.diff(found.counts) <= 0)
    lowest = [np.asarray(run.loss)[found.labels == k].min() for k in range(len(found.counts))]
    np.testing.assert_array_equal(found.losses, lowest)


def test_predictions_that_differ_little_are_one_mode_where_asked(trained):
    _, run = trained
    strict, loose = (modes.by_predictions(LOSS, run, within=share) for share in (0.0, 0.25))
    assert len(loose.counts) < len(strict.counts)
    assert loose.counts.sum() == strict.counts.sum() == 200
    everything = modes.by_predictions(LOSS, run, LOSS.batch.inputs[:1])
    assert len(everything.counts) <= 2


def test_several_outputs_predict_the_largest():
    loss_fn = jaxnn.loss_on(data.iris())
    starts = ensembles.init(jax.random.key(0), (4, 3, 3), members=8)
    found = modes.by_predictions(loss_fn, ended(starts, np.ones(8)))
    outputs = jax.vmap(lambda p: outputs_for(p, loss_fn.batch.inputs))(starts)
    assert len(found.counts) == len({tuple(row) for row in np.argmax(outputs, axis=-1).tolist()})


def test_wells_are_told_apart_by_their_barrier():
    """The double well's barrier is 1 at 0, the straight lines within a well have less than 0.1."""
    points = np.array([-1.1, 1.0, 0.95, -1.0, 1.05])
    run = ended(points, (points**2 - 1) ** 2)
    found = modes.by_barriers(landscapes.double_well, run, height=0.1)
    assert found.labels.tolist() == [1, 0, 0, 1, 0]
    assert found.counts.tolist() == [3, 2]
    every = modes.by_barriers(landscapes.double_well, run, height=2.0)
    assert every.counts.tolist() == [5]


@pytest.mark.slow
def test_images_of_one_network_are_one_mode_though_the_line_between_them_is_high(trained):
    starts, run = trained
    best = int(np.argmin(run.loss))
    one = jax.tree.map(lambda leaf: leaf[best], run.params)
    images = symmetries.of(LOSS).images(one)
    losses = jax.vmap(LOSS)(images)
    assert paths.straight(LOSS, one, jax.tree.map(lambda leaf: leaf[-1], images)).barrier > 0.1
    found = modes.by_barriers(LOSS, ended(images, losses))
    assert found.counts.tolist() == [8]
    pairs = modes.barriers(
        LOSS, jax.tree.map(lambda leaf: leaf[:8], starts), images, jax.random.key(0), pairs=16
    )
    np.testing.assert_allclose(pairs.ends, 0.0, atol=1e-4)  # float32, weights of about 10
    assert pairs.aligned.max() < 1e-5 < pairs.straight.max()
    assert np.all(pairs.pairs[:, 0] != pairs.pairs[:, 1])
    assert pairs.starts.min() > 0.1


def test_what_diverged_or_idles_is_nowhere(trained):
    _, run = trained
    first = jax.tree.map(lambda leaf: leaf[:3], run.params)
    outcome = [Outcome.diverged, Outcome.plateau, Outcome.converged]
    wanted = [Nowhere.diverged, Nowhere.plateau, 0]
    lost = ended(first, np.ones(3), outcome)
    assert modes.by_predictions(LOSS, lost).labels.tolist() == wanted
    assert modes.by_barriers(LOSS, lost).labels.tolist() == wanted
    all_lost = modes.by_predictions(LOSS, ended(first, np.ones(3), Outcome.diverged))
    assert all_lost.labels.tolist() == [Nowhere.diverged] * 3
    assert not len(all_lost.counts)


def test_what_means_nothing_is_refused(trained):
    starts, run = trained
    with pytest.raises(ValueError, match="give a landscape made by loss_on"):
        modes.by_predictions(landscapes.double_well, run)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="within is 1: give a share of the inputs"):
        modes.by_predictions(LOSS, run, within=1)
    with pytest.raises(ValueError, match="height is None: say how high a barrier may be"):
        modes.by_barriers(landscapes.double_well, run)
    with pytest.raises(ValueError, match="height is nan: give a barrier within a mode"):
        modes.by_barriers(LOSS, run, height=np.nan)
    with pytest.raises(ValueError, match="0 pairs of 200 members: give at least 1"):
        modes.barriers(LOSS, starts, run.params, jax.random.key(0), pairs=0)
