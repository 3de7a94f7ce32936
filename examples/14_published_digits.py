# %% [markdown]
# # Nielsen's networks for handwritten digits
#
# The share right after each epoch, over many starts. Needs MNIST's four IDX files:
# `python examples/14_published_digits.py FOLDER`, or JAXNN_MNIST names their folder.

# %% [markdown]
# All cores, before jax starts
# %%
import os
import sys

from jaxnn import devices

devices.use_all_cores()

import jax
import numpy as np
from published import given, heading, line, percent
from scipy import stats

import jaxnn
from jaxnn import Batch, data, ensembles
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
FOLDER = given(os.environ.get("JAXNN_MNIST"))
if FOLDER is None:
    print("784-30-10 needs the folder of MNIST's files: give it, or name it in JAXNN_MNIST")
    sys.exit()
CASES, STARTS, EPOCHS = (2000, 2, 3) if SMALL else (50_000, 10, 30)
inputs, targets = data.mnist(FOLDER)
loss_fn = jaxnn.loss_on(Batch(inputs[:CASES], targets[:CASES]))
test = data.mnist(FOLDER, part="test")
of_test = jax.jit(lambda params, batch: jax.vmap(lambda p: 1e4 * jaxnn.accuracy(p, batch))(params))


def counts(hidden):
    """Of 10,000 test images, how many each start has right after each epoch: (epochs, starts).

    All weights and biases N(0, 1); batches of 10; C is half of the loss, so a step of 3 is 1.5.
    """
    start_key, *keys = jax.random.split(jax.random.key(hidden), EPOCHS + 1)
    params = ensembles.init(start_key, (784, hidden, 10), members=STARTS)
    found = []
    for key in keys:
        run = ensembles.train_minibatch(
            loss_fn, params, jaxnn.sgd(1.5), jax.random.split(key, STARTS),
            epochs=1, batch_size=10,
        )  # fmt: skip
        params = run.params
        found.append(np.round(np.asarray(of_test(params, test))))
    return np.array(found)


# %% [markdown]
# One run is printed: it should lie where one more start does, by Student's t at 95 %. Starts that
# lose whole digits, whose outputs stay near 0 on all images, are counted apart
# %%
heading()
for hidden, best, printed in ((30, 9542, (9129, 9295, 9348)), (100, 9659, ())):
    found = counts(hidden)
    learned = found[-1] > 9000 if EPOCHS == 30 else np.full(STARTS, True)
    share = wilson(int(np.sum(learned)), STARTS)
    said = f"{np.sum(learned)} of {STARTS}"
    line(f"784-{hidden}-10: starts that learn all digits", "one", said, percent(*share[1:], 0),
         agrees=share.share > 0)  # fmt: skip
    found, n = found[:, learned], np.sum(learned)
    rows = [
        (f"after epoch {epoch + 1}", right, found[epoch]) for epoch, right in enumerate(printed)
    ]
    for what, published, values in [*rows, (f"best of {EPOCHS} epochs", best, found.max(axis=0))]:
        far = stats.t.ppf(0.975, n - 1) * np.sqrt(1 + 1 / n) * np.std(values, ddof=1)
        middle = np.mean(values)
        why = "small size: 2000 images" if SMALL else f"starts {np.sort(values).astype(int)}"
        line(f"784-{hidden}-10, {what}: of 10,000", published, f"{middle:.0f}",
             f"{middle - far:.0f} to {middle + far:.0f}", agrees=abs(published - middle) <= far,
             why=why)  # fmt: skip
