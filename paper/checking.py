"""Whether the text says only what it may: digits come from numbers.json, from settings, or stand in
mathematics as small whole numbers; keys and references exist and are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

CALLS = ("n", "claim", "network", "command", "drawn", "rows", "cite", "include")
QUOTED = r'"(?:[^"\\]|\\.)*"'
KEYED = re.compile(
    rf"#?\b(?:({'|'.join(CALLS)})\(\s*({QUOTED}|<[\w-]+>)|(setting)\(\s*({QUOTED})\s*,\s*({QUOTED}))"
)
TYPES = re.compile(r"\bfloat(32|64)\b")
SIZE = r"(?:[\d.]+(?:%|fr|mm|pt|em)|auto)"
LAYOUT = re.compile(
    rf"[(,]\s*(?:width|height|columns|gutter|text-size):\s*\(?{SIZE}(?:,\s*{SIZE})*\)?"
)
MATHS = re.compile(r"\$[^$]*\$")
LABEL = re.compile(r"(?<!\w)@[a-z][\w-]*|<[a-z][\w-]*>")


def sections(paper: Path) -> list[Path]:
    """The files of the text."""
    return sorted((paper / "text" / "sections").glob("*.typ"))


def bare(text: str) -> str:
    """The text without what may hold digits: comments, keys, references, sizes of pictures, names
    of types, and mathematics without decimal fractions.
    """
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r'^#import .*$|#include ".*"', "", text, flags=re.MULTILINE)
    text = KEYED.sub(" ", text)
    text = LAYOUT.sub(" ", text)
    text = MATHS.sub(lambda found: _fractions(found[0]), text)
    return TYPES.sub(" ", LABEL.sub(" ", text))


def _fractions(mathematics: str) -> str:
    """What in a formula looks like a result: decimal fractions, whole numbers of three digits and
    more, per cents but for 95, and a whole number above 1 that is all of the formula.
    """
    alone = re.fullmatch(r"\$\s*(\d+)\s*\$", mathematics)
    if alone and int(alone[1]) > 1:
        return alone[1]
    parts = r"\d+[.,]\d+|\d{3,}|(?<!\d)(?!95\b)\d+\s*\\?%"
    return " ".join(re.findall(parts, mathematics))


def typed_results(text: str) -> list[str]:
    """The lines of the text that hold a digit which nothing accounts for."""
    lines = bare(text).splitlines()
    return [line.strip() for line in lines if re.search(r"\d", line)]


def keys(text: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Every (call, arguments) by which the text asks for a number, a setting or a figure."""
    for call, first, setting, store, option in KEYED.findall(text):
        found = (setting, (store, option)) if setting else (call, (first,))
        yield found[0], tuple(part.strip('"<>') for part in found[1])


def missing(text: str, found: Mapping[str, Any], figures: Iterable[str]) -> list[str]:
    """What the text asks for and the build does not give."""
    drawn, wrong = set(figures), []
    for call, (first, *more) in keys(text):
        there = {
            "n": first in found["numbers"],
            "rows": isinstance(found["numbers"].get(first), list),
            "claim": isinstance(found["numbers"].get(first), bool),
            "command": first in found["commands"],
            "network": bool(found["networks"].get(first)),
            "setting": bool(more) and more[0] in found["settings"].get(first, ()),
            "drawn": first in drawn,
        }.get(call, True)
        if not there:
            wrong.append(f"{call} {first} {' '.join(more)}".strip())
    return wrong


def cited(text: str) -> set[str]:
    """The references that the text cites, and the labels that it points to."""
    return {label[1:] for label in re.findall(r"(?<![\w.])@[a-z][\w-]*", text)} | set(
        re.findall(r"cite\(<([\w-]+)>", text)
    )


def entries(bibliography: str) -> dict[str, str]:
    """The entries of refs.bib: key -> their text."""
    parts = re.split(r"^@\w+\{", bibliography, flags=re.MULTILINE)[1:]
    return {part.split(",", 1)[0].strip(): part for part in parts}


def read(folder: Path) -> dict[str, Any]:
    """The numbers of a build."""
    return json.loads((folder / "numbers.json").read_text())
