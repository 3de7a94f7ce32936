"""The spectrum of a Hessian: its extreme eigenpairs with bounds, and the density of all of it."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from jaxnn import summaries
from jaxnn.intervals import Z95
from jaxnn.lanczos import ritz, tridiagonalise
from jaxnn.landscape.curvature import flat_product, hessian
from jaxnn.landscape.eigenpairs import ORDERS, leading
from jaxnn.vocabulary import Landscape, lookup

EXACT = 2000
"""Parameters up to which the whole Hessian is taken, whose eigenvalues are exact."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Eigenpairs:
    """Eigenvalues of a Hessian with their eigenvectors.

    eigenvalues: (k,). vectors: trees of Euclidean length 1 in the point's structure, k of them
    stacked. residuals: (k,) |H v - lambda v|: within that distance of lambda lies an eigenvalue
    (Parlett 1998, theorem 4.5.1). converged: (k,) residuals small enough. products: with the
    Hessian, in all.
    """

    eigenvalues: Array
    vectors: Any
    residuals: Array
    converged: Array
    products: Array

    _repr_html_ = summaries.html()


def extreme(
    loss_fn: Landscape,
    point: Any,
    key: Array,
    *,
    k: int,
    which: str = "magnitude",
    steps: int | None = None,
    tolerance: float | Array | None = None,
) -> Eigenpairs:
    """The k eigenvalues of the Hessian that come first, and their eigenvectors.

    Up to EXACT parameters from the whole Hessian; above by Lanczos' method with full
    reorthogonalisation, without which false copies of eigenvalues appear, and from further starts,
    without which true ones are missed (see `eigenpairs.leading`). Memory: 2 steps + 2 k copies of
    the point.

    >>> saddle = lambda p: p[0] ** 2 - 3 * p[1] ** 2
    >>> extreme(saddle, jnp.zeros(2), jax.random.key(0), k=2).eigenvalues
    Array([-6.,  2.], dtype=float32)

    Args:
        loss_fn: a point -> a scalar.
        point: any pytree of float arrays.
        key: draws the start; used up.
        k: how many, from 1 to the number of parameters.
        which: "magnitude", by absolute value, largest first; "largest" or "smallest", by value.
        steps: of Lanczos from each start, each a product, at most; default 2 k + 30. It stops once
            all k have converged.
        tolerance: a pair is converged where its residual is at most this times the largest
            absolute eigenvalue found; default sqrt(eps). The eigenvalue itself is then off by
            about residual^2 / gap to the next one.

    Raises:
        ValueError: k out of range, steps below k, an unknown order; as `checks.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    order = lookup(ORDERS, which, what="order")
    size = flat.size
    if not 1 <= k <= size:
        raise ValueError(f"k is {k}: the point has {size} parameters; give 1 to {size}")
    steps = min(2 * k + 30 if steps is None else steps, size)
    if steps < k:
        raise ValueError(f"steps is {steps}: {k} eigenvalues need at least as many steps")
    if tolerance is None:
        tolerance = jnp.sqrt(jnp.finfo(flat.dtype).eps).astype(flat.dtype)
    if size <= EXACT:
        values, vectors = jnp.linalg.eigh(hessian(loss_fn, point))
        first = jnp.argsort(order.key(values))[:k]
        found, rows, used = values[first], vectors.T[first], jnp.int32(size + k)
        images = jax.lax.map(product, rows, batch_size=k)
        residuals = jnp.linalg.norm(images - found[:, None] * rows, axis=1)
        close = residuals <= tolerance * jnp.max(jnp.abs(values))
    else:
        found, residuals, close, rows, used = leading(
            product, key, flat, order, k=k, steps=steps, tolerance=tolerance
        )
    vectors = jax.vmap(ravel_pytree(point)[1])(rows)
    return Eigenpairs(found, vectors, residuals, close, used)


def sharpness(loss_fn: Landscape, point: Any, key: Array, *, steps: int = 50) -> Array:
    """The largest eigenvalue of the Hessian, a scalar; from below, by at most so many steps of
    Lanczos where there are more than EXACT parameters.

    Gradient descent at step sizes above 2 / sharpness leaves a quadratic minimum.

    Raises:
        ValueError: as `extreme`.
    """
    return extreme(loss_fn, point, key, k=1, which="largest", steps=steps).eigenvalues[0]


class Share(NamedTuple):
    """A share of a spectrum and its 95 % interval, in [0, 1]; all alike where it is exact."""

    share: Array
    low: Array
    high: Array

    _repr_html_ = summaries.html()


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Density:
    """The distribution of a Hessian's eigenvalues.

    nodes, weights: (starts, n) eigenvalues in ascending order and the share of the spectrum that
    each stands for; a row's weights sum to 1. exact: one row, of all eigenvalues. products: with
    the Hessian. size: of the Hessian, P.
    """

    nodes: Array
    weights: Array
    exact: bool = dataclasses.field(metadata={"static": True})
    products: int = dataclasses.field(metadata={"static": True})
    size: int = dataclasses.field(metadata={"static": True})

    _repr_html_ = summaries.html()

    def smoothed(self, grid: Array, width: float | Array) -> Array:
        """The density (len(grid),) under Gaussians of this standard deviation, averaged over
        starts; in 1 / units of an eigenvalue.
        """
        gaps = (grid[:, None, None] - self.nodes[None]) / width
        bumps = jnp.exp(-0.5 * gaps**2) / (width * jnp.sqrt(2.0 * jnp.pi))
        return jnp.sum(bumps * self.weights[None], axis=(1, 2)) / len(self.nodes)

    def histogram(self, edges: Array) -> Array:
        """The share of eigenvalues in each bin [edges_i, edges_i+1), the last one closed:
        (bins,), averaged over starts; exact counts over P where `exact`.
        """
        place = jnp.searchsorted(edges, self.nodes, side="right") - 1
        place = jnp.where(self.nodes == edges[-1], len(edges) - 2, place)
        bins = jnp.arange(len(edges) - 1)
        inside = place[:, :, None] == bins[None, None]
        total = jnp.sum(jnp.where(inside, self.weights[:, :, None], 0.0), axis=(0, 1))
        return total / len(self.nodes)

    def share(self, low: float | Array, high: float | Array) -> Share:
        """The share of eigenvalues in [low, high] with its 95 % interval; that share alone if
        exact.

        Else the interval holds two errors. Of the quadrature: what lies below an edge between nodes
        k and k + 1 weighs at least w_1 + ... + w_k-1 and at most w_1 + ... + w_k+1, whatever the
        spectrum (the Chebyshev-Markov-Stieltjes inequalities; Golub & Meurant 2010, 3.1), so a
        range narrower than the nodes' distance is told no more of than their weights. Of the
        random starts: for each, what the range weighs is beta-distributed with the variance 2 p
        (1 - p) / (P + 2) about the share p, from which Wilson's interval follows.
        """
        inside = (self.nodes >= low) & (self.nodes <= high)
        share = jnp.mean(jnp.sum(jnp.where(inside, self.weights, 0.0), axis=1))
        if self.exact:
            return Share(share, share, share)
        (least_low, most_low), (least_high, most_high) = self._below(low), self._below(high)
        draws = 0.5 * len(self.nodes) * (self.size + 2)
        least = jnp.mean(jnp.clip(least_high - most_low, 0.0, 1.0))
        most = jnp.mean(jnp.clip(most_high - least_low, 0.0, 1.0))
        return Share(share, _score(least, draws, -1.0), _score(most, draws, 1.0))

    def _below(self, edge: float | Array) -> tuple[Array, Array]:
        """What lies below the edge, and up to it, weighs at least and at most, (starts,) each."""
        index, count = jnp.arange(self.nodes.shape[1])[None, :], jnp.sum(self.nodes <= edge, axis=1)
        first = jnp.sum(self.nodes < edge, axis=1)
        least = jnp.sum(jnp.where(index < (first - 1)[:, None], self.weights, 0.0), axis=1)
        most = jnp.sum(jnp.where(index < (count + 1)[:, None], self.weights, 0.0), axis=1)
        return least, most


def _score(share: Array, trials: float, side: float) -> Array:
    """The lower (side -1) or upper (1) end of Wilson's 95 % interval, as `intervals.wilson`."""
    spread = jnp.sqrt(share * (1 - share) / trials + (Z95 / (2 * trials)) ** 2)
    end = (share + Z95**2 / (2 * trials) + side * Z95 * spread) / (1 + Z95**2 / trials)
    return jnp.clip(end, 0.0, share) if side < 0 else jnp.clip(end, share, 1.0)


