"""Hessians against matrices known in closed form, central differences, and the hand-derived
Gauss-Newton matrix.
"""

from typing import Any

import drawn
import equinox
import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import Batch, data
from jaxnn.landscape import curvature

pytestmark = pytest.mark.usefixtures("x64")

# one program each, where every operation would be compiled by itself
hessian = equinox.filter_jit(curvature.hessian)
eigenvalues = equinox.filter_jit(curvature.eigenvalues)
gauss_newton = equinox.filter_jit(curvature.gauss_newton)
fisher = equinox.filter_jit(curvature.fisher)


@equinox.filter_jit
def blocks(loss_fn, params, by):
    return list(curvature.blocks(loss_fn, params, by=by).items())


# a 9-parameter network on XOR, drawn by PyTorch, and the spectrum that PyTorch gives it
TEST_BED = (
    (
        [[-0.005293981172144413, 0.37932288646698], [-0.5819807648658752, -0.5203874707221985]],
        [-0.27234524488449097, 0.1896158903837204],
    ),
    ([[-0.014010033570230007, 0.5606575012207031]], [-0.06275151669979095]),
)
SPECTRUM = [
    -0.0051420, -0.0034876, -0.00073199, -3.2e-6, 7.7e-6, 0.0025629, 0.0055492, 0.0062030, 0.172870,
]  # fmt: skip


def bed():
    return tuple(jaxnn.Layer(jnp.array(W), jnp.array(b)) for W, b in TEST_BED)


def xor():
    return Batch(*(part.astype(jnp.float64) for part in data.xor()))


def problem(sizes=(3, 4, 2), cases=7, activation=("tanh", "sigmoid"), l2=0.0):
    params, batch = drawn.network(sizes), drawn.batch(sizes[0], sizes[-1], cases)
    return params, batch, jaxnn.loss_on(batch, activation=activation, l2=l2)


def test_a_quadratics_hessian_is_its_matrix():
    A = np.random.default_rng(0).normal(size=(6, 6))
    A = jnp.asarray(A + A.T)
    point = {"a": jnp.ones(2), "b": jnp.ones((2, 2))}

    def loss_fn(p):
        v = ravel_pytree(p)[0]
        return 0.5 * v @ A @ v

    np.testing.assert_allclose(hessian(loss_fn, point), A, atol=1e-14)
    np.testing.assert_allclose(eigenvalues(loss_fn, point), np.linalg.eigvalsh(A), atol=1e-13)
    v = {"a": jnp.array([1.0, 2.0]), "b": jnp.arange(4.0).reshape(2, 2)}
    product = equinox.filter_jit(curvature.hessian_product)(loss_fn, point, v)
    np.testing.assert_allclose(ravel_pytree(product)[0], A @ ravel_pytree(v)[0], atol=1e-13)
    diagonal = equinox.filter_jit(curvature.diagonal)(loss_fn, point)
    np.testing.assert_allclose(ravel_pytree(diagonal)[0], jnp.diag(A), atol=1e-14)


@pytest.mark.slow
def test_the_hessian_is_the_difference_quotient_of_the_gradient_by_hand():
    """Central differences of backprop err by h^2: 1e-8 at h = 1e-4."""
    params, batch, loss_fn = problem()
    flat, unravel = ravel_pytree(params)

    def gradient(p):
        return ravel_pytree(jaxnn.backprop(unravel(p), batch, activation=("tanh", "sigmoid")))[0]

    h = 1e-4
    steps = h * jnp.eye(flat.size)
    columns = jax.vmap(lambda e: (gradient(flat + e) - gradient(flat - e)) / (2 * h))(steps)
    np.testing.assert_allclose(hessian(loss_fn, params), columns, atol=3e-8)


