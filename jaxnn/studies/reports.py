"""What a command has to say: the same findings as text for people and as values for scripts."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jaxnn import regular_files, results, summaries


class Part(NamedTuple):
    """Some lines of a report, and the values that they state, by name."""

    lines: list[str]
    values: dict[str, Any]


def together(*parts: Part) -> Part:
    """The parts one below the other, with the values of all."""
    lines = [line for part in parts for line in part.lines]
    return Part(lines, {name: v for part in parts for name, v in part.values.items()})


@dataclass(frozen=True)
class Report:
    """What one command found.

    text: as it is printed and written down. findings: the same as values. files: those written.
    path: the folder of the store, if there is one. settings: what it was computed from. shown: what
    is printed in the place of a long text. status: the exit status. parts: reports that this one
    sums up.
    """

    text: str
    findings: Mapping[str, Any]
    files: Sequence[Path] = ()
    path: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    shown: str | None = None
    status: int = 0
    parts: Sequence[Report] = ()

    def spoken(self) -> str:
        """What is printed: the text, or what is shown of it, and which files there are."""
        lines = [part.spoken() + "\n" for part in self.parts] + [self.shown or self.text]
        if self.path is None or not self.files:
            return "\n".join([*lines, *(f"wrote {file}" for file in self.files)])
        names = (
            "arrays.zarr",
            "manifest.json",
            "table.txt",
            "findings.json",
            "report.html",
            "figures",
        )
        there = ", ".join(name for name in names if (self.path / name).exists())
        files = [f"  {file.relative_to(self.path)}" for file in self.files]
        return "\n".join([*lines, f"\nwrote {self.path}: {there}", *files])

    def as_json(self, command: str) -> str:
        """One JSON document; what is not finite is null."""
        return json.dumps({"command": command, **plain(self._named())}, indent=2)

    def _named(self) -> dict[str, Any]:
        named = {
            "settings": self.settings,
            "findings": self.findings,
            "path": self.path,
            "files": list(self.files),
        }
        return {**named, "parts": [part._named() for part in self.parts]} if self.parts else named

    def _repr_html_(self) -> str:
        """What is printed, under the first picture."""
        name = str(self.path or "Report")
        text = f'<pre style="background: none">{html.escape(self.spoken())}</pre>'
        picture = next((file for file in self.files if file.suffix == ".png"), None)
        if picture is None:
            return summaries.titled(name, "", text)
        data = base64.b64encode(regular_files.read(picture.parent, picture.name)).decode()
        shown = f'<br><img style="max-width: 100%" alt="" src="data:image/png;base64,{data}">'
        return summaries.titled(name, picture.name, shown, text)

    def write(self) -> None:
        """Leave the text and the findings in the store's folder."""
        if self.path is not None:
            found = json.dumps(plain(self.findings), indent=2)
            contents = {"table.txt": f"{self.text}\n", "findings.json": f"{found}\n"}
            results.write_files(self.path, contents)


def plain(value: Any) -> Any:
    """The value as JSON holds it: arrays as lists, named tuples and dataclasses as objects, paths
    as text, what is not finite as null.
    """
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    listed = getattr(value, "tolist", None)  # arrays and numbers of numpy and jax
    if listed is not None:
        return plain(listed())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)


def in_words(seconds: float) -> str:
    """A time, in words."""
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
