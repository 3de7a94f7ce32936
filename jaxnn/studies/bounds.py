"""What is asked for held against what the machine holds, before anything is computed."""

from __future__ import annotations

import itertools
import math
from typing import Any

from jaxnn import memory
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.ranges import spaced
from jaxnn.studies.settings import Census, OfStore, Problem, Slice, Study

SCALARS = 16
"""Numbers that a store keeps of a network beside its weights and losses, about."""
RECORDS = 60
"""Records of each network's loss, where no other number is asked for."""
COPIES = 2
"""How often what a store holds is in memory while it is gathered and drawn."""

POINT = 64
"""Bytes that a point of a picture takes while it is computed and drawn, about."""


def check_room(settings: Problem, sizes: tuple[int, ...]) -> None:
    """Refuse more than memory holds: a network whose gradient, four ways in float64, does not fit;
    records, networks or pixels that could not be gathered, or not even computed chunk by chunk.

    sizes: the units of each layer of the network, its inputs first.

    Raises:
        ValueError: with what is needed and what there is.
    """
    parameters = sum((n + 1) * units for n, units in itertools.pairwise(sizes))
    memory.check(
        4 * 8 * parameters, f"--hidden is {spaced(sizes[1:-1])}: the gradient, four ways,",
        "give fewer units",
    )  # fmt: skip
    count, option = _networks(settings)
    if not option:
        return
    each = _bytes_each(settings, parameters)
    if getattr(settings, "report", True):
        what = f"gathering and drawing {count:,} networks ({option})"
        memory.check(COPIES * count * each, what, f"give fewer, {_apart(settings)}")
    at_once = min(count, getattr(settings, "chunk", None) or count)
    memory.check(
        COPIES * at_once * each, f"a chunk of {at_once:,} networks", "give a lower --chunk"
    )


def check_points(settings: OfStore) -> None:
    """Refuse a plane, lines or a path of more points than memory holds.

    Raises:
        ValueError: with what is needed and what there is.
    """
    points, lines = getattr(settings, "points", 0), getattr(settings, "lines", 0)
    count = points * max(points if isinstance(settings, Slice) else 1, lines)
    lined = f" along --lines {lines}" if lines > points else ""
    what = f"a picture of {count:,} points (--points {points}{lined})"
    memory.check(POINT * count, what, "give fewer")


def _networks(settings: Problem) -> tuple[int, str]:
    """How many networks are asked for, and the option that says so; "" where there is one only."""
    if isinstance(settings, Study):
        cells = len(settings.schemes) * len(settings.scales)
        return cells * (settings.members or 1), f"--members {settings.members}"
    if isinstance(settings, Census):
        return settings.starts, f"--starts {settings.starts}"
    if not isinstance(settings, Basins):
        return 1, ""
    if settings.over == "sample":
        swept: list[Any] = [settings.schemes, settings.scales, settings.step_sizes]
        cells = math.prod(len(values or (None,)) for values in swept)
        return cells * (settings.members or 1), f"--members {settings.members}"
    points = settings.points or 1
    return points ** (2 if settings.over == "plane" else 1), f"--points {points}"


def _bytes_each(settings: Problem, parameters: int) -> int:
    """What a store keeps of one network, in bytes."""
    if not isinstance(settings, Study):
        return 8 * (3 * parameters + SCALARS)  # its end, and a stationary point with its spectrum
    length = (settings.epochs if settings.batch_size else settings.steps) or 0
    records = length // settings.record_every if settings.record_every else min(length, RECORDS)
    return 4 * (records + 2 * parameters + SCALARS)


def _apart(settings: Problem) -> str:
    """What else can be done than to ask for fewer."""
    if isinstance(settings, Study | Census):
        return "or fill the store with --no-report and gather it on a larger machine"
    return "or --zoom into a part of a smaller map"
