"""Landscapes with known answers, for what works on any landscape."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import ensembles
from jaxnn.landscape import minima


def quadratic(scales, minimum):
    """sum_k scales_k (p_k - minimum_k)^2 / 2: gradient scales (p - minimum), Hessian
    diag(scales).
    """

    def loss_fn(point):
        return 0.5 * jnp.sum(scales * jnp.square(point - minimum))

    return loss_fn


def himmelblau(point):
    """Four minima of value 0, at (3, 2) and three more."""
    return (point["x"] ** 2 + point["y"] - 11) ** 2 + (point["x"] + point["y"] ** 2 - 7) ** 2


def double_well(point):
    """(p^2 - 1)^2: minima at -1 and 1, maximum of 1 at 0."""
    return (point**2 - 1.0) ** 2


def mueller_brown(point):
    """The surface of Mueller & Brown 1979 (Theor. Chim. Acta 53, 75): three minima, two saddles."""
    x, y = point[0] - _MB[4], point[1] - _MB[5]
    return jnp.sum(_MB[0] * jnp.exp(_MB[1] * x**2 + _MB[2] * x * y + _MB[3] * y**2))


# A, a, b, c, x0, y0 of E = sum A exp(a (x - x0)^2 + b (x - x0) (y - y0) + c (y - y0)^2)
_MB = np.array(
    [
        (-200.0, -100.0, -170.0, 15.0),
        (-1.0, -1.0, -6.5, 0.7),
        (0.0, 0.0, 11.0, 0.6),
        (-10.0, -10.0, -6.5, 0.7),
        (1.0, 0.0, -0.5, -1.0),
        (0.0, 0.5, 1.5, 1.0),
    ]
)
# solved from these constants by mpmath at 40 digits: (x, y, E)
MUELLER_BROWN_MINIMA = np.array(
    [
        (-0.55822363463302428, 1.4417258418046687, -146.69951720995401),
        (0.62349940493087651, 0.028037758528685666, -108.16672411685235),
        (-0.050010822998206058, 0.46669410487197209, -80.767818129659028),
    ]
)
MUELLER_BROWN_SADDLES = np.array(
    [
        (-0.8220015587327321, 0.62431280281487136, -40.664843508657404),
        (0.21248658200066201, 0.29298832510736777, -72.248940112325212),
    ]
)


def ring(point):
    """(x^2 + y^2 - 1)^2 for {"at": (x, y)}: loss 0 on the whole unit circle, 1 at the origin."""
    return jnp.square(jnp.sum(jnp.square(point["at"])) - 1.0)


def pendula(coupling):
    """A chain of pendula by angle: sum 1 - cos angle, plus (coupling / 2) sum of squared
    differences.

    With a coupling above 1 and three pendula, the one saddle between all down at 0 and at 2 pi is
    all upright.
    """

    def loss_fn(point):
        angles = point["angles"]
        return jnp.sum(1 - jnp.cos(angles)) + 0.5 * coupling * jnp.sum(jnp.diff(angles) ** 2)

    return loss_fn


def lennard_jones(point):
    """The sum over pairs of 4 (r^-12 - r^-6) for {"positions": (atoms, dimensions)}."""
    positions = point["positions"]
    first, second = np.triu_indices(len(positions), 1)
    squares = jnp.sum((positions[first] - positions[second]) ** 2, axis=1)
    return jnp.sum(4 * (squares**-6 - squares**-3))


def himmelblau_stationary():
    """All nine as (x, y, loss, index), lowest first, from the roots of two polynomials.

    From df/dy = 0 and df/dx = 0: with u = x^2 + y - 11 and v = x + y^2 - 7, 2 x u + v = 0 and u +
    2 y v = 0, so u (1 - 4 x y) = 0: u = v = 0, or y = 1 / (4 x) in the first.
    """
    # v = 0 in u = 0: (7 - y^2)^2 + y - 11 = 0
    minima = [(7 - y**2, y) for y in np.roots([1, 0, -14, 1, 38]).real]
    # 2 x^3 + 2 x y - 22 x + x + y^2 - 7 = 0 at y = 1/(4 x), times 16 x^2
    inner = [(x, 1 / (4 * x)) for x in np.roots([32, 0, -336, -104, 0, 1]).real]
    found = []
    for x, y in [*minima, *inner]:
        hessian = np.array(
            [[12 * x**2 + 4 * y - 42, 4 * x + 4 * y], [4 * x + 4 * y, 12 * y**2 + 4 * x - 26]]
        )
        loss = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
        found.append((x, y, loss, int(np.sum(np.linalg.eigvalsh(hessian) < 0))))
    return sorted(found, key=lambda row: row[2])


XOR = jaxnn.Batch(
    np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]),
    np.array([[-0.8], [0.8], [0.8], [-0.8]]),
)
"""Inputs +-1, targets +-0.8."""


def xor_loss(l2=0.0125):
    """The landscape of tanh networks 2-H-1 on XOR; for H = 2 without output bias and l2 = 0.0125 it
    has 49 classes of stationary points, 11 of them minima, and 321 points.
    """
    return jaxnn.loss_on(XOR, activation="tanh", l2=l2)


def xor_starts(units=2, members=1500, *, seed=1, biases=(True, False)):
    """Networks 2-units-1 of float32 at scales from 0.3 to 3, members first."""
    drawn = ensembles.init(jax.random.key(seed), (2, units, 1), members=members, biases=biases)
    scales = np.random.default_rng(0).permutation(np.geomspace(0.3, 3, members))
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) * scales.reshape(-1, *[1] * (leaf.ndim - 1)), drawn
    )


@functools.cache
def xor_census():
    """The census of that landscape, made once for all tests of a process."""
    return minima.census(xor_loss(), xor_starts())
