"""Figures, their fonts and colours, and files that are the same bytes every time."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib

if matplotlib.get_backend(auto_select=False) is None:  # a notebook has chosen its own
    matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

from jaxnn import results
from jaxnn.plots.ticks import tick_labels
from jaxnn.text import for_figure
from jaxnn.vocabulary import lookup

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe & Ito's palette, told apart with any colour vision."""
MARKERS = "osD^vPX*"
COLUMN, PAGE = 3.4, 7.0
"""The widths of one column of print and of the page, inches."""

STYLE = {
    "svg.hashsalt": "jaxnn",
    "svg.fonttype": "path",  # letters as shapes: the same picture without the font
    "pdf.fonttype": 42,  # the font as it is, not as drawings of its letters
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "0.25",
    "axes.prop_cycle": cycler(color=COLOURS),
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.5,
    "image.cmap": "viridis",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
}
# what would make two files of one figure differ: when and by what each was written
UNDATED = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}

P = ParamSpec("P")
R = TypeVar("R")


def house_style() -> Any:
    """A context in which everything drawn has this file's fonts, spines and layout."""
    return plt.rc_context(STYLE)  # pyright: ignore[reportArgumentType]


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """The function, drawing in the house style wherever it is called."""

    @functools.wraps(draw)
    def in_style(*args: P.args, **settings: P.kwargs) -> R:
        with house_style():
            return draw(*args, **settings)

    return in_style


def plain(text: str, *, most: int = 40) -> str:
    """Text from data, such as the name of a file or a class, for a title or a label: no mathematics
    in it, at most so many letters, and only those that the house's font has.
    """
    font = font_manager.get_font(font_manager.findfont(str(STYLE["font.family"])))
    return for_figure(str(text), most=most, has=lambda letter: font.get_char_index(ord(letter)) > 0)


def colour_bar(ax: Axes, drawn: Any, name: str, ticks: np.ndarray | None = None) -> Colorbar:
    """The scale of what is drawn, as high as the axes and beside them, with these ticks in their
    units.
    """
    bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)))
    if ticks is not None:
        bar.set_ticks(ticks.tolist(), labels=tick_labels(ticks))
        bar.ax.minorticks_off()
    bar.set_label(name)
    return bar


@styled
def figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.0, height: float = 4.0, **axes: Any
) -> Any:
    """A figure and its axes (rows, columns), always two-dimensional; sizes in inches.

    axes: as matplotlib's `subplots`; subplot_kw={"projection": "3d"} for `surface`.
    """
    return plt.subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **axes
    )


@styled
def save(
    drawn: Figure, path: str | Path, *, formats: Sequence[str] = ("svg", "png"), dpi: int = 150
) -> list[Path]:
    """Write path.svg and path.png, byte for byte the same for the same figure, each whole or not at
    all, and close it.

    Args:
        drawn: of `figure`.
        path: without a suffix; its folders are made.
        formats: of svg, pdf and png.
        dpi: dots an inch of what is no vector.

    Raises:
        ValueError: an unknown format; a link or a folder where a file is to be written.
    """
    path = Path(path)
    known = {name: lookup(UNDATED, name, what="format") for name in formats}
    contents: dict[str, bytes | str] = {}
    for name, metadata in known.items():
        drawing = io.BytesIO()
        drawn.savefig(drawing, format=name, dpi=dpi, metadata=metadata)
        contents[f"{path.name}.{name}"] = drawing.getvalue()
    plt.close(drawn)
    return results.write_files(path.parent, contents)
