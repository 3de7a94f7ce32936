"""What the numbers of a problem may be, refused by the option that was typed before anything is
read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jaxnn.network import SCHEMES
from jaxnn.studies.settings import Problem
from jaxnn.vocabulary import lookup

COUNTS = {
    "steps": 0, "batch_size": 0, "epochs": 0, "search_steps": 0, "seed": 0, "lyapunov": 0,
    "changes": 0, "members": 1, "chunk": 1, "record_every": 1, "workers": 1, "starts": 1,
}  # fmt: skip
"""The least that each may be."""
BOUNDS = ("l2", "level", "gradient")
"""0 or more."""
FACTORS = {"scale": False, "step_size": False, "scales": True, "step_sizes": True}
"""Above 0; whether there are many."""


def check(settings: Problem) -> None:
    """Refuse values that mean nothing.

    Raises:
        ValueError: a setting out of its range, with what came and what was wanted.
    """
    for name, least in COUNTS.items():
        value = getattr(settings, name, None)
        if value is not None and not value >= least:
            raise ValueError(f"{option(name)} is {value}: give a whole number, at least {least}")
    for name in BOUNDS:
        value = getattr(settings, name, None)
        if value is not None and value < 0:
            raise ValueError(f"{option(name)} is {value}: give a finite number, at least 0")
    for name, many in FACTORS.items():
        _check_factors(name, getattr(settings, name, None), many)
    if any(units < 1 for units in settings.hidden or ()):
        raise ValueError(
            f"--hidden is {spaced(settings.hidden or ())}: every layer needs at least 1 unit"
        )
    if not 0 < settings.test_share < 1:
        raise ValueError(f"--test-share is {settings.test_share}: give a number between 0 and 1")
    for scheme in getattr(settings, "schemes", ()) or (
        getattr(settings, "scheme", None) or "normal",
    ):
        lookup(SCHEMES, scheme, what="scheme")
    if getattr(settings, "schemes", None) == ():
        raise ValueError("--schemes names none: give at least one")
    for name in ("schemes", "scales", "step_sizes"):
        values = getattr(settings, name, None) or ()
        if len(set(values)) < len(values):
            raise ValueError(f"{option(name)} is {spaced(values)}: name each once")


def _check_factors(name: str, value: Any, many: bool) -> None:
    values = (value if many else [value]) if value is not None else [1.0]
    if not values or not all(one > 0 for one in values):
        wanted = "finite numbers" if many else "a finite number"
        raise ValueError(f"{option(name)} is {spaced(values)}: give {wanted} above 0")


def option(name: str) -> str:
    """A setting as it is typed."""
    return f"--{name.replace('_', '-')}"


def spaced(values: Iterable[Any]) -> str:
    """Values as they are typed after an option."""
    return " ".join(map(str, values)) or "nothing"
