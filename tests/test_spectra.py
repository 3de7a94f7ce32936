"""Extreme eigenpairs and densities against dense spectra, scipy and closed forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse.linalg
from jax.flatten_util import ravel_pytree
from test_curvature import SPECTRUM, bed, xor

import jaxnn
from jaxnn import data
from jaxnn.landscape import curvature, spectra

pytestmark = pytest.mark.usefixtures("x64")


def diagonal(values):
    return lambda p: 0.5 * jnp.sum(values * p**2)


def test_all_9_eigenvalues_of_the_test_bed_to_1e_10():
    loss_fn = jaxnn.loss_on(xor())
    dense = np.linalg.eigvalsh(np.asarray(jax.hessian(lambda v: loss_fn(ravel_pytree(bed())[1](v)))(
        ravel_pytree(bed())[0])))  # fmt: skip
    found = spectra.extreme(loss_fn, bed(), jax.random.key(0), k=9)
    expected = dense[np.argsort(-np.abs(dense))]
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-10 * expected[0])
    np.testing.assert_allclose(np.sort(found.eigenvalues), SPECTRUM, rtol=2e-2, atol=3e-8)
    assert bool(found.converged.all())
    assert float(found.residuals.max()) < 1e-14


@pytest.mark.parametrize("which", ["magnitude", "largest", "smallest"])
def test_lanczos_finds_what_scipy_finds(which):
    """3000 parameters, so that the whole matrix is not taken."""
    rng = np.random.default_rng(1)
    values = jnp.asarray(np.r_[[9.0, 7.0, 6.5, -8.0, -5.0], rng.uniform(-1, 1, 2995)])
    found = jax.jit(
        lambda key: spectra.extreme(diagonal(values), jnp.ones(3000), key, k=4, which=which)
    )(jax.random.key(0))
    order = {"magnitude": "LM", "largest": "LA", "smallest": "SA"}[which]
    expected: Any = scipy.sparse.linalg.eigsh(
        scipy.sparse.diags(np.asarray(values)), k=4, which=order, return_eigenvectors=False
    )
    key = {"magnitude": -np.abs(expected), "largest": -expected, "smallest": expected}[which]
    expected = expected[np.argsort(key)]
    done = np.asarray(found.converged)
    assert done[:2].all()  # the third of the smallest is in the bulk
    np.testing.assert_allclose(found.eigenvalues[done], expected[done], rtol=1e-10)
    for value, vector, residual in zip(*(
        np.asarray(part) for part in (found.eigenvalues, found.vectors, found.residuals)
    ), strict=True):  # fmt: skip
        np.testing.assert_allclose(np.linalg.norm(vector), 1, rtol=1e-12)
        image = np.asarray(values) * vector
        # exact for pairs of the first start, a bound for those of a later one
        assert np.linalg.norm(image - value * vector) <= residual * (1 + 1e-6) + 1e-12
        assert residual < 0.1
        assert np.abs(np.asarray(values) - value).min() <= residual + 1e-12
    assert 10 < int(found.products) <= 6 * 38  # at most k + 2 starts of 2 k + 30 steps


@pytest.mark.slow
def test_what_has_not_converged_is_said_so():
    values = jnp.linspace(0, 1, 3000)
    found = spectra.extreme(diagonal(values), jnp.ones(3000), jax.random.key(0), k=3, steps=10)
    assert not bool(found.converged.any())
    assert bool(jnp.all(jnp.abs(found.eigenvalues - 1) > 1e-6))


@pytest.mark.parametrize("dtype", [pytest.param(jnp.float32, marks=pytest.mark.slow), jnp.float64])
@pytest.mark.parametrize(
    ("which", "ends", "expected"),
    [
        ("magnitude", [5.0, 10.0, 10.0], [10, 10, 5]),
        pytest.param("magnitude", [-10.0, 10.0, 10.0], [10, 10, 10], marks=pytest.mark.slow),
        ("largest", [5.0, 10.0, -10.0], [10, 5, 1]),
        pytest.param("smallest", [-3.0, -3.0, -3.0], [-3, -3, -3], marks=pytest.mark.slow),
    ],
)
def test_repeated_eigenvalues_are_found_as_often_as_they_are(which, ends, expected, dtype):
    values = jnp.linspace(0, 1, 2500, dtype=dtype).at[-3:].set(jnp.array(ends, dtype))
    values = values.at[0].set(0.5).at[-4].set(1.0)
    find = jax.jit(
        lambda key, k: spectra.extreme(
            diagonal(values), jnp.ones(2500, dtype), key, k=k, which=which
        ),
        static_argnums=1,
    )
    for k in (2, 3):
        found = find(jax.random.key(k), k)
        ordered = jnp.abs(found.eigenvalues) if which == "magnitude" else found.eigenvalues
        sure = np.asarray(found.converged)
        assert sure[:2].all()  # a third copy, or one in the bulk, may want more steps, and says so
        np.testing.assert_allclose(ordered[sure], np.array(expected[:k])[sure], rtol=1e-5)
        np.testing.assert_allclose(ordered, expected[:k], rtol=1e-3)


@pytest.mark.slow
def test_a_low_rank_hessian_has_zeros_and_no_ghosts():
    values = jnp.zeros(3000).at[:2].set(jnp.array([5.0, -2.0]))
    found = spectra.extreme(diagonal(values), jnp.ones(3000), jax.random.key(0), k=6)
    np.testing.assert_allclose(found.eigenvalues, [5, -2, 0, 0, 0, 0], atol=1e-12)
    assert bool(found.converged.all())


@pytest.mark.slow
def test_extreme_under_vmap_over_points_of_a_network():
    batch = data.load("digits").batch
    loss_fn = jaxnn.loss_on(jaxnn.Batch(*(part[:40].astype(jnp.float64) for part in batch)))
    draw = lambda k: jaxnn.init(k, (64, 32, 10), scheme="glorot_normal", dtype=jnp.float64)  # noqa: E731
    points = jax.vmap(draw)(jax.random.split(jax.random.key(0), 2))
    find = lambda p: spectra.extreme(loss_fn, p, jax.random.key(1), k=3)  # noqa: E731
    both = jax.jit(jax.vmap(find))(points)
    assert both.vectors[0].weights.shape == (2, 3, 32, 64)
    for i in range(2):
        point = jax.tree.map(lambda leaf, i=i: leaf[i], points)
        v = jax.tree.map(lambda leaf, i=i: leaf[i, 0], both.vectors)
        Hv = ravel_pytree(curvature.hessian_product(loss_fn, point, v))[0]
        np.testing.assert_allclose(Hv, both.eigenvalues[i, 0] * ravel_pytree(v)[0], atol=1e-9)
    sharpest = jax.jit(lambda p: spectra.sharpness(loss_fn, p, jax.random.key(4)))(
        jax.tree.map(lambda leaf: leaf[0], points)
    )
    np.testing.assert_allclose(sharpest, jnp.max(both.eigenvalues[0]), rtol=1e-9)


def test_the_density_of_a_small_network_is_its_exact_histogram():
    loss_fn = jaxnn.loss_on(xor())
    found = spectra.density(loss_fn, bed(), jax.random.key(0))
    assert found.exact
    np.testing.assert_allclose(found.nodes[0], curvature.eigenvalues(loss_fn, bed()), rtol=1e-12)
    np.testing.assert_allclose(found.share(-1.0, 0.0), 4 / 9, rtol=1e-12)
    edges = jnp.array([-1.0, 0.0, 0.0055, 0.5])
    np.testing.assert_allclose(found.histogram(edges), [4 / 9, 2 / 9, 3 / 9], rtol=1e-12)
    grid = jnp.linspace(-0.5, 0.7, 4001)
    total = jnp.trapezoid(found.smoothed(grid, 0.01), grid)
    np.testing.assert_allclose(total, 1.0, rtol=1e-9)


def test_quadrature_gives_the_moments_and_shares_of_a_known_spectrum():
    """The semicircle's: second moment 1/4, half of it in [-0.404, 0.404]; the moment within 2 %."""
    u = (jnp.arange(4000) + 0.5) / 4000
    fine = jnp.linspace(-1, 1, 200_001)
    below = 0.5 + (fine * jnp.sqrt(1 - fine**2) + jnp.arcsin(fine)) / jnp.pi
    values = jnp.interp(u, below, fine)
    found = spectra.density(diagonal(values), jnp.ones(4000), jax.random.key(0), steps=40)
    assert not found.exact
    assert found.products == 400
    np.testing.assert_allclose(jnp.sum(found.weights, axis=1), 1, rtol=1e-10)
    second = jnp.mean(jnp.sum(found.weights * found.nodes**2, axis=1))
    np.testing.assert_allclose(second, 0.25, rtol=0.02)
    # weights near the edges are at most 0.035, two of which an edge leaves open on either side
    share, low, high = found.share(-0.4039727532995173, 0.4039727532995173)
    assert low < 0.5 < high < low + 8 * 0.035
    assert abs(share - 0.5) < 0.06


