"""Which command: the first word, and the help that lists them all. The parser is not started."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from jaxnn.cli.commands import COMMANDS
from jaxnn.cli.values import nearest

ABOUT = "From initial weights to what training finds there."
STATUS = """exit status:
  0    done
  1    the answer is no: the gradients disagree, or a store is damaged
  2    a mistake in the command or in a file, in one line
  130  stopped; the same command goes on from there"""


def command_in(words: Sequence[str]) -> str:
    """The name of the command that the words begin with.

    Raises:
        ValueError: none, or one that does not exist, with the nearest.
    """
    if not words:
        raise ValueError(f"give a command: {', '.join(COMMANDS)}; jaxnn --help says what they do")
    name = words[0]
    if name not in COMMANDS:
        hint = nearest(name, COMMANDS) or f"; give one of {', '.join(COMMANDS)}"
        if name.startswith("-"):
            hint = "; the command comes first, such as jaxnn study iris"
        raise ValueError(f"there is no command {name}{hint}")
    return name


def print_help() -> None:
    """Print what commands there are and what their exit status means."""
    width = max(map(len, COMMANDS)) + 2
    print(f"usage: jaxnn COMMAND [OPTIONS]\n\n{ABOUT}\n\ncommands:")
    columns = shutil.get_terminal_size().columns
    for name, command in COMMANDS.items():
        first = command.description.splitlines()[0]
        indent = " " * (width + 2)
        print(textwrap.fill(first, columns, initial_indent=f"  {name:{width}}",
                            subsequent_indent=indent))  # fmt: skip
    print(f"\njaxnn COMMAND --help has its options and examples; jaxnn --version\n\n{STATUS}")
