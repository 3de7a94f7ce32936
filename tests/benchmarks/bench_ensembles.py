"""Ensembles on all cores: members x steps a second against hand-written C, the matrix form alone
and PyTorch, and the arithmetic rate of wide networks against sgemm.

Run: python tests/benchmarks/bench_ensembles.py [small] [rounds] [wide] [batches]
"""

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import timing

from jaxnn import devices

CORES = devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import Batch, data, ensembles, training

TURNS = 5
SMALL = (  # sizes, data, members, steps
    ((2, 2, 1), "xor", 65_536, 2000),
    ((3, 4, 1), "parity3", 16_384, 400),
    ((4, 8, 1), "parity4", 8192, 200),
    ((4, 3, 3), "iris", 4096, 100),
    ((4, 8, 3), "iris", 4096, 50),
    ((4, 16, 3), "iris", 2048, 50),
)


def problem(name):
    source = data.load(name)
    return jaxnn.loss_on(source.batch)


def draw(sizes, members):
    return jax.block_until_ready(ensembles.init(jax.random.key(0), sizes, members=members))


def timed(call):
    """Seconds of the call, as `timing.in_turn` takes them."""

    def once():
        before = time.perf_counter()
        jax.block_until_ready(call())
        return time.perf_counter() - before

    return once


def trained(loss_fn, starts, steps, **settings):
    rule = jaxnn.sgd(1.0)
    return timed(
        lambda: ensembles.train(loss_fn, starts, rule, steps=steps, record_every=steps, **settings)
    )


def plain_vmap(loss_fn, starts, steps):
    """What a user writes first: vmap of descent by jax.grad, on one device."""

    @jax.jit
    def train(starts):
        def one(start):
            def step(_, point):
                return jax.tree.map(lambda p, g: p - g, point, jax.grad(loss_fn)(point))

            return jax.lax.fori_loop(0, steps, step, start)

        return jax.vmap(one)(starts)

    starts = jax.device_put(starts, jax.local_devices()[0])
    return timed(lambda: train(starts))


def in_c(folder, members, steps):
    binary = timing.build_limit("xor_ensemble", folder)
    if binary is None:
        return None
    environment = {"OMP_NUM_THREADS": str(CORES)}

    def call():
        done = subprocess.run(
            [binary, str(members), str(steps), "1.0"],
            capture_output=True, text=True, check=True, env=environment,
        )  # fmt: skip
        return float(done.stdout.split("S=")[1].split()[1].rstrip("s"))

    return call


