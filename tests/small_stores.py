"""A small store whose numbers are known."""

import hashlib
import json

import numpy as np

from jaxnn import results
from jaxnn.results import Variable

ENDS = {
    "long_name": "how it ended", "units": "1", "flag_values": [0, 1, 2, 3, 4],
    "flag_meanings": "zero one two three four",
}  # fmt: skip


LAYOUT = {
    "coordinates": {"scheme": ["a", "b"], "scale": [0.1, 1.0]},
    "lengths": {"scheme": 2, "scale": 2, "member": 6, "record": 3},
    "chunks": {"scheme": 1, "scale": 1, "member": 4},
    "variables": {
        "loss": Variable(
            ("scheme", "scale", "member", "record"), "float32", {"units": "1", "long_name": "loss"}
        ),
        "outcome": Variable(("scheme", "scale", "member"), "int32", ENDS),
    },
}
SPANS = ((0, 4), (4, 6))
CELLS = [(scheme, scale, span) for scheme in (0, 1) for scale in (0, 1) for span in SPANS]


def make(path):
    results.create(path, {"study": "test"}, **LAYOUT)


def cell(number, scheme, scale, span):
    """The region and the arrays of a chunk."""
    region = {"scheme": (scheme, scheme + 1), "scale": (scale, scale + 1), "member": span}
    width = span[1] - span[0]
    return region, {
        "loss": np.full((1, 1, width, 3), number + 0.5, np.float32),
        "outcome": np.full((1, 1, width), number, np.int32),
    }


def fill(path, number, scheme, scale, span):
    results.write_chunk(path, number, *cell(number, scheme, scale, span))


def whole(path):
    """Both variables over two schemes, two scales and six members: eight chunks, all written."""
    make(path)
    for number, place in enumerate(CELLS):
        fill(path, number, *place)
    return path


def signed(path, **changes):
    """The manifest with these changes, and with the digests that a stranger would make to fit."""
    file = path / "manifest.json"
    said = {**json.loads(file.read_text()), **changes}
    said["descriptions"] = {
        folder: hashlib.sha256((path / folder / "zarr.json").read_bytes()).hexdigest()
        for folder in said["descriptions"]
        if (path / folder / "zarr.json").is_file()
    }
    del said["sha256"]
    text = json.dumps(said, sort_keys=True)
    file.write_text(json.dumps({**said, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
