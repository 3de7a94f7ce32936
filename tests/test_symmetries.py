"""Symmetries: what is one keeps the loss, what is none is refused, and images are one point."""

import math

import drawn
import equinox
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree
from landscapes import himmelblau, quadratic

import jaxnn
from jaxnn import data
from jaxnn.landscape import orbits, symmetries

pytestmark = pytest.mark.usefixtures("x64")


def setting(activation, sizes, *, l2=0.0, seed=23, **more):
    """A group, its loss, and a random point: of seed 23, where each relu unit answers some case."""
    loss_fn = jaxnn.loss_on(drawn.batch(sizes[0], sizes[-1]), activation=activation, l2=l2)
    return symmetries.of(loss_fn), loss_fn, drawn.network(sizes, seed, **more)


def flat(point):
    return np.asarray(ravel_pytree(point)[0])


@equinox.filter_jit
def outputs(loss_fn, point):
    return jax.vmap(lambda x: jaxnn.forward(point, x, activation=loss_fn.activation))(
        loss_fn.batch.inputs
    )


def close(a, b, atol=1e-12):
    np.testing.assert_allclose(flat(a), flat(b), rtol=1e-12, atol=atol)


def edited(point, layer, weights=None, biases=None):
    """The point with one layer's leaves changed by functions."""
    W, b = point[layer]
    new = jaxnn.Layer(W if weights is None else weights(W), b if biases is None else biases(b))
    return (*point[:layer], new, *point[layer + 1 :])


# (activation, sizes, l2, biases, kinds, order of the discrete group)
GROUPS = [
    ("tanh", (2, 4, 1), 0.0, True, ("signs",), 384),
    ("erf", (3, 2, 1), 0.1, False, ("signs",), 8),
    ("sigmoid", (2, 4, 1), 0.0, True, ("logistic",), 384),
    ("sigmoid", (2, 3, 1), 0.1, True, ("permutations",), 6),
    ("sigmoid", (2, 3, 1), 0.0, (True, False), ("permutations",), 6),
    ("sigmoid", (2, 3, 1), 0.0, (False, True), ("logistic",), 48),
    ("sigmoid", (2, 2, 2, 1), 0.0, True, ("logistic", "logistic"), 64),
    (("sigmoid", "tanh", "identity"), (2, 3, 2, 1), 0.0, True, ("logistic", "signs"), 48 * 8),
    ("relu", (2, 4, 1), 0.1, True, ("permutations",), 24),
    ("relu", (2, 4, 1), 0.0, True, ("scaling",), 24),
    ("relu", (2, 3, 2, 1), 0.0, True, ("scaling", "scaling"), 12),
    (("relu", "sigmoid"), (2, 3, 1), 0.0, False, ("scaling",), 6),
    ("identity", (2, 2, 1), 0.0, True, ("linear",), 1),
    ("identity", (2, 2, 1), 0.1, True, ("orthogonal",), 1),
    (("tanh", "relu", "sigmoid"), (2, 2, 2, 1), 0.0, True, ("signs", "scaling"), 16),
]


