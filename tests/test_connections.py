"""`jaxnn path` and `jaxnn align` between two networks of a store."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from jaxnn.landscape import paths, symmetries
from jaxnn.studies import connections, initial_weights, members
from jaxnn.studies.settings import Align, Between, OfStore, Study


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    out = tmp_path_factory.mktemp("connections") / "store"
    asked = Study("xor", schemes=("normal",), scales=(1.0,), members=8, steps=3000)
    return initial_weights.run(replace(asked, out=out))


def numbers(report, name):
    """The barrier, the height above the higher end, and the length on the line of this name."""
    (line,) = (line for line in report.splitlines() if line.startswith(f"{name}  "))
    return [float(word) for word in line[len(name) :].split()]


def test_the_path_has_the_barriers_of_its_lines(store, tmp_path):
    asked = Between(store=store, out=tmp_path, points=31, steps=50)
    report = connections.draw_path(asked).spoken()
    posed, (a, b) = members.taken(asked, 2)
    straight = paths.straight(posed.loss_fn, a.point, b.point, points=31)
    np.testing.assert_allclose(
        numbers(report, "straight"),
        [straight.barrier, straight.saddle_height, straight.length],
        rtol=1e-3,
        atol=1e-6,
    )
    image = symmetries.of(posed.loss_fn).align(a.point, b.point)
    after = paths.straight(posed.loss_fn, a.point, image, points=31)
    np.testing.assert_allclose(
        numbers(report, "straight, aligned")[0], after.barrier, rtol=1e-3, atol=1e-6
    )
    assert len(list(tmp_path.glob("path-*"))) == 2


def test_align_reports_distances_images_and_what_moves_the_units(store, tmp_path):
    asked = Align(store=store, out=tmp_path, scheme="normal", scale=1.0, member=(2, 5), points=11)
    report = connections.draw_align(asked).spoken()
    posed, (a, b) = members.taken(
        OfStore(store=store, scheme="normal", scale=1.0, member=(2, 5)), 2
    )
    leaves = zip(jax.tree.leaves(a.point), jax.tree.leaves(b.point), strict=True)
    apart = sum(float(((p - q) ** 2).sum()) for p, q in leaves) ** 0.5
    lines = {line[:30].strip(): line[30:] for line in report.splitlines() if "distance" in line[:9]}
    assert float(lines["distance as they are"].split()[-1]) == pytest.approx(apart, rel=1e-4)
    least = float(symmetries.of(posed.loss_fn).distance(a.point, b.point))
    assert float(lines["distance over the group"].split()[-1]) == pytest.approx(least, rel=1e-3)
    assert "what moves the hidden units: logistic" in report
    matched = report.split("(- flipped): ")[1].splitlines()[0].split()
    assert sorted(abs(int(unit)) for unit in matched) == [0, 1]
    assert "images of each: 8, 8" in report
    assert len(list(tmp_path.glob("align-*"))) == 2


def test_wrong_settings_are_refused(store, tmp_path):
    with pytest.raises(ValueError, match="--points is 2"):
        connections.draw_align(Align(store=store, out=tmp_path, points=2))
    with pytest.raises(ValueError, match="--steps is -1"):
        connections.draw_path(Between(store=store, out=tmp_path, steps=-1))
    with pytest.raises(ValueError, match="--member 3 3: name different networks"):
        connections.draw_align(
            Align(store=store, out=tmp_path, scheme="normal", scale=1.0, member=(3, 3))
        )
    with pytest.raises(ValueError, match="names 1 networks: give 2"):
        connections.draw_path(
            Between(store=store, out=tmp_path, scheme="normal", scale=1.0, member=(1,))
        )
