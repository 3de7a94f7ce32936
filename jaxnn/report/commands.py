"""The command line that settings come from."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from jaxnn.studies import map_settings
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.settings import Study, as_json, resolved

NAMES = {Study: "study", Basins: "basins"}
"""The commands whose stores have a page, by their settings."""


def command_line(settings: Study | Basins) -> str:
    """What to type for these resolved settings: the command, the data, and every option that is
    not its default; not where files lie or who computes.
    """
    asked, plain = as_json(settings), as_json(_filled(type(settings)(settings.data)))
    if asked["chunk"] == as_json(_filled(replace(settings, chunk=None)))["chunk"]:
        del asked["chunk"]  # it follows from the members
    words = ["jaxnn", NAMES[type(settings)], asked.pop("data")]
    for name, value in asked.items():
        option = name.replace("_", "-")
        if isinstance(value, bool) and value != plain[name]:
            words += [f"--{option}" if value else f"--no-{option}"]
        elif value != plain[name] and value is not None:
            words += [f"--{option}", *_words(value)]
    return shlex.join(words)


def _filled(settings: Any) -> Any:
    return map_settings.resolved(settings) if isinstance(settings, Basins) else resolved(settings)


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [f"{v:g}" if isinstance(v, float) and float(f"{v:g}") == v else str(v) for v in values]
