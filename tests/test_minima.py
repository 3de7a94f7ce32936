"""A census of a small landscape finds all that is known to be there, and says what it may lack."""

import math

import jax
import jax.numpy as jnp
import landscapes
import numpy as np
import pytest

import jaxnn
from jaxnn import Layer
from jaxnn.landscape import minima
from jaxnn.landscape.many import at, polish_all
from jaxnn.landscape.polishing import Ending


def test_xor_has_49_classes_11_minima_and_a_morse_sum_of_1():
    """Tanh 2-2-1 with penalty: 4 solutions, 6 half solutions and the origin; 321 points in all."""
    census = landscapes.xor_census()
    assert len(census.losses) == 49
    assert census.kinds.count("minimum") == 11
    assert census.kinds.count("saddle") == 38
    assert census.orbit_size.sum() == 321
    assert census.grows
    assert census.morse_sum == 1.0
    assert census.converted
    lowest = census.kinds.index("minimum")
    assert (census.accuracy[lowest], census.orbit_size[lowest]) == (1.0, 8)
    assert np.all(np.diff(census.losses) > -1e-11)
    np.testing.assert_array_equal(census.zero, 0)
    assert census.spread < 1e-10 < census.tolerance < census.gap
    lost = int(census.endings[Ending.unfinished])
    # by those that ended: those that ran off count as new
    assert census.missing.share - lost / len(census.labels) < 0.01


def test_every_class_of_xor_is_stationary_with_its_index_by_jax_alone():
    census, loss_fn = landscapes.xor_census(), landscapes.xor_loss()
    with jax.enable_x64(True):
        leaves, tree = jax.tree.flatten(jax.tree.map(jnp.asarray, census.points))
        sizes = np.cumsum([leaf[0].size for leaf in leaves])[:-1]
        rows = np.hstack([np.reshape(leaf, (49, -1)) for leaf in leaves])

        def of_flat(flat):
            parts = jnp.split(flat, sizes)
            shaped = [p.reshape(leaf.shape[1:]) for p, leaf in zip(parts, leaves, strict=True)]
            return loss_fn(jax.tree.unflatten(tree, shaped))

        gradients = jax.vmap(jax.grad(of_flat))(rows)
        values = np.linalg.eigvalsh(np.asarray(jax.vmap(jax.hessian(of_flat))(rows)))
        np.testing.assert_allclose(jax.vmap(of_flat)(rows), census.losses, rtol=1e-12)
    np.testing.assert_allclose(gradients, 0, atol=1e-14)
    np.testing.assert_array_equal(census.index, (values < 0).sum(axis=1))
    np.testing.assert_allclose(census.eigenvalues, values, atol=1e-13)


def test_the_origin_of_xor_is_known_in_closed_form():
    """All weights 0: loss 0.8^2; the targets' mean and their products with one input are 0, so the
    Hessian is l2 times the unit matrix.
    """
    census = landscapes.xor_census()
    (row,) = np.flatnonzero(census.orbit_size == 1)
    np.testing.assert_allclose(census.losses[row], 0.64, rtol=1e-12)
    np.testing.assert_allclose(census.eigenvalues[row], 0.0125, rtol=1e-10)
    assert all(np.allclose(leaf[row], 0, atol=1e-12) for leaf in jax.tree.leaves(census.points))


def test_the_table_says_what_the_census_adds_up_to():
    table = landscapes.xor_census().table()
    assert "49 classes (11 minima, 38 saddles), 10 modulo the symmetries of the data" in table
    assert "unfinished: no limit was reached, loss last seen" in table
    assert "321 points; their sum of (-1)^index is 1 (1 where none is missing)" in table
    assert "the starts were converted to float64" in table
    assert len(table.splitlines()) == 1 + 49 + 7


