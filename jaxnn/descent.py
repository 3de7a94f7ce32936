"""One update step: plain gradient descent p' = p - dE/dp (essay, section 6), and optax's rules with
numbers as leaves.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, random
from jax.tree_util import Partial

from jaxnn.vocabulary import lookup


def _sgd_init(params: Any) -> optax.EmptyState:
    del params
    return optax.EmptyState()


def _sgd_update(
    step_size: float | Array, gradient: Any, state: Any, params: Any = None, **extra: Any
) -> tuple[Any, Any]:
    """The updates -step_size dE/dp, which optax.apply_updates adds to p."""
    del params, extra
    return jax.tree.map(lambda dE_dp: -step_size * dE_dp, gradient), state


def sgd(step_size: float | Array = 1.0) -> optax.GradientTransformationExtraArgs:
    """Gradient descent, p' = p - step_size dE/dp, in optax's protocol; step_size 1 is the essay's.

    The step size is a leaf of the rule, so one compilation serves all of them and `jax.vmap` runs
    over them.

    >>> from jaxnn import training
    >>> run = training.train(lambda p: (p - 3.0) ** 2, 0.0, sgd(0.25), steps=2)
    >>> float(run.params)  # 0 -> 1.5 -> 2.25
    2.25

    Raises:
        ValueError: a step size that is a number but not finite and positive.
    """
    if isinstance(step_size, int | float) and not 0 < step_size < float("inf"):
        raise ValueError(f"step_size is {step_size}: give a finite number above 0")
    return optax.GradientTransformationExtraArgs(
        Partial(_sgd_init), Partial(_sgd_update, step_size)
    )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Half:
    """One of the two functions of an optax rule that is built anew, from its numbers, at every
    call.
    """

    numbers: dict[str, Any]
    options: tuple[tuple[str, Any], ...] = dataclasses.field(metadata={"static": True})
    make: Callable[..., optax.GradientTransformation] = dataclasses.field(metadata={"static": True})
    half: str = dataclasses.field(metadata={"static": True})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        rule = optax.with_extra_args_support(self.make(**self.numbers, **dict(self.options)))
        return getattr(rule, self.half)(*args, **kwargs)


def rule(
    make: Callable[..., optax.GradientTransformation], **settings: Any
) -> optax.GradientTransformationExtraArgs:
    """The optax rule make(**settings) with its numbers as leaves: `rule(optax.adam,
    learning_rate=0.01)`.

    Floats and arrays become leaves (one compilation for all values; vmap runs over them); ints,
    bools, strings, functions and trees of bools select what is computed and stay static.

    Raises:
        TypeError: settings that `make` does not take; from optax itself.
    """
    numbers = {
        name: value
        for name, value in settings.items()
        if isinstance(value, float | jax.Array | np.ndarray | np.floating)
    }
    make(**settings)  # so that a wrong setting fails here and not under jit
    static = {name: value for name, value in settings.items() if name not in numbers}
    unhashable = {name: static.pop(name) for name in [*static] if not _hashable(static[name])}
    make = functools.partial(make, **unhashable) if unhashable else make
    options = tuple(sorted(static.items()))
    return optax.GradientTransformationExtraArgs(
        _Half(numbers, options, make, "init"), _Half(numbers, options, make, "update")
    )


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def as_rule(rule: Any) -> optax.GradientTransformation:
    """The rule in optax's protocol: itself, or the two functions of an object such as
    optax.MultiSteps.

    Raises:
        ValueError: what has no such functions, with what has.
    """
    if isinstance(rule, type) or callable(rule):
        name = getattr(rule, "__name__", type(rule).__name__)
        raise ValueError(
            f"rule is {name} itself, which makes rules: call it, as in optax.adam(0.01) or "
            "jaxnn.sgd(0.5)"
        )
    if isinstance(rule, optax.GradientTransformation | optax.GradientTransformationExtraArgs):
        return rule
    if callable(getattr(rule, "init", None)) and callable(getattr(rule, "update", None)):
        kinds = [argument.kind for argument in inspect.signature(rule.update).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD in kinds:  # takes the loss and the landscape too
            return optax.GradientTransformationExtraArgs(rule.init, rule.update)
        return optax.GradientTransformation(rule.init, rule.update)
    raise ValueError(
        f"rule is {rule!r}, which is no update rule: give jaxnn.sgd(0.5), optax.adam(0.01), or "
        "another pair of functions (init, update) in optax's protocol"
    )


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _kinds_of_keys(rule: optax.GradientTransformation, params: Any) -> list[Any]:
    """For each leaf of the rule's memory, the kind of key that it is, or None."""
    kinds = []

    def look(params: Any) -> None:
        leaves = jax.tree.leaves(rule.init(params))
        kinds.extend(random.key_impl(leaf) if _is_key(leaf) else None for leaf in leaves)

    jax.eval_shape(look, params)
    return kinds


def ready(rule: Any) -> optax.GradientTransformationExtraArgs:
    """The rule as training calls it: the update takes the loss and the landscape too, and keys in
    the memory are held as bare numbers, which can be chosen between and gathered as others can.

    Raises:
        ValueError: as `as_rule`.
    """
    rule = optax.with_extra_args_support(as_rule(rule))

    def bare(memory: Any) -> Any:
        return jax.tree.map(lambda leaf: random.key_data(leaf) if _is_key(leaf) else leaf, memory)

    def init(params: Any) -> Any:
        return bare(rule.init(params))

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
        kinds = _kinds_of_keys(rule, updates if params is None else params)
        leaves, structure = jax.tree.flatten(state)
        leaves = [
            leaf if kind is None else random.wrap_key_data(leaf, impl=kind)
            for leaf, kind in zip(leaves, kinds, strict=True)
        ]
        state = jax.tree.unflatten(structure, leaves)
        updates, state = rule.update(updates, state, params, **extra)
        return updates, bare(state)

    return optax.GradientTransformationExtraArgs(init, update)


def as_pytree(function_or_rule: Any) -> Any:
    """The function, or each function of the rule, as a jit argument: a bare one is wrapped by jax's
    Partial.

    What is a pytree of numbers already (sgd, rule, loss_on, a stopping rule) comes back as it is.
    """

    def wrap(leaf: Any) -> Any:
        return Partial(leaf) if callable(leaf) else leaf

    return jax.tree.map(wrap, function_or_rule)


RULES: dict[str, Callable[[float], optax.GradientTransformationExtraArgs]] = {
    "sgd": sgd,
    "momentum": lambda step_size: rule(optax.sgd, learning_rate=step_size, momentum=0.9),
    "nesterov": lambda step_size: rule(
        optax.sgd, learning_rate=step_size, momentum=0.9, nesterov=True
    ),
    "adam": lambda step_size: rule(optax.adam, learning_rate=step_size),
    "rmsprop": lambda step_size: rule(optax.rmsprop, learning_rate=step_size),
}


def named(name: str, step_size: float) -> optax.GradientTransformationExtraArgs:
    """The rule of this name in RULES at this step size; momentum and nesterov at 0.9, the rest at
    optax's defaults.

    Raises:
        ValueError: an unknown name, or a step size that is not finite and positive.
    """
    make = lookup(RULES, name, what="rule")
    if not 0 < step_size < float("inf"):
        raise ValueError(f"step_size is {step_size}: give a finite number above 0")
    return make(float(step_size))
