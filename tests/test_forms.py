"""The forms of a network are one mathematics: equal to 1e-12 to each other, to autodiff, and to
loops.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnn
from jaxnn import Batch, forms
from jaxnn.forms import FORMS

CASES = {
    "2-2-1": ((2, 2, 1), 4, "sigmoid", True, 0.0),
    "3-4-1 with l2": ((3, 4, 1), 8, "sigmoid", True, 0.3),
    "4-3-3, tanh inside": ((4, 3, 3), 30, ("tanh", "sigmoid"), True, 0.0),
    "3-2-2-2, no biases in the middle": ((3, 2, 2, 2), 7, "erf", (True, False, True), 0.1),
    "2-1, no hidden layer": ((2, 1), 5, "identity", True, 0.0),
    "2-3-1, many cases in pieces": ((2, 3, 1), 97, "relu", True, 0.01),
}


def problem(sizes, cases, biases):
    keys = jax.random.split(jax.random.key(7), 3)
    batch = Batch(
        jax.random.normal(keys[0], (cases, sizes[0]), jnp.float64),
        jax.random.uniform(keys[1], (cases, sizes[-1]), jnp.float64),
    )
    return jaxnn.init(keys[2], sizes, biases=biases, bias_scale=1.0, dtype=jnp.float64), batch


def by_units(loss_fn, members):
    """The losses and gradients of members (axis first) with the members' axis last within."""
    batch = jax.tree.map(lambda leaf: leaf[..., None], loss_fn.batch)
    losses, gradients = forms.loss_and_gradient_by_units(
        jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), members),
        batch,
        activation=loss_fn.activation,
        l2=loss_fn.l2,
    )
    return losses, jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), gradients)


def many(params, count=3):
    """Members around these params."""
    return jax.tree.map(lambda leaf: jnp.stack([(1 + k) * leaf for k in range(count)]), params)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("case", CASES)
def test_every_form_gives_the_loss_and_gradient_of_autodiff(case):
    sizes, count, activation, biases, l2 = CASES[case]
    params, batch = problem(sizes, count, biases)
    loss_fn, members = jaxnn.loss_on(batch, activation=activation, l2=l2), many(params)
    expected, gradient = jax.vmap(jax.value_and_grad(loss_fn))(members)
    ways = {
        "units": lambda p: by_units(loss_fn, p),
        "matrices": jax.vmap(forms.value_and_gradient("matrices", loss_fn)),
        "landscape": jax.vmap(forms.value_and_gradient("landscape", loss_fn)),
    }
    assert set(ways) == set(FORMS)
    for both in ways.values():
        values, by_hand = both(members)
        np.testing.assert_allclose(values, expected, rtol=1e-12)
        chex.assert_trees_all_close(by_hand, gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.usefixtures("x64")
def test_the_form_of_units_is_the_essays_node_after_node():
    """The error of one case by `network.node`, for every member apart."""
    params, batch = problem((3, 4, 2), 1, True)
    members = many(params)
    losses, _ = by_units(jaxnn.loss_on(batch, activation=("tanh", "sigmoid")), members)
    for k in range(3):
        values = list(batch.inputs[0])
        for (W, b), name in zip(members, ("tanh", "sigmoid"), strict=True):
            values = [
                jaxnn.node(W[k, unit], values, b[k, unit], activation=name)
                for unit in range(W.shape[1])
            ]
        error = sum((o - d) ** 2 for o, d in zip(values, batch.targets[0], strict=True))
        np.testing.assert_allclose(losses[k], error, rtol=1e-13)


def test_a_gradient_has_the_structure_and_the_precision_of_its_params():
    params = [
        (jnp.ones((2, 3, 5), jnp.bfloat16), jnp.zeros((2, 5))),
        (jnp.ones((1, 2, 5)), None),
    ]
    batch = Batch(jnp.ones((4, 3, 1)), jnp.ones((4, 1, 1)))
    losses, gradient = forms.loss_and_gradient_by_units(params, batch, activation="sigmoid", l2=0.1)
    assert losses.shape == (5,)
    assert isinstance(gradient, list)
    chex.assert_trees_all_equal_shapes_and_dtypes(gradient, params)


def test_the_rule_that_chooses_the_form():
    batch = Batch(jnp.zeros((4, 4)), jnp.zeros((4, 1)))
    loss_fn = jaxnn.loss_on(batch)

    def starts(*sizes):
        return jax.vmap(lambda k: jaxnn.init(k, sizes))(jax.random.split(jax.random.key(0), 2))

    assert forms.form_of(loss_fn, starts(4, 17, 4)) == "units"  # 157 parameters
    assert forms.form_of(loss_fn, starts(4, 18, 4)) == "matrices"  # 166
    assert forms.form_of(lambda p: loss_fn(p), starts(4, 8, 1)) == "landscape"


def test_forms_that_do_not_exist_or_do_not_fit_are_refused():
    starts, loss_fn = jnp.zeros((3, 2)), jaxnn.loss_on(Batch(jnp.zeros((1, 1)), jnp.zeros((1, 1))))
    with pytest.raises(ValueError, match="did you mean 'units'"):
        forms.checked_form("unit", loss_fn, starts)
    with pytest.raises(ValueError, match="a bare function trains as it is"):
        forms.checked_form("matrices", jnp.sum, starts)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("cases", "rows"), [(513, 528), (528, 528), (500, 500)])
def test_rows_that_fill_up_the_cases_change_nothing(cases, rows):
    params, batch = problem((3, 4, 2), cases, True)
    loss_fn = jaxnn.loss_on(batch, activation=("tanh", "sigmoid"), l2=0.1)
    filled = forms.filled_up(loss_fn)
    assert filled.batch.inputs.shape == (rows, 3)
    expected, gradient = jax.value_and_grad(loss_fn)(params)
    value, by_hand = forms.value_and_gradient("matrices", filled)(params)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    chex.assert_trees_all_close(by_hand, gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(filled(params), expected)
    np.testing.assert_array_equal(filled.residuals(params), loss_fn.residuals(params))
    np.testing.assert_array_equal(filled.saturation(params), loss_fn.saturation(params))
