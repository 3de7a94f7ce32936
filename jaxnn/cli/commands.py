"""The commands: what each can be asked, and examples, which its help shows and tests parse."""

from __future__ import annotations

import inspect
from typing import NamedTuple

from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.settings import Align, Between, Census, Check, Slice, Spectrum, Study, Train
from jaxnn.studies.store_settings import Compare, Completion, Docs, Export, List, Show, Verify


class Command(NamedTuple):
    """A command: the dataclass of its settings, examples, whether --dry-run can try it, and
    whether all its settings are given by their places.
    """

    settings: type
    examples: tuple[str, ...]
    trial: bool = False
    placed: bool = False

    @property
    def description(self) -> str:
        """What the command gives: its settings' docstring, a paragraph a line."""
        paragraphs = (inspect.getdoc(self.settings) or "").split("\n\n")
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


COMMANDS: dict[str, Command] = {
    "study": Command(
        Study,
        (
            "jaxnn study iris",
            "jaxnn study xor --schemes normal --scales 1 --members 1000000 --dry-run",
            "jaxnn study my.csv --hidden 16 8 --activation tanh --out results/mine",
        ),
        trial=True,
    ),
    "census": Command(
        Census,
        (
            "jaxnn census iris --hidden 2 --l2 0.01",
            "jaxnn census xor_signed --activation tanh --l2 0.0125 --no-output-biases",
        ),
        trial=True,
    ),
    "basins": Command(
        Basins,
        (
            "jaxnn basins xor_signed --activation tanh --l2 0.0125 --parameters w1[0,0] w1[0,1] "
            "--window -5:5,-5:5",
            "jaxnn basins xor --over sample --scales 0.3 1 3 --step-sizes 1 4",
        ),
        trial=True,
    ),
    "sensitivity": Command(
        Sensitivity,
        (
            "jaxnn sensitivity xor_signed --activation tanh --l2 0.0125 --parameters w1[0,0] "
            "w1[0,1] --window -5:5,-5:5",
        ),
        trial=True,
    ),
    "train": Command(Train, ("jaxnn train iris --rule adam --step-size 0.01",)),
    "check": Command(Check, ("jaxnn check xor --hidden 3 2 --activation tanh --l2 0.1",)),
    "slice": Command(
        Slice,
        (
            "jaxnn slice results/study-iris --along eigenvectors",
            "jaxnn slice results/study-iris --scheme nielsen --scale 5 --member 4 --along run",
        ),
    ),
    "spectrum": Command(Spectrum, ("jaxnn spectrum results/study-iris --k 20",)),
    "path": Command(Between, ("jaxnn path results/study-iris",)),
    "align": Command(
        Align, ("jaxnn align results/study-iris --scheme nielsen --scale 5 --member 4 7",)
    ),
    "list": Command(List, ("jaxnn list", "jaxnn list /data/results --json"), placed=True),
    "show": Command(Show, ("jaxnn show results/study-iris",)),
    "compare": Command(Compare, ("jaxnn compare results/study-iris results/study-iris-adam",)),
    "verify": Command(Verify, ("jaxnn verify results/study-iris", "jaxnn verify results --repair")),
    "export": Command(Export, ("jaxnn export results/study-iris --to iris.nc",)),
    "docs": Command(Docs, ("jaxnn docs", "jaxnn docs --out pages --no-open")),
    "completion": Command(Completion, ("jaxnn completion bash",)),
}
"""By name, in the order of the help."""
