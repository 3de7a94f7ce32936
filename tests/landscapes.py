"""Landscapes with known answers, for what works on any landscape."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxnn
from jaxnn import ensembles
from jaxnn.activations import sigmoid
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


def goblet(point):
    """(x^2 + y^2 - 1)^2 + (z^2 - 1)^2 + z / 10 for {"place": (x, y, z)}: round about the z axis.

    Two circles of minima, near z = -1 and 1, and one of transition states between them at the
    middle root of 4 z (z^2 - 1) + 1/10 = 0.
    """
    x, y, z = point["place"]
    return jnp.square(x**2 + y**2 - 1.0) + jnp.square(z**2 - 1.0) + 0.1 * z


# the roots of 4 z^3 - 4 z + 1/10, the middle one the transition states'
GOBLET_HEIGHTS = np.sort(np.roots([4.0, 0.0, -4.0, 0.1]).real)


def neurons(axes, examples):
    """One logistic neuron without bias, with `examples` cases on each of its inputs' axes at 10^0,
    10^1, ... and targets 0.75: an input alone has its minimum at w = ln(3) / x and a loss that is
    the same, 1/16, on both sides, so examples on an axis do not merge their minima (the
    construction of Auer, Herbster & Warmuth 1995).
    """
    places = 10.0 ** np.arange(examples)
    inputs = np.concatenate([np.outer(places, unit) for unit in np.eye(axes)])
    return jaxnn.loss_on((jnp.asarray(inputs), jnp.full((len(inputs), 1), 0.75)))


XOR_INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_TARGETS = np.array([0.0, 1.0, 1.0, 0.0])


def direct_links(point):
    """The exclusive or of 0 and 1 by one hidden unit and direct links from the inputs to the output
    (Sprinkhuizen-Kuyper & Boers 1996), logistic: {"hidden": (3,), "output": (4,)}, the mean squared
    error.
    """
    x, y = XOR_INPUTS.T
    w, v = point["hidden"], point["output"]
    h = sigmoid(w[0] * x + w[1] * y + w[2])
    outputs = sigmoid(v[0] * x + v[1] * y + v[2] * h + v[3])
    return jnp.mean((outputs - XOR_TARGETS) ** 2)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Growth:
    """Rat42 of NIST's StRD: the sum of squares of y - b1 / (1 + exp(b2 - b3 x)) at the point b."""

    x: jax.Array
    y: jax.Array

    def __call__(self, b):
        return jnp.sum(self.residuals(b) ** 2)

    def residuals(self, b):
        return b[0] / (1 + jnp.exp(b[1] - b[2] * self.x)) - self.y


RAT42_X = np.array([9.0, 14, 21, 28, 42, 57, 63, 70, 79])
RAT42_Y = np.array([8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08])


def half_plane_product(w, v):
    """E max(w x, 0) max(v x, 0) = |w| |v| / (2 pi) (sin t + (pi - t) cos t) for standard normal x,
    t the angle between w and v (Cho & Saul 2009, eq. 6; Safran & Shamir 2018).

    With r = tan t it is w v / 2 + w v (r - atan r) / (2 pi). Below 0.03, where r^2 comes from what
    of w is across v, r - atan r is its series, which has derivatives to the second at r = 0.
    """
    dot, squared = jnp.vdot(w, v), jnp.vdot(v, v)
    across = w - dot / squared * v
    size = jnp.vdot(across, across) * squared
    near = (dot > 0) & (size < 1e-3 * dot**2)
    dot_near, size_near = jnp.where(near, dot, 1.0), jnp.where(near & (size > 0), size, 1e-3)
    squares = size_near / dot_near**2
    series = sum((-squares) ** k / (2 * k + 3) for k in range(6))
    small = jnp.where(size > 0, dot_near * squares**1.5 * series, 0.0)
    sine = jnp.sqrt(jnp.where(near, 1.0, size))
    excess = jnp.where(near, small, sine - jnp.arctan2(sine, dot) * dot)
    return dot / 2 + excess / (2 * jnp.pi)


def teacher_student(point):
    """E (sum_i max(w_i x, 0) - sum_j max(x_j, 0))^2 / 2 over standard normal x, w the rows of point
    (units, units): the students of as many orthonormal teachers (Safran & Shamir 2018).

    The loss is 0 at the permutations of the unit matrix, its Hessian continuous there.
    """
    k = len(point)
    between = jax.vmap(jax.vmap(half_plane_product, (None, 0)), (0, None))
    first, second = np.triu_indices(k, 1)
    own = jnp.sum(point**2) / 4 + jnp.sum(jax.vmap(half_plane_product)(point[first], point[second]))
    teachers = (k + k * (k - 1) / jnp.pi) / 4
    return own - jnp.sum(between(point, jnp.eye(k, dtype=point.dtype))) + teachers


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


XOR = (
    np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]),
    np.array([[-0.8], [0.8], [0.8], [-0.8]]),
)
"""Inputs +-1, targets -+0.8, in float64 (Coetzee & Stonick 1996)."""


def xor_loss(l2: float | jax.Array = 0.0125):
    """The landscape of tanh networks 2-H-1 on XOR, that of Coetzee & Stonick 1996 divided by 4; for
    H = 2 without output bias and l2 = 0.0125 it has 49 classes of stationary points, 11 of them
    minima, and 321 points.
    """
    with jax.enable_x64(True):  # without it 0.8 would be float32's
        return jaxnn.loss_on(XOR, activation="tanh", l2=l2)


def _tanh_network(W, b, v) -> Any:
    arrays: Any = [np.array(part) for part in (W, b, [v])]
    return (jaxnn.Layer(arrays[0], arrays[1]), jaxnn.Layer(arrays[2], None))


# to three digits, in order of their index: a solution, and two saddles of loss 0.403 and 0.640
XOR_POINTS = (
    _tanh_network([[-1.509, -1.509], [0.341, 0.341]], [-1.509, 0.341], [-1.986, -3.259]),
    _tanh_network([[1.528, -0.83], [1.038, 0.113]], [1.528, 1.038], [-1.084, 1.091]),
    _tanh_network([[0.064, -0.096], [-0.064, -0.096]], [0.096, 0.096], [-0.064, 0.064]),
)


def xor_starts(units=2, members=1500, *, seed=1, biases=(True, False)):
    """Networks 2-units-1 of float32 at scales from 0.3 to 3, members first."""
    drawn = ensembles.init(jax.random.key(seed), (2, units, 1), members=members, biases=biases)
    scales = np.random.default_rng(0).permutation(np.geomspace(0.3, 3, members))
    scales = scales.astype(np.float32)
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) * scales.reshape(-1, *[1] * (leaf.ndim - 1)), drawn
    )


@functools.cache
def xor_census():
    """The census of that landscape, made once for all tests of a process."""
    return minima.census(xor_loss(), xor_starts())
