"""Where the nodes and texts of a network's diagram stand, in units of the room a node has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

RADIUS = 0.3
"""Of a node."""
LETTER = (0.62, 1.25)
"""A letter's width and a line's height, in sizes of the font."""
Box = tuple[np.ndarray, np.ndarray]
"""The middle of a thing and half its size, (2,) both."""


def node_places(
    sizes: Sequence[int], counts: Sequence[int], paper: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Where the drawn nodes of each layer stand, (count, 2), and the dots for the others, so that
    the whole fills the paper as far as the lines are then neither steep nor long.
    """
    rooms = [count + (count < size) for size, count in zip(sizes, counts, strict=True)]
    tallest = max(rooms)
    fills = ((tallest + 1.2) * paper[0] / paper[1] - 1.6) / max(1, len(sizes) - 1)
    across = float(np.clip(fills, max(1.6, 0.3 * tallest), 2.6 * max(1.0, tallest / 4.5)))
    places, dots = [], [np.zeros((0, 2))]
    for layer, (count, room) in enumerate(zip(counts, rooms, strict=True)):
        heights = min(2.0, tallest / room) * ((room - 1) / 2 - np.arange(room))
        if room > count:
            gap = count // 2
            dots.append(np.stack([np.full(3, layer * across), heights[gap] + [-0.22, 0, 0.22]], 1))
            heights = np.delete(heights, gap)
        places.append(np.stack([np.full(count, layer * across), heights], axis=1))
    return places, np.concatenate(dots)


def points_of_a_unit(ax: Axes, places: Sequence[np.ndarray]) -> float:
    """About how many points, 1/72 inch, a unit of the diagram has on paper."""
    room = np.ptp(np.concatenate(places), axis=0) + np.array([1.6, 2.2])
    return 0.85 * 72 * float(np.min(paper_of(ax) / room))


def paper_of(ax: Axes) -> np.ndarray:
    """About how wide and how high the axes are, inches."""
    figure: Any = ax.figure
    return np.array(ax.get_position().size) * figure.get_size_inches()


def half_size(text: str, size: float, unit: float) -> np.ndarray:
    """Half the width and height of a text in units of the diagram."""
    return 0.5 * size / unit * np.array([LETTER[0] * _letters(text), LETTER[1]])


def _letters(text: str) -> int:
    """About how wide it is: of mathematics between dollars, what is seen of it."""
    return max(1, len([c for c in text if c not in "$\\_{}^"]) - 4 * text.count("\\"))


def free_place(
    ends: Sequence[tuple[np.ndarray, np.ndarray]], number: int, half: np.ndarray,
    taken: list[Box],
) -> np.ndarray:  # fmt: skip
    """Where on this line a text of this half size overlaps least with what is taken, then meets the
    fewest other lines, then is nearest to two fifths of the way.
    """
    starts, ways = np.array([a for a, _ in ends]), np.array([b - a for a, b in ends])
    middles, halves = (np.array(part) for part in zip(*taken, strict=True))

    def cost(share: float) -> tuple[float, int, float]:
        at = starts[number] + share * ways[number]
        over = np.prod(np.clip(half + halves - np.abs(at - middles), 0, None), axis=1).sum()
        # the heights of the other lines at both edges of the text and at its middle
        across = (at[0] + half[0] * np.array([-1, 0, 1]) - starts[:, :1]) / ways[:, :1]
        gaps = np.abs(starts[:, 1:] + across * ways[:, 1:] - at[1]).min(axis=1)
        return round(float(over), 6), int(np.sum(gaps < half[1])), abs(share - 0.4)

    return starts[number] + min(np.linspace(0.15, 0.85, 36), key=cost) * ways[number]
