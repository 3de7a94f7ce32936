"""Numbers as the text says them; nowhere else is a number made into words."""

from __future__ import annotations

import math
from typing import Any

from jaxnn.intervals import Share, wilson

NOTHING = "\u2013"


def percent(value: float, digits: int = 1) -> str:
    """0.614 -> 61.4 %, with a space that does not break."""
    return f"{100 * value:.{digits}f}\u00a0%"


def share(found: Share | tuple[float, float, float], digits: int = 1) -> str:
    """A share and its 95 % interval: 61.4 % [60.1, 62.7]."""
    value, low, high = (100 * part for part in found)
    return f"{value:.{digits}f}\u00a0% [{low:.{digits}f}, {high:.{digits}f}]"


def counted(successes: Any, digits: int = 1) -> str:
    """The share of true entries with Wilson's interval."""
    return share(wilson(int(successes.sum()), successes.size), digits)


def difference(found: tuple[float, float, float], digits: int = 1) -> str:
    """A difference of two shares in percentage points: +12.0 [10.2, 13.8]."""
    value, low, high = (round(100 * part, digits) + 0.0 for part in found)  # no negative zero
    return f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]".replace("-", "\u2212")


def estimate(found: tuple[float, float, float], digits: int = 2) -> str:
    """A number and its interval: 0.83 [0.80, 0.86]."""
    value, low, high = found
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]".replace("-", "\u2212")


def whole(count: float) -> str:
    """10000 -> 10 000, with a thin space; a dash for what is not a number."""
    if not math.isfinite(count):
        return NOTHING
    return f"{int(count):,}".replace(",", "\u202f")


def figures(value: float, digits: int = 3) -> str:
    """So many significant figures, 1.2e-13 as 1.2 x 10^-13; a dash for what is not a number."""
    if not math.isfinite(value):
        return NOTHING
    said = f"{value:.{digits}g}"
    if "e" not in said:
        return said.replace("-", "\u2212")
    mantissa, power = said.split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "\u207b⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} \u00d7 10{raised}"
