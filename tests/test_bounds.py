"""What memory cannot hold is refused before anything is computed, with both numbers."""

import math

import pytest

from jaxnn import memory
from jaxnn.studies import bounds, initial_weights, problem, schema
from jaxnn.studies.map_settings import Basins, Sensitivity
from jaxnn.studies.settings import Between, Census, Slice, Study

XOR = (2, 2, 1)
TOO_MANY = [
    (Study("xor", members=30_000_000), r"720,000,000 networks \(--members 30000000\)"),
    (Census("xor", starts=2**31), r"2,147,483,648 networks \(--starts 2147483648\)"),
    (Basins("xor", points=1_000_000_000), "drawing 1,000,000,000,000,000,000 networks"),
    (Sensitivity("xor", points=100_000), "10,000,000,000 networks"),
    (Basins("xor", over="line", points=10**9), r"1,000,000,000 networks \(--points 1000000000\)"),
    (Basins("xor", over="sample", members=10**8), "600,000,000 networks"),
    (Study("xor", members=10**9, chunk=10**9, report=False), "a chunk of 1,000,000,000 networks"),
    (Study("xor", members=1000, record_every=1, steps=10**9), "drawing 24,000 networks"),
]


@pytest.fixture(autouse=True)
def _six_gigabytes(monkeypatch):
    monkeypatch.setattr(memory, "at_hand", lambda: 6_000_000_000)


@pytest.mark.parametrize(("asked", "said"), TOO_MANY)
def test_more_than_memory_holds_is_refused_with_the_memory_told(asked, said):
    settings = problem.complete(asked)
    with pytest.raises(ValueError, match=rf"{said}.* takes about .*there are 6 GB of memory"):
        bounds.check_room(settings, XOR)


@pytest.mark.parametrize(
    "asked",
    [
        Study("xor", members=1_000_000, scales=(1.0,), schemes=("normal",)),
        Study("xor", members=30_000_000, report=False),
        Census("xor", starts=100_000),
        Basins("xor", points=1024),
        Sensitivity("xor"),
    ],
)
def test_what_fits_is_let_through(asked):
    bounds.check_room(problem.complete(asked), XOR)


def test_points_of_a_picture_are_held_against_memory(tmp_path):
    bounds.check_points(Slice(tmp_path, points=1001))
    bounds.check_points(Between(tmp_path, points=10**7))
    for asked in (
        Slice(tmp_path, points=100_000),
        Slice(tmp_path, points=51, lines=10**8),
        Between(tmp_path, points=10**9),
    ):
        with pytest.raises(
            ValueError,
            match=r"points \(--points \d+.*\) takes about .* 6 GB of memory",
        ):
            bounds.check_points(asked)


def test_what_a_store_keeps_of_a_network_is_known():
    settings = problem.complete(Study("iris", members=3, scales=(1.0,), schemes=("normal",)))
    posed = problem.pose(settings)
    layout = schema.layout(settings, posed, initial_weights.records(settings))
    lengths = layout["lengths"]
    kept = sum(
        4 * math.prod(lengths[dim] for dim in variable.dims)
        for variable in layout["variables"].values()
    )
    assert bounds._bytes_each(settings, 67) == pytest.approx(kept / 3, rel=0.1)
