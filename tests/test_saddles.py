"""Transition states on landscapes whose saddles are known in closed form or to 16 digits."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from landscapes import GOBLET_HEIGHTS, MUELLER_BROWN_MINIMA, MUELLER_BROWN_SADDLES

from jaxnn.landscape import many, saddles, symmetries
from jaxnn.landscape.classes import distinct

# the roots of Himmelblau's gradient, x then y, solved by mpmath at 30 digits: minima and saddles
HIMMELBLAU_MINIMA = np.array(
    [
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ]
)
WELLS = (jnp.float32(-1.0), jnp.float32(1.0))


class Turns:
    """Rotations about the z axis for {"place": (x, y, z)}."""

    def align(self, a, b):
        radius = jnp.hypot(b["place"][0], b["place"][1])
        flat = a["place"][:2] / jnp.linalg.norm(a["place"][:2])
        return {"place": jnp.append(radius * flat, b["place"][2])}

    def distance(self, a, b):
        return jnp.linalg.norm(a["place"] - self.align(a, b)["place"])


class Plane:
    """Shifts and rotations of atoms in the plane, {"positions": (atoms, 2)}."""

    def align(self, a, b):
        centre = jnp.mean(a["positions"], axis=0, keepdims=True)
        p, q = a["positions"] - centre, b["positions"] - jnp.mean(b["positions"], 0, keepdims=True)
        cosine, sine = jnp.sum(p * q), jnp.sum(p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1])
        turn = jnp.array([[cosine, sine], [-sine, cosine]]) / jnp.hypot(cosine, sine)
        return {"positions": q @ turn + centre}

    def distance(self, a, b):
        return jnp.linalg.norm(a["positions"] - self.align(a, b)["positions"])


def rows(tree, k):
    return jax.tree.map(lambda leaf: leaf[k], tree)


def verified(loss_fn, graph):
    """The three tests, by code that shares nothing with the search."""
    with jax.enable_x64(True):
        slope = jax.grad(loss_fn)
        for row, (edge, height) in enumerate(zip(graph.edges, graph.heights, strict=True)):
            saddle = jax.tree.map(jnp.asarray, rows(graph.transitions, row))
            flat, unravel = ravel_pytree(saddle)
            values = np.linalg.eigvalsh(
                jax.hessian(lambda p: loss_fn(unravel(p)))(flat)  # noqa: B023
            )
            small = 1e-10 * np.abs(values).max()
            assert np.sum(values < -small) == 1
            assert np.sum(np.abs(values) <= small) == graph.zero[row]
            assert np.abs(ravel_pytree(slope(saddle))[0]).max() < 1e-12 * max(
                1.0, np.abs(values).max()
            )
            np.testing.assert_allclose(loss_fn(saddle), height, rtol=1e-14)
            for side in (0, 1):
                end = jax.tree.map(lambda leaf: jnp.asarray(leaf[row, side]), graph.sides)  # noqa: B023
                np.testing.assert_allclose(
                    loss_fn(end), graph.losses[edge[side]], rtol=1e-10, atol=1e-20
                )


@functools.cache
def himmelblau():
    return saddles.graph(
        landscapes.himmelblau, {"x": HIMMELBLAU_MINIMA[:, 0], "y": HIMMELBLAU_MINIMA[:, 1]}
    )


def test_himmelblaus_four_saddles_lie_between_its_four_minima():
    found = himmelblau()
    assert len(found.losses) == 4
    order = np.argsort(found.heights)
    # solved by mpmath at 30 digits
    heights = [13.31192627040559, 67.71915008752614, 104.01516291755811, 178.33723920192746]
    np.testing.assert_allclose(found.heights[order], heights, rtol=1e-12)
    edges = [tuple(sorted(edge)) for edge in found.edges[order].tolist()]
    assert edges == [(0, 3), (0, 1), (1, 2), (2, 3)]
    assert found.refused == {}
    verified(landscapes.himmelblau, found)


def test_himmelblaus_tree_joins_at_the_three_lowest_saddles():
    found = himmelblau()
    tree = found.disconnectivity(widths=[0.25] * 4)
    np.testing.assert_array_equal(tree.heights, np.sort(found.heights)[:3])
    assert tree.barrier(2, 3) == np.sort(found.heights)[2]  # not over the direct saddle


def test_the_same_graph_twice_to_the_bit_and_in_parts():
    first = himmelblau()
    himmelblau.cache_clear()
    second = himmelblau()
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(one, other)
    one_pair = saddles.graph(
        landscapes.himmelblau,
        {"x": HIMMELBLAU_MINIMA[:, 0], "y": HIMMELBLAU_MINIMA[:, 1]},
        pairs=[(0, 1)],
    )
    assert one_pair.heights[0] in first.heights  # to the bit: how many go side by side is fixed


@pytest.mark.slow
def test_mueller_browns_chain_goes_over_both_saddles_and_the_third_minimum():
    a, b = MUELLER_BROWN_MINIMA[[0, 1], :2]
    chain = saddles.search(landscapes.mueller_brown, a, b)
    assert chain.connected
    np.testing.assert_allclose(chain.losses, MUELLER_BROWN_MINIMA[[0, 2, 1], 2], rtol=1e-12)
    np.testing.assert_allclose(chain.heights, MUELLER_BROWN_SADDLES[:, 2], rtol=1e-12)
    np.testing.assert_allclose(chain.transitions, MUELLER_BROWN_SADDLES[:, :2], rtol=1e-10)
    np.testing.assert_allclose(chain.minima, MUELLER_BROWN_MINIMA[[0, 2, 1], :2], rtol=1e-10)
    verified(landscapes.mueller_brown, chain.graph)


def test_a_double_well_in_float32_is_searched_in_float64():
    chain = saddles.search(landscapes.double_well, *WELLS)
    assert chain.connected
    np.testing.assert_array_equal(chain.transitions, [0.0])
    np.testing.assert_array_equal(chain.heights, [1.0])
    np.testing.assert_array_equal(chain.graph.curvatures, [-4.0])
    assert chain.heights.dtype == np.float64


@pytest.mark.slow
def test_three_pendula_turn_over_all_upright():
    ends = [{"angles": np.full(3, angle)} for angle in (0.0, 2 * np.pi)]
    chain = saddles.search(landscapes.pendula(1.5), *ends)
    assert chain.connected
    np.testing.assert_allclose(chain.heights, [6.0], rtol=1e-12)
    np.testing.assert_allclose(chain.transitions["angles"], np.full((1, 3), np.pi), rtol=1e-9)


# zero modes


def test_a_zero_mode_is_projected_out_and_images_are_one():
    low, middle, high = GOBLET_HEIGHTS
    a = {"place": np.array([1.0, 0.0, low])}
    b = {"place": np.array([0.6, 0.8, high])}
    chain = saddles.search(landscapes.goblet, a, b, symmetry=Turns())
    assert chain.connected
    height = (middle**2 - 1) ** 2 + 0.1 * middle
    np.testing.assert_allclose(chain.heights, [height], rtol=1e-12)
    np.testing.assert_array_equal(chain.graph.zero, [1])
    # straight up from a to the nearest image of b
    np.testing.assert_allclose(chain.transitions["place"], [[1.0, 0.0, middle]], atol=1e-9)
    assert len(chain.graph.losses) == 2
    verified(landscapes.goblet, chain.graph)


def cluster(*orders):
    """The least cluster of four atoms in the plane, a rhombus of triangles, polished; numbered in
    these orders, each turned and shifted otherwise.
    """
    corners = np.array([(0, 0), (1, 0), (0.5, 0.75**0.5), (1.5, 0.75**0.5)]) * 2 ** (1 / 6)
    turned = [corners[list(order)] @ _turn(k) + k for k, order in enumerate(orders)]
    return many.polish_all(landscapes.lennard_jones, {"positions": np.stack(turned)}).point


def _turn(angle):
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.slow
def test_four_atoms_in_the_plane_change_diagonals_over_the_square():
    """Three zero modes: two shifts and a turn. Of a square of side r the loss is 4 u(r) +
    2 u(sqrt(2) r) = A r^-12 - B r^-6 with A = 16 + 1/8 and B = 17, least -B^2 / 4 A.
    """
    minima = cluster((0, 1, 2, 3), (1, 3, 0, 2))
    chain = saddles.search(
        landscapes.lennard_jones, rows(minima, 0), rows(minima, 1), symmetry=Plane()
    )
    assert chain.connected
    np.testing.assert_allclose(chain.heights, [-(17**2) / (4 * (16 + 1 / 8))], rtol=1e-12)
    np.testing.assert_array_equal(chain.graph.zero, [3])
    verified(landscapes.lennard_jones, chain.graph)


# networks

# 4 times the losses of all saddles of index 1 among the 321 stationary points of the network below
KNOWN = np.array([1.612657, 2.176059, 2.292524, 2.560472])


@functools.cache
def xor():
    """The landscape of 2-2-1 tanh on XOR with l2, and its 11 classes of minima."""
    loss_fn = landscapes.xor_loss()
    ends = many.polish_all(loss_fn, landscapes.xor_starts(members=200), way="descend")
    found = distinct(loss_fn, ends)
    return loss_fn, symmetries.of(loss_fn), rows(found.points, np.flatnonzero(found.index == 0))


@pytest.mark.slow
def test_the_xor_nets_eleven_minima_are_joined_by_known_saddles():
    loss_fn, symmetry, minima = xor()
    found = saddles.graph(loss_fn, minima, symmetry=symmetry)
    levels = 4 * np.array(sorted(found.losses))
    np.testing.assert_allclose(levels, [0.737341] * 4 + [1.601074] * 6 + [2.56], rtol=1e-6)
    gaps = np.abs(4 * found.heights[:, None] - KNOWN)
    assert gaps.min(axis=1).max() < 1e-6
    tree = found.disconnectivity()
    assert np.sum(tree.parents < 0) == 1
    every = np.arange(11)
    barriers = 4 * tree.barrier(every[:, None], every[None])
    np.testing.assert_allclose(barriers[:4, :4][~np.eye(4, dtype=bool)], 1.612657, rtol=1e-6)
    np.testing.assert_allclose(barriers[10, :10], 2.560472, rtol=1e-6)
    assert found.relative_gradients.max() < 1e-15
    verified(loss_fn, found)


@pytest.mark.slow
def test_a_network_and_its_image_have_a_chain_between_them_without_the_symmetry():
    loss_fn, symmetry, minima = xor()
    one = rows(minima, 0)
    with jax.enable_x64(True):
        other = symmetry.image(one, [(jnp.array([1, 0]), jnp.array([1.0, 1.0]))])
    chain = saddles.search(loss_fn, one, other)
    assert chain.connected
    np.testing.assert_allclose(chain.losses[[0, -1]], chain.losses[0], rtol=1e-12)
    gaps = np.abs(4 * chain.heights[:, None] - KNOWN)
    assert gaps.min(axis=1).max() < 1e-6
    verified(loss_fn, chain.graph)
    with pytest.raises(ValueError, match="points 0 and 1 are the same minimum, or images of each"):
        saddles.search(loss_fn, one, other, symmetry=symmetry)


# what is not found, and what is refused


@pytest.mark.slow
def test_what_fails_a_test_is_counted_and_not_in_the_graph():
    """Two wells in a slope that falls for ever beside them: the saddle's other side has no end."""

    def loss_fn(p):
        return p**3 / 3 - p + 0.0 * p  # a minimum at 1, a saddle at -1, then down without end

    found = saddles.graph(loss_fn, np.array([1.0]), guesses=np.array([-1.1]))
    assert found.refused == {"a side ends at no minimum": 1}
    assert len(found.heights) == 0
    tree = found.disconnectivity()
    np.testing.assert_array_equal(tree.parents, [-1])


