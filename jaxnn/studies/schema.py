"""What the store of a study of initial weights holds: its dimensions, labels and variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxnn import results
from jaxnn.stopping import Outcome
from jaxnn.studies.problem import Posed
from jaxnn.studies.settings import Study
from jaxnn.vocabulary import LOSS_UNIT, MEMBER, NO_UNIT, RECORD, SCALE, SCHEME


def layout(settings: Study, posed: Posed, records: np.ndarray) -> dict[str, Any]:
    """Dimensions, labels and variables of the store, as `results.create` takes them.

    records: (records,) the steps or epochs at which the loss is written down.
    """
    counts = {
        SCHEME: len(settings.schemes),
        SCALE: len(settings.scales),
        MEMBER: settings.members or 1,
        RECORD: len(records),
    }
    layers = len(posed.sizes) - 1
    units = ["input", *(f"hidden_{k}" for k in range(1, layers)), "output"]
    cell, floats = (SCHEME, SCALE, MEMBER), "float32"
    per_case, no_unit = {"units": LOSS_UNIT}, {"units": NO_UNIT}
    variables = {
        "initial_loss": results.Variable(
            cell, floats, {"long_name": "loss at the start", **per_case}
        ),
        "final_loss": results.Variable(cell, floats, {"long_name": "loss at the end", **per_case}),
        "gradient_norm": results.Variable(
            cell, floats, {"long_name": "Euclidean norm of the gradient at the end", **per_case}
        ),
        "distance": results.Variable(
            cell, floats, {"long_name": "Euclidean distance from start to end", **no_unit}
        ),
        "steps": results.Variable(cell, "int32", {"long_name": "updates made", **no_unit}),
        "outcome": results.Variable(
            cell,
            "int32",
            {
                "long_name": "how training ended",
                **no_unit,
                "flag_values": [code.value for code in Outcome],
                "flag_meanings": " ".join(code.name for code in Outcome),
            },
        ),
        "losses": results.Variable((*cell, RECORD), floats, {"long_name": "loss", **per_case}),
    }
    parts = ["train"] if posed.test is None else ["train", "test"]
    for part in parts if posed.classifies else []:
        variables[f"{part}_accuracy"] = results.Variable(
            cell,
            floats,
            {"long_name": f"share of the {part} cases classified correctly", **no_unit},
        )
    if posed.test is not None:
        variables["test_loss"] = results.Variable(
            cell, floats, {"long_name": "loss on the test cases", **per_case}
        )
    for when in ("initial", "final"):
        for k in range(1, layers + 1):
            into, out_of = units[k], units[k - 1]
            named = {"long_name": f"{when} weights of layer {k}", **no_unit}
            variables[f"{when}_weights_{k}"] = results.Variable(
                (*cell, into, out_of), floats, named
            )
            named = {"long_name": f"{when} biases of layer {k}", **no_unit}
            variables[f"{when}_biases_{k}"] = results.Variable((*cell, into), floats, named)
    return {
        "coordinates": {
            SCHEME: settings.schemes,
            SCALE: settings.scales,
            RECORD: [int(at) for at in records],
        },
        "lengths": {**counts, **dict(zip(units, posed.sizes, strict=True))},
        "chunks": {SCHEME: 1, SCALE: 1, MEMBER: settings.chunk or 1},
        "variables": variables,
    }