@pytest.mark.parametrize(("activation", "sizes", "l2", "biases", "kinds", "order"), GROUPS)
def test_all_images_have_the_functions_loss_and_one_canonical_point(
    activation, sizes, l2, biases, kinds, order
):
    group, loss_fn, point = setting(activation, sizes, l2=l2, biases=biases)
    assert group.kinds(point) == kinds
    assert group.orbit_size(point) == order

    def measured(point):
        images, canonical = group.images(point), group.canonical(point)
        points = jax.tree.map(lambda p, c: jnp.concatenate([p, c[None]]), images, canonical)
        each = jax.vmap(lambda p: (outputs(loss_fn, p), loss_fn(p), group.canonical(p)))(points)
        return images, each, canonical, jax.vmap(group.distance, (None, 0))(point, points)

    images, (values, losses, again), canonical, far = jax.jit(measured)(point)
    assert len(jax.tree.leaves(images)[0]) == order
    close(jax.tree.map(lambda leaf: leaf[0], images), point)
    rows = np.concatenate([leaf.reshape(order, -1) for leaf in jax.tree.leaves(images)], axis=1)
    assert len(np.unique(np.round(rows, 9), axis=0)) == order
    wanted = outputs(loss_fn, point)
    np.testing.assert_allclose(
        values, np.broadcast_to(wanted, values.shape), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(losses, loss_fn(point), rtol=1e-12)
    for leaf, wanted in zip(jax.tree.leaves(again), jax.tree.leaves(canonical), strict=True):
        np.testing.assert_allclose(
            leaf, np.broadcast_to(wanted, leaf.shape), rtol=1e-12, atol=1e-12
        )
    np.testing.assert_allclose(far, 0.0, atol=1e-12 * float(np.linalg.norm(flat(point))))


def flipped(point, unit):
    """The logistic flip by hand: (w, b, v) -> (-w, -b, -v), next bias + v."""
    v = point[1].weights[:, unit]
    turned = edited(point, 0, lambda W: W.at[unit].mul(-1.0), lambda b: b.at[unit].mul(-1.0))
    return edited(turned, 1, lambda W: W.at[:, unit].mul(-1.0), lambda b: b + v)


def test_the_logistic_flip_is_a_symmetry_only_without_penalty_and_with_a_next_bias():
    group, loss_fn, point = setting("sigmoid", (2, 3, 1))
    flip = flipped(point, 1)
    np.testing.assert_allclose(outputs(loss_fn, flip), outputs(loss_fn, point), rtol=1e-12)
    np.testing.assert_allclose(group.distance(point, flip), 0.0, atol=1e-14)
    signs = jnp.array([1.0, -1.0, 1.0])
    close(group.image(point, [(jnp.arange(3), signs)]), flip)

    held, bound, _ = setting("sigmoid", (2, 3, 1), l2=0.1)
    assert abs(bound(flip) - bound(point)) > 1e-3
    assert held.distance(point, flip) > 0.1

    bare, unbiased, point = setting("sigmoid", (2, 3, 1), biases=(True, False))
    flip = edited(point, 0, lambda W: W.at[1].mul(-1.0), lambda b: b.at[1].mul(-1.0))
    flip = edited(flip, 1, lambda W: W.at[:, 1].mul(-1.0))
    assert abs(unbiased(flip) - unbiased(point)) > 1e-3
    assert bare.distance(point, flip) > 0.1


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "identity"])
def test_a_sign_flip_without_shift_is_none_unless_the_activation_is_odd(activation):
    group, loss_fn, point = setting(activation, (2, 3, 1), l2=0.1)
    flip = edited(point, 0, lambda W: W.at[1].mul(-1.0), lambda b: b.at[1].mul(-1.0))
    flip = edited(flip, 1, lambda W: W.at[:, 1].mul(-1.0))
    same = activation == "identity"
    assert (abs(loss_fn(flip) - loss_fn(point)) < 1e-12) == same
    assert (group.distance(point, flip) < 1e-12) == same


def test_scales_are_symmetries_of_relu_only_without_penalty():
    group, loss_fn, point = setting("relu", (2, 3, 1))
    held, bound, _ = setting("relu", (2, 3, 1), l2=0.1)
    scales = jnp.array([3.0, 0.2, 1.5])
    other = edited(point, 0, lambda W: W * scales[:, None], lambda b: b * scales)
    other = edited(other, 1, lambda W: W / scales[None, :])
    np.testing.assert_allclose(loss_fn(other), loss_fn(point), rtol=1e-12)
    np.testing.assert_allclose(group.distance(point, other), 0.0, atol=1e-12)
    close(group.canonical(other), group.canonical(point))
    close(group.align(point, other), point)
    assert abs(bound(other) - bound(point)) > 1e-3
    assert held.distance(point, other) > 0.1


