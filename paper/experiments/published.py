"""What others have printed, computed again: the tables of the examples of published results, as one
store.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = (
    "06_published_minima", "11_published_basins", "12_published_failures",
    "13_published_training", "15_published_symmetries",
)  # fmt: skip


def main() -> None:
    """Run each example that has not run yet; a file of rows each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--examples", nargs="*", default=[name[:2] for name in NAMES], metavar="NN",
        help="the numbers of the examples that run; default all",
    )  # fmt: skip
    parser.add_argument(
        "--small", nargs="*", default=[], choices=[name[:2] for name in NAMES],
        help="the numbers of the examples that run at their small size",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder of the store")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in (name for name in NAMES if name[:2] in asked.examples):
        done, rows = asked.out / f"{name}.json", asked.out / f".{name}.rows"
        if done.is_file():
            continue
        rows.unlink(missing_ok=True)
        environment = {**os.environ, "JAXNN_EXAMPLE_ROWS": str(rows)}
        if name[:2] in asked.small:
            environment["JAXNN_EXAMPLE_SIZE"] = "small"
        command = [sys.executable, str(EXAMPLES / f"{name}.py")]
        if name[:2] in ("11", "12", "13"):
            command.append(str(asked.out / "figures"))
        ended = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
        if ended.returncode:
            sys.exit(f"examples/{name}.py failed, see above")
        lines = [json.loads(line) for line in rows.read_text().splitlines()]
        done.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n")
        rows.unlink()


if __name__ == "__main__":
    main()
