# %% [markdown]
# # The landscape around a trained network
#
# A plane that is checked, and many lines in place of one.

# %% [markdown]
# A network on XOR, trained to a minimum: targets inside (0, 1), so that one exists
# %%
import os

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import Batch, data, training
from jaxnn.landscape import directions, slices

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
xor = data.xor()
loss_fn = jaxnn.loss_on(Batch(xor.inputs, 0.1 + 0.8 * xor.targets), l2=1e-3)


@jax.jit
def trained(start):
    """Descend until the gradient vanishes."""
    stop, rule = training.gradient_below(1e-5), jaxnn.sgd(2.0)
    return jaxnn.train_until(loss_fn, start, rule, stop=stop, max_steps=50_000, check_every=100)


end = trained(jaxnn.init(jax.random.key(1), (2, 2, 1)))
print(f"{jaxnn.Outcome(int(end.outcome)).name}, loss {end.loss:.5f}")

# %% [markdown]
# A plane in two random directions, each unit's part as long as the unit (Li et al. 2018)
# %%
pair = directions.pair(end.params, jax.random.key(2), normalise="filter")
ts = jnp.linspace(-1, 1, 41 if SMALL else 101)
plane = jax.jit(slices.plane)(loss_fn, end.params, *pair, ts, ts)
print(f"plane {plane.shape}: loss from {plane.min():.4f} to {plane.max():.4f}")

# %% [markdown]
# Does the picture show what is there? Its centre against the true loss, gradient and Hessian
# %%
check = jax.jit(slices.self_check)(loss_fn, end.params, list(pair[::-1]), [ts, ts], plane)
for name, (seen, true) in (("loss", check.centre), ("curvature", check.curvature[:, 0, 0])):
    print(f"{name} as drawn {seen:.6f}, exact {true:.6f}")
print(f"resolved: {bool(check.resolved)}")

# %% [markdown]
# One line shows one direction of nine; a hundred show how different they are
# %%
lines = jax.jit(lambda p, key: slices.bundle(loss_fn, p, key, ts, lines=100))(
    end.params, jax.random.key(3)
)
edge = [float(x[-1]) for x in (lines.low, lines.middle, lines.high)]
print("loss one network's length away: median {1:.3f}, 90 % in [{0:.3f}, {2:.3f}]".format(*edge))

# %% [markdown]
# How far to look is a question to the curvature: where the loss has doubled
# %%
for name, direction in zip(("first", "second"), pair, strict=True):
    reach = directions.suggest_range(loss_fn, end.params, direction)
    print(f"the loss has about doubled at {float(reach):.3f} along the {name} direction")
assert np.isfinite(np.asarray(plane)).all()
