# %% [markdown]
# # Growth with width
#
# How many minima and saddles does a network have? Counted for 1 to 4 hidden units, at three
# penalties.

# %% [markdown]
# Signed exclusive or: tanh 2-H-1, the last layer without bias (Coetzee & Stonick 1996 for H = 2)
# %%
import os

import jax
import numpy as np

import jaxnn
from jaxnn import data, ensembles
from jaxnn.landscape import minima

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
STARTS = 400 if SMALL else 8000
WIDTHS = (1, 2) if SMALL else (1, 2, 3, 4)
PENALTIES = (0.0125,) if SMALL else (0.0125, 0.05, 0.1)


def starts_for(width):
    """Initial weights, each at a scale of its own from 0.3 to 3."""
    drawn = ensembles.init(
        jax.random.key(width), (2, width, 1), members=STARTS, biases=(True, False)
    )
    scales = 0.3 * 10 ** np.random.default_rng(0).uniform(size=STARTS)
    return jax.tree.map(lambda leaf: leaf * scales.reshape(-1, *[1] * (leaf.ndim - 1)), drawn)


# %% [markdown]
# A census each. The sum of (-1)^index over all points is 1 where none is missing (Morse)
# %%
print("   l2  H  minima  saddles  families   points  (-1)^index  once  missing")
for l2 in PENALTIES:
    loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=l2)
    for width in WIDTHS:
        found = minima.census(loss_fn, starts_for(width), steps=300)
        kinds = found.kinds
        print(
            f"{l2:5g}{width:3}{kinds.count('minimum'):8}{kinds.count('saddle'):9}"
            f"{len(set(found.families.tolist())):10}{np.nansum(found.orbit_size):9.0f}"
            f"{found.morse_sum:12g}{int(np.sum(found.hits == 1)):6}{found.missing.classes:9.3g}"
        )

# %% [markdown]
# A stationary point of H units is one of H + 1: a unit with all weights 0 adds nothing (Fukumizu &
# Amari 2000). It need not stay a minimum: with one unit more it may be a saddle.
