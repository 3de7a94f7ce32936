"""Starts on lines and planes: exact places, in float64, in the order of images."""

import numpy as np
import pytest

from jaxnn.landscape.windows import on_line, on_plane

ORIGIN = {"a": np.array([1.0, 2.0]), "b": np.float64(3.0)}
FIRST = {"a": np.array([1.0, 0.0]), "b": np.float64(0.0)}
SECOND = {"a": np.array([0.0, 0.0]), "b": np.float64(2.0)}


def test_a_plane_is_stacked_row_by_row():
    starts = on_plane(ORIGIN, FIRST, SECOND, [0.0, 1.0, 5.0], [-1.0, 1.0])
    np.testing.assert_array_equal(starts["a"][:, 0], [1, 2, 6, 1, 2, 6])
    np.testing.assert_array_equal(starts["a"][:, 1], np.full(6, 2.0))
    np.testing.assert_array_equal(starts["b"], [1, 1, 1, 5, 5, 5])


def test_a_line_keeps_float64():
    starts = on_line(ORIGIN, FIRST, [0.0, 1e-12])
    assert starts["a"].dtype == np.float64
    assert starts["a"][1, 0] - starts["a"][0, 0] == pytest.approx(1e-12, rel=1e-3)


def test_planes_of_zero_area_are_refused():
    twice = {"a": 2 * FIRST["a"], "b": np.float64(0.0)}
    with pytest.raises(ValueError, match="span a plane of zero area: give two that differ"):
        on_plane(ORIGIN, FIRST, twice, [0.0], [0.0])
    with pytest.raises(ValueError, match="directions of 2 and 3 numbers at a point of 3"):
        on_plane(ORIGIN, np.ones(2), SECOND, [0.0], [0.0])
    with pytest.raises(ValueError, match=r"xs has shape \(1, 1\): give one axis"):
        on_plane(ORIGIN, FIRST, SECOND, [[0.0]], [0.0])


def test_a_direction_leads_somewhere():
    nothing = {"a": np.zeros(2), "b": np.float64(0.0)}
    with pytest.raises(ValueError, match="give one of its structure that leads somewhere"):
        on_line(ORIGIN, nothing, [0.0])
    with pytest.raises(ValueError, match=r"ts has shape \(1,\): give one axis of finite"):
        on_line(ORIGIN, FIRST, [np.nan])
