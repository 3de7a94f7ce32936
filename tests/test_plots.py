"""Pictures: the same bytes every time, the right numbers in the right places."""

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from jaxnn import plots
from jaxnn.landscape.trees import disconnectivity


def small_tree(**changed: Any):
    right: dict[str, Any] = {
        "losses": [0.0, 0.35, 0.2, 0.9, 0.6],
        "edges": [(0, 1), (1, 2), (2, 3), (0, 4)],
        "heights": [1.2, 0.8, 1.5, 1.0],
        "widths": [0.4, 0.05, 0.3, 0.15, 0.08],
    }
    return disconnectivity(**(right | changed))


def large_tree(n=2000):
    rng = np.random.default_rng(0)
    losses, edges = rng.exponential(size=n), rng.integers(n, size=(3 * n, 2))
    heights = losses[edges].max(axis=1) + rng.exponential(size=3 * n)
    return disconnectivity(losses, edges, heights, widths=rng.dirichlet(np.full(n, 0.05)))


def lines_of(ax, which):
    """The segments of a collection, (lines, 2 ends, 2 coordinates)."""
    return np.array(ax.collections[which].get_segments())


def draw(kind):
    rng = np.random.default_rng(0)
    made, axes = plots.figure()
    ax = axes[0, 0]
    losses = {
        "normal": rng.uniform(0.01, 1, (3, 20)),
        "glorot_normal": rng.uniform(0.01, 1, (3, 20)),
    }
    if kind == "loss":
        plots.loss_against_scale(ax, [0.1, 1, 10], losses, level=0.05)
    elif kind == "share":
        shares = {name: np.array([[0.5, 0.4, 0.6], [0, 0, 0.1], [1, 0.9, 1]]) for name in losses}
        plots.share_against_scale(ax, [0.1, 1, 10], shares, level=0.05)
    elif kind == "bands":
        plots.loss_bands(ax, np.arange(5), rng.uniform(0.1, 1, (9, 5)), title="t", xlabel="step")
    elif kind == "curve":
        plots.learning_curve(ax, np.arange(5), np.geomspace(1, 0.1, 5), xlabel="step")
    elif kind == "contours":
        xs = ys = np.linspace(-1, 1, 9)
        bowl = 0.1 + xs[None, :] ** 2 + ys[:, None] ** 2
        bowl[0, 0] = np.nan
        plots.contours(ax, xs, ys, bowl, points=np.zeros((1, 2)), labels=["0.1"])
    elif kind == "run":
        xs = ys = np.linspace(-1, 1, 9)
        bowl = 0.1 + xs[None, :] ** 2 + ys[:, None] ** 2
        plots.contours(ax, xs, ys, bowl, points=np.zeros((0, 2)), labels=[])
        way = np.array([[0.9, 0.9], [0.4, 0.5], [0.0, 0.0]])
        plots.run_in_plane(ax, way, np.array([1.8, 0.6, 0.1]), np.array([0.3, 0.1, 0.0]))
    elif kind == "band":
        ts, values = np.linspace(-1, 1, 9), rng.uniform(0.1, 1, (5, 9))
        values[0, 3] = np.nan
        low, middle, high = np.nanquantile(values, [0.05, 0.5, 0.95], axis=0)
        plots.band(ax, ts, values, low=low, middle=middle, high=high, xlabel="t", ylabel="loss")
    elif kind == "eigenvalues":
        plots.eigenvalues(ax, np.array([-1e-3, 1e-17, 0.0, 1e-5, 2.0]), tolerance=1e-15)
    elif kind == "density":
        plots.density(ax, np.linspace(-1, 1, 9), np.exp(-(np.linspace(-1, 1, 9) ** 2)), note="n")
    elif kind == "labels":
        labels, box = rng.integers(-4, 12, (9, 9)), ((0.0, 1.0), (0.0, 1.0))
        colours = plots.label_colours(labels)
        plots.label_map(ax, labels, box, colours=colours)
        plots.label_legend(ax, {f"{k}": c for k, c in colours.items()}, title="ends")
    elif kind == "strip":
        labels = rng.integers(-4, 12, 30)
        plots.label_map(ax, labels, ((0.0, 1.0),), colours=plots.label_colours(labels))
    elif kind == "values":
        values = np.where(rng.uniform(size=(9, 9)) < 0.1, np.nan, rng.exponential(size=(9, 9)))
        plots.value_map(ax, values, ((0.0, 1.0), (0.0, 2.0)), name="loss")
    elif kind == "values along":
        plots.values_along(ax, np.arange(30.0), rng.exponential(size=30), name="loss")
    elif kind == "changed":
        plots.changed_map(ax, rng.uniform(size=(9, 9)) < 0.2, ((0.0, 1.0), (0.0, 1.0)))
    elif kind == "probabilities":
        shares = {"a": np.array([[0.5, 0.4, 0.6], [0, 0, 0.1], [1, 0.9, 1]])}
        plots.probability_lines(ax, [0.1, 1, 10], shares, colours={"a": "black"}, xlabel="scale")
    elif kind == "tree":
        plots.disconnectivity(ax, small_tree(), kinds=["a", "b", "a", "b", "b"])
    elif kind == "large tree":
        plots.disconnectivity(ax, large_tree())
    elif kind == "paths":
        at = np.linspace(0, 1, 9)
        plots.along_paths(ax, {"a": (at, 0.01 + at * (1 - at)), "b": (at, np.full(9, np.nan))})
    else:
        weights = [rng.normal(size=(3, 40)), rng.normal(size=(2, 3))]
        plots.network_diagram(ax, weights, [rng.normal(size=3), None], outputs=["no", "yes"])
    return made, ax