def test_the_9_parameter_network_has_the_eigenvalues_that_torch_finds():
    values = eigenvalues(jaxnn.loss_on(xor()), bed())
    np.testing.assert_allclose(values, SPECTRUM, rtol=2e-2, atol=3e-8)
    np.testing.assert_allclose(jnp.sum(values), 0.177827, rtol=3e-6)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_hessian_is_gauss_newton_plus_residual_term_plus_l2(l2):
    """The residual term from second derivatives of the outputs, case by case, output by output."""
    params, batch, loss_fn = problem(l2=l2)
    flat, unravel = ravel_pytree(params)
    cases = len(batch.inputs)

    def outputs(p, x):
        return jaxnn.forward(unravel(p), x, activation=("tanh", "sigmoid"))

    @jax.jit
    def residual_of(x, d):
        second = jax.jacfwd(jax.jacrev(outputs))(flat, x)
        return 2 / cases * jnp.tensordot(outputs(flat, x) - d, second, axes=1)

    residual = sum(np.asarray(residual_of(x, d)) for x, d in zip(*batch, strict=True))
    whole = gauss_newton(params, batch, activation=("tanh", "sigmoid"))
    expected = 2 / cases * np.asarray(whole) + residual + l2 * np.eye(flat.size)
    np.testing.assert_allclose(hessian(loss_fn, params), expected, atol=1e-13)
    for_any = equinox.filter_jit(curvature.gauss_newton_of)(
        lambda p, x: jaxnn.forward(p, x, activation=("tanh", "sigmoid")), params, batch.inputs
    )
    np.testing.assert_allclose(for_any, whole, atol=1e-13)


def test_at_zero_residuals_the_hessian_is_the_fisher_information():
    params, batch, _ = problem()
    settings: Any = {"activation": ("tanh", "sigmoid")}
    met = Batch(batch.inputs, jaxnn.losses.outputs_for(params, batch.inputs, **settings))
    H = hessian(jaxnn.loss_on(met, **settings), params)
    empirical = equinox.filter_jit(curvature.empirical_fisher)
    np.testing.assert_allclose(fisher(params, met, **settings), H, atol=1e-14)
    np.testing.assert_allclose(empirical(params, met, **settings), 0, atol=1e-20)


def test_the_fisher_information_is_the_mean_square_of_the_score():
    """E over targets drawn from N(outputs, variance) of g g^T, by sampling: 3 % at 20,000 draws."""
    params, batch, _ = problem(sizes=(2, 1), cases=1, activation="sigmoid")
    o = jaxnn.forward(params, batch.inputs[0])
    draws = o[0] + 0.2 * jnp.asarray(np.random.default_rng(9).normal(size=(20_000, 1)))
    many = Batch(jnp.broadcast_to(batch.inputs, (20_000, 2)), draws)
    # the score is the gradient of (o - d)^2 / (2 variance)
    scores = curvature.empirical_fisher(params, many) / (2 * 0.04) ** 2
    expected = curvature.fisher(params, batch, variance=0.04)
    np.testing.assert_allclose(scores, expected, rtol=0.05)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        pytest.param(
            "leaf", ["0.weights", "0.biases", "1.weights", "1.biases"], marks=pytest.mark.slow
        ),
        ("layer", ["0", "1"]),
        ("unit", ["0[0]", "0[1]", "0[2]", "0[3]", "1[0]", "1[1]"]),
    ],
)
def test_blocks_are_cut_from_the_whole_hessian(by, names):
    params, _, loss_fn = problem()
    whole, found = np.asarray(hessian(loss_fn, params)), blocks(loss_fn, params, by)
    numbers = curvature.numbers_of(params, by)
    assert [name for name, _ in found] == names
    assert sorted(np.concatenate(list(numbers.values()))) == list(range(len(whole)))
    for name, block in found:
        which = np.asarray(numbers[name])
        np.testing.assert_allclose(block, whole[np.ix_(which, which)], atol=1e-15)
    # layer 1's unit 2 has the third row of weights and the third bias
    if by == "unit":
        flat = np.asarray(ravel_pytree(params)[0])
        row = [*params[0].weights[2], np.asarray(params[0].biases)[2]]
        np.testing.assert_array_equal(flat[numbers["0[2]"]], row)


def test_a_key_with_a_dot_hides_no_block():
    point = {"a.b": jnp.array(1.0), "a": {"b": jnp.array(1.0)}}
    found = blocks(lambda p: p["a.b"] ** 2 + 5 * p["a"]["b"] ** 2, point, "leaf")
    assert sorted(float(np.asarray(block)[0, 0]) for _, block in found) == [2.0, 10.0]


def test_all_of_it_under_jit_and_vmap():
    _, _, loss_fn = problem()
    points = jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *(drawn.network((3, 4, 2), seed) for seed in range(3))
    )
    H = jax.jit(jax.vmap(lambda p: hessian(loss_fn, p)))(points)
    one = jax.tree.map(lambda leaf: leaf[1], points)
    np.testing.assert_allclose(H[1], hessian(loss_fn, one), atol=1e-14)
    np.testing.assert_array_equal(H, np.swapaxes(H, 1, 2))


