"""The merging method tells Wada borders from others."""

import maps
import numpy as np
import pytest

from jaxnn.landscape.merging import border_pixels, wada


@pytest.mark.parametrize(("n", "width"), [(129, 3.0), (257, 1.0), (513, 5.0)])
def test_newtons_method_is_wada_at_every_resolution(n, width):
    found = wada(maps.newton(n, 0.1, width), ignore=[-1])
    assert found.wada
    assert found.share == 1
    assert found.coarser >= 0.4 * found.distance  # pixels, not lengths, limit it


def test_stripes_are_not_and_their_distance_is_their_width():
    """Borders of three stripes of 43 pixels: between the first two and the last two."""
    found = wada(maps.stripes(129))
    assert not found.wada
    assert found.distance == 43
    assert found.share == 0
    assert abs(found.coarser - 21.5) <= 1  # half as many pixels at half the resolution
    # the middle stripe's merged map has both borders, the outer ones' have one each
    np.testing.assert_array_equal(found.distances, [[0, 0, 43], [43, 0, 43], [43, 0, 0]])


def test_two_labels_are_never_wada_and_three_in_noise_are():
    assert not wada(maps.noise(65, 2)).wada
    assert not wada(maps.koch(257)).wada
    assert wada(maps.noise(65, 3)).wada


def test_cells_that_meet_at_points_are_not_wada():
    found = wada(maps.cells(129, 5))
    assert not found.wada
    assert found.share < 0.3


def test_a_straight_border_beside_noise_is_partly_wada():
    """All border pixels are near all borders, but those of the straight one."""
    labels = maps.noise(129, 3)
    labels[:, 64:] = maps.straight(129)[:, 64:]
    found = wada(labels)
    assert not found.wada
    straight, pixels = 2 * (65 - 6), border_pixels(labels, labels == 0)
    everything = pixels | border_pixels(labels, labels == 1) | border_pixels(labels, labels == 2)
    near_edge = 2 * 6  # nearer to the edge than to the noise
    judged = everything.sum() - found.undecided
    assert abs((1 - found.share) * judged - (straight - found.undecided)) <= near_edge


def test_distances_are_those_of_a_loop():
    labels = maps.cells(40, 4, seed=2)
    found = wada(labels, tolerance=0)
    pixels = [np.argwhere(border_pixels(labels, labels == k)) for k in range(4)]
    for j, a in enumerate(pixels):
        for k, b in enumerate(pixels):
            gaps = np.abs(a[:, None] - b[None]).max(axis=2).min(axis=1)
            edge = np.minimum(a, 39 - a).min(axis=1) + 1
            judged = gaps[gaps <= edge]
            assert found.distances[j, k] == (np.max(judged) if len(judged) else np.inf)


def test_border_pixels_are_those_with_a_neighbour_on_the_other_side():
    ranks = np.array([[0, 0, 0, -1, 1], [0, 0, 1, 1, 1]])
    wanted = [[False, False, True, False, False], [False, True, True, False, False]]
    np.testing.assert_array_equal(border_pixels(ranks, ranks == 0), wanted)


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (maps.stripes(32, 1), {}, "has 1 labels, .*: the merging method needs at least 2"),
        (maps.stripes(12, 3), {}, "needs at least 16 pixels"),
        (maps.stripes(32, 3), {"tolerance": -1}, "tolerance is -1: give a number of pixels"),
        (maps.stripes(32, 3) * 1.0, {}, "the labels are of float64"),
    ],
)
def test_a_wrong_call_is_refused(labels, settings, message):
    with pytest.raises(ValueError, match=message):
        wada(labels, **settings)


@pytest.mark.parametrize("width", [3, 4, 5, 10])
def test_straight_strips_are_not_wada_however_narrow(width):
    """A strip between two regions, and stripes of three labels side by side."""
    place = np.arange(256)
    strip = np.where(place < 100, 0, np.where(place < 100 + width, 1, 2))
    assert not wada(np.broadcast_to(strip, (256, 256))).wada
    assert not wada(np.broadcast_to(place // width % 3, (256, 256))).wada
