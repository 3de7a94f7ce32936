"""Symmetries of the cases: the groups of small problems worked out by hand, and their action."""

import itertools
from typing import Any

import drawn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from landscapes import himmelblau

import jaxnn
from jaxnn import data, losses
from jaxnn.landscape import data_symmetries, symmetries

pytestmark = pytest.mark.usefixtures("x64")

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])
OR = np.array([[0.0], [1.0], [1.0], [1.0]])


def sorted_cases(batch):
    return sorted(tuple(np.round(row, 9) + 0.0) for row in np.hstack(batch))


def acting(inputs, targets, activation, *, l2=0.0, biases: Any = True, hidden=(3,)):
    """The symmetries of the data that act on a random network, each checked to keep the loss."""
    batch = jnp.asarray(inputs, jnp.float64), jnp.asarray(targets, jnp.float64)
    loss_fn = jaxnn.loss_on(batch, activation=activation, l2=l2)
    sizes = (batch[0].shape[1], *hidden, batch[1].shape[1])
    point = drawn.network(sizes, 3, biases=biases)
    found = symmetries.of(loss_fn).of_data(point)
    for symmetry in found:
        moved = symmetry.apply(point)
        assert jax.tree.structure(moved) == jax.tree.structure(point)
        np.testing.assert_allclose(loss_fn(moved), loss_fn(point), rtol=1e-12)
        assert sorted_cases(symmetry.cases(batch)) == sorted_cases(batch)
        if symmetry.exchanged is not None:
            continue  # the function is another but on the cases
        # U f'(x) = f(T x), on points that are no cases
        x = drawn.batch(sizes[0], 1, 5, seed=9).inputs
        ours, theirs = (
            losses.outputs_for(p, rows, activation=activation)
            for p, rows in ((moved, x), (point, symmetry.inputs.of(x)))
        )
        np.testing.assert_allclose(symmetry.targets.of(ours), theirs, rtol=1e-12, atol=1e-13)
    return found


# Inputs: the square's group has 8 elements (swap, reflection of either column). The exclusive or
# answers a reflection of one input by a reflection of the target, of both by none: 8 in all.
@pytest.mark.parametrize(
    ("inputs", "targets", "activation", "l2", "order"),
    [
        (CORNERS, XOR, "sigmoid", 0.0, 8),
        # the target cannot be reflected about 1/2 by a tanh: identity and swap, times both inputs
        (CORNERS, XOR, "tanh", 0.0, 4),
        (CORNERS, XOR, ("tanh", "identity"), 0.0, 8),
        # reflections about 1/2 change biases, which the penalty sees: identity and swap
        (CORNERS, XOR, "sigmoid", 0.1, 2),
        (CORNERS, XOR, ("tanh", "identity"), 0.1, 2),
        (2 * CORNERS - 1, 1.6 * XOR - 0.8, "tanh", 0.0, 8),
        (2 * CORNERS - 1, 1.6 * XOR - 0.8, "tanh", 0.1, 8),
        (2 * CORNERS - 1, 0.8 * XOR + 0.1, "sigmoid", 0.1, 8),
        (2 * CORNERS - 1, 1.6 * XOR - 0.8, ("tanh", "identity"), 0.1, 8),
        (2 * CORNERS - 1, 1.6 * XOR - 0.8, "sigmoid", 0.0, 4),
        (2 * CORNERS - 1, XOR, "relu", 0.0, 4),
        (CORNERS, OR, "sigmoid", 0.0, 2),
        # columns of unlike centres are exchanged with a shift
        (CORNERS + np.array([[0.0, 5.0]]), XOR, "sigmoid", 0.0, 8),
        # of unlike widths not: reflections alone
        (CORNERS * np.array([[1.0, 2.0]]), XOR, "sigmoid", 0.0, 4),
    ],
)
def test_the_groups_of_xor_and_or_have_the_orders_worked_out_by_hand(
    inputs, targets, activation, l2, order
):
    found = acting(inputs, targets, activation, l2=l2)
    assert len(found) == order
    assert found[0].inputs.order == (0, 1)
    assert found[0].inputs.signs == (1, 1)


