"""Values as they are typed, in their settings' own types."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any, Literal

from jaxnn.studies.options import Option, taken, wanted
from jaxnn.studies.settings import DEFAULTS

ALIASES = {"-v": "verbose"}


METAVARS = {int: "INT", float: "FLOAT", str: "STR", Path: "PATH"}
EXAMPLES = ("iris", "digits")
"""Data sets whose defaults help names: of full batches, and of mini-batches."""


def metavar(option: Option) -> str:
    """What stands for a value in help; of a flag, how it is negated."""
    if option.kind is bool:
        return f"or --no-{option.spelled[2:]}"
    if typing.get_origin(option.kind) is Literal:
        return f"{{{','.join(typing.get_args(option.kind))}}}"
    one = METAVARS[option.kind]
    return f"[{one} [{one} ...]]" if option.many else one


def unless_given(name: str) -> str:
    """What help says of a setting that is None where it is not given: what the data set decides,
    with examples, or that it may be left out.
    """
    decided = {data: DEFAULTS[data].get(name) for data in EXAMPLES}
    if None in decided.values():
        return "(optional)"
    said = (f"{_of_many(value)} for {data}" for data, value in decided.items() if value)
    return f"(default: what suits the data, {' and '.join(said)})"


def _of_many(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def from_text(option: Option, text: str) -> Any:
    """One value as it was typed.

    Raises:
        ValueError: what came and what was wanted.
    """
    return taken(option._replace(many=False), _number(option, text))


def _number(option: Option, text: str) -> Any:
    """The number that a text is, where one is wanted; else the text."""
    if option.kind not in (int, float):
        return text
    try:
        if "_" in text or not text.isascii():  # which Python takes for numbers
            raise ValueError
        return option.kind(text)
    except ValueError:
        raise ValueError(f"{option.spelled} is {text}: give {wanted(option)}") from None
