"""What the dimensions of a store mean, in the words of the CF conventions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jaxnn.vocabulary import MEMBER, NO_UNIT, RECORD, SCALE, SCHEME, SEARCH

_MEANINGS = {
    SCHEME: "distribution of the initial weights",
    SCALE: "factor on the initial weights",
    MEMBER: "network, by its number among those drawn alike",
    SEARCH: "search, by its number",
    "step_size": "factor on the gradient in each update",
    "pixel": "initial weights, by their number in the map row by row",
    "parameter": "weight or bias, by its number layer after layer",
    "input": "input of the network, by its number",
    "output": "output of the network, by its number",
}


def axis_attributes(dim: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """long_name and units of a dimension of the store that has this manifest.

    All are numbers, labels or counts without a unit, which is 1 in the CF conventions.
    """
    return {"long_name": _meaning(dim, manifest.get("settings") or {}), "units": NO_UNIT}


def _meaning(dim: str, settings: Mapping[str, Any]) -> str:
    if dim == RECORD:
        return f"{'epochs' if settings.get('batch_size') else 'updates'} made until then"
    if dim in ("x", "y"):
        named = list(settings.get("parameters") or ())
        place = "xy".index(dim)
        if place < len(named):
            kind = "parameter " if str(named[place]).isdigit() else ""
            return f"initial value of {kind}{named[place]}"
        return f"length along direction {place + 1} from the network in the middle"
    hidden = re.fullmatch(r"hidden_(\d+)", dim)
    if hidden:
        return f"unit of hidden layer {hidden[1]}, by its number"
    return _MEANINGS.get(dim, dim.replace("_", " "))