@pytest.mark.parametrize(("l2", "turn"), [(0.0, "any"), (0.1, "orthogonal")])
def test_the_linear_layers_group_is_one_point(l2, turn):
    group, loss_fn, point = setting("identity", (4, 3, 3), l2=l2)
    A = jax.random.normal(jax.random.key(5), (3, 3), jnp.float64)
    A = jnp.linalg.qr(A)[0] if turn == "orthogonal" else A
    other = edited(point, 0, lambda W: A @ W, lambda b: A @ b)
    other = edited(other, 1, lambda W: W @ jnp.linalg.inv(A))
    if turn == "any":  # the layer's own biases move into the next layer's
        t = jnp.array([0.3, -2.0, 1.0])
        other = edited(other, 0, biases=lambda b: b + t)
        other = edited(other, 1, biases=lambda b: b - other[1].weights @ t)
    np.testing.assert_allclose(loss_fn(other), loss_fn(point), rtol=1e-11)
    # an SVD of the product, whose condition A squares: 1e-10
    np.testing.assert_allclose(group.distance(point, other), 0.0, atol=1e-10)
    close(group.canonical(other), group.canonical(point), atol=1e-10)
    np.testing.assert_allclose(loss_fn(group.align(point, other)), loss_fn(point), rtol=1e-11)


def brute(group, a, b):
    """The smallest |a - g b| in the coordinates where the odd part is linear, over all images."""

    def coordinates(point):
        layers = [[np.asarray(x) for x in layer] for layer in point]
        for n, kind in enumerate(group.kinds(point)):
            if kind == "logistic":
                layers[n + 1][1] = layers[n + 1][1] + layers[n + 1][0].sum(axis=1) / 2
        return np.concatenate([x.ravel() for layer in layers for x in layer])

    images = jax.tree.map(np.asarray, jax.jit(group.images)(b))
    count = len(jax.tree.leaves(images)[0])
    each = [jax.tree.map(lambda leaf, i=i: leaf[i], images) for i in range(count)]
    return min(np.linalg.norm(coordinates(a) - coordinates(image)) for image in each)


@pytest.mark.parametrize(
    ("activation", "sizes"),
    [
        ("tanh", (2, 3, 1)),
        pytest.param("sigmoid", (2, 3, 2), marks=pytest.mark.slow),
        ("sigmoid", (2, 2, 2, 1)),
        pytest.param("tanh", (1, 2, 3, 1), marks=pytest.mark.slow),
    ],
)
def test_the_distance_is_the_minimum_over_all_images(activation, sizes):
    group, loss_fn, a = setting(activation, sizes)
    b = jaxnn.ensembles.init(jax.random.key(7), sizes, members=5, dtype=jnp.float64)

    def measured(b):
        aligned = group.align(a, b)
        far = group.distance(a, b), group.distance(b, a), group.distance(a, aligned)
        return far, group.distance(b, aligned), loss_fn(aligned) / loss_fn(b)

    far, still, ratio = jax.jit(jax.vmap(measured))(b)
    wanted = [brute(group, a, jax.tree.map(lambda leaf, i=i: leaf[i], b)) for i in range(5)]
    for found in far:
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_allclose(still, 0.0, atol=1e-13)
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-12)


@jax.jit
def point_against_image(group, point, order, signs):
    image = group.image(point, [(order, signs)])
    canonical = group.canonical(point)
    losses = [group.loss_fn(p) for p in (point, image, canonical)]
    return losses, group.distance(point, image), canonical, group.canonical(image)


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.floats(-5, 5, width=32), min_size=13, max_size=13),
    order=st.permutations(range(3)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3),
)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_any_point_is_at_distance_0_of_its_images_with_one_canonical_point(
    activation, weights, order, signs
):
    with jax.enable_x64(True):
        group, _, like = setting(activation, (2, 3, 1))
        point = ravel_pytree(like)[1](jnp.array(weights))
        losses, far, a, b = point_against_image(group, point, jnp.array(order), jnp.array(signs))
        np.testing.assert_allclose(losses, losses[0], rtol=1e-11, atol=1e-12)
        # rounding of the centred bias, at most 1e-14 of weights up to 5
        np.testing.assert_allclose(far, 0.0, atol=1e-13)
        np.testing.assert_allclose(flat(a), flat(b), atol=1e-10)


@pytest.mark.parametrize("units", [1, 2, 3, 4, 7, 30])
def test_tanh_units_have_2_to_the_h_h_factorial_images(units):
    # Sussmann 1992; Chen, Lu & Hecht-Nielsen 1993
    group, _, point = setting("tanh", (3, units, 2))
    assert group.orbit_size(point) == 2**units * math.factorial(units)


