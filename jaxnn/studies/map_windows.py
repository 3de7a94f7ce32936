"""Which initial weights a map covers: its window, its pixels' centres, its directions by name, and
how finely float64 tells its pixels apart.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from jaxnn.studies.endings import flat, size_of
from jaxnn.vocabulary import lookup

Window = tuple[tuple[float, float], ...]
"""(low, high) of each axis, x first."""

RESOLVED = 16
"""Units in the last place between neighbours, below which pixels are said to be rounding."""


class Cut(NamedTuple):
    """A plane or a line: a point and the unit directions from it, trees in float64."""

    origin: Any
    directions: tuple[Any, ...]


def window_of(text: str, *, axes: int, option: str) -> Window:
    """The window that this text names: x0:x1,y0:y1 with two axes, x0:x1 with one.

    Raises:
        ValueError: other text, numbers that are not finite, an axis without length.
    """
    form = ",".join(f"{name}0:{name}1" for name in "xy"[:axes])
    parts = [part.split(":") for part in text.split(",")]
    try:
        window = tuple((float(low), float(high)) for low, high in parts)
    except ValueError:
        window = ()
    if len(window) != axes or not np.isfinite(window).all():
        raise ValueError(f"{option} is {text}: give {form}, finite numbers such as -10:10")
    for low, high in window:
        if not low < high:
            zero = "zero area" if axes == 2 else "zero length"
            raise ValueError(
                f"{option} is {text}, and {low:g}:{high:g} has {zero}: give the lower number first"
            )
    return window


def inside(window: Window, outer: Window, *, text: str) -> None:
    """Nothing, where the window lies in the outer one.

    Raises:
        ValueError: it does not.
    """
    pairs = zip(window, outer, strict=True)
    if not all(low <= a and b <= high for (a, b), (low, high) in pairs):
        raise ValueError(
            f"--zoom is {text}, outside the map's window {spoken(outer)}: give a part of it"
        )


def spoken(window: Window) -> str:
    """The window as `window_of` reads it, to the last bit."""
    return ",".join(f"{_short(low)}:{_short(high)}" for low, high in window)


def folder_of(window: Window) -> str:
    """The name of the folder for what covers this window."""
    return ",".join(f"{_short(low)}_{_short(high)}" for low, high in window)


def _short(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def centres(window: Window, points: int) -> list[np.ndarray]:
    """The centres of so many pixels along each axis, in float64, each computed by itself."""
    numbers = (np.arange(points) + 0.5) / points
    return [low + numbers * (high - low) for low, high in window]


def parameter_numbers(names: tuple[str, ...], like: Any) -> list[int]:
    """The numbers of these parameters, counted layer after layer, weights row by row and then
    biases; like: the network's layers.

    Raises:
        ValueError: a name or a number that is none, or the same parameter twice.
    """
    known = dict(zip(parameter_names(like), range(size_of(like)), strict=True))
    numbers = []
    for name in names:
        bare = re.sub(r"\s", "", name)
        if re.fullmatch(r"\d+", bare):
            if int(bare) >= len(known):
                raise ValueError(
                    f"--parameters {name}: the network has {len(known)}, 0 to {len(known) - 1}"
                )
            numbers.append(int(bare))
        else:
            numbers.append(lookup(known, bare, what="parameter"))
    if len(set(numbers)) < len(numbers):
        raise ValueError(
            f"--parameters {' '.join(names)}: one parameter twice spans a plane of zero area; name "
            "two that differ"
        )
    return numbers


def parameter_names(like: Any) -> list[str]:
    """w1[0,0], w1[0,1], ..., b1[0], ..., w2[0,0], ...: the name of each parameter."""
    names = []
    for k, layer in enumerate(like, start=1):
        units, before = layer.weights.shape
        names += [f"w{k}[{i},{j}]" for i in range(units) for j in range(before)]
        names += [f"b{k}[{i}]" for i in range(units)]
    return names


def ulps_between(cut: Cut, window: Window, points: int) -> float:
    """How many units in the last place of float64 neighbouring pixels' weights differ by: the
    length of the step between them by the length of a vector of one unit each, at the window's
    largest weights; of the axes, the least.
    """
    stacked = [flat([leaf[None] for leaf in _leaves(p)])[0] for p in (cut[0], *cut[1])]
    origin, directions = stacked[0], stacked[1:]
    corners = np.stack(np.meshgrid(*window), axis=-1).reshape(-1, len(window))
    largest = np.max(np.abs(origin + corners @ np.stack(directions)), axis=0)
    unit = np.spacing(largest)
    least = np.inf
    for (low, high), direction in zip(window, directions, strict=True):
        step = (high - low) / points * np.linalg.norm(direction)
        least = min(least, step / np.linalg.norm(unit[direction != 0]))
    return float(least)


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(part) for layer in tree for part in layer]
