"""Figures, their fonts and colours, and files that are the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe & Ito's palette, told apart with any colour vision."""
MARKERS = "osD^vPX*"

STYLE = {
    "svg.hashsalt": "jaxnn",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "legend.frameon": False,
}


def house_style() -> Any:
    """A context in which everything drawn has this file's fonts, spines and layout."""
    return plt.rc_context(STYLE)  # pyright: ignore[reportArgumentType]


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.0, height: float = 4.0, **axes: Any
) -> Any:
    """A figure and its axes (rows, columns), always two-dimensional; sizes in inches."""
    with house_style():
        return plt.subplots(
            rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **axes
        )


def save(drawn: Figure, path: str | Path) -> list[Path]:
    """Write path.svg and path.png (150 dots an inch), byte for byte the same for the same
    figure.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [path.with_name(f"{path.name}.{suffix}") for suffix in ("svg", "png")]
    with house_style():
        drawn.savefig(files[0], metadata={"Date": None, "Creator": None})
        drawn.savefig(files[1], dpi=150, metadata={"Software": None})
    plt.close(drawn)
    return files
