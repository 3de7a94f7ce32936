"""The test for fractal borders finds fractals and seldom smooth borders."""

from typing import Any

import maps
import numpy as np
import pytest

from jaxnn.landscape.merging import wada
from jaxnn.landscape.roughness import fractal_test, straight_borders


@pytest.mark.parametrize(
    "made",
    [maps.koch(257), maps.newton(257), maps.newton(257) == 1, maps.cantor(3000)],
    ids=["koch", "newton", "newton, two merged", "cantor"],
)
def test_fractal_borders_are_found(made):
    found = fractal_test(made, maps=39)
    assert (found.verdict, found.doubt) == ("fractal", "")
    assert found.p_value == 1 / 40
    assert found.dimension > found.smooth_high
    assert found.scales[0] == 1


@pytest.mark.parametrize(
    "made",
    [maps.straight(257, 0.4, 0.1), maps.disc(257), maps.cells(257, 8), maps.stripes(257, 8)],
    ids=["straight", "disc", "cells", "stripes"],
)
def test_smooth_borders_pass(made):
    found = fractal_test(made, maps=19)
    assert found.verdict == "smooth"
    assert found.p_value > 0.2
    assert found.dimensions.shape == found.borders.shape == (19,)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_straight_strips_are_smooth_or_too_narrow_to_tell(width, angle):
    found = fractal_test(maps.strip(257, width, angle), maps=19)
    assert found.verdict == ("smooth" if width > 2 else "cannot tell")
    assert bool(found.doubt) == np.isnan(found.p_value) == (width < 3)


def test_grebogis_map_is_fractal_at_300_pixels():
    """As Attractors.jl says; its borders are in step with no straight ones' scale."""
    found = fractal_test(maps.grebogi(300), maps=19)
    assert found.verdict == "fractal"
    assert found.p_value == 1 / 20


def test_a_crowd_of_smooth_borders_is_not_called_fractal():
    """30 circles are rougher at a pixel's scale than as many straight borders, or as rough."""
    for seed in range(3):
        assert fractal_test(maps.circles(257, 30, seed), maps=19).verdict != "fractal"


@pytest.mark.parametrize("count", [1, 5, 50, 500])
def test_lone_pixels_cannot_be_told(count):
    made = np.zeros((257, 257), int)
    made.ravel()[np.random.default_rng(0).choice(made.size, count, replace=False)] = 1
    settings: dict[str, Any] = {"maps": np.int64(19)}
    found = fractal_test(made, **settings)
    assert found.verdict == "cannot tell"
    assert found.doubt.startswith("cannot tell: ")
    assert np.isnan(found.p_value)
    assert found.dimension > 1.9  # by pairs they are as noise


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["straight", "disc", "cells", "null"])
def test_smooth_borders_are_called_fractal_at_most_as_often_as_p_says(kind):
    """Of 60 at most 7 with p <= 0.05: more has a chance of 1 %."""
    rng, called = np.random.default_rng(0), 0
    for _ in range(60):
        drawn = rng.uniform(size=4)
        made = {
            "straight": lambda d: maps.straight(257, np.pi * d[0], 0.4 * d[1] - 0.2),
            "disc": lambda d: maps.disc(257, 0.1 + 0.3 * d[0], 0.4 + 0.2 * d[1:3]),
            "cells": lambda d: maps.cells(257, 3 + int(30 * d[0]), int(1e6 * d[1])),
            "null": lambda d: straight_borders((257, 257), 0.004 + 0.02 * d[0], rng)[0],
        }[kind](drawn)
        called += fractal_test(made, maps=39).verdict == "fractal"
    assert called <= 7


def test_masked_pixels_are_unknown_to_every_number_about_borders():
    """Noise under the mask, which would be a fractal of many labels."""
    plain = maps.straight(129, 0.4, 0.03)
    holes = maps.noise(129, labels=6, seed=3) == 0
    masked = np.ma.masked_array(np.where(holes, maps.noise(129, labels=9, seed=1), plain), holes)
    found = fractal_test(masked, maps=19)
    assert found.verdict == "smooth"
    assert found.dimension == fractal_test(np.where(holes, -1, plain), ignore=-1, maps=19).dimension
    assert wada(masked).labels.tolist() == [0, 1]
    assert wada(masked).distance == wada(np.where(holes, -1, plain), ignore=-1).distance


def test_straight_borders_have_the_share_asked_for():
    """A line crosses at most (n - 1) pairs of rows and as many of columns of n (n - 1) each."""
    for share in (0.002, 0.02, 0.1):
        made, lines = straight_borders((129, 129), share, np.random.default_rng(0))
        pairs = np.concatenate([np.diff(made, axis=0).ravel(), np.diff(made, axis=1).ravel()])
        assert lines >= 1
        assert abs(np.mean(pairs != 0) - share) < 1 / 129
    line, points = straight_borders((400,), 0.05, np.random.default_rng(1))
    assert np.sum(np.diff(line) != 0) == pytest.approx(20, abs=1)
    assert points >= 19


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (maps.stripes(32, 1), {}, "has 1 labels"),
        (maps.stripes(32, 2), {"maps": 20.5}, "maps is 20.5: give a whole number"),
        (maps.stripes(32, 2), {"maps": 5}, "maps is 5: give a whole number, at least 19"),
    ],
)
def test_a_wrong_call_is_refused(labels, settings, message):
    with pytest.raises(ValueError, match=message):
        fractal_test(labels, **settings)
