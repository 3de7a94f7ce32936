"""Diagrams of networks: texts stand where they belong, and on nothing else."""

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Circle

from jaxnn import plots


@pytest.fixture(autouse=True)
def closed():
    yield
    plots.plt.close("all")


def network(*sizes, seed=0):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(sizes))
    return [rng.normal(size=(b, a)) for a, b in pairs], [rng.normal(size=b) for _, b in pairs]


def drawn(*sizes, width=6.0, height=4.0, **settings) -> Any:
    made, axes = plots.figure(width=width, height=height)
    ax = plots.network_diagram(axes[0, 0], *network(*sizes), **settings)
    made.canvas.draw()
    return ax


def boxes(ax):
    """The extent of each text on paper: text -> (x0, y0, x1, y1)."""
    found = [(t.get_text(), t.get_window_extent(ax.figure.canvas.get_renderer())) for t in ax.texts]
    return [(text, box.extents) for text, box in found]


def circles(ax):
    return [patch for patch in ax.patches if isinstance(patch, Circle)]


def overlaps(one, other):
    return bool((np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]) > 0.5).all())


def test_each_node_holds_its_value_inside_its_circle():
    values = [[0.7, 0.1, 0.4], [0.49, -0.126, 1.0, 0.0], ["$o_1$", None]]
    ax = drawn(3, 4, 2, width=2.5, height=2.0, in_nodes=values)
    assert [text for text, _ in boxes(ax)][:8] == [
        "0.7", "0.1", "0.4", "0.49", "\u22120.13", "1", "0", "$o_1$",
    ]  # fmt: skip
    whole = [circle.get_window_extent().extents for circle in circles(ax)]
    for (_, text), circle in zip(boxes(ax)[:8], whole, strict=False):
        assert np.all(text[:2] > circle[:2])
        assert np.all(text[2:] < circle[2:])


@pytest.mark.parametrize("sizes", [(3, 4, 2), (2, 6, 3), (3, 2, 2, 1)])
def test_no_text_stands_on_another(sizes):
    weights, biases = network(*sizes)
    under = [[""] * sizes[0], *biases]
    ax = drawn(*sizes, in_nodes=[np.zeros(n) for n in sizes], under_nodes=under, on_lines=weights)
    found = boxes(ax)
    assert len(found) == 2 * sum(sizes) - sizes[0] + sum(w.size for w in weights) + len(sizes)
    for k, (text, box) in enumerate(found):
        for other_text, other in found[:k]:
            assert not overlaps(box, other), (text, other_text)


def test_a_text_on_a_line_stands_on_that_line():
    weights, _ = network(3, 2)
    ax = drawn(3, 2, on_lines=[[["a", "b", "c"], ["d", None, ""]]])
    at = {t.get_text(): np.array(t.get_position()) for t in ax.texts}
    assert {"a", "b", "c", "d"} < set(at)
    nodes = np.array([circle.center for circle in circles(ax)])
    for text, (unit, source) in {"a": (0, 0), "b": (0, 1), "c": (0, 2), "d": (1, 0)}.items():
        start, end = nodes[source], nodes[3 + unit]
        share = (at[text][0] - start[0]) / (end[0] - start[0])
        assert 0.1 < share < 0.9
        np.testing.assert_allclose(at[text], start + share * (end - start))
    assert weights[0].shape == (2, 3)


def test_a_layer_of_64_has_dots_for_those_left_out_between_the_strongest():
    weights, biases = network(64, 32, 10)
    ax = drawn(64, 32, 10)
    assert {"input layer\n16 of 64", "hidden layer\n16 of 32", "output layer\n10"} == {
        text.get_text() for text in ax.texts
    }
    (dots,) = ax.lines
    dotted = np.asarray(dots.get_xydata())
    assert len(dotted) == 6
    nodes = np.array([circle.center for circle in circles(ax)])
    for dot in dotted:
        assert np.hypot(*(nodes - dot).T).min() > 0.3
    strongest = np.sort(np.argsort(-np.abs(weights[0]).max(axis=1), kind="stable")[:16])
    shades = np.array([circle.get_facecolor()[:3] for circle in circles(ax)])[16:32]
    paleness = shades.mean(axis=1)
    for side in (biases[0][strongest] > 0, biases[0][strongest] < 0):
        size = np.abs(biases[0][strongest][side])
        np.testing.assert_array_equal(np.argsort(-size), np.argsort(paleness[side]))


def test_the_key_says_what_the_thickest_line_is():
    weights, _ = network(3, 4, 2)
    largest = max(np.abs(w).max() for w in weights)
    texts = [text.get_text() for text in drawn(3, 4, 2).get_legend().get_texts()]
    assert texts == [f"weight +{largest:.3g}", f"weight \u2212{largest:.3g}"]
    assert drawn(3, 4, 2, legend=False).get_legend() is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"most": 1}, "most is 1: draw at least 2"),
        ({"in_nodes": [[1, 2]]}, r"in_nodes has \[2\] texts: give \[3, 4, 2\]"),
        ({"on_lines": [None]}, "on_lines has 1 layers: give 2"),
        ({"on_lines": [np.zeros((3, 4)), None]}, r"on_lines of layer 1 has shape \(3, 4\)"),
    ],
)
def test_texts_for_another_network_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        drawn(3, 4, 2, **settings)


def test_more_texts_on_lines_than_can_be_read_are_refused():
    with pytest.raises(ValueError, match="has texts for 64 lines, of which 24 can be read"):
        drawn(8, 8, on_lines=[np.ones((8, 8))])
    with pytest.raises(ValueError, match="1 biases for 2 layers"):
        plots.network_diagram(plots.figure()[1][0, 0], network(3, 4, 2)[0], [None])
