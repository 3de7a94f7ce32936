# %% [markdown]
# # Training as others have printed it
#
# Nielsen's neuron, and the mirror symmetry of Rumelhart, Hinton & Williams.
# The figure goes to the folder given, or to results/published.
# %%
import itertools
import os

from jaxnn import devices

devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np
from published import given, heading, heavy_ball, line, percent

import jaxnn
from jaxnn import Batch, Layer, ensembles, plots, training
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
FOLDER = given("results/published")
heading()

# %% [markdown]
# Nielsen, chapter 3: one logistic neuron, input 1, target 0, C = a^2 / 2, eta 0.15, 300 steps
# %%
alone = jaxnn.loss_on((jnp.ones((1, 1)), jnp.zeros((1, 1))))
starts = (Layer(jnp.array([[[0.6]], [[2.0]]]), jnp.array([[0.9], [2.0]])),)
run = ensembles.train(alone, starts, jaxnn.sgd(0.15 / 2), steps=300)  # C is half of the loss
outputs = np.sqrt(np.asarray(run.losses))
for start, curve, printed in zip(
    ("(.6, .9)", "(2, 2)"), outputs, (("0.82", "0.09"), ("0.98", "0.20")), strict=True
):
    line(f"one neuron from {start}: output at first", printed[0], f"{curve[0]:.2f}")
    line(f"one neuron from {start}: after 300 steps", printed[1], f"{curve[-1]:.2f}")
first, slow = (int(np.argmax(curve < 0.5)) for curve in outputs)
line(
    "steps until the output is below 1/2", "(2, 2) slower", f"{first}, {slow}", agrees=slow > first
)

# %% [markdown]
# Nature 1986: is a row of 6 bits its own mirror image? 6-2-1, E = 1/2 sum, eta 0.1, momentum 0.9,
# one update a sweep. When it counted as learned is not printed; here: each output on its side
# %%
bits = np.array(list(itertools.product((0.0, 1.0), repeat=6)), np.float32)
cases = Batch(jnp.asarray(bits), jnp.float32(np.all(bits == bits[:, ::-1], axis=1)[:, None]))
loss_fn, rule = jaxnn.loss_on(cases), heavy_ball(0.1, 0.9, len(bits))
MEMBERS, MOST, LONG = (100, 3000, 3000) if SMALL else (2000, 100_000, 20_000)
starts = ensembles.init(jax.random.key(0), (6, 2, 1), members=MEMBERS, scheme="uniform", scale=0.3)
run = ensembles.train_until(
    loss_fn, starts, rule,
    stop=training.all_correct(cases), max_steps=MOST, record_every=MOST,
)  # fmt: skip
solved = np.asarray(run.outcome) == jaxnn.Outcome.converged
sweeps = np.where(solved, run.steps, np.inf)
low, middle, high = np.quantile(sweeps, (0.025, 0.5, 0.975), method="lower")
line("mirror: sweeps until solved, median", 1425, f"{middle:.0f}", f"{low:.0f} to {high:.0f}",
     agrees=low <= 1425 <= high)  # fmt: skip
share = wilson(int(np.sum(sweeps <= 1425)), MEMBERS)
line("mirror: starts that take at most 1425 sweeps", "one", f"{share.share:.1%}",
     percent(*share[1:]), agrees=0.025 < share.share < 0.975)  # fmt: skip
figure, ((ax,),) = plots.figure(width=5, height=3)
ax.hist(sweeps[solved], bins=np.geomspace(100, MOST, 60), color=plots.COLOURS[0])
ax.axvline(1425, color=plots.COLOURS[1], label="printed: 1425")
ax.set(xscale="log", xlabel="sweeps until solved", ylabel=f"of {MEMBERS} starts")
ax.legend(frameon=False)
print(*plots.save(figure, f"{FOLDER}/mirror-sweeps"))

# %% [markdown]
# Trained on: a unit's weights are w and -w in mirror order. Of sizes 1 : 2 : 4 all sums differ, so
# that only a mirror image cancels; of 2 : 3 : 4 they differ too, and the other starts end there
# %%
longer = ensembles.train(loss_fn, starts, rule, steps=LONG, record_every=LONG)
W = np.asarray(longer.params[0].weights)[np.asarray(longer.loss) < 0.01]
line(f"mirror: learned after {LONG} sweeps", "one", len(W), f"of {MEMBERS}", agrees=len(W) > 0)
odd = np.max(np.abs(W + W[..., ::-1]), axis=(1, 2)) / np.max(np.abs(W), axis=(1, 2))
line("mirror: |w_i + w_7-i| / |w|", "0", f"{np.median(odd):.1e}", f"<= {np.max(odd):.1e}",
     agrees=np.quantile(odd, 0.975) < 0.01)  # fmt: skip
sizes = np.sort(np.mean(np.abs(W[..., :3] - W[..., :2:-1]), axis=1), axis=1)
ratios = sizes[:, 1:] / sizes[:, :1]
doubling = np.max(np.abs(ratios - (2, 4)), axis=1) < 0.2
share = wilson(int(np.sum(doubling)), len(W))
line("mirror: starts with ratio 1 : 2 : 4", "one", f"{share.share:.1%}", percent(*share[1:]),
     agrees=share.low > 0)  # fmt: skip
for what, published, middle, part in (
    ("1 : 2 : 4, the 2", "2", 2, ratios[doubling, 0]),
    ("1 : 2 : 4, the 4", "4", 4, ratios[doubling, 1]),
    ("the others, 2 : 3", "-", 1.5, ratios[~doubling, 0]),
    ("the others, 2 : 4", "-", 2, ratios[~doubling, 1]),
):
    low, here, high = np.quantile(part, (0.025, 0.5, 0.975))
    agrees = published != "-" and abs(here / middle - 1) < 0.02
    line(f"mirror: {what}", published, f"{here:.3f}", f"{low:.3f} to {high:.3f}",
         agrees=agrees, why="not printed")  # fmt: skip
