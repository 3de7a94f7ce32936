"""The words that every other file speaks: layers, parameters, batches, landscapes, and the names of
axes.

Imports nothing at run time but the standard library, so that the command line can use it before jax
has started.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
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


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Which of the names may have been meant, three at most: those that the name begins, else those
    that begin the name, else the most similar one.

    >>> nearest("he", ["sphere", "he_normal", "he_uniform"])
    ['he_normal', 'he_uniform']
    """
    asked = _bare(name)
    bare = {other: _bare(other) for other in names}
    begun = [other for other, text in bare.items() if asked and text.startswith(asked)]
    begun = begun or [other for other, text in bare.items() if text[2:] and asked.startswith(text)]
    texts = difflib.get_close_matches(asked, bare.values(), n=1, cutoff=0.5)
    return begun[:3] or [other for other, text in bare.items() if text in texts][:1]


def _bare(name: str) -> str:
    """The name without what begins an option, and with one kind of hyphen."""
    return name.lstrip("-").replace("_", "-").casefold()


def did_you_mean(name: str, names: Iterable[str], *, said: Callable[[str], str] = str) -> str:
    """A question that ends a line of an error; empty where nothing is near. said: how a name is
    written.
    """
    near = nearest(name, names)
    return f"; did you mean {' or '.join(map(said, near))}?" if near else ""


def lookup(table: Mapping[str, T], name: object, *, what: str) -> T:
    """The entry of the table under this name.

    Raises:
        ValueError: no such name; the message lists the valid ones and suggests the nearest.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    hint = did_you_mean(str(name), table, said=repr)
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
