"""What a map is, in words: its starts, and what moves them."""

from __future__ import annotations

from jaxnn.intervals import Share
from jaxnn.studies.basin_maps import MEMORY, searched
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.map_starts import AXES, swept
from jaxnn.studies.problem import Posed

SEARCHED = "labels: what the loss leads down to from where training ended, modulo symmetry"
PREDICTED = "labels: ends that classify all training cases alike are one"


def head(settings: Basins, posed: Posed) -> str:
    """What was computed, in words."""
    sizes, acts = "-".join(map(str, posed.sizes)), ", ".join(dict.fromkeys(posed.activation))
    return (
        f"{posed.source.name}: {posed.source.note}\n"
        f"network {sizes}, {acts}, l2 {settings.l2:g}; {moves(settings)}, {settings.precision}\n"
        f"{covers(settings)}\n" + (SEARCHED if searched(settings, posed) else PREDICTED)
    )


def moves(settings: Basins) -> str:
    """The dynamics, in words."""
    sizes = step_sizes(settings)
    said = ", ".join(f"{size:g}" for size in sizes)
    if settings.dynamics == "flow":
        factor = (settings.steps or 0) * MEMORY.get(settings.rule, 1.0)
        return f"gradient flow for the time {', '.join(f'{factor * size:g}' for size in sizes)}"
    if settings.batch_size:
        return (
            f"{settings.rule} at step size {said}, {settings.epochs} epochs in batches of "
            f"{settings.batch_size}, in one order for all"
        )
    return f"{settings.rule} at step size {said}, at most {settings.steps} steps"


def step_sizes(settings: Basins) -> list[float]:
    """Those of a sample, or the one of a map."""
    return swept(settings)[2] or [settings.step_size or 0.0]


def covers(settings: Basins) -> str:
    """The starts, in words."""
    if settings.over == "sample":
        names = ("schemes", "scales", "step sizes")
        pairs = zip(swept(settings), names, strict=True)
        cells = " x ".join(f"{len(values)} {name}" for values, name in pairs)
        return f"{cells}, {settings.members} initial weights each, from the same unit draws in all"
    drawn = f"{settings.scheme} at scale {settings.scale:g}, seed {settings.seed}"
    names = " and ".join("xy"[: len(AXES[settings.over])])
    if settings.parameters:
        pairs = zip("xy", settings.parameters, strict=False)
        along = ", ".join(f"{axis} is {name}" for axis, name in pairs) + f", the others {drawn}"
    else:
        along = f"{names} along random orthonormal directions from {drawn}"
    size = " x ".join([str(settings.points)] * len(AXES[settings.over]))
    return f"{settings.over} of {size} initial weights, {settings.window}: {along}"


def percent(share: Share) -> str:
    """A share with its interval, in per cent."""
    return f"{100 * share.share:.2f} % [{100 * share.low:.2f}, {100 * share.high:.2f}]"
