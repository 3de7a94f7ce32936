"""Where XOR's training fails, by the size of the initial weights, and basins in planes of them: as
Kolen & Pollack (1990) printed them.
"""

# %% All cores, before jax starts; what a picture is written to
import os
import sys

from jaxnn import devices

devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np
from published import MAPS, heading, heavy_ball, line, map_starts

import jaxnn
from jaxnn import data, ensembles, plots, training
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
FOLDER = sys.argv[1] if len(sys.argv) > 1 else "published"
xor = data.xor()
loss_fn, stop = jaxnn.loss_on(xor), training.all_correct(xor)


def trained(starts, eta, momentum, epochs, check_every):
    """Each network trained until every output is on the right side of 0.5."""
    return ensembles.train_until(
        loss_fn, starts, heavy_ball(eta, momentum, 4), stop=stop,
        max_steps=epochs, check_every=check_every, record_every=epochs,
    )  # fmt: skip


def failures(run):
    """The share that did not converge, with Wilson's interval."""
    return wilson(int(np.sum(run.outcome != jaxnn.Outcome.converged)), len(run.outcome))


# %% Fig. 1: all weights uniform in [-rho, rho], 50,000 epochs, tested every 10
RHOS = (0.5, 2.0, 4.0, 10.0) if SMALL else (0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
SETTINGS = [(eta, momentum) for eta in (1.0, 2.0) for momentum in (0.0, 0.5, 0.9)]
MEMBERS, EPOCHS = (200, 2000) if SMALL else (4000, 50_000)
shares = {}
for eta, momentum in SETTINGS:
    for number, rho in enumerate(RHOS):
        starts = ensembles.init(
            jax.random.key(number), (2, 2, 1), members=MEMBERS, scheme="uniform", scale=rho
        )
        shares[eta, momentum, rho] = failures(trained(starts, eta, momentum, EPOCHS, 10))

heading()
low = [shares[eta, momentum, 0.5] for eta, momentum in SETTINGS]
print({k: tuple(round(x, 3) for x in v) for k, v in shares.items()})

# %% Figs. 3 to 7: two of the nine weights run from -10 to 9.9, 200 epochs, tested after each
SIZE = 40 if SMALL else 200
import time
maps = {}
for number, (weights, eta, momentum) in MAPS.items():
    t = time.time()
    run = trained(map_starts(weights, SIZE), eta, momentum, 200, 1)
    there = np.asarray(run.outcome == jaxnn.Outcome.converged)
    maps[number] = np.where(there, run.steps, np.nan).reshape(SIZE, SIZE)
    with jax.enable_x64(True):
        loss64 = jaxnn.loss_on(data.Batch(*(a.astype(jnp.float64) for a in xor)))
        stop64 = training.all_correct(loss64.batch)
        run64 = ensembles.train_until(loss64, map_starts(weights, SIZE, jnp.float64), heavy_ball(eta, momentum, 4), stop=stop64, max_steps=200, check_every=1, record_every=200)
    there64 = np.asarray(run64.outcome == 0)
    changed = (there != there64).mean(), (np.where(there, run.steps, -1) != np.where(there64, run64.steps, -1)).mean()
    print(number, there.mean(), failures(run), changed, run64.params[0][0].dtype, time.time() - t)
drawn, axes = plots.figure(1, 5, width=12.5, height=2.8)
for ax, (number, steps) in zip(axes[0], maps.items(), strict=True):
    ax.set_facecolor("black")
    ax.imshow(steps, cmap="viridis_r", extent=(-10, 10, -10, 10), origin="lower", vmin=0, vmax=200, interpolation="nearest")
    ax.set_title(f"Fig. {number}")
print(plots.save(drawn, f"{FOLDER}/xor-maps"))
