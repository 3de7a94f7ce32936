# %% [markdown]
# # Published failures
#
# How often training fails on XOR, by the size of the initial weights, the step size and the
# momentum: Fig. 1 of Kolen & Pollack (1990).

# %% [markdown]
# All cores, before jax starts; the figure goes to the folder given, or to results/published
# %%
import os
from functools import partial

from jaxnn import devices

devices.use_all_cores()

import jax
import jax.numpy as jnp
import numpy as np
from published import given, heading, line, percent, xor_ends

from jaxnn import ensembles, plots
from jaxnn.intervals import wilson

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
FOLDER = given("results/published")
MEMBERS, CHECKED, EPOCHS = (60, 20, 1000) if SMALL else (2000, 500, 50_000)
RHOS = np.array((0.5, 3, 10) if SMALL else (0.1, 0.3, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10))
SETTINGS = [(eta, momentum) for eta in (1.0, 2.0) for momentum in (0.0, 0.5, 0.9)]

# %% [markdown]
# All weights uniform in [-rho, rho], the same starts for each eta and momentum: one ensemble
# %%
draw = partial(ensembles.init, sizes=(2, 2, 1), members=MEMBERS, scheme="uniform")
drawn = [draw(jax.random.key(n), scale=rho) for n, rho in enumerate(RHOS)]
starts = jax.tree.map(lambda *leaves: jnp.concatenate(leaves * len(SETTINGS)), *drawn)
eta, momentum = jnp.repeat(jnp.array(SETTINGS), len(RHOS) * MEMBERS, axis=0).T
solved, _ = xor_ends(starts, eta, momentum, epochs=EPOCHS)
failed = np.sum(~solved.reshape(len(SETTINGS), len(RHOS), MEMBERS), axis=2)
shares = np.array([[wilson(int(n), MEMBERS) for n in row] for row in failed])  # share, low, high


def failures(first, last):
    """The lowest and highest share at rho in [first, last], with the ends of their intervals."""
    part = shares[:, (first <= RHOS) & (last >= RHOS)]
    return part[..., 0].min(), part[..., 0].max(), part[..., 1].min(), part[..., 2].max()


heading()
small, middle, large = failures(0, 0.5), failures(2, 4), failures(10, 10)
for what, published, found, agrees in (
    ("rho up to 0.5", "low levels", small, small[1] < failures(1, 10)[0]),
    ("rho 2 to 4", "5% to 50%", middle, middle[0] >= 0.05 and middle[1] <= 0.5),
    ("rho 10", "up to 80%", large, middle[1] < large[0] and large[1] <= 0.8),
):
    here, interval = percent(*found[:2], 0), percent(*found[2:], 0)
    line(f"not solved in {EPOCHS} epochs, {what}", published, here, interval, agrees=agrees)

# %% [markdown]
# The curve
# %%
figure, ((ax,),) = plots.figure(width=5, height=3.5)
for number, ((eta, momentum), values) in enumerate(zip(SETTINGS, 100 * shares, strict=True)):
    share, low, high = values.T
    reach = [np.maximum(share - low, 0), np.maximum(high - share, 0)]
    ax.errorbar(RHOS, share, reach, lw=1, capsize=2, color=plots.COLOURS[number],
                ls="-" if eta == 1 else "--", label=f"{eta:g}, {momentum:g}")  # fmt: skip
ax.set(xlabel="rho: initial weights in [-rho, rho]", ylabel="not solved (%)", ylim=(0, 80))
ax.legend(title="eta, momentum", frameon=False)
print(*plots.save(figure, f"{FOLDER}/xor-failures"))

# %% [markdown]
# Nobody is at a minimum: does float64 lead networks off the plateau within those epochs?
# %%
singles = solved.reshape(len(SETTINGS), len(RHOS), MEMBERS)[0, :, :CHECKED]  # eta 1, no momentum
for rho, part, single in zip(RHOS, drawn, singles, strict=True):
    if rho in (0.5, 3, 10):
        few = jax.tree.map(lambda leaf: leaf[:CHECKED], part)
        double, _ = xor_ends(few, 1.0, 0.0, epochs=EPOCHS, dtype=jnp.float64)
        here = f"{np.sum(~single)}, {np.sum(~double)}"
        changed = wilson(int(np.sum(single != double)), CHECKED)
        line(f"rho {rho:g}: failures of {CHECKED}, float32, float64", "-", here,
             percent(*changed[1:]), agrees=False, why=f"{changed.share:.1%} change")  # fmt: skip
