# %% [markdown]
# # Many starts
#
# How often training solves XOR, against the scale of the initial weights.

# %% [markdown]
# All cores, before jax starts
# %%
import os

from jaxnn import devices

devices.use_all_cores()

import jax

import jaxnn
from jaxnn import data, ensembles, training
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
MEMBERS = 64 if SMALL else 2000
loss_fn = jaxnn.loss_on(data.xor())

# %% [markdown]
# One ensemble a scale; member i starts from the same unit draw at each, so that columns compare
# %%
print("scale   solved, with its 95 % interval")
for scale in (0.1, 0.3, 1.0, 3.0, 10.0):
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=MEMBERS, scale=scale)
    run = ensembles.train_until(
        loss_fn,
        starts,
        jaxnn.sgd(4.0),
        stop=training.all_correct(data.xor()),
        max_steps=2000 if SMALL else 10_000,
        check_every=100,
    )
    solved = int((run.outcome == jaxnn.Outcome.converged).sum())
    share = wilson(solved, MEMBERS)
    print(f"{scale:5g}   {solved:4} of {MEMBERS}  [{share.low:.1%}, {share.high:.1%}]")