def density(
    loss_fn: Landscape, point: Any, key: Array, *, starts: int = 10, steps: int = 80
) -> Density:
    """How the Hessian's eigenvalues are distributed.

    Up to EXACT parameters all of them; above, stochastic Lanczos quadrature (Lin, Saad & Yang 2016,
    section 3.2; Ghorbani et al. 2019): from each random start, the Ritz values weighted by the
    squares of the first entries of their eigenvectors. Costs starts x steps products.

    Raises:
        ValueError: fewer than 2 starts or steps; as `checks.check_loss`.
    """
    product, flat = flat_product(loss_fn, point)
    if flat.size <= EXACT:
        values = jnp.linalg.eigvalsh(hessian(loss_fn, point))
        weights = jnp.full_like(values, 1.0 / flat.size)
        return Density(values[None], weights[None], True, flat.size, flat.size)
    if starts < 2 or steps < 2:
        raise ValueError(f"starts is {starts} and steps is {steps}: give at least 2 of each")

    def one(k: Array) -> tuple[Array, Array]:
        drawn = jax.random.normal(k, flat.shape, flat.dtype)
        values, vectors, _ = ritz(tridiagonalise(product, drawn, steps))
        return values, jnp.square(vectors[0])

    nodes, weights = jax.lax.map(one, jax.random.split(key, starts))
    return Density(nodes, weights, False, starts * steps, flat.size)
