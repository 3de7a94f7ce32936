"""Matching: assignments equal scipy's, and the search by layers is never worse than its starts."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import ortho_group

import jaxnn
from jaxnn.landscape import matching, units

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("size", [1, 2, 5, 40])
@pytest.mark.parametrize("signed", [False, True])
def test_assignments_equal_scipys_under_jit_and_vmap(size, signed):
    many = jax.random.normal(jax.random.key(size), (6, size, size), jnp.float64)
    assign = jax.jit(jax.vmap(lambda s: matching.assign(s, signed=signed)))
    for similarity, order, signs in zip(many, *assign(many), strict=True):
        gain = np.abs(similarity) if signed else np.asarray(similarity)
        rows, columns = linear_sum_assignment(gain, maximize=True)
        wanted = gain[rows, columns].sum()
        assert sorted(np.asarray(order)) == list(range(size))
        found = np.sum(signs * np.asarray(similarity)[np.arange(size), order])
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        assert signed or np.all(signs == 1.0)


def test_entries_that_are_not_finite_count_as_0_in_an_assignment():
    broken = jnp.full((3, 3), jnp.nan).at[1, 2].set(5.0).at[0, 0].set(jnp.inf)
    order, signs = matching.assign(broken, signed=True)
    assert sorted(np.asarray(order)) == [0, 1, 2]
    assert order[1] == 2
    assert np.all(np.abs(signs) == 1.0)
    # several, since a matching can be the best by chance
    many = np.random.default_rng(0).normal(size=(8, 6, 6))
    many[:, 2, :3] = np.inf
    many[:, 4, 1:] = np.nan
    many_orders, _ = jax.vmap(lambda s: matching.assign(s, signed=True))(jnp.asarray(many))
    for similarity, order in zip(many, many_orders, strict=True):
        gain = np.where(np.isfinite(similarity), np.abs(similarity), 0.0)
        rows, columns = linear_sum_assignment(gain, maximize=True)
        wanted = gain[rows, columns].sum()
        np.testing.assert_allclose(gain[np.arange(6), order].sum(), wanted, rtol=1e-12)


def test_rotated_layers_are_turned_by_procrustes():
    Q = ortho_group.rvs(4, random_state=1)
    units_of_b = np.asarray(jax.random.normal(jax.random.key(0), (4, 9), jnp.float64))
    found = matching.nearest_element(jnp.asarray((Q @ units_of_b) @ units_of_b.T), "linear")
    np.testing.assert_allclose(found, Q, rtol=1e-12, atol=1e-12)


def layers(sizes, seed):
    params = jaxnn.init(jax.random.key(seed), sizes, dtype=jnp.float64)
    return [(W, b) for W, b in params]


def apart(a, b):
    a, b = (map(np.asarray, jax.tree.leaves(tree)) for tree in (a, b))
    pairs = zip(a, b, strict=True)
    return np.sqrt(sum(float(np.sum((p - q) ** 2)) for p, q in pairs))


def every_image(b, kinds):
    tables = [matching.elements(len(b[n][0]), kind) for n, kind in enumerate(kinds)]
    for choice in itertools.product(*(range(len(orders)) for orders, _ in tables)):
        image = b
        for n, (row, (orders, signs)) in enumerate(zip(choice, tables, strict=True)):
            W, b_ = image[n]
            W = np.asarray(W)[orders[row]] * signs[row][:, None]
            after = np.asarray(image[n + 1][0])[:, orders[row]] * signs[row]
            b_ = np.asarray(b_)[orders[row]] * signs[row]
            image = [*image[:n], (W, b_), (after, image[n + 1][1]), *image[n + 2 :]]
        yield image


@pytest.mark.parametrize(
    ("sizes", "kinds"),
    [((2, 3, 2), ("signs",)), ((2, 3, 3, 1), ("permutations", "signs"))],
)
def test_the_match_is_exact_where_all_layers_but_one_can_be_enumerated(sizes, kinds):
    match = jax.jit(lambda a, b: matching.match(a, b, kinds))
    a = layers(sizes, 0)
    for seed in range(1, 6):
        b = jax.tree.map(np.asarray, layers(sizes, seed))
        wanted = min(apart(a, image) for image in every_image(b, kinds))
        np.testing.assert_allclose(apart(a, match(a, b)), wanted, rtol=1e-12)


def test_the_search_is_no_worse_than_its_starts_and_mostly_exact(monkeypatch):
    sizes, kinds = (2, 3, 3, 1), ("signs", "signs")
    a = layers(sizes, 0)
    several = jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *(layers(sizes, s) for s in range(12))
    )

    def distances(b):
        ends = jax.jit(jax.vmap(lambda b: matching.match(a, b, kinds)))(b)
        return [apart(a, jax.tree.map(lambda x, i=i: x[i], ends)) for i in range(12)]

    exact = np.array(distances(several))
    monkeypatch.setattr(matching, "MOST_ENUMERATED", 1)
    found = np.array(distances(several))
    starts = [apart(a, jax.tree.map(lambda x, i=i: x[i], several)) for i in range(12)]
    assert np.all(found >= exact - 1e-12)  # an upper bound
    assert np.all(found <= np.array(starts) + 1e-12)
    assert np.sum(found <= exact + 1e-9) >= 8
    assert found[0] < 1e-12


@pytest.mark.slow
def test_the_search_finds_images_of_wide_deep_networks():
    kinds = ("signs", "permutations")
    a = layers((3, 10, 12, 2), 0)
    b = a
    keys = jax.random.split(jax.random.key(5), 2)
    for n, (width, key) in enumerate(zip((10, 12), keys, strict=True)):
        order_key, sign_key = jax.random.split(key)
        signs = jax.random.rademacher(sign_key, (width,), jnp.float64)
        signs = signs if kinds[n] == "signs" else jnp.ones(width)
        b = units.moved(b, n, (jax.random.permutation(order_key, width), signs))
    assert apart(a, b) > 1.0
    _, forwards, backwards, *drawn = matching._starts(a, b, kinds)
    np.testing.assert_allclose([apart(a, forwards), apart(a, backwards)], 0.0)
    assert min(apart(a, start) for start in drawn) > 1.0
    np.testing.assert_allclose(apart(a, jax.jit(lambda a, b: matching.match(a, b, kinds))(a, b)), 0)


def test_groups_have_their_orders():
    for kind, order in [("signs", 384), ("logistic", 384), ("scaling", 24), ("linear", 1)]:
        assert matching.group_order(4, kind) == order == len(matching.elements(4, kind)[0])
    orders, signs = matching.elements(4, "signs")
    assert list(orders[0]) == [0, 1, 2, 3]
    assert np.all(signs[0] == 1.0)
