"""What the experiments share: options, and a store that is written chunk by chunk."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxnn import results


def options(description: str | None, **defaults: Any) -> argparse.Namespace:
    """The command's options: one for each default, of its type, and --out."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    for name, value in defaults.items():
        many = isinstance(value, tuple)
        kind = type(value[0] if many else value)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=value, nargs="+" if many else None
        )
    parser.add_argument("--out", type=Path, required=True, help="folder of the store")
    return parser.parse_args()


def keep(
    asked: argparse.Namespace, *, study: str, variables: Mapping[str, tuple[str, ...]],
    coordinates: Mapping[str, Any], along: str, chunk: Callable[[int], Mapping[str, np.ndarray]],
) -> None:  # fmt: skip
    """Compute what the store does not have yet: a chunk for each place along a dimension.

    variables: name -> dimensions; whole numbers where the name ends in "count" or is "label".
    """
    from jaxnn.studies.problem import machine, versions  # after the devices are set

    settings = {n: v for n, v in vars(asked).items() if n != "out"}
    manifest = {"study": study, "settings": settings, "versions": versions(), "machine": machine()}
    kinds = {
        name: "int64" if name.endswith(("count", "label")) else "float64" for name in variables
    }
    there = results.read_manifest(asked.out)
    if there is None:
        results.create(
            asked.out, manifest, coordinates=coordinates,
            lengths={dim: len(labels) for dim, labels in coordinates.items()},
            chunks={along: 1},
            variables={n: results.Variable(d, kinds[n], {}) for n, d in variables.items()},
        )  # fmt: skip
    elif there["settings"] != {
        n: list(v) if isinstance(v, tuple) else v for n, v in settings.items()
    }:
        sys.exit(f"{asked.out} was made otherwise: choose another --out, or remove the folder")
    for number in range(len(coordinates[along])):
        if number not in results.finished(asked.out):
            made = {name: np.asarray(values)[None] for name, values in chunk(number).items()}
            results.write_chunk(asked.out, number, {along: (number, number + 1)}, made)
            print(f"{study}: {along} {coordinates[along][number]} done", file=sys.stderr)
