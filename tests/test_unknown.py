"""What a search does not know is said as not known: symmetries of a bare function, limits that were
not reached, and what unfinished searches may have been on their way to.
"""

import functools

import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

from jaxnn import intervals, sgd
from jaxnn.landscape import basins, minima, saddles
from jaxnn.landscape.labels import Nowhere, difference, probabilities
from jaxnn.landscape.minima import Ending

APART = "symmetries not known: images count apart"


@functools.cache
def wells():
    """Four minima that are images of each other, four saddles, a maximum, for whoever knows."""
    starts = np.random.default_rng(0).normal(size=(48, 2))
    return minima.census(lambda p: jnp.sum((p**2 - 1) ** 2), starts, grows=True)


def test_a_bare_functions_symmetries_are_said_to_be_unknown():
    found = wells()
    assert not found.known
    assert np.isnan(found.orbit_size).all()
    assert found.morse_sum == 1.0  # a class is one point
    table = found.table()
    assert APART in table
    assert "modulo" not in table
    row = table.splitlines()[1].split()
    assert row[5] == "-"
    assert APART in found._repr_html_()


def test_a_networks_symmetries_are_known():
    census = landscapes.xor_census()
    assert census.known
    assert APART not in census.table()
    assert np.isfinite(census.orbit_size).all()


def channel(p):
    """Falls along x for ever, ever more slowly, and to no limit: -log x."""
    return -jnp.log(p[0] ** 2 + 1.0) + p[1] ** 2


def test_an_unfinished_search_keeps_the_loss_last_seen():
    found = minima.polish_all(channel, np.array([[1.0, 0.5]]), steps=20)
    assert found.ending[0] == Ending.unfinished
    assert found.level[0] == found.loss[0] < -5
    census = minima.distinct(channel, found)
    assert census.last.tolist() == found.loss.tolist()
    assert np.isnan(census.morse_sum)  # nothing was found to count
    said = f"1 unfinished: no limit was reached, loss last seen {found.loss[0]:.6g}"
    assert said in census.table()
    assert said in census._repr_html_()


def mixed(p):
    """A minimum to the left, and to the right what falls for ever."""
    return jnp.where(p[0] < 0, (p[0] + 1) ** 2, 1 - jnp.log1p(p[0] ** 2)) + p[1] ** 2


def test_unfinished_searches_count_as_possibly_new():
    """20 at one minimum, 44 on their way: 44 of 64 may have been new, not none."""
    starts = np.stack([np.r_[np.full(20, -0.8), np.full(44, 2.0)], np.zeros(64)], axis=1)
    census = minima.census(mixed, starts, sampled=True, steps=20)
    assert census.endings[Ending.unfinished] == 44
    assert census.missing.share == 44 / 64
    assert (census.missing.low, census.missing.high < 1) == (0.0, True)
    table = census.table()
    assert "in a new class with probability 0.69 (95 %: 0 to 0.83, the 44 unfinished" in table
    assert "what 44 unfinished searches lead to is not in it" in table
    assert "44 unfinished: no limit was reached, loss last seen" in table


def test_an_interval_of_an_attractors_share_has_room_for_the_unfinished():
    labels = np.r_[np.zeros(20, int), np.full(44, Nowhere.unfinished)]
    found = probabilities(labels)
    assert found.unfinished == 44
    ahead = found.of(0)
    assert (ahead.share, ahead.high) == (20 / 64, 1.0)
    assert 0.2 < ahead.low < 20 / 64
    assert found.of(Nowhere.unfinished).high < 0.8
    settled = probabilities(np.r_[np.zeros(20, int), np.ones(44, int)])
    assert settled.of(0).high < 0.45
    gap = difference(labels, np.r_[np.zeros(20, int), np.ones(44, int)], 0)
    assert gap.low < -0.55 < gap.difference == 0.0 < gap.high < 0.1


def test_basins_say_what_they_do_not_know():
    starts = np.array([[-0.8, 0.1], [-1.2, 0.3], [2.0, 0.2]])
    found = basins.find(mixed, starts, sgd(0.1), steps=20)
    assert found.led_to[-1] == APART
    (lost,) = [said for said in found.led_to if "unfinished" in said]
    assert "no limit was reached, loss last seen" in lost


def test_a_graph_and_its_tree_say_why_images_count_apart():
    double = np.array([[-1.0], [1.0]])
    found = saddles.graph(lambda p: jnp.sum((p**2 - 1) ** 2), double)
    assert found.images == "symmetries not given: images count apart"
    assert found.disconnectivity().images == found.images
    assert "images count apart" in found.disconnectivity()._repr_html_()


@pytest.mark.parametrize("kinks", [0, 3])
def test_without_unfinished_searches_nothing_is_added(kinks):
    labels = np.r_[np.zeros(9, int), np.full(kinks, Nowhere.kink)]
    assert probabilities(labels).unfinished == 0


def test_what_ends_at_a_kink_is_counted_as_not_seen():
    def creased(p):
        return jnp.minimum(jnp.abs(p[0] - 3) + jnp.abs(p[1]) + 1, (p[0] + 3) ** 2 + p[1] ** 2)

    starts = jnp.stack([jnp.linspace(-6.0, 6.0, 26), jnp.linspace(-1.0, 1.0, 26)], 1)
    found = minima.census(creased, starts)
    lost, kinks = (int(found.endings[e]) for e in (Ending.unfinished, Ending.kink))
    assert kinks > 0
    seen = intervals.unseen(found.hits, unfinished=lost + kinks)
    assert found.missing.share == seen.share > 0
    assert f"{kinks} at kinks counted as new" in found.table()
