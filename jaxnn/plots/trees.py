"""A disconnectivity tree: each minimum a line that ends at its loss, joined at its saddles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D

from jaxnn.landscape.trees import Disconnectivity
from jaxnn.plots.style import COLOURS, styled

LABELLED = 24
"""Minima up to which leaves have labels unless told otherwise."""
SHORTEST = 0.025
"""How long a leaf with a width is at least, as a share of the tree, so that it can be seen."""
APART = 0.04  # the room between two trees, as a share of the axis


@styled
def disconnectivity(
    ax: Axes, tree: Disconnectivity, *,
    labels: Sequence[str] | None = None, kinds: Sequence[str] | None = None,
) -> Axes:  # fmt: skip
    """The minima as leaves over the loss, joined at the lowest saddles between them.

    Each minimum's line goes from its loss up to where its valley joins a deeper one, and the
    deepest line goes straight to the top: side valleys join it left and right in turn, so that a
    funnel is a palm and many funnels are many. Trees that no known saddle joins stand apart, from
    the deepest, and end in dots. With widths, a leaf is a bar as wide as the probability of
    reaching it, on the scale shown; half of the axis is shared by probability and half equally.
    Where a bar would be shorter than SHORTEST it ends above its merge.

    Args:
        ax: drawn into; its horizontal axis has no meaning and no ticks.
        tree: of `trees.disconnectivity`, or its `at_levels` for the conventional levels.
        labels: (n,) below the leaves; default the index, where there are at most LABELLED minima.
        kinds: (n,) a word for each minimum, which has that kind's colour and an entry in the
            legend.

    Raises:
        ValueError: labels or kinds that are not one a minimum.
    """
    n = len(tree.losses)
    for name, given in (("labels", labels), ("kinds", kinds)):
        if given is not None and len(given) != n:
            raise ValueError(f"{len(given)} {name} for {n} minima: give one a minimum")
    if labels is None and n <= LABELLED:
        labels = [str(i) for i in range(n)]
    colours, names = _colours(kinds, n)
    at, slots = _places(tree)
    low, high = float(tree.losses.min()), float(tree.node_heights.max())
    top = high + 0.06 * ((high - low) or 1.0)
    thin = 1.1 if n <= LABELLED else max(0.3, 1.1 * (LABELLED / n) ** 0.3)

    _branches(ax, tree, at, colours, thin, top)
    if tree.widths is not None:
        _leaves(ax, tree, tree.widths, at, colours)
    if labels is not None:
        for x, loss, label in zip(at, tree.losses, labels, strict=True):
            ax.annotate(label, (x, loss), xytext=(0, -3), textcoords="offset points", ha="center",
                        va="top", fontsize=8)  # fmt: skip
    if kinds is not None:
        handles = [Line2D([], [], color=colour, lw=2, label=name) for name, colour in names.items()]
        ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=4)
    ax.set_xlim((at - slots).min(), (at + slots).max())
    ax.set_ylim(low - 0.08 * (top - low), top)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_ylabel("loss")
    return ax


def _places(tree: Disconnectivity) -> tuple[np.ndarray, np.ndarray]:
    """Where each minimum stands and the room it has, (n,) both, the axis being 1 long in all."""
    n, nodes = len(tree.losses), len(tree.parents)
    slots = np.full(n, 1.0 / n)
    if tree.widths is not None:
        slots = 0.5 * slots + 0.5 * tree.widths
    # what lies left and right of the deepest minimum's middle, for each node
    left, right = np.zeros(nodes), np.zeros(nodes)
    left[:n] = right[:n] = slots / 2
    on_the_left = np.zeros(len(tree.children), bool)
    for merge, (deep, side) in enumerate(tree.children):
        whole, lean = left[side] + right[side], left[deep] <= right[deep]
        on_the_left[merge] = lean
        left[n + merge] = left[deep] + whole * lean
        right[n + merge] = right[deep] + whole * (not lean)
    begin = np.zeros(nodes)
    roots = np.flatnonzero(tree.parents < 0)
    roots = roots[np.argsort(tree.losses[tree.deepest[roots]], kind="stable")]
    sizes = left + right
    begin[roots] = np.cumsum(sizes[roots] + APART) - sizes[roots]
    for merge in range(len(tree.children) - 1, -1, -1):
        deep, side = tree.children[merge]
        first, second = (side, deep) if on_the_left[merge] else (deep, side)
        begin[first], begin[second] = begin[n + merge], begin[n + merge] + sizes[first]
    return begin[:n] + slots / 2, slots


def _branches(
    ax: Axes, tree: Disconnectivity, at: np.ndarray, colours: np.ndarray, thin: float, top: float
) -> None:
    """The lines: upright from each minimum to its merge, level at each merge, and over each root
    to the top, in dots where there are several.
    """
    root_nodes = np.flatnonzero(tree.parents < 0)
    roots = tree.deepest[root_nodes]
    rises = tree.merging_heights
    rises[roots] = tree.node_heights[root_nodes]
    uprights = np.stack([at, tree.losses, at, rises], 1).reshape(-1, 2, 2)
    ax.add_collection(LineCollection(list(uprights), colors=list(colours), linewidths=thin))
    ends = at[tree.deepest[tree.children]]  # (merges, 2)
    levels = np.stack([ends[:, 0], tree.heights, ends[:, 1], tree.heights], 1).reshape(-1, 2, 2)
    # of many minima the level lines would black out the funnels: pale, they shade them
    pale = "0.35" if len(at) <= LABELLED else "0.8"
    ax.add_collection(LineCollection(list(levels), colors=pale, linewidths=thin, zorder=1))
    over = np.stack([at[roots], rises[roots], at[roots], np.full(len(roots), top)], 1)
    style = ":" if len(roots) > 1 else "-"
    ax.add_collection(
        LineCollection(
            list(over.reshape(-1, 2, 2)), colors=list(colours[roots]),
            linewidths=max(thin, 0.8), linestyles=style,
        )
    )  # fmt: skip


def _leaves(
    ax: Axes, tree: Disconnectivity, widths: np.ndarray, at: np.ndarray, colours: np.ndarray
) -> None:
    """Each leaf a bar as wide as half its probability, up to its first merge, and the scale."""
    above, heights = tree.parents[: len(at)], tree.node_heights
    ends = np.where(above >= 0, heights[above], heights.max())
    ends = np.maximum(ends, tree.losses + SHORTEST * (heights.max() - heights.min()))
    sides = ((-1, tree.losses), (1, tree.losses), (1, ends), (-1, ends))
    corners = np.stack([np.stack([at + k * widths / 4, y], 1) for k, y in sides], 1)
    ax.add_collection(
        PolyCollection(list(corners), facecolors=list(colours), edgecolors="none", alpha=0.55)
    )
    # a bar of 10 % under the axis, in the leaves' own units
    middle, place = (at.min() + at.max()) / 2, ax.get_xaxis_transform()
    ax.plot([middle - 0.025, middle + 0.025], [-0.03, -0.03], color="0.35", lw=3, clip_on=False,
            transform=place, solid_capstyle="butt")  # fmt: skip
    ax.annotate("probability 10 %", (middle + 0.035, -0.03), xycoords=place, va="center",
                annotation_clip=False, fontsize=8)  # fmt: skip


def _colours(kinds: Sequence[str] | None, n: int) -> tuple[np.ndarray, dict[str, str]]:
    """Each minimum's colour, (n,), and the kinds' colours in the order in which they come."""
    if kinds is None:
        return np.full(n, "0.1"), {}
    names = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(kinds))}
    return np.array([names[kind] for kind in kinds]), names
