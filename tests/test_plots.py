"""Pictures: the same bytes every time, the right numbers in the right places."""

import numpy as np
import pytest

from jaxnn import plots


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
    else:
        weights = [rng.normal(size=(3, 40)), rng.normal(size=(2, 3))]
        plots.network_diagram(ax, weights, [rng.normal(size=3), None], outputs=["no", "yes"])
    return made, ax


@pytest.mark.parametrize("kind", ["loss", "share", "bands", "curve", "contours", "network"])
def test_the_same_picture_is_the_same_bytes(kind, tmp_path):
    first, second = (plots.save(draw(kind)[0], tmp_path / name) for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size > 3000


def test_the_median_line_goes_through_the_medians():
    made, axes = plots.figure()
    losses = np.array([[0.1, 0.2, np.nan, 0.9], [0.3, 0.4, 0.5, 0.6]])
    plots.loss_against_scale(axes[0, 0], [1, 10], {"normal": losses}, level=0.05)
    np.testing.assert_allclose(axes[0, 0].lines[0].get_ydata(), [0.2, 0.45])
    plots.plt.close(made)


def test_a_line_of_the_network_is_as_thick_as_its_weight_is_large():
    made, axes = plots.figure()
    plots.network_diagram(axes[0, 0], [np.array([[1.0, -2.0]]), np.array([[0.5]])], [None, None])
    widths = [line.get_linewidth() for line in axes[0, 0].lines]
    np.testing.assert_allclose(np.array(widths) / max(widths), [0.5, 1.0, 0.25])
    assert [line.get_color() for line in axes[0, 0].lines] == [
        plots.COLOURS[0],
        plots.COLOURS[1],
        plots.COLOURS[0],
    ]
    plots.plt.close(made)


def test_a_wide_layer_shows_its_largest_and_says_so():
    made, ax = draw("network")
    assert "16 of 40 input" in [text.get_text() for text in ax.texts]
    plots.plt.close(made)
