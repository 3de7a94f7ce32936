"""The tangent kernel is J J^T, converges to that of infinite width, and stands still where training
is lazy.
"""

import drawn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import ensembles, memory
from jaxnn.backpropagation import output_jacobian
from jaxnn.landscape import tangent_kernels

kernel = jax.jit(tangent_kernels.kernel, static_argnames="activation")
laziness = jax.jit(tangent_kernels.laziness, static_argnames="activation")


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("biases", [True, (True, False)])
def test_the_kernel_by_hand_is_that_of_differentiation(biases):
    params = drawn.network((3, 4, 2), 0, biases=biases)
    inputs = drawn.batch(3, 1, 5).inputs

    @jax.jit
    def everything(params):
        tree = jax.jacrev(lambda p: jaxnn.losses.outputs_for(p, inputs, activation="tanh"))(params)
        anybodys = tangent_kernels.jacobian_of(
            lambda p, x: jaxnn.forward(p, x, activation="tanh"), params, inputs
        )
        return tangent_kernels.kernel(params, inputs, activation="tanh"), tree, anybodys

    K, tree, anybodys = everything(params)
    J = np.concatenate([np.reshape(leaf, (10, -1)) for leaf in jax.tree.leaves(tree)], axis=1)
    np.testing.assert_allclose(K, J @ J.T, rtol=1e-12)
    np.testing.assert_array_equal(K, K.T)
    np.testing.assert_allclose(anybodys, J, rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("biases", [True, (True, False)])
def test_the_jacobian_by_the_sweep_is_that_of_the_essays_recursion(biases):
    params = drawn.network((3, 4, 2), 0, biases=biases)
    inputs = drawn.batch(3, 1, 5).inputs
    ours = tangent_kernels.jacobian(params, inputs, activation="tanh")
    rows = jax.vmap(lambda x: output_jacobian(params, x, activation="tanh"))(inputs)
    leaves = [np.reshape(leaf, (10, -1)) for leaf in jax.tree.leaves(rows)]
    np.testing.assert_allclose(ours, np.concatenate(leaves, axis=1), rtol=1e-12)


def test_the_kernel_of_a_wide_network_takes_the_memory_of_its_nodes_not_of_its_jacobians():
    """5-1024-1024-1: by the hidden layers' Jacobians it would be 51 GB."""
    params = jaxnn.init(jax.random.key(0), (5, 1024, 1024, 1))
    inputs = drawn.batch(5, 1, 12).inputs.astype(np.float32)
    made = kernel.lower(params, inputs).compile()
    held = made.memory_analysis()
    assert held is not None
    assert held.temp_size_in_bytes < 10e6
    J = tangent_kernels.jacobian(params, inputs)
    np.testing.assert_allclose(made(params, inputs), J @ J.T, rtol=1e-4)


@pytest.mark.parametrize("measure", [tangent_kernels.kernel, tangent_kernels.jacobian])
def test_what_memory_does_not_hold_is_refused_in_one_line_before_it_is_computed(
    measure, monkeypatch
):
    monkeypatch.setattr(memory, "at_hand", lambda: 4000)
    params, inputs = drawn.network((3, 4, 2), 0), drawn.batch(3, 1, 50).inputs
    with pytest.raises(
        ValueError, match=r"^a matrix of 100 x .* 4 kB of memory; give fewer cases$"
    ):
        measure(params, inputs)


@pytest.mark.usefixtures("x64")
def test_a_linear_network_has_a_closed_form():
    """With o = v W x: do/dv . do/dv' + do/dW . do/dW' = (W x)(W x') + |v|^2 x x'."""
    (W, _), (v, _) = params = drawn.network((3, 4, 1), 0, biases=False)
    x = drawn.batch(3, 1, 5).inputs
    closed = (x @ W.T) @ (x @ W.T).T + jnp.sum(v**2) * x @ x.T
    # under vmap a network each
    stacked = jax.tree.map(lambda leaf: np.stack([leaf, 2 * leaf]), params)
    kernels = jax.vmap(lambda p: tangent_kernels.kernel(p, x, activation="identity"))
    both = jax.jit(kernels)(stacked)
    np.testing.assert_allclose(both, [closed, 4 * closed], rtol=1e-12)


PLACES = np.array([[1.0, 0.0], [0.6, 0.8], [-0.5, 1.5]])


def infinite_width(activation):
    """The kernel of o = sum_i v_i s(w_i x) / sqrt(n) with N(0, 1) weights at infinite n: E s(u)
    s(u') + x x' E s'(u) s'(u') (Jacot et al. 2018), by Williams 1997 and Cho & Saul
    2009.
    """
    G = PLACES @ PLACES.T
    size = np.diag(G)
    if activation == "erf":
        root = np.sqrt(np.outer(1 + 2 * size, 1 + 2 * size))
        value = 2 / np.pi * np.arcsin(2 * G / root)
        return value + G * 4 / np.pi / np.sqrt(root**2 - 4 * G**2)
    lengths = np.sqrt(np.outer(size, size))
    t = np.arccos(np.clip(G / lengths, -1, 1))
    value = lengths * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    return value + G * (np.pi - t) / (2 * np.pi)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_wide_networks_have_the_kernel_of_infinite_width(activation):
    """The gap falls like 1 / sqrt(width), by 4 from 250 to 4000, and is within what that leaves.

    o has a factor 1 / sqrt(n) on v, whose derivative by v is then that of the plain network with v
    N(0, 1) over sqrt(n): K / n of the plain one.
    """

    def gap(width):
        nets = ensembles.init(jax.random.key(width), (2, width, 1), members=20, biases=False)

        def one(p):
            return (
                tangent_kernels.kernel(p, jnp.asarray(PLACES), activation=(activation, "identity"))
                / width
            )

        K = np.asarray(jax.lax.map(one, nets))
        return np.sqrt(np.mean((K - infinite_width(activation)) ** 2))

    gaps = [gap(250), gap(4000)]
    # each root mean square is of 20 draws x 6 entries: to a fifth
    assert 2.5 < gaps[0] / gaps[1] < 6
    assert gaps[1] < 4 / 4000**0.5


def of_units(scheme):
    """The kernel of 16 networks 2-4096-1 of rectified units without biases at PLACES, per unit and
    unit variance; the standard errors of its mean and what is expected, (3, 3) each.

    K = sum_i relu(w_i x) relu(w_i x') + v_i^2 x x' relu'(w_i x) relu'(w_i x'), w_i and v_i normal.
    """
    width, sizes = 4096, (2, 4096, 1)

    def one(key):
        p = jaxnn.init(key, sizes, scheme=scheme, biases=False)
        return tangent_kernels.kernel(p, jnp.asarray(PLACES), activation=("relu", "identity"))

    keys = jax.random.split(jax.random.key(0), 16)
    # weights of variance 2 / 2 into the units and 2 / 4096 out of them
    per_unit = PLACES.astype(np.float64) @ PLACES.T * 2 / width
    lengths = np.sqrt(np.outer(np.diag(PLACES @ PLACES.T), np.diag(PLACES @ PLACES.T)))
    t = np.arccos(np.clip(PLACES @ PLACES.T / lengths, -1, 1))
    values = lengths * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    K = np.asarray(jax.jit(lambda k: jax.lax.map(one, k))(keys), np.float64) / width
    error = np.std(K, axis=0, ddof=1) / 16**0.5
    return K.mean(axis=0), error, values + per_unit * (np.pi - t) / (2 * np.pi)


def test_4096_rectified_units_have_the_arc_cosine_kernel_where_their_weights_are_normal():
    """Cho & Saul 2009. Six entries within three standard errors; weights cut at two deviations are
    further off, since of two inputs no sum makes them normal.
    """
    found, error, expected = of_units("kaiming_normal")
    assert np.all(np.abs(found - expected) < 3 * error)
    found, error, _ = of_units("he_normal")
    assert np.max(np.abs(found - expected) / error) > 4


def trained(scale):
    """A tanh network 2-64-1 that learns a sine, to one training time whatever the `scale` of its
    outputs less the initial ones.
    """
    net = jaxnn.init(
        jax.random.key(0), (2, 64, 1), scheme="nielsen", bias_scale=0.0, dtype=jnp.float64
    )
    names = ("tanh", "identity")
    x = jnp.linspace(-2, 2, 6)
    inputs, targets = jnp.stack([x, 1 + 0.3 * x], axis=1), jnp.sin(2 * x)[:, None]
    start = jaxnn.losses.outputs_for(net, inputs, activation=names)

    def loss_fn(p):
        moved = jaxnn.losses.outputs_for(p, inputs, activation=names) - start
        return jnp.mean((scale * moved - targets) ** 2) / scale**2

    run = jaxnn.train(loss_fn, net, jaxnn.sgd(0.05), steps=400)
    return tangent_kernels.laziness(net, run.params, inputs, activation=names)


@pytest.mark.usefixtures("x64")
def test_scaled_outputs_make_training_lazy_like_1_over_alpha():
    """Chizat, Oyallon & Bach 2019: E((alpha (o - o_0) - y)) / alpha^2 moves the outputs alike,
    while parameters need move by 1 / alpha alone. What the next order adds is another 1 / alpha:
    a twentieth at alpha = 64.
    """
    runs = jax.jit(jax.vmap(trained))(jnp.array([0.25, 64.0, 256.0]))
    for name in ("kernel_drift", "parameter_change", "linear_error"):
        found = getattr(runs, name)
        np.testing.assert_allclose(found[1] / found[2], 4.0, rtol=0.1, err_msg=name)
    np.testing.assert_allclose(runs.richness[1] / runs.richness[2], 16.0, rtol=0.2)
    assert runs.richness[0] > 0.01 > 1e-5 > runs.richness[1]
    assert runs.linear_error[0] > 0.5


def test_where_nothing_moves_nothing_is_rich_and_a_kernel_that_grows_drifts():
    params = jaxnn.init(jax.random.key(0), (2, 3, 1))
    inputs = jnp.eye(2)
    still = laziness(params, params, inputs, activation="tanh")
    assert (still.kernel_drift, still.parameter_change) == (0, 0)
    assert still.richness < 1e-12  # of float32: no digit of 1 - cos is lost
    assert np.isnan(still.linear_error)
    K = kernel(params, inputs, activation="tanh")
    np.testing.assert_allclose(tangent_kernels.drift(K, 3 * K), 2.0, rtol=1e-6)
    np.testing.assert_allclose(tangent_kernels.alignment(K, 3 * K), 1.0, rtol=1e-6)
    np.testing.assert_allclose(
        tangent_kernels.alignment(jnp.eye(2), jnp.diag(jnp.array([1.0, 0.0]))), 0.5**0.5, rtol=1e-6
    )


def test_a_model_linear_in_its_parameters_is_its_own_linearisation():
    initial, final = (
        jaxnn.init(jax.random.key(k), (3, 2), scheme="nielsen", biases=True) for k in (0, 1)
    )
    found = laziness(initial, final, jnp.eye(3), activation="identity")
    assert found.kernel_drift == 0
    assert found.linear_error < 1e-6


@pytest.mark.usefixtures("x64")
def test_weights_in_float32_lose_no_digit_of_data_in_float64():
    """Against the same weights in float64: what float32 rounds would show at 1e-8."""
    low = [jaxnn.init(jax.random.key(k), (2, 3, 1), dtype=jnp.float32) for k in (0, 1)]
    double = jax.tree.map(jnp.float64, low)
    inputs = jnp.array([[0.1, 0.7], [1 / 3, -0.2]])
    outputs, wanted = (
        jax.jit(tangent_kernels.linearised)(*pair, inputs) for pair in ([double[0], low[1]], double)
    )
    np.testing.assert_allclose(outputs, wanted, rtol=1e-12)
    np.testing.assert_allclose(kernel(low[0], inputs), kernel(double[0], inputs), rtol=1e-12)


def test_targets_along_the_leading_eigenvector_align_best():
    K = jnp.diag(jnp.array([3.0, 4.0, 0.0, 0.0]))
    targets = jnp.array([[0.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(tangent_kernels.target_alignment(K, targets), 4 / 5, rtol=1e-6)
    flat = jnp.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(tangent_kernels.target_alignment(K, flat), 7 / 20, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: tangent_kernels.kernel(p, jnp.ones(2)), r"shape \(2,\), wanted \(cases, 2\)"),
        (
            lambda p: tangent_kernels.drift(jnp.eye(2), jnp.eye(3)),
            r"kernels differ in structure: .*\(2, 2\).*\(3, 3\)",
        ),
        (
            lambda p: tangent_kernels.target_alignment(jnp.eye(2), jnp.ones((3, 1))),
            r"shape \(2, 2\) and the targets \(3, 1\)",
        ),
        (
            lambda p: tangent_kernels.laziness(p, p[:1], jnp.eye(2)),
            "initial and final differ in structure",
        ),
        (
            lambda p: tangent_kernels.linearised(p, p[:1], jnp.eye(2)),
            "params and initial differ in structure",
        ),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(jaxnn.init(jax.random.key(0), (2, 3, 1)))
