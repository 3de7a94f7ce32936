"""Names from data in figures: they are never markup, and no figure fails or warns for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnn import network, plots, text
from jaxnn.studies import findings, problem
from jaxnn.studies.settings import Study

NAMES = (
    "$x_1$",
    "50%",
    "a_b^c",
    "$",
    r"\frac{",
    "a$b$c$",
    "W" * 85,
    "猫 cat",
    "🦆",
    "x\ny",
    "\u200b",
)


def texts_of(figure):
    """What a figure shows, letter by letter."""
    figure.canvas.draw()
    return {t.get_text() for ax in figure.axes for t in ax.texts}


def test_no_name_stops_or_warns_in_a_figure(tmp_path):
    made, axes = plots.figure(width=6.5, height=4.8)
    weights = [np.ones((3, len(NAMES))), np.ones((len(NAMES), 3))]
    plots.network_diagram(axes[0, 0], weights, [None, None], inputs=NAMES, outputs=NAMES)
    axes[0, 0].set_title(" ".join(map(plots.plain, NAMES)))
    shown = texts_of(made)
    assert {r"\$x_1\$", "50%", "a_b^c", r"a\$b\$c\$", "□ cat", "x y"} <= shown
    assert max(map(len, shown)) < 85
    left, right = made.axes[0].get_position().intervalx
    assert right - left > 0.1  # of 6.5 inches, beside 24 W on either side
    plots.save(made, tmp_path / "figure")


@given(st.text(max_size=40))
def test_text_from_data_is_never_mathematics(name):
    from matplotlib.cbook import is_math_text

    shown = text.for_figure(name, most=24, has=lambda _: True)
    assert not is_math_text(shown)
    assert len(shown.replace(r"\$", "$")) <= 24
    assert shown.isprintable() or not text.one_line(name).isprintable()


def test_names_that_look_alike_stay_two():
    long = ["species of the first kind a" * 3, "species of the first kind a" * 4]
    made, axes = plots.figure()
    plots.network_diagram(axes[0, 0], [np.ones((2, 2))], [None], inputs=long, outputs="猫犬")
    shown = texts_of(made)
    assert {"□", "□ (2)"} <= shown
    assert len({name for name in shown if name.startswith("species")}) == 2


@pytest.mark.parametrize("name", ["$x_1$", "W" * 85, "猫"])
def test_a_study_of_any_names_ends_with_its_figure(name, tmp_path):
    (tmp_path / "t.csv").write_text(f"{name},b,{name}y\n1,2,{name}\n3,2,b\n5,1,{name}\n5,3,b\n")
    settings = problem.complete(Study(str(tmp_path / "t.csv"), hidden=(2,)))
    posed = problem.pose(settings)
    assert posed.source.features == (name, "b")
    params = network.init(posed.init_key, posed.sizes)
    drawn = findings._best_network(("normal", 0.1, params), posed)
    assert plots.plain(name, most=24) in texts_of(drawn)
