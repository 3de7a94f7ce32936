"""Which command: the first word, and the help that lists them all. The parser is not started."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from jaxnn.cli.commands import COMMANDS
from jaxnn.vocabulary import did_you_mean

ABOUT = "From initial weights to what training finds there."
STATUS = """exit status:
  0    done
  1    the answer is no: the gradients disagree, or a store is damaged
  2    a mistake in the command or in a file, in one line
  130  stopped by Ctrl-C; a command that makes a store goes on when it is given again
  141  nobody reads the output any more, such as `head`
  143  stopped by kill, a batch queue or a shutdown; as 130 (129: its terminal was closed)"""


def command_in(words: Sequence[str]) -> str:
    """The name of the command that the words begin with.

    Raises:
        ValueError: none, or one that does not exist, with the nearest.
    """
    if not words:
        raise ValueError(f"give a command: {', '.join(COMMANDS)}; jaxnn --help says what they do")
    name = words[0]
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS) or f"; give one of {', '.join(COMMANDS)}"
        if name.startswith("-"):
            hint = "; the command comes first, such as jaxnn study iris"
        raise ValueError(f"there is no command {name}{hint}")
    return name


def help_of_all() -> str:
    """What commands there are and what their exit status means."""
    width = max(map(len, COMMANDS)) + 2
    columns, indent = shutil.get_terminal_size().columns, " " * (width + 2)
    lines = [
        textwrap.fill(command.description.splitlines()[0], columns,
                      initial_indent=f"  {name:{width}}", subsequent_indent=indent)
        for name, command in COMMANDS.items()
    ]  # fmt: skip
    listed = "\n".join(lines)
    return (
        f"usage: jaxnn COMMAND [OPTIONS]\n\n{ABOUT}\n\ncommands:\n{listed}\n\n"
        f"jaxnn COMMAND --help has its options and examples; jaxnn --version\n\n{STATUS}"
    )