@pytest.mark.parametrize(
    "kind",
    [
        "loss",
        "share",
        "bands",
        "curve",
        "contours",
        "network",
        "band",
        "eigenvalues",
        "density",
        "paths",
        "run",
        "tree",
        "large tree",
        "labels",
        "strip",
        "values",
        "values along",
        "changed",
        "probabilities",
    ],
)
def test_the_same_picture_is_the_same_bytes(kind, tmp_path):
    first, second = (plots.save(draw(kind)[0], tmp_path / name) for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size > 3000


def test_each_pixel_has_the_colour_of_its_label_and_its_place():
    labels = np.array([[0, 0, -1], [1, 0, 7]])
    colours = plots.label_colours(labels)
    made, axes = plots.figure()
    ax = plots.label_map(axes[0, 0], labels, ((0.0, 3.0), (5.0, 7.0)), colours=colours)
    image = np.asarray(ax.images[0].get_array())
    for (i, j), label in np.ndenumerate(labels):
        assert to_hex(tuple(image[i, j].tolist())).upper() == colours[int(label)].upper()
    assert ax.images[0].get_extent() == [0.0, 3.0, 5.0, 7.0]
    assert ax.images[0].origin == "lower"
    plots.plt.close(made)


def test_the_most_frequent_labels_have_colours_of_their_own():
    labels = np.repeat(np.arange(12), np.arange(2, 14))
    colours = plots.label_colours(np.append(labels, [-1, -3]))
    assert colours[0] == colours[1] == colours[2] == plots.OTHER
    own = [colours[k] for k in range(3, 12)]
    assert len({*own, colours[-1], colours[-3], plots.OTHER}) == 12


def test_values_that_are_not_finite_have_no_colour_and_probabilities_their_intervals():
    made, axes = plots.figure(1, 2)
    values = np.array([[1.0, np.nan], [100.0, 0.0]])
    ax = plots.value_map(axes[0, 0], values, ((0.0, 1.0), (0.0, 1.0)), name="loss")
    shown: Any = ax.images[0].get_array()
    assert shown.mask.tolist() == [[False, True], [False, False]]
    assert ax.images[0].norm.vmax == 100.0
    shares = np.array([[0.5, 0.4, 0.7], [0.2, 0.1, 0.3]])
    ax = plots.probability_lines(
        axes[0, 1], [1, 2], {"a": shares}, colours={"a": "black"}, xlabel="scale"
    )
    np.testing.assert_allclose(lines_of(ax, 0)[:, :, 1], [[40, 70], [10, 30]])
    np.testing.assert_allclose(np.asarray(ax.lines[0].get_ydata()), [50, 20])
    plots.plt.close(made)


def test_the_median_line_goes_through_the_medians():
    made, axes = plots.figure()
    losses = np.array([[0.1, 0.2, np.nan, 0.9], [0.3, 0.4, 0.5, 0.6]])
    plots.loss_against_scale(axes[0, 0], [1, 10], {"normal": losses}, level=0.05)
    np.testing.assert_allclose(axes[0, 0].lines[0].get_ydata(), [0.2, 0.45])
    plots.plt.close(made)


def test_a_line_of_the_network_is_as_thick_as_its_weight_is_large():
    made, axes = plots.figure()
    plots.network_diagram(axes[0, 0], [np.array([[1.0, -2.0]]), np.array([[0.5]])], [None, None])
    first, second = axes[0, 0].collections
    widths = np.concatenate([first.get_linewidths(), second.get_linewidths()])
    np.testing.assert_allclose(widths / max(widths), [0.5, 1.0, 0.25])
    colours = [to_hex(tuple(c)).upper() for part in (first, second) for c in part.get_colors()]
    assert colours == [plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[0]]
    plots.plt.close(made)


def test_a_wide_layer_shows_its_largest_and_says_so():
    made, ax = draw("network")
    assert "input layer\n16 of 40" in [text.get_text() for text in ax.texts]
    plots.plt.close(made)


def test_what_is_not_finite_in_a_plane_is_hatched_and_a_plane_of_nothing_is_refused():
    made, axes = plots.figure()
    xs = np.linspace(-1, 1, 5)
    values = 0.1 + xs[None, :] ** 2 + xs[:, None] ** 2
    values[3, 1:4] = np.nan
    marks = {"points": np.zeros((0, 2)), "labels": []}
    ax = plots.contours(axes[0, 0], xs, xs, values, **marks)
    assert any(
        hatches == ["///"] for hatches in (getattr(c, "hatches", None) for c in ax.collections)
    )
    with pytest.raises(ValueError, match="no value of the plane is finite"):
        plots.contours(axes[0, 0], xs, xs, np.full((5, 5), np.nan), **marks)
    plots.plt.close(made)


def test_eigenvalues_are_told_apart_by_sign():
    made, axes = plots.figure()
    plots.eigenvalues(axes[0, 0], np.array([-1e-3, 1e-17, 0.0, 1e-5, 2.0]), tolerance=1e-15)
    labels = [line.get_label() for line in axes[0, 0].get_lines()]
    assert labels[:3] == ["2 positive", "2 zero to rounding", "1 negative"]
    plots.plt.close(made)


def test_each_leaf_of_a_tree_ends_at_its_loss_and_rises_to_its_merge():
    made, axes = plots.figure()
    tree = small_tree()
    ax = plots.disconnectivity(axes[0, 0], tree)
    uprights, levels, over = (lines_of(ax, k) for k in range(3))
    np.testing.assert_array_equal(uprights[:, 0, 0], uprights[:, 1, 0])
    np.testing.assert_array_equal(uprights[:, 0, 1], tree.losses)
    np.testing.assert_array_equal(uprights[:, 1, 1], [1.5, 0.8, 1.2, 1.5, 1.0])
    np.testing.assert_array_equal(levels[:, :, 1], np.stack([tree.heights] * 2, axis=1))
    at = uprights[:, 0, 0]
    np.testing.assert_array_equal(levels[:, :, 0], at[[(2, 1), (0, 4), (0, 2), (0, 3)]])
    np.testing.assert_array_equal(over, [[[at[0], 1.5], [at[0], ax.get_ylim()[1]]]])
    assert {"0", "1", "2", "3", "4", "probability 10 %"} == {t.get_text() for t in ax.texts}
    plots.plt.close(made)


def test_leaves_are_as_wide_as_their_probability_and_never_overlap():
    for tree in (small_tree(), large_tree()):
        made, axes = plots.figure()
        ax = plots.disconnectivity(axes[0, 0], tree)
        corners = np.array(
            [np.asarray(path.vertices)[:4] for path in ax.collections[3].get_paths()]
        )
        left, right = corners[:, :, 0].min(axis=1), corners[:, :, 0].max(axis=1)
        assert tree.widths is not None
        np.testing.assert_allclose(right - left, tree.widths / 2, atol=1e-12)
        np.testing.assert_array_equal(corners[:, :, 1].min(axis=1), tree.losses)
        order = np.argsort(left + right)
        assert (right[order][:-1] <= left[order][1:] + 1e-12).all()
        (scale,) = (line for line in ax.lines if line.get_linewidth() == 3)
        np.testing.assert_allclose(np.ptp(scale.get_xdata()), 0.05)
        plots.plt.close(made)


def test_a_funnel_stands_round_its_deepest_minimum():
    """A chain of side valleys joins the trunk left and right in turn."""
    n = 101
    edges = [(0, k) for k in range(1, n)]
    tree = disconnectivity(np.arange(n) / n, edges, np.arange(1, n) + 1.0)
    made, axes = plots.figure()
    ax = plots.disconnectivity(axes[0, 0], tree)
    at = lines_of(ax, 0)[:, 0, 0]
    assert np.sum(at < at[0]) == np.sum(at > at[0]) == 50
    assert len(ax.texts) == 0
    plots.plt.close(made)


def test_trees_that_no_saddle_joins_stand_apart_under_dots():
    tree = small_tree(edges=[(0, 1), (2, 3)], heights=[1.2, 1.5], widths=None)
    made, axes = plots.figure()
    ax = plots.disconnectivity(axes[0, 0], tree, labels=list("abcde"))
    at, over = lines_of(ax, 0)[:, 0, 0], lines_of(ax, 2)
    assert max(at[[0, 1]]) < min(at[[2, 3]]) < max(at[[2, 3]]) < at[4]
    assert {(x, y) for x, y in over[:, 0]} == {(at[0], 1.2), (at[2], 1.5), (at[4], 0.6)}
    dots: Any = ax.collections[2].get_linestyle()
    assert dots[0][1] is not None
    assert [text.get_text() for text in ax.texts] == list("abcde")
    plots.plt.close(made)


def test_labels_and_kinds_of_another_number_are_refused():
    made, axes = plots.figure()
    with pytest.raises(ValueError, match="2 labels for 5 minima: give one a minimum"):
        plots.disconnectivity(axes[0, 0], small_tree(), labels=["a", "b"])
    with pytest.raises(ValueError, match="1 kinds for 5 minima: give one a minimum"):
        plots.disconnectivity(axes[0, 0], small_tree(), kinds=["a"])
    plots.plt.close(made)