def test_or_is_kept_by_the_swap_alone():
    _, swap = acting(CORNERS, OR, "sigmoid")
    assert (swap.inputs.order, swap.inputs.signs, swap.inputs.shift) == ((1, 0), (1, 1), (0, 0))
    assert (swap.targets.order, swap.targets.signs) == ((0,), (1,))


def test_shifts_need_first_biases():
    assert len(acting(CORNERS, XOR, "sigmoid", biases=(False, True))) == 2
    assert len(acting(2 * CORNERS - 1, XOR, "sigmoid", biases=(False, True))) == 8
    assert len(acting(CORNERS, XOR, ("tanh", "identity"), biases=(True, False))) == 4


SIGNS, SIGNED_XOR = 2 * CORNERS - 1, 1.6 * XOR - 0.8
# the corners of the cube (x, 1) times their targets' signs are a regular tetrahedron's
TETRAHEDRON = [
    (False, "tanh", 0.0),
    (False, "tanh", 0.0125),
    (False, "erf", 0.1),
    (False, ("tanh", "identity"), 0.1),
]


@pytest.mark.parametrize(("last", "activation", "l2"), TETRAHEDRON)
def test_with_the_constant_input_signed_xor_has_the_group_of_the_tetrahedron(last, activation, l2):
    found = acting(SIGNS, SIGNED_XOR, activation, l2=l2, biases=(True, last))
    assert [sum(s.exchanged == column for s in found) for column in (None, 0, 1)] == [8, 8, 8]


def test_the_constant_stays_where_the_network_is_not_odd_or_has_no_first_biases():
    assert len(acting(SIGNS, SIGNED_XOR, "tanh", biases=(True, True))) == 8
    assert len(acting(SIGNS, SIGNED_XOR, "tanh", biases=(False, False))) == 8
    assert len(acting(SIGNS, SIGNED_XOR, ("sigmoid", "tanh"), biases=(True, False))) == 8
    assert len(acting(SIGNS, SIGNED_XOR, ("relu", "identity"), biases=(True, False))) == 8
    shallow = jaxnn.loss_on((jnp.asarray(SIGNS), jnp.asarray(SIGNED_XOR)), activation="tanh")
    point = drawn.network((2, 2, 1), 0)
    exchange = next(s for s in data_symmetries.of(shallow) if s.exchanged == 0)
    with pytest.raises(ValueError, match=r"cases are negated, which takes odd .* later layers"):
        exchange.apply(point)
    point = drawn.network((2, 2, 1), 0, biases=(False, False))
    with pytest.raises(ValueError, match=r"with the biases' input, which takes first-layer biases"):
        exchange.apply(point)


def test_the_exchange_permutes_the_outputs_and_is_one_to_one_on_points():
    batch = jnp.asarray(SIGNS), jnp.asarray(SIGNED_XOR)
    loss_fn = jaxnn.loss_on(batch, activation="tanh", l2=0.0125)
    point = drawn.network((2, 2, 1), 5, biases=(True, False))
    group = symmetries.of(loss_fn)
    images = [symmetry.apply(point) for symmetry in group.of_data(point)]
    errors = [
        np.sort(np.abs(losses.outputs_for(p, batch[0], activation="tanh") - batch[1]).ravel())
        for p in images
    ]
    for error in errors:
        np.testing.assert_allclose(error, errors[0], rtol=1e-12)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *images)
    i, j = np.triu_indices(24, 1)
    first, second = (jax.tree.map(lambda leaf, k=k: leaf[k], stacked) for k in (i, j))
    apart = jax.jit(jax.vmap(group.distance))(first, second)
    assert float(jnp.min(apart)) > 0.01  # 24 classes of the network's own 8 images: 192 points