@pytest.mark.parametrize(
    ("x", "y", "index"),
    [
        (3.0, 2.0, 0),
        (-2.805118086952745, 3.131312518250573, 0),
        (-3.779310253377747, -3.283185991286170, 0),
        (3.584428340330492, -1.848126526964404, 0),
        (0.0866775, 2.884255, 1),
        (3.385154, 0.073852, 1),
        (-0.270845, -0.923039, 2),
    ],
)
def test_himmelblaus_minima_saddles_and_maximum_have_their_indices(x, y, index):
    at = {"x": jnp.array(x), "y": jnp.array(y)}
    slope = jax.grad(landscapes.himmelblau)(at)
    assert abs(float(slope["x"])) + abs(float(slope["y"])) < 1e-3
    found = curvature.inertia(eigenvalues(landscapes.himmelblau, at))
    assert int(found.negative) == index
    assert (int(found.zero), int(found.positive)) == (0, 2 - index)
    # f_xx = 12 x^2 + 4 y - 42, f_yy = 4 x + 12 y^2 - 26, f_xy = 4 (x + y), by hand
    H = [[12 * x**2 + 4 * y - 42, 4 * (x + y)], [4 * (x + y), 4 * x + 12 * y**2 - 26]]
    np.testing.assert_allclose(hessian(landscapes.himmelblau, at), H, rtol=1e-12)


def test_a_linear_networks_hessian_is_its_inputs_covariance():
    """One layer, identity: E = mean |W x + b - d|^2, so H is (2/n) of the Gram matrix of (x, 1),
    once for each output, whatever the weights.
    """
    params, batch, _ = problem(sizes=(3, 2), cases=9, activation="identity")
    loss_fn = jaxnn.loss_on(batch, activation="identity")
    ones = np.hstack([batch.inputs, np.ones((9, 1))])
    expected = np.sort(np.repeat(np.linalg.eigvalsh(2 / 9 * ones.T @ ones), 2))
    np.testing.assert_allclose(eigenvalues(loss_fn, params), expected, rtol=1e-11)
    found = dict(blocks(loss_fn, params, "unit"))
    for name in ("0[0]", "0[1]"):
        np.testing.assert_allclose(found[name], 2 / 9 * ones.T @ ones, atol=1e-13)


def test_the_hessian_is_that_of_curvlinops():
    """Its MSELoss is a mean over outputs too: half of ours for two outputs."""
    torch = pytest.importorskip("torch")
    curvlinops = pytest.importorskip("curvlinops")
    params, batch, loss_fn = problem()
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2), torch.nn.Sigmoid()
    ).double()
    with torch.no_grad():
        for own, leaf in zip(model.parameters(), jax.tree.leaves(params), strict=True):
            own.copy_(torch.tensor(np.asarray(leaf)))
    cases = [tuple(torch.tensor(np.asarray(part)) for part in batch)]
    H = curvlinops.HessianLinearOperator(
        model, torch.nn.MSELoss(), list(model.parameters()), cases
    ).to_scipy()
    dense = 2 * (H @ np.eye(H.shape[0]))
    np.testing.assert_allclose(hessian(loss_fn, params), dense, atol=1e-13)


def test_an_eigenvalue_at_the_rounding_of_the_largest_is_zero():
    found = curvature.inertia(jnp.array([-1e-3, -1e-17, 0.0, 2.0]))
    assert (int(found.negative), int(found.zero), int(found.positive)) == (1, 2, 1)
    wide = curvature.inertia(jnp.array([-1e-3, -1e-17, 0.0, 2.0]), tolerance=1e-2)
    assert (int(wide.negative), int(wide.zero)) == (0, 3)


@pytest.mark.parametrize(
    ("loss_fn", "point", "message"),
    [
        (lambda p: p, jnp.ones(2), r"the loss has shape \(2,\)"),
        (jnp.sum, jnp.array([1.0, jnp.nan]), "holds NaN or infinity"),
        (jnp.sum, jnp.array([1, 2]), "int"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(loss_fn, point, message):
    with pytest.raises(ValueError, match=message):
        curvature.hessian(loss_fn, point)


def test_other_wrong_calls_are_refused():
    params, _, loss_fn = problem()
    with pytest.raises(ValueError, match="point and v differ in structure"):
        curvature.hessian_product(loss_fn, params, params[:1])
    with pytest.raises(ValueError, match="unknown kind of block 'units'"):
        curvature.blocks(loss_fn, params, by="units")
