"""Creases are told from points where the loss is smooth, however curved."""

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn.landscape.kinks import has_kink
from jaxnn.landscape.quadratics import local_of
from jaxnn.landscape.searches import begin

pytestmark = pytest.mark.usefixtures("x64")


def kink(loss_fn, flat):
    at = local_of(loss_fn, lambda p: p)
    return bool(jax.jit(lambda p: has_kink(loss_fn, begin(at, p), p))(jnp.array(flat)))


@pytest.mark.parametrize(
    ("loss_fn", "flat"),
    [
        (lambda p: jnp.sum(jnp.abs(p)), [0.0, 1.0]),
        (lambda p: jnp.abs(p[0]) + p[1] ** 2, [1e-9, 1.0]),  # within the probes
        (lambda p: jnp.maximum(p[0], 0.0) ** 2 + p[1] ** 2, [0.0, 1.0]),  # H alone jumps
        (lambda p: 1e-6 * jnp.abs(p[0]) + p[1] ** 2, [0.0, 1.0]),
        (lambda p: jnp.sqrt(p @ p), [0.0, 0.0]),
        (lambda p: jnp.abs(p[0]) ** 1.5 + p[1] ** 2, [0.0, 0.0]),
    ],
)
def test_a_crease_is_found(loss_fn, flat):
    assert kink(loss_fn, flat)


@pytest.mark.parametrize(
    ("loss_fn", "flat"),
    [
        (lambda p: jnp.sum(jnp.abs(p)), [1e-3, 1.0]),  # beside the crease
        (lambda p: jnp.sum(p**4), [0.0, 0.0]),
        (lambda p: jnp.sum(p**4), [0.3, -2.0]),
        (lambda p: -(p @ p), [0.0, 0.0]),  # terms of 0, and rounding of the probes
        (lambda p: 1e-9 * (p @ p) + p[0] * p[1] ** 2, [0.0, 0.0]),
        (lambda p: jnp.sum(jnp.cos(100.0 * p)), [0.01, 0.02]),
        (lambda p: jnp.sum(p) * 0.0 + 3.0, [1.0, 2.0]),
        (landscapes.mueller_brown, [-0.558, 1.442]),
        (lambda p: 1e8 * (p[0] - p[1] ** 2) ** 2 + (1 - p[1]) ** 2, [1.0, 1.0]),
        (lambda p: jnp.exp(-p[0]) + p[1] ** 2, [40.0, 0.0]),
    ],
)
def test_a_smooth_point_is_none(loss_fn, flat):
    assert not kink(loss_fn, flat)


def test_a_relu_network_has_a_kink_where_a_unit_is_at_0_on_a_case():
    batch = (np.array([[1.0], [2.0]]), np.array([[0.3], [1.0]]))
    loss_fn = jaxnn.loss_on(batch, activation=("relu", "identity"))

    def of_flat(p):
        return loss_fn([(p[:1, None], p[1:2]), (p[2:3, None], None)])

    assert kink(of_flat, [0.5, -0.5, 1.0])  # 0.5 x - 0.5 is 0 on the first case
    assert not kink(of_flat, [0.5, -0.4, 1.0])


def test_many_points_at_once_have_their_own_answers():
    def loss_fn(p):
        return jnp.abs(p[0]) + p[1] ** 2

    at = local_of(loss_fn, lambda p: p)
    points = jnp.array([[0.0, 1.0], [0.5, 1.0], [-0.5, 0.0], [0.0, 0.0]])
    found = jax.jit(jax.vmap(lambda p: has_kink(loss_fn, begin(at, p), p)))(points)
    np.testing.assert_array_equal(found, [True, False, False, True])
