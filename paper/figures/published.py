"""What others have printed or proved, computed again: agreed or not.

Expected before it was run: agreement, but for the figures whose digits were lost on the way.
"""

from __future__ import annotations

import json
from typing import Any

from building import Store

STORES = ("published",)
SOURCES = {
    "06_published_minima": "stationary points and fits",
    "11_published_basins": "basins in planes of initial weights",
    "12_published_failures": "failures by the size of the initial weights",
    "13_published_training": "single neurons and mirror symmetry",
    "15_published_symmetries": "equivalent and embedded points",
}
NO_NUMBER = ("-", "picture")


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """The tables, and how many of their printed numbers agree."""
    folder = stores["published"].folder
    there = {name: folder / f"{name}.json" for name in SOURCES}  # at a quick size not all
    tables = {name: json.loads(file.read_text()) for name, file in there.items() if file.is_file()}
    lines = [row for rows in tables.values() for row in rows]
    printed = [row for row in lines if row[1] not in NO_NUMBER]
    agreed = sum(row[4] == "agreed" for row in printed)
    shown = [
        [*(cell.replace("-", "\u2212") if cell[:1] == "-" and cell[1:2].isdigit() else cell
           for cell in row)]
        for row in lines if row[1] not in NO_NUMBER and not row[0].startswith("H =")
    ]  # fmt: skip
    equivalent = [row for row in lines if row[0].startswith("H =")]
    return {
        "printed": str(len(printed)),
        "agreed": str(agreed),
        "not": str(len(printed) - agreed),
        "unprinted": str(len(lines) - len(printed)),
        "equivalent": str(len(equivalent)),
        "equivalent-agreed": str(sum(row[4] == "agreed" for row in equivalent)),
        "rows": shown,
        "all-symmetries": bool(equivalent and all(row[4] == "agreed" for row in equivalent)),
        "most": bool(agreed > 0.9 * len(printed)),
    }