def test_himmelblau_has_4_minima_4_saddles_and_1_maximum():
    x, y = jax.random.uniform(jax.random.key(0), (2, 400), minval=-5, maxval=5)
    census = minima.census(landscapes.himmelblau, {"x": x, "y": y}, grows=True)
    assert census.kinds == ["minimum"] * 4 + ["saddle"] * 4 + ["maximum"]
    known = np.array(landscapes.himmelblau_stationary())
    np.testing.assert_allclose(census.losses, known[:, 2], rtol=1e-12, atol=1e-20)
    assert census.morse_sum == 1.0
    assert "1 where none is missing" in census.table()
    assert np.all(np.isnan(census.accuracy))
    assert len(set(census.families)) == 9


def test_mueller_brown_has_3_minima_and_2_saddles_of_the_published_energies():
    """Its stationary points within the usual window; the sum counts 3 - 2 = 1 by chance, as the
    surface falls without end at large x y.
    """
    low, high = np.array([-1.5, -0.5]), np.array([1.2, 2.0])
    starts = np.random.default_rng(0).uniform(low, high, (200, 2))
    census = minima.census(landscapes.mueller_brown, starts)
    inside = np.all((census.points > low) & (census.points < high), axis=1)
    known = np.vstack([landscapes.MUELLER_BROWN_MINIMA, landscapes.MUELLER_BROWN_SADDLES])
    known = known[np.argsort(known[:, 2])]
    np.testing.assert_allclose(census.losses[inside], known[:, 2], rtol=1e-12)
    np.testing.assert_allclose(census.points[inside], known[:, :2], rtol=1e-12)
    assert [kind for kind, k in zip(census.kinds, inside, strict=True) if k].count("minimum") == 3


@pytest.mark.slow
def test_a_chain_of_double_wells_has_3_to_the_n_points():
    """sum_k (p_k^2 - 1)^2: each coordinate at -1, 0 or 1; the zeros count the index."""

    def loss_fn(p):
        return jnp.sum((p**2 - 1.0) ** 2)

    census = minima.census(loss_fn, np.random.default_rng(0).normal(size=(800, 3)), grows=True)
    assert len(census.losses) == 27
    assert [census.index.tolist().count(k) for k in range(4)] == [8, 12, 6, 1]
    np.testing.assert_allclose(census.losses, census.index, atol=1e-20)
    assert census.morse_sum == 1.0


@pytest.mark.slow
def test_followed_starts_are_sent_to_each_index_in_turn():
    def loss_fn(p):
        return jnp.sum((p**2 - 1.0) ** 2)

    count = 240
    starts = np.random.default_rng(0).uniform(-0.9, 0.9, (count, 3))
    found = minima.searched(loss_fn, starts)
    followed = np.flatnonzero(minima.kinds_of(count) == minima.KINDS.index("follow"))
    sent = np.arange(count)[followed] // 4 % 3 + 1
    rests = found.ending[followed] == Ending.stationary
    assert {1, 2, 3} == set(sent[rests])
    np.testing.assert_array_equal(found.index[followed][rests], sent[rests])