def test_what_is_no_saddle_is_counted():
    found = saddles.graph(
        landscapes.double_well, np.array([-1.0, 1.0]), pairs=np.zeros((0, 2), int),
        guesses=np.array([1.0, 0.0]), steps=0,
    )  # fmt: skip
    assert found.refused == {"no saddle of index 1": 1}
    np.testing.assert_array_equal(found.heights, [1.0])


@pytest.mark.slow
def test_a_chain_of_wells_is_closed_round_after_round():
    """One inner image of the band falls on the middle saddle; what is left is tried next."""
    ends, search = (np.array(0.0), np.array(6 * np.pi)), saddles.search
    first = search(lambda p: -jnp.cos(p), *ends, images=3, rounds=0)
    assert not first.connected
    np.testing.assert_allclose(first.graph.transitions, [3 * np.pi], rtol=1e-12)
    chain = search(lambda p: -jnp.cos(p), *ends, images=3)
    np.testing.assert_allclose(chain.transitions, np.array([1, 3, 5]) * np.pi, rtol=1e-12)
    np.testing.assert_allclose(chain.minima, np.arange(4) * 2 * np.pi, atol=1e-12)


def test_ends_without_a_way_found_are_not_connected():
    """Without its symmetry the circles of minima are many, and the way down ends at others."""
    low, _, high = GOBLET_HEIGHTS
    ends = [{"place": np.array(place)} for place in ((1.0, 0.0, low), (0.6, 0.8, high))]
    chain = saddles.search(landscapes.goblet, *ends, rounds=0)
    assert not chain.connected
    assert chain.heights.shape == (0,)
    assert chain.transitions["place"].shape == (0, 3)
    np.testing.assert_allclose(
        chain.minima["place"], [end["place"] for end in ends], rtol=1e-9, atol=1e-12
    )
    assert len(chain.graph.losses) == 4
    assert len(chain.graph.heights) == 1


