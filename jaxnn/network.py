"""The fully connected network: its initial weights, one node, and the forward pass for one case."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn import initializers

from jaxnn.activations import ACTIVATIONS, Activation, per_layer
from jaxnn.vocabulary import Layer, Params, lookup

Initializer = Callable[..., Array]  # (key, shape, dtype) -> array, jax.nn.initializers' protocol


class Scheme(NamedTuple):
    """How unit draws become initial weights.

    `weights` and `biases` draw at scale 1; `scaled_biases` says whether the scale multiplies the
    biases too, and `on_sphere` whether the whole vector is projected to the sphere of radius
    sqrt(its length) before that.
    """

    weights: Initializer
    biases: Initializer
    scaled_biases: bool = False
    on_sphere: bool = False


def _standard_normal(key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    return jax.random.normal(key, shape, dtype)


def _symmetric_uniform(key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    return jax.random.uniform(key, shape, dtype, -1.0, 1.0)


def _over_root_inputs(key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    return jax.random.normal(key, shape, dtype) / math.sqrt(shape[1])


def _zeros(key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    del key
    return jnp.zeros(shape, dtype)


# weights are (units, inputs): fan-in is the last axis, while the initializers' default would take
# the first
_SIDES = {"in_axis": -1, "out_axis": -2}


def _normal(factor: float, mode: Literal["fan_in", "fan_avg"]) -> Initializer:
    """N(0, factor / inputs), or over the mean of inputs and units."""
    return initializers.variance_scaling(factor, mode, "normal", **_SIDES)


SCHEMES: dict[str, Scheme] = {
    "normal": Scheme(_standard_normal, _standard_normal, scaled_biases=True),
    "uniform": Scheme(_symmetric_uniform, _symmetric_uniform, scaled_biases=True),
    "sphere": Scheme(_standard_normal, _standard_normal, scaled_biases=True, on_sphere=True),
    "nielsen": Scheme(_over_root_inputs, _standard_normal),
    "glorot_normal": Scheme(initializers.glorot_normal(**_SIDES), _zeros),
    "glorot_uniform": Scheme(initializers.glorot_uniform(**_SIDES), _zeros),
    "xavier_normal": Scheme(_normal(1.0, "fan_avg"), _zeros),
    "he_normal": Scheme(initializers.he_normal(**_SIDES), _zeros),
    "he_uniform": Scheme(initializers.he_uniform(**_SIDES), _zeros),
    "kaiming_normal": Scheme(_normal(2.0, "fan_in"), _zeros),
    "lecun_normal": Scheme(initializers.lecun_normal(**_SIDES), _zeros),
    "lecun_uniform": Scheme(initializers.lecun_uniform(**_SIDES), _zeros),
    "orthogonal": Scheme(initializers.orthogonal(), _zeros),
}


def init(
    key: Array,
    sizes: Sequence[int],
    *,
    scheme: str | Initializer = "normal",
    scale: float | Array = 1.0,
    biases: bool | Sequence[bool] = True,
    bias_scale: float | Array | None = None,
    dtype: Any = jnp.float32,
) -> Params:
    """Initial weights and biases for layers of these sizes (inputs, hidden units ..., outputs).

    Standard deviations, by scheme (m inputs and n units of the layer):

        scheme           weights                   biases            source
        normal           scale                     scale
        uniform          scale / sqrt(3)           scale / sqrt(3)   all within +-scale
        sphere           scale                     scale             length: scale sqrt(P)
        nielsen          scale / sqrt(m)           1                 Nielsen, ch. 3
        glorot_uniform   scale sqrt(2 / (m + n))   0                 Glorot & Bengio 2010, eq. 16
        xavier_normal    scale sqrt(2 / (m + n))   0                 normal, as PyTorch's
        glorot_normal    scale sqrt(2 / (m + n))   0                 cut, as Keras' and jax's
        he_uniform       scale sqrt(2 / m)         0                 He et al. 2015, eq. 10
        kaiming_normal   scale sqrt(2 / m)         0                 normal, as theirs and PyTorch's
        he_normal        scale sqrt(2 / m)         0                 cut, as Keras' and jax's
        lecun_uniform    scale sqrt(1 / m)         0                 LeCun et al. 1998, eq. 16
        lecun_normal     scale sqrt(1 / m)         0                 cut, as Keras' and jax's
        orthogonal       scale / sqrt(max(m, n))   0                 Saxe et al. 2014

    Cut: a normal without what lies beyond two of its standard deviations, widened to the variance
    of the table. Its fourth moment is 2.37 variances squared, not 3, so that widths of some hundred
    units do not bring it to theory that assumes normals: compare that with the others
    ("nielsen" with bias_scale 0 is the normal of lecun_normal's variance).

    The same key gives the same unit draws at every scale, with or without biases, so a sweep of
    scales is paired.

    >>> [(W.shape, b.shape) for W, b in init(jax.random.key(0), (2, 3, 1))]
    [((3, 2), (3,)), ((1, 3), (1,))]

    Args:
        key: used up.
        sizes: at least two numbers of units.
        scheme: a name in SCHEMES, or a function (key, (units, inputs), dtype) -> array like those
            of jax.nn.initializers: it draws the weights, times `scale`, and the biases are 0.
        scale: factor on the weights, and on the biases where the table says so.
        biases: whether layers have them; one bool, or one per layer.
        bias_scale: where given, the biases are N(0, bias_scale^2) whatever the scheme: the
            (sigma_w, sigma_b) plane. With "sphere", the weights alone are then on the sphere.
        dtype: of all leaves, named here because the default would change under x64.

    Raises:
        ValueError: an unknown scheme; fewer than two sizes or one below 1; a number of bools that
            is not that of layers.
    """
    shapes = _shapes(sizes)
    with_biases = (biases,) * len(shapes) if isinstance(biases, bool) else tuple(biases)
    if len(with_biases) != len(shapes):
        raise ValueError(
            f"biases has {len(with_biases)} entries for {len(shapes)} layers: "
            "give one bool, or one per layer"
        )
    chosen = Scheme(scheme, _zeros) if callable(scheme) else lookup(SCHEMES, scheme, what="scheme")
    weight_key, bias_key = jax.random.split(key)
    weight_keys = jax.random.split(weight_key, len(shapes))
    bias_keys = jax.random.split(bias_key, len(shapes))
    draw_biases = chosen.biases if bias_scale is None else _standard_normal
    weights = [
        chosen.weights(k, shape, dtype) for k, shape in zip(weight_keys, shapes, strict=True)
    ]
    offsets = [
        draw_biases(k, shape[:1], dtype) if wanted else None
        for k, shape, wanted in zip(bias_keys, shapes, with_biases, strict=True)
    ]
    if chosen.on_sphere:
        weights, offsets = (
            _on_sphere((weights, offsets)) if bias_scale is None else (_on_sphere(weights), offsets)
        )
    bias_factor = bias_scale if bias_scale is not None else (scale if chosen.scaled_biases else 1.0)
    weights, offsets = _scaled(weights, scale), _scaled(offsets, bias_factor)
    return tuple(Layer(w, b) for w, b in zip(weights, offsets, strict=True))


def _shapes(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """The (units, inputs) of each layer."""
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise ValueError(
            f"sizes is {tuple(sizes)}: give at least two whole numbers >= 1, (inputs, ..., outputs)"
        )
    return [(int(n), int(m)) for m, n in itertools.pairwise(sizes)]


def _scaled(tree: Any, factor: float | Array) -> Any:
    return jax.tree.map(lambda leaf: leaf * jnp.asarray(factor, leaf.dtype), tree)


def _on_sphere(tree: Any) -> Any:
    """The tree's vector scaled to length sqrt(P): the direction of a normal vector is uniform on
    the sphere.
    """
    leaves = jax.tree.leaves(tree)
    squares = sum(jnp.sum(jnp.square(leaf)) for leaf in leaves)
    return _scaled(tree, jnp.sqrt(sum(leaf.size for leaf in leaves) / squares))


def weighted_sum(weights: Any, inputs: Any, bias: Any = None) -> Any:
    """Give u = w . v + b for sequences of equal length, whose entries are numbers or arrays of one
    shape.

    Raises:
        ValueError: unequal lengths.
    """
    terms = (w * v for w, v in zip(weights, inputs, strict=True))
    return sum(terms, start=0.0 if bias is None else bias)


def node(weights: Any, inputs: Any, bias: Any = None, *, activation: str = "sigmoid") -> Any:
    """Give v = sigma(w . u + b), the value of one node (essay, section 2).

    `weights` and `inputs` are sequences of equal length, of numbers or of arrays of one shape (many
    networks or many cases at once); `bias` is one more such entry, or None; the value has the
    entries' shape.

    >>> print(f"{node((0.6, 1.2, -0.2), (0.7, 0.1, 0.4), -0.5):.3f}")  # the essay's node
    0.490

    Raises:
        ValueError: unequal lengths, or an unknown activation.
    """
    u = weighted_sum(weights, inputs, bias)
    return lookup(ACTIVATIONS, activation, what="activation").value(jnp.asarray(u))


def layers_of(
    params: Any, activation: str | tuple[str, ...]
) -> list[tuple[Array, Array | None, Activation]]:
    """The (weights, biases, activation) of each layer, checked.

    Raises:
        ValueError: no layer; weights that are not (units, inputs); biases that are not (units,);
            layers that do not fit one another; an unknown activation or a wrong number of them.
    """
    pairs = [(jnp.asarray(W), None if b is None else jnp.asarray(b)) for W, b in params]
    if not pairs:
        raise ValueError("params has no layers: give at least one (weights, biases) pair")
    for number, (W, b) in enumerate(pairs):
        if W.ndim != 2:
            raise ValueError(
                f"layer {number}: weights have shape {W.shape}, wanted (units, inputs); "
                "use jax.vmap for ensembles"
            )
        if b is not None and b.shape != W.shape[:1]:
            raise ValueError(
                f"layer {number}: biases have shape {b.shape}, wanted {W.shape[:1]}, one a unit"
            )
        if number and W.shape[1] != pairs[number - 1][0].shape[0]:
            raise ValueError(
                f"layer {number}: weights of shape {W.shape} take {W.shape[1]} values, "
                f"but the layer before gives {pairs[number - 1][0].shape[0]}"
            )
    return [
        (W, b, act) for (W, b), act in zip(pairs, per_layer(activation, len(pairs)), strict=True)
    ]


def one_case(layers: list, x: Any) -> Array:
    """The inputs of one case as an array, (inputs,).

    Raises:
        ValueError: another shape.
    """
    x, wanted = jnp.asarray(x), layers[0][0].shape[1:]
    if x.shape != wanted:
        raise ValueError(f"x has shape {x.shape}, wanted {wanted}: one case; use jax.vmap for many")
    return x


def forward(params: Any, x: Array, *, activation: str | tuple[str, ...] = "sigmoid") -> Array:
    """The outputs (outputs,) of the network for one case x (inputs,): every layer of nodes at once,
    sigma(W v + b).

    `jax.vmap` over x gives many cases, over params many networks.

    >>> forward([(jnp.ones((1, 2)), jnp.array([-2.0]))], jnp.ones(2))  # sigma(1 + 1 - 2)
    Array([0.5], dtype=float32)

    Raises:
        ValueError: x is not (inputs,), or as `layers_of`.
    """
    layers = layers_of(params, activation)
    v = one_case(layers, x)
    for W, b, sigma in layers:
        u = W @ v
        v = sigma.value(u if b is None else u + b)
    return v


def forward_columns(layers: list, v: Array) -> Array:
    """The outputs (outputs, cases) for cases in columns, v (inputs, cases), of checked layers: what
    `forward` gives under vmap, whose order in memory costs a plane of losses a third.
    """
    for W, b, sigma in layers:
        u = W @ v
        v = sigma.value(u if b is None else u + b[:, None])
    return v
