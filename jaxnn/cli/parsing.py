"""From the words typed to settings, by tyro, with help that ends in examples."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import itertools
import operator
import typing
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import tyro

from jaxnn.cli.commands import COMMANDS, Command
from jaxnn.cli.config_files import settings_in
from jaxnn.cli.mistakes import check_words
from jaxnn.cli.values import ALIASES, metavar, unless_given
from jaxnn.studies.options import options_of

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True)
class Output:
    """How the answer comes; the same for every command."""

    config: Path | None = None
    """A .toml file of settings, or a store's manifest.json; options that are typed go before it."""
    json: Flag = False
    """Print what was found as one JSON document on stdout, and nothing else there."""
    verbose: Annotated[Flag, tyro.conf.arg(aliases=[*ALIASES])] = False
    """Say on stderr what is done, and how long each part took."""


@dataclasses.dataclass(frozen=True)
class Trial(Output):
    """How the answer comes, and whether only its cost is asked for."""

    dry_run: Flag = False
    """Write nothing: say how many networks, chunks and bytes, and measure about how long."""


S = TypeVar("S")
O = TypeVar("O", bound=Output)  # noqa: E741


@dataclasses.dataclass(frozen=True)
class Asked(Generic[S, O]):
    """What was asked: the settings of a command, and how its answer comes."""

    settings: S
    output: O


STYLE = (
    tyro.conf.PositionalRequiredArgs,
    tyro.conf.OmitArgPrefixes,
    tyro.conf.PositionalMetavarFromFieldName,
)


def parse(name: str, words: list[str]) -> Asked[Any, Output]:
    """What was asked of the command of this name; help is printed and ends here.

    Raises:
        ValueError: a mistake, in one line with what came and what was wanted.
        SystemExit: after help.
    """
    command = COMMANDS[name]
    kind = _kind(command)
    if {"-h", "--help"} & {*words}:
        _help_of(name, command)
    own = options_of(command.settings, placed=command.placed)
    options = {**own, **options_of(Trial if command.trial else Output)}
    given = check_words(name, words, options)
    default, filled = _from_config(name, command, words)
    required = [option for option in own.values() if option.required]
    words = [*words, *filled[len(given) :]]
    if len(given) + len(filled[len(given) :]) < len(required):
        raise ValueError(
            f"jaxnn {name} wants {' '.join(option.spelled for option in required)}, "
            f"such as {command.examples[0]}"
        )
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _tyro(kind, name, command, words, default)
    except SystemExit as end:
        text = " ".join(said.getvalue().translate({ord(c): " " for c in "│╭╮╰╯─•"}).split())
        raise ValueError(f"jaxnn {name}: {text}") from end


def _kind(command: Command, *, told: bool = False) -> Any:
    """What is parsed: the command's settings and how the answer comes; told: as help says it."""
    settings: Any = _told(command.settings) if told else command.settings
    if command.placed:
        settings = Annotated[settings, tyro.conf.Positional]
    output: Any = Trial if command.trial else Output
    return Asked[settings, _told(output) if told else output]


def _told(kind: type) -> type:
    """The dataclass with what help says where a setting is None unless it is given, in the place of
    None.
    """
    hints, options = typing.get_type_hints(kind), options_of(kind)
    unset = [f.name for f in dataclasses.fields(kind) if f.default is None]
    said = {
        name: Annotated[
            hints[name],
            tyro.conf.arg(help_behavior_hint=unless_given(name), metavar=metavar(options[name])),
        ]
        for name in unset
    }
    named = {"__annotations__": said, "__doc__": kind.__doc__, "__module__": kind.__module__}
    made = type(kind.__name__, (kind,), {**dict.fromkeys(unset), **named})
    return dataclasses.dataclass(frozen=True)(made)


def _tyro(kind: Any, name: str, command: Command, words: list[str], default: Any) -> Any:
    return tyro.cli(
        kind, prog=f"jaxnn {name}", args=_flags_spelled(command.settings, words), default=default,
        config=STYLE, description=command.description,
    )  # fmt: skip


def _flags_spelled(settings: type, words: list[str]) -> list[str]:
    """The words, with flags that may be left undecided as tyro takes them: --header as --header
    True, --no-header as --header False.
    """
    undecided = [o.spelled for o in options_of(settings).values() if o.kind is bool and o.optional]
    spelled = {option: [option, "True"] for option in undecided}
    spelled |= {f"--no-{option[2:]}": [option, "False"] for option in undecided}
    return [part for word in words for part in spelled.get(word, [word])]


def _from_config(name: str, command: Command, words: list[str]) -> tuple[Any, list[str]]:
    """The settings that stand where none are typed, and the words that must be given, as far as a
    file has them.
    """
    file = _config_in(words)
    if file is None:
        return tyro.MISSING_NONPROP, []
    options = options_of(command.settings)
    found = settings_in(file, name, options)
    required = [key for key, option in options.items() if option.required]
    filled = [str(found.pop(key)) for key in required if key in found]
    made = object.__new__(command.settings)  # unchecked: what must be typed is not there yet
    for field in dataclasses.fields(made):
        there = tyro.MISSING if field.name in required else field.default
        object.__setattr__(made, field.name, found.get(field.name, there))
    return Asked(made, Trial() if command.trial else Output()), filled


def _config_in(words: list[str]) -> Path | None:
    """The last --config among the words."""
    files = [word.partition("=")[2] for word in words if word.startswith("--config=")]
    pairs = itertools.pairwise(words)
    files += [value for word, value in pairs if word == "--config"]
    return Path(files[-1]) if files else None


def _help_of(name: str, command: Command) -> None:
    """Print the help of a command, its examples last, and end."""
    try:
        _tyro(_kind(command, told=True), name, command, ["--help"], tyro.MISSING_NONPROP)
    finally:
        print("\nexamples:\n  " + "\n  ".join(command.examples))


CALLS = {"bash": '"$python_cmd" -', "zsh": '"$python_cmd" -', "fish": "$python_cmd -c"}
"""How each shell's script calls Python, which by itself puts the current folder on its path."""


def completion(shell: str) -> str:
    """The script that completes all commands and options in this shell.

    It runs no code of the folder it is used in: Python is called in isolated mode (-I).

    Raises:
        ValueError: a version of tyro whose scripts call Python in another way.
    """
    kinds = [
        Annotated[_kind(command), tyro.conf.subcommand(name, description=command.description)]
        for name, command in COMMANDS.items()
    ]
    script = io.StringIO()
    words = ["--tyro-print-completion", shell]
    with contextlib.redirect_stdout(script), contextlib.suppress(SystemExit):
        every: Any = functools.reduce(operator.or_, kinds)
        tyro.cli(every, prog="jaxnn", args=words, config=STYLE)
    python, flags = CALLS[shell].rsplit(" ", 1)
    text = script.getvalue()
    if text.count(python) != 1:
        raise ValueError(
            f"the completion of tyro {tyro.__version__} calls Python in a way that is not known "
            "to be safe: install tyro 1.0"
        )
    return text.replace(CALLS[shell], f"{python} -I {flags}")
