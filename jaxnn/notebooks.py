"""Commands called from Python, as in a notebook: settings in, what was found out."""

from __future__ import annotations

import contextlib
from typing import Any

from jaxnn import devices, numerics
from jaxnn.cli.answers import ANSWERS
from jaxnn.studies.reports import Report


def run(settings: Any) -> Report | None:
    """What the command of these settings finds: a report that a notebook shows with its picture.

    It is computed here, with a progress bar, in as many devices as jax has: one a core if jax has
    not started, else what there is, which changes no bit of the result, and with jax set as
    `numerics.SETTINGS` say. A store that is there is gone on with. None where another process
    reports.

    Args:
        settings: such as `studies.settings.Study("iris", members=50)`; all commands have theirs.

    Raises:
        ValueError: what is no settings; settings of --distributed, whose processes are started
            together; as the command.
    """
    answer = ANSWERS.get(type(settings))
    if answer is None:
        names = ", ".join(kind.__name__ for kind in ANSWERS)
        raise ValueError(f"the settings are {settings!r}: give one of {names}")
    if getattr(settings, "distributed", False):
        raise ValueError("--distributed: start those processes by the command")
    with contextlib.suppress(RuntimeError):  # jax is in use already
        devices.use_all_cores()
    with numerics.fixed():
        return answer(settings)
