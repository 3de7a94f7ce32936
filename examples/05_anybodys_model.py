# %% [markdown]
# # Anybody's model
#
# Slices, spectra and paths of an Equinox model, a Flax NNX model, a plain dict, and the energy of
# three atoms.

# %% [markdown]
# What each needs: a function from a point, any pytree of floats, to a number
# %%
try:
    import equinox as eqx
    from flax import nnx
except ImportError as missing:
    raise SystemExit(f"{missing.name} is missing: pip install equinox flax") from missing

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxnn
from jaxnn.landscape import directions, paths, slices, spectra

X = jax.random.normal(jax.random.key(0), (50, 2))
Y = jnp.sin(X[:, :1]) * X[:, 1:]


def by_equinox(seed):
    """An Equinox model: its arrays are the point."""
    model = eqx.nn.MLP(2, 1, 8, 1, key=jax.random.key(seed), activation=jnp.tanh)
    point, rest = eqx.partition(model, eqx.is_inexact_array)
    return lambda p: jnp.mean((jax.vmap(eqx.combine(p, rest))(X) - Y) ** 2), point


def by_flax(seed):
    """A Flax NNX model: its parameters' state is the point."""
    layers = nnx.Sequential(
        nnx.Linear(2, 8, rngs=nnx.Rngs(seed)), jnp.tanh, nnx.Linear(8, 1, rngs=nnx.Rngs(seed + 1))
    )
    definition, point = nnx.split(layers, nnx.Param)
    return lambda p: jnp.mean((nnx.merge(definition, p)(X) - Y) ** 2), point


def by_dict(seed):
    """A dict of arrays."""
    first, second = jax.random.split(jax.random.key(seed))
    point = {"in": jax.random.normal(first, (2, 8)), "out": jax.random.normal(second, (8, 1)) / 3}
    return lambda p: jnp.mean((jnp.tanh(X @ p["in"]) @ p["out"] - Y) ** 2), point


def by_atoms(seed):
    """Three atoms that attract and repel one another (Lennard-Jones), two of them exchanged."""
    place = jnp.array([[0.0, 0.0], [1.12, 0.0], [0.56, 0.97]])
    pairs = np.triu_indices(3, 1)

    def energy(p):
        gaps = p["atoms"][pairs[0]] - p["atoms"][pairs[1]]
        inverse = 1 / jnp.sum(gaps**2, axis=1) ** 3
        return jnp.sum(4 * (inverse**2 - inverse))

    return energy, {"atoms": place if seed == 0 else place * jnp.array([1.0, -1.0])}


# %% [markdown]
# Training is for any of them too
# %%
def trained(loss_fn, start):
    """By 2000 steps of Adam."""
    rule = optax.adam(0.01)
    return jax.jit(lambda p: jaxnn.train(loss_fn, p, rule, steps=2000).params)(start)


# %% [markdown]
# The same three questions to each
# %%
models = {"Equinox": by_equinox, "Flax NNX": by_flax, "dict": by_dict, "atoms": by_atoms}
print("model     slice: least, most   sharpest eigenvalue   barrier: straight, by a band")
for name, model in models.items():
    (loss_fn, point), (_, other) = model(0), model(1)
    if name != "atoms":
        point, other = (trained(loss_fn, start) for start in (point, other))
    direction = directions.gaussian(point, jax.random.key(2), normalise="unit")
    line = slices.line(loss_fn, point, direction, jnp.linspace(-0.1, 0.1, 21))
    sharp = spectra.sharpness(loss_fn, point, jax.random.key(3))
    straight = paths.straight(loss_fn, point, other, points=25)
    band = jax.jit(lambda a, b, f=loss_fn: paths.band(f, a, b, images=9, steps=500))(point, other)
    print(
        f"{name:8} {float(line.min()):9.4f} {float(line.max()):9.4f} {float(sharp):16.4f} "
        f"{float(straight.barrier):18.4f} {float(band.barrier):9.4f}"
    )
