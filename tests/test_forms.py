"""The two forms of a network are one mathematics: equal to 1e-12 to each other, to autodiff, and to
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


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("case", CASES)
def test_the_node_form_gives_the_loss_and_gradient_of_matrices_and_of_autodiff(case):
    sizes, count, activation, biases, l2 = CASES[case]
    params, batch = problem(sizes, count, biases)
    loss_fn = jaxnn.loss_on(batch, activation=activation, l2=l2)
    expected, gradient = jax.value_and_grad(loss_fn)(params)
    structure = jax.tree.structure(params)
    for name in FORMS:
        form = FORMS[name]
        held = form.hold(params)
        there, both = form.on(loss_fn, structure)
        value, by_hand = both(held)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        np.testing.assert_allclose(there(held), expected, rtol=1e-12)
        chex.assert_trees_all_close(form.give(by_hand, structure), gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("x64")
def test_the_node_form_is_the_essays_node_after_node():
    params, batch = problem((3, 4, 2), 6, True)
    nodes = forms.as_nodes(params)
    for x in batch.inputs:
        outputs = forms.forward_by_nodes(nodes, x, ("tanh", "sigmoid"))
        expected = jaxnn.forward(params, x, activation=("tanh", "sigmoid"))
        np.testing.assert_allclose(outputs, expected, rtol=1e-13)


def test_holding_as_nodes_and_giving_back_loses_nothing_with_and_without_members():
    for params in (
        jaxnn.init(jax.random.key(0), (3, 4, 2), biases=(False, True)),
        jax.vmap(lambda k: jaxnn.init(k, (2, 3, 1)))(jax.random.split(jax.random.key(1), 5)),
    ):
        back = forms.from_nodes(forms.as_nodes(params), jax.tree.structure(params))
        chex.assert_trees_all_equal(back, params)


def test_a_list_of_pairs_comes_back_as_a_list_of_pairs():
    params = [(jnp.ones((2, 3)), jnp.zeros(2)), (jnp.ones((1, 2)), None)]
    back = forms.from_nodes(forms.as_nodes(params), jax.tree.structure(params))
    assert isinstance(back, list)
    chex.assert_trees_all_equal(back, params)


def test_the_rule_that_chooses_the_form():
    batch = Batch(jnp.zeros((4, 4)), jnp.zeros((4, 1)))
    loss_fn = jaxnn.loss_on(batch)

    def starts(*sizes):
        return jax.vmap(lambda k: jaxnn.init(k, sizes))(jax.random.split(jax.random.key(0), 2))

    assert forms.form_of(loss_fn, starts(4, 8, 1)) == "nodes"  # 49 parameters
    assert forms.form_of(loss_fn, starts(4, 8, 3)) == "matrices"  # 67
    assert forms.form_of(lambda p: loss_fn(p), starts(4, 8, 1)) == "landscape"


def test_forms_that_do_not_exist_or_do_not_fit_are_refused():
    starts, loss_fn = jnp.zeros((3, 2)), jaxnn.loss_on(Batch(jnp.zeros((1, 1)), jnp.zeros((1, 1))))
    with pytest.raises(ValueError, match="did you mean 'nodes'"):
        forms.checked_form("node", loss_fn, starts)
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
    there, both = FORMS["matrices"].on(filled, None)
    value, by_hand = both(params)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    chex.assert_trees_all_close(by_hand, gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(there(params), expected)
    np.testing.assert_array_equal(filled.residuals(params), loss_fn.residuals(params))
    np.testing.assert_array_equal(filled.saturation(params), loss_fn.saturation(params))
