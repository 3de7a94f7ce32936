"""Finite networks do what the mean-field theory says of their distribution, within their own
standard errors.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import network
from jaxnn.landscape import propagation, signals

SIZES = (20, *[500] * 9, 3)
LAYERS = len(SIZES) - 1
DRAWS = 8
settings = {"scheme": "nielsen", "scale": 2.0, "bias_scale": 0.3}


@pytest.fixture(scope="module")
def wide():
    """Eight tanh networks of width 500 and depth 10, and all that is measured of them."""
    inputs = jax.random.normal(jax.random.key(1), (3, SIZES[0]))
    inputs = inputs / jnp.sqrt(jnp.mean(inputs**2, axis=1, keepdims=True))
    batch = (inputs, jnp.zeros((3, SIZES[-1])))
    names = ("tanh",) * (LAYERS - 1) + ("identity",)

    def one(key):
        params = jaxnn.init(key, SIZES, **settings)
        return (
            signals.measured_lengths(params, inputs, activation=names),
            signals.measured_correlations(params, inputs, activation=names),
            signals.node_gradients(params, batch, activation=names),
        )

    keys = jax.random.split(jax.random.key(0), DRAWS)
    sigmas = signals.sigmas(SIZES, **settings)
    return inputs, sigmas, *(np.asarray(a) for a in jax.jit(lambda k: jax.lax.map(one, k))(keys))


def agrees(draws, expected, slack=0.0):
    """The mean over draws is the expected, within five standard errors and the O(1 / width) by
    which a finite width shifts it.
    """
    error = np.std(draws, axis=0, ddof=1) / DRAWS**0.5
    return np.all(np.abs(np.mean(draws, axis=0) - expected) <= 5 * error + slack)


def test_lengths_of_wide_networks_follow_the_map(wide):
    inputs, sigmas, lengths, _, _ = wide
    expected = np.asarray(signals.expected_lengths(inputs, sigmas, activation="tanh"))
    assert expected.shape == lengths.shape[1:] == (LAYERS, 3)
    assert agrees(lengths, expected, slack=5 / 500)
    # the output layer has three units alone: standard errors there are wide, elsewhere a hundredth
    assert np.max(np.std(lengths[:, 1:-1], axis=0) / expected[1:-1]) < 0.2
    np.testing.assert_allclose(np.mean(lengths[:, 1:-1], axis=0), expected[1:-1], rtol=0.08)


def test_correlations_of_wide_networks_follow_the_map(wide):
    inputs, sigmas, _, correlations, _ = wide
    np.testing.assert_allclose(correlations[:, :, 0, 0], 1.0, rtol=1e-5)
    # inputs of one length have layers of one length, which is what the map is for
    q = signals.expected_lengths(inputs, sigmas, activation="tanh")[1:-2, 0]
    before = jnp.asarray(np.mean(correlations[:, 1:-2, 0, 1], axis=0))
    step = jax.vmap(
        lambda c, q: propagation.correlation_map(
            c, q, activation="tanh", sigma_w=sigmas.weights[1], sigma_b=sigmas.biases[1]
        )
    )
    assert agrees(correlations[:, 2:-1, 0, 1], np.asarray(step(before, q)), slack=5 / 500)
    assert abs(before[0] - before[-1]) > 0.02  # it moves: standing still would not agree


def test_gradients_of_wide_networks_grow_by_chi_a_layer(wide):
    inputs, sigmas, _, _, gradients = wide
    growth = gradients[:, 1:-2] ** 2 / gradients[:, 2:-1] ** 2
    q = signals.expected_lengths(inputs, sigmas, activation="tanh")[1:-2]
    chi = jax.vmap(jax.vmap(lambda q: propagation.chi(q, activation="tanh", sigma_w=2.0)))(q)
    assert agrees(growth, np.asarray(chi), slack=5 / 500)
    np.testing.assert_allclose(growth.mean(), np.mean(chi), rtol=0.05)
    assert np.mean(chi) > 1.2  # chaos: gradients explode, and a wrong power of chi would show


@pytest.mark.parametrize("scheme", network.SCHEMES)
def test_the_sigmas_are_those_of_what_init_draws(scheme):
    sizes = (60, 90, 40)
    params = jaxnn.init(jax.random.key(2), sizes, scheme=scheme, scale=1.5)
    found = signals.sigmas(sizes, scheme=scheme, scale=1.5)
    for (W, b), w, s in zip(params, *found, strict=True):
        assert b is not None
        # of 3600 or more normal entries: four standard errors of their deviation
        np.testing.assert_allclose(jnp.std(W) * W.shape[1] ** 0.5, w, rtol=4 / (2 * W.size) ** 0.5)
        np.testing.assert_allclose(jnp.std(b), s, rtol=4 / (2 * b.size) ** 0.5)


def test_the_sigmas_know_which_layers_have_biases():
    found = signals.sigmas((2, 3, 1), scheme="nielsen", biases=(True, False), bias_scale=0.5)
    np.testing.assert_allclose(found.biases, [0.5, 0.0])
    np.testing.assert_allclose(found.weights, [1.0, 1.0])
    traced = jax.jit(lambda s: signals.sigmas((4, 9, 1), scale=s))(2.0)
    np.testing.assert_allclose(traced.weights, [4.0, 6.0])
    np.testing.assert_allclose(traced.biases, [2.0, 2.0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("biases", [True, (True, False, False)])
def test_what_is_measured_is_what_loops_and_differentiation_give(biases):
    params = jaxnn.init(jax.random.key(3), (3, 4, 5, 2), biases=biases, dtype=jnp.float64)
    names = ("tanh", "sigmoid", "erf")
    inputs = jax.random.normal(jax.random.key(4), (6, 3), jnp.float64)
    batch = (inputs, jax.random.normal(jax.random.key(5), (6, 2), jnp.float64))
    lengths = signals.measured_lengths(params, inputs, activation=names)
    nodes = signals.node_gradients(params, batch, activation=names)
    share = signals.saturated(params, inputs, activation=names, below=0.5)
    correlations = signals.measured_correlations(params, inputs, activation=names)

    def error(shifts, x, d):
        """One case's error as a function of what is added to the pre-activations."""
        v, us = x, []
        for (W, b), name, shift in zip(params, names, shifts, strict=True):
            us.append(W @ v + (0 if b is None else b) + shift)
            v = jaxnn.network.ACTIVATIONS[name].value(us[-1])
        return jnp.sum((v - d) ** 2), us

    zeros = [jnp.zeros(n) for n in (4, 5, 2)]
    low = []
    for n, (x, d) in enumerate(zip(*batch, strict=True)):
        slopes, us = jax.grad(error, has_aux=True)(zeros, x, d)
        np.testing.assert_allclose(lengths[:, n], [np.mean(u**2) for u in us], rtol=1e-12)
        np.testing.assert_allclose(nodes[:, n], [np.linalg.norm(g) for g in slopes], rtol=1e-12)
        for u, name in zip(us, names, strict=True):
            act = jaxnn.network.ACTIVATIONS[name]
            low += [float(jax.grad(act.value)(each)) < 0.5 * act.steepest for each in u]
        if n == 0:
            first = us
    np.testing.assert_allclose(share, np.mean(low), rtol=1e-12)
    a, b = first[1], us[1]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    np.testing.assert_allclose(correlations[1, 0, 5], cosine, rtol=1e-12)
    gradient = jax.grad(jaxnn.loss)(params, batch, activation=names)
    wanted = [np.sqrt(sum(np.sum(g**2) for g in jax.tree.leaves(layer))) for layer in gradient]
    found = signals.gradient_norms(params, batch, activation=names)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: signals.sigmas((2, 3), scheme="he_norm"), "did you mean 'he_normal'"),
        (lambda p: signals.sigmas((2, 3, 1), biases=(True,)), "biases has 1 entries for 2 layers"),
        (lambda p: signals.measured_lengths(p, jnp.ones(2)), r"shape \(2,\), wanted \(cases, 2\)"),
        (
            lambda p: signals.expected_lengths(
                jnp.ones((1, 2)), signals.sigmas((2, 3, 1)), activation=("tanh",)
            ),
            "activation has 1 names for 2 layers",
        ),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(jaxnn.init(jax.random.key(0), (2, 3, 1)))
