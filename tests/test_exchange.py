"""Weights travel to PyTorch, Flax and Equinox and back: the outputs there are the outputs here."""

import itertools
import subprocess
import sys

import chex
import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxnn
from jaxnn import exchange

SIZES, ACTIVATION = (3, 5, 4, 2), ("tanh", "tanh", "identity")
X = np.linspace(-2, 2, 3, dtype=np.float32)


@pytest.fixture(scope="module")
def params():
    drawn = jaxnn.init(jax.random.key(0), SIZES, scale=0.7)
    return jax.tree.map(np.asarray, drawn)


@pytest.fixture(scope="module")
def outputs(params):
    return np.asarray(jaxnn.forward(params, jnp.asarray(X), activation=ACTIVATION))


def close(got, outputs):
    np.testing.assert_allclose(np.asarray(got), outputs, rtol=1e-5, atol=1e-6)


def test_torch_gives_the_same_outputs_and_the_weights_come_back(params, outputs):
    torch = pytest.importorskip("torch")
    parts = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(SIZES)]
    plain = torch.nn.ModuleList(parts)
    plain.load_state_dict(exchange.to_torch(params))
    model = torch.nn.Sequential(parts[0], torch.nn.Tanh(), parts[1], torch.nn.Tanh(), parts[2])
    with torch.no_grad():
        close(model(torch.tensor(X)), outputs)
        for part in parts:
            part.weight.zero_()
        model.load_state_dict(exchange.to_torch(params, names=("0", "2", "4")))
        close(model(torch.tensor(X)), outputs)
    chex.assert_trees_all_equal(exchange.from_torch(model.state_dict()), params)
    state = exchange.to_torch(params)
    state["0.weight"][:] = 0  # a copy: ours are not changed
    assert np.abs(params[0].weights).min() > 0


def test_linen_gives_the_same_outputs_and_the_weights_come_back(params, outputs):
    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            for size in SIZES[1:-1]:
                x = nn.tanh(nn.Dense(size)(x))
            return nn.Dense(SIZES[-1])(x)

    variables = {"params": exchange.to_flax(params)}
    close(Model().apply(variables, X), outputs)
    chex.assert_trees_all_equal_shapes(variables, Model().init(jax.random.key(0), X))
    for tree in (variables, variables["params"]):
        chex.assert_trees_all_equal(exchange.from_flax(tree), params)


def test_nnx_gives_the_same_outputs_and_the_weights_come_back(params, outputs):
    class Model(nnx.Module):
        def __init__(self, rngs):
            self.second = nnx.Linear(5, 4, rngs=rngs)
            self.first = nnx.Linear(3, 5, rngs=rngs)
            self.last = nnx.Linear(4, 2, rngs=rngs)

        def __call__(self, x):
            return self.last(jnp.tanh(self.second(jnp.tanh(self.first(x)))))

    model, names = Model(nnx.Rngs(0)), ("first", "second", "last")
    nnx.update(model, exchange.to_flax(params, names=names))
    close(model(X), outputs)
    state = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    chex.assert_trees_all_equal(exchange.from_flax(state, names=names), params)
    with pytest.raises(ValueError, match="says no order: give names"):
        exchange.from_flax(state)
    with pytest.raises(ValueError, match="names are first, last, the layers are"):
        exchange.from_flax(state, names=("first", "last"))


def test_equinox_gives_the_same_outputs_and_the_weights_come_back(params, outputs):
    layers = exchange.to_equinox(params)
    close(layers[2](jnp.tanh(layers[1](jnp.tanh(layers[0](X))))), outputs)
    chex.assert_trees_all_equal(exchange.from_equinox(layers), params)
    square = jaxnn.init(jax.random.key(1), (3, 4, 4, 2))
    mlp = eqx.nn.MLP(3, 2, 4, 2, activation=jnp.tanh, key=jax.random.key(0))
    filled = exchange.to_equinox(square, mlp)
    close(filled(X), jaxnn.forward(square, jnp.asarray(X), activation=ACTIVATION))
    chex.assert_trees_all_equal(exchange.from_equinox(filled), square)
    assert not np.array_equal(mlp.layers[0].weight, square[0].weights)
    chain = eqx.nn.Sequential([layers[0], eqx.nn.Lambda(jnp.tanh), layers[1]])
    chex.assert_trees_all_equal(exchange.from_equinox(chain), params[:2])
    with pytest.raises(
        ValueError, match=r"params have .*\(5, 3\).*the model's layers have .*\(4, 3"
    ):
        exchange.to_equinox(params, mlp)


