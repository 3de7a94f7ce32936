"""Finite networks do what the mean-field theory says of their distribution, within their own
standard errors.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import network
from jaxnn.landscape import propagation, signals

DRAWS = 6
settings = {"scheme": "nielsen", "scale": 2.0, "bias_scale": 0.3}


@pytest.fixture(
    scope="module",
    params=[(20, *[300] * 4, 3), pytest.param((20, *[500] * 9, 3), marks=pytest.mark.slow)],
    ids=["width 300, depth 5", "width 500, depth 10"],
)
def wide(request):
    """Six tanh networks of this width and depth, and all that is measured of them."""
    sizes = request.param
    inputs = jax.random.normal(jax.random.key(1), (2, sizes[0]))
    inputs = inputs / jnp.sqrt(jnp.mean(inputs**2, axis=1, keepdims=True))
    batch = (inputs, jnp.zeros((2, sizes[-1])))
    names = ("tanh",) * (len(sizes) - 2) + ("identity",)

    def one(key):
        params = jaxnn.init(key, sizes, **settings)
        return (
            signals.measured_lengths(params, inputs, activation=names),
            signals.measured_correlations(params, inputs, activation=names),
            signals.node_gradients(params, batch, activation=names),
        )

    keys = jax.random.split(jax.random.key(0), DRAWS)
    sigmas = signals.sigmas(sizes, **settings)
    expected = jax.jit(lambda x: signals.expected_lengths(x, sigmas, activation="tanh"))(inputs)
    measured = jax.jit(lambda k: jax.lax.map(one, k))(keys)
    return sigmas, *(np.asarray(a) for a in measured), np.asarray(expected)


def agrees(draws, expected, slack=0.0):
    """The mean over draws is the expected, within five standard errors and a hundredth, the
    O(1 / width) by which a finite width shifts it.
    """
    error = np.std(draws, axis=0, ddof=1) / DRAWS**0.5
    return np.all(np.abs(np.mean(draws, axis=0) - expected) <= 5 * error + slack)


def test_lengths_of_wide_networks_follow_the_map(wide):
    sigmas, lengths, _, _, expected = wide
    assert expected.shape == lengths.shape[1:] == (len(sigmas.weights), 2)
    assert agrees(lengths, expected, slack=0.01)
    # the output layer has three units alone: standard errors there are wide, elsewhere a hundredth
    assert np.max(np.std(lengths[:, 1:-1], axis=0) / expected[1:-1]) < 0.2
    np.testing.assert_allclose(np.mean(lengths[:, 1:-1], axis=0), expected[1:-1], rtol=0.08)


def test_correlations_of_wide_networks_follow_the_map(wide):
    sigmas, _, correlations, _, expected = wide
    np.testing.assert_allclose(correlations[:, :, 0, 0], 1.0, rtol=1e-5)
    # inputs of one length have layers of one length, which is what the map is for
    q = jnp.asarray(expected[1:-2, 0])
    before = jnp.asarray(np.mean(correlations[:, 1:-2, 0, 1], axis=0))
    step = jax.vmap(
        lambda c, q: propagation.correlation_map(
            c, q, activation="tanh", sigma_w=sigmas.weights[1], sigma_b=sigmas.biases[1]
        )
    )
    assert agrees(correlations[:, 2:-1, 0, 1], np.asarray(jax.jit(step)(before, q)), slack=0.01)
    assert abs(before[0] - before[-1]) > 0.02  # it moves: standing still would not agree


def test_gradients_of_wide_networks_grow_by_chi_a_layer(wide):
    _, _, _, gradients, expected = wide
    growth = gradients[:, 1:-2] ** 2 / gradients[:, 2:-1] ** 2
    chi_of = jax.vmap(jax.vmap(lambda q: propagation.chi(q, activation="tanh", sigma_w=2.0)))
    chi = jax.jit(chi_of)(expected[1:-2])
    assert agrees(growth, np.asarray(chi), slack=0.01)
    np.testing.assert_allclose(growth.mean(), np.mean(chi), rtol=0.1)
    assert np.mean(chi) > 1.2  # chaos: gradients explode, and a wrong power of chi would show


def rectified(sizes, scheme, draws):
    """The mean squares of every layer's activations, (draws, layers), for the input (1, 1, ...)."""
    x = jnp.ones(sizes[0])

    def one(key):
        v, found = x, []
        for W, _ in jaxnn.init(key, sizes, scheme=scheme, biases=False):
            v = jax.nn.relu(W @ v)
            found.append(jnp.mean(jnp.square(v)))
        return jnp.stack(found)

    keys = jax.random.split(jax.random.key(11), draws)
    return np.asarray(jax.jit(lambda k: jax.lax.map(one, k, batch_size=5000))(keys), np.float64)