@pytest.mark.slow
@pytest.mark.parametrize("l2", [0.1, 0.3])
def test_a_linear_network_with_penalty_is_its_closed_form(l2):
    """Identity 2-2-1 on d = 0.7 x: balanced, (a - 0.7)^2 + l2 |a| with a = v w, lowest at a = 0.7 -
    l2 / 2; one zero eigenvalue by the turn of the two units. And a saddle at 0 of index 2, one for
    each unit.
    """
    batch = (landscapes.XOR[0], 0.7 * landscapes.XOR[0][:, :1])
    loss_fn = jaxnn.loss_on(batch, activation=("identity", "identity"), l2=l2)
    census = minima.census(loss_fn, landscapes.xor_starts(2, 40))
    assert census.kinds == ["minimum", "saddle"]
    np.testing.assert_allclose(census.losses, [(l2 / 2) ** 2 + l2 * (0.7 - l2 / 2), 0.49])
    np.testing.assert_array_equal(census.nulls, [[1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(census.index, [0, 2])
    assert math.isnan(census.morse_sum)


@pytest.mark.slow
def test_a_linear_network_without_penalty_has_one_flat_minimum_and_the_saddle():
    """No bad minima (Baldi & Hornik 1989): all of loss 0 is one entry, with GL(2)'s 4 directions
    and one that exchanges the hidden biases.
    """
    batch = (landscapes.XOR[0], 0.7 * landscapes.XOR[0][:, :1])
    loss_fn = jaxnn.loss_on(batch, activation=("identity", "identity"))
    census = minima.census(loss_fn, landscapes.xor_starts(2, 40))
    assert census.kinds == ["flat", "flat saddle"]
    np.testing.assert_allclose(census.losses, [0.0, 0.49], atol=1e-15)
    np.testing.assert_array_equal(census.nulls[0], [4, 1, 0])


@pytest.mark.slow
def test_two_relu_students_find_their_two_teachers():
    """Finite data: zero loss is one class with the two scales as its flat directions and two
    images; students that miss a teacher end above.
    """
    rng = np.random.default_rng(0)
    inputs, teachers = rng.normal(size=(40, 2)), np.array([[1.0, 0.5], [-0.6, 0.8]])
    targets = np.maximum(inputs @ teachers.T, 0).sum(axis=1, keepdims=True)
    with jax.enable_x64(True):
        loss_fn = jaxnn.loss_on((inputs, targets), activation=("relu", "identity"))
    starts = landscapes.xor_starts(2, 100, biases=(False, False))
    census = minima.census(loss_fn, starts, sampled=True)
    assert census.kinds[0] == "minimum"
    assert census.losses[0] < 1e-20
    np.testing.assert_array_equal(census.nulls[0], [2, 0, 0])
    assert census.orbit_size[0] == 2
    assert census.hits[0] > 30
    assert np.all(census.losses[1:] > 1e-3)
    W, v = census.points[0].weights[0], census.points[1].weights[0, 0]
    order = np.argsort(-W[:, 0])
    np.testing.assert_allclose((W * v[:, None])[order], teachers, rtol=1e-9)


@pytest.mark.slow
def test_kinks_of_a_relu_network_are_counted_and_in_no_class():
    loss_fn = jaxnn.loss_on(landscapes.XOR, activation=("relu", "identity"), l2=0.05)
    starts = landscapes.xor_starts(2, 40, biases=(True, True))
    census = minima.census(loss_fn, starts, sampled=True)
    assert census.endings[Ending.kink] > 20
    assert math.isnan(census.morse_sum)
    assert "kink" in census.table()


def with_zero_unit(point, bias):
    """The network with one more hidden unit, all of whose weights are 0."""
    (W, b), (v, c) = point
    return (
        Layer(jnp.pad(W, ((0, 1), (0, 0))), jnp.pad(b, (0, 1))),
        Layer(jnp.pad(v, ((0, 0), (0, 1))), c if bias else None),
    )


def with_shared_unit(point, share):
    """The network whose last hidden unit is doubled, its outgoing weight shared."""
    (W, b), (v, c) = point
    doubled = jnp.concatenate([v[:, :-1], share * v[:, -1:], (1 - share) * v[:, -1:]], axis=1)
    return (Layer(jnp.concatenate([W, W[-1:]]), jnp.concatenate([b, b[-1:]])), Layer(doubled, c))


def slope(loss_fn, point):
    return max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(jax.grad(loss_fn)(point)))


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_a_zero_unit_keeps_a_point_stationary_where_the_theorem_says(activation, l2, bias):
    """Always for tanh; for logistic units, whose 1/2 goes into the outgoing weight's gradient, only
    with a next-layer bias and l2 = 0. Eight cases in no order: on XOR's the errors of one unit may
    sum to 0 by chance, which is the gradient that a zero unit has.
    """
    rng = np.random.default_rng(0)
    batch = rng.normal(size=(8, 2)), rng.uniform(size=(8, 1))
    loss_fn = jaxnn.loss_on(batch, activation=(activation, "identity"), l2=l2)
    starts = landscapes.xor_starts(1, 30, biases=(True, bias))
    found = polish_all(loss_fn, starts)
    rests = np.flatnonzero(found.ending == Ending.stationary)
    assert len(rests) > 3
    slopes = []
    for k in rests[:10]:
        point = jax.tree.map(jnp.asarray, at(found.point, k))
        assert slope(loss_fn, point) < 1e-12
        slopes.append(slope(loss_fn, with_zero_unit(point, bias)))
    if activation == "tanh" or (bias and l2 == 0):
        assert max(slopes) < 1e-12
    else:
        assert max(slopes) > 1e-4


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_a_doubled_unit_keeps_a_point_stationary_only_without_penalty(l2):
    """Fukumizu & Amari 2000: any share of the outgoing weight."""
    loss_fn = landscapes.xor_loss(l2)
    found = polish_all(loss_fn, landscapes.xor_starts(1, 30, biases=(True, True)))
    rests = np.flatnonzero((found.ending == 0) & (np.abs(found.point[1].weights[:, 0, 0]) > 0.1))
    assert len(rests) > 3
    for k in rests[:10]:
        point = jax.tree.map(jnp.asarray, at(found.point, k))
        shared = slope(loss_fn, with_shared_unit(point, 0.3))
        assert shared < 1e-12 if l2 == 0 else shared > 1e-4


@pytest.mark.slow
def test_a_few_starts_are_polished_and_more_take_turns():
    few = minima.census(landscapes.double_well, np.array([0.9, -0.9]))
    assert few.kinds == ["minimum", "minimum"]
    more = minima.census(landscapes.double_well, np.full(16, 0.9))
    assert more.hits.sum() == 16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: minima.census(f, np.ones((9, 65))),
            "65 parameters.*up to 64; with sampled=True",
        ),
        (lambda f: minima.census(f, np.ones((9, 501)), sampled=True), "501 parameters.*up to 500"),
        (lambda f: minima.census(f, np.array([0.3, np.inf])), "NaN or infinity"),
        (lambda f: minima.census(f, np.array([1, 2])), "is of int.*wanted floats"),
        (lambda f: minima.census(f, np.array(0.3)), r"have \[0\] entries"),
        (lambda f: minima.census(f, (np.ones(9), np.ones(10))), r"have \[9, 10\] entries"),
        (lambda f: minima.census(f, np.ones(2), tolerance=1e-20), "tolerance is 1e-20"),
        (lambda f: minima.census(f, np.ones(2), steps=-1), "steps is -1"),
        (lambda f: minima.census(lambda p: p, np.ones((9, 2))), r"loss has shape \(2,\)"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(landscapes.double_well)


@pytest.mark.slow
def test_every_class_of_h_units_is_one_of_h_plus_1(capsys):
    """Networks 2-H-1 on XOR for H = 1 to 4, with two penalties: a zero unit makes a stationary
    point of each, of the same loss, which the next census holds for H up to 3.
    """
    lines = []
    for l2 in (0.0125, 0.05):
        loss_fn, smaller = landscapes.xor_loss(l2), None
        for units, members in ((1, 800), (2, 4000), (3, 6000), (4, 8000)):
            census = minima.census(loss_fn, landscapes.xor_starts(units, members))
            kinds = census.kinds
            lines.append(
                f"l2 {l2} units {units}: {kinds.count('minimum')} minima, "
                f"{kinds.count('saddle')} saddles, {len(set(census.families))} families, sum "
                f"{census.morse_sum:.0f}, missing {census.missing.share:.3f}"
            )
            if smaller is not None:
                with jax.enable_x64(True):
                    wider = jax.vmap(lambda p: with_zero_unit(p, False))(smaller.points)
                found = polish_all(loss_fn, wider)
                assert np.all(found.ending == Ending.stationary)
                np.testing.assert_allclose(found.loss, smaller.losses, rtol=1e-12)
                np.testing.assert_array_equal(found.steps, 0)
                if units <= 3:
                    away = np.abs(census.losses[:, None] - smaller.losses[None, :]).min(axis=0)
                    assert np.all(away < 1e-12)
            if units <= 2:
                assert census.morse_sum == 1.0
            smaller = census
    with capsys.disabled():
        print("\n" + "\n".join(lines))
