"""The page as one file: style, scripts and contents in place, and nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from jaxnn import results

SCRIPTS = (
    "network", "numerics", "training", "contents", "address", "colours", "charts", "scatter",
    "drawing", "surfaces", "panels", "views", "session", "shown", "listening", "main",
)  # fmt: skip
"""In web/, in the order in which they run."""


def rendered(contents: Mapping[str, Any]) -> str:
    """The page's HTML.

    Its policy allows this very script and style, by their SHA-256, and no resource else. What users
    named is in the contents, which the script shows as text; nothing in them ends their element.
    """
    web = files("jaxnn.report").joinpath("web")
    style = web.joinpath("style.css").read_text(encoding="utf-8")
    parts = [web.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    script = "\n".join(parts)
    return Template(web.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(str(contents["title"])),
        policy=f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        contents=_as_text(contents),
    )


def digest(text: str) -> str:
    """What allows an inline script or style: its SHA-256, as a content security policy says it."""
    made = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(made).decode()}'"


def _as_text(contents: Mapping[str, Any]) -> str:
    """JSON in which no character can open or close an element."""
    text = json.dumps(contents, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def write_page(path: str | Path, contents: Mapping[str, Any]) -> Path:
    """Write the page as report.html into the store's folder; the file."""
    (file,) = results.write_files(path, {"report.html": rendered(contents)})
    return file
