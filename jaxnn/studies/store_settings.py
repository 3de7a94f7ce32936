"""What can be asked of stores that are there, and of the command line itself. Only the standard
library is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxnn.studies.options import Checked


@dataclass(frozen=True)
class List(Checked):
    """The stores in a folder, also in the folders below it: command, data, networks, chunks done,
    size, date.
    """

    folder: Path = Path("results")
    """Where to look."""


@dataclass(frozen=True)
class Show(Checked):
    """What a store says: its settings, versions and certificate, and its table as it was written;
    nothing is computed.
    """

    store: Path
    """The folder of the store, such as results/study-iris."""


@dataclass(frozen=True)
class Compare(Checked):
    """Two studies side by side: the settings that differ, and for each scheme and scale that both
    have the difference of the shares that reach the level, with a 95 % interval.

    Where the same initial weights were trained twice, the difference is paired.
    """

    first: Path
    """The folder of a store that `jaxnn study` made."""
    second: Path
    """The folder of another one; differences are its share minus the first's."""
    level: float | None = None
    """The loss that counts as reached in both; default the first study's own."""


@dataclass(frozen=True)
class Verify(Checked):
    """Is every array, table, page and figure of a store still what was written? Exit status 1 where
    one is not, 2 where a store cannot be read at all.

    A flipped byte, a missing file and a half-written one are named by chunk, variable and place.
    """

    store: Path
    """The folder of a store, with those in it: of a map's variants, or of results."""
    repair: bool = False
    """Forget the damaged chunks, so that the command that made the store computes just these again,
    to the same bits; remove damaged tables and figures, and what killed processes left; exit status
    0 where that is enough."""


@dataclass(frozen=True)
class Export(Checked):
    """Write a store as one file of another kind."""

    store: Path
    """The folder of the store, such as results/study-iris."""
    to: Path | None = None
    """The file to write: .nc (netCDF, everything with names and units), .csv (a row for each
    network) or .safetensors (every array by its name); default STORE.nc. A file that is there is
    left."""


@dataclass(frozen=True)
class Docs(Checked):
    """The pages of the API, made from the docstrings, to be read without a network; the first one
    is opened in the browser.
    """

    out: Path = Path("results/docs")
    """The folder that they are written to."""
    open: bool = True
    """Open the first page."""


@dataclass(frozen=True)
class Completion(Checked):
    """The script that completes commands and options in a shell."""

    shell: Literal["bash", "zsh", "fish"]
    """bash, zsh or fish."""
