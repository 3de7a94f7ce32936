# %% [markdown]
# # Landscape or step size?
#
# Where does each initial weight lead, and is it the landscape or the step size that decides? The
# signed exclusive or, 2-2-1 tanh with l2 = 0.0125: eleven minima, as a census counts them.
# %%
from jaxnn import devices

devices.use_all_cores()

import os

import jax
import numpy as np

import jaxnn
from jaxnn import data, dynamics, ensembles
from jaxnn.landscape import basins
from jaxnn.rank_statistics import spearman

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
MEMBERS, TIME = (256, 200.0) if SMALL else (4000, 1000.0)
STEP_SIZES = (0.5, 4.0) if SMALL else (0.05, 0.5, 1.0, 2.0, 4.0, 8.0)
loss_fn = jaxnn.loss_on(data.xor_signed(), activation="tanh", l2=0.0125)

# %% [markdown]
# The same initial weights under the gradient flow, which has no step size, and under descent.
# %%
with jax.enable_x64(True):
    starts = ensembles.init(
        jax.random.key(0), (2, 2, 1), members=MEMBERS, biases=(True, False), dtype=np.float64
    )
    ways = {"gradient flow": dynamics.gradient_flow(TIME)}
    ways |= {
        f"step size {size:g}": dynamics.full_batch(jaxnn.sgd(size), steps=int(TIME / size))
        for size in STEP_SIZES
    }
    found = [basins.find(loss_fn, starts, way) for way in ways.values()]
found = dict(zip(ways, basins.together(loss_fn, found), strict=True))
flow = found["gradient flow"]
alike = basins.equal_families(loss_fn, flow.attractors, biases_alike=True)

# %% [markdown]
# How probable each family of minima is, and what share of the starts leads elsewhere by steps.
# %%
print(f"{MEMBERS} initial weights N(0, 1); shares with 95 % intervals, families by their loss")
for name, part in found.items():
    reached = basins.probabilities(np.where(part.labels >= 0, alike[part.labels], part.labels))
    shares = [
        f"{share:.1%} [{low:.1%}, {high:.1%}] "
        + (f"at {part.attractors.losses[alike == k].mean():.4f}" if k >= 0 else basins.spoken(k))
        for k, share, low, high in zip(
            reached.labels, reached.share, reached.low, reached.high, strict=True
        )
    ]
    print(f"{name:14} {'; '.join(shares)}")
    moved = basins.compare(flow.labels, part.labels).share
    bound = 2 / float(name.split()[-1]) if part is not flow else np.inf
    print(
        f"{'':14} {moved.share:.1%} [{moved.low:.1%}, {moved.high:.1%}] end elsewhere than by "
        f"flow; sharpness up to {part.sharpness.max():.2g}, stable below {bound:.2g}"
    )

# %% [markdown]
# A test that costs nothing: minima that symmetries carry into one another are equally probable.
# %%
for name, part in found.items():
    test = basins.within_families(part.labels, alike)
    print(f"{name:14} equal within families: chi^2 {test.statistic:.1f}, p = {test.p_value:.2f}")

# %% [markdown]
# Do starts that are near to each other end in one valley? The barrier against the distance.
# %%
pairs = basins.barriers(loss_fn, starts, flow.ends, jax.random.key(1), pairs=50 if SMALL else 1000)
rank = spearman(pairs.starts, pairs.aligned)
print(
    f"barrier between two ends after alignment: median {np.median(pairs.aligned):.3f} "
    f"(before: {np.median(pairs.straight):.3f}); against the distance of their starts "
    f"rank correlation {rank.value:.2f} [{rank.low:.2f}, {rank.high:.2f}]"
)
