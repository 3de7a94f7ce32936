"""A network's weights as other libraries hold them, and back: PyTorch, Flax and Equinox.

Weights alone travel; say the activations where the other model is built. PyTorch and Equinox keep
weights (units, inputs) as jaxnn does, Flax transposed. What comes is held in jax's precision:
float64 only where that is enabled. A library is imported when it is first needed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnn.network import layers_of
from jaxnn.numerics import key_of
from jaxnn.vocabulary import Layer, Params


def to_torch(params: Any, *, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A PyTorch state dict, {"0.weight": (units, inputs), "0.bias": (units,), ...}, of tensors.

    names: of the layers, by default "0", "1", ... In an `nn.Sequential` with its activations
    between them they are "0", "2", ...

    Raises:
        ValueError: layers that do not fit one another; another number of names than layers; no
            torch.
    """
    torch = _library("torch", "to_torch")

    layers = _checked(params)
    state = {}
    for name, (weights, biases) in zip(_names(names, layers, "{}"), layers, strict=True):
        state[f"{name}.weight"] = torch.tensor(np.array(weights))
        if biases is not None:
            state[f"{name}.bias"] = torch.tensor(np.array(biases))
    return state


def from_torch(state: Mapping[str, Any]) -> Params:
    """The layers of a PyTorch state dict, in its order: tensors or arrays whose names end in
    `weight` or `bias`.

    Raises:
        ValueError: anything else in it; layers that do not fit one another; weights that look
            transposed.
    """
    return _gathered(state.items(), weight="weight", bias="bias", transposed=False)


def to_flax(params: Any, *, names: Sequence[str] | None = None) -> dict[str, Any]:
    """What a Flax module holds as "params", {"Dense_0": {"kernel": (inputs, units), "bias"}, ...}.

    For linen: `model.apply({"params": to_flax(params)}, x)`. For nnx give `names`, and
    `nnx.update(model, to_flax(params, names=...))`.

    names: of the layers, by default "Dense_0", "Dense_1", ...

    >>> to_flax([([[1.0, 2.0, 3.0]], [0.5])])["Dense_0"]["kernel"].shape
    (3, 1)

    Raises:
        ValueError: as `to_torch`.
    """
    layers = _checked(params)
    return {
        name: {"kernel": weights.T, **({} if biases is None else {"bias": biases})}
        for name, (weights, biases) in zip(_names(names, layers, "Dense_{}"), layers, strict=True)
    }


def from_flax(tree: Mapping[str, Any], *, names: Sequence[str] | None = None) -> Params:
    """The layers of a Flax module: linen's variables or their "params", or for nnx
    `nnx.to_pure_dict(nnx.state(model, nnx.Param))`.

    names: of the layers in the order in which values flow; may be left out where they end in
    numbers, as Dense_0 or layers.0 (other dicts forget their order under jax).

    Raises:
        ValueError: names that say no order, or are not there; as `from_torch`.
    """
    tree = tree["params"] if set(tree) == {"params"} else tree
    leaves = {".".join(path): leaf for path, leaf in _leaves(tree)}
    there = list(dict.fromkeys(name.rpartition(".")[0] for name in leaves))
    if names is not None and set(names) != set(there):
        raise ValueError(f"names are {', '.join(names)}, the layers are {', '.join(there)}")
    if names is None:
        names = _in_order(there)
    ordered = [
        (f"{name}.{kind}", leaves.pop(f"{name}.{kind}"))
        for name in names
        for kind in ("kernel", "bias")
        if f"{name}.{kind}" in leaves
    ]
    return _gathered([*ordered, *leaves.items()], weight="kernel", bias="bias", transposed=True)


def to_equinox(params: Any, model: Any = None) -> Any:
    """The layers as a list of `eqx.nn.Linear`; or the model (`eqx.nn.MLP`, or anything with such
    layers) with these weights in the place of its own.

    Raises:
        ValueError: layers that do not fit one another, or not those of the model; no equinox.
    """
    eqx = _library("equinox", "to_equinox")
    layers = _checked(params)
    if model is None:
        made = [
            eqx.nn.Linear(W.shape[1], W.shape[0], use_bias=b is not None, key=key_of(0))
            for W, b in layers
        ]
        return to_equinox(layers, made)
    there = [_shapes(layer.weight, layer.bias) for layer in _linear(model)]
    given = [_shapes(W, b) for W, b in layers]
    if there != given:
        raise ValueError(f"params have (weights, biases) {given}, the model's layers have {there}")
    leaves = [leaf for pair in layers for leaf in pair if leaf is not None]
    return eqx.tree_at(
        lambda tree: [
            leaf
            for layer in _linear(tree)
            for leaf in (layer.weight, layer.bias)
            if leaf is not None
        ],
        model,
        leaves,
    )


