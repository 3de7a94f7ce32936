# %% [markdown]
# # Published symmetries
#
# Theorems on equivalent points and on embedded smaller networks, computed on random networks of H
# hidden units with a linear output and eight cases in no order: where they hold and must fail.
# %%
import itertools
import math
import os

import jax
import jax.numpy as jnp
import numpy as np
from published import heading, line

import jaxnn
from jaxnn import Layer, ensembles
from jaxnn.landscape import minima, symmetries

jax.config.update("jax_enable_x64", True)
SMALL = os.environ.get("JAXNN_EXAMPLE_SIZE") == "small"
rng = np.random.default_rng(0)
batch = rng.normal(size=(8, 2)), rng.uniform(size=(8, 1))
heading()


def landscape(activation, l2):
    """The loss of a network with a linear output."""
    return jaxnn.loss_on(batch, activation=(activation, "identity"), l2=l2)


def drawn(hidden, members=30, bias=True):
    """Random networks, members axis first."""
    return ensembles.init(
        jax.random.key(hidden), (2, hidden, 1), members=members, biases=(True, bias),
        dtype=jnp.float64,
    )  # fmt: skip


# %% [markdown]
# 2^H H! equivalent points (Sussmann 1992): orders and signs of H tanh units; of logistic ones only
# where the next layer has a bias that takes up the shift, and no penalty that sees it
# %%
for hidden in (1, 2, 3) if SMALL else (1, 2, 3, 4):
    both, orders = 2**hidden * math.factorial(hidden), math.factorial(hidden)
    for activation, l2, bias, published in (
        ("tanh", 0.01, True, both), ("sigmoid", 0.0, True, both),
        ("sigmoid", 0.01, True, orders), ("sigmoid", 0.0, False, orders),
    ):  # fmt: skip
        loss_fn = landscape(activation, l2)
        point = jax.tree.map(lambda leaf: leaf[0], drawn(hidden, bias=bias))
        group = symmetries.of(loss_fn)
        losses = np.asarray(jax.vmap(loss_fn)(group.images(point)))
        apart = np.max(np.abs(losses / losses[0] - 1))
        what = f"H = {hidden}, {activation}, l2 {l2:g}, {'a' if bias else 'no'} bias: points"
        line(what, published, group.orbit_size(point), f"loss to {apart:.0e}",
             agrees=group.orbit_size(point) == published and apart < 1e-13)  # fmt: skip

# %% [markdown]
# A stationary point of one unit is one of two (Fukumizu & Amari 2000; Mehta et al. 2018): with a
# unit that is all zero, or with the unit doubled and its outgoing weight shared
# %%


def zero_unit(point):
    """The network with one more hidden unit, all of whose weights are 0."""
    (W, b), (V, c) = point
    padded = jnp.pad(W, ((0, 1), (0, 0))), jnp.pad(b, (0, 1))
    return Layer(*padded), Layer(jnp.pad(V, ((0, 0), (0, 1))), c)


def doubled_unit(point):
    """The network of two equal units that share the outgoing weight of one, 0.3 to 0.7."""
    (W, b), (V, c) = point
    twice = jnp.concatenate([W, W]), jnp.concatenate([b, b])
    return Layer(*twice), Layer(jnp.concatenate([0.3 * V, 0.7 * V], axis=1), c)


def steepest(loss_fn, points):
    """The largest |dE/dp_i| over these points."""
    leaves = jax.tree.leaves(jax.vmap(jax.grad(loss_fn))(points))
    return max(float(jnp.max(jnp.abs(leaf))) for leaf in leaves)


cases = list(itertools.product(("tanh", "sigmoid"), (0.0, 0.01), (True, False)))
for activation, l2, bias in cases[4:5] if SMALL else cases:
    loss_fn = landscape(activation, l2)
    found = minima.polish_all(loss_fn, drawn(1, bias=bias))
    rests = found.ending == minima.Ending.stationary
    rests &= np.abs(found.point[1].weights[:, 0, 0]) > 0.1  # a unit that is there
    points = jax.tree.map(lambda leaf, at=rests: jnp.asarray(leaf[at]), found.point)
    setting, many = f"{activation}, l2 {l2:g}, {bias = }: dE/dp of", f"{np.sum(rests)} points"
    for what, embed, holds in (
        ("a zero unit", zero_unit, activation == "tanh" or (bias and l2 == 0)),
        ("a double", doubled_unit, l2 == 0),
    ):
        slope = steepest(loss_fn, jax.vmap(embed)(points))
        agrees = slope < 1e-11 if holds else slope > 1e-6
        line(f"{setting} {what}", "= 0" if holds else "> 0", f"{slope:.0e}", many, agrees=agrees)
