"""What a setting may be, from the types of the settings' dataclasses: in words, and checked."""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union

from jaxnn.vocabulary import did_you_mean


class Option(NamedTuple):
    """A setting: its name in Python, the type of one value, whether it takes many of them, whether
    it must be given, and whether it is given by its place and without its name.
    """

    name: str
    kind: Any
    many: bool
    required: bool
    placed: bool

    @property
    def spelled(self) -> str:
        """As it is typed: --step-size, or DATA for what has a place."""
        return self.name.upper() if self.placed else f"--{self.name.replace('_', '-')}"


WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text",
         Path: "a path"}  # fmt: skip
ALIASES = {"-v": "verbose"}


def options_of(kind: type, *, placed: bool = False) -> dict[str, Option]:
    """The settings of a dataclass by their names in Python; those without a default have a place,
    or all.
    """
    hints = typing.get_type_hints(kind)
    return {
        f.name: _option(f.name, hints[f.name], f.default is MISSING, placed) for f in fields(kind)
    }


def _option(name: str, hint: Any, required: bool, placed: bool) -> Option:
    if typing.get_origin(hint) in (Union, types.UnionType):  # what may be None too
        (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    many = typing.get_origin(hint) is tuple
    return Option(
        name, typing.get_args(hint)[0] if many else hint, many, required, required or placed
    )


def wanted(option: Option) -> str:
    """What the setting may be, in words."""
    if typing.get_origin(option.kind) is Literal:
        word = f"one of {', '.join(typing.get_args(option.kind))}"
    else:
        word = WORDS[option.kind]
    return word + (", one or more" if option.many else "")


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


def from_file(option: Option, value: Any) -> Any:
    """A value as a file of settings holds it, in its setting's own type.

    Raises:
        ValueError: what came and what was wanted.
    """
    if option.many:
        values = value if isinstance(value, list) else [value]
        one = option._replace(many=False)
        return tuple(from_file(one, part) for part in values)
    taken = {float: (int, float), int: (int,), bool: (bool,)}.get(option.kind, (str,))
    if not isinstance(value, taken) or (isinstance(value, bool) and option.kind is not bool):
        raise ValueError(f"{option.name} is {value!r}: give {wanted(option)}")
    return value if option.kind is bool else from_text(option, str(value))