def test_guesses_are_refined_beside_the_bands():
    a = MUELLER_BROWN_MINIMA[:, :2]
    guesses = MUELLER_BROWN_SADDLES[:, :2] + 0.05
    found = saddles.graph(landscapes.mueller_brown, a, pairs=np.zeros((0, 2), int), guesses=guesses)
    np.testing.assert_allclose(found.heights, MUELLER_BROWN_SADDLES[:, 2], rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "more", "message"),
    [
        (WELLS[0], WELLS[0], {}, "points 0 and 1 are the same minimum: give each once"),
        (WELLS[0], jnp.float32(0.0), {}, r"point 1 is no minimum: .* with 1 negative eigenvalues"),
        (WELLS[0], jnp.float32(0.7), {}, "point 1 is no minimum: near it the search ended at dist"),
        (WELLS[0], jnp.ones(2), {}, "points differ in structure"),
        (WELLS[0], jnp.float32(np.nan), {}, "the second end's leaf .* holds NaN or infinity"),
        (jnp.int32(1), jnp.int32(-1), {}, "the first end's leaf .* is of int32: wanted floats"),
        (*WELLS, {"images": 2}, "images is 2: give a whole number, at least 3"),
        (*WELLS, {"rounds": -1}, "rounds is -1: give a whole number, at least 0"),
        (*WELLS, {"steps": -1}, "steps is -1: give a whole number, at least 0"),
        (*WELLS, {"walk": 0}, "walk is 0: give a whole number, at least 1"),
        (*WELLS, {"symmetry": "none"}, r"symmetry is str: give symmetries.of\(loss_fn\)"),
        (jnp.zeros(2001), jnp.ones(2001), {}, "2001 parameters: saddles are searched by the whole"),
    ],
)
def test_wrong_ends_and_settings_are_refused(a: Any, b: Any, more, message):
    with pytest.raises(ValueError, match=message):
        saddles.search(lambda p: jnp.sum(landscapes.double_well(p)), a, b, **more)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"pairs": [(0, 2)]}, r"pair \[0 2\] is not one of two different minima: give 0 to 1"),
        ({"pairs": [(1, 1)]}, r"pair \[1 1\] is not one of two different minima"),
        ({"pairs": [0, 1]}, r"pairs have shape \(2,\) of int64: give \(pairs, 2\) of int"),
        ({"neighbours": 0}, "neighbours is 0: give a whole number, at least 1"),
        ({"guesses": np.zeros((1, 2))}, "a guess and a minimum differ in structure"),
    ],
)
def test_wrong_pairs_are_refused(more, message):
    with pytest.raises(ValueError, match=message):
        saddles.graph(landscapes.double_well, np.array([-1.0, 1.0]), **more)


def test_a_leading_axis_is_wanted():
    with pytest.raises(
        ValueError, match=r"the leaves of the minima have \[0\] entries along the first"
    ):
        saddles.graph(landscapes.double_well, np.float64(1.0))
