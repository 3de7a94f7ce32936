# %% [markdown]
# # Published minima
#
# Minima that others have printed or proved, counted again: a table whose second column is computed.
# %%
import os

import jax
import jax.numpy as jnp
import numpy as np
from published import heading, line

import jaxnn
from jaxnn import data, intervals
from jaxnn.landscape import curvature, minima

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
heading()

# %% [markdown]
# Coetzee & Stonick 1996: inputs +-1, targets +-0.8, 2-2-1 tanh, no last bias, a penalty
# %%
loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=0.0125)
starts = jaxnn.ensembles.init(
    jax.random.key(1), (2, 2, 1), members=2000 if SMALL else 8000, biases=(True, False)
)
census = minima.census(loss_fn, starts)
low = census.index == 0
unseen = f"unseen <= {census.missing.high:.2f}"
units = np.abs(np.asarray(census.points[0][0])[:, :, 0])  # each unit's first weight
tie = (np.abs(units[:, 0] - units[:, 1]) < 1e-6) & (census.orbit_size == 8)  # two units, not zero


for what, published, chosen in (("minima", 17, low), ("saddles", 44, ~low)):
    count, twice = int(np.sum(chosen)), int(np.sum(tie & chosen))
    explained = f"with {twice} classes twice, whose units tie in order"
    why = explained if count + twice == published else "differs"
    line(f"XOR: {what}", published, count, unseen, why=why)
line("XOR: minima with all cases right", 4, int(np.sum(low & (census.accuracy == 1))))
line("XOR: saddles with three cases right", 20, int(np.sum(~low & (census.accuracy == 0.75))))
line("XOR: sum of (-1)^index over points (Morse)", 1, int(census.morse_sum))

# %% [markdown]
# Auer, Herbster & Warmuth 1995: one logistic neuron, n examples, n minima
# %%
inputs = 10.0 ** np.arange(5)[:, None]


def neuron(point):
    """The mean squared error at the weight, targets 3/4."""
    return jnp.mean((jax.nn.sigmoid(point * inputs[:, 0]) - 0.75) ** 2)


weights = 10.0 ** np.linspace(-6, 1, 100)
ends = minima.polish_all(neuron, weights, way="descend")
rests = (ends.ending == minima.Ending.stationary) & (ends.index == 0)
line("one neuron, 5 examples: minima", 5, len(np.unique(np.round(np.log(ends.point[rests]), 6))))

# %% [markdown]
# Sprinkhuizen-Kuyper & Boers 1999: logistic 2-2-1 has plateaus, not minima, above zero error
# %%
xor = jaxnn.loss_on(data.xor())
starts = jaxnn.ensembles.init(jax.random.key(2), (2, 2, 1), members=256 if SMALL else 1024)
single = jax.jit(jax.vmap(lambda point: minima.polish(xor, point)))(starts)
double = minima.polish_all(xor, single.point, way="descend")
stuck = (double.ending == minima.Ending.stationary) & (double.index == 0) & (double.loss > 0.01)
share = intervals.wilson(int(np.sum(stuck)), len(stuck))
line("logistic XOR: minima above 0", 0, int(np.sum(stuck)), f"share <= {share.high:.3f}")
shares = [
    intervals.wilson(int(np.sum(np.asarray(found.loss) > 0.01)), len(stuck))
    for found in (single, double)
]
fewer = shares[1].share < shares[0].share
for name, share in zip(("32", "64"), shares, strict=True):
    here, interval = f"{share.share:.1%}", f"{share.low:.1%} to {share.high:.1%}"
    published = "more" if name == "32" else "fewer"
    line(f"logistic XOR: plateaus in float{name}", published, here, interval, agrees=fewer)

# %% [markdown]
# NIST StRD, Rat42, certified to 11 digits: y = b1 / (1 + exp(b2 - b3 x)) is a 1-1-1 network
# %%
x = np.array([[9.0], [14], [21], [28], [42], [57], [63], [70], [79]])
y = np.array([[8.93], [10.8], [18.59], [22.33], [39.35], [56.11], [61.73], [64.62], [67.08]])
with jax.enable_x64(True):
    growth = jaxnn.loss_on((x, y), activation=("sigmoid", "identity"))
    start = (((jnp.array([[[0.1]], [[0.07]]]), jnp.array([[-1.0], [-2.5]]))),
             (jnp.array([[[100.0]], [[75.0]]]), None))  # fmt: skip
    end = minima.polish_all(growth, start)
    (W, b), (V, _) = one = jax.tree.map(lambda leaf: leaf[0], end.point)
    J = curvature.gauss_newton(one, growth.batch, activation=growth.activation)
    spread = np.sqrt(np.diag(np.linalg.inv(J)) * 9 * end.loss[0] / (9 - 3))
for what, published, here in (
    ("b1", 72.462237576, V[0, 0]), ("b2", 2.6180768402, -b[0]), ("b3", 0.067359200066, W[0, 0]),
    ("sum of squares", 8.0565229338, 9 * end.loss[0]), ("s.d. of b1", 1.7340283401, spread[2]),
):  # fmt: skip
    far = abs(here / published - 1)
    said = f"{published:.11g}", f"{here:.11g}", f"+- {5e-11 * published:.0e}"
    line(f"Rat42: {what}", *said, agrees=far < 5e-11, why=f"apart by {far:.0e} of it")
