# %% [markdown]
# # What predicts the outcome?
#
# Can the initial weights tell what training will make of them? Theory, prediction, and what the
# variance of the outcome is made of.

# %% [markdown]
# Mean-field theory (Poole et al. 2016, Schoenholz et al. 2017): published values and these
# %%
import os

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import data, ensembles, predictions, variances
from jaxnn.landscape import predictors, propagation, signals, tangent_kernels

SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
MEMBERS, STEPS = (120, 300) if SMALL else (1000, 2000)

with jax.enable_x64(True):
    phase = jax.jit(jax.vmap(lambda w: propagation.phase(activation="tanh", sigma_w=w)))
    found = phase(jnp.array([1 - 1e-6, 1.0, 1 + 1e-6, 2.0]))
    q, chi = np.asarray(found.length), np.asarray(found.chi)
    again = float(propagation.length_map(q[3], activation="tanh", sigma_w=2.0))
rows = [
    ("1", "q* = 0, chi_1 = 1", f"q* = {q[1]:.0e}, chi_1 - 1 = {chi[1] - 1:.0e}",
     q[1] == 0 and abs(chi[1] - 1) < 1e-12),
    ("1 - 1e-6", "order, chi_1 < 1", f"chi_1 - 1 = {chi[0] - 1:.1e}", chi[0] < 1),
    ("1 + 1e-6", "chaos, chi_1 > 1", f"chi_1 - 1 = {chi[2] - 1:.1e}", chi[2] > 1),
    ("2", "V(q*) = q*", f"V({q[3]:.6f}) = {again:.6f}", abs(again - q[3]) < 1e-12),
]  # fmt: skip
print("tanh without bias\nsigma_w    published          here")
for sigma_w, published, here, agreed in rows:
    print(f"{sigma_w:10} {published:18} {here}: {'agreed' if agreed else 'NOT agreed'}")
print(f"{sum(bool(row[3]) for row in rows)} of {len(rows)} agreed")

# %% [markdown]
# Is a network of a study where the theory says? Lengths by layer, of 20 networks
# %%
sizes, settings = (10, 200, 200, 200, 1), {"scheme": "nielsen", "scale": 1.5}
inputs = jax.random.normal(jax.random.key(0), (1, 10))
draws = ensembles.init(jax.random.key(1), sizes, members=20, **settings)
sigmas = signals.sigmas(sizes, **settings)
theory = jax.jit(lambda x: signals.expected_lengths(x, sigmas, activation="tanh"))(inputs)
measure = jax.vmap(lambda p: signals.measured_lengths(p, inputs, activation="tanh"))
lengths = jax.jit(measure)(draws)
print("\nlength by layer, theory  ", np.round(theory[:-1, 0], 3))
print("length by layer, measured", np.round(jnp.mean(lengths, axis=0)[:-1, 0], 3))

# %% [markdown]
# Exclusive or: which quantity at the start predicts whether gradient descent gets it right?
# %%
loss_fn = jaxnn.loss_on(data.xor())
starts = ensembles.init(jax.random.key(2), (2, 2, 1), members=MEMBERS)
scales = 10 ** np.random.default_rng(0).uniform(-0.5, 1, size=MEMBERS)
starts = jax.tree.map(lambda leaf: leaf * scales.reshape(-1, *[1] * (leaf.ndim - 1)), starts)
starts = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), starts)
keys = jax.random.split(jax.random.key(3), MEMBERS)
features = jax.jit(jax.vmap(predictors.quantities, (None, 0, 0)))(loss_fn, starts, keys)
run = ensembles.train(loss_fn, starts, jaxnn.sgd(4.0), steps=STEPS, record_every=STEPS)
solved = np.asarray(run.loss) < 0.05
print(f"\n{solved.mean():.0%} of {MEMBERS} starts learned exclusive or. Who will?")
print(predictions.predict(features, solved, seed=0, permutations=20 if SMALL else 200))

# %% [markdown]
# Lazy or rich? What training did to the tangent kernel of the first network that learned it
# %%
first = int(np.argmax(solved))
before, after = (jax.tree.map(lambda leaf: leaf[first], p) for p in (starts, run.params))
rich = jax.jit(tangent_kernels.laziness)(before, after, loss_fn.batch.inputs)
print(f"\nkernel drift {rich.kernel_drift:.3g}, richness {rich.richness:.3g} of 1, "
      f"missed by the linearisation {rich.linear_error:.0%}")  # fmt: skip

# %% [markdown]
# What is the variance of the final loss made of? Every start with every order and step size
# %%
few, orders, rates = (6, 4, 3) if SMALL else (12, 8, 4)
step_sizes = np.geomspace(0.5, 4.0, rates).astype(np.float32)
grid = np.indices((few, orders, rates)).reshape(3, -1)
order_keys = jax.random.split(jax.random.key(4), orders)
run = ensembles.train_minibatch(
    loss_fn,
    jax.tree.map(lambda leaf: leaf[grid[0]], starts),
    jaxnn.sgd(jnp.asarray(step_sizes[grid[2]])),
    order_keys[grid[1]],
    epochs=STEPS,
    batch_size=2,
    record_every=STEPS,
    rule_axes=0,
)
outcomes = np.asarray(run.loss).reshape(few, orders, rates)
print("\nshares of the variance of the final loss")
print(variances.variance_shares(outcomes, fixed=("step size",)))
