"""Anybody's model goes through slices, spectra and paths: a dict, Equinox, Flax NNX, an energy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxnn.landscape import curvature, directions, paths, slices, spectra

X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
Y = np.sin(X[:, :1]) * X[:, 1:]


def dict_model(seed):
    keys = jax.random.split(jax.random.key(seed))
    point = {
        "inside": jax.random.normal(keys[0], (2, 3)),
        "outside": {"w": jax.random.normal(keys[1], (3, 1)), "b": jnp.zeros(1)},
    }

    def loss_fn(p):
        o = jnp.tanh(X @ p["inside"]) @ p["outside"]["w"] + p["outside"]["b"][None]
        return jnp.mean(jnp.square(o - Y))

    return loss_fn, point


def equinox_model(seed):
    model = eqx.nn.MLP(2, 1, 3, 1, key=jax.random.key(seed), activation=jnp.tanh)
    point, rest = eqx.partition(model, eqx.is_inexact_array)

    def loss_fn(p):
        return jnp.mean(jnp.square(jax.vmap(eqx.combine(p, rest))(X) - Y))

    return loss_fn, point


def flax_model(seed):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        """2-3-1."""

        def __init__(self, rngs):
            self.first = nnx.Linear(2, 3, rngs=rngs)
            self.second = nnx.Linear(3, 1, rngs=rngs)

        def __call__(self, x):
            return self.second(jnp.tanh(self.first(x)))

    definition, point = nnx.split(Net(nnx.Rngs(seed)), nnx.Param)

    def loss_fn(p):
        hidden = jnp.tanh(X @ p["first"]["kernel"][...] + p["first"]["bias"][...][None])
        o = hidden @ p["second"]["kernel"][...] + p["second"]["bias"][...][None]
        return jnp.mean(jnp.square(o - Y))

    merged = nnx.merge(definition, point)
    np.testing.assert_allclose(
        loss_fn(point), np.mean(np.square(np.asarray(merged(X)) - np.asarray(Y))), rtol=1e-5
    )
    return loss_fn, point


def energy(seed):
    """Three atoms on which Lennard-Jones forces act, near their triangle."""
    key = jax.random.key(seed)
    triangle = jnp.array([[0.0, 0.0], [1.12, 0.0], [0.56, 0.97]])
    point = {"positions": triangle + 0.05 * jax.random.normal(key, (3, 2))}
    return landscapes.lennard_jones, point


MODELS = {"dict": dict_model, "equinox": equinox_model, "flax": flax_model, "energy": energy}


@pytest.mark.parametrize(
    "name", [pytest.param("dict", marks=pytest.mark.slow), "equinox", "flax", "energy"]
)
def test_slices_spectra_and_paths_take_the_model(name):
    loss_fn, point = MODELS[name](0)
    _, other = MODELS[name](1)
    flat, unravel = ravel_pytree(point)
    far = ravel_pytree(other)[0]
    ts = jnp.linspace(-0.02, 0.02, 7)

    @eqx.filter_jit  # one program instead of one an operation
    def measured(point, other):
        v, w = directions.pair(point, jax.random.key(2), normalise="layer")
        found = spectra.extreme(loss_fn, point, jax.random.key(3), k=3)
        first = jax.tree.map(lambda leaf: leaf[0], found.vectors)
        return (
            *(ravel_pytree(part)[0] for part in (v, w)),
            slices.plane(loss_fn, point, v, w, ts, ts),
            found,
            curvature.hessian_product(loss_fn, point, first),
            paths.straight(loss_fn, point, other, points=9),
            paths.curve(loss_fn, point, other, jax.random.key(4), steps=20, points=5),
        )

    @jax.jit
    def loss_at(flat):
        return loss_fn(unravel(flat))

    v, w, plane, found, product, path, bent = measured(point, other)
    np.testing.assert_allclose(plane[1, 5], loss_at(flat + ts[5] * v + ts[1] * w), rtol=1e-4)
    dense = np.linalg.eigvalsh(np.asarray(jax.jit(jax.hessian(loss_at))(flat)))
    expected = dense[np.argsort(-np.abs(dense))][:3]
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-3, atol=1e-4 * abs(expected[0]))
    assert jax.tree.structure(product) == jax.tree.structure(point)

    np.testing.assert_allclose(path.losses[0], loss_at(flat), rtol=1e-5)
    np.testing.assert_allclose(path.losses[-1], loss_at(far), rtol=1e-5)
    np.testing.assert_allclose(path.losses[4], loss_at(0.5 * (flat + far)), rtol=1e-4)
    assert np.isfinite(bent.losses).all()


def test_units_of_flax_kernels_are_their_columns():
    _, point = flax_model(0)
    raw = directions.gaussian(point, jax.random.key(5))
    done = directions.normalised(raw, point, by="filter", unit_axis=-1)
    kernel, bias = (np.asarray(done["first"][n][...]) for n in ("kernel", "bias"))
    own, offset = (np.asarray(point["first"][n][...]) for n in ("kernel", "bias"))
    for unit in range(3):
        np.testing.assert_allclose(
            np.linalg.norm([*kernel[:, unit], bias[unit]]),
            np.linalg.norm([*own[:, unit], offset[unit]]),
            rtol=1e-5,
        )
    names = list(curvature.numbers_of(point, "unit", unit_axis=-1))
    assert names == ["first[0]", "first[1]", "first[2]", "second[0]"]
