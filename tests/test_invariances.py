"""How many classes a landscape has is its own: no constant in the loss, no unit of loss or
parameters and no head start of the searches changes it.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

from jaxnn import dynamics, init
from jaxnn.landscape import basins, minima
from jaxnn.losses import loss_on


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Moved:
    """scale (E(p / unit) + constant): compiled once for all of them."""

    constant: Any
    scale: Any
    unit: Any
    of: Any = dataclasses.field(metadata={"static": True})

    def __call__(self, p):
        return self.scale * (self.of(p / self.unit) + self.constant)


def hyperbola(p):
    """One valley of two branches, u v = 0.7, and a saddle at 0."""
    return 0.5 * (p[0] * p[1] - 0.7) ** 2


def circle(p):
    """One valley, and a maximum at 0."""
    return (p[0] ** 2 + p[1] ** 2 - 1) ** 2


def deep_linear(p):
    """w1 w2 w3 w4 = 1.5: one valley, with a degenerate saddle at 0."""
    return (jnp.prod(p) - 1.5) ** 2


def two_wells(p):
    """Two minima of one loss, and a saddle."""
    return (p[0] ** 2 - 1) ** 2 + p[1] ** 2


def nearly_two_wells(p):
    """Two minima whose losses are 2e-6 apart, and a saddle."""
    return two_wells(p) + 1e-6 * p[0]


def two_circles(p):
    """Two round valleys whose losses are 2e-6 apart, and a circle of saddles."""
    return (jnp.hypot(p[0], p[1]) - 2.0) ** 2 + (p[2] ** 2 - 1) ** 2 + 1e-6 * p[2]


def slope(p):
    """A limit at infinity."""
    return jnp.exp(-p[0]) + p[1] ** 2


XOR = loss_on(landscapes.XOR, activation=("tanh", "identity"), l2=0.0125)
SHAPES = jax.eval_shape(lambda: init(jax.random.key(0), (2, 2, 1)))


def network(p):
    """A network as anybody's function of a vector, its symmetries not known."""
    leaves, tree = jax.tree.flatten(SHAPES)
    parts = jnp.split(p, np.cumsum([leaf.size for leaf in leaves])[:-1])
    shaped = [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
    return XOR(jax.tree.unflatten(tree, shaped))


WAYS = {
    "a constant": (1.0, 1.0, 1.0),
    "a large constant": (1e3, 1.0, 1.0),
    "a small loss": (0.0, 1e-9, 1.0),
    "a large loss": (0.0, 1e9, 1.0),
    "small parameters": (0.0, 1.0, 1e-6),
    "large parameters": (0.0, 1.0, 1e6),
}
# the kinds of the classes that descent ends at
LANDSCAPES = {
    hyperbola: (2, ["flat"]),
    circle: (2, ["flat"]),
    deep_linear: (4, ["flat"]),
    two_wells: (2, ["minimum"] * 2),
    nearly_two_wells: (2, ["minimum"] * 2),
    two_circles: (3, ["flat"] * 2),
    slope: (2, ["attractor"]),
}
slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def classes(of, starts, *, constant=0.0, scale=1.0, unit=1.0, steps=300):
    """The census of minima below the starts, and where their searches ended."""
    loss_fn = Moved(*(jnp.asarray(x, jnp.float64) for x in (constant, scale, unit)), of=of)
    found = minima.polish_all(loss_fn, unit * starts, steps=steps)
    return minima.distinct(loss_fn, found), found.point / unit


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("of", [hyperbola, slope, *map(slow, [*LANDSCAPES][1:-1])])
def test_classes_do_not_depend_on_constants_units_or_head_starts(of):
    size, kinds = LANDSCAPES[of]
    starts = np.random.default_rng(0).normal(size=(60, size))
    plain, ends = classes(of, starts)
    assert plain.kinds == kinds
    for name, (constant, scale, unit) in WAYS.items():
        found, _ = classes(of, starts, constant=constant, scale=scale, unit=unit)
        assert found.kinds == kinds, name
        np.testing.assert_array_equal(found.hits, plain.hits, name)
        ahead, _ = classes(of, ends, constant=constant, scale=scale, unit=unit)
        assert ahead.kinds == kinds, f"{name}, from the ends"
    _, nearer = classes(of, starts, steps=8)
    assert classes(of, nearer)[0].kinds == kinds


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_classes_of_a_network_as_a_bare_function_do_not_either():
    """Each solution's 8 images count apart."""
    starts = np.random.default_rng(0).normal(size=(60, 9))
    plain, ends = classes(network, starts)
    assert len(plain.losses) > 8
    for name, (constant, scale, unit) in WAYS.items():
        # loss 0.1 on 1e3 is rounded at 1e-13: a search may end elsewhere, not as another class
        found, _ = classes(network, ends, constant=constant, scale=scale, unit=unit)
        assert (len(found.losses), found.kinds) == (len(plain.losses), plain.kinds), name


def test_eight_points_of_one_hyperbola_are_one_class():
    u = np.linspace(0.5, 2.0, 8)
    assert minima.distinct(hyperbola, np.stack([u, 0.7 / u], axis=1)).hits.tolist() == [8]


@pytest.mark.slow
@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_flow_to_one_valley_leads_to_one_attractor(constant):
    starts = np.random.default_rng(0).normal(size=(200, 2))
    loss_fn = Moved(constant, 1.0, 1.0, hyperbola)
    found = basins.find(loss_fn, starts, dynamics.gradient_flow(400))
    assert found.attractors.kinds == ["flat"]
    assert np.all(found.labels == 0)


@pytest.mark.slow
@pytest.mark.parametrize("of", [hyperbola, circle, two_wells, nearly_two_wells])
def test_a_census_does_not_depend_on_them_either(of):
    starts = np.random.default_rng(0).normal(size=(80, 2))
    kinds = minima.census(of, starts).kinds
    for name, (constant, scale, unit) in WAYS.items():
        found = minima.census(Moved(constant, scale, unit, of), unit * starts)
        assert found.kinds == kinds, name
