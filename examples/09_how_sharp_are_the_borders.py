# %% [markdown]
# # How sharp are the borders?
#
# How sensitive is training to the initial weights? A plane of them, its borders in numbers, and
# the smallest change that changes where training ends.
#
# Exclusive or by a network 2-2-1, step size 2.75 on half the sum of squares: two of the nine
# initial weights vary from -10 to 10 (the plane of Kolen & Pollack 1990, figure 4)
# %%
import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import Layer, data, ensembles, losses, plots, training
from jaxnn.landscape import sensitivity

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
SIDE = 64 if SMALL else 128
xor = data.xor()
loss_fn, rule = jaxnn.loss_on(xor), jaxnn.sgd(5.5)


def network(x, y):
    """Initial weights at (x, y) of the plane."""
    hidden = Layer(jnp.array([[4.0, -7.0], [0.0, -3.0]]), jnp.stack([jnp.float32(6), y]))
    return hidden, Layer(jnp.stack([jnp.float32(1), x])[None], jnp.array([1.0]))


# %% [markdown]
# Where does training end? The label: which cases are right once all are, or after 400 steps
# %%
@jax.jit
def pattern(params):
    """The cases that are right, as a number from 0 to 15."""
    right = jax.vmap(partial(losses.correct, batch=xor))(params)
    return right.astype(int) @ jnp.array([8, 4, 2, 1])


def labels_of(starts):
    """The label of each of these initial weights."""
    settings = {"stop": training.all_correct(xor), "max_steps": 400, "check_every": 20}
    return pattern(ensembles.train_until(loss_fn, starts, rule, **settings).params)


xs = np.linspace(-10, 10, SIDE, dtype=np.float32)
starts = jax.vmap(network)(jnp.tile(xs, SIDE), jnp.repeat(xs, SIDE))
labels = np.asarray(labels_of(starts)).reshape(SIDE, SIDE)
values, counts = np.unique(labels, return_counts=True)
print("cases right:", {f"{v:04b}": int(c) for v, c in zip(values, counts, strict=True)})

# %% [markdown]
# The borders in numbers
# %%
mixed = sensitivity.entropy(labels)
print(f"basin entropy {mixed.basin:.3f} nats ({mixed.low:.3f} to {mixed.high:.3f})")
print(f"  of boxes on a border {mixed.boundary:.3f}, a sign of fractals: {mixed.above_log2}")
found = {
    "boxes": sensitivity.box_dimension(labels),
    "pairs": sensitivity.uncertainty_exponent(labels),
}
for name, d in found.items():
    told = d.doubt or f"{d.low:.3f} to {d.high:.3f}"
    print(f"dimension by {name} {d.dimension:.3f} ({told})")
test = sensitivity.fractal_test(labels)
print(
    f"as many straight borders would have {test.smooth:.3f}, p = {test.p_value:.2f}: {test.verdict}"
)
shared = sensitivity.wada(labels)
print(f"Wada: {shared.wada}; near borders of all labels are {shared.share:.0%} of border pixels")

# %% [markdown]
# How fast do nearby initial weights part while they train?
# %%
some = jax.tree.map(lambda leaf: leaf[:: SIDE * SIDE // 8][:8], starts)
keys = jax.random.split(jax.random.key(0), 8)
grown = jax.jit(
    jax.vmap(lambda p, key: sensitivity.lyapunov(loss_fn, rule, p, key, steps=400, k=2))
)(some, keys)
print("largest Lyapunov exponents", np.sort(np.round(grown.exponents[:, 0], 4))[::-1])

# %% [markdown]
# The smallest change, in all nine directions, of the middle of the plane
# %%
middle = network(jnp.float32(0), jnp.float32(0))
effort: dict[str, Any] = {"batch": 4096, "fronts": 2, "rounds": 5} if SMALL else {}
change = sensitivity.smallest_change(labels_of, middle, **effort)
ends = f"{change.start_label:04b} becomes {change.label:04b}"
print(f"{ends} at most {change.distance:.5f} away ({change.evaluations} trainings)")

# %% [markdown]
# Counts against scale: a power law is a straight line, its local slopes are level
# %%
drawn, axes = plots.figure(1, 2, width=9.0)
for colour, (name, d) in zip(plots.COLOURS, found.items(), strict=False):
    plots.scaling(axes[0, 0], d, name=name, colour=colour)
    plots.local_slopes(axes[0, 1], d, colour=colour)
print("wrote", plots.save(drawn, "borders")[1])
