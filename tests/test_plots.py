"""Pictures: the same bytes every time, the right numbers in the right places."""

import inspect
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.ticker import NullLocator
from mpl_toolkits.mplot3d import Axes3D

from jaxnn import plots
from jaxnn.landscape.labels import Nowhere
from jaxnn.landscape.trees import disconnectivity
from jaxnn.plots.style import STYLE
from jaxnn.plots.ticks import round_ticks, tick_labels


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


def hills():
    """xs, ys and a surface over them (7, 9), positive over more than a factor of 20."""
    xs, ys = np.linspace(-1, 1, 9), np.linspace(-0.5, 0.5, 7)
    return xs, ys, 0.01 + xs[None, :] ** 2 + 4 * ys[:, None] ** 2


def saddle_of_chi():
    """sigma_ws, sigma_bs, and a chi that is 1 where sigma_w = 1 + sigma_b / 2."""
    sigma_ws, sigma_bs = np.linspace(0.5, 3, 26), np.linspace(0, 1, 11)
    return sigma_ws, sigma_bs, (sigma_ws[None, :] - sigma_bs[:, None] / 2) ** 1.5


def draw(kind):
    rng = np.random.default_rng(0)
    projection = {"projection": "3d" if kind == "surface" else None}
    made, axes = plots.figure(subplot_kw=projection)
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
    elif kind == "off the plane":
        plots.off_plane_distances(ax, np.arange(4), np.array([0.3, 0.2, 0.1, 0.0]))
    elif kind == "surface":
        xs, ys, heights = hills()
        path = np.array([[1.0, 0.5], [0.5, 0.2], [0.0, 0.0]])
        plots.surface(ax, xs, ys, heights, path=path, path_losses=np.array([2.0, 0.5, 0.01]))
    elif kind == "phases":
        plots.phase_diagram(ax, *saddle_of_chi(), points={"here": (1.0, 0.5)})
    elif kind == "depths":
        sigma_ws, sigma_bs, chi = saddle_of_chi()
        with np.errstate(divide="ignore"):
            depths = 1 / np.abs(np.log(chi))
        plots.phase_diagram(ax, sigma_ws, sigma_bs, chi, depths=depths)
    elif kind == "activation":
        xs = np.linspace(-6, 6, 25)
        plots.activation_curve(ax, xs, np.tanh(xs), slopes=1 - np.tanh(xs) ** 2, bounds=(-1, 1))
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
        "off the plane",
        "surface",
        "phases",
        "depths",
        "activation",
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


def test_every_way_to_lead_nowhere_has_a_colour_of_its_own():
    colours = plots.label_colours(np.array([*Nowhere, 0]))
    assert set(colours) == {*Nowhere, 0}
    assert len(set(colours.values())) == len(Nowhere) + 1


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


@pytest.mark.parametrize("kind", ["contours", "surface"])
def test_print_has_the_same_bytes_too_and_an_unknown_format_is_refused(kind, tmp_path):
    files = [plots.save(draw(kind)[0], tmp_path / n, formats=["pdf"])[0] for n in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(b"%PDF")
    assert b"CreationDate" not in files[0].read_bytes()
    made, _ = plots.figure()
    with pytest.raises(ValueError, match=r"unknown format 'pfd'.*did you mean 'pdf'"):
        plots.save(made, tmp_path / "c", formats=["pfd"])
    plots.plt.close(made)


def test_what_is_drawn_anywhere_is_drawn_in_the_house_style():
    with plots.plt.rc_context({"legend.frameon": True, "font.size": 20}):
        made, axes = plots.figure()
        ax: Any = plots.eigenvalues(axes[0, 0], np.array([1.0, 2.0]), tolerance=0.0)
        assert not ax.get_legend().get_frame_on()
        assert ax.xaxis.label.get_fontsize() == STYLE["font.size"]
    plots.plt.close(made)


def test_a_surface_stands_at_the_logarithm_of_its_losses_and_the_path_at_its_own(monkeypatch):
    drawn, plot_surface = [], Axes3D.plot_surface
    monkeypatch.setattr(
        Axes3D, "plot_surface", lambda *args, **kw: drawn.append(args) or plot_surface(*args, **kw)
    )
    made, ax = draw("surface")
    xs, ys, heights = hills()
    ((_, *grids),) = drawn
    for grid, wanted in zip(grids, (*np.meshgrid(xs, ys), np.log10(heights)), strict=True):
        np.testing.assert_array_equal(grid, wanted)
    (path,) = ax.lines
    np.testing.assert_allclose(path.get_data_3d()[2], np.log10([2.0, 0.5, 0.01]))
    assert ax.get_zlabel() == "loss on the training cases"
    ticks = {label.get_text(): place for label, place in
             zip(ax.get_zticklabels(), ax.get_zticks(), strict=True)}  # fmt: skip
    assert ticks["1"] == 0.0
    plots.plt.close(made)


def test_the_critical_line_is_where_chi_is_1_and_each_phase_is_named_on_its_side():
    made, ax = draw("phases")
    line = next(c for c in ax.collections if len(c.get_linewidths()) and
                c.get_linewidths()[0] == 1.6)  # fmt: skip
    places = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(places[:, 0], 1 + places[:, 1] / 2, atol=2e-3)
    assert np.ptp(places[:, 1]) == 1.0
    at = {text.get_text().split(":")[0]: text.xy for text in ax.texts}
    assert at["order"][0] < 1 + at["order"][1] / 2
    assert at["chaos"][0] > 1 + at["chaos"][1] / 2
    assert at["here"] == (1.0, 0.5)
    plots.plt.close(made)


def test_an_activation_and_its_slope_are_the_lines_and_its_bounds_are_dashed():
    made, ax = draw("activation")
    xs = np.linspace(-6, 6, 25)
    lower, upper, values, slopes, _ = (np.asarray(line.get_ydata()) for line in ax.lines)
    np.testing.assert_array_equal(values, np.tanh(xs))
    np.testing.assert_array_equal(slopes, 1 - np.tanh(xs) ** 2)
    assert (set(lower), set(upper)) == ({-1}, {1})
    plots.plt.close(made)


def test_a_run_shows_its_true_losses_and_how_far_it_is_off_the_plane():
    made, ax = draw("run")
    marks: Any = next(c for c in ax.collections if len(c.get_offsets()) == 3)
    np.testing.assert_array_equal(marks.get_array(), [1.8, 0.6, 0.1])
    np.testing.assert_allclose((marks.get_sizes() - 12) / 90, [1, 1 / 3, 0])
    assert marks.norm is ax.collections[0].norm
    assert ax.get_legend().get_texts()[0].get_text() == "size: off the plane, at most 0.3"
    plots.plt.close(made)
    made, ax = draw("off the plane")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.3, 0.2, 0.1, 0.0])
    plots.plt.close(made)


