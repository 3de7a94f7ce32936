"""Settings from a file: a .toml that the user wrote, or the manifest.json of a store."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnn import regular_files
from jaxnn.cli.commands import COMMANDS
from jaxnn.studies.options import Option, options_of, taken
from jaxnn.vocabulary import did_you_mean


def settings_in(file: Path, command: str, options: Mapping[str, Option]) -> dict[str, Any]:
    """The settings of this command in the file, by their names in Python.

    Keys are option names, with - or _. What stands above all tables is for every command that has
    it; a table is for the command that it is named after and goes before that.

    Raises:
        ValueError: no such file or one that cannot be read; a key or a table that no command has,
            with the nearest; a value of another type.
    """
    table = _read(file)
    known = {name for kind in COMMANDS.values() for name in options_of(kind.settings)}
    found: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            if key not in COMMANDS:
                raise ValueError(f"{file}: no command is named {key}{did_you_mean(key, COMMANDS)}")
            theirs = options_of(COMMANDS[key].settings)
            for name, one in value.items():
                setting = _setting(file, name, one, theirs, theirs.keys(), f"{key}.")
                own |= setting if key == command else {}
        else:
            found |= _setting(file, key, value, options, known | options.keys(), "")
    return found | own


def _setting(
    file: Path, key: str, value: Any, options: Mapping[str, Option], known: Any, where: str
) -> dict[str, Any]:
    """The setting by its name, or nothing where it is one of another command's."""
    name = key.replace("-", "_")
    if name not in known:
        raise ValueError(f"{file}: {where}{key} is no setting{did_you_mean(name, known)}")
    if name not in options or (value is None and not options[name].required):
        return {}
    try:
        return {name: taken(options[name], value)}
    except ValueError as error:
        table = where and f"[{where[:-1]}] "
        raise ValueError(f"{file}: {table}{error}") from None


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ValueError(f"--config {file}: no such file")
    place = file.resolve()  # a user's own file may be reached through links
    try:
        if file.suffix == ".json":
            settings = regular_files.read_json(place.parent, place.name, limit=2**26)["settings"]
            if not isinstance(settings, dict):
                raise ValueError("its settings are no table")
            return settings
        return tomllib.loads(regular_files.read(place.parent, place.name).decode("utf-8"))
    except (ValueError, RecursionError) as error:  # decoding and both parsers
        raise ValueError(f"{file}: cannot be read ({error})") from error
    except KeyError:
        raise ValueError(f"{file}: is no manifest of a store; give that or a .toml file") from None
