"""Mean-field signal propagation: what lengths and angles become, layer after layer, in networks
whose layers are wide and whose weights are N(0, sigma_w^2 / inputs), biases N(0, sigma_b^2).

A layer's pre-activations u are then Gaussian over the draw of the weights; q is their variance, the
mean square |u|^2 / units, and c the correlation of the u of two inputs. All functions are of
scalars: a phase diagram is `jax.vmap` over sigma_w and sigma_b. After Poole et al. 2016 and
Schoenholz et al. 2017.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxnn import summaries
from jaxnn.landscape.gaussian_moments import Number, moments_of

MOST_STEPS = 200
"""Of Newton's method, which halves the gap to a root that is double, and else squares it."""


def length_map(q: Number, *, activation: str, sigma_w: Number, sigma_b: Number = 0.0) -> Array:
    """V(q) = sigma_w^2 E s(sqrt(q) z)^2 + sigma_b^2, the next layer's q (Poole et al. 2016).

    Raises:
        ValueError: as `moments_of`.
    """
    moments = moments_of(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    return jnp.square(sigma_w) * moments.square(q) + jnp.square(sigma_b)


def chi(q: Number, *, activation: str, sigma_w: Number) -> Array:
    """sigma_w^2 E s'(sqrt(q) z)^2, the factor on |dE/du|^2 from a layer back to the one before it,
    whose length is q. At the fixed point it is chi_1: above 1 chaos, below order (Poole et al.
    2016; Schoenholz et al. 2017).

    Raises:
        ValueError: as `moments_of`.
    """
    slope = moments_of(activation, sigma_w=sigma_w).slope(q)
    return jnp.square(sigma_w) * slope


def correlation_map(
    c: Number, q: Number, *, activation: str, sigma_w: Number, sigma_b: Number = 0.0
) -> Array:
    """(sigma_w^2 E s(u) s(v) + sigma_b^2) / V(q), the next layer's correlation of two inputs that
    both have length q and correlation c here (Poole et al. 2016).

    C(1) = 1. Where V(q) = 0 it is NaN.

    Raises:
        ValueError: as `moments_of`.
    """
    settings = {"activation": activation, "sigma_w": sigma_w, "sigma_b": sigma_b}
    product, _ = moments_of(**settings).products(q, c)
    shared = jnp.square(sigma_w) * product + jnp.square(sigma_b)
    return shared / length_map(q, **settings)


def fixed_point(*, activation: str, sigma_w: Number, sigma_b: Number = 0.0) -> Array:
    """q* = V(q*), the length that layers tend to: the largest solution.

    Where s is bounded V is increasing and concave, so Newton's method from the right, V(q) - q <=
    0, falls to it and cannot pass it. relu and identity: sigma_b^2 / (1 - chi_1), inf where lengths
    grow without bound and NaN where V(q) = q for all q.

    Raises:
        ValueError: as `moments_of`.
    """
    moments = moments_of(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    square_w, square_b = jnp.square(sigma_w), jnp.square(sigma_b)
    if np.isinf(moments.most):
        slope = square_w * moments.growth(1.0)
        bounded = square_b / jnp.where(slope < 1, 1.0 - slope, 1.0)
        beyond = jnp.where((slope == 1) & (square_b == 0), jnp.nan, jnp.inf)
        return jnp.where(slope < 1, bounded, beyond)

    def gap(q: Array) -> tuple[Array, Array]:
        value = square_w * moments.square(q) + square_b - q
        return value, square_w * moments.growth(q) - 1.0

    most = square_w * moments.most + square_b
    q = _newton(gap, most)
    # without biases 0 is a solution, and what rounding leaves of it is no other
    rounding = 100.0 * jnp.finfo(q.dtype).eps
    return jnp.where((square_b == 0) & (q < rounding * most), 0.0, q)


def _newton(gap: Callable[[Array], tuple[Array, Array]], start: Number) -> Array:
    """The root that Newton's method comes to from this side of it, where gap gives (value, slope)
    and its curvature keeps the method on that side: it ends where a step turns back or is lost.
    """
    start = jnp.asarray(start, jnp.result_type(start, 0.0))
    eps = jnp.finfo(start.dtype).eps

    def step(state: tuple) -> tuple:
        x, before, steps = state
        value, slope = gap(x)
        move = jnp.where(slope < 0, -value / jnp.where(slope < 0, slope, 1.0), 0.0)
        turned = (move * before < 0) | (jnp.abs(move) <= eps * jnp.abs(x))
        return jnp.where(turned, x, x + move), jnp.where(turned, 0.0, move), steps + 1

    def going(state: tuple) -> Array:
        return ((state[1] != 0) | (state[2] == 0)) & (state[2] < MOST_STEPS)

    first = (start, jnp.zeros_like(start), jnp.int32(0))
    return jax.lax.while_loop(going, step, first)[0]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Phase:
    """Where a network of these sigmas tends to with depth; scalars.

    length: q*. chi: chi_1 at q*; below 1 order, where gradients vanish, above 1 chaos, where they
    explode. correlation: c*, to which two inputs' correlation tends; 1 in order. length_depth,
    correlation_depth: xi_q and xi_c, the numbers of layers in which what is left of the way to q*
    and c* falls to 1/e; inf where it falls by less than any exponential.
    """

    length: Array
    chi: Array
    correlation: Array
    length_depth: Array
    correlation_depth: Array

    _repr_html_ = summaries.html()


def phase(*, activation: str, sigma_w: Number, sigma_b: Number = 0.0) -> Phase:
    """q*, chi_1, c* and the depth scales.

    xi_q = -1 / log V'(q*), with V'(q) = chi + sigma_w^2 E s s'', and xi_c = -1 / log(sigma_w^2 E
    s'(u) s'(v)) at c* (Schoenholz et al. 2017). C is convex, so Newton's method from c =
    0 rises to c* (Poole et al. 2016). Without a finite q* above 0 all correlations are NaN, but in
    order without biases q* = 0, where C(c) = c: c* is then NaN and xi_c from chi_1.

    Raises:
        ValueError: as `moments_of`.
    """
    settings = {"activation": activation, "sigma_w": sigma_w, "sigma_b": sigma_b}
    moments, square_w = moments_of(**settings), jnp.square(sigma_w)
    q = fixed_point(**settings)
    chi_1 = chi(q, activation=activation, sigma_w=sigma_w)
    some, chaotic = jnp.isfinite(q) & (q > 0), chi_1 > 1
    inside = jnp.where(some, q, 1.0)

    def gap(c: Array) -> tuple[Array, Array]:
        product, slope = moments.products(inside, c)
        value = (square_w * product + jnp.square(sigma_b)) / inside - c
        # where c* is known to be 1 there is nothing to look for
        return jnp.where(chaotic & some, value, 0.0), square_w * slope - 1.0

    root = jnp.clip(_newton(gap, jnp.zeros_like(q)), 0.0, 1.0)
    _, slope = moments.products(inside, root)
    return Phase(
        length=q,
        chi=chi_1,
        correlation=jnp.where(some, jnp.where(chaotic, root, 1.0), jnp.nan),
        length_depth=_depth(square_w * moments.growth(q)),
        correlation_depth=jnp.where(
            jnp.isfinite(q), _depth(jnp.where(chaotic, square_w * slope, chi_1)), jnp.nan
        ),
    )


def _depth(slope: Array) -> Array:
    """-1 / log(slope); 0 at a slope of 0, inf from 1 on."""
    falls = (slope > 0) & (slope < 1)
    scale = -1.0 / jnp.log(jnp.where(falls, slope, 0.5))
    return jnp.where(
        falls, scale, jnp.where(slope >= 1, jnp.inf, jnp.where(slope <= 0, 0.0, slope))
    )
