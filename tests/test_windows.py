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


def test_one_number_is_an_axis():
    column = on_plane(ORIGIN, FIRST, SECOND, [2.0], [-1.0, 1.0])
    np.testing.assert_array_equal(column["a"], [[3.0, 2.0], [3.0, 2.0]])
    np.testing.assert_array_equal(column["b"], [1.0, 5.0])
    np.testing.assert_array_equal(on_line(np.float64(1.0), np.float64(2.0), [3.0]), [7.0])


def test_directions_may_be_of_very_different_length():
    far = {"a": 1e200 * FIRST["a"], "b": np.float64(0.0)}
    near = {"a": SECOND["a"], "b": np.float64(1e-200)}
    starts = on_plane(ORIGIN, far, near, [0.0, 1e-200], [0.0, 1e200])
    np.testing.assert_allclose(starts["b"], [3, 3, 4, 4], rtol=1e-15)
    np.testing.assert_allclose(starts["a"][:, 0], [1, 2, 1, 2], rtol=1e-15)
    integers = on_line(np.array([1, 2]), np.array([0, 1]), [0.0, 0.5])
    np.testing.assert_array_equal(integers, [[1.0, 2.0], [1.0, 2.5]])


AXIS = [0.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: on_plane(ORIGIN, FIRST, {"a": 2 * FIRST["a"], "b": 0.0}, AXIS, AXIS),
            "span a plane of zero area: give two that differ",
        ),
        (lambda: on_plane(ORIGIN, FIRST, SECOND, [AXIS], AXIS), r"xs has shape \(1, 2\): give one"),
        (
            lambda: on_plane(ORIGIN, FIRST, SECOND, [2.0, 2.0, 2.0], AXIS),
            "all 3 xs are 2: give numbers that differ, or that one alone",
        ),
        (lambda: on_plane(ORIGIN, FIRST, SECOND, AXIS, [0.0, 0.0]), "all 2 ys are 0"),
        (
            lambda: on_plane(np.ones(1), np.ones(1), np.ones(1), AXIS, AXIS),
            "a plane needs at least 2 parameters and the point has 1: use on_line",
        ),
        (lambda: on_plane(1.0, 1.0, 2.0, AXIS, AXIS), "needs at least 2 parameters"),
        (lambda: on_plane({}, {}, {}, AXIS, AXIS), "the point has no leaves"),
        (
            lambda: on_plane(ORIGIN | {"b": np.nan}, FIRST, SECOND, AXIS, AXIS),
            r"the point's leaf \['b'\] holds NaN or infinity",
        ),
        (
            lambda: on_plane(ORIGIN, FIRST | {"b": np.nan}, SECOND, AXIS, AXIS),
            r"the direction's leaf \['b'\] holds NaN or infinity",
        ),
        (lambda: on_plane(ORIGIN, np.ones(3), SECOND, AXIS, AXIS), "point and direction differ in"),
        (
            lambda: on_line(np.ones((2, 3)), np.ones((3, 2)), AXIS),
            r"point and direction differ in structure: .*\(2, 3\).*\(3, 2\)",
        ),
        (
            lambda: on_line(ORIGIN, {"a": np.zeros(2), "b": 0.0}, AXIS),
            "the direction is zero: give one that leads somewhere",
        ),
        (lambda: on_line(ORIGIN, FIRST, [np.nan]), r"ts has shape \(1,\): give one axis of finite"),
        (lambda: on_line(ORIGIN, FIRST, [1.0, 1.0]), "all 2 ts are 1"),
    ],
)
def test_what_is_no_line_or_plane_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
