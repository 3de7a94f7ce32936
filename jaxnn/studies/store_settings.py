"""What can be asked of a store itself: is it whole, and as which file shall it travel? Only the
standard library is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verify:
    """Is every array of a store still what was written? Exit status 1 where one is not.

    A flipped byte, a missing file and a half-written one are named by chunk, variable and place.
    """

    store: Path
    """The folder of a store, with those in it: of a map's variants, or of results."""
    repair: bool = False
    """Forget the damaged chunks, so that the command that made the store computes just these again,
    to the same bits; exit status 0 where that is enough."""


@dataclass(frozen=True)
class Export:
    """Write a store as one file of another kind."""

    store: Path
    """The folder of the store, such as results/study-iris."""
    to: Path | None = None
    """The file to write: .nc (netCDF, everything with names and units), .csv (a row for each
    network) or .safetensors (every array by its name); default STORE.nc. A file that is there is
    left."""
