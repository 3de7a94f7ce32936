"""What the page of a study of initial weights holds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from jaxnn.report.contents import ROOM, axis_of, facet, number, outcomes, packed, problem_parts
from jaxnn.stopping import Outcome
from jaxnn.studies import findings
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import MEMBER, SCALE, SCHEME

VALUES = {
    "final_loss": ("final loss", True),
    "initial_loss": ("loss at the start", True),
    "steps": ("updates made", False),
    "distance": ("distance from start to end", True),
    "gradient_norm": ("gradient norm at the end", True),
    "train_accuracy": ("accuracy", False),
    "test_accuracy": ("accuracy on test cases", False),
    "test_loss": ("loss on test cases", True),
}
"""What is shown of each network: its name on the page, and whether its axis is logarithmic."""
ENOUGH = 8
"""Members of each scheme and scale that a page shows at least, before weights are left out."""


def study_contents(dataset: Any, settings: Study, posed: Posed) -> dict[str, Any]:
    """What the page holds of a finished store: all of JSON, arrays in base64.

    The shares count all networks; of a large store the first members of each cell are shown, whose
    arrays fit the page.
    """
    manifest = json.loads(dataset.attrs["manifest"])
    base = problem_parts(settings, posed, manifest)
    spent = sum(len(part["data"]) for part in (base["cases"] or {}).values()) * 3 // 4
    members, kinds, said = _fitting(dataset, ROOM - spent)
    shown = dataset.isel({MEMBER: slice(0, members)})
    schemes, scales = ([str(v) for v in dataset[d].values] for d in (SCHEME, SCALE))
    scales = [f"{float(scale):g}" for scale in scales]
    cells = np.indices(shown["final_loss"].shape)
    level, sizes = settings.level or 0.0, "-".join(map(str, posed.sizes))
    losses = shown["losses"].values
    return {
        **base,
        "title": f"{posed.source.name}: {dataset['final_loss'].size} networks {sizes}",
        "sentence": findings.finding(dataset, level, name=posed.source.name),
        "members": members,
        "facets": [
            facet(SCHEME, schemes, cells[0]),
            facet(SCALE, scales, cells[1]),
            *outcomes(shown["outcome"].values, shown["final_loss"].values, level),
        ],
        "values": [
            axis_of(name, meaning, shown[name].values, log=log)
            for name, (meaning, log) in VALUES.items()
            if name in shown
        ],
        "cells": [SCHEME, SCALE],
        "picture": {"kind": "strips", "across": SCALE, "within": SCHEME, "value": "final_loss",
                    "colour": SCHEME},
        "steps": packed(shown["steps"].values.ravel().astype(np.int32)),
        "starts": packed(_points(shown, "initial")) if "initial" in kinds else None,
        "ends": packed(_points(shown, "final")) if "final" in kinds else None,
        "curves": {
            "at": [int(at) for at in dataset["record"].values],
            "unit": "epoch" if settings.batch_size else "step",
            "losses": packed(losses.reshape(-1, losses.shape[-1])),
        },
        "table": _table(dataset, level),
        "left_out": [*base["left_out"], *said],
    }  # fmt: skip


def _fitting(dataset: Any, room: int) -> tuple[int, set[str], list[str]]:
    """How many members of each cell fit, with which weights, and what is said of the rest."""
    there, cells = dataset.sizes[MEMBER], dataset.sizes[SCHEME] * dataset.sizes[SCALE]
    names = [
        name for name in dataset if str(name).startswith("initial_") and name != "initial_loss"
    ]
    weights = 4 * sum(dataset[name][0, 0, 0].size for name in names)
    others = 4 * (dataset.sizes["record"] + len(VALUES) + 6)
    for kinds in ({"initial", "final"}, {"initial"}, set()):
        members = min(there, room // (cells * (others + weights * len(kinds))))
        if members >= min(there, ENOUGH) or not kinds:
            break
    said = []
    if len(kinds) < 2:
        which = "the weights of its networks" if not kinds else "the weights at the end of training"
        said.append(f"{which} do not fit on a page: they are in the store")
    if members < there:
        said.append(
            f"of each scheme and scale the first {members} of {there} networks are on this page; "
            "the table counts all"
        )
    return max(1, members), kinds, said


def _points(shown: Any, when: str) -> np.ndarray:
    """Every network's parameters as a row, layer after layer: weights row by row, then biases."""
    layers = sum(str(name).startswith(f"{when}_weights_") for name in shown)
    names = [f"{when}_{kind}_{k}" for k in range(1, layers + 1) for kind in ("weights", "biases")]
    count = shown["final_loss"].size
    return np.concatenate([shown[name].values.reshape(count, -1) for name in names], axis=1)


def _table(dataset: Any, level: float) -> dict[str, Any]:
    """Shares with intervals, of all networks of the store."""
    reached, losses = findings.shares(dataset, level), dataset["final_loss"].values
    outcome = dataset["outcome"].values
    rows = [
        {
            "names": [str(scheme), f"{float(scale):g}"],
            "share": [number(part) for part in reached[i, j]],
            "more": [
                number(np.median(losses[i, j])),  # NaN, and so null, where one is not finite
                *(int((outcome[i, j] == code).sum()) for code in Outcome),
            ],
        }
        for i, scheme in enumerate(dataset[SCHEME].values)
        for j, scale in enumerate(dataset[SCALE].values)
    ]
    return {
        "names": [SCHEME, SCALE],
        "share": f"loss at most {level:g}, with Wilson's 95 % interval",
        "more": ["median final loss", *(code.name for code in Outcome)],
        "trials": dataset.sizes[MEMBER],
        "rows": rows,
    }
