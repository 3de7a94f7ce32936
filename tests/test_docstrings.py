"""The functions that people meet first have an example, and the default suite runs it."""

import doctest
import importlib
import tomllib
from pathlib import Path

import pytest

# `pytest` collects them by --doctest-modules; here, only that they are there
WITH_EXAMPLES = {
    "network": ["init", "node", "forward"],
    "losses": ["sum_of_squares", "loss", "loss_on", "accuracy"],
    "backpropagation": ["backprop"],
    "descent": ["sgd"],
    "training": ["train", "train_until"],
    "ensembles": ["init", "train"],
    "data": ["xor", "parity", "split"],
    "intervals": ["wilson", "paired_difference", "unseen"],
    "landscape.directions": ["gaussian", "suggest_range"],
    "landscape.slices": ["line", "plane"],
    "landscape.curvature": ["hessian_product", "eigenvalues", "inertia"],
    "landscape.spectra": ["extreme"],
    "landscape.traces": ["trace"],
    "landscape.symmetries": ["of"],
    "landscape.labels": ["probabilities", "compare"],
    "landscape.paths": ["straight", "barrier"],
}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_an_example_shows_what_the_function_gives(name):
    module = importlib.import_module(f"jaxnn.{name}")
    found = {test.name: test.examples for test in doctest.DocTestFinder().find(module)}
    for function in WITH_EXAMPLES[name]:
        examples = found[f"jaxnn.{name}.{function}"]
        assert any(example.want for example in examples), function
        assert not any(doctest.SKIP in example.options for example in examples), function


def test_the_default_suite_runs_them():
    settings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    options = settings["tool"]["pytest"]["ini_options"]
    assert "jaxnn" in options["testpaths"]
    assert "--doctest-modules" in options["addopts"]
