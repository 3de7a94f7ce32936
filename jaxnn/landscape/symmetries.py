"""The symmetries of a loss: motions of the hidden units that leave the network's function, and with
it the loss, as it is.

What a motion is depends on the activation, on the penalty and on the next layer's biases: see
`units.kinds_of`. The group is that of the parametrisation; symmetries of the data are found in
`data_symmetries` and reported beside.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.tree_util import Partial

from jaxnn import summaries
from jaxnn.landscape import data_symmetries, orbits
from jaxnn.landscape.canonical import representative
from jaxnn.landscape.checks import check_alike, check_network
from jaxnn.landscape.matching import group_order, match, nearest_element, products
from jaxnn.landscape.units import ROTATED, balanced, centred, kinds_of, moved, scaled
from jaxnn.losses import LossOn, fitted, penalised
from jaxnn.vocabulary import Landscape, lookup

MOST_IMAGES = 100_000


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Symmetry:
    """The group of a loss; made by `of`. For a loss that is no `LossOn` it is not known, and taken
    for trivial: images count apart.

    Every discrete motion is a signed permutation of hidden units: (order, signs) for each hidden
    layer, unit i of the image being signs_i times unit order_i of the point.
    """

    loss_fn: Any
    penalised: bool = dataclasses.field(metadata={"static": True})

    _repr_html_ = summaries.html(also=("known",))

    @property
    def known(self) -> bool:
        """Whether the symmetries of the loss are known: those of a `LossOn` are."""
        return isinstance(self.loss_fn, LossOn)

    def kinds(self, point: Any) -> tuple[str, ...]:
        """What moves the units of each hidden layer, a word a layer (see `units.kinds_of`).

        Raises:
            ValueError: a point that is not a network of this loss, with floating-point leaves.
        """
        return self._network(point)[1]

    def canonical(self, point: Any) -> Any:
        """The same point for all images of a point, to rounding: same function, same loss.

        Signs and order of the units are decided layer by layer from the first. It jumps where two
        units are nearly equal or a unit's key is nearly 0, so it sorts points into buckets; whether
        two are equal, `distance` says. Not canonical: in a hidden layer before another, units with
        equal incoming weights and equally long outgoing ones, and the sign of units with no
        incoming weights; in linear and orthogonal layers, axes of equal singular values. Relu
        units are balanced, linear layers too (an SVD a layer): see `units.balanced`.

        Raises:
            ValueError: as `kinds`.
        """
        layers, kinds = self._network(point)
        if not kinds:
            return point
        layers, _ = balanced(centred(layers, kinds), kinds)
        return self._as_point(point, representative(layers, kinds), kinds)

    def distance(self, a: Any, b: Any) -> Array:
        """The smallest |a - g b| over the group, a scalar: 0 for images, but for rounding.

        Measured with centred biases c = b + sum_j v_j / 2 after logistic units, and with balanced
        relu and linear layers. There every motion keeps lengths, so the minimum is the same from
        both sides; in the raw parameters a flip does not, and it would not be. Exact for one hidden
        layer and for small ones; otherwise an upper bound (see `matching.match`), which is 0 for
        images whose units have different incoming weights.

        Raises:
            ValueError: points of different structure, or as `kinds`.
        """
        first, _, second, kinds = self._pair(a, b)
        nearest = match(first, second, kinds)
        pairs = zip(jax.tree.leaves(first), jax.tree.leaves(nearest), strict=True)
        squares = [jnp.sum(jnp.square(p - q)) for p, q in pairs]
        return jnp.sqrt(sum(squares[1:], start=squares[0]))

    def align(self, a: Any, b: Any, *, by: str = "weights") -> Any:
        """The image of b nearest to a, with the same loss as b: "weights" in the metric of
        `distance`, or "activations", by the units' correlations over the batch.

        Weight matching and activation matching of Ainsworth et al. 2023 (sections 3.2 and 3.1),
        with signs. Units that are constant on the batch match none by activations. Relu units get
        the scales of a's units, so an image of a comes out as a. Linear layers come out balanced
        and turned towards a's balanced form (orthogonal Procrustes): where M = outgoing @ incoming
        has a low rank, no image of b need be near a.

        Raises:
            ValueError: an unknown `by`, points of different structure, or as `kinds`.
        """
        ways = {"weights": match, "activations": self._by_activations}
        way = lookup(ways, by, what="way to align by")
        first, factors, second, kinds = self._pair(a, b)
        if not kinds:
            return b
        nearest = way(first, second, kinds)
        for n, factor in enumerate(factors):
            nearest = nearest if factor is None else scaled(nearest, n, 1.0 / factor)
        return self._as_point(b, nearest, kinds)

    def image(self, point: Any, elements: list) -> Any:
        """The image of a point under (order, signs) for each hidden layer, each (units,).

        Signs other than 1 belong to layers of the kinds "signs" and "logistic" alone; values are
        not checked. For linear and orthogonal layers an orthogonal matrix (units, units) may stand.

        Raises:
            ValueError: another number of elements than hidden layers, or as `kinds`.
        """
        layers, kinds = self._network(point)
        if len(elements) != len(kinds):
            raise ValueError(
                f"{len(elements)} elements for {len(kinds)} hidden layers: give one a layer"
            )
        layers = centred(layers, kinds) if kinds else layers
        for n, element in enumerate(elements):
            layers = moved(layers, n, element)
        return self._as_point(point, layers, kinds) if kinds else point

    def images(self, point: Any) -> Any:
        """All images of a point under the discrete group, with a leading axis; the point first.

        Each element of the group once, so images repeat where a motion leaves the point as it is.

        Raises:
            ValueError: a group of more than MOST_IMAGES elements, or as `kinds`.
        """
        layers, kinds = self._network(point)
        if not kinds:
            return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], point)
        widths = [len(W) for W, _ in layers[:-1]]
        order = math.prod(group_order(H, kind) for H, kind in zip(widths, kinds, strict=True))
        if order > MOST_IMAGES:
            raise ValueError(
                f"the group has {order} elements, more than {MOST_IMAGES}: "
                "use image for one, or orbit_size for their number"
            )
        every = products(widths, kinds, layers[0][0].dtype)
        return jax.vmap(lambda elements: self.image(point, elements))(every)

    def orbit_size(self, point: Any, *, tolerance: float | None = None) -> int:
        """How many different points the discrete group makes of a point, |G| / |stabiliser|.

        2^H H! for H tanh units that differ (Sussmann 1992; Chen, Lu & Hecht-Nielsen 1993), fewer
        where units are equal, equal up to sign, or zero. Scales and rotations are not counted: see
        `orbit_dimension`. On the host.

        Args:
            point: one network.
            tolerance: relative to the largest entry; units that differ by no more are equal.
                Default the root of the dtype's precision, 1.5e-8 in float64: what a polished
                minimum can be relied on.

        Raises:
            ValueError: traced points, points with too many equal units (see `orbits.size`), or as
                `kinds`.
        """
        layers, kinds, tolerance = self._on_host(point, tolerance, "orbit_size")
        layers, _ = balanced(centred(layers, kinds), kinds) if kinds else (layers, [])
        return orbits.size(layers, kinds, tolerance) if kinds else 1

    def orbit_dimension(self, point: Any, *, tolerance: float | None = None) -> int:
        """In how many directions the continuous group moves a point: relu scales, rotations, GL.

        The rank of the directions, singular values below `tolerance` (relative, default as
        `orbit_size`) being 0. Usually units for relu; for identity with full ranks p and q of the
        incoming and outgoing side H^2 - (H - p) (H - q). That many Hessian eigenvalues are 0 at a
        minimum. On the host.

        Raises:
            ValueError: traced points, or as `kinds`.
        """
        layers, kinds, tolerance = self._on_host(point, tolerance, "orbit_dimension")
        return orbits.dimension(layers, kinds, tolerance) if kinds else 0

    def tangents(self, point: Any) -> np.ndarray:
        """The directions of length 1 in which the continuous group moves a point, (generators, P),
        not all independent; `orbit_dimension` is their rank. On the host.

        Raises:
            ValueError: traced points, or as `kinds`.
        """
        layers, kinds, _ = self._on_host(point, None, "tangents")
        size = sum(np.size(leaf) for leaf in jax.tree.leaves(point))
        return orbits.tangents(layers, kinds) if kinds else np.zeros((0, size))

    def of_data(self, point: Any) -> tuple[data_symmetries.DataSymmetry, ...]:
        """The symmetries of the training cases that act on this point's parameters and keep the
        loss, the identity first. They are no part of the group.

        Raises:
            ValueError: as `kinds` or `data_symmetries.of`.
        """
        if not isinstance(self.loss_fn, LossOn):
            return ()
        self._network(point)
        found = data_symmetries.of(self.loss_fn)
        return tuple(symmetry for symmetry in found if symmetry.obstacle(point) is None)

    def _network(self, point: Any) -> tuple[list, tuple[str, ...]]:
        """The point's layers and what moves them; no layers for a loss that is no network's."""
        if not isinstance(self.loss_fn, LossOn):
            return [], ()
        check_network(point)
        activation = self.loss_fn.activation
        layers = fitted(point, self.loss_fn.counted, activation)[0]
        pairs = [(W, b) for W, b, _ in layers]
        names = (activation,) * len(pairs) if isinstance(activation, str) else activation
        biases = [b is not None for _, b in pairs]
        return pairs, kinds_of(names, biases, self.penalised)

    def _pair(self, a: Any, b: Any) -> tuple[Any, list, Any, tuple[str, ...]]:
        """Both points in centred and balanced coordinates, with the factors of a's balance."""
        check_alike(a, b)
        layers, kinds = self._network(a)
        if not kinds:
            return a, [], b, ()
        first, factors = balanced(centred(layers, kinds), kinds)
        second, _ = balanced(centred(self._network(b)[0], kinds), kinds)
        return first, factors, second, kinds

    def _as_point(self, like: Any, layers: list, kinds: tuple[str, ...]) -> Any:
        leaves = jax.tree.leaves(centred(layers, kinds, back=True))
        return jax.tree.unflatten(jax.tree.structure(like), leaves)

    def _on_host(self, point: Any, tolerance: float | None, what: str) -> tuple[list, tuple, float]:
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(point)):
            raise ValueError(f"{what} counts on the host: call it outside jit and vmap")
        layers, kinds = self._network(point)
        if tolerance is None:
            tolerance = float(np.sqrt(jnp.finfo(layers[0][0].dtype).eps)) if kinds else 0.0
        return layers, kinds, tolerance

    def _by_activations(self, a: list, b: list, kinds: tuple[str, ...]) -> list:
        """Network b with each layer's units matched to those of a that take like values on the
        batch.
        """
        values = [self._hidden_values(layers, kinds) for layers in (a, b)]
        for n, (first, second) in enumerate(zip(*values, strict=True)):
            if kinds[n] not in ROTATED:
                first, second = _normalised(first), _normalised(second)
            b = moved(b, n, nearest_element(first @ second.T, kinds[n]))
        return b

    def _hidden_values(self, layers: list, kinds: tuple[str, ...]) -> list[Array]:
        """The hidden layers' values minus their means over the batch, (units, cases) each."""
        network = centred(layers, kinds, back=True)
        checked, batch = fitted(network, self.loss_fn.counted, self.loss_fn.activation)
        v, values = batch.inputs.T, []
        for W, b, sigma in checked[:-1]:
            v = sigma.value(W @ v if b is None else W @ v + b[:, None])
            values.append(v - jnp.mean(v, axis=1, keepdims=True))
        return values


def of(loss_fn: Landscape) -> Symmetry:
    """The symmetries of a loss.

    An l2 that is an array counts as a penalty unless it is concrete and 0, so that a compiled sweep
    over l2 never uses a motion that the penalty forbids. A `Symmetry` made outside jit may be given
    to a compiled function: it knows.

    >>> import jaxnn
    >>> params = jaxnn.init(jax.random.key(0), (2, 2, 1))
    >>> of(jaxnn.loss_on(jaxnn.data.xor())).orbit_size(params)  # 2 units in any order, turned over
    8
    """
    if not isinstance(loss_fn, LossOn):
        known = len(jax.tree.leaves(loss_fn)) != 1 or jax.tree.leaves(loss_fn)[0] is not loss_fn
        return Symmetry(loss_fn if known else Partial(loss_fn), False)
    l2 = loss_fn.l2
    zero = penalised(l2) and not isinstance(l2, Tracer) and not np.any(np.asarray(l2))
    return Symmetry(loss_fn, penalised(l2) and not zero)


def _normalised(values: Array) -> Array:
    """Rows of length 1; rows of zeros stay."""
    lengths = jnp.linalg.norm(values, axis=1, keepdims=True)
    return values / jnp.where(lengths > 0, lengths, 1.0)