def test_an_arrow_shows_each_barrier_over_the_line_between_the_ends():
    made, axes = plots.figure()
    at = np.linspace(0, 1, 5)
    hill, slope = np.array([1.0, 2.5, 4.0, 4.0, 3.0]), np.array([3.0, 2.0, 1.0, 0.5, 0.0])
    ax = plots.along_paths(axes[0, 0], {"hill": (at, hill), "slope": (at, slope)}, barriers=True)
    texts: list[Any] = [*ax.texts]
    arrows = [(text.xy, text.xyann) for text in texts if not text.get_text()]
    assert arrows == [((0.5, 4.0), (0.5, 2.0))]
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["2"]
    plots.plt.close(made)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.03, 7, [0.05, 0.1, 0.2, 0.5, 1, 2, 5]),
        (1e-6, 2, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
        (3.0, 3.5, [3.0, 3.1, 3.2, 3.3, 3.4, 3.5]),
        (0.22, 0.91, [0.4, 0.6, 0.8]),
        (0.15, 2.4, [0.2, 0.5, 1.0, 2.0]),
        (7.0, 7.0, [7.0]),
    ],
)
def test_ticks_between_two_numbers_are_round(low, high, ticks):
    np.testing.assert_allclose(round_ticks(low, high), ticks)


@pytest.mark.parametrize("low", [1e-12, 0.0299, 0.22, 0.991, 7.0, 9e5])
@pytest.mark.parametrize("ratio", [1 + 1e-8, 1.0001, 1.1, 2.0, 4.1, 9.0, 11.0, 40.0, 1e3, 1e14])
def test_every_range_has_two_ticks_with_names_of_their_own(low, ratio):
    ticks = round_ticks(low, low * ratio)
    assert 2 <= len(ticks) <= 9
    assert low * (1 - 1e-11) <= ticks.min()
    assert ticks.max() <= low * ratio * (1 + 1e-11)
    texts = tick_labels(ticks)
    assert len(set(texts)) == len(ticks)
    values = [10.0 ** int(text[5:-2]) if text.startswith("$") else float(text) for text in texts]
    np.testing.assert_allclose(values, ticks, rtol=1e-9)


