# %% [markdown]
# # The curvature of a landscape
#
# Eigenvalues with bounds, traces with errors, and the edge of stability.

# %% [markdown]
# 64-16-10 on digits, a network of 1210 parameters
# %%
import os

import jax
import jax.numpy as jnp

import jaxnn
from jaxnn import Batch, data
from jaxnn.landscape import curvature, spectra, traces, trajectories

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
cases = data.digits()
loss_fn = jaxnn.loss_on(Batch(cases.inputs[:300], cases.targets[:300]), activation="tanh")
start = jaxnn.init(jax.random.key(0), (64, 8 if SMALL else 16, 10), scheme="glorot_normal")

# %% [markdown]
# The largest eigenvalues: up to 2000 parameters from the whole Hessian, above by Lanczos
# %%
pairs = jax.jit(lambda p, key: spectra.extreme(loss_fn, p, key, k=5))(start, jax.random.key(1))
print(" eigenvalue    within  converged")
for value, bound, sure in zip(pairs.eigenvalues, pairs.residuals, pairs.converged, strict=True):
    print(f"{value:11.5f} {bound:9.1e}  {bool(sure)}")

# %% [markdown]
# The trace, exact and estimated
# %%
for method in ("exact", "hutchinson", "xtrace"):
    found = jax.jit(lambda p, key, m=method: traces.trace(loss_fn, p, key, method=m))(
        start, jax.random.key(2)
    )
    error = float(found.standard_error)
    print(f"trace {float(found.value):9.4f} +- {error:.4f} by {method}, {found.products} products")

# %% [markdown]
# Which layer holds the curvature?
# %%
for layer, block in curvature.blocks(loss_fn, start).items():
    print(f"layer {layer}: trace {float(jnp.trace(block)):.4f} of {len(block)} parameters")

# %% [markdown]
# On the way down the sharpness rises to 2 / step size and stays there (Cohen et al. 2021)
# %%
step_size = 0.08
way = jax.jit(
    lambda p: trajectories.track(
        loss_fn, p, jaxnn.sgd(step_size), steps=500, every=50, step_size=step_size, probes=8
    )
)(start)
print(f"2 / step size = {2 / step_size:g}")
for step, loss, sharp in zip(way.steps, way.losses, way.sharpness, strict=True):
    print(f"step {int(step):5}: loss {float(loss):.4f}, sharpness {float(sharp):.3f}")