def test_one_layer_of_signs_takes_the_constant_as_one_more_column():
    # one tanh node, targets the sum of (x1, x2, x3, 1): all orders of four columns keep it
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
    total = corners.sum(axis=1, keepdims=True) + 1.0
    assert len(acting(corners, 0.2 * total, "tanh", l2=0.1, hidden=())) == 24


def test_a_column_of_ones_changes_places_with_the_biases_of_any_network():
    ones = np.hstack([CORNERS, np.ones((4, 1))])
    assert len(acting(ones, OR, "sigmoid", l2=0.1)) == 4
    assert len(acting(ones, OR, "sigmoid", l2=0.1, biases=(False, True))) == 2


def test_the_exchange_is_found_with_a_column_of_other_numbers():
    # x3 -> x1 x3 along with d -> x1 d: each case (1, x3, d) comes as (-1, -x3, -d) too
    values = np.array([[0.3], [0.7], [-1.9]])
    inputs = np.block([[np.ones((3, 1)), values], [-np.ones((3, 1)), values]])
    targets = np.vstack([values**3, -(values**3)]) / 8
    found = acting(inputs, targets, "tanh", l2=0.1, biases=(True, False))
    assert [s.exchanged for s in found] == expected_exchanges(inputs, targets)


def expected_exchanges(inputs, targets):
    """By trying all signed permutations of (x, 1), each with its negative as one, in a loop."""
    rows = np.hstack([inputs, np.ones((len(inputs), 1))])
    wanted = sorted_cases((rows, targets))
    found = []
    for order in itertools.permutations(range(rows.shape[1])):
        for signs in itertools.product((1, -1), repeat=rows.shape[1] - 1):
            moved = rows[:, order] * np.array([*signs, 1])
            s = moved[:, -1:]
            if not np.all(np.abs(s) == 1):
                continue
            for u in (1, -1):
                if sorted_cases((moved * s, targets * s * u)) == wanted:
                    found.append(None if order[-1] == rows.shape[1] - 1 else order[-1])
    return sorted(found, key=lambda column: (column is not None, column))


def test_the_orders_agree_with_a_loop_over_all_signed_permutations():
    assert len(expected_exchanges(SIGNS, SIGNED_XOR)) == 24
    for seed in range(8):
        rng = np.random.default_rng(seed)
        inputs = rng.choice([-1.0, 1.0], (4, 2))
        targets = rng.choice([-0.5, 0.5], (4, 1))
        loss_fn = jaxnn.loss_on((jnp.asarray(inputs), jnp.asarray(targets)), activation="tanh")
        point = drawn.network((2, 2, 1), 0, biases=(True, False))
        found = [
            s for s in symmetries.of(loss_fn).of_data(point) if not any(s.inputs.shift)
        ]  # the loop has none about other centres
        expected = expected_exchanges(inputs, targets)
        constant = np.ptp(inputs, axis=0) == 0
        if not np.any(constant):  # of constant columns reflections are not listed
            assert [s.exchanged for s in found] == expected


@pytest.mark.slow
def test_parity_of_three_bits_has_the_cubes_group():
    bits = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    odd = bits.sum(axis=1, keepdims=True) % 2
    assert len(acting(bits, odd, "sigmoid", hidden=(4, 3))) == 48
    assert len(acting(bits, odd, "sigmoid", hidden=())) == 48  # one layer, moved at both ends


def test_outputs_are_permuted_along_with_inputs():
    # the sum of two bits in one-hot form: reflecting both bits exchanges the outputs 0 and 2
    sums = np.eye(3)[CORNERS.sum(axis=1).astype(int)]
    found = acting(CORNERS, sums, "sigmoid")
    assert len(found) == 4
    assert {s.targets.order for s in found} == {(0, 1, 2), (2, 1, 0)}
    # the bits themselves: outputs follow the inputs, swaps and reflections
    assert len(acting(CORNERS, CORNERS, "sigmoid")) == 8
    # three bits as their own targets: among the 48 are cycles, which are not their own inverse
    bits = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    assert len(acting(bits, bits, "sigmoid")) == 48
    assert len(acting(CORNERS, CORNERS[:, [1, 0]] + [[0.0, 3.0]], ("tanh", "identity"))) == 8


