"""MNIST by the scale of the initial weights: `jaxnn study mnist`, and what it says of each network
as one small file that can be committed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from jaxnn import results

KEPT = ("initial_loss", "final_loss", "test_loss", "test_accuracy", "train_accuracy", "distance")


def main() -> None:
    """Run the study into OUT/study, and write OUT/networks.json and OUT/manifest.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the store")
    asked, rest = parser.parse_known_args()
    study = asked.out / "study"
    command = ["study", "mnist", "--no-report", *rest]
    whole = [*command, "--data-dir", str(asked.data_dir), "--out", str(study)]
    asked.out.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "jaxnn", *whole], check=True, stdout=sys.stderr)
    dataset = results.load(study)
    networks = {
        "scheme": [str(name) for name in dataset.scheme.values],
        "scale": dataset.scale.values.tolist(),
        "dimensions": ["scheme", "scale", "member"],
        **{name: dataset[name].values.round(6).tolist() for name in KEPT},
    }
    (asked.out / "networks.json").write_text(json.dumps(networks) + "\n")
    manifest = json.loads((study / "manifest.json").read_text())
    made = {"command": " ".join(["jaxnn", *command, "--data-dir DIR"]),
            "date": time.strftime("%Y-%m-%d", time.gmtime())}  # fmt: skip
    (asked.out / "manifest.json").write_text(json.dumps({**made, **manifest}, indent=1) + "\n")
    shutil.rmtree(study)


if __name__ == "__main__":
    main()
