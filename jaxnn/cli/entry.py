"""One command from its words to its exit status."""

from __future__ import annotations

import logging
import sys

from jaxnn import __version__
from jaxnn.cli import streams
from jaxnn.cli.overview import command_in, help_of_all
from jaxnn.text import for_terminal


def run(words: list[str]) -> int:
    """Run one command and give its exit status; a user's error is one line on stderr, and 2."""
    try:
        try:
            status = _answer(words)
        except SystemExit as end:  # after help
            status = int(end.code or 0)
        streams.put()
    except BrokenPipeError:  # who read our output wants no more of it
        streams.discard()
        return 141
    except (ValueError, OSError) as error:
        return _complain(error)
    except MemoryError as error:
        return _complain(ValueError(f"there is not enough memory {error}"))
    except KeyboardInterrupt:  # in a process that is not ours alone
        print("\njaxnn: stopped", file=sys.stderr)
        return 130
    return status


class _Printable(logging.Formatter):
    """Messages without power over the terminal, whatever they quote."""

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(super().format(record))


def _complain(error: Exception) -> int:
    """Say what is wrong in one line, and give the exit status."""
    try:
        print(f"jaxnn: {for_terminal(' '.join(str(error).split()))}", file=sys.stderr)
    except OSError:  # then the status alone says it
        streams.discard()
    return 2


def _answer(words: list[str]) -> int:
    """Answer, print the answer, and give the exit status."""
    if words[:1] in (["-h"], ["--help"]):
        streams.put(help_of_all())
        return 0
    if words[:1] == ["--version"]:
        streams.put(f"jaxnn {__version__}")
        return 0
    name = command_in(words)
    from jaxnn.cli.parsing import parse  # the parser, and the rest, only where there is a command

    asked = parse(name, words[1:])
    from jaxnn.cli.answers import answer
    from jaxnn.studies.progress import timed

    output = asked.output
    if output.verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Printable("jaxnn: %(message)s"))
        logging.basicConfig(handlers=[handler])
        logging.getLogger("jaxnn").setLevel(logging.INFO)
    with timed(name):
        report = answer(asked.settings, trial=getattr(output, "dry_run", False))
    if report is None:  # another process reports
        return 0
    if output.json:
        streams.put(report.as_json(name))
    else:
        streams.put(report.spoken())
    return report.status
