"""What is drawn has the shape that its axes say, or is refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np


def shaped(name: str, values: Any, **axes: int | None) -> np.ndarray:
    """The values as an array whose axes are these, each with its length, None for any.

    Raises:
        ValueError: another number of axes, or another length of one; whole numbers of which some
            are masked (of others these are NaN).
    """
    if np.ma.is_masked(values):
        if values.dtype.kind != "f":
            raise ValueError(
                f"{np.ma.count_masked(values)} of {name} are masked: give each a number, as by "
                f"{name}.filled(-1)"
            )
        values = values.filled(np.nan)
    array = np.asarray(values)
    lengths = tuple(axes.values())
    if len(lengths) == array.ndim and all(
        wanted in (None, came) for wanted, came in zip(lengths, array.shape, strict=True)
    ):
        return array
    words, sizes = (_tuple(parts) for parts in (axes, ("any" if n is None else n for n in lengths)))
    raise ValueError(f"{name} has shape {array.shape}: give {words}, here {sizes}")


def _tuple(parts: Any) -> str:
    texts = [str(part) for part in parts]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
