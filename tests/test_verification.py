"""A search that saw another landscape than the one given is refused, by whatever way it went."""

import inspect
import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from jaxnn import sgd
from jaxnn.dynamics import full_batch, gradient_flow
from jaxnn.landscape import basins, minima, saddles
from jaxnn.landscape.flows import downhill
from jaxnn.landscape.many import downhill_all, polish_all

STARTS = np.array([[0.9, 0.2], [-0.8, 0.1], [0.4, -0.3]])


def two_wells(p):
    return (p[0] ** 2 - 1) ** 2 + p[1] ** 2


def looped():
    """Whether what is traced is the body of a loop."""
    return any(frame.function in ("while_loop", "scan") for frame in inspect.stack())


def lying(p):
    """Another landscape within loops, as a compiler may make it: 0.3 higher."""
    return two_wells(p) + (0.3 if looped() else 0.0)


def lying_ahead(p):
    """In loops it lies everywhere but at the first start."""
    return two_wells(p) + (3.0 * (p[0] - STARTS[0, 0]) ** 2 if looped() else 0.0)


MESSAGE = r"within the search and is .* outside it: .*XLA_FLAGS"


@pytest.mark.parametrize(
    "way",
    [
        "polish",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("descend", "nearest", "follow")),
    ],
)
def test_polish_all_refuses(way):
    with pytest.raises(ValueError, match=MESSAGE) as refused:
        polish_all(lying, STARTS, way=way)
    assert "\n" not in str(refused.value)


CALLS = {
    "downhill_all": lambda f: downhill_all(f, STARTS),
    "downhill": lambda f: downhill(f, jnp.array(STARTS[0], jnp.float32)),
    "polish": lambda f: minima.polish(f, jnp.array(STARTS[2])),
    "census": lambda f: minima.census(f, STARTS),
    "distinct": lambda f: minima.distinct(f, STARTS),
    "find": lambda f: basins.find(f, STARTS, sgd(0.05), steps=30),
    "find by flow": lambda f: basins.find(f, STARTS, gradient_flow(5.0)),
    "graph": lambda f: saddles.graph(f, np.array([[-1.0, 0.0], [1.0, 0.0]])),
}
QUICK = ("downhill_all", "find")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in CALLS]
)
def test_every_search_refuses(name):
    with pytest.raises(ValueError, match=MESSAGE):
        CALLS[name](lying)


def test_an_end_that_is_not_there_is_refused_where_the_start_is():
    with pytest.raises(ValueError, match="loss at the end of search"):
        polish_all(lying_ahead, STARTS[:1], way="descend")
    with pytest.raises(ValueError, match="loss at the end of path"):
        downhill_all(lying_ahead, STARTS[:1])


def test_rounding_is_no_lie():
    """Losses small by cancellation, at a valley of 0 and on a constant, from float32 too."""
    u = np.linspace(0.5, 2.0, 20)
    on_it = np.stack([u, 0.7 / u], axis=1)
    for constant in (0.0, 1e6):
        polish_all(lambda p, c=constant: 0.5 * (p[0] * p[1] - 0.7) ** 2 + c, on_it)
    basins.find(lambda p: (p[0] - 1e3 * p[1]) ** 2, on_it.astype(np.float32), sgd(1e-7), steps=9)


CHILD = """
import jax.numpy as jnp, numpy as np
from jaxnn.landscape.many import polish_all
try:
    found = polish_all(lambda q: -jnp.arctan(q[0]) + q[1] ** 2, np.array([[0.5, 1.0]]))
    print(float(found.initial_loss[0]), float(found.loss[0]))
except ValueError as error:
    print("refused:", error)
"""


def test_wide_vectors_give_the_truth_or_nothing():
    """Some versions of XLA translate arctan wrongly at this width, for many points side by side."""
    flags = {
        "XLA_FLAGS": "--xla_cpu_prefer_vector_width=512",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env={**os.environ, **flags}, capture_output=True, text=True,
        timeout=600, check=True,
    )  # fmt: skip
    if not done.stdout.startswith("refused: the loss at start 0 was"):
        seen = [float(word) for word in done.stdout.split()]
        np.testing.assert_allclose(seen, [1 - np.arctan(0.5), -np.pi / 2], rtol=1e-6)


@pytest.mark.parametrize(
    ("loss_fn", "starts"),
    [
        (lambda q: q[0] ** 2 + 3 * q[1] ** 2, [[0.5, 0.1], [0.3, 1.0]]),
        (lambda q: jnp.sum(q**2 + q**4), [[0.5, 0.1], [0.3, 1.0]]),
        (lambda q: (jnp.log(q[0]) ** 2 + jnp.log(q[1]) ** 2) ** 2, [[0.5, 2.0], [1.5, 0.7]]),
    ],
)
def test_a_minimum_at_zero_loss_reached_in_float32_is_no_lie(loss_fn, starts):
    found = basins.find(loss_fn, jnp.array(starts), full_batch(sgd(0.1), steps=300))
    assert found.labels.tolist() == [0, 0]
