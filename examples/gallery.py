"""The gallery: each kind of picture from a run made here, in under three minutes on two cores.

Run: python examples/gallery.py [FOLDER]; with --readme it writes the README's pictures and section.
"""

from __future__ import annotations

from jaxnn import devices

if __name__ == "__main__":
    devices.use_all_cores()

import argparse
import re
from pathlib import Path

from pictures import GALLERY

from jaxnn import plots
from jaxnn.vocabulary import lookup

ROOT = Path(__file__).resolve().parents[1]
README, PICTURES = ROOT / "README.md", ROOT / "paper" / "figures" / "gallery"
COLUMNS, DOTS = 3, 110  # of the table; an inch of the README's pictures


def captions() -> dict[str, str]:
    """Name of the picture -> what it shows: the first line of what draws it."""
    return {
        name: (draw.__doc__ or "").splitlines()[0].rstrip(".") for name, draw in GALLERY.items()
    }


def section() -> str:
    """The gallery as Markdown: a table of the pictures, their captions under them."""
    entries = [
        (f"![{caption}](paper/figures/gallery/{name}.png)", caption)
        for name, caption in captions().items()
    ]
    entries += [("", "")] * (-len(entries) % COLUMNS)
    rows = [entries[k : k + COLUMNS] for k in range(0, len(entries), COLUMNS)]
    table = [f"| {' | '.join(cells)} |" for row in rows for cells in zip(*row, strict=True)]
    return "\n".join([table[0], "|" + "---|" * COLUMNS, *table[1:]])


def with_section(text: str) -> str:
    """The README's text with this gallery between its two markers."""
    return re.sub(
        r"(<!-- gallery: .*? -->\n).*?(\n<!-- end of the gallery -->)",
        lambda marks: f"{marks[1]}\n{section()}\n{marks[2]}", text, flags=re.DOTALL,
    )  # fmt: skip


def main() -> None:
    """Draw all of it, or what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results/gallery"))
    parser.add_argument("--readme", action="store_true", help="the README's pictures and section")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these pictures, not all")
    given = parser.parse_args()
    try:
        chosen = {name: lookup(GALLERY, name, what="picture") for name in given.only or GALLERY}
    except ValueError as error:
        parser.error(str(error))
    folder, formats = (
        (PICTURES, ("png",)) if given.readme else (given.folder, ("pdf", "svg", "png"))
    )
    for name, draw in chosen.items():
        plots.save(draw(), folder / name, formats=formats, dpi=DOTS)
        print(f"{folder / name}: {captions()[name]}", flush=True)
    if given.readme:
        README.write_text(with_section(README.read_text()))


if __name__ == "__main__":
    main()
