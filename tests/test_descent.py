"""Update rules: the essay's formula, optax's protocol, numbers as leaves."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxnn
from jaxnn import descent

POINT = {"a": jnp.array([1.0, -2.0]), "b": jnp.array(3.0)}
SLOPE = {"a": jnp.array([0.5, 0.25]), "b": jnp.array(-1.0)}


@chex.variants(with_jit=True, without_jit=True)  # pyright: ignore[reportCallIssue]
class _Variants(chex.TestCase):
    def test_sgd_is_p_minus_step_size_times_the_slope(self):
        @self.variant
        def moved(point, slope):
            rule = jaxnn.sgd(0.1)
            updates, _ = rule.update(slope, rule.init(point), point)
            return optax.apply_updates(point, updates)

        chex.assert_trees_all_close(
            moved(POINT, SLOPE), {"a": jnp.array([0.95, -2.025]), "b": jnp.array(3.1)}, rtol=1e-6
        )


def test_the_default_is_the_essays_p_minus_slope():
    rule = jaxnn.sgd()
    updates, _ = rule.update(SLOPE, rule.init(POINT), POINT)
    chex.assert_trees_all_close(updates, jax.tree.map(jnp.negative, SLOPE))


def test_sgd_moves_as_optax_sgd_does():
    ours, theirs = jaxnn.sgd(0.3), optax.sgd(0.3)
    chex.assert_trees_all_close(
        ours.update(SLOPE, ours.init(POINT), POINT)[0],
        theirs.update(SLOPE, theirs.init(POINT), POINT)[0],
    )


@pytest.mark.parametrize(
    "make",
    [jaxnn.sgd, lambda s: descent.rule(optax.adam, learning_rate=s), descent.RULES["momentum"]],
)
def test_one_trace_serves_all_step_sizes_and_vmap_runs_over_them(make):
    def update(rule):
        return rule.update(SLOPE, rule.init(POINT), POINT)[0]

    chex.clear_trace_counter()
    first_update = jax.jit(chex.assert_max_traces(update, n=1))

    alone = [first_update(make(s)) for s in (0.1, 0.2, 0.4)]
    assert len({float(u["b"]) for u in alone}) == 3
    mapped = jax.vmap(lambda s: update(make(s)))(jnp.array([0.1, 0.2, 0.4]))
    chex.assert_trees_all_close(mapped, jax.tree.map(lambda *us: jnp.stack(us), *alone), rtol=1e-6)


def test_rule_gives_what_the_plain_optax_rule_gives():
    ours = descent.rule(optax.adam, learning_rate=0.01, b1=0.8, nesterov=True)
    theirs = optax.adam(0.01, b1=0.8, nesterov=True)
    states = [ours.init(POINT), theirs.init(POINT)]
    for _ in range(3):
        (a, states[0]), (b, states[1]) = (
            rule.update(SLOPE, state, POINT)
            for rule, state in zip((ours, theirs), states, strict=True)
        )
        chex.assert_trees_all_close(a, b, rtol=1e-6)


def test_as_pytree_makes_functions_jit_arguments_and_leaves_pytrees_alone():
    rule = descent.as_pytree(optax.sgd(0.1))
    jax.jit(lambda r: r.update(SLOPE, r.init(POINT), POINT)[0])(rule)
    ours = jaxnn.sgd(0.5)
    chex.assert_trees_all_equal_structs(descent.as_pytree(ours), ours)
    assert jax.jit(lambda f: f(2.0))(descent.as_pytree(jnp.square)) == 4.0


@pytest.mark.parametrize("step_size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_step_size_that_is_no_step_is_refused(step_size):
    with pytest.raises(ValueError, match="give a finite number above 0"):
        jaxnn.sgd(step_size)
    with pytest.raises(ValueError, match="give a finite number above 0"):
        descent.named("adam", step_size)


def test_an_unknown_rule_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'momentum'"):
        descent.named("momentun", 0.1)


@pytest.mark.parametrize("name", descent.RULES)
def test_every_named_rule_reaches_the_minimum_of_a_quadratic(name):
    def loss_fn(p):
        return jnp.sum(jnp.array([1.0, 3.0]) * jnp.square(p - jnp.array([1.0, -1.0])))

    run = jaxnn.train(
        loss_fn, jnp.zeros(2), descent.named(name, 0.02), steps=2000, record_every=2000
    )
    # rmsprop with a constant step rings at about the step size
    np.testing.assert_allclose(run.params, [1.0, -1.0], atol=0.03 if name == "rmsprop" else 1e-3)
