"""Points in bfloat16 and float16: trained in their own precision, recorded in float32."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import ensembles, training


def halves(dtype):
    """A point whose weights are narrow and whose biases are wide, on narrow data."""
    params = jaxnn.init(jax.random.key(2), (2, 2, 1), bias_scale=1.0)
    batch = jax.tree.map(lambda leaf: leaf.astype(dtype), jaxnn.data.xor())
    narrow = jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    pairs = zip(narrow, params, strict=True)
    mixed = tuple(layer._replace(biases=wide.biases) for layer, wide in pairs)
    return batch, {"all": narrow, "mixed": mixed}


QUICK = (jnp.bfloat16, "mixed", "units")
ALL = list(
    itertools.product(
        (jnp.bfloat16, jnp.float16), ("all", "mixed"), ("units", "matrices", "landscape")
    )
)


@pytest.mark.parametrize(
    ("dtype", "which", "form"),
    [pytest.param(*case, marks=[] if case == QUICK else pytest.mark.slow) for case in ALL],
)
def test_losses_and_norms_of_narrow_points_are_recorded_in_float32(dtype, which, form):
    batch, points = halves(dtype)
    loss_fn, start = jaxnn.loss_on(batch), points[which]
    wide = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), start)
    expected = jaxnn.loss_on(jaxnn.data.xor())(wide)
    ends = [
        training.train(loss_fn, start, jaxnn.sgd(0.5), steps=4),
        training.train_until(
            loss_fn, start, jaxnn.sgd(0.5), stop=training.loss_below(0.0), max_steps=4
        ),
        training.train_minibatch(
            jaxnn.loss, start, batch, jaxnn.sgd(0.5), jax.random.key(0), epochs=4, batch_size=4
        ),
    ]
    starts = jax.tree.map(lambda leaf: leaf[None], start)
    function = (lambda p: loss_fn(p)) if form == "landscape" else loss_fn
    of: dict[str, Any] = {"form": form, "tile": 1}
    ends += [
        ensembles.train(function, starts, jaxnn.sgd(0.5), steps=4, **of),
        ensembles.train_until(
            function, starts, jaxnn.sgd(0.5), stop=training.loss_below(0.0), max_steps=4, **of
        ),
    ]
    ends.append(
        ensembles.train_minibatch(
            loss_fn, starts, jaxnn.sgd(0.5), jax.random.key(0)[None], epochs=4, batch_size=4
        )
    )
    for run in ends:
        assert (run.losses.dtype, run.loss.dtype) == (jnp.float32, jnp.float32)
        assert run.gradient_norm.dtype == jnp.float32
        assert run.params[0].weights.dtype == dtype
        np.testing.assert_allclose(jnp.ravel(run.losses)[0], expected, rtol=1e-6)
        assert jnp.ravel(run.losses)[-1] == jnp.ravel(run.loss)[0]
        end = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), run.params)
        end = end if run.loss.shape == () else jax.tree.map(lambda leaf: leaf[0], end)
        np.testing.assert_allclose(
            jnp.ravel(run.loss)[0], jaxnn.loss_on(jaxnn.data.xor())(end), rtol=1e-6
        )
