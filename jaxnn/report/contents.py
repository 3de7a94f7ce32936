"""What a page holds, whatever its store: the problem, how it was made, and arrays within a size."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxnn.report.commands import command_line
from jaxnn.stopping import Outcome
from jaxnn.studies.map_settings import Basins
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Study

ROOM = 5_500_000
"""Bytes of arrays on a page: a third more as text, and the whole stays below 8 MB."""
MOST_CASES = 1_000_000
"""Bytes of training cases on a page; without them it shows what is stored and computes nothing."""


def packed(array: Any) -> dict[str, Any]:
    """An array as JSON: dtype, shape, and its bytes in base64, little-endian as in JavaScript."""
    array = np.ascontiguousarray(array)
    small = array.astype(array.dtype.newbyteorder("<"))
    data = base64.b64encode(small.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def number(value: Any) -> float | None:
    """A number as JSON holds it: what is not finite is null."""
    return float(value) if math.isfinite(value) else None


def facet(
    name: str, labels: list[str], codes: Any, colours: list[str] | None = None
) -> dict[str, Any]:
    """A category that starts are filtered and coloured by; codes: which label each start has.

    colours: one for each label, as in a figure of it; default the page's own, in their order.
    """
    made = {"name": name, "labels": labels, "codes": packed(np.asarray(codes, np.uint16).ravel())}
    return made if colours is None else {**made, "colours": colours}


def outcomes(codes: Any, losses: Any, level: float) -> list[dict[str, Any]]:
    """The two categories that every run has: how it ended, and whether it reached the level."""
    reached = (losses <= level) & (codes != Outcome.diverged)
    return [
        facet("outcome", [code.name for code in Outcome], codes),
        facet(f"loss {level:g}", ["not reached", "reached"], reached),
    ]


def axis_of(name: str, meaning: str, array: Any, *, log: bool = False) -> dict[str, Any]:
    """A number of each start, to be an axis or a colour; log: whether it is drawn on such a
    scale.
    """
    flat = np.asarray(array, np.float32).ravel()
    return {"name": name, "meaning": meaning, "log": log, "data": packed(flat)}


def problem_parts(
    settings: Study | Basins, posed: Posed, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """What every page says and computes with: network, cases, training, certificate, origin."""
    arrays = [np.asarray(part, np.float32) for part in posed.train]
    fits = sum(array.nbytes for array in arrays) <= MOST_CASES
    inputs, targets = arrays
    note = f"{len(inputs)} training cases do not fit on a page: it shows what is stored, without"
    return {
        "data": {"name": posed.source.name, "note": posed.source.note, "cases": len(inputs)},
        "network": {
            "sizes": list(posed.sizes),
            "activation": list(posed.activation),
            "biases": [True] * len(posed.activation),
            "l2": float(settings.l2),
        },
        "features": list(posed.source.features),
        "classes": list(posed.source.classes),
        "cases": {"inputs": packed(inputs), "targets": packed(targets)} if fits else None,
        "training": _training(settings),
        "level": settings.level or 0.0,
        "certificate": manifest["gradient_check"],
        "made": {
            "command": command_line(settings),
            "seed": settings.seed,
            "versions": manifest["versions"],
            "machine": manifest["machine"]["platform"],
            "data": manifest["data"]["sha256"],
        },
        "left_out": [] if fits else [f"{note} training, slices, spectra and surfaces"],
    }


def _training(settings: Study | Basins) -> dict[str, Any]:
    """How the store's networks were trained, and whether the page's plain descent is that."""
    flow = isinstance(settings, Basins) and settings.dynamics == "flow"
    replays = settings.rule == "sgd" and not settings.batch_size and not flow
    if flow:
        words = "the gradient flow"
    elif settings.batch_size:
        words = f"{settings.rule} in batches of {settings.batch_size}, {settings.epochs} epochs"
    else:
        words = f"{settings.rule} on all cases, at most {settings.steps} steps"
    return {
        "replays": replays,
        "words": words,
        "step_size": settings.step_size or 0.0,
        "steps": settings.steps or 1000,
    }
