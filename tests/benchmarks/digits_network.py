"""64-32-10 on 1437 digits, trained a little: the network that slices and spectra are timed on, the
same in jax and in PyTorch.
"""

import jax
import numpy as np

import jaxnn
from jaxnn import Batch, data

CASES, SIZES = 1437, (64, 32, 10)


def in_jax(steps=300):
    """The landscape and a point, float32."""
    digits = data.load("digits").batch
    loss_fn = jaxnn.loss_on(Batch(digits.inputs[:CASES], digits.targets[:CASES]))
    start = jaxnn.init(jax.random.key(0), SIZES, scheme="glorot_normal")
    train = jax.jit(lambda p: jaxnn.train(loss_fn, p, jaxnn.sgd(1.0), steps=steps).params)
    return loss_fn, jax.block_until_ready(train(start))


def in_torch(loss_fn, point):
    """The model, its inputs and targets, and jaxnn's loss as a module; None without PyTorch."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None

    model = torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.Sigmoid(), torch.nn.Linear(32, 10), torch.nn.Sigmoid()
    )
    with torch.no_grad():
        for own, leaf in zip(model.parameters(), jax.tree.leaves(point), strict=True):
            own.copy_(torch.tensor(np.asarray(leaf)))
    x, d = (torch.tensor(np.asarray(part)) for part in loss_fn.batch)

    class Error(torch.nn.Module):
        """The mean over cases of the sum of squares."""

        def forward(self, outputs, targets):
            return (outputs - targets).square().sum(dim=1).mean()

    return model, x, d, Error()
