"""The words that every other file speaks: layers, parameters, batches, landscapes, and the names of
axes.

Imports nothing at run time but the standard library, so that the command line can use it before jax
has started.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from jax import Array

T = TypeVar("T")

# The names of axes, in arrays on disk and in the docstrings' shapes.
MEMBER = "member"  # one network of an ensemble; always the leading axis in memory
SCHEME = "scheme"  # the distribution that initial weights are drawn from
SCALE = "scale"  # the factor on that distribution
SEARCH = "search"  # one search for a stationary point
RECORD = "record"  # a moment at which the loss was written down

# The units of what is stored: weights, counts and codes have none.
LOSS_UNIT = "squared output units per case"  # also of the loss's derivatives
NO_UNIT = "1"


class Layer(NamedTuple):
    """One layer of nodes: weights (units, units of the layer before), biases (units,) or None."""

    weights: Array
    biases: Array | None


Params = tuple[Layer, ...]
"""A network: its layers in the order in which values flow. Plain lists of (W, b) pairs serve
too."""


class Batch(NamedTuple):
    """Training cases: inputs (cases, inputs) and the desired outputs, targets (cases, outputs)."""

    inputs: Array
    targets: Array


class Landscape(Protocol):
    """A pure function from a point (any pytree of arrays) to a number: the loss there.

    A landscape may offer more, and analyses ask for it by name: `residuals(point)`, a vector whose
    squares sum to the loss, and `saturation(point)`, in [0, 1], how far the most saturated unit is
    from responding to anything.
    """

    def __call__(self, point: Any, /) -> Array:
        """Give the loss at the point, a scalar."""
        ...


def lookup(table: Mapping[str, T], name: object, *, what: str) -> T:
    """The entry of the table under this name.

    Raises:
        ValueError: no such name; the message lists the valid ones and suggests the nearest.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(table)}{hint}")


def whole(**counts: tuple[int, int]) -> list[int]:
    """Counts, each given with the least that it may be, as Python's own numbers.

    Raises:
        ValueError: a count that is no whole number, as True and False are none, or below its least.
            Whole numbers of numpy's are taken.
    """
    for name, (count, least) in counts.items():
        if not isinstance(count, Integral) or isinstance(count, bool) or count < least:
            raise ValueError(f"{name} is {count!r}: give a whole number, at least {least}")
    return [int(count) for count, _ in counts.values()]
