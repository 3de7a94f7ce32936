"""How fast: what tests/benchmarks/run_all.py measured, beside what it was measured against.

Nothing is expected here: these are no experiments on initial weights.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

from building import PAPER, ROOT, Store

STORES = ()
FILES = (PAPER / "benchmarks.json", ROOT / "tests" / "benchmarks" / "run_all.py")


def numbers(stores: dict[str, Store]) -> dict[str, Any]:
    """A row a comparison, and how many cores other programs used meanwhile."""
    del stores
    spec = importlib.util.spec_from_file_location("run_all", FILES[1])
    assert spec is not None
    assert spec.loader is not None
    run_all = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run_all)
    found = json.loads(FILES[0].read_text())
    others = [part["cores used by others"] for part in found.values()]
    return {
        "rows": run_all.rows(found),
        "topics": str(len(found)),
        "cores": ", ".join(sorted({str(part["machine"]["cores"]) for part in found.values()})),
        "most-others": f"{max(others):g}",
    }
