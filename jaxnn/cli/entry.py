"""One command from its words to its exit status."""

from __future__ import annotations

import logging
import os
import sys

from jaxnn import __version__
from jaxnn.cli.overview import command_in, print_help


def main(args: list[str] | None = None) -> None:
    """Run one command; a user's error is one line on stderr and exit status 2."""
    try:
        status = _run(sys.argv[1:] if args is None else args)
    except BrokenPipeError:  # who read our output wants no more of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, OSError) as error:
        sys.exit(_complain(error))
    except KeyboardInterrupt:
        print("\njaxnn: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    if status:
        sys.exit(status)


def _complain(error: Exception) -> int:
    """Say what is wrong in one line, and give the exit status."""
    print(f"jaxnn: {' '.join(str(error).split())}", file=sys.stderr)
    return 2


def _run(words: list[str]) -> int:
    """Answer, print the answer, and give the exit status."""
    if words[:1] in (["-h"], ["--help"]):
        print_help()
        return 0
    if words[:1] == ["--version"]:
        print(f"jaxnn {__version__}")
        return 0
    name = command_in(words)
    from jaxnn.cli.parsing import parse  # the parser, and the rest, only where there is a command

    asked = parse(name, words[1:])
    from jaxnn.cli.answers import answer
    from jaxnn.studies.progress import timed

    output = asked.output
    if output.verbose:
        logging.basicConfig(format="jaxnn: %(message)s", stream=sys.stderr)
        logging.getLogger("jaxnn").setLevel(logging.INFO)
    with timed(name):
        report = answer(asked.settings, trial=getattr(output, "dry_run", False))
    if report is None:  # another process reports
        return 0
    if output.json:
        print(report.as_json(name))
    else:
        print(report.spoken())
    return report.status
