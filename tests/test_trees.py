"""Disconnectivity trees against single linkage, brute force and trees drawn by hand."""

import itertools
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from jaxnn.landscape.trees import disconnectivity

# two funnels: 0 with 1 and 4, 2 with 1; 3 is joined last
LOSSES = np.array([0.0, 0.35, 0.2, 0.9, 0.6])
EDGES = np.array([(0, 1), (1, 2), (2, 3), (0, 4), (0, 2), (3, 3)])
HEIGHTS = np.array([1.2, 0.8, 1.5, 1.0, 1.3, 2.0])


def random_graph(seed, n, m):
    rng = np.random.default_rng(seed)
    losses, edges = rng.normal(size=n), rng.integers(n, size=(m, 2))
    heights = losses[edges].max(axis=1) + np.round(rng.exponential(size=m), 1)  # with ties
    return losses, edges, heights


def highest_on_the_way(losses, edges, heights):
    """Minimax path heights by Floyd and Warshall's loop."""
    n = len(losses)
    best = np.full((n, n), np.inf)
    for (a, b), height in zip(edges, heights, strict=True):
        best[a, b] = best[b, a] = min(best[a, b], height)
    best[np.arange(n), np.arange(n)] = losses
    for k, i, j in itertools.product(range(n), repeat=3):
        best[i, j] = min(best[i, j], max(best[i, k], best[k, j]))
    return best


def test_a_tree_drawn_by_hand():
    tree = disconnectivity(LOSSES, EDGES, HEIGHTS)
    np.testing.assert_array_equal(tree.heights, [0.8, 1.0, 1.2, 1.5])
    np.testing.assert_array_equal(tree.saddles, [1, 3, 0, 2])
    np.testing.assert_array_equal(tree.children, [(2, 1), (0, 4), (6, 5), (7, 3)])
    np.testing.assert_array_equal(tree.parents, [6, 5, 5, 8, 6, 7, 7, 8, -1])
    np.testing.assert_array_equal(tree.deepest, [0, 1, 2, 3, 4, 2, 0, 0, 0])
    np.testing.assert_array_equal(tree.merging_heights, [np.inf, 0.8, 1.2, 1.5, 1.0])
    assert tree.widths is None


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), m=st.integers(0, 20))
def test_barriers_are_the_least_highest_losses_of_all_paths(seed, n, m):
    graph = random_graph(seed, n, m)
    tree = disconnectivity(*graph)
    every = np.arange(n)
    found = tree.barrier(every[:, None], every[None, :])
    np.testing.assert_array_equal(found, highest_on_the_way(*graph))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40))
def test_a_connected_tree_is_scipys_single_linkage(seed, n):
    rng = np.random.default_rng(seed)
    heights = 1.0 + rng.random(n * (n - 1) // 2)
    edges = np.stack(np.triu_indices(n, 1), axis=1)
    tree = disconnectivity(np.zeros(n), edges, heights)
    linked = linkage(heights, "single")
    np.testing.assert_array_equal(tree.heights, linked[:, 2])
    every = np.arange(n)
    found = tree.barrier(every[:, None], every[None, :])
    np.testing.assert_array_equal(squareform(found, checks=False), cophenet(linked))


@pytest.mark.parametrize("seed", range(3))
def test_trees_are_the_connected_parts(seed):
    losses, edges, heights = random_graph(seed, 300, 200)
    tree = disconnectivity(losses, edges, heights)
    pattern = np.zeros((300, 300))
    pattern[tuple(edges.T)] = 1
    count, part = connected_components(pattern, directed=False)
    roots = np.flatnonzero(tree.parents < 0)
    assert len(roots) == count
    lowest = sorted(losses[part == k].min() for k in range(count))
    np.testing.assert_array_equal(np.sort(losses[tree.deepest[roots]]), lowest)
    apart = np.isinf(tree.barrier(np.zeros(300, int), np.arange(300)))
    np.testing.assert_array_equal(apart, part != part[0])


def test_ten_thousand_minima_in_a_chain_need_no_recursion():
    n = 10_000
    losses = -np.arange(n, dtype=float)
    edges = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)
    tree = disconnectivity(losses, edges, 1.0 + np.arange(n - 1))
    assert tree.barrier(0, n - 1) == n - 1
    assert tree.barrier(n - 2, n - 1) == n - 1
    np.testing.assert_array_equal(tree.merging_heights[:-1], 1.0 + np.arange(n - 1))


