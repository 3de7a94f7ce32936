"""An epoch of 784-30-10 in batches of 10 on one core: jaxnn, hand-written C, eager PyTorch.

Run: python tests/benchmarks/bench_training.py
"""

import subprocess
import tempfile
import time

import timing

timing.on_one_core()

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn

CASES, BATCH, EPOCHS, REPEATS = 8000, 10, 20, 9


def cases():
    """MNIST-shaped: four fifths of the pixels are 0."""
    keys = jax.random.split(jax.random.key(0), 2)
    drawn = jax.random.uniform(keys[0], (CASES, 784))
    labels = jax.random.randint(keys[1], (CASES,), 0, 10)
    return jaxnn.Batch(jnp.where(drawn > 0.8, drawn, 0.0), jax.nn.one_hot(labels, 10))


def ours(batch, gradient):
    params = jaxnn.init(jax.random.key(1), (784, 30, 10), scheme="glorot_normal")

    @jax.jit
    def train(params, key):
        return jaxnn.train_minibatch(
            jaxnn.loss,
            params,
            batch,
            jaxnn.sgd(3.0),
            key,
            epochs=EPOCHS,
            batch_size=BATCH,
            record_every=EPOCHS,
            gradient=gradient,
        )

    def call():
        before = time.perf_counter()
        jax.block_until_ready(train(params, jax.random.key(2)))
        return (time.perf_counter() - before) / EPOCHS

    return call


def in_c(folder):
    binary = timing.build_limit("mlp_sgd", folder)
    if binary is None:
        return None

    def call():
        printed = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
        return float(printed.split()[3])

    return call


def in_torch(batch):
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    torch.set_num_threads(1)
    inputs, targets = (torch.tensor(np.asarray(part)) for part in batch)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 30), torch.nn.Sigmoid(), torch.nn.Linear(30, 10), torch.nn.Sigmoid()
    )
    rule = torch.optim.SGD(net.parameters(), lr=3.0)

    def call():
        for few in torch.randperm(CASES).split(BATCH):
            rule.zero_grad()
            error = (net(inputs[few]) - targets[few]).square().sum(dim=1).mean()
            error.backward()
            rule.step()

    return call


def main():
    """Print and write seconds per epoch."""
    batch = cases()
    with tempfile.TemporaryDirectory() as folder:
        candidates = {
            "jaxnn, by hand": ours(batch, jaxnn.backprop),
            "jaxnn, jax.grad": ours(batch, None),
            "C (mlp_sgd)": in_c(folder),
            "PyTorch, eager": in_torch(batch),
        }
        measured = timing.in_turn({n: c for n, c in candidates.items() if c}, repeats=REPEATS)
    title = f"an epoch of {CASES} cases in batches of {BATCH}, 784-30-10, one core"
    timing.report("bench_training", {title: measured}, cases=CASES, batch=BATCH, epochs=EPOCHS)


if __name__ == "__main__":
    main()
