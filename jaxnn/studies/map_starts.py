"""The initial weights of a map, region by region: pure functions of its settings."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np

from jaxnn import ensembles, results
from jaxnn.landscape import basins, directions
from jaxnn.landscape.many import at, in_float64
from jaxnn.studies import endings, map_windows
from jaxnn.studies.map_settings import Again, Basins
from jaxnn.studies.map_windows import Cut, Window
from jaxnn.studies.problem import Posed
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME

X, Y, STEP_SIZE, PIXEL = "x", "y", "step_size", "pixel"
AXES = {"plane": (X, Y), "line": (X,), "sample": ()}
"""The axes of a map by what it is over."""


def like(posed: Posed) -> Any:
    """Shapes and dtypes of one network."""
    draw = functools.partial(ensembles.init, posed.init_key, posed.sizes, members=1)
    return endings.shapes_of(draw)


def window(settings: Basins) -> Window:
    """The window of a plane or a line."""
    axes = len(AXES[settings.over])
    return map_windows.window_of(settings.window or "", axes=axes, option="--window")


def swept(settings: Basins) -> tuple[list[str], list[float], list[float]]:
    """The schemes, scales and step sizes of a sample."""
    return (
        list(settings.schemes or ()), list(settings.scales or ()), list(settings.step_sizes or ())
    )  # fmt: skip


def shape(settings: Basins) -> dict[str, int]:
    """The dimensions of the starts and their lengths, the last one varying fastest."""
    if isinstance(settings, Again):
        return {PIXEL: len(pixels(settings))}
    if settings.over == "sample":
        lengths = dict(zip((SCHEME, SCALE, STEP_SIZE), map(len, swept(settings)), strict=True))
        return {**lengths, MEMBER: settings.members or 1}
    return dict.fromkeys(AXES[settings.over][::-1], settings.points or 2)


def pixels(settings: Again) -> np.ndarray:
    """The numbers of the pixels computed again, ascending, of the map row by row."""
    whole = (settings.points or 2) ** len(AXES[settings.over])
    rng = np.random.default_rng(settings.seed)
    return np.sort(rng.choice(whole, min(settings.pixels, whole), replace=False))


def starts(settings: Basins, posed: Posed, region: results.Region) -> Any:
    """The initial weights of a region, stacked, in the settings' precision."""
    if settings.over == "sample":
        (first, last), (schemes, scales, _) = region[MEMBER], swept(settings)
        drawn = ensembles.init(
            posed.init_key, posed.sizes, members=last - first, first=first,
            scheme=schemes[region[SCHEME][0]],
            scale=scales[region[SCALE][0]],
        )  # fmt: skip
        return _moved(settings, drawn)
    plane, axes = cut(settings, posed), map_windows.centres(window(settings), settings.points or 2)
    if isinstance(settings, Again):
        return _moved(settings, _single(plane, axes, pixels(settings)[slice(*region[PIXEL])]))
    three = plane.origin, plane.directions[0], plane.directions[-1]
    if settings.over == "line":
        return _moved(
            settings, basins.on_line(plane.origin, plane.directions[0], axes[0][slice(*region[X])])
        )
    return _moved(settings, basins.on_plane(*three, axes[0], axes[1][slice(*region[Y])]))


def _single(plane: Cut, axes: list[np.ndarray], numbers: np.ndarray) -> Any:
    """The starts of these pixels, to the bit those of the whole map."""
    rows, columns = np.divmod(numbers, len(axes[0]))
    if len(axes) == 1:
        return basins.on_line(plane.origin, plane.directions[0], axes[0][columns])
    three = plane.origin, plane.directions[0], plane.directions[1]
    one = [
        basins.on_plane(*three, axes[0][[i]], axes[1][[j]])
        for i, j in zip(columns, rows, strict=True)
    ]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *one)


def _moved(settings: Basins, points: Any) -> Any:
    """The points in the precision of training, moved up by the units in the last place asked."""
    ulps = settings.ulps if isinstance(settings, Again) else 0

    def move(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf, settings.precision)
        for _ in range(ulps):
            array = np.nextafter(array, np.inf, dtype=array.dtype)
        return array

    return jax.tree.map(move, points)


def cut(settings: Basins, posed: Posed) -> Cut:
    """The plane or line of a map, in float64: through one network along random orthonormal
    directions, or along parameters, whose values x and y then are.
    """
    drawn = ensembles.init(
        posed.init_key, posed.sizes, members=1, scheme=settings.scheme, scale=settings.scale
    )
    shapes, axes = like(posed), len(AXES[settings.over])
    if settings.parameters:
        numbers = map_windows.parameter_numbers(settings.parameters, shapes)
        origin = endings.flat(drawn).astype(np.float64)
        origin[:, numbers] = 0.0
        rows = np.eye(origin.shape[1])[numbers]
        return Cut(at(endings.unflat(origin, shapes), 0), _rows(rows, shapes))
    key = jax.random.fold_in(posed.init_key, 2**32 - 1)  # no member has this number
    with jax.enable_x64(True):
        origin = in_float64(at(drawn, 0))
        pair = [directions.gaussian(origin, k) for k in jax.random.split(key)]
        made = directions.orthonormal(*pair)[:axes]
        return Cut(*jax.tree.map(np.asarray, (origin, tuple(made))))


def _rows(rows: np.ndarray, shapes: Any) -> tuple[Any, ...]:
    stacked = endings.unflat(rows, shapes)
    return tuple(at(stacked, k) for k in range(len(rows)))
