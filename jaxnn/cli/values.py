"""Values as they are typed, in their settings' own types."""

from __future__ import annotations

import typing
from typing import Any, Literal

from jaxnn.studies.options import Option, wanted
from jaxnn.vocabulary import did_you_mean

ALIASES = {"-v": "verbose"}


def from_text(option: Option, text: str) -> Any:
    """One value as it was typed.

    Raises:
        ValueError: what came and what was wanted.
    """
    if typing.get_origin(option.kind) is Literal:
        choices = typing.get_args(option.kind)
        if text in choices:
            return text
        raise ValueError(
            f"{option.spelled} is {text}: give {wanted(option)}{did_you_mean(text, choices)}"
        )
    try:
        return option.kind(text)
    except ValueError:
        raise ValueError(f"{option.spelled} is {text}: give {wanted(option)}") from None
