# %% [markdown]
# # One network
#
# The essay's own numbers, its gradients compared, and a descent to a minimum.

# %% [markdown]
# The essay's node and its error
# %%
import jax
import jax.numpy as jnp

import jaxnn
from jaxnn import data, training

value = jaxnn.node(weights=(0.6, 1.2, -0.2), inputs=(0.7, 0.1, 0.4), bias=-0.5)
print(f"sigma(w . u + b): node {value:.3f}")
error = jaxnn.sum_of_squares(jnp.array([0.3, 0.5, 0.6, 0.1]), jnp.array([1.0, 0, 0, 0]))
print(f"sum of squares: error {error:.2f}")

# %% [markdown]
# A network, and its gradient by the reverse sweep, by the essay's cases, and by jax
# %%
batch = data.xor()
with jax.enable_x64(True):
    params = jaxnn.init(jax.random.key(0), (2, 2, 1), dtype=jnp.float64)
    check = jaxnn.check_gradients(params, jax.tree.map(lambda a: a.astype(jnp.float64), batch))
    print(check)
    assert check.exact < 1e-12
    print("the three exact ways agree to 1e-12")

# %% [markdown]
# Gradient descent, p' = p - step_size dE/dp, until the gradient vanishes. With targets 0.1 and 0.9,
# since outputs of 0 and 1 are reached only by infinite weights.
# %%
targets = 0.1 + 0.8 * batch.targets
loss_fn = jaxnn.loss_on((batch.inputs, targets))


@jax.jit
def trained(start):
    """Descend from the start, testing the gradient every 100 steps."""
    stop = training.gradient_below(1e-5)
    rule = jaxnn.sgd(4.0)
    return jaxnn.train_until(loss_fn, start, rule, stop=stop, max_steps=20_000, check_every=100)


run = trained(jaxnn.init(jax.random.key(1), (2, 2, 1)))
print(f"{jaxnn.Outcome(int(run.outcome)).name} after {run.steps} steps")
print(f"loss {run.losses[0]:.4f} -> {run.losses[-1]:.2e}")
for x, d in zip(batch.inputs, targets, strict=True):
    print(f"{x} wanted {d[0]:.1f}, got {jaxnn.forward(run.params, x)[0]:.4f}")