def test_a_symmetry_maps_the_cases_onto_themselves():
    loss_fn = jaxnn.loss_on(data.xor())
    for symmetry in data_symmetries.of(loss_fn):
        inputs, targets = (
            symmetry.inputs.of(loss_fn.batch[0]),
            symmetry.targets.of(loss_fn.batch[1]),
        )
        cases = {tuple(map(float, row)) for row in np.hstack(loss_fn.batch)}
        assert {tuple(map(float, row)) for row in np.hstack([inputs, targets])} == cases


def test_repeated_cases_count_as_often_as_they_come():
    once = np.vstack([CORNERS, CORNERS[1:2]]), np.vstack([XOR, XOR[1:2]])
    # the case (0, 1) comes twice, so the swap is none, nor either reflection. Both reflections and
    # the swap keep it.
    assert len(acting(*once, "sigmoid")) == 2


def test_cases_without_symmetry_have_the_identity_alone():
    inputs, targets = drawn.batch(4, 2, 9)
    assert len(acting(inputs, targets, ("tanh", "identity"))) == 1


def test_float32_targets_about_one_half_are_reflected():
    with jax.enable_x64(False):
        loss_fn = jaxnn.loss_on((jnp.asarray(CORNERS), jnp.asarray(0.8 * XOR + 0.1)))
        point = jaxnn.init(jax.random.key(0), (2, 2, 1))
        found = symmetries.of(loss_fn).of_data(point)
        assert len(found) == 8
        for symmetry in found:
            np.testing.assert_allclose(loss_fn(symmetry.apply(point)), loss_fn(point), rtol=1e-5)


def test_the_action_works_under_jit_and_vmap():
    loss_fn = jaxnn.loss_on((jnp.asarray(CORNERS), jnp.asarray(XOR)))
    points = jaxnn.ensembles.init(jax.random.key(0), (2, 2, 1), members=5, dtype=jnp.float64)
    for symmetry in data_symmetries.of(loss_fn):
        moved = jax.jit(jax.vmap(symmetry.apply))(points)
        np.testing.assert_allclose(jax.vmap(loss_fn)(moved), jax.vmap(loss_fn)(points), rtol=1e-12)


def test_data_symmetries_are_no_part_of_the_orbit():
    loss_fn = jaxnn.loss_on((jnp.asarray(CORNERS), jnp.asarray(XOR)))
    group = symmetries.of(loss_fn)
    point = drawn.network((2, 2, 1), 0)
    assert group.orbit_size(point) == 8
    swap = next(s for s in group.of_data(point) if s.inputs.order == (1, 0))
    assert group.distance(point, swap.apply(point)) > 0.1


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match=r"the loss is a function: give one made by jaxnn.loss_on"):
        data_symmetries.of(himmelblau)  # pyright: ignore[reportArgumentType]
    wide = jaxnn.loss_on((jnp.zeros((3, 7)), jnp.zeros((3, 1))))
    with pytest.raises(
        ValueError, match=r"the batch has 7 inputs: all signed .* at most 6 columns"
    ):
        data_symmetries.of(wide)
    wide = jaxnn.loss_on((jnp.zeros((3, 1)), jnp.zeros((3, 7))))
    with pytest.raises(ValueError, match="the batch has 7 targets"):
        data_symmetries.of(wide)
    loss_fn = jaxnn.loss_on((jnp.asarray(CORNERS), jnp.asarray(XOR)), l2=0.1)
    with pytest.raises(ValueError, match="on the host: call it outside jit and vmap"):
        jax.jit(lambda f: len(data_symmetries.of(f)))(loss_fn)
    point = jaxnn.init(jax.random.key(0), (2, 2, 1))
    reflection = next(s for s in data_symmetries.of(loss_fn) if any(s.inputs.shift))
    with pytest.raises(ValueError, match="none of the loss: the inputs are shifted, which takes"):
        reflection.apply(point)
