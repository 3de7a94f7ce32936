"""Basin maps: a 512 x 512 plane of initial weights of 2-2-1 networks on the exclusive or against
hand-written C, and pixels x steps a second of a map of step sizes of a 16-16-1 tanh network in
float64 against the trainability-boundary notebook's way (Sohl-Dickstein 2024).

Run: python tests/benchmarks/bench_basins.py [--side 512] [--steps 2000] [--pixels 4096]
"""

import argparse
import itertools
import statistics
import tempfile
import time
from typing import Any

import timing

from jaxnn import devices

CORES = devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np
import optax
from bench_ensembles import in_c
from jax.tree_util import Partial

import jaxnn
from jaxnn import Batch, Layer, data, dynamics, ensembles, network
from jaxnn.landscape import basins

WIDTH, CASES, LOG_STEPS = 16, 272, (-1.0, 3.0)


def the_map(side, steps):
    """Starts, training and labels of the plane of two weights from -10 to 10."""
    loss_fn = jaxnn.loss_on(data.xor())
    origin = network.init(jax.random.key(0), (2, 2, 1))
    nothing = jax.tree.map(np.zeros_like, origin)
    first, second = (
        (Layer(np.eye(2)[k][:, None] * np.array([[1.0, 0.0]]), nothing[0].biases), nothing[1])
        for k in range(2)
    )
    axis = (np.arange(side) + 0.5) / side * 20.0 - 10.0

    def call():
        starts = basins.on_plane(origin, first, second, axis, axis)
        starts = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), starts)
        run = dynamics.full_batch(jaxnn.sgd(1.0), steps=steps)(loss_fn, starts)
        return basins.by_predictions(loss_fn, run)

    return call


def against_c(side, steps, repeats):
    call = the_map(side, steps)
    with tempfile.TemporaryDirectory() as folder:
        candidates: dict[str, Any] = {"jaxnn: starts, training, labels": lambda: void(call())}
        limit = in_c(folder, side * side, steps)
        if limit is not None:
            candidates["C (xor_ensemble), training alone"] = limit
        return timing.in_turn(candidates, repeats=repeats)


def void(_):
    """Nothing, so that the call is timed around."""


def problem():
    """The notebook's network and data, in this package's orientation: cases, targets, weights."""
    keys = jax.random.split(jax.random.key(0), 4)
    inputs = jax.random.normal(keys[0], (CASES, WIDTH), jnp.float64)
    targets = jax.random.normal(keys[1], (CASES, 1), jnp.float64)
    W = jax.random.normal(keys[2], (WIDTH, WIDTH), jnp.float64)
    v = jax.random.normal(keys[3], (WIDTH, 1), jnp.float64)
    return inputs, targets, (W, v)


def step_sizes(pixels):
    side = int(pixels**0.5)
    axis = 10.0 ** np.linspace(*LOG_STEPS, side)
    return np.array(list(itertools.product(axis, axis)))


def as_the_notebook(pixels, steps):
    """One compiled step of all pixels by jax.grad, cases first, on one device, called in a loop."""
    inputs, targets, weights = problem()
    grid = jnp.asarray(step_sizes(pixels))

    def loss(weights):
        hidden = jnp.tanh(np.sqrt(2.0) * (inputs @ weights[0]) / np.sqrt(WIDTH))
        return jnp.mean((hidden @ weights[1] / WIDTH - targets) ** 2)

    def step(weights, sizes):
        value, gradient = jax.value_and_grad(loss)(weights)
        moved = [w - s * g for w, g, s in zip(weights, gradient, sizes, strict=True)]
        return tuple(moved), value

    every = jax.jit(jax.vmap(step), donate_argnums=0)
    here = jax.local_devices()[0]

    def call():
        now = jax.tree.map(lambda leaf: jnp.tile(leaf, (len(grid), 1, 1)), weights)
        now, sizes = jax.device_put((now, grid), here)
        losses = []
        for _ in range(steps):
            now, value = every(now, sizes)
            losses.append(value)
        losses.append(every(now, sizes)[1])
        return jax.block_until_ready(jnp.stack(losses, axis=-1))

    return call


def _nothing(params):
    del params
    return optax.EmptyState()


def _by_layer(sizes, gradient, state, params=None, **extra):
    del params, extra
    return jax.tree.map(lambda s, g: -s * g, sizes, gradient), state


def as_ensemble(pixels, steps):
    """The same map: the notebook's factors are in the weights, and so in the step sizes."""
    inputs, targets, (W, v) = problem()
    hidden, output = np.sqrt(2.0) / np.sqrt(WIDTH), 1.0 / WIDTH
    loss_fn = jaxnn.loss_on(Batch(inputs, targets), activation=("tanh", "identity"))
    grid = step_sizes(pixels)
    start = (Layer(hidden * W.T, None), Layer(output * v.T, None))
    starts = jax.tree.map(lambda leaf: jnp.tile(leaf, (len(grid), 1, 1)), start)
    first, second = jnp.asarray(hidden**2 * grid[:, 0]), jnp.asarray(output**2 * grid[:, 1])
    sizes = (Layer(first, None), Layer(second, None))
    rule = optax.GradientTransformationExtraArgs(Partial(_nothing), Partial(_by_layer, sizes))

    def call():
        run = ensembles.train(loss_fn, starts, rule, steps=steps, record_every=1, rule_axes=0)
        return jax.block_until_ready(run.losses)

    return call


def against_the_notebook(pixels, steps, repeats):
    with jax.enable_x64(True):
        theirs, ours = as_the_notebook(pixels, steps), as_ensemble(pixels, steps)
        a, b = np.asarray(theirs()), np.asarray(ours())
        alive = np.isfinite(a).all(axis=1) & (a.max(axis=1) <= 2 * a[:, 0])
        apart = np.max(np.abs(a - b)[alive] / a[alive, :1])
        print(f"both maps agree to {apart:.0e} where they converge ({alive.mean():.0%} of pixels)")
        candidates = {"jaxnn": lambda: void(ours()), "the notebook's way": lambda: void(theirs())}
        return timing.in_turn(candidates, repeats=repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--pixels", type=int, default=4096)
    parser.add_argument("--map-steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    began = time.perf_counter()
    rows = {
        f"{asked.side} x {asked.side} of 2-2-1, {asked.steps} steps, float32": against_c(
            asked.side, asked.steps, asked.repeats
        ),
        f"{asked.pixels} step sizes of 16-16-1, {asked.map_steps} steps, float64": (
            against_the_notebook(asked.pixels, asked.map_steps, asked.repeats)
        ),
    }
    timing.report("bench_basins", rows, **vars(asked), cores=CORES)
    for title, (seconds, _) in rows.items():
        medians = [statistics.median(values) for values in seconds.values()]
        if len(medians) == 2:
            print(f"{title}: {medians[1] / medians[0]:.2f} times the speed of the other")
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