def in_torch(loss_fn, starts, steps):
    """torch.func.vmap of the gradient, a few steps, scaled."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    torch.set_num_threads(CORES)
    few = max(1, steps // 40)
    x, d = (torch.tensor(np.asarray(part)) for part in loss_fn.batch)
    params = [torch.tensor(np.asarray(leaf)) for leaf in jax.tree.leaves(starts)]

    def loss(*params):
        v = x
        for W, b in zip(params[::2], params[1::2], strict=True):
            v = torch.sigmoid(v @ W.T + b)
        return (v - d).square().sum(dim=1).mean()

    gradient = torch.func.vmap(torch.func.grad(loss, argnums=tuple(range(len(params)))))

    def call():
        now, before = params, time.perf_counter()
        for _ in range(few):
            now = [p - g for p, g in zip(now, gradient(*now), strict=True)]
        return (time.perf_counter() - before) * steps / few

    return call


def small(folder):
    rows, table = {}, []
    for sizes, name, members, steps in SMALL:
        loss_fn, starts = problem(name), draw(sizes, members)
        form = ensembles.form_of(loss_fn, starts)
        candidates: dict[str, Any] = {
            "jaxnn": trained(loss_fn, starts, steps),
            "as units": trained(loss_fn, starts, steps, form="units"),
            "as matrices": trained(loss_fn, starts, steps, form="matrices"),
        }
        if name == "xor":
            candidates["vmap, jax.grad"] = plain_vmap(loss_fn, starts, steps)
            candidates["C (xor_ensemble)"] = in_c(folder, members, steps)
            candidates["torch.func.vmap"] = in_torch(loss_fn, starts, steps)
        there = {name: call for name, call in candidates.items() if call}
        seconds, first = timing.in_turn(there, repeats=TURNS)
        title = f"{'-'.join(map(str, sizes))} on {name}, {members} members, {steps} steps"
        rows[title] = seconds, first
        rate = {c: members * steps / statistics.median(s) / 1e6 for c, s in seconds.items()}
        table.append((sizes, name, form, rate, first["jaxnn"]))
    print("M members x steps / s       parameters  units  matrices  chosen     rate  of the better")
    for sizes, name, form, rate, first in table:
        better = max(rate["as units"], rate["as matrices"])
        print(
            f"{'-'.join(map(str, sizes)):8} on {name:12} {count(sizes):12} {rate['as units']:8.2f} "
            f"{rate['as matrices']:8.2f}  {form:9} {rate['jaxnn']:7.2f} "
            f"{rate['jaxnn'] / better:8.2f}   first call {first:.1f} s"
        )
    print(
        crossing(
            [(count(sizes), rate["as units"] / rate["as matrices"]) for sizes, *_, rate, _ in table]
        )
    )
    return rows


def count(sizes):
    return sum((m + 1) * n for m, n in itertools.pairwise(sizes))


def crossing(gains):
    """Where the form of units stops being the faster, by interpolation over (parameters, gain)."""
    gains = sorted(gains)
    for (low, before), (high, after) in itertools.pairwise(gains):
        if before > 1 >= after:
            share = np.log(before) / np.log(before / after)
            return f"the forms cross at about {low * (high / low) ** share:.0f} parameters"
    return f"no crossing between {gains[0][0]} and {gains[-1][0]} parameters"


def rounds():
    """XOR with targets .1 and .9: the time against that of the steps needed, at full speed."""
    xor, members = data.xor(), 65_536
    loss_fn = jaxnn.loss_on(Batch(xor.inputs, 0.1 + 0.8 * xor.targets))
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=members, scale=3.0)
    rule, stop = jaxnn.sgd(4.0), training.gradient_below(1e-5)

    def until():
        return ensembles.train_until(
            loss_fn,
            starts,
            rule,
            stop=stop,
            max_steps=150_000,
            check_every=100,
            record_every=10_000,
        )

    steps = np.asarray(until().steps)
    mean = round(float(steps.mean()))
    print(f"steps: least {steps.min()}, median {np.median(steps):.0f}, most {steps.max()}")
    candidates = {
        "as many steps, at full speed": trained(loss_fn, starts, mean),
        "train_until": timed(until),
    }
    return {
        f"until |gradient| < 1e-5, {members} members": timing.in_turn(candidates, repeats=TURNS)
    }


def wide():
    """64 members of 64-32-10 on 1437 cases of the digits: arithmetic that is needed a second."""
    digits = data.load("digits").batch
    batch = Batch(digits.inputs[:1437], digits.targets[:1437])
    loss_fn, sizes, members, steps = jaxnn.loss_on(batch), (64, 32, 10), 64, 100
    starts = draw(sizes, members)
    needed = 2 * 1437 * (2 * 64 * 32 + 3 * 32 * 10)  # both products of layer 1, three of layer 2
    candidates = {
        "sgemm 2048": sgemm(members * steps * needed),
        "jaxnn": trained(loss_fn, starts, steps),
        "PyTorch bmm": bmm(batch, starts, steps),
    }
    rows = timing.in_turn({n: c for n, c in candidates.items() if c}, repeats=TURNS + 4)
    for name, seconds in rows[0].items():
        rate = members * steps * needed / statistics.median(seconds) / 1e9
        print(f"{name:14} {rate:7.1f} GFLOP/s of needed products")
    return {f"64-32-10 on 1437 cases, {members} members, {steps} steps": rows}


def sgemm(flops):
    """As many operations by products of 2048 x 2048 on all cores at once, a product a device."""
    a = [jax.device_put(jnp.ones((2048, 2048)), device) for device in jax.local_devices()]
    product = jax.jit(lambda a: a @ a)
    share = flops / (2 * 2048**3 * len(a))
    repeats = max(3, round(share))

    def call():
        before = time.perf_counter()
        for _ in range(repeats):
            done = [product(part) for part in a]
        jax.block_until_ready(done)
        return (time.perf_counter() - before) * share / repeats

    return call


def bmm(batch, starts, steps):
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    torch.set_num_threads(CORES)
    x, d = (torch.tensor(np.asarray(part)) for part in batch)
    params = [torch.tensor(np.asarray(leaf)) for leaf in jax.tree.leaves(starts)]
    x = x.expand(len(params[0]), *x.shape)
    few = max(1, steps // 10)

    def call():
        now, before = params, time.perf_counter()
        for _ in range(few):
            W1, b1, W2, b2 = (p.requires_grad_() for p in now)
            h = torch.sigmoid(torch.baddbmm(b1[:, None], x, W1.mT))
            o = torch.sigmoid(torch.baddbmm(b2[:, None], h, W2.mT))
            gradient = torch.autograd.grad((o - d).square().sum(dim=2).mean(dim=1).sum(), now)
            now = [(p - g).detach() for p, g in zip(now, gradient, strict=True)]
        return (time.perf_counter() - before) * steps / few

    return call


def batches(folder):
    """16 members of 784-30-10 in batches of 10, against 8 rounds of two C processes side by
    side.
    """
    keys = jax.random.split(jax.random.key(0), 2)
    drawn = jax.random.uniform(keys[0], (8000, 784))
    labels = jax.nn.one_hot(jax.random.randint(keys[1], (8000,), 0, 10), 10)
    loss_fn = jaxnn.loss_on(Batch(jnp.where(drawn > 0.8, drawn, 0.0), labels))
    starts, epochs = draw((784, 30, 10), 16), 10  # the loss on all cases is taken twice a run
    orders = jax.random.split(jax.random.key(5), 16)

    def call():
        before = time.perf_counter()
        jax.block_until_ready(
            ensembles.train_minibatch(
                loss_fn, starts, jaxnn.sgd(3.0), orders, epochs=epochs, batch_size=10,
                record_every=epochs,
            )
        )  # fmt: skip
        return (time.perf_counter() - before) / epochs

    candidates = {"jaxnn": call, "C, 8 rounds of two": two_in_c(folder)}
    there = {name: call for name, call in candidates.items() if call}
    return {"an epoch, 784-30-10, 16 members": timing.in_turn(there, repeats=TURNS)}


def two_in_c(folder):
    binary = timing.build_limit("mlp_sgd", folder)
    if binary is None:
        return None

    def call():
        """The slower of the two is what a round takes."""
        total = 0.0
        for _ in range(8):
            both = [subprocess.Popen([binary], stdout=subprocess.PIPE, text=True) for _ in "ab"]
            total += max(float(process.communicate()[0].split()[3]) for process in both)
        return total

    return call


def main():
    """Print and write the parts that are named, or all."""
    asked = sys.argv[1:] or ["small", "rounds", "wide", "batches"]
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "small": lambda: small(folder),
            "rounds": rounds,
            "wide": wide,
            "batches": lambda: batches(folder),
        }
        for name in asked:
            rows.update(parts[name]())
    timing.report("bench_ensembles", rows, turns=TURNS, cores=CORES)


if __name__ == "__main__":
    main()
