"""One command from its words to its exit status."""

from __future__ import annotations

import logging
import os
import sys

from jaxnn.cli.parsing import Asked, parse


def main(args: list[str] | None = None) -> None:
    """Run one command; a user's error is one line on stderr and exit status 2."""
    try:
        name, asked = parse(sys.argv[1:] if args is None else args)
        status = _run(name, asked)
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


def _run(name: str, asked: Asked) -> int:
    """Answer, print the answer, and give the exit status."""
    from jaxnn.cli.answers import answer

    output = asked.output
    if output.verbose:
        logging.basicConfig(format="jaxnn: %(message)s", stream=sys.stderr)
        logging.getLogger("jaxnn").setLevel(logging.INFO)
    report = answer(asked.settings, trial=getattr(output, "dry_run", False))
    if report is None:  # another process reports
        return 0
    if output.json:
        print(report.as_json(name))
    else:
        print(report.spoken())
    return report.status
