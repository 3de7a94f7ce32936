"""The names of `sensitivity`, and the pictures of its dimensions."""

import maps
import numpy as np
import pytest

from jaxnn import plots
from jaxnn.landscape import sensitivity


def test_the_names_of_the_contract_are_there():
    names = ("entropy", "uncertainty_exponent", "box_dimension", "lyapunov")
    assert all(callable(getattr(sensitivity, name)) for name in names)


@pytest.fixture(scope="module")
def found():
    return sensitivity.box_dimension(maps.koch(257))


def drawn(found):
    made, axes = plots.figure(1, 2, width=8.0)
    plots.scaling(axes[0, 0], found, name="Koch")
    plots.local_slopes(axes[0, 1], found)
    return made, axes[0]


def test_the_fitted_scales_are_filled_and_on_the_line(found):
    _, (counts, slopes) = drawn(found)
    every, filled, line = (
        np.stack([np.asarray(values, float) for values in drawing.get_data()])
        for drawing in counts.get_lines()
    )
    np.testing.assert_allclose(every, [found.scales, found.counts], rtol=1e-12)
    np.testing.assert_allclose(filled, every[:, found.fitted], rtol=1e-12)
    steepness = np.diff(np.log(line[1])) / np.diff(np.log(line[0]))
    np.testing.assert_allclose(-steepness, found.dimension, rtol=1e-12)
    assert counts.get_legend_handles_labels()[1][0].startswith("Koch: 1.2")
    level, local = (np.asarray(a.get_ydata(), float) for a in slopes.get_lines()[:2])
    np.testing.assert_allclose(level, found.dimension, rtol=1e-12)
    np.testing.assert_allclose(local, found.local_slopes, rtol=1e-12)


def test_the_same_dimension_is_drawn_as_the_same_bytes(found, tmp_path):
    files = [plots.save(drawn(found)[0], tmp_path / name) for name in ("a", "b")]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_doubt_takes_the_intervals_place_in_a_figure():
    made, axes = plots.figure()
    plots.scaling(axes[0, 0], sensitivity.box_dimension(maps.strip(257, 1)), name="strip")
    assert axes[0, 0].get_legend_handles_labels()[1] == ["strip: cannot tell"]
    assert "cannot tell: by boxes" in sensitivity.box_dimension(maps.strip(257, 1))._repr_html_()
    assert made.axes