@equinox.filter_jit
def images_of(group, point):
    return group.images(point)


def different_images(group, point):
    leaves = jax.tree.leaves(images_of(group, point))
    images = np.concatenate([np.reshape(leaf, (len(leaf), -1)) for leaf in leaves], axis=1)
    return len(np.unique(np.round(images, 9) + 0.0, axis=0))


def with_twins(activation, sizes, layer, pairs, zero=()):
    """A point in which unit j is sign times unit i for each of the pairs, and some units are 0."""
    group, _, point = setting(activation, sizes)
    if activation == "sigmoid":  # a flipped twin and its centred bias: flip, then copy
        assert all(sign == 1 for _, _, sign in pairs)
    for i, j, sign in pairs:
        point = edited(
            point,
            layer,
            lambda W, i=i, j=j, s=sign: W.at[j].set(s * W[i]),
            lambda b, i=i, j=j, s=sign: b.at[j].set(s * b[i]),
        )
        point = edited(point, layer + 1, lambda W, i=i, j=j, s=sign: W.at[:, j].set(s * W[:, i]))
    for i in zero:
        point = edited(point, layer, lambda W, i=i: W.at[i].set(0.0), lambda b, i=i: b.at[i].set(0))
        point = edited(point, layer + 1, lambda W, i=i: W.at[:, i].set(0.0))
    return group, point


