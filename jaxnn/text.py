"""Text from data (names of files, columns and classes) made safe where it is shown: it is never
markup.

Imports nothing but the standard library.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?")
REPLACED = "\N{WHITE SQUARE}"
"""Stands for a letter that a font lacks."""


def one_line(text: str) -> str:
    r"""The text with every run of white space as one space, and without control characters.

    >>> one_line("sepal\r\n length\x07")
    'sepal length'
    """
    kept = (c for c in " ".join(text.split()) if unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept)


def shortened(text: str, most: int) -> str:
    """The text in at most so many letters, its middle left out: names often differ at their ends.

    >>> shortened("concave points (standard error)", 16)
    'concave p…error)'
    """
    if len(text) <= most:
        return text
    end = (most - 1) * 2 // 5
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def for_figure(text: str, *, most: int, has: Callable[[str], bool]) -> str:
    r"""The text as matplotlib draws it letter by letter: in one line, `$` no mathematics, each
    letter that the font lacks replaced.

    Args:
        text: what is to be read in the figure.
        most: letters; of a longer text the middle is left out.
        has: whether the font has a letter.

    >>> for_figure("$x_1$", most=24, has=str.isascii)
    '\\$x_1\\$'
    """
    line = shortened(one_line(text), most)
    return "".join(c if has(c) else REPLACED for c in line).replace("$", r"\$")


def told_apart(names: Sequence[str]) -> list[str]:
    """The names, each that was there before with its number: what shortening made alike stays two.

    >>> told_apart(["a", "b", "a"])
    ['a', 'b', 'a (3)']
    """
    return [f"{n} ({k})" if n in names[: k - 1] else n for k, n in enumerate(names, 1)]


def for_terminal(text: str) -> str:
    r"""The text as a terminal may print it: lines and tabs as they are, every other character that
    controls it, or turns the direction of writing, as its escape.

    >>> for_terminal("iris\x1b]52;c;eA==\x07\n")
    'iris\\x1b]52;c;eA==\\x07\n'
    """
    return "".join(c if c in "\n\t" or not _controls(c) else ascii(c)[1:-1] for c in text)


def for_table(text: str) -> str:
    r"""The text as a cell of a table, which no spreadsheet takes for a formula: such cells begin
    with an apostrophe.

    >>> for_table("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> for_table("w1[0,2]")
    'w1[0,2]'
    """
    line = for_terminal(text).replace("\n", r"\n").replace("\t", r"\t")
    formula = line.lstrip()[:1] in (*"=+-@",) and not NUMBER.fullmatch(line)
    return f"'{line}" if formula else line


def _controls(character: str) -> bool:
    """Whether it is no character to be read but an instruction, or none at all."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
