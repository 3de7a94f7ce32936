"""What signals do in one finite network at its initial weights: lengths, correlations and gradients
layer by layer; and the sigmas of its distribution, for which `propagation` says what to expect.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxnn import summaries
from jaxnn.backpropagation import backprop
from jaxnn.landscape import propagation
from jaxnn.losses import checked_batch, fitted
from jaxnn.network import layers_of
from jaxnn.vocabulary import Batch, lookup

SCALED_BIASES = ("normal", "uniform", "sphere")


class Sigmas(NamedTuple):
    """sigma_w and sigma_b of each layer, (layers,): what `propagation` calls so."""

    weights: Array
    biases: Array

    _repr_html_ = summaries.html()


def sigmas(
    sizes: Sequence[int],
    *,
    scheme: str = "normal",
    scale: float | Array = 1.0,
    biases: bool | Sequence[bool] = True,
    bias_scale: float | Array | None = None,
) -> Sigmas:
    """The sigmas of what `jaxnn.init` draws by the same settings: sigma_w = (standard deviation of
    a weight) sqrt(inputs of the layer), sigma_b = standard deviation of a bias.

        scheme                    sigma_w                     sigma_b
        normal, sphere            scale sqrt(m)               scale
        uniform                   scale sqrt(m / 3)           scale / sqrt(3)
        nielsen                   scale                       1
        glorot_*, xavier_normal   scale sqrt(2 m / (m + n))   0
        he_*, kaiming_normal      scale sqrt(2)               0
        lecun_*                   scale                       0
        orthogonal                scale sqrt(m / max(m, n))   0

    for m inputs and n units; bias_scale, where given, is sigma_b. The theory is of independent
    normal entries; of others, as of the cut normals (table: `jaxnn.init`), it is the limit of many
    inputs, and of "sphere" and "orthogonal" that of wide layers.

    Raises:
        ValueError: an unknown scheme (a function has no table); a number of bools that is not that
            of layers.
    """
    shapes = list(itertools.pairwise(sizes))
    have = (biases,) * len(shapes) if isinstance(biases, bool) else tuple(biases)
    if len(have) != len(shapes):
        raise ValueError(
            f"biases has {len(have)} entries for {len(shapes)} layers: give one bool, or one each"
        )
    pairs = [lookup(_deviations(m, n), scheme, what="scheme") for m, n in shapes]
    weights = jnp.array([w * math.sqrt(m) for (w, _), (m, _) in zip(pairs, shapes, strict=True)])
    own = jnp.array([b * wanted for (_, b), wanted in zip(pairs, have, strict=True)])
    factor = scale if scheme in SCALED_BIASES else 1.0
    offsets = own * factor if bias_scale is None else jnp.array(have) * (own * 0 + 1) * bias_scale
    return Sigmas(weights * scale, offsets)


def _deviations(m: int, n: int) -> dict[str, tuple[float, float]]:
    """Standard deviations of weights and biases at scale 1 of a layer with m inputs and n units."""
    third, glorot = 1 / math.sqrt(3), (math.sqrt(2 / (m + n)), 0.0)
    he, lecun = (math.sqrt(2 / m), 0.0), (math.sqrt(1 / m), 0.0)
    return {
        "normal": (1.0, 1.0),
        "uniform": (third, third),
        "sphere": (1.0, 1.0),
        "nielsen": (lecun[0], 1.0),
        "glorot_normal": glorot,
        "glorot_uniform": glorot,
        "xavier_normal": glorot,
        "he_normal": he,
        "he_uniform": he,
        "kaiming_normal": he,
        "lecun_normal": lecun,
        "lecun_uniform": lecun,
        "orthogonal": (1 / math.sqrt(max(m, n)), 0.0),
    }


def expected_lengths(
    inputs: Array, sigmas: Sigmas, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """The q of each layer's pre-activations that the theory expects, (layers, cases): q_1 =
    sigma_w^2 |x|^2 / inputs + sigma_b^2, and from then on q_l+1 = V(q_l).

    activation: one name, or one per layer. The last layer's own plays no part.

    Raises:
        ValueError: as `propagation.length_map`; a wrong number of names.
    """
    names = _names(activation, len(sigmas.weights))
    q = jnp.mean(jnp.square(inputs), axis=1)
    q = jnp.square(sigmas.weights[0]) * q + jnp.square(sigmas.biases[0])
    lengths = [q]
    for name, w, b in zip(names[:-1], sigmas.weights[1:], sigmas.biases[1:], strict=True):

        def onward(q: Array, name: str = name, w: Array = w, b: Array = b) -> Array:
            return propagation.length_map(q, activation=name, sigma_w=w, sigma_b=b)

        lengths.append(jax.vmap(onward)(lengths[-1]))
    return jnp.stack(lengths)


def _names(activation: str | tuple[str, ...], layers: int) -> tuple[str, ...]:
    """One name per layer.

    Raises:
        ValueError: another number of them.
    """
    names = (activation,) * layers if isinstance(activation, str) else tuple(activation)
    if len(names) != layers:
        raise ValueError(f"activation has {len(names)} names for {layers} layers: give one each")
    return names


def _preactivations(
    params: Any, inputs: Array, activation: str | tuple[str, ...]
) -> list[tuple[Array, Any]]:
    """The pre-activations (units, cases) and the activation of each layer.

    Raises:
        ValueError: inputs that are not (cases, inputs), or as `layers_of`.
    """
    layers, inputs = layers_of(params, activation), jnp.asarray(inputs)
    wanted = layers[0][0].shape[1]
    if inputs.ndim != 2 or inputs.shape[1] != wanted:
        raise ValueError(f"inputs have shape {inputs.shape}, wanted (cases, {wanted})")
    v, found = inputs.T, []
    for W, b, sigma in layers:
        u = W @ v if b is None else W @ v + b[:, None]
        found.append((u, sigma))
        v = sigma.value(u)
    return found


def measured_lengths(
    params: Any, inputs: Array, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """The mean square of each layer's pre-activations, |u|^2 / units, (layers, cases).

    In a wide layer it is q to a relative sqrt(2 / units).

    Raises:
        ValueError: inputs that are not (cases, inputs); as `forward`.
    """
    found = _preactivations(params, inputs, activation)
    return jnp.stack([jnp.mean(jnp.square(u), axis=0) for u, _ in found])


def measured_correlations(
    params: Any, inputs: Array, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """u(x) . u(y) / (|u(x)| |u(y)|) of every two cases in each layer, (layers, cases, cases): the c
    of `propagation`. NaN where a case's u is 0.

    Raises:
        ValueError: as `measured_lengths`.
    """

    def cosines(u: Array) -> Array:
        unit = u / jnp.linalg.norm(u, axis=0, keepdims=True)
        return unit.T @ unit

    return jnp.stack([cosines(u) for u, _ in _preactivations(params, inputs, activation)])


def saturated(
    params: Any,
    inputs: Array,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    below: float | Array = 0.1,
) -> Array:
    """The share of (unit, case) pairs at which s'(u) < below max s', in [0, 1], a scalar.

    Raises:
        ValueError: as `measured_lengths`.
    """
    found = _preactivations(params, inputs, activation)
    flat = [jnp.ravel(s.derivative(u) < below * s.steepest) for u, s in found]
    return jnp.mean(jnp.concatenate(flat), dtype=found[0][0].dtype)


def gradient_norms(
    params: Any,
    batch: Any,
    *,
    activation: str | tuple[str, ...] = "sigmoid",
    l2: float | Array = 0.0,
) -> Array:
    """|dE/d(weights and biases)| of each layer, (layers,), by the reverse sweep.

    Raises:
        ValueError: as `backprop`.
    """
    gradient = backprop(params, batch, activation=activation, l2=l2)
    squares = [sum(jnp.sum(jnp.square(g)) for g in jax.tree.leaves(layer)) for layer in gradient]
    return jnp.sqrt(jnp.stack(squares))


def node_gradients(
    params: Any, batch: Any, *, activation: str | tuple[str, ...] = "sigmoid"
) -> Array:
    """|dE/du| of each layer for the error E of one case, (layers, cases).

    dE/du is what E owes to a bias, so each case's `backprop` has it. In wide networks its square
    grows by chi(q) from a layer to the one before (Schoenholz et al. 2017).

    Raises:
        ValueError: as `backprop`.
    """
    layers, batch = fitted(params, checked_batch(batch), activation)
    whole = [(W, jnp.zeros_like(W[:, 0]) if b is None else b) for W, b, _ in layers]

    def one(case: Batch) -> Array:
        alone = jax.tree.map(lambda row: row[None], case)
        gradient = backprop(whole, alone, activation=activation)
        return jnp.stack([jnp.linalg.norm(b) for _, b in gradient])

    return jax.vmap(one, out_axes=1)(batch)