def test_layers_without_biases_travel(params):
    bare = tuple(layer._replace(biases=None) for layer in params)
    assert set(exchange.to_flax(bare)["Dense_0"]) == {"kernel"}
    chex.assert_trees_all_equal(exchange.from_flax(exchange.to_flax(bare)), bare)
    chex.assert_trees_all_equal(exchange.from_equinox(exchange.to_equinox(bare)), bare)
    named = {f"{k}.weight": layer.weights for k, layer in enumerate(bare)}
    chex.assert_trees_all_equal(exchange.from_torch(named), bare)


def test_layers_are_put_in_the_order_of_their_numbers():
    deep = jaxnn.init(jax.random.key(0), (2,) * 13)
    tree = exchange.to_flax(deep)
    shuffled = {name: tree[name] for name in sorted(tree)}  # Dense_10 before Dense_2
    assert list(shuffled)[2] == "Dense_10"
    chex.assert_trees_all_equal(exchange.from_flax({"params": shuffled}), deep)


W, B = np.ones((5, 3)), np.ones(5)
V = np.ones((2, 5))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: exchange.to_flax([(W.T, B)]), r"layer 0: .*\(5,\).*; transposed they fit"),
        (lambda: exchange.to_flax([(W.T, None), (V.T, None)]), "layer 1: .*; transposed they fit"),
        (lambda: exchange.to_flax([(W, B), (np.ones((2, 4)), None)]), "the layer before gives 5$"),
        (lambda: exchange.to_flax([(W, np.ones(4))]), r"wanted \(5,\), one a unit$"),
        (lambda: exchange.to_flax([(np.ones((1, 5, 3)), B)]), r"wanted \(units, inputs\)"),
        (lambda: exchange.to_flax([]), "params has no layers"),
        (lambda: exchange.to_flax([(W, B)], names=("a", "b")), "2 names for 1 layers"),
        (lambda: exchange.from_torch({"0.weight": W.T, "0.bias": B}), "transposed they fit"),
        (
            lambda: exchange.from_torch({"0.weight": W, "1.running_mean": B}),
            "'1.running_mean' is no",
        ),
        (lambda: exchange.from_torch({"0.bias": B}), "layer '0' has a bias and no weight"),
        (lambda: exchange.from_torch({"0.weight": np.ones((2, 2, 3, 3))}), "has two axes"),
        (lambda: exchange.from_torch({"0.weight": B}), "has two axes"),
        (lambda: exchange.from_flax({"Dense_0": {"kernel": W, "bias": B}}), "transposed they fit"),
        (lambda: exchange.from_flax({"Conv_0": {"scale": B}}), "'Conv_0.scale' is no part"),
        (lambda: exchange.from_equinox([jnp.tanh]), "has no eqx.nn.Linear"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(wrong, match):
    with pytest.raises(ValueError, match=match):
        wrong()


def test_no_other_library_is_imported_until_it_is_needed():
    script = (
        "import sys; from jaxnn import exchange; exchange.to_flax([([[1.0]], None)])\n"
        "assert not {'torch', 'flax', 'equinox'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("torch", lambda: exchange.to_torch([(np.ones((1, 2)), None)])),
        ("equinox", lambda: exchange.to_equinox([(np.ones((1, 2)), None)])),
        ("equinox", lambda: exchange.from_equinox([1.0])),
    ],
)
def test_a_library_that_is_not_there_is_named_with_its_package(library, call, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    with pytest.raises(ValueError, match=f"needs {library}: pip install {library}$"):
        call()
