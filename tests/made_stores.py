"""Stores of studies whose numbers are made up, so that what is said of them is known."""

import numpy as np

from jaxnn import results
from jaxnn.stopping import Outcome
from jaxnn.studies import initial_weights, problem, schema
from jaxnn.studies.settings import Study, as_json

CHECK = ["largest difference absolute relative", "reverse sweep = by cases 0 0"]


def study_store(path, final_loss, *, draw=0, outcome=Outcome.unfinished, **settings):
    """The store of a study of xor with one scheme, whose final losses are (scales, members).

    Stores of one `draw` have the same initial weights.
    """
    final = np.asarray(final_loss, np.float32)
    scales, members = final.shape
    scales = tuple(1.0 + k for k in range(scales))
    asked = {"hidden": (6,), "steps": 60, "schemes": ("normal",), "chunk": members, **settings}
    made = Study("xor", scales=scales, members=members, out=path, **asked)
    made = problem.complete(made)
    posed = problem.pose(made)
    layout = schema.layout(made, posed, initial_weights.records(made))
    manifest = {
        "study": "initial weights",
        "settings": as_json(made),
        "network": {"sizes": list(posed.sizes)},
        "data": {"note": "made up", "sha256": problem.digest(posed)},
        "versions": {"jaxnn": "0"},
        "machine": {"platform": "cpu"},
        "gradient_check": {"table": CHECK},
    }
    results.create(path, manifest, **layout)
    for number in range(initial_weights.chunks(made)):
        region = initial_weights._region(made, number)
        arrays = {}
        for name, variable in sorted(layout["variables"].items()):
            cut = {dim: region[dim][1] - region[dim][0] for dim in region}
            shape = [cut[dim] if dim in cut else layout["lengths"][dim] for dim in variable.dims]
            rng = np.random.default_rng([draw, number, *name.encode()])
            arrays[name] = rng.normal(size=shape).astype(variable.dtype)
        arrays["final_loss"] = final[None, slice(*region["scale"])]
        arrays["outcome"] = np.full_like(arrays["outcome"], outcome)
        results.write_chunk(path, number, region, arrays)
    return made
