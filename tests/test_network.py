"""Initial weights: every standard deviation of the table. Forward: node by node, and the essay's
own numbers.
"""

import functools
import itertools
import math

import chex
import drawn
import jax
import jax.numpy as jnp
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import truncnorm

import jaxnn
from jaxnn.network import SCHEMES

SIZES = (160, 120, 50)


def deviations(scheme, m, n, scale):
    """(weights, biases) for m inputs and n units, as the docstring of init has them."""
    root = math.sqrt
    return {
        "normal": (scale, scale),
        "uniform": (scale / root(3), scale / root(3)),
        "sphere": (scale, scale),
        "nielsen": (scale / root(m), 1.0),
        "glorot_normal": (scale * root(2 / (m + n)), 0.0),
        "glorot_uniform": (scale * root(2 / (m + n)), 0.0),
        "xavier_normal": (scale * root(2 / (m + n)), 0.0),
        "he_normal": (scale * root(2 / m), 0.0),
        "he_uniform": (scale * root(2 / m), 0.0),
        "kaiming_normal": (scale * root(2 / m), 0.0),
        "lecun_normal": (scale * root(1 / m), 0.0),
        "lecun_uniform": (scale * root(1 / m), 0.0),
        "orthogonal": (scale / root(max(m, n)), 0.0),
    }[scheme]


@pytest.mark.parametrize(("scheme", "scale"), list(itertools.product(SCHEMES, (0.5, 3.0))))
@pytest.mark.optimised
def test_standard_deviations_are_those_of_the_table(scheme, scale):
    keys = jax.random.split(jax.random.key(0), 20)
    draw = jax.vmap(lambda k: jaxnn.init(k, SIZES, scheme=scheme, scale=scale))
    for layer, (m, n) in zip(draw(keys), itertools.pairwise(SIZES), strict=True):
        weights, biases = deviations(scheme, m, n, scale)
        # 20 x 6,000 draws at the least: the standard error of a standard deviation is 0.2 %
        assert float(jnp.std(layer.weights)) == pytest.approx(weights, rel=0.01)
        # 20 x 50 draws: 2.2 %
        assert float(jnp.std(jnp.asarray(layer.biases))) == pytest.approx(biases, rel=0.09)
        assert float(jnp.mean(layer.weights)) == pytest.approx(0.0, abs=0.02 * weights)


def kurtosis(scheme, m, n):
    """E w^4 / (E w^2)^2 of one entry: of a normal cut at two deviations by its integrals, of a
    direction on the sphere in d dimensions 3 d / (d + 2).
    """
    cut = truncnorm(-2, 2)
    on_sphere = {"sphere": sum(a * (b + 1) for b, a in itertools.pairwise(SIZES)),
                 "orthogonal": max(m, n)}  # fmt: skip
    if scheme in on_sphere:
        return 3 / (1 + 2 / on_sphere[scheme])
    if scheme.endswith("uniform"):
        return 9 / 5
    if scheme in ("glorot_normal", "he_normal", "lecun_normal"):
        return cut.moment(4) / cut.moment(2) ** 2
    return 3.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fourth_moments_tell_normals_from_those_cut_at_two_deviations(scheme):
    """Within five standard errors, below 3 % of 3 at 6000 x 20 draws, where the cut takes 21 %."""
    keys = jax.random.split(jax.random.key(1), 20)
    layers = jax.vmap(lambda k: jaxnn.init(k, SIZES, scheme=scheme))(keys)
    for layer, (m, n) in zip(layers, itertools.pairwise(SIZES), strict=True):
        unit = np.asarray(layer.weights, np.float64) / deviations(scheme, m, n, 1.0)[0]
        # a draw's entries are not independent on a sphere: the error is over draws
        fourth = np.mean(unit**4, axis=(1, 2))
        error = max(np.std(fourth, ddof=1), 1e-3) / 20**0.5
        assert abs(fourth.mean() - kurtosis(scheme, m, n)) < 5 * error
        assert 5 * error < 0.15


def test_the_two_names_of_one_variance_differ_by_the_cut_alone():
    draw = functools.partial(jaxnn.init, sizes=SIZES)
    for cut, whole in (("glorot_normal", "xavier_normal"), ("he_normal", "kaiming_normal")):
        inside, all_ = (draw(jax.random.key(7), scheme=name)[0].weights for name in (cut, whole))
        width = deviations(cut, *SIZES[:2], 1.0)[0]
        assert float(jnp.max(jnp.abs(inside))) <= 2 * width / truncnorm(-2, 2).std() * (1 + 1e-6)
        assert float(jnp.mean(jnp.abs(all_) > 2 * width)) == pytest.approx(0.0455, abs=0.008)


def test_sphere_has_its_radius_and_uniform_its_bounds():
    params = jaxnn.init(jax.random.key(1), (3, 4, 2), scheme="sphere", scale=2.0)
    flat = jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(params)])
    assert float(jnp.linalg.norm(flat)) == pytest.approx(2.0 * math.sqrt(26), rel=1e-6)
    uniform = jaxnn.init(jax.random.key(1), SIZES, scheme="uniform", scale=2.0)
    assert max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(uniform)) <= 2.0


