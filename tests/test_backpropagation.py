"""The gradient by hand, held against autodiff, loops, 50-digit arithmetic and differences; and
wrong derivations.
"""

import importlib.util
import inspect
import itertools
import sys
from typing import Any

import chex
import drawn
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import backpropagation

NAMES = list(oracles.VALUES)


def problem(seed, sizes, *, biases: Any = True, scale=1.0, cases=5):
    batch = drawn.batch(sizes[0], sizes[-1], cases, seed + 1)
    return drawn.network(sizes, seed, scale=scale, biases=biases), batch


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("name", "biases", "layers"),
    [*itertools.product(NAMES, (True, False), (1, 3)), ("sigmoid", True, 2), ("tanh", False, 6)],
)
def test_three_exact_ways_agree_to_1e12(name, biases, layers):
    params, batch = problem(layers, (3, *(4 for _ in range(layers - 1)), 2), biases=biases)
    check = jax.jit(lambda p, b: jaxnn.check_gradients(p, b, activation=name, l2=0.1))(
        params, batch
    )
    assert float(check.exact) < 1e-12
    assert check.parameters == check.of_parameters == ravel_pytree(params)[0].size
    # central differences: eps^(2/3) of the third derivative and of |E|, relative to a leaf that may
    # be small; relu is off by more where a step crosses a kink
    if name != "relu":
        assert float(jnp.max(check.absolute)) < 1e-6 * float(
            jaxnn.loss(params, batch, activation=name)
        )


@pytest.mark.usefixtures("x64")
def test_backprop_equals_the_loops_without_jax():
    names = ("tanh", "sigmoid", "erf", "identity")
    params, batch = problem(7, (2, 3, 3, 2, 2), biases=(True, False, True, True))
    by_loops = oracles.gradient(
        oracles.as_lists(params), (batch.inputs.tolist(), batch.targets.tolist()), names, 0.2
    )
    for way in (jaxnn.backprop, jaxnn.gradient_by_cases):
        by_hand = jax.jit(lambda p, way=way: way(p, batch, activation=names, l2=0.2))(params)
        np.testing.assert_allclose(ravel_pytree(by_hand)[0], by_loops, rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "erf"])
def test_at_scale_5_backprop_is_nearest_to_50_digits(name):
    params, batch = problem(11, (2, 3, 3, 1), scale=5.0, cases=3)
    with mpmath.workdps(50):
        exact = oracles.gradient(
            oracles.as_mpmath(oracles.as_lists(params)),
            oracles.as_mpmath((batch.inputs.tolist(), batch.targets.tolist())),
            (name,) * 3,
            mpmath.mpf(0),
            mpmath,
        )
    exact = np.array([float(g) for g in exact])
    by_hand = ravel_pytree(jaxnn.backprop(params, batch, activation=name))[0]
    # sums u of size 5^3 round to 5^3 eps, and the slopes' logarithms with them
    np.testing.assert_allclose(by_hand, exact, rtol=1e-11, atol=1e-13 * np.abs(exact).max())


@given(
    hidden=st.lists(st.integers(1, 4), max_size=5),
    seed=st.integers(0, 2**31),
    l2=st.sampled_from([0.0, 0.3]),
    data=st.data(),
)
@settings(max_examples=4, deadline=None)
def test_output_jacobian_is_jacrev_for_any_network(hidden, seed, l2, data):
    sizes = (2, *hidden, 3)
    layers = len(sizes) - 1
    names = tuple(data.draw(st.lists(st.sampled_from(NAMES), min_size=layers, max_size=layers)))
    biases = data.draw(st.lists(st.booleans(), min_size=layers, max_size=layers))
    with jax.enable_x64(True):
        params, batch = problem(seed, sizes, biases=biases)
        x = batch.inputs[0]
        by_hand = jax.jit(lambda p: jaxnn.output_jacobian(p, x, activation=names))(params)
        by_jax = jax.jit(jax.jacrev(lambda p: jaxnn.forward(p, x, activation=names)))(params)
        chex.assert_trees_all_close(by_hand, by_jax, rtol=1e-11, atol=1e-13)
        check = jax.jit(lambda p: jaxnn.check_gradients(p, batch, activation=names, l2=l2))(params)
        assert float(check.exact) < 1e-12


@pytest.mark.usefixtures("x64")
def test_under_vmap_over_networks_and_jit():
    batch = problem(0, (3, 4, 2))[1]
    networks = (drawn.network((3, 4, 2), seed) for seed in range(7))
    many = jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)
    checks = jax.jit(jax.vmap(lambda p: jaxnn.check_gradients(p, batch)))(many)
    assert checks.exact.shape == (7,)
    assert float(jnp.max(checks.exact)) < 1e-12


