"""What lies outwards of where a search rests: limits at infinity, flat minima, dead numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import data, ensembles
from jaxnn.landscape.many import polish_all
from jaxnn.landscape.minima import Ending, polish


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def ended(loss_fn, start):
    return jax.tree.map(np.asarray, jax.jit(lambda p: polish(loss_fn, p))(jnp.array(start)))


def falling(p):
    return jnp.tanh(p[0]) + p[1] ** 2


@pytest.mark.parametrize(
    ("start", "level"), [(-10.0, -1.0), (-30.0, -1.0), (30.0, 1.0), (1.0, -1.0)]
)
def test_a_plateau_has_the_limit_of_its_loss_whatever_its_sign(start, level):
    found = ended(falling, [start, 0.5])
    assert found.ending == Ending.plateau
    np.testing.assert_allclose(found.level, level, atol=1e-14)


def test_a_loss_without_a_limit_is_no_plateau():
    found = ended(lambda p: -p[0] + p[1] ** 2, [1.0, 1.0])
    assert found.ending == Ending.unfinished
    assert found.level == found.loss < -1e30  # last seen, no limit


@pytest.mark.parametrize("start", [(3.0, 1.0), (-2.0, 0.5), (0.5, 1.0)])
def test_a_minimum_of_degree_six_is_no_plateau(start):
    found = ended(lambda p: (p[0] - 1.0) ** 6 + p[1] ** 2, start)
    assert (found.ending, found.index, found.zero) == (Ending.stationary, 0, 1)
    assert abs(found.point[0] - 1.0) < 1e-3


def test_soft_directions_beside_stiff_ones_come_to_rest_too():
    """1e10 (x - 1)^2 - 1e-7 y^2 + 1e-8 y^4: y^2 = 5."""
    found = ended(
        lambda p: 1e10 * (p[0] - 1) ** 2 - 1e-7 * p[1] ** 2 + 1e-8 * p[1] ** 4, [0.5, 3.0]
    )
    assert found.ending == Ending.stationary
    np.testing.assert_allclose(found.point, [1.0, np.sqrt(5.0)], rtol=1e-6)


def test_numbers_of_very_different_size_come_to_rest_too():
    """NIST StRD Misra1a from its first start: b = 238.94212918, 5.5015643181e-4."""
    x = jnp.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8,
                   593.1, 689.1, 760.0])  # fmt: skip
    y = jnp.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01,
                   66.40, 75.47, 81.78])  # fmt: skip
    found = ended(lambda b: jnp.sum((y - b[0] * (1 - jnp.exp(-b[1] * x))) ** 2), [500.0, 1e-4])
    assert found.ending == Ending.stationary
    np.testing.assert_allclose(found.point, [238.94212918, 5.5015643181e-4], rtol=1e-7)


@pytest.mark.slow
def test_a_thousandfold_network_is_at_rest_nowhere_known_as_a_network_or_not():
    network = jaxnn.loss_on(data.xor())
    starts = ensembles.init(jax.random.key(0), (2, 2, 1), members=24, scale=1000.0)
    for loss_fn in (network, lambda p: network(p)):
        endings = polish_all(loss_fn, starts).ending
        assert not np.any(endings == Ending.stationary)
        assert np.sum(endings == Ending.plateau) >= 20


def test_a_steep_fall_is_no_limit_however_high_it_began():
    for steep, starts in ((45.0, [[15.0], [1.0]]), (1000.0, [[0.7], [0.1]])):
        found = polish_all(lambda q, a=steep: jnp.cosh(a * q[0]), jnp.array(starts))
        assert Ending.plateau not in found.ending.tolist()
        done = found.ending == Ending.stationary
        np.testing.assert_allclose(found.loss[done], 1.0)


@pytest.mark.parametrize("constant", [0.0, 1e3, 1e6])
def test_a_degenerate_point_beside_a_constant_is_no_limit(constant):
    found = polish_all(
        lambda q: q[0] ** 3 - 3 * q[0] * q[1] ** 2 + constant, jnp.array([[1e-3, 0.0]])
    )
    known = found.ending[0] == Ending.stationary
    assert known or found.ending[0] == Ending.unfinished  # what rounding hides is not known
    if known:
        assert (found.index[0], found.zero[0]) == (0, 2)
    np.testing.assert_allclose(found.level, constant, atol=1e-8)