def test_rectified_layers_of_normal_weights_spread_by_1_plus_5_over_n_a_layer():
    """Hanin & Rolnick: E q_L^2 / E[q_L]^2 is the product of (1 + 5 / n_l); within four standard
    errors of 100,000 draws, from which cut weights are further off.
    """
    sizes = (4, 16, 16)
    growth = np.cumprod([1 + 5 / n for n in sizes[1:]])

    def spread(scheme):
        q = rectified(sizes, scheme, 100_000)
        np.testing.assert_allclose(q.mean(axis=0), 1.0, rtol=0.02)  # He's variance keeps lengths
        first, second = q.mean(axis=0), (q**2).mean(axis=0)
        each = q**2 / first**2 - 2 * q * second / first**3  # the ratio's linearisation
        return second / first**2, np.std(each, axis=0) / len(q) ** 0.5

    ratio, error = spread("kaiming_normal")
    assert np.all(np.abs(ratio - growth) < 4 * error)
    ratio, error = spread("he_normal")
    assert np.all(np.abs(ratio - growth) > 4 * error)


def test_a_network_is_alive_at_a_point_with_the_product_of_1_minus_2_to_the_minus_n():
    """Lu et al. 2019; of 100,000 draws within four standard errors."""
    alive = np.mean(rectified((3, 2, 3, 2), "kaiming_normal", 100_000) > 0, axis=0)
    wanted = np.cumprod([1 - 2.0**-n for n in (2, 3, 2)])
    np.testing.assert_array_less(np.abs(alive - wanted), 4 * np.sqrt(wanted * (1 - wanted) / 1e5))


@pytest.mark.parametrize("scheme", network.SCHEMES)
def test_the_sigmas_are_those_of_what_init_draws(scheme):
    sizes = (60, 90)
    params = jaxnn.init(jax.random.key(2), sizes, scheme=scheme, scale=1.5)
    found = signals.sigmas(sizes, scheme=scheme, scale=1.5)
    for (W, b), w, s in zip(params, *found, strict=True):
        assert b is not None
        # of 3600 or more normal entries: four standard errors of their deviation
        W, b = np.asarray(W), np.asarray(b)
        np.testing.assert_allclose(np.std(W) * W.shape[1] ** 0.5, w, rtol=4 / (2 * W.size) ** 0.5)
        np.testing.assert_allclose(np.std(b), s, rtol=4 / (2 * b.size) ** 0.5)


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
    acts = [jaxnn.network.ACTIVATIONS[name] for name in names]

    def error(shifts, x, d):
        """One case's error as a function of what is added to the pre-activations."""
        v, us = x, []
        for (W, b), act, shift in zip(params, acts, shifts, strict=True):
            us.append(W @ v + (0 if b is None else b) + shift)
            v = act.value(us[-1])
        return jnp.sum((v - d) ** 2), us

    @jax.jit
    def everything(inputs, targets):
        zeros = [jnp.zeros(n) for n in (4, 5, 2)]
        slopes, us = jax.vmap(jax.grad(error, has_aux=True), (None, 0, 0))(zeros, inputs, targets)
        steep = [
            jax.vmap(jax.vmap(jax.grad(act.value)))(u) / act.steepest
            for u, act in zip(us, acts, strict=True)
        ]
        settings: Any = {"activation": names}
        measured = (
            signals.measured_lengths(params, inputs, **settings),
            signals.node_gradients(params, (inputs, targets), **settings),
            signals.saturated(params, inputs, below=0.5, **settings),
            signals.measured_correlations(params, inputs, **settings),
            signals.gradient_norms(params, (inputs, targets), **settings),
        )
        gradient = jax.grad(jaxnn.loss)(params, (inputs, targets), **settings)
        return slopes, us, steep, measured, gradient

    slopes, us, steep, measured, gradient = jax.tree.map(np.asarray, everything(*batch))
    lengths, nodes, share, correlations, norms = measured
    for k, (u, slope) in enumerate(zip(us, slopes, strict=True)):
        np.testing.assert_allclose(lengths[k], np.mean(u**2, axis=1), rtol=1e-12)
        np.testing.assert_allclose(nodes[k], np.linalg.norm(slope, axis=1), rtol=1e-12)
    low = np.concatenate([s.ravel() for s in steep]) < 0.5
    assert 0 < low.mean() < 1
    np.testing.assert_allclose(share, low.mean(), rtol=1e-12)
    a, b = us[1][0], us[1][5]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    np.testing.assert_allclose(correlations[1, 0, 5], cosine, rtol=1e-12)
    wanted = [np.sqrt(sum(np.sum(g**2) for g in jax.tree.leaves(layer))) for layer in gradient]
    np.testing.assert_allclose(norms, wanted, rtol=1e-12)


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
