"""What can be asked of `jaxnn basins` and `jaxnn sensitivity`. Only the standard library is
imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from jaxnn.studies import settings as of_all
from jaxnn.studies.settings import Problem, Where


@dataclass(frozen=True)
class Basins(Where, Problem):
    """Where does each initial weight lead? Attractors over a plane or a line of initial weights, or
    their probabilities in a sample.
    """

    over: Literal["plane", "line", "sample"] = "plane"
    """A plane or a line through one network's initial weights, or a sample drawn by every scheme,
    scale, step size and width."""
    scheme: str | None = None
    """Plane, line: distribution of the network that it goes through; default normal."""
    scale: float | None = None
    """Plane, line: factor on its initial weights; default 1."""
    parameters: tuple[str, ...] = ()
    """Plane, line: the parameters that vary, two or one, by number or by name: w1[0,1] is the
    weight from input 1 to unit 0 of layer 1, b2[0] a bias. Default: random orthonormal directions
    through the network."""
    window: str | None = None
    """Plane: x0:x1,y0:y1, line: x0:x1, in the parameters' unit; default -10:10 times the scale."""
    points: int | None = None
    """Plane: pixels along each side, default 128; line: pixels, default 1024."""
    schemes: tuple[str, ...] | None = None
    """Sample: distributions of the initial weights; default normal."""
    scales: tuple[float, ...] | None = None
    """Sample: factors on the initial weights; default 0.1 0.3 1 2 5 10."""
    step_sizes: tuple[float, ...] | None = None
    """Sample: step sizes, each with --steps; default --step-size."""
    widths: tuple[int, ...] | None = None
    """Sample: units in every hidden layer, a store each in OUT/hidden-WIDTH; default --hidden."""
    members: int | None = None
    """Sample: networks for each scheme, scale and step size, from the same unit draws in all."""
    dynamics: Literal["descent", "flow"] = "descent"
    """descent: by the update rule; flow: the gradient flow, for the time steps * step size."""
    precision: Literal["float32", "float64"] | None = None
    """Of training; default float64 over a plane or a line, float32 for a sample."""
    labels: Literal["attractors", "predictions"] | None = None
    """attractors: what the loss leads down to from where training ended, modulo symmetry, by the
    whole Hessian, for up to 500 parameters; predictions: ends that classify all training cases
    alike are one. Default attractors for up to 50 parameters, where a search takes milliseconds."""
    gradient: float = 1e-6
    """Full-batch training and the flow stop where the gradient's norm is below this."""
    level: float | None = None
    """Steps are also counted until the loss on the training cases is at most this."""
    zoom: str | None = None
    """A window inside that of the map in OUT: computed in float64 into OUT/zooms."""
    against: str | None = None
    """Also compute the map by another dynamics, `flow` or another step size for as long, and say
    what share of it changes."""
    chunk: int | None = None
    """Starts between two writes to the store, about; default 2048."""
    out: Path | None = None
    """Folder of the store; default results/basins-DATA."""


@dataclass(frozen=True)
class Again(Basins):
    """Some pixels of a map once more, otherwise: not a command, but parts of `basins`."""

    pixels: int = 1000
    """How many, drawn by the seed."""
    ulps: int = 0
    """Units in the last place that every initial weight is moved up by."""


@dataclass(frozen=True)
class Sensitivity(Basins):
    """How sharp and how fractal are the borders of a map, and how small a change crosses one?

    The map is that of `jaxnn basins` with the same options, made if it is not there.
    """

    lyapunov: int = 64
    """Pixels, drawn by the seed, from which the growth of small changes is followed through
    training."""
    changes: int = 4
    """Pixels from which the smallest change is looked for that leads elsewhere; thousands of
    trainings each."""


CHUNK = 2048
SCALES = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0)
_START: dict[str, Any] = {"scheme": "normal", "scale": 1.0, "precision": "float64"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "plane": {**_START, "points": 128},
    "line": {**_START, "points": 1024},
    "sample": {"schemes": ("normal",), "scales": SCALES, "precision": "float32"},
}
"""By what the map is over."""

B = TypeVar("B", bound=Basins)


def resolved(settings: B) -> B:
    """The settings with every None that has a default filled in; of a map that is no sample the
    number of members stays None.
    """
    full = of_all.resolved(settings)
    own = {**DEFAULTS[full.over], "chunk": CHUNK}
    full = replace(full, **{n: v for n, v in own.items() if getattr(full, n) is None})
    if full.over == "sample":
        return full if full.step_sizes else replace(full, step_sizes=(full.step_size or 0.0,))
    reach = 10 * (full.scale or 0.0)
    axes = 2 if full.over == "plane" else 1
    window = full.window or ",".join([f"{-reach:g}:{reach:g}"] * axes)
    return replace(full, members=settings.members, window=window)
