"""Calls that no command can answer: every option of every command with values it cannot have, and
files of settings that are none.
"""

import typing
from pathlib import Path

from jaxnn.cli.commands import COMMANDS
from jaxnn.studies.options import Option, options_of

NEEDED = {
    **{name: ["xor"] for name in ("study", "census", "basins", "sensitivity", "train", "check")},
    **{name: ["store"] for name in ("slice", "spectrum", "path", "align", "show", "verify")},
    "export": ["store"],
    "compare": ["store", "store"],
    "list": ["."],
    "completion": ["bash"],
    "docs": ["--no-open"],
}
"""What each command must be given, so that one option alone is wrong."""

HUGE = "99999999999999999999"
WRONG: dict[type, list[str]] = {
    int: ["a", "1.5", "", "nan", "-1", HUGE, "1e3", "1_000", "0x10", "\x1b[31m1"],
    float: ["a", "", "nan", "inf", "-inf", "1e39", "1e-320", "1_0", "1,5", "--"],
    bool: ["=1", "=yes"],
    Path: ["", ".", "file", "file/x", "x" * 5000, "fifo", "/dev/null/x"],
}
"""By the type of one value, as typed."""
TEXTS = {
    "data": ["", "iri", "none.csv", "folder.csv", "fifo.csv", "/dev/null", "\x1b]52;c;eA==\x07"],
    "activation": ["", "tan", "\x1b[2J"],
    "rule": ["", "sdg", "adam\n"],
    "scheme": ["", "normla", "he"],
    "schemes": ["", "normla", "normal\x07"],
    "shard": ["", "1", "3/3", "-1/2", "1/0", "a/b", f"{HUGE}/1"],
    "scheduler": ["tcp://127.0.0.1:1"],
    "coordinator": ["127.0.0.1:1"],
    "parameters": ["w9[0,0]", "w1[9,9]", "-1", HUGE, "b1[0] b1[0]", "w1[0,0"],
    "window": ["", "a", "1:1,0:1", "0:1", "nan:1,0:1", "0:inf,0:1", "0:1,0:1,0:1", "-1e400:1,0:1"],
    "zoom": ["", "a", "1:1,0:1"],
    "against": ["", "a", "-1", "nan", "0"],
    "target": ["nothing"],  # of what is no file
    "drop": ["nothing"],
    "na": ["nothing"],
    "config": ["none.toml", "folder", "fifo", "binary.toml", "deep.json", "nan.json"],
}
"""By the name of the option, of those that are text."""
MEANT = {
    *((name, "data") for name in ("slice", "spectrum", "path", "align")),  # of another data set
    *((name, "data_dir") for name in COMMANDS),
}
"""Options that these calls have no use for."""
FINE = {
    *((name, "test_share", "1e-320") for name in COMMANDS),  # where there is a test set, or none
    ("list", "folder", "."),
    ("verify", "store", "."),
    ("docs", "out", "."),
}
"""Values that one command can well have."""


def calls() -> list[tuple[str, ...]]:
    """All of them, as words."""
    made: list[tuple[str, ...]] = [
        (), ("studdy",), ("--json",), ("",), ("study",), ("\x1b[31m",),
        ("study", "xor", "--config"),
    ]  # fmt: skip
    for name, command in COMMANDS.items():
        needed = NEEDED[name]
        made += [
            (name, *needed, "--nothing"),
            (name, *needed, "-q"),
            (name, *needed, "too", "many"),
        ]
        options = options_of(command.settings, placed=command.placed)
        for place, option in enumerate(options.values()):
            if (name, option.name) not in MEANT:
                values = [v for v in _wrong(option) if (name, option.name, v) not in FINE]
                made += [(name, *_with(needed, place, option, value)) for value in values]
        made += [(name, *needed, "--config", file) for file in TEXTS["config"]]
    return made


def _with(needed: list[str], place: int, option: Option, value: str) -> list[str]:
    """The words of a call in which this option has this value."""
    if option.placed:
        return [*needed[:place], value, *needed[place + 1 :]]
    if option.kind is bool:
        return [*needed, f"{option.spelled}{value}"]
    if value.startswith("-") and not value[1:2].isdigit():
        return [*needed, f"{option.spelled}={value}"]
    return [*needed, option.spelled, *value.split(" ")]


def _wrong(option: Option) -> list[str]:
    """Values that the option cannot have."""
    if typing.get_origin(option.kind) is typing.Literal:
        return ["", "dusk", "local\n", "\x1b[31m"]
    return TEXTS.get(option.name) or WRONG[option.kind]