@pytest.mark.parametrize(
    ("activation", "sizes", "layer", "pairs", "zero", "size"),
    [
        ("tanh", (2, 4, 1), 0, [(0, 1, 1)], [], 384 // 2),
        ("tanh", (2, 4, 1), 0, [(0, 1, -1)], [], 384 // 2),
        ("tanh", (2, 4, 1), 0, [(0, 1, -1), (0, 2, 1)], [3], 384 // (6 * 2)),
        ("tanh", (2, 4, 1), 0, [], [0, 1], 384 // 8),
        ("tanh", (2, 4, 1), 0, [], [0, 1, 2, 3], 1),
        ("sigmoid", (2, 4, 1), 0, [(2, 1, 1)], [0], 384 // (2 * 2)),
        ("relu", (2, 4, 1), 0, [(0, 1, 1)], [2, 3], 24 // (2 * 2)),
        ("tanh", (2, 2, 3, 1), 0, [(0, 1, -1)], [], 8 * 48 // 2),
        ("tanh", (2, 2, 3, 1), 1, [(0, 1, -1)], [2], 8 * 48 // (2 * 2)),
        ("tanh", (2, 2, 3, 1), 0, [], [0], 8 * 48 // 2),
        ("sigmoid", (2, 3, 2, 1), 0, [(0, 2, 1)], [1], 48 * 8 // (2 * 2)),
    ],
)
def test_orbits_of_points_with_equal_or_zero_units_are_counted(
    activation, sizes, layer, pairs, zero, size
):
    group, point = with_twins(activation, sizes, layer, pairs, zero)
    assert group.orbit_size(point) == size
    if activation != "relu":
        assert different_images(group, point) == size
    canonical = jax.jit(jax.vmap(group.canonical))(images_of(group, point))
    for leaf in jax.tree.leaves(canonical):
        np.testing.assert_allclose(np.ptp(leaf, axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("incoming", [0.0, 1.5])
def test_units_that_differ_in_outgoing_weights_alone_have_one_canonical_point(activation, incoming):
    group, loss_fn, point = setting(activation, (2, 3, 1))
    point = edited(
        point,
        0,
        lambda W: W.at[:2].set(incoming),
        lambda b: b.at[:2].set(0.0),
    )
    canonical = jax.jit(jax.vmap(group.canonical))(images_of(group, point))
    np.testing.assert_allclose(
        jax.jit(jax.vmap(lambda p: loss_fn(p)))(canonical), loss_fn(point), rtol=1e-12
    )
    for leaf in jax.tree.leaves(canonical):
        np.testing.assert_allclose(np.ptp(leaf, axis=0), 0.0, atol=1e-12)
    assert group.orbit_size(point) == different_images(group, point) == 48


def test_a_hidden_symmetry_of_a_deep_network_is_found():
    # exchanging the first layer's units is undone by exchanging the second's, and with signs
    group, _, point = setting("tanh", (2, 2, 2, 1), biases=False)
    W = jnp.array([[1.0, 2.0], [-1.0, -2.0]])
    point = edited(point, 0, lambda _: W)
    point = edited(point, 1, lambda _: jnp.array([[3.0, 5.0], [5.0, 3.0]]))
    point = edited(point, 2, lambda _: jnp.array([[1.0, -1.0]]))
    assert group.orbit_size(point) == different_images(group, point) == 64 // 2


def test_orbit_size_takes_units_as_equal_within_the_tolerance():
    group, point = with_twins("tanh", (2, 3, 1), 0, [(0, 1, 1)])
    near = edited(point, 0, lambda W: W.at[1, 0].add(1e-5))
    assert group.orbit_size(near) == 48
    assert group.orbit_size(near, tolerance=1e-3) == 24


def test_too_many_equal_units_are_refused():
    group, _, point = setting("tanh", (2, 9, 2, 1))
    point = edited(point, 0, lambda W: 0.0 * W, lambda b: 0.0 * b)
    point = edited(point, 1, lambda W: jnp.sign(W))
    with pytest.raises(ValueError, match="more than 20000 motions of equal units"):
        group.orbit_size(point)


@pytest.mark.parametrize(
    ("activation", "sizes", "l2", "biases", "wanted"),
    [
        ("tanh", (2, 3, 1), 0.0, True, 0),
        ("relu", (2, 5, 1), 0.0, True, 5),
        ("relu", (2, 5, 4, 1), 0.0, False, 9),
        ("relu", (2, 5, 1), 0.1, True, 0),
        # H^2 - (H - p)(H - q), p and q the ranks of the two sides
        ("identity", (4, 3, 3), 0.0, False, 9),
        ("identity", (2, 3, 1), 0.0, False, 9 - (3 - 2) * (3 - 1)),
        ("identity", (1, 4, 1), 0.0, False, 16 - 3 * 3),
        # with biases all but the 3 numbers of an affine map from 2 inputs: P - 3
        ("identity", (2, 3, 1), 0.0, True, 13 - 3),
        # O(H), less the rotations of what no unit uses: 4 units span at most 1 + 1 directions
        ("identity", (2, 3, 1), 0.1, False, 3),
        ("identity", (1, 4, 1), 0.1, False, 6 - 1),
    ],
)
def test_orbit_dimension_equals_its_closed_form(activation, sizes, l2, biases, wanted):
    group, _, point = setting(activation, sizes, l2=l2, biases=biases)
    assert group.orbit_dimension(point) == wanted


@pytest.mark.parametrize(
    ("activation", "l2"), [("relu", 0.0), ("identity", 0.0), ("identity", 0.1)]
)
def test_the_loss_and_the_outputs_stand_still_along_the_orbits_directions(activation, l2):
    group, loss_fn, point = setting(activation, (2, 3, 2, 1), l2=l2)
    layers = [tuple(layer) for layer in point]
    moves = [
        jax.tree.unflatten(jax.tree.structure(point), [jnp.asarray(x) for x in jax.tree.leaves(m)])
        for n, kind in enumerate(group.kinds(point))
        for m in orbits._moves(layers, n, kind)
    ]
    assert (
        len(moves)
        == {("relu", 0.0): 5, ("identity", 0.0): 18, ("identity", 0.1): 4}[activation, l2]
    )
    change = jax.jit(
        lambda move: jax.jvp(lambda p: (outputs(loss_fn, p), loss_fn(p)), (point,), (move,))[1]
    )
    for move in moves:
        np.testing.assert_allclose(flat(change(move)), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("activation", "l2", "count"),
    [("relu", 0.0, 5), ("identity", 0.0, 18), ("identity", 0.1, 4), ("tanh", 0.0, 0)],
)
def test_tangents_are_unit_directions_along_which_the_outputs_stand_still(activation, l2, count):
    """In the order of ravel_pytree, as many independent ones as the orbit has dimensions."""
    group, loss_fn, point = setting(activation, (2, 3, 2, 1), l2=l2)
    vector, unravel = ravel_pytree(point)
    rows = group.tangents(point)
    assert rows.shape == (count, vector.size)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-12)
    change = jax.jit(
        lambda row: jax.jvp(lambda p: outputs(loss_fn, unravel(p)), (vector,), (row,))[1]
    )
    for row in rows:
        np.testing.assert_allclose(change(jnp.asarray(row)), 0.0, atol=1e-12)
    rank = int(np.linalg.matrix_rank(rows, tol=1e-8)) if count else 0
    assert rank == group.orbit_dimension(point)


def test_tangents_of_a_zero_unit_and_of_other_landscapes_are_left_out():
    group, point = with_twins("relu", (2, 4, 1), 0, [], zero=[1])
    assert group.tangents(point).shape == (3, 17)
    other = symmetries.of(lambda p: jnp.sum(p["a"] ** 2))
    assert other.tangents({"a": jnp.ones(3)}).shape == (0, 3)
    with pytest.raises(ValueError, match="tangents counts on the host"):
        jax.jit(group.tangents)(point)


def test_a_zero_relu_unit_has_no_direction():
    group, point = with_twins("relu", (2, 4, 1), 0, [], zero=[1])
    assert group.orbit_dimension(point) == 3
    assert group.orbit_size(point) == 24
    np.testing.assert_array_equal(np.isfinite(flat(group.canonical(point))), True)


def test_orbit_directions_are_flat_directions_of_the_hessian_at_a_perfect_fit():
    # targets made by the point itself: the loss is 0, and 0 along the orbit
    sizes = (3, 2, 2)
    point = drawn.network(sizes, 3)
    inputs = drawn.batch(3, 1, 40).inputs
    targets = jax.vmap(lambda x: jaxnn.forward(point, x, activation=("identity",) * 2))(inputs)
    loss_fn = jaxnn.loss_on((inputs, targets), activation=("identity",) * 2)
    vector, unravel = ravel_pytree(point)
    values = np.linalg.eigvalsh(jax.jit(jax.hessian(lambda p: loss_fn(unravel(p))))(vector))
    flat_directions = int(np.sum(np.abs(values) < 1e-10 * values[-1]))
    assert symmetries.of(loss_fn).orbit_dimension(point) == flat_directions


@pytest.mark.parametrize(
    ("activation", "sizes", "by"),
    [
        ("sigmoid", (3, 6, 2), "weights"),
        ("sigmoid", (3, 6, 2), "activations"),
        pytest.param("tanh", (3, 8, 9, 1), "weights", marks=pytest.mark.slow),
        ("tanh", (3, 8, 9, 1), "activations"),
    ],
)
def test_an_aligned_image_is_the_point_by_weights_and_by_activations(activation, sizes, by):
    group, _, point = setting(activation, sizes, scale=0.7)
    rng = np.random.default_rng(4)
    elements = [
        (jnp.asarray(rng.permutation(H)), jnp.asarray(rng.choice([-1.0, 1.0], H)))
        for H in sizes[1:-1]
    ]
    image = group.image(point, elements)
    assert np.max(np.abs(flat(image) - flat(point))) > 0.1
    close(jax.jit(lambda a, b: group.align(a, b, by=by))(point, image), point)


@pytest.mark.slow
def test_a_trained_network_on_xor_and_its_images_under_vmap():
    loss_fn = jaxnn.loss_on(data.xor(), activation="sigmoid")
    group = symmetries.of(loss_fn)
    run = jaxnn.train(loss_fn, drawn.network((2, 2, 1)), jaxnn.sgd(2.0), steps=200)
    images = group.images(run.params)
    np.testing.assert_allclose(jax.vmap(loss_fn)(images), loss_fn(run.params), rtol=1e-12)
    apart = jax.jit(jax.vmap(jax.vmap(group.distance, (None, 0)), (0, None)))(images, images)
    np.testing.assert_allclose(apart, np.zeros((8, 8)), atol=1e-12)


def test_any_other_loss_has_the_trivial_group():
    for loss_fn, point in [
        (himmelblau, {"x": jnp.array(1.0), "y": jnp.array(-2.0)}),
        (quadratic(jnp.array([1.0, 2.0]), 0.0), jnp.array([1.0, 3.0])),
    ]:
        group = symmetries.of(loss_fn)
        other = jax.tree.map(lambda leaf: leaf + 2.0, point)
        assert group.kinds(point) == ()
        assert group.orbit_size(point) == 1
        assert group.orbit_dimension(point) == 0
        assert group.of_data(point) == ()
        close(group.canonical(point), point)
        close(group.align(point, other), other)
        close(jax.tree.map(lambda leaf: leaf[0], group.images(point)), point)
        np.testing.assert_allclose(group.distance(point, other), 2.0 * np.sqrt(2.0), rtol=1e-12)
        jax.jit(lambda g, p: g.distance(p, p))(group, point)


@pytest.mark.parametrize("l2", [0.0, None, jnp.zeros(()), np.float64(0.0), 0])
def test_a_penalty_of_zero_is_none(l2):
    group, loss_fn, point = setting("sigmoid", (2, 3, 1), l2=0.0)
    group = symmetries.of(jaxnn.losses.LossOn(loss_fn.batch, l2, "sigmoid"))
    assert group.kinds(point) == ("logistic",)


def test_a_traced_penalty_counts_as_one():
    _, loss_fn, point = setting("sigmoid", (2, 3, 1))
    kinds = []

    def ask(l2):
        kinds.append(symmetries.of(jaxnn.loss_on(loss_fn.batch, l2=l2)).kinds(point))
        return l2

    jax.jit(ask)(0.0)
    assert kinds == [("permutations",)]


def test_lists_of_pairs_keep_their_structure():
    group, _, point = setting("tanh", (2, 3, 1))
    plain = [(W, b) for W, b in point]
    assert jax.tree.structure(group.canonical(plain)) == jax.tree.structure(plain)
    close(group.canonical(plain), group.canonical(point))


def test_a_point_that_is_not_finite_gives_nan_and_ends():
    group, _, point = setting("tanh", (2, 3, 3, 1))
    broken = edited(point, 1, lambda W: W.at[0, 0].set(jnp.nan))
    assert np.isnan(jax.jit(group.distance)(point, broken))


def test_wrong_points_are_refused():
    group, _, point = setting("tanh", (2, 3, 1))
    with pytest.raises(
        ValueError, match=r"the point is PyTreeDef\(\{'a': \*\}\), but this loss is"
    ):
        group.canonical({"a": jnp.zeros(2)})
    with pytest.raises(ValueError, match="layer 0 has numbers of type int64: give floating"):
        group.orbit_size(jax.tree.map(lambda leaf: jnp.ones_like(leaf, int), point))
    with pytest.raises(ValueError, match=r"points differ in structure: .*\(3, 2\).*\(4, 2\)"):
        group.distance(point, drawn.network((2, 4, 1)))
    with pytest.raises(
        ValueError, match="the batch has 2 inputs and 1 targets a case, but the net"
    ):
        group.canonical(drawn.network((3, 3, 1)))
    with pytest.raises(
        ValueError, match=r"weights have shape \(5, 3, 2\), wanted \(units, inputs\)"
    ):
        group.canonical(jaxnn.ensembles.init(jax.random.key(0), (2, 3, 1), members=5))
    with pytest.raises(ValueError, match=r"unknown way to align by 'weigths': .*'weights'"):
        group.align(point, point, by="weigths")
    with pytest.raises(ValueError, match="0 elements for 1 hidden layers: give one a layer"):
        group.image(point, [])
    with pytest.raises(ValueError, match="orbit_size counts on the host: call it outside jit"):
        jax.jit(group.orbit_size)(point)
    with pytest.raises(ValueError, match="orbit_dimension counts on the host"):
        jax.vmap(group.orbit_dimension)(group.images(point))
    with pytest.raises(ValueError, match="the group has 3715891200 elements, more than 100000"):
        group.images(drawn.network((2, 10, 1)))


def test_a_point_that_is_not_finite_is_refused():
    loss_fn = jaxnn.loss_on(jaxnn.data.xor())
    point = jaxnn.init(jax.random.key(0), (2, 2, 1))
    broken = jax.tree.map(lambda leaf: leaf + jnp.nan, point)
    with pytest.raises(ValueError, match="layer 0 holds NaN or infinity"):
        symmetries.of(loss_fn).orbit_size(broken)