def test_eigenvalues_that_no_node_shows_are_in_the_interval_of_a_share():
    """400 zeros of 2400, as a network with dead units has them; a range without any node."""
    values = jnp.concatenate(
        [jnp.zeros(400), jnp.linspace(-1, 2, 1996), jnp.array([5.0, 9, 20, 90])]
    )
    found = spectra.density(diagonal(values), jnp.ones(2400), jax.random.key(3), steps=30)
    for edge in (1e-6, 1e-3, 0.02):
        truth = jnp.mean(jnp.abs(values) <= edge)
        share, low, high = found.share(-edge, edge)
        assert low <= truth <= high
        assert low <= share <= high
    assert found.share(-1e-6, 1e-6).high - found.share(-1e-6, 1e-6).low > 0.1  # and says how little


@pytest.mark.slow
def test_intervals_of_shares_cover():
    """Of 40 densities of four spectra, each in three ranges: the inequalities are no estimates and
    the starts' part is 95 %, so at least 95 % of them all.
    """
    u, held = jnp.linspace(0, 1, 3000), []
    atoms = jnp.repeat(jnp.array([-1.0, 0.0, 2.0]), 1000)
    for values in (u, jnp.exp(-20 * u), atoms, jnp.where(u < 0.9, 1e-9 * u, u)):
        find = jax.jit(
            lambda k, v=values: spectra.density(diagonal(v), jnp.ones(3000), k, steps=25)
        )
        for key in jax.random.split(jax.random.key(5), 10):
            found = find(key)
            for low, high in ((-0.5, 0.5), (1e-3, 0.2), (-1e-10, 1e-8)):
                truth = jnp.mean((values >= low) & (values <= high))
                span = found.share(low, high)
                held.append(bool(span.low <= truth <= span.high))
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k is 0: the point has 9 parameters; give 1 to 9"),
        ({"k": 10}, "k is 10: the point has 9 parameters"),
        ({"k": 5, "steps": 3}, "steps is 3: 5 eigenvalues"),
        ({"k": 2, "which": "biggest"}, "unknown order 'biggest'"),
    ],
)
def test_wrong_calls_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        spectra.extreme(jaxnn.loss_on(xor()), bed(), jax.random.key(0), **settings)
    with pytest.raises(ValueError, match="starts is 1"):
        spectra.density(diagonal(jnp.ones(3000)), jnp.ones(3000), jax.random.key(0), starts=1)
