"""What a setting may be, from the types of the settings' dataclasses: in words, and taken from
Python's values. Only the standard library is imported here.
"""

from __future__ import annotations

import functools
import os
import types
import typing
from dataclasses import MISSING, dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union

from jaxnn.vocabulary import did_you_mean


class Option(NamedTuple):
    """A setting: its name in Python, the type of one value, whether it takes many of them, whether
    it may be None, whether it must be given, and whether it is given by its place and without its
    name.
    """

    name: str
    kind: Any
    many: bool
    optional: bool
    required: bool
    placed: bool

    @property
    def spelled(self) -> str:
        """As it is typed: --step-size, or DATA for what has a place."""
        return self.name.upper() if self.placed else f"--{self.name.replace('_', '-')}"


WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text",
         Path: "a path"}  # fmt: skip


@functools.cache
def options_of(kind: type, *, placed: bool = False) -> dict[str, Option]:
    """The settings of a dataclass by their names in Python; those without a default have a place,
    or all.
    """
    hints = typing.get_type_hints(kind)
    return {
        f.name: _option(f.name, hints[f.name], f.default is MISSING, placed) for f in fields(kind)
    }


def _option(name: str, hint: Any, required: bool, placed: bool) -> Option:
    optional = typing.get_origin(hint) in (Union, types.UnionType)  # what may be None too
    if optional:
        (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    many = typing.get_origin(hint) is tuple
    one = typing.get_args(hint)[0] if many else hint
    return Option(name, one, many, optional, required, required or placed)


def wanted(option: Option) -> str:
    """What the setting may be, in words."""
    if typing.get_origin(option.kind) is Literal:
        word = f"one of {', '.join(typing.get_args(option.kind))}"
    else:
        word = WORDS[option.kind]
    return word + (", one or more" if option.many else "")


COUNTED: dict[str, int] = dict.fromkeys(("seed", "members", "starts"), 32)
"""Bits of whole numbers that keys are made of; all others are counted in 31."""
SMALLEST, LARGEST = 1.1754943508222875e-38, 3.4028234663852886e38
"""The least and the largest number above 0 that float32, in which networks are trained, holds with
all its digits."""


def taken(option: Option, value: Any) -> Any:
    """A value from Python or from a file in its setting's own type.

    A list or an array may stand for a tuple, one value for many of which there is one, a string
    for a path, a whole float for an int; numpy's and jax's numbers are taken as Python's.

    Raises:
        ValueError: what came and what was wanted; a number that cannot be counted, or that float32
            does not hold.
    """
    made = _typed(option, value)
    for one in made if option.many and made is not None else [made]:
        _check_number(option, one)
    return made


def _check_number(option: Option, value: Any) -> None:
    """Refuse what would overflow or become 0 on the way."""
    bits = COUNTED.get(option.name, 31)
    if option.kind is int and value is not None and abs(value) >= 2**bits:
        raise ValueError(f"{option.spelled} is {value}: give a whole number below 2^{bits}")
    if option.kind is float and value and not SMALLEST <= abs(value) <= LARGEST:
        raise ValueError(
            f"{option.spelled} is {value}: give a finite number that float32 holds, 0 or from "
            f"{SMALLEST:.1e} to {LARGEST:.1e} in size"
        )


def _typed(option: Option, value: Any) -> Any:
    """The value in its setting's own type, as `taken` says."""
    value = value.tolist() if hasattr(value, "tolist") else value  # numpy and jax
    if value is None and option.optional:
        return None
    if option.many:
        one = option._replace(many=False, optional=False)
        values = value if isinstance(value, list | tuple | range) else [value]
        try:
            return tuple(_typed(one, part) for part in values)
        except ValueError:
            pass
    elif typing.get_origin(option.kind) is Literal:
        choices = typing.get_args(option.kind)
        if value in choices:
            return value
        raise ValueError(
            f"{option.spelled} is {value}: give {wanted(option)}{did_you_mean(str(value), choices)}"
        )
    elif _is(option.kind, value) and (value != "" or option.kind is not str):
        return path_of(typing.cast(str, value)) if option.kind is Path else option.kind(value)
    raise ValueError(f"{option.spelled} is {value!r}: give {wanted(option)}")


def path_of(given: str | os.PathLike[str]) -> Path:
    """The path that was given, wherever that was: ~ is the home folder.

    Raises:
        ValueError: no text, text that no path can be, or the home folder of nobody.
    """
    text = os.fspath(given)
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is no path: give a name")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"{text}: there is no such home folder; give another path") from None


def _is(kind: type, value: Any) -> bool:
    """Whether the value can stand for one of this type."""
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is int:
        return isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, Real if kind is float else (str, os.PathLike))


@dataclass(frozen=True)
class Checked:
    """Settings of which each is held against its own type, however they are made.

    Raises:
        ValueError: a setting of another type, in one line with the option as it is typed.
    """

    def __post_init__(self) -> None:
        for option in options_of(type(self)).values():
            object.__setattr__(self, option.name, taken(option, getattr(self, option.name)))