def test_the_gradient_has_the_structure_of_the_params():
    params, batch = problem(1, (3, 4, 2), biases=(True, False))
    pairs = [[layer.weights, layer.biases] for layer in params]
    for given_params in (params, pairs):
        for way in (jaxnn.backprop, jaxnn.gradient_by_cases):
            chex.assert_trees_all_equal_structs(way(given_params, batch), given_params)


def test_float32_gradients_agree_to_float32():
    params, batch = problem(2, (3, 8, 8, 2), cases=50)
    check = jax.jit(jaxnn.check_gradients)(params, batch)
    # 50 cases of products 8 long: some hundred roundings of 6e-8
    assert float(check.exact) < 2e-5


@pytest.mark.slow
def test_large_data_are_sampled_by_key_and_the_check_says_so():
    params, batch = problem(3, (10, 30, 4), cases=300)
    checked = jax.jit(lambda key: jaxnn.check_gradients(params, batch, key=key))
    check = checked(jax.random.key(1))
    assert (check.cases, check.of_cases) == (64, 300)
    assert (check.parameters, check.of_parameters) == (200, 454)
    assert "on 64 of 300 cases; central differences for 200 of 454 parameters" in str(check)
    again, other = checked(jax.random.key(1)), checked(jax.random.key(2))
    chex.assert_trees_all_equal(check, again)
    assert not np.array_equal(check.absolute, other.absolute)


def test_no_transformation_that_differentiates_is_called_by_hand():
    lines = inspect.getsource(backpropagation)
    by_hand = lines[: lines.index("def check_gradients")]
    for name in (
        "jax.grad",
        "value_and_grad",
        "jvp",
        "vjp",
        "jacfwd",
        "jacrev",
        "linearize",
        "hessian",
    ):
        assert name not in by_hand


MUTANTS = {
    "the factor 2 of the square is lost": ("(2.0 / cases) * gap", "(1.0 / cases) * gap"),
    "the sum over cases is not averaged": ("(2.0 / cases) * gap", "2.0 * gap"),
    "the error's sign is turned": ("(2.0 / cases) * gap", "(2.0 / cases) * -gap"),
    "sigma' is taken at v, not u": (
        "slopes.append(slope)",
        "slopes.append(sigma.derivative(value))",
    ),
    "sigma' is forgotten": ("dE_du = dE_dv * slope", "dE_du = dE_dv"),
    "the bias takes the mean over cases": ("jnp.sum(dE_du, axis=1)", "jnp.mean(dE_du, axis=1)"),
    "dE/dv skips sigma'": ("dE_dv = W.T @ dE_du", "dE_dv = W.T @ dE_dv"),
    "l2 is doubled": ("g + l2 * p, gradient", "g + 2 * l2 * p, gradient"),
    "case 1 is not zero": ("own = jnp.diag(slope)", "own = jnp.diag(slope) + 0.1"),
    "case 2 forgets v_z": (
        "own[:, :, None] * v[None, None, :]",
        "own[:, :, None] * jnp.ones_like(v)[None, None, :]",
    ),
    "case 3 forgets sigma'": (
        "_scale_rows(slope, jnp.tensordot(W, dv, axes=1))",
        "jnp.tensordot(W, dv, axes=1)",
    ),
    "case 3 takes the size of the weights": (
        "jnp.tensordot(W, dv, axes=1)",
        "jnp.tensordot(jnp.abs(W), dv, axes=1)",
    ),
    "by cases sums, not averages": ("lambda t: t / len(batch.inputs), total", "lambda t: t, total"),
}


@pytest.mark.usefixtures("x64")
def test_the_derivation_that_the_mutants_change_is_right():
    params, batch = problem(5, (3, 4, 4, 2))
    assert float(backpropagation.check_gradients(params, batch, l2=0.1).exact) < 1e-12


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_wrong_derivation_is_caught(mistake, monkeypatch):
    right, wrong = MUTANTS[mistake]
    source = inspect.getsource(backpropagation)
    assert source.count(right) == 1, "the mutant's line is gone: write it anew"
    spec = importlib.util.spec_from_loader("mutant", loader=None)
    assert spec is not None
    mutant = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mutant", mutant)
    exec(compile(source.replace(right, wrong), "mutant", "exec"), mutant.__dict__)
    params, batch = problem(5, (3, 4, 4, 2))
    assert float(mutant.check_gradients(params, batch, l2=0.1).exact) > 1e-3


@pytest.mark.parametrize("way", [jaxnn.backprop, jaxnn.gradient_by_cases, jaxnn.check_gradients])
def test_shapes_that_do_not_fit_are_refused(way):
    params, batch = problem(1, (3, 4, 2))
    with pytest.raises(ValueError, match="wanted \\(cases, inputs\\)"):
        way(params, (batch.inputs, batch.targets[:, 0]))
    with pytest.raises(ValueError, match="one case"):
        jaxnn.output_jacobian(params, batch.inputs)
