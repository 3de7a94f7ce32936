"""Basin entropy on maps where it is known: noise, a level border, stripes, Newton's method."""

import math
from typing import Any

import maps
import numpy as np
import pytest

from jaxnn.landscape.entropies import entropy


def gibbs(*shares):
    return -sum(p * math.log(p) for p in shares if p > 0)


def expected(labels, pixels):
    """The mean of the Gibbs entropy of so many independent pixels: -N E[(k/m) ln(k/m)]."""
    chances = [
        math.comb(pixels, k) * (1 / labels) ** k * (1 - 1 / labels) ** (pixels - k)
        for k in range(1, pixels + 1)
    ]
    return -labels * sum(
        p * k / pixels * math.log(k / pixels) for k, p in enumerate(chances, start=1)
    )


@pytest.mark.parametrize("labels", [2, 3, 10])
def test_noise_of_n_labels_has_ln_n_less_what_a_box_of_few_pixels_misses(labels):
    found = entropy(maps.noise(500, labels))
    wanted = expected(labels, 25)
    assert found.boxes == 10_000
    assert abs(found.basin - wanted) < 0.005  # 10,000 boxes, each within about 0.1
    assert found.low < wanted < found.high
    # Miller & Madow's correction leaves the terms of second order
    assert abs(found.basin + found.miller_madow - math.log(labels)) < 0.25 * (
        math.log(labels) - found.basin
    )
    assert found.above_log2 == (labels > 2)


@pytest.mark.parametrize("row", [1, 2, 3, 4, 5])
def test_a_level_border_gives_the_entropy_of_the_boxes_it_cuts(row):
    labels = np.zeros((50, 40), int)
    labels[20 + row :] = 7
    found = entropy(labels)
    cut = gibbs(row / 5, 1 - row / 5)
    np.testing.assert_allclose(found.basin, cut / 10, rtol=1e-12, atol=1e-15)
    assert found.boundary_boxes == (8 if row < 5 else 0)
    if row < 5:
        found_boundary = [found.boundary, found.boundary_low, found.boundary_high]
        np.testing.assert_allclose(found_boundary, cut, rtol=1e-12)
    else:
        assert np.isnan([found.boundary, found.boundary_low]).all()
    assert not found.above_log2


def test_a_line_and_a_volume_have_boxes_of_their_own():
    line = entropy(np.array([0, 0, 1, 1, 1, 1, 2, 2]), box=4)
    np.testing.assert_allclose(line.basin, math.log(2), rtol=1e-12)
    volume = np.zeros((6, 6, 6), int)
    volume[:1] = 1
    found = entropy(volume, box=3)
    np.testing.assert_allclose(found.boundary, gibbs(1 / 3, 2 / 3), rtol=1e-12)
    assert (found.boxes, found.boundary_boxes) == (8, 4)


def test_ignored_pixels_are_in_no_share():
    labels = np.array([[0, 0, -1, -1], [1, -1, -1, -1]])
    found = entropy(labels, box=2, ignore=[-1])
    np.testing.assert_allclose(found.basin, gibbs(1 / 3, 2 / 3), rtol=1e-12)
    assert found.boxes == 1
    np.testing.assert_allclose(entropy(labels, box=2).basin, gibbs(0.5, 0.25, 0.25) / 2, rtol=1e-12)


def test_three_mixed_basins_pass_ln_2_and_smooth_ones_do_not():
    """Newton's method is Daza et al.'s case of a map far above; straight cells stay below."""
    newton = entropy(maps.newton(257, width=1.0))
    assert newton.above_log2
    assert newton.boundary_high < math.log(3)
    assert not entropy(maps.cells(257, 8)).above_log2


def test_grebogis_map_has_its_published_entropies():
    """Attractors.jl at 300 pixels and boxes of 6: 0.40 to 0.42, on the border 0.60 to 0.61."""
    found = entropy(maps.grebogi(300), box=6)
    assert 0.40 < found.basin < 0.42
    assert 0.60 < found.boundary < 0.61
    assert found.low < found.basin < found.high
    assert found.boundary_low < found.boundary < found.boundary_high


def test_intervals_of_few_blocks_are_all_that_is_possible():
    """A border of one box: a bootstrap of it alone has no width."""
    labels = np.zeros((80, 80), int)
    labels[:3, :3] = 1
    found = entropy(labels)
    assert found.boundary_boxes == 1
    assert (found.boundary_low, found.boundary_high) == (0, math.log(2))
    assert not found.above_log2


def test_what_is_masked_is_in_no_share():
    mask = np.array([[0, 0, 1, 1], [0, 1, 1, 1]], bool)
    labels = np.ma.masked_array([[0, 0, 5, 5], [1, 5, 5, 5]], mask)
    np.testing.assert_allclose(entropy(labels, box=2).basin, gibbs(1 / 3, 2 / 3), rtol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4])
def test_straight_stripes_narrower_than_a_box_pass_ln_2_and_are_not_called_fractal(angle):
    y, x = np.indices((256, 256))
    for width in (2, 3):
        across = np.floor((np.cos(angle) * y - np.sin(angle) * x) / width).astype(int)
        settings: dict[str, Any] = {"box": np.int64(5), "ignore": 7}
        found = entropy(across % 3, **settings)
        assert found.boundary_low > math.log(2)
        assert not found.above_log2


def test_points_of_a_line_that_three_labels_share_are_called_fractal_and_bands_are_not():
    assert entropy(maps.noise(5000, 3, axes=1)).above_log2
    bands = entropy(np.arange(5000) // 4 % 3, box=10)
    assert bands.boundary_low > math.log(2)
    assert not bands.above_log2


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (np.zeros((9, 9)), {}, "the labels are of float64"),
        (np.zeros((9, 4), int), {}, r"shape \(9, 4\): basin entropy needs at least 5 pixels"),
        (np.zeros((9, 9), int), {"box": 1}, "box is 1: give a whole number, at least 2"),
        (np.zeros((9, 9), int), {"ignore": [0]}, r"has 0 labels, \[\]: basin entropy needs"),
    ],
)
def test_a_wrong_call_is_refused(labels, settings, message):
    with pytest.raises(ValueError, match=message):
        entropy(labels, **settings)