def labelled(axis):
    """The labels of an axis that are in view, as they are drawn."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * abs(high)
    ticks = [
        tick for tick in axis.get_major_ticks() if low - slack <= tick.get_loc() <= high + slack
    ]
    return [tick.label1.get_text() for tick in ticks if tick.label1.get_text()]


def one_decade(low, high):
    """Every plot of losses or sizes whose axis may be logarithmic, with values from low to high."""
    values = np.geomspace(low, high, 6)
    at, rows = np.arange(6.0), np.tile(values, (2, 1))
    yield lambda ax: plots.loss_against_scale(ax, [1.0], {"normal": rows[:1]}, level=low)
    yield lambda ax: plots.loss_against_scale(ax, [0.5, 2.0], {"normal": rows}, level=high)
    yield lambda ax: plots.share_against_scale(
        ax, [3.0], {"normal": np.array([[0.5, 0.4, 0.6]])}, level=low
    )
    yield lambda ax: plots.probability_lines(
        ax, [0.0], {"one": np.array([[0.5, 0.4, 0.6]])}, colours={"one": "k"}, xlabel="scale"
    )
    yield lambda ax: plots.loss_bands(ax, at, rows, title="", xlabel="")
    yield lambda ax: plots.learning_curve(ax, at, values, xlabel="")
    yield lambda ax: plots.values_along(ax, at, values, name="")
    yield lambda ax: plots.along_paths(ax, {"straight": (at / 5, values)})
    yield lambda ax: plots.loss_against_index(ax, values, np.zeros(6, int), kinds=["minimum"] * 6)
    yield lambda ax: plots.density(ax, at, values, note="")
    yield lambda ax: plots.eigenvalues(ax, values, tolerance=1e-12 * low)
    yield lambda ax: plots.eigenvalues(ax, 0 * values, tolerance=low)
    yield lambda ax: plots.contours(ax, at, at, np.tile(values, (6, 1)))
    yield lambda ax: plots.value_map(ax, np.tile(values, (6, 1)), ((0, 1), (0, 1)), name="")


@pytest.mark.parametrize(("low", "high"), [(0.22, 0.91), (0.15, 2.4), (3e-5, 3.1e-5)])
def test_every_axis_has_two_labelled_ticks(low, high):
    for draw in one_decade(low, high):
        made, axes = plots.figure()
        draw(axes[0, 0])
        made.canvas.draw()
        for ax in [*made.axes, *made.axes[0].child_axes]:
            for axis in (ax.xaxis, ax.yaxis):
                if axis.get_visible() and not isinstance(axis.get_major_locator(), NullLocator):
                    assert len(set(labelled(axis))) >= 2 or not axis.get_ticklabels(), (draw, axis)
        plots.plt.close(made)


V, M = np.zeros(3), np.zeros((3, 4))
WRONG = {
    "contours": ((V, V, M), {}, r"losses has shape \(3, 4\): give \(ys, xs\), here \(3, 3\)"),
    "surface": ((V, V, M), {}, "the axes are flat"),
    "band": ((V, M), {"low": V, "middle": V, "high": V, "xlabel": "", "ylabel": ""},
             r"give \(lines, ts\), here \(any, 3\)"),
    "run_in_plane": ((M, V, V), {}, r"give \(records, axes\), here \(any, 2\)"),
    "off_plane_distances": ((V, M), {}, r"off_plane .*: give \(records,\), here \(3,\)"),
    "eigenvalues": ((M,), {"tolerance": 0.0}, r"values .* give \(P,\)"),
    "density": ((V, M), {"note": ""}, r"give \(grid,\)"),
    "along_paths": (({"a": (V, M)},), {}, r"losses of 'a' has shape"),
    "loss_against_index": ((V, V.astype(int)), {"kinds": ["a"]}, r"kinds has shape \(1,\)"),
    "loss_against_scale": (([1, 2], {"a": M}), {"level": 0.1}, r"\(scales, members\)"),
    "share_against_scale": (([1, 2], {"a": M}), {"level": 0.1}, r"\(at, columns\), here \(2, 3\)"),
    "probability_lines": (([1, 2], {"a": M}), {"colours": {"a": "k"}, "xlabel": ""}, r"\(2, 3\)"),
    "loss_bands": ((V, M), {"title": "", "xlabel": ""}, r"\(members, records\), here \(any, 3\)"),
    "learning_curve": ((V, M), {"xlabel": ""}, r"\(records,\)"),
    "label_map": ((V.astype(int), [(0, 1), (0, 1)]), {"colours": {0: "k"}}, r"\(ys, xs\)"),
    "value_map": ((V, [(0, 1), (0, 1)]), {"name": ""}, r"\(ys, xs\)"),
    "values_along": ((V, M), {"name": ""}, r"\(pixels,\)"),
    "changed_map": ((M, [(0, 1)]), {}, r"\(xs,\)"),
    "phase_diagram": ((V, V, M), {}, r"chi .* \(sigma_bs, sigma_ws\), here \(3, 3\)"),
    "activation_curve": ((V, M), {}, r"\(xs,\)"),
    "network_diagram": (([M, M], [None, None]), {}, r"weights of layer 2 .* here \(any, 3\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_another_shape_is_refused_in_one_line(name):
    arrays, settings, said = WRONG[name]
    made, axes = plots.figure()
    if name == "run_in_plane":
        xs = np.linspace(-1, 1, 3)
        plots.contours(axes[0, 0], xs, xs, 1 + xs[None, :] ** 2 + xs[:, None] ** 2)
    with pytest.raises(ValueError, match=said) as refused:
        getattr(plots, name)(axes[0, 0], *arrays, **settings)
    assert "\n" not in str(refused.value)
    plots.plt.close(made)


def test_each_plot_takes_axes_first_and_gives_them_back():
    pictures = [
        getattr(plots, name) for name in vars(plots)
        if inspect.isfunction(getattr(plots, name))
        and name not in ("figure", "house_style", "label_colours", "plain", "save")
    ]  # fmt: skip
    assert len(pictures) >= 24
    for picture in pictures:
        assert next(iter(inspect.signature(picture).parameters)) == "ax", picture
        assert inspect.signature(picture).return_annotation in ("Axes", "Any"), picture
