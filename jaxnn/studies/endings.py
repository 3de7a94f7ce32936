"""What searches ended at, as arrays of a store, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxnn import results
from jaxnn.landscape.minima import Ending, Stationary
from jaxnn.vocabulary import LOSS_UNIT, NO_UNIT

PARAMETER = "parameter"
FIELDS = {
    "initial_loss": ("loss where the search began", LOSS_UNIT),
    "loss": ("loss at the end", LOSS_UNIT),
    "level": ("the loss, or the limit that it falls to", LOSS_UNIT),
    "gradient_norm": ("Euclidean norm of the gradient", LOSS_UNIT),
    "relative_gradient": ("gradient by the sum of its absolute terms", NO_UNIT),
    "eigenvalues": ("eigenvalues of the Hessian, ascending", LOSS_UNIT),
    "index": ("negative eigenvalues", NO_UNIT),
    "zero": ("eigenvalues that count as 0", NO_UNIT),
    "ending": ("what the search ended at", NO_UNIT),
    "steps": ("steps tried", NO_UNIT),
}
WHOLE = ("index", "zero", "ending", "steps")


def shapes_of(draw: Callable[[], Any]) -> Any:
    """Shapes and dtypes of one member of the ensemble that this draws."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), jax.eval_shape(draw)
    )


def size_of(like: Any) -> int:
    """How many parameters a point of these shapes has."""
    return sum(leaf.size for leaf in jax.tree.leaves(like))


def flat(points: Any) -> np.ndarray:
    """Stacked points as rows, (points, parameters)."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(points)]
    return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)


def unflat(rows: np.ndarray, like: Any) -> Any:
    """Rows as stacked points of these shapes."""
    leaves, structure = jax.tree.flatten(like)
    parts = np.split(rows, np.cumsum([leaf.size for leaf in leaves])[:-1], axis=1)
    shaped = [p.reshape(-1, *leaf.shape) for p, leaf in zip(parts, leaves, strict=True)]
    return jax.tree.unflatten(structure, shaped)


def arrays(found: Stationary, *, prefix: str = "") -> dict[str, np.ndarray]:
    """Every array of what was found, searches axis first."""
    named = {"point": flat(found.point), **{n: np.asarray(getattr(found, n)) for n in FIELDS}}
    return {f"{prefix}{name}": values for name, values in named.items()}


def variables(dims: tuple[str, ...], *, prefix: str = "") -> dict[str, results.Variable]:
    """The same arrays as variables of a store, over these dimensions."""
    meaning = "weights and biases at the end, layer after layer, row by row"
    of_point = {"long_name": meaning, "units": NO_UNIT}
    named = {"point": results.Variable((*dims, PARAMETER), "float64", of_point)}
    for name, (meaning, units) in FIELDS.items():
        attributes: dict[str, Any] = {"long_name": meaning, "units": units}
        if name == "ending":
            attributes["flag_values"] = [code.value for code in Ending]
            attributes["flag_meanings"] = " ".join(code.name for code in Ending)
        own = (*dims, PARAMETER) if name == "eigenvalues" else dims
        kind = "int32" if name in WHOLE else "float64"
        named[name] = results.Variable(own, kind, attributes)
    return {f"{prefix}{name}": variable for name, variable in named.items()}


def stationary(dataset: Any, like: Any, *, prefix: str = "") -> Stationary:
    """The searches of a finished store, as `minima.distinct` takes them: points of these shapes,
    one leading axis.
    """
    size = size_of(like)

    def read(name: str) -> Any:
        values = dataset[f"{prefix}{name}"].values
        return values.reshape(-1, size) if name in ("point", "eigenvalues") else values.ravel()

    return Stationary(point=unflat(read("point"), like), **{name: read(name) for name in FIELDS})
