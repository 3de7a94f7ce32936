"""Whether the text says only what it may: digits come from numbers.json, from settings, or stand in
mathematics as small whole numbers; keys and references exist and are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

CALLS = ("n", "claim", "setting", "network", "command", "drawn", "rows", "cite", "include")
QUOTED = r'"(?:[^"\\]|\\.)*"'
KEYED = re.compile(rf"#?\b({'|'.join(CALLS)})\(\s*({QUOTED}|<[\w-]+>)((?:\s*,\s*{QUOTED})*)")
TYPES = re.compile(r"\bfloat(32|64)\b")
SIZE = r"[\d.]+(?:%|fr|mm|pt|em)"
LAYOUT = re.compile(rf"\b(?:width|height|columns|gutter|text-size):\s*\(?{SIZE}(?:,\s*{SIZE})*\)?")
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
    """What in a formula looks like a result: decimal fractions, and whole numbers above 100."""
    found = re.findall(r"\d+\.\d+|\d{4,}|(?<!\d)(?!100\b)\d{3}(?!\d)", mathematics)
    return " ".join(found)


def typed_results(text: str) -> list[str]:
    """The lines of the text that hold a digit which nothing accounts for."""
    lines = bare(text).splitlines()
    return [line.strip() for line in lines if re.search(r"\d", line)]


def keys(text: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Every (call, arguments) by which the text asks for a number, a setting or a figure."""
    for call, first, more in KEYED.findall(text):
        yield call, tuple(part.strip('"<>') for part in (first, *re.findall(QUOTED, more)))


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
