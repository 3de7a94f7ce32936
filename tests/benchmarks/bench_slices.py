"""A 51 x 51 plane of 64-32-10 on 1437 digits: jaxnn on all cores against loss-landscapes and
Landscaper on the same weights and points, and the arithmetic against sgemm.

Run: python tests/benchmarks/bench_slices.py
"""

import contextlib
import copy
import io
import statistics

import bench_ensembles
import digits_network
import numpy as np
import timing

CORES = bench_ensembles.CORES

import jax
import jax.numpy as jnp

from jaxnn import devices
from jaxnn.landscape import directions, slices

SIDE, TURNS = 51, 7
NEEDED = SIDE**2 * 2 * digits_network.CASES * (64 * 32 + 32 * 10)


def in_loss_landscapes(model, x, d, error, ends, found):
    """`planar_interpolation` over the same corner and sides; its zig-zag rows are its own."""
    try:
        import loss_landscapes  # pyright: ignore[reportMissingImports]
        from loss_landscapes.metrics import Loss  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    models = [model, *(as_model(model, end) for end in ends)]

    def call():
        found["loss-landscapes"] = loss_landscapes.planar_interpolation(
            *models, Loss(error, x, d), steps=SIDE, deepcopy_model=True
        )

    return call


def as_model(model, end):
    import torch  # pyright: ignore[reportMissingImports]

    other = copy.deepcopy(model)
    with torch.no_grad():
        for own, leaf in zip(other.parameters(), jax.tree.leaves(end), strict=True):
            own.copy_(torch.tensor(np.asarray(leaf)))
    return other


def in_landscaper(model, x, d, error, pair, found):
    """`LossLandscape.compute` along the same two directions."""
    try:
        from landscaper import LossLandscape  # pyright: ignore[reportMissingImports]
    except Exception:  # its own requirements may be missing
        return None
    import torch  # pyright: ignore[reportMissingImports]

    axes = [[torch.tensor(np.asarray(leaf)) for leaf in jax.tree.leaves(v)] for v in pair]

    def call():
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found["Landscaper"] = LossLandscape.compute(
                model, (x, d), axes, lambda m, data: error(m(data[0]), data[1]).item(),
                steps=SIDE, distance=1.0, dim=2,
            )  # fmt: skip

    return call


def in_torch(model, x, d, error, point, pair, xs):
    """What a user of PyTorch writes by hand: a loop over points, in place."""
    import torch  # pyright: ignore[reportMissingImports]

    leaves = [
        [torch.tensor(np.asarray(leaf)) for leaf in jax.tree.leaves(t)] for t in (point, *pair)
    ]
    model = copy.deepcopy(model)
    values = np.zeros((SIDE, SIDE))

    def call():
        with torch.no_grad():
            for i, y in enumerate(xs):
                for j, t in enumerate(xs):
                    for own, p, a, b in zip(model.parameters(), *leaves, strict=True):
                        own.copy_(p + float(t) * a + float(y) * b)
                    values[i, j] = error(model(x), d).item()

    return call, values


def in_float64(leaf):
    return jnp.asarray(np.asarray(leaf), jnp.float64)


def main():
    """Print and write seconds per plane, the rate, and how far values are apart."""
    loss_fn, point = digits_network.in_jax()
    pair = directions.pair(point, jax.random.key(1), normalise="filter")
    xs = jnp.linspace(-1, 1, SIDE)
    ours, found = {}, {}

    def jaxnn_plane():
        ours["values"] = jax.block_until_ready(
            slices.plane(loss_fn, point, *pair, xs, xs, over=devices.each)
        )

    candidates = {
        "jaxnn": jaxnn_plane,
        "sgemm 2048, as many products": bench_ensembles.sgemm(NEEDED),
    }
    peers = digits_network.in_torch(loss_fn, point)
    if peers is not None:
        import torch  # pyright: ignore[reportMissingImports]

        torch.set_num_threads(CORES)
        ends = [jax.tree.map(jnp.add, point, v) for v in pair]
        candidates["loss-landscapes"] = in_loss_landscapes(*peers, ends, found)
        candidates["Landscaper"] = in_landscaper(*peers, pair, found)
        candidates["PyTorch, a loop"], looped = in_torch(*peers, point, pair, np.asarray(xs))
    there = {name: call for name, call in candidates.items() if call}
    rows = timing.in_turn(there, repeats=TURNS)
    median = statistics.median(rows[0]["jaxnn"])
    share = statistics.median(rows[0]["sgemm 2048, as many products"]) / median
    print(f"jaxnn: {NEEDED / median / 1e9:.0f} GFLOP/s of needed products, {share:.0%} of sgemm")
    with jax.enable_x64(True):
        f, p, (v, w), at = jax.tree.map(in_float64, (loss_fn, point, pair, xs))
        truth = slices.plane(f, p, v, w, at, at, over=devices.each)
    gap = np.max(np.abs(np.asarray(ours["values"]) / np.asarray(truth) - 1))
    print(f"jaxnn (float32) from float64: at most {gap:.1e}, relatively")
    if peers is not None:
        gap = np.max(np.abs(np.asarray(ours["values"]) / looped - 1))
        print(f"jaxnn from PyTorch's loop: at most {gap:.1e}, relatively")
    title = f"a plane of {SIDE} x {SIDE}, 64-32-10 on {digits_network.CASES} cases"
    timing.report("bench_slices", {title: rows}, side=SIDE, cores=CORES)


if __name__ == "__main__":
    main()
