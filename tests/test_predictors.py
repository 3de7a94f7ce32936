"""What is measured at the initial weights is what the formulas say, alone and under vmap."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxnn
from jaxnn import ensembles
from jaxnn.landscape import predictors

pytestmark = pytest.mark.usefixtures("x64")


def test_on_a_quadratic_they_are_known():
    """E = (2 x^2 + 8 y^2) / 2 at (3, 1): gradient (6, 8), sharpness 8."""
    loss_fn = landscapes.quadratic(jnp.array([2.0, 8.0]), jnp.zeros(2))
    found = jax.jit(lambda p, k: predictors.quantities(loss_fn, p, k))(
        jnp.array([3.0, 1.0]), jax.random.key(0)
    )
    wanted = {"loss": 13.0, "norm": 10**0.5, "gradient_norm": 10.0, "sharpness": 8.0}
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12)


def test_of_networks_they_are_those_of_the_whole_matrices():
    """Of tanh networks 2-2-1 on XOR, whose weights of float32 cost no digit: data of float64."""
    inputs, targets = landscapes.XOR
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=3, scale=2.0, dtype=jnp.float32)
    keys = jax.random.split(jax.random.key(1), 3)
    measure = jax.jit(jax.vmap(predictors.quantities, (None, 0, 0)))
    found = measure(jaxnn.loss_on(landscapes.XOR, activation="tanh"), starts, keys)
    starts = jax.tree.map(jnp.float64, starts)
    unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], starts))[1]
    flat = jax.vmap(lambda p: ravel_pytree(p)[0])(starts)

    def outputs(p):
        return jaxnn.losses.outputs_for(unravel(p), jnp.asarray(inputs), activation="tanh")[:, 0]

    def matrices(p):
        mean = jax.hessian(lambda q: jnp.mean((outputs(q) - targets[:, 0]) ** 2))
        return outputs(p), jax.jacfwd(outputs)(p), mean(p)

    oracle = [np.asarray(a) for a in jax.jit(jax.vmap(matrices))(flat)]
    y = targets[:, 0] - targets.mean()
    for k, (o, J, H) in enumerate(zip(*oracle, strict=True)):
        residuals, values = o - targets[:, 0], np.linalg.eigvalsh(J @ J.T)
        (W, b), (V, c) = jax.tree.map(lambda leaf, k=k: np.asarray(leaf[k]), starts)
        u = inputs @ W.T + b
        v = np.tanh(u) @ V.T + c
        wanted = {
            "loss": np.mean(residuals**2),
            "norm": np.linalg.norm(flat[k]),
            "gradient_norm": np.linalg.norm(2 / 4 * J.T @ residuals),
            "sharpness": np.linalg.eigvalsh(H)[-1],
            "saturated": np.mean(1 / np.cosh(np.concatenate([u, v], axis=1)) ** 2 < 0.1),
            "kernel_largest": values[-1],
            "kernel_trace": np.sum(J**2),
            "kernel_condition": np.log10(values[-1] / values[0]),
            "kernel_alignment": y @ J @ J.T @ y / np.linalg.norm(J @ J.T) / (y @ y),
        }
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            # a ratio of eigenvalues has the rounding of the largest over the smallest
            np.testing.assert_allclose(found[name][k], value, rtol=1e-8, err_msg=name)


def test_a_kernel_without_full_rank_has_the_condition_that_rounding_leaves():
    """Nine cases, two parameters: the smallest eigenvalue is 0."""
    batch = (np.linspace(-1, 1, 9)[:, None], np.eye(9, 1))
    loss_fn = jaxnn.loss_on(batch, activation="identity")
    point = (jaxnn.Layer(jnp.array([[0.7]]), jnp.array([0.2])),)
    found = jax.jit(predictors.quantities)(loss_fn, point, jax.random.key(0))
    wanted = -np.log10(9 * np.finfo(float).eps)
    np.testing.assert_allclose(found["kernel_condition"], wanted, rtol=1e-12)


def test_saturated_networks_in_float32_have_finite_quantities():
    """One unit without weights, bias 30 and 60: K is s'(b)^2 (1 + x x'), 1e-26, whose squares
    underflow, and 0.
    """
    biases = jnp.array([[30.0], [60.0]], jnp.float32)
    points = (jaxnn.Layer(jnp.zeros((2, 1, 2), jnp.float32), biases),)
    loss_fn = jaxnn.loss_on(jax.tree.map(jnp.float32, landscapes.XOR))
    keys = jax.random.split(jax.random.key(0), 2)
    found = jax.jit(jax.vmap(predictors.quantities, (None, 0, 0)))(loss_fn, points, keys)
    assert found["loss"].dtype == jnp.float32
    assert found["kernel_largest"][1] == 0 < found["kernel_largest"][0]
    for name, values in found.items():
        assert np.all(np.isfinite(values)), name


def test_a_bare_loss_in_float64_is_measured_in_float64():
    """E = x^2 / 10 at float32(0.3), whose rounding of 1e-8 is the point's own."""
    scale, point = np.array([0.1]), jnp.float32([0.3])
    measure = jax.jit(lambda p, k: predictors.quantities(lambda q: jnp.sum(scale * q**2), p, k))
    found = measure(point, jax.random.key(0))
    np.testing.assert_allclose(found["loss"], 0.1 * np.float64(np.float32(0.3)) ** 2, rtol=1e-12)
    np.testing.assert_allclose(found["sharpness"], 0.2, rtol=1e-12)


def test_a_wrong_call_is_refused():
    with pytest.raises(ValueError, match="a landscape gives one number"):
        predictors.quantities(lambda p: p, jnp.ones(2), jax.random.key(0))