def test_orthogonal_weights_are_orthogonal():
    layer = jaxnn.init(jax.random.key(1), (30, 20), scheme="orthogonal", scale=2.0)[0]
    np.testing.assert_allclose(layer.weights @ layer.weights.T, 4 * np.eye(20), atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_key_gives_the_same_unit_draws_at_every_scale(scheme):
    one, ten = (
        jaxnn.init(jax.random.key(5), (4, 3, 2), scheme=scheme, scale=s) for s in (1.0, 8.0)
    )
    chex.assert_trees_all_close(
        [layer.weights * 8 for layer in one], [layer.weights for layer in ten], rtol=1e-6
    )


def test_biases_may_be_left_out_layer_by_layer_without_moving_the_weights():
    some = jaxnn.init(jax.random.key(2), (2, 3, 1), biases=(True, False))
    every = jaxnn.init(jax.random.key(2), (2, 3, 1))
    assert some[1].biases is None
    chex.assert_trees_all_equal(some[1].weights, every[1].weights)
    assert len(jax.tree.leaves(some)) == 3


@pytest.mark.parametrize("scheme", ["glorot_normal", "sphere", "nielsen"])
def test_bias_scale_sets_the_biases_apart_from_the_weights(scheme):
    draw = jax.vmap(lambda k: jaxnn.init(k, (50, 40), scheme=scheme, scale=2.0, bias_scale=0.3)[0])
    layers = draw(jax.random.split(jax.random.key(3), 200))
    assert float(jnp.std(jnp.asarray(layers.biases))) == pytest.approx(0.3, rel=0.03)
    assert float(jnp.std(layers.weights)) == pytest.approx(
        deviations(scheme, 50, 40, 2.0)[0], rel=0.02
    )


def test_a_callable_scheme_draws_the_weights():
    params = jaxnn.init(
        jax.random.key(0), (2, 3), scheme=lambda _k, shape, dtype: jnp.ones(shape, dtype), scale=4.0
    )
    chex.assert_trees_all_equal(params[0].weights, jnp.full((3, 2), 4.0))
    chex.assert_trees_all_equal(params[0].biases, jnp.zeros(3))


@pytest.mark.usefixtures("x64")
def test_dtype_is_what_is_named_under_x64_too():
    for dtype in (jnp.float32, jnp.float64):
        for scheme in SCHEMES:
            draw = functools.partial(jaxnn.init, sizes=(2, 3), scheme=scheme, dtype=dtype)
            params = jax.eval_shape(draw, jax.random.key(0))
            assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(dtype)}


def test_the_essays_node_is_0_490():
    value = jaxnn.node((0.6, 1.2, -0.2), (0.7, 0.1, 0.4), -0.5)
    assert round(float(value), 3) == 0.490
    matrix = jaxnn.forward(
        [(jnp.array([[0.6, 1.2, -0.2]]), jnp.array([-0.5]))], jnp.array([0.7, 0.1, 0.4])
    )
    assert round(float(matrix[0]), 3) == 0.490


@given(
    hidden=st.lists(st.integers(1, 5), max_size=4),
    seed=st.integers(0, 2**31),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_forward_is_node_after_node_for_any_depth_and_mix(hidden, seed, data):
    sizes = (3, *hidden, 2)
    names = data.draw(
        st.lists(
            st.sampled_from(list(oracles.VALUES)), min_size=len(sizes) - 1, max_size=len(sizes) - 1
        )
    )
    biases = data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    with jax.enable_x64(True):
        params = drawn.network(sizes, seed, biases=biases)
        x = drawn.batch(3, 1, 1, seed + 1).inputs[0]
        outputs = jaxnn.forward(params, x, activation=tuple(names))
        by_loops = oracles.forward(oracles.as_lists(params), x.tolist(), names)[0][-1]
        np.testing.assert_allclose(outputs, by_loops, rtol=1e-12, atol=1e-14)
        values = list(x)
        for (W, b), name in zip(params, names, strict=True):
            values = [
                jaxnn.node(list(row), values, None if b is None else b[j], activation=name)
                for j, row in enumerate(W)
            ]
        np.testing.assert_allclose(jnp.stack(values), by_loops, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("params", "x", "message"),
    [
        ([(jnp.ones((2, 3)), jnp.ones(2))], jnp.ones(2), r"x has shape \(2,\), wanted \(3,\)"),
        (
            [(jnp.ones((2, 3)), jnp.ones(3))],
            jnp.ones(3),
            r"biases have shape \(3,\), wanted \(2,\)",
        ),
        ([(jnp.ones((4, 2, 3)), jnp.ones(2))], jnp.ones(3), "use jax.vmap for ensembles"),
        (
            [(jnp.ones((2, 3)), None), (jnp.ones((1, 3)), None)],
            jnp.ones(3),
            "take 3 values, but the layer before gives 2",
        ),
        ([], jnp.ones(3), "no layers"),
    ],
)
def test_shapes_that_would_broadcast_are_refused(params, x, message):
    with pytest.raises(ValueError, match=message):
        jaxnn.forward(params, x)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"sizes": (3,)}, "at least two whole numbers"),
        ({"sizes": (3, 0)}, "at least two whole numbers"),
        ({"sizes": (3, 2), "scheme": "golrot_normal"}, "did you mean 'glorot_normal'"),
        ({"sizes": (3, 2, 1), "biases": (True,)}, "1 entries for 2 layers"),
    ],
)
def test_init_refuses_wrong_calls(settings_, message):
    with pytest.raises(ValueError, match=message):
        jaxnn.init(jax.random.key(0), **settings_)


def test_node_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="zip"):
        jaxnn.node((1.0, 2.0), (1.0,))