def test_the_order_of_the_edges_changes_no_height():
    losses, edges, heights = random_graph(0, 50, 120)
    heights = heights + 1e-3 * np.arange(120)  # no ties
    order = np.random.default_rng(1).permutation(120)
    first = disconnectivity(losses, edges, heights)
    second = disconnectivity(losses, edges[order, ::-1], heights[order])
    np.testing.assert_array_equal(first.parents, second.parents)
    np.testing.assert_array_equal(first.saddles, order[second.saddles])


def test_levels_raise_each_merge_to_the_next_one():
    tree = disconnectivity(LOSSES, EDGES, HEIGHTS).at_levels([0.5, 1.0, 1.5])
    np.testing.assert_array_equal(tree.heights, [1.0, 1.0, 1.5, 1.5])
    assert tree.barrier(1, 2) == 1.0


def test_a_tree_is_a_pytree():
    tree = disconnectivity(LOSSES, EDGES, HEIGHTS, widths=[0.4, 0.05, 0.3, 0.15, 0.08])
    again = jax.tree.map(lambda leaf: leaf, tree)
    np.testing.assert_array_equal(again.barrier(0, [1, 2]), tree.barrier(0, [1, 2]))
    assert again.widths[0] == 0.4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"losses": []}, r"losses have shape \(0,\): give one for each minimum"),
        ({"losses": [0, 1, np.nan, 0, 0]}, "the losses hold NaN or infinity: leave such rows out"),
        ({"heights": [np.inf] * 6}, "the heights hold NaN or infinity"),
        ({"heights": [1.0]}, r"edges have shape \(6, 2\) and heights \(1,\): give \(m, 2\)"),
        ({"edges": EDGES.ravel()}, r"edges have shape \(12,\)"),
        ({"edges": EDGES * 1.0}, "an edge is of float64: give whole numbers"),
        ({"edges": EDGES + 2}, "an edge names minimum 5, but there are 5: give 0 to 4"),
        ({"edges": EDGES - 1}, "an edge names minimum -1, but there are 5"),
        ({"heights": HEIGHTS - 0.5}, r"edge 1 has height 0.3, below the minima \[0.35 0.2 \] that"),
        ({"widths": [0.5, 0.5]}, r"widths have shape \(2,\): give one a minimum, \(5,\)"),
        ({"widths": [0.5, 0.5, 0.5, 0, 0]}, "widths from 0, summing to 1.5, are no probabilities"),
        ({"widths": [0.5, -0.1, 0, 0, 0]}, "widths from -0.1"),
        ({"widths": [np.nan] * 5}, "are no probabilities"),
    ],
)
def test_wrong_graphs_are_refused(changed, message):
    right: dict[str, Any] = {"losses": LOSSES, "edges": EDGES, "heights": HEIGHTS}
    with pytest.raises(ValueError, match=message):
        disconnectivity(**(right | changed))


def test_wrong_pairs_and_levels_are_refused():
    tree = disconnectivity(LOSSES, EDGES, HEIGHTS)
    with pytest.raises(ValueError, match="the pair names minimum 7, but there are 5"):
        tree.barrier(0, 7)
    with pytest.raises(ValueError, match=r"levels end at 1, below a merge at 1.5: give levels up"):
        tree.at_levels([0.5, 1.0])
    with pytest.raises(ValueError, match="give one axis of ascending losses"):
        tree.at_levels([2.0, 1.0])