def from_equinox(model: Any) -> Params:
    """The layers of an `eqx.nn.MLP`, of an `eqx.nn.Sequential`, or of a list of `eqx.nn.Linear`.

    Raises:
        ValueError: no such layer in it; layers that do not fit one another; no equinox.
    """
    layers = [(layer.weight, layer.bias) for layer in _linear(model)]
    if not layers:
        raise ValueError(
            f"{type(model).__name__} has no eqx.nn.Linear in it: give a model that has"
        )
    return _checked(layers)


def _linear(model: Any) -> list[Any]:
    """The model's linear layers, in the order of its fields."""
    eqx = _library("equinox", "from_equinox")

    def is_linear(node: Any) -> bool:
        return isinstance(node, eqx.nn.Linear)

    return [node for node in jax.tree.leaves(model, is_leaf=is_linear) if is_linear(node)]


def _library(name: str, what: str) -> Any:
    """The library of this name, imported now.

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(f"{what} needs {name}: pip install {name}") from error


def _shapes(weights: Any, biases: Any) -> tuple[Any, Any]:
    return tuple(weights.shape), None if biases is None else tuple(biases.shape)


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every array of nested dicts with the names that lead to it."""
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    for name, below in tree.items():
        yield from _leaves(below, (*path, str(name)))


def _in_order(names: list[str]) -> list[str]:
    """Names by the number that each ends in."""
    ends = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    if len(names) < 2:
        return names
    if not all(ends) or len({end[1] for end in ends if end}) > 1:
        raise ValueError(
            f"the layers are called {', '.join(names)}, which says no order: give names=(...), "
            "from the first to the last"
        )
    return sorted(names, key=lambda name: int(re.findall(r"\d+$", name)[0]))


def _names(names: Sequence[str] | None, layers: Params, form: str) -> Sequence[str]:
    if names is None:
        return [form.format(number) for number in range(len(layers))]
    if len(names) != len(layers):
        raise ValueError(f"{len(names)} names for {len(layers)} layers: give one each")
    return names


def _gathered(
    leaves: Iterable[tuple[str, Any]], *, weight: str, bias: str, transposed: bool
) -> Params:
    """Layers from named weights and biases, each layer where its first part stands."""
    pairs: dict[str, dict[str, Any]] = {}
    for path, leaf in leaves:
        layer, _, kind = path.rpartition(".")
        if kind not in (weight, bias):
            raise ValueError(
                f"{path!r} is no part of a fully connected layer: give only {weight} and {bias}"
            )
        pairs.setdefault(layer, {})[kind] = _array(leaf)
    for layer, parts in pairs.items():
        if weight not in parts:
            raise ValueError(f"layer {layer!r} has a {bias} and no {weight}")
        if parts[weight].ndim != 2:
            raise ValueError(
                f"layer {layer!r}: {weight} has shape {parts[weight].shape}, a fully connected "
                "layer's has two axes"
            )
    axes = (lambda array: array.T) if transposed else (lambda array: array)
    return _checked([(axes(parts[weight]), parts.get(bias)) for parts in pairs.values()])


def _array(leaf: Any) -> Any:
    """An array of jax's, from a tensor too."""
    return jnp.asarray(leaf.detach().cpu().numpy() if hasattr(leaf, "detach") else leaf)


def _checked(params: Any) -> Params:
    """The layers, which fit one another.

    Raises:
        ValueError: as `layers_of`; where the transposed weights would fit, it says so.
    """
    pairs = [(jnp.asarray(W), None if b is None else jnp.asarray(b)) for W, b in params]
    try:
        checked = layers_of(pairs, "identity")
    except ValueError as error:
        turned = [(W.T, b) for W, b in pairs]
        raise ValueError(f"{error}; transposed they fit" if _fit(turned) else str(error)) from error
    return tuple(Layer(W, b) for W, b, _ in checked)


def _fit(pairs: list[tuple[Any, Any]]) -> bool:
    try:
        layers_of(pairs, "identity")
    except ValueError:
        return False
    return True
